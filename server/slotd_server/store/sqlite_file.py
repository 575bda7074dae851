"""A SQLite store as a file that one process at a time has."""

import sqlite3
from pathlib import Path

from slotd_server.domain.errors import StoreInUse


def locate(path: str) -> str:
    """The file's one name, whatever links lead to it. Raises OSError where it would have no folder."""
    found = Path(path).resolve()
    if not found.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {found.parent}")
    return str(found)


def take_lock(path: str) -> sqlite3.Connection:
    """Hold the file at `path`, as `locate` has it, until the connection is closed or the process ends.

    Raises StoreInUse, and OSError where no file may be written beside it.
    """
    # A lock of the operating system, in a file of its own: it goes with the process, however that ends, and holds
    # on every platform that SQLite runs on.
    lock = sqlite3.connect(f"{path}-owner", isolation_level=None, timeout=0, check_same_thread=False)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise StoreInUse(f"another server has {path}") from None
        raise OSError(f"cannot write beside {path}: {error}") from None
    return lock
