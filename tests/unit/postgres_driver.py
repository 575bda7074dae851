"""The deterministic harness on a PostgreSQL database: what one server does there is what it does on a file."""

from typing import Any

import psycopg

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreFull
from slotd_server.store.base import ANYTHING, Expected
from slotd_server.store.postgres import PostgresStore
from slotd_server.store.postgres_write import PostgresTransaction
from tests.unit.driver import Driver


class FullablePostgres(PostgresStore):
    """A store whose next `fail_commits` commits write all, then find the disk full."""

    fail_commits = 0

    def begin(self, expected: Expected = ANYTHING) -> PostgresTransaction:
        return FullableTransaction(self, expected)


class FullableTransaction(PostgresTransaction):
    """Fails where the disk is really found full: after statements have run, before the commit."""

    def _commit(self) -> None:
        store = self._store
        assert isinstance(store, FullablePostgres)
        if store.fail_commits:
            store.fail_commits -= 1
            raise StoreFull
        super()._commit()


class PostgresDriver(Driver):
    """One server in a box, on the empty database at `path`, which is a URL."""

    store: FullablePostgres  # type: ignore[assignment]

    def _open(self) -> FullablePostgres:  # type: ignore[override]
        self._reader = psycopg.connect(self._path, autocommit=True)
        return FullablePostgres(self._path)

    def _recovery(self, gone: str) -> ask.Command:
        rows = self.rows(f"SELECT renewals FROM servers WHERE boot = '{gone}'")
        return ask.Bury(gone, rows[0][0] if rows else 0, 10_000)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._reader.execute(sql.encode()).fetchall()

    def _remembered(self) -> dict[str, Any]:
        return {
            "counters in memory": dict(self.store.counters),
            "queues in memory": dict(self.store.queues),
            "turns in memory": dict(self.store.turns),
            "unsettled in memory": self.store.unsettled,
            "held in memory": {owner: queues for owner, queues in self.store.held.items() if queues},
            "revision": self.store.revision,
            "head": self.rows("SELECT revision, oldest, boot FROM head"),
        }

    def close(self) -> None:
        super().close()
        self._reader.close()
