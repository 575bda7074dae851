"""One database for many servers, in memory, and how it fails them.

It is SQLite with the tables that PostgreSQL has beside the common ones, and goes through the code that PostgreSQL goes
through. Everything happens in one thread, so a change is never interrupted by another: that is what the lock of the row
`head` does in PostgreSQL.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import lru_cache
from importlib import resources
from typing import Any

from slotd_server.domain.clock import SharedClock
from slotd_server.domain.errors import StoreFull, StoreUnavailable
from slotd_server.domain.server import Contact, News, Status
from slotd_server.store import shared
from slotd_server.store.base import ANYTHING, Expected
from slotd_server.store.rows import Row, read_queue
from slotd_server.store.sqlite_read import SqliteDialect, SqliteSnapshot
from slotd_server.store.sqlite_write import SqliteTransaction
from tests.simulation.scheduler import START, Scheduler
from tests.simulation.witness import Commit

_MORE_TABLES = """
CREATE TABLE head (revision INTEGER, oldest INTEGER, version INTEGER, boot TEXT);
CREATE TABLE servers (boot TEXT PRIMARY KEY, status TEXT, start_time INTEGER, renew_time INTEGER, renewals INTEGER,
    lease INTEGER);
CREATE TABLE held (owner TEXT, queue TEXT, running INTEGER, zombie INTEGER, PRIMARY KEY (owner, queue));
"""


class Fault(Enum):
    """What may become of a commit."""

    NEVER_ARRIVED = auto()
    ANSWER_LOST = auto()
    FULL = auto()


class Database:
    """`witness` sees each commit. While it is `away` nobody reaches it. `delay` draws how long a notification takes
    (microseconds; None: it is lost), `fault` what becomes of a commit."""

    scheduler: Scheduler
    witness: Callable[[Commit], None]
    delay: Callable[[], int | None]
    fault: Callable[[], Fault | None]

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=2048)
        self.connection.create_function("simulated_now", 0, lambda: START + self.scheduler.now)
        folder = resources.files("slotd_server.store") / "sql" / "sqlite"
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            self.connection.executescript(file.read_text(encoding="utf-8"))
        self.connection.executescript(_MORE_TABLES)
        names = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self._tables = [name for (name,) in names if not name.startswith("sqlite_")]

    def begin_anew(self, scheduler: Scheduler, witness: Callable[[Commit], None]) -> None:
        """Empty, for another run. The connection is kept with all that SQLite has compiled, which takes longest."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        for table in self._tables:
            self.connection.execute(f"DELETE FROM {table}")
        self.connection.execute("INSERT INTO head VALUES (0, 1, 0, '')")
        self.scheduler = scheduler
        self.witness = witness
        self.delay = lambda: 0
        self.fault = lambda: None
        self.away = False
        self.stores: list[SimulatedStore] = []
        self._seen = 0

    def run(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        """Each one's rows."""
        return [self.connection.execute(*statement).fetchall() for statement in statements]

    def committed(self, owner: str) -> None:
        """Show what is new to the witness, read anew from the tables."""
        snapshot = SqliteSnapshot(self.connection)
        events = snapshot.events(self._seen, 1_000_000) if snapshot.revision > self._seen else []
        self._seen = snapshot.revision
        queues = {name: _queue(text) for name, text in self.connection.execute("SELECT * FROM queues")}
        rows = self.connection.execute("SELECT seq, owner FROM jobs WHERE state <> 4 AND owner <> ''")
        self.witness(Commit(owner, events, queues, dict(rows.fetchall())))

    def notify(self, owner: str, news: News) -> None:
        """Tell all servers that can be reached, each after a while."""
        for store in self.stores:
            delay = self.delay()
            if delay is not None and not store.cut:
                store.noticed(news._replace(work=news.work and store.owner != owner), delay)


_queue = lru_cache(read_queue)


class SimulatedStore(shared.SharedMemory):
    """A server's way to the database. It may be `cut`, for this one alone; or only its renewals are `unheard`.
    `noticed` gets notifications, with the microseconds that each takes; `renewed` is when the lease was, last."""

    shared = True
    id = "5" * 32

    noticed: Callable[[News, int], None]

    def __init__(
        self, database: Database, owner: str, clock: SharedClock, status: Callable[[], Status], lease: int
    ) -> None:
        super().__init__(owner)
        self.lease = lease
        self.clock = clock
        self.database = database
        self.cut = False
        self.unheard = False
        self.ended = False
        self.renewed = database.scheduler.now
        self._status = status
        self.noticed = _unheard
        self.reach()
        database.stores.append(self)
        shared.join(database.run, SimulatedTransaction.dialect, self, status(), lease)

    def reach(self) -> None:
        """Raises StoreUnavailable."""
        if self.cut or self.database.away:
            raise StoreUnavailable

    def begin(self, expected: Expected = ANYTHING) -> "SimulatedTransaction":
        self.reach()
        if self.ended:
            self.ended = False
            raise StoreUnavailable
        return SimulatedTransaction(self, self._status(), self.lease, expected)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        self.reach()
        (((version, revision, boot),),) = self.database.run(("SELECT version, revision, boot FROM head", ()))
        self.saw(version, revision, boot)
        yield SqliteSnapshot(self.database.connection)

    def renew(self, status: Status) -> Contact:
        self.reach()
        if self.unheard:
            raise StoreUnavailable
        self.renewed = self.database.scheduler.now
        return shared.renew(self.database.run, SimulatedTransaction.dialect, self.owner, status)

    def cut_off(self, server: str) -> None:
        """That server finds its connection ended when it comes back."""
        self.reach()
        for store in self.database.stores:
            store.ended = store.ended or store.owner == server

    def close(self) -> None:
        """Say goodbye where that is possible."""
        if not self.cut and not self.database.away:
            shared.leave(self.database.run, self.owner)


def _unheard(news: News, delay: int) -> None:
    """Nobody listens yet."""


class SimulatedDialect(SqliteDialect):
    """Nothing has to be locked where everything is done by one thread."""

    now = "simulated_now()"
    lock = ""
    pass_over = ""


class SimulatedTransaction(shared.SharedTransaction):
    """What SQLite is told, in the same words as a store that is not shared."""

    dialect = SimulatedDialect()

    def __init__(self, store: SimulatedStore, status: Status, lease: int, expected: Expected) -> None:
        self._store = store
        self._database = store.database
        self._connection = store.database.connection
        self._news: News | None = None
        self._size = 0
        super().__init__(store, status, lease, expected)
        if not self._is_member:
            store.renewed = self._database.scheduler.now

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    _insert = SqliteTransaction._insert
    _delete = SqliteTransaction._delete
    _write = SqliteTransaction._write

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _take(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        self._wrote = True
        return self._run(sql, values)

    def _start(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        self._connection.execute("BEGIN IMMEDIATE")
        self._store.clock.set(START + self._database.scheduler.now)
        return self._database.run(*statements)

    def _notify(self, news: News) -> None:
        self._news = news

    def _commit(self) -> None:
        fault = self._database.fault()
        if fault is Fault.FULL:
            raise StoreFull
        if fault is Fault.NEVER_ARRIVED:
            raise StoreUnavailable
        self._connection.execute("COMMIT")
        self._database.committed(self._store.owner)
        assert self._news is not None
        self._database.notify(self._store.owner, self._news)
        if fault is Fault.ANSWER_LOST:
            raise StoreUnavailable

    def _end(self) -> None:
        self._connection.execute("COMMIT")
