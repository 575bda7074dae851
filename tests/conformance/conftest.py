"""What the suites run on: every store, every runner. Another one joins by being named here."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from slotd.handlers import Handler
from slotd_server.domain.job import Job, Payload
from slotd_server.execution.base import Reporting, Runner
from slotd_server.execution.threads import ThreadRunner
from slotd_server.store.base import Store
from slotd_server.store.sqlite import MEMORY, SqliteStore
from tests.conformance.running import Bench

RESULT_LIMIT = 1000
OUTPUT_LIMIT = 1 << 20

OpenStore = Callable[[], Store]


def _threads(
    handlers: Mapping[str, Handler], reporting: Reporting, results: Callable[[Job], Mapping[str, Payload | None]]
) -> Runner:
    return ThreadRunner(handlers, reporting, results=results, result_limit=RESULT_LIMIT, output_limit=OUTPUT_LIMIT)


@pytest.fixture(params=["sqlite", "sqlite in memory", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    match request.param:
        case "sqlite":
            opened: Store = SqliteStore(str(tmp_path / "jobs.db"))
        case "sqlite in memory":
            opened = SqliteStore(MEMORY)
        case _:
            opened = _postgres(request.getfixturevalue("database"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the same durable store each time."""
    if request.param == "sqlite":
        return lambda: SqliteStore(str(tmp_path / "durable.db"))
    database = request.getfixturevalue("database")
    return lambda: _postgres(database)


def _postgres(url: str) -> Store:
    # Not before there is a database: where there can be none, psycopg may be missing too.
    from slotd_server.store.postgres import PostgresStore

    return PostgresStore(url)


@pytest.fixture(params=[_threads], ids=["threads"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A runner with its reports."""
    bench = Bench(request.param)
    yield bench
    bench.runner.close()
