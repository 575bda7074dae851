"""Services for these tests: in threads and in children."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Endpoint, Spawn, Start, spawning, starting
from tests.web.channel import Codec


@pytest.fixture(scope="module")
def codec() -> Codec | None:
    """How services are asked that the fixtures below start: over gRPC, where a module doesn't say otherwise."""
    return None


@pytest.fixture
def start(store_url: str, codec: Codec | None) -> Iterator[Start]:
    """Starts services in this process."""
    with starting(store_url, codec) as start:
        yield start


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts services in children."""
    with spawning(tmp_path) as spawn:
        yield spawn


@pytest.fixture(scope="module")
def shared(codec: Codec | None) -> Iterator[Endpoint]:
    """One service for all tests of a module that change nothing, or nothing that others see."""
    with starting(codec=codec) as start:
        yield start().at
