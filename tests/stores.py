"""On which stores a test runs whose fixtures ask for one: on SQLite, and on PostgreSQL too.

Without --long the latter are those marked `every_store` alone, which between them come through everything once."""

from pathlib import Path

import pytest

from tests.service import MEMORY


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "every_store: runs on PostgreSQL too, also without --long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes two tests of each one that has `store_kind` among its fixtures."""
    if "store_kind" in metafunc.fixturenames:
        marks = () if metafunc.definition.get_closest_marker("every_store") else pytest.mark.long
        metafunc.parametrize("store_kind", ["sqlite", pytest.param("postgres", marks=marks)])


@pytest.fixture
def store_url(store_kind: str, request: pytest.FixtureRequest) -> str:
    """Where a fresh store is; on SQLite each server that starts there has one of its own."""
    url: str = MEMORY if store_kind == "sqlite" else request.getfixturevalue("database")
    return url


@pytest.fixture
def durable_url(store_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where a fresh store is that outlives its server."""
    url: str = f"sqlite:///{tmp_path}/jobs.db" if store_kind == "sqlite" else request.getfixturevalue("database")
    return url
