"""What SQLite's errors mean in the store's contract."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable


def meaning(error: sqlite3.Error) -> Exception:
    """The contract's error for SQLite's.

    SQLITE_BUSY means that somebody looks after the file by hand, and keeps it locked for longer than connections wait:
    nothing has happened, and it may be tried again. SQLITE_FULL, and the failure to grow the wal-index, mean that the
    disk is full. After any other I/O error nobody knows what is on the disk: a second fsync would succeed without
    having written anything.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreUnavailable("another program has locked the store's file")
    if name in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
        return StoreFull()
    if name.startswith(("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return StoreBroken(f"the store failed ({name})")
    return error


@contextmanager
def translated() -> Iterator[None]:
    """Raises `meaning` of SQLite's errors instead of them."""
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(error) from error
