"""What the shop's tests share: a shop in an empty folder, and a gateway that does as it is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shop import gateway


class FakeGateway:
    """Raises its `troubles`, one after another, then takes every payment. `charges` are those that it took, by key."""

    def __init__(self) -> None:
        self.troubles: list[Exception] = []
        self.charges: dict[str, tuple[str, int]] = {}

    def pay(self, customer: str, cents: int, key: str) -> str:
        """As of shop.gateway."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.charges[key] = (customer, cents)
        return f"receipt {len(self.charges)}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOP_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def bank(monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    fake = FakeGateway()
    monkeypatch.setattr(gateway, "pay", fake.pay)
    return fake


@pytest.fixture
def slotd_options() -> Mapping[str, Any]:
    """All services of these tests run the shop's handlers."""
    return {"handlers": ["shop.tasks"]}
