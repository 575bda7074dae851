"""Connections to SQLite that fail where a test wants them to: no room for another page, or a sync that reports an
error. They stand between the store and SQLite, so that the service itself runs as it is."""

import signal
import sqlite3
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

_NO_LIMIT = 1_073_741_823

SyncFault = Callable[[str], bool]
"""Whether the statement is to fail as if its sync had failed."""


class FaultyConnection(sqlite3.Connection):
    """`passing` is told of each statement before it and after it; `sync_fails` says which fail for their sync."""

    full = False
    limited = False
    passing: Callable[[str, bool], None] = staticmethod(lambda sql, after: None)
    sync_fails: SyncFault = staticmethod(lambda sql: False)

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if sql.startswith("BEGIN IMMEDIATE"):
            self._limit()
        self.passing(sql, False)
        if self.sync_fails(sql):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        cursor = super().execute(sql, values)
        self.passing(sql, True)
        return cursor

    def _limit(self) -> None:
        # SQLite takes no limit below what the file has, so 1 means: not one page more.
        if FaultyConnection.full != self.limited:
            self.limited = FaultyConnection.full
            super().execute(f"PRAGMA max_page_count = {1 if self.limited else _NO_LIMIT}").fetchone()


def install() -> None:
    """Make all connections of this process faulty ones. SIGUSR1 takes away what room there is, and SIGUSR2 gives it
    back; a line on stdout says that it is so."""
    connect = sqlite3.connect

    def faulty(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=FaultyConnection, **options)

    sqlite3.connect = faulty  # type: ignore[assignment]

    def fill(number: int, frame: FrameType | None) -> None:
        FaultyConnection.full = number == signal.SIGUSR1
        print("full" if FaultyConnection.full else "room", flush=True)

    signal.signal(signal.SIGUSR1, fill)
    signal.signal(signal.SIGUSR2, fill)
