"""SQLite as the source or the destination of a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from slotd_server.store.copy import CopyError, Row, select
from slotd_server.store.migrations import migrate_sqlite, pending, sqlite_schema, too_old
from slotd_server.store.sqlite_file import locate, take_lock


@contextmanager
def sqlite_source(path: str) -> Iterator[SqliteEnd]:
    """The store in the file, locked. Raises CopyError, StoreInUse, StoreTooOld, StoreTooNew and OSError."""
    file = locate(path)
    if not Path(file).is_file():
        raise CopyError(f"there is no file {file}")
    with closing(take_lock(file)), closing(_connect(file)) as connection:
        end = SqliteEnd(connection, file)
        with end.translated():
            schema = sqlite_schema(connection)
            if pending("sqlite", schema, file):
                raise too_old("sqlite", schema, file) if schema else CopyError(f"{file} is not a store of slotd")
            connection.execute("PRAGMA query_only = 1")
            connection.execute("BEGIN")
        yield end


@contextmanager
def sqlite_destination(path: str) -> Iterator[SqliteEnd]:
    """An empty store in the file, which is made where there is none. Raises as `sqlite_source`."""
    file = locate(path)
    with closing(take_lock(file)):
        made = not Path(file).exists()
        committed = False
        try:
            with closing(_connect(file)) as connection:
                end = SqliteEnd(connection, file)
                end.begin()
                yield end
                committed = end.committed
        finally:
            if made and not committed:
                Path(file).unlink(missing_ok=True)


class SqliteEnd:
    """See copy.Source and copy.Destination."""

    def __init__(self, connection: sqlite3.Connection, file: str) -> None:
        self._connection = connection
        self._file = file
        self.committed = False

    def begin(self) -> None:
        """Make it a destination."""
        with self.translated():
            # EXTRA: in a new file, without a log of recent writes, a commit is the removal of a journal, and that
            # is synced too.
            self._connection.execute("PRAGMA synchronous = EXTRA")
            migrate_sqlite(self._connection, self._file)
            self._connection.execute("BEGIN IMMEDIATE")

    def columns(self, table: str) -> Sequence[str]:
        with self.translated():
            return [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]

    def rows(self, table: str, columns: Sequence[str]) -> Iterable[Row]:
        with self.translated():
            yield from self._connection.execute(select(table, columns))

    def write(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        values = ", ".join("?" * len(columns))
        with self.translated():
            self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)

    def commit(self) -> None:
        with self.translated():
            self._connection.execute("COMMIT")
        self.committed = True

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raises CopyError for what SQLite raises."""
        try:
            yield
        except sqlite3.Error as error:
            raise CopyError(f"{self._file}: {error}") from error


def _connect(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA cache_size = -65536")
    return connection
