"""A service that answers HTTP, and ways to start others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import LocalService, Spawn, Start, spawning, starting

HOSTS = ("jobs.example",)
ORIGINS = ("http://friend.example:3000",)


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    """One for all tests of a module that change nothing, or nothing that others see."""
    with starting() as start:
        yield start(http="127.0.0.1:0", http_hosts=HOSTS, http_origins=ORIGINS)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts services in this process."""
    with starting() as start:
        yield start


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts services in children."""
    with spawning(tmp_path) as spawn:
        yield spawn
