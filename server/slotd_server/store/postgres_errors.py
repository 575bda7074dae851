"""What PostgreSQL's errors mean in the store's contract."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from slotd_server.domain.errors import StoreBroken, StoreFull, StoreUnavailable

_PASSING = (
    # Whatever ended the connection, or kept the statement from running this time.
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # The server is a standby, or about to be one: another has taken over.
    errors.ReadOnlySqlTransaction,
    # This transaction was idle for so long that it was thrown out.
    errors.InvalidTransactionState,
    errors.InFailedSqlTransaction,
)


def meaning(error: psycopg.Error) -> Exception:
    """The contract's error for PostgreSQL's. What is neither a full disk nor passing is of no use to try again."""
    if isinstance(error, errors.DiskFull):
        return StoreFull()
    name = type(error).__name__
    if isinstance(error, (*_PASSING, PoolTimeout, PoolClosed)):
        return StoreUnavailable(f"the store is not available ({name})")
    return StoreBroken(f"the store failed ({name}: {error.diag.message_primary or error})")


@contextmanager
def translated() -> Iterator[None]:
    """Raises `meaning` of PostgreSQL's errors instead of them."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error) from error
