"""What PostgreSQL's errors mean in the store's contract."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable

_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed)
"""Whatever ended the connection, or kept the statement from running this time."""

_OF_THE_TRANSACTION = "25"
"""The class of errors in the state of a transaction: it was thrown out because it was idle for too long, or the server
is a standby, or about to be one, and another has taken over. psycopg has no class that they share."""


def meaning(error: psycopg.Error) -> Exception:
    """The contract's error for PostgreSQL's. What is neither a full disk nor passing is of no use to try again."""
    if isinstance(error, errors.DiskFull):
        return StoreFull()
    name = type(error).__name__
    if isinstance(error, _PASSING) or (error.sqlstate or "").startswith(_OF_THE_TRANSACTION):
        return StoreUnavailable(f"the store is not available ({name})")
    return StoreBroken(f"the store failed ({name}: {error.diag.message_primary or error})")


@contextmanager
def translated() -> Iterator[None]:
    """Raises `meaning` of PostgreSQL's errors instead of them."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error) from error
