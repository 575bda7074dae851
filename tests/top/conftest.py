"""What the tests of the view start from: real services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import LocalService, Start, starting


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts services with other settings."""
    with starting(f"sqlite:///{tmp_path}/jobs.db") as start:
        yield start


@pytest.fixture
def service(start: Start) -> LocalService:
    return start()
