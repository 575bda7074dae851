"""The payment gateway."""

import json
import os
import urllib.error
import urllib.request

_SECONDS = 10


class Declined(Exception):
    """The customer's bank says no, and will go on saying so."""


class Busy(Exception):
    """The gateway asks to be left alone for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy for {seconds:g} s")
        self.seconds = seconds


def pay(customer: str, cents: int, key: str) -> str:
    """Charge a customer. The same `key` charges only once. → the receipt.

    Raises Declined, Busy, and OSError where the gateway is not to be reached.
    """
    request = urllib.request.Request(
        os.environ["SHOP_GATEWAY"],
        json.dumps({"customer": customer, "cents": cents}).encode(),
        {"Content-Type": "application/json", "Idempotency-Key": key},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return str(json.load(answer)["receipt"])
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 402:
                raise Declined(error.reason) from error
            if error.code == 429:
                raise Busy(float(error.headers.get("Retry-After", "60"))) from error
            raise
