"""What these tests start from: a fresh service of four slots, and a client of it, over gRPC and over HTTP."""

from collections.abc import Iterator

import pytest

import slotd
from tests.service import LocalService, Start, starting
from tests.web.channel import Codec


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes three tests of each one."""
    if "codec" in metafunc.fixturenames:
        metafunc.parametrize("codec", [None, "json", "proto"], ids=["grpc", "http-json", "http-proto"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves PostgreSQL to gRPC: what is below knows nothing of how it was asked."""
    items[:] = [item for item in items if not ({"postgres", "codec"} <= _chosen(item))]


@pytest.fixture
def start(store_url: str, codec: Codec | None) -> Iterator[Start]:
    """Starts services with other settings."""
    with starting(store_url, codec) as start:
        yield start


@pytest.fixture
def service(start: Start) -> LocalService:
    return start()


@pytest.fixture
def client(service: LocalService) -> slotd.Client:
    return service.at.client


def _chosen(item: pytest.Item) -> set[str]:
    """The store, and "codec" where there is one."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return {str(params.get("store_kind")), *(["codec"] if params.get("codec") else [])}
