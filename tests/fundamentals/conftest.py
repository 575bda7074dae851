"""What these tests start from: a fresh service of four slots, and a client of it."""

from collections.abc import Iterator

import pytest

import slotd
from tests.service import LocalService, Start, starting


@pytest.fixture
def start(store_url: str) -> Iterator[Start]:
    """Starts services with other settings."""
    with starting(store_url) as start:
        yield start


@pytest.fixture
def service(start: Start) -> LocalService:
    return start()


@pytest.fixture
def client(service: LocalService) -> slotd.Client:
    return service.at.client
