"""PostgreSQL as the source or the destination of a copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
from psycopg.errors import LockNotAvailable, UndefinedTable

from slotd_server.domain.errors import StoreInUse
from slotd_server.store.copy import TABLES, CopyError, Row, select
from slotd_server.store.migrations import migrate_postgres, pending, postgres_schema, too_old
from slotd_server.store.url import postgres_options, shown

_SESSION = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '3s'"
"""One end waits while the other works, for as long as that takes; for a lock only so long that autovacuum, which
PostgreSQL ends after a deadlock_timeout (1 s) of that, is not taken for a server."""

_LOCK = "LOCK TABLE head IN EXCLUSIVE MODE"
"""With this nobody changes the store, and who wants to waits."""

_HEAD = """UPDATE head SET version = version + 1,
    revision = COALESCE((SELECT MAX(revision) FROM events), 0),
    oldest = COALESCE((SELECT MIN(revision) FROM events), 1),
    boot = COALESCE((SELECT id FROM boots ORDER BY number DESC LIMIT 1), '')"""

_NEXT_BOOT = "SELECT setval(pg_get_serial_sequence('boots', 'number'), MAX(number)) FROM boots HAVING COUNT(*) > 0"


@contextmanager
def postgres_source(url: str, *, force: bool = False) -> Iterator[PostgresEnd]:
    """The store in the database, locked. `force`: the servers that it lists are known to be gone.

    Raises CopyError, StoreInUse, StoreTooOld, StoreTooNew and BadUrl.
    """
    with _connected(url) as end:
        end.open(force)
        yield end


@contextmanager
def postgres_destination(url: str) -> Iterator[PostgresEnd]:
    """An empty store in the database, with its schema where it has none. Raises as `postgres_source`."""
    with _connected(url) as end:
        end.begin()
        yield end


@contextmanager
def _connected(url: str) -> Iterator[PostgresEnd]:
    options = postgres_options(url)
    try:
        connection = psycopg.connect(**{"application_name": "slotd copy", **options}, autocommit=True)
    except psycopg.Error as error:
        raise CopyError(f"{shown(url)}: {error}") from error
    try:
        yield PostgresEnd(connection, shown(url))
    finally:
        # What is not committed by now is rolled back. Closing does that too, but some time after it returns: until then
        # the next copy would find a server at work.
        with suppress(psycopg.Error):
            connection.rollback()
        connection.close()


class PostgresEnd:
    """See copy.Source and copy.Destination."""

    def __init__(self, connection: psycopg.Connection, store: str) -> None:
        self._connection = connection
        self._store = store

    def open(self, force: bool) -> None:
        """Make it a source."""
        with self._translated():
            self._connection.execute(_SESSION)
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            # Before anything is read: what is seen from then on is what was there at the first look.
            self._connection.execute(_LOCK)
            schema = postgres_schema(self._connection)
            if pending("postgres", schema, self._store):
                raise too_old("postgres", schema, self._store)
            servers = self._connection.execute("SELECT boot FROM servers ORDER BY start_time").fetchall()
            if servers and not force:
                raise StoreInUse(
                    f"{self._store} has servers: {', '.join(boot for (boot,) in servers)}; stop them, or copy with "
                    "--force if you know that they were killed"
                )
            self._check_head()

    def _check_head(self) -> None:
        rows = self._connection.execute("SELECT revision, (SELECT MAX(revision) FROM events) FROM head").fetchall()
        (revision, newest), *_ = rows
        if revision != (newest or 0):
            raise CopyError(f"{self._store} is damaged: it is at revision {revision}, and its newest event at {newest}")

    def begin(self) -> None:
        """Make it a destination."""
        with self._translated():
            self._connection.execute(_SESSION)
            self._connection.execute("BEGIN")
            migrate_postgres(self._connection, self._store)
            self._connection.execute(_LOCK)

    def columns(self, table: str) -> Sequence[str]:
        return list(self._types(table))

    def rows(self, table: str, columns: Sequence[str]) -> Iterable[Row]:
        types = self._types(table)
        statement = f"COPY ({select(table, columns)}) TO STDOUT (FORMAT BINARY)"
        with self._translated(), self._connection.cursor().copy(statement.encode()) as copy:
            copy.set_types([types[column] for column in columns])
            yield from copy.rows()

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        types = self._types(table)
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        with self._translated(), self._connection.cursor().copy(statement.encode()) as copy:
            copy.set_types([types[column] for column in columns])
            for row in rows:
                copy.write_row(row)

    def commit(self) -> None:
        with self._translated():
            self._connection.execute(_HEAD)
            self._connection.execute(_NEXT_BOOT)
            # Else the first plans would be those for empty tables.
            self._connection.execute(f"ANALYZE {', '.join(TABLES)}".encode())
            self._connection.execute("COMMIT")

    def _types(self, table: str) -> dict[str, int]:
        """The columns with the numbers of their types."""
        with self._translated():
            found = self._connection.execute(f"SELECT * FROM {table} LIMIT 0".encode()).description
        return {column.name: column.type_code for column in found or ()}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises StoreInUse or CopyError for what PostgreSQL raises."""
        try:
            yield
        except LockNotAvailable as error:
            raise StoreInUse(f"a server is at work on {self._store}") from error
        except UndefinedTable as error:
            raise CopyError(f"{self._store} is not a store of slotd") from error
        except psycopg.Error as error:
            raise CopyError(f"{self._store}: {error}") from error
