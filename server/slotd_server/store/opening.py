"""A store, by its URL."""

from collections.abc import Callable

from slotd_server.domain.clock import Clock, SharedClock
from slotd_server.domain.server import Status
from slotd_server.store.base import SharedStore
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.url import FORMS, is_postgres, shown, sqlite_path


class CannotOpen(Exception):
    """The message says why, and what to do. No secret of the URL is in it."""


def open_store(
    url: str, *, status: Callable[[], Status], clock: Clock, lease: int
) -> tuple[SqliteStore | SharedStore, Clock]:
    """The store, and the clock that it goes by: `clock`, or its own, which it keeps for all servers. Those are told the
    `status` of this one, which is gone after a `lease`, in microseconds, without a sign of life.

    Raises CannotOpen.
    """
    path = sqlite_path(url)
    if path is None and not is_postgres(url):
        raise CannotOpen(f"--store {shown(url)}: it is {FORMS}, or sqlite:///:memory:")
    try:
        if path is not None:
            return SqliteStore(path), clock
        # Not everybody who runs the service has psycopg.
        from slotd_server.store.postgres import PostgresStore

        shared = SharedClock(clock)
        return PostgresStore(url, status=status, clock=shared, lease=lease), shared
    except ImportError as error:
        raise CannotOpen(f"PostgreSQL needs psycopg: install 'slotd[postgres]' ({error})") from error
    except Exception as error:
        raise CannotOpen(f"cannot open the store {shown(url)}: {error}") from error
