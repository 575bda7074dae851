"""Transactions on PostgreSQL. Statements whose answer nobody needs go along with the next one whose answer somebody
does (libpq's pipeline mode), and many rows go in one statement, as arrays, so that a change takes few trips to the
database.

Each trip ends with a Sync: whenever this server is not waiting for the database, the database knows that it is waiting
for this server, and gives up a change whose server has stopped (idle_in_transaction_session_timeout).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from slotd_server.domain.errors import StoreUnavailable
from slotd_server.domain.server import News
from slotd_server.store.base import Expected
from slotd_server.store.postgres_errors import meaning, translated
from slotd_server.store.postgres_read import PostgresDialect, array, query
from slotd_server.store.rows import Row
from slotd_server.store.shared import PUT_HEAD, SharedTransaction
from slotd_server.store.sql_read import Insert

if TYPE_CHECKING:
    from slotd_server.store.postgres import PostgresStore

# Each statement has to see what was committed before the head was locked, whatever the database's default is.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"


TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
"""Another one after each failover and each recovery to a point in time."""

PUT_TIMELINE = f"""INSERT INTO meta SELECT 'timeline', {TIMELINE}
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""


@lru_cache(maxsize=64)
def _of_arrays(statement: Insert, types: tuple[str, ...]) -> str:
    arrays = ", ".join(f"?::{kind}[]" for kind in types[: statement.width])
    columns = ", ".join(f"c{number}" for number in range(statement.width))
    return (
        f"INSERT INTO {statement.table} SELECT {columns} FROM unnest({arrays}) AS rows ({columns}) {statement.conflict}"
    )


class Write(NamedTuple):
    """A statement that waits. One that adds rows to a `table` can be run together with others of other tables."""

    sql: str
    values: Sequence[Any]
    table: str = ""


def _joined(writes: Iterable[Write]) -> Iterator[tuple[str, Sequence[Any]]]:
    """The same, with those in one statement that may be: each statement on its own lets go of the interpreter's lock
    several times."""
    together: list[Write] = []
    for write in writes:
        if not write.table or write.table in (other.table for other in together):
            yield from _one(together)
            together = []
        if write.table:
            together.append(write)
        else:
            yield write.sql, write.values
    yield from _one(together)


def _one(writes: Sequence[Write]) -> Iterator[tuple[str, Sequence[Any]]]:
    if len(writes) < 2:
        yield from ((write.sql, write.values) for write in writes)
        return
    *others, last = writes
    parts = ", ".join(f"w{number} AS ({write.sql})" for number, write in enumerate(others))
    yield f"WITH {parts} {last.sql}", [value for write in writes for value in write.values]


class PostgresTransaction(SharedTransaction):
    """One atomic change, on the writer's connection."""

    dialect = PostgresDialect()

    def __init__(self, store: PostgresStore, expected: Expected) -> None:
        self._store = store
        self._connection = store.writer()
        self._open = False
        self._waiting: list[Write] = []
        try:
            super().__init__(store, store.status(), store.lease, expected)
            if not store.knows_timeline:
                self._look_at_timeline()
        except BaseException:
            self.rollback()
            raise

    def rollback(self) -> None:
        if self._open:
            self._open = False
            self._store.roll_back(self._connection)

    def _start(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        self._open = True
        _, *found, ((now,),) = self._together((_BEGIN, ()), *statements, (f"SELECT {self.dialect.now}", ()))
        self._store.clock.set(now)
        return found

    def _together(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        with translated():
            cursors = self._send(*statements)
            return [list(cursor.fetchall()) if cursor.description else [] for cursor in cursors]

    def _send(self, *statements: tuple[str, Sequence[Any]]) -> list[psycopg.Cursor[tuple[Any, ...]]]:
        """Run what waits, then these; all answers are there."""
        waiting, self._waiting = list(_joined(self._waiting)), []
        if not waiting and len(statements) == 1:
            return [self._connection.execute(query(sql), values) for sql, values in statements]
        with self._connection.pipeline():
            cursors = [self._connection.execute(query(sql), values) for sql, values in (*waiting, *statements)]
        return cursors[len(waiting) :]

    def _look_at_timeline(self) -> None:
        """Begin a new one in `boots` where the database does: after a failover, or when it was brought back to some
        point in time, there may be cursors around of what it has lost."""
        (((now, known),),) = self._together((f"SELECT {TIMELINE}, (SELECT value FROM meta WHERE key = 'timeline')", ()))
        if now != known:
            self.boot = secrets.token_hex(8)
            self._write(PUT_TIMELINE)
            self._write("INSERT INTO boots (id, start) VALUES (?, ?)", (self.boot, self.revision))
            self._write("UPDATE head SET boot = ?", (self.boot,))

    def _publish(self) -> None:
        super()._publish()
        self._store.knows_timeline = True

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        (rows,) = self._together((sql, values))
        return rows

    def _take(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        self._wrote = True
        return self._run(sql, values)

    def _write(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._wrote = True
        self._waiting.append(Write(sql, values))

    def _insert(self, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._wrote = True
            sql = _of_arrays(statement, self._store.types[statement.table])
            values = [array(column) for column in zip(*rows, strict=True)]
            self._waiting.append(Write(sql, values, statement.table))

    def _delete(self, table: str, seqs: Collection[int]) -> None:
        if seqs:
            self._write(f"DELETE FROM {table} WHERE seq = ANY(?)", [array(list(seqs))])

    def _put_head(self) -> None:
        self._waiting.append(Write(PUT_HEAD, (self.revision, self.oldest), "head"))

    def _notify(self, news: News) -> None:
        text = f"{news.revision} {news.work:d} {self._store.owner}"
        self._waiting.append(Write("SELECT pg_notify(?, ?)", (self._store.channel, text), "pg_notify()"))

    def _commit(self) -> None:
        self._open = False
        try:
            (done,) = self._send(("COMMIT", ()))
        except psycopg.Error as error:
            if self._connection.closed:
                raise StoreUnavailable(f"a change was cut off at its end: {error}") from error
            self._store.roll_back(self._connection)
            raise meaning(error) from error
        assert done.statusmessage == "COMMIT", done.statusmessage

    def _end(self) -> None:
        self._open = False
        with translated():
            self._send(("ROLLBACK", ()))
