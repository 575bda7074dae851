"""Services for these tests: in threads and in children."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Endpoint, Spawn, Start, spawning, starting


@pytest.fixture
def start(store_url: str) -> Iterator[Start]:
    """Starts services in this process."""
    with starting(store_url) as start:
        yield start


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts services in children."""
    with spawning(tmp_path) as spawn:
        yield spawn


@pytest.fixture(scope="module")
def shared() -> Iterator[Endpoint]:
    """One service for all tests of a module that change nothing, or nothing that others see."""
    with starting() as start:
        yield start().at
