"""How much servers on one PostgreSQL stand in each other's way, seen from outside: each change locks the one row of
`head` until it is committed, so the others wait."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

import psycopg

from bench.postgres import MARK

# To wait for the row is to wait for who has it, or in a line for it. A transaction gets a number once it writes
# something, and the lock on this row is what a change writes first. Only a server's session to write is called
# `slotd BOOT`.
_LOOK = f"""SELECT {MARK}
    (SELECT COALESCE(SUM(total_succeeded + total_failed + total_cancelled), 0)::bigint FROM counters),
    (SELECT version FROM head),
    COUNT(*),
    COUNT(*) FILTER (WHERE wait_event IN ('transactionid', 'tuple')),
    COUNT(*) FILTER (WHERE backend_xid IS NOT NULL)
    FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'slotd %'"""


class Look(NamedTuple):
    """What was seen at `seconds`: jobs that had ended by then, changes made, servers connected, those that waited for
    the lock, and those that had it."""

    seconds: float
    ended: int
    changes: int
    servers: int
    waiting: int
    holding: int


class Contention(NamedTuple):
    """`waited` and `held` are milliseconds for each change, on average; `busy` the share of the time, 0 to 1, in which
    some server had the lock."""

    changes_per_second: float
    jobs_per_change: float
    waited: float
    held: float
    busy: float


def contention(looks: Sequence[Look]) -> Contention:
    """What looks at even intervals tell. How many wait on average is how many come, times how long each of them waits
    (Little's law), and so with those who have the lock.

    Raises ValueError where they saw no change, or no server.
    """
    if len(looks) < 2 or looks[-1].changes == looks[0].changes:
        raise ValueError("no change was seen")
    if not all(look.servers for look in looks):
        raise ValueError("no server was seen")
    seconds = looks[-1].seconds - looks[0].seconds
    changes = looks[-1].changes - looks[0].changes
    # The first was before it began.
    seen = looks[1:]
    waiting = sum(look.waiting for look in seen) / len(seen)
    holding = sum(look.holding > 0 for look in seen) / len(seen)
    return Contention(
        changes / seconds,
        (looks[-1].ended - looks[0].ended) / changes,
        waiting * seconds / changes * 1e3,
        holding * seconds / changes * 1e3,
        holding,
    )


class Watch:
    """Looks at the servers on a database; `looks` is what it saw."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.looks: list[Look] = []

    async def __aenter__(self) -> Self:
        self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def ended(self) -> int:
        """How many jobs have ended since the store was made. It asks the database, and so costs the servers nothing."""
        cursor = await self._connection.execute(_LOOK)
        ((ended, *seen),) = await cursor.fetchall()
        self.looks.append(Look(time.perf_counter(), ended, *seen))
        return int(ended)
