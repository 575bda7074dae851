"""Servers that share one PostgreSQL database: in threads of this process, and in processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.faults.process import HANDLERS, ServerProcess
from tests.postgres import Cluster, missing, running
from tests.service import LocalService, Start, starting

Serve: TypeAlias = Callable[..., ServerProcess]


@pytest.fixture
def start(database: str) -> Iterator[Start]:
    """Starts servers on the test's database."""
    with starting(store=database) as start:
        yield start


@pytest.fixture
def three(start: Start) -> list[LocalService]:
    """Three servers of two slots each."""
    return [start(slots=2, server_name=f"server-{number}") for number in range(3)]


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts servers on the test's database that can be killed and stopped, with the handlers of the fault tests."""
    with ExitStack() as stack:

        def serve(name: str, **flags: Any) -> ServerProcess:
            server = ServerProcess(tmp_path / f"{name}.log")
            stack.callback(server.close)
            return server.begin(HANDLERS, store=database, server_name=name, **flags)

        yield serve


@pytest.fixture(scope="session")
def brittle() -> Iterator[Cluster]:
    """A cluster for the tests that take it down, which no others use."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with running() as cluster:
        yield cluster


@pytest.fixture
def brittle_database(brittle: Cluster) -> Iterator[str]:
    """The name of an empty database there."""
    name = brittle.create()
    yield name
    brittle.drop(name)


@pytest.fixture
def start_brittle(brittle: Cluster, brittle_database: str) -> Iterator[Start]:
    """Starts servers on that database."""
    with starting(store=brittle.url(brittle_database)) as start:
        yield start
