"""What the benchmark has the Python client do, and how long that takes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import slotd


def submits(client: slotd.Client, calls: int, callers: int) -> dict[str, Any]:
    """So many in all, by so many callers at once, each with its next call when the last is answered."""

    def call_again_and_again(_caller: int) -> None:
        for _ in range(calls // callers):
            client.submit("noop")

    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call_again_and_again, range(callers)))
    return {"seconds": time.perf_counter() - began}


def stream(client: slotd.Client, events: int, cursor: str) -> dict[str, Any]:
    """So many events, or those that there are, from a cursor on."""
    began = time.perf_counter()
    with client.stream(cursor=cursor) as told:
        count = sum(1 for _ in zip(range(events), told, strict=False))
    return {"seconds": time.perf_counter() - began, "events": count}
