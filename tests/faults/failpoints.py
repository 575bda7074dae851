"""Where the service may die or stand still, or its disk may fail, when a test says so. A fault is `POINT:N`: at the
N-th passage of the point it dies; at `POINT:N:stop` it stops as by SIGSTOP. Production code knows nothing of this: the
points are wrapped around it from here."""

import importlib
import importlib.util
import itertools
from typing import Any

from slotd_server import schedules, settling
from slotd_server.dispatch import Dispatcher
from slotd_server.execution.threads import ThreadRunner
from tests.faults.faulty_sqlite import FaultyConnection
from tests.faults.passages import Act, Passage, deadly, die, stop

_CHECKPOINT = "PRAGMA wal_checkpoint"

# The statement, and whether the point lies behind it.
_STATEMENTS: dict[str, tuple[str, bool]] = {
    "before-commit": ("COMMIT", False),
    "after-commit": ("COMMIT", True),
    "before-checkpoint": (_CHECKPOINT, False),
    "after-checkpoint": (_CHECKPOINT, True),
}

# The function, and whether the point lies behind it.
_CALLS: dict[str, tuple[Any, str, bool]] = {
    # The change is durable; nobody has been told, and nothing that it claimed has been started.
    "committed": (Dispatcher, "_carry_out", False),
    # A claim is durable, and perhaps others of its change have been started; this one has not.
    "claimed": (ThreadRunner, "start", False),
    # Everything has been handed out but the answers and the events.
    "before-answer": (Dispatcher, "deliver", False),
    "after-answer": (Dispatcher, "deliver", True),
    # Functions have returned; nothing of that is recorded.
    "finished": (Dispatcher, "ended", False),
    # In the middle of a change: some of those that an end lets go on, or fails, have been moved, and others have not.
    "settling": (settling, "_settle_edge", True),
    # One that waited behind claims or for its key has been let go.
    "letting-go": (settling, "_look_again", True),
    # A schedule has made its job, and has not been moved on.
    "firing": (schedules, "_make", True),
}

# The same on PostgreSQL: the module, the class and the method, and whether the point lies behind it.
_SHARED: dict[str, tuple[str, str, str, bool]] = {
    "before-commit": ("postgres_write", "PostgresTransaction", "_commit", False),
    "after-commit": ("postgres_write", "PostgresTransaction", "_commit", True),
    # In the midst of a change: the others wait for the lock that it has.
    "in-change": ("postgres_write", "PostgresTransaction", "_together", True),
    # The lease has been renewed, and nothing has been done about it.
    "after-renewal": ("postgres", "PostgresStore", "renew", True),
}

POINTS = (*_STATEMENTS, *_CALLS)
"""All points at which a service on SQLite can be killed."""

SHARED_POINTS = (*_SHARED, *_CALLS)
"""All points at which one of several on PostgreSQL can be killed."""

SYNCS = {"sync-of-commit": "COMMIT", "sync-of-checkpoint": _CHECKPOINT}
"""Syncs that can be made to fail, from the N-th on: nobody knows what a later one is worth."""

NO_ROOM = "no-room"
"""The disk is full from the start; the number means nothing."""


def arm(fault: str) -> None:
    """Make ready for one fault of this process.

    Raises ValueError where there is no such point.
    """
    point, number, *stops = fault.split(":")
    passage = itertools.count(1)
    last = int(number)
    act = stop if stops else die
    if point == NO_ROOM:
        FaultyConnection.full = True
    elif point in SYNCS:
        wanted = SYNCS[point]
        FaultyConnection.sync_fails = staticmethod(lambda sql: sql.startswith(wanted) and next(passage) >= last)
    elif point in _CALLS:
        owner, name, behind = _CALLS[point]
        setattr(owner, name, deadly(getattr(owner, name), passage, last, behind, act))
    elif point in _STATEMENTS or point in _SHARED:
        # The process has one store or the other.
        if point in _STATEMENTS:
            _arm_statement(*_STATEMENTS[point], passage, last, act)
        if point in _SHARED and importlib.util.find_spec("psycopg") is not None:
            module, owner_name, name, behind = _SHARED[point]
            owner = getattr(importlib.import_module(f"slotd_server.store.{module}"), owner_name)
            setattr(owner, name, deadly(getattr(owner, name), passage, last, behind, act))
    else:
        raise ValueError(f"there is no failpoint {point!r}")


def _arm_statement(statement: str, behind: bool, passage: Passage, last: int, act: Act) -> None:
    def passing(sql: str, after: bool) -> None:
        if after == behind and sql.startswith(statement) and next(passage) == last:
            act()

    FaultyConnection.passing = staticmethod(passing)
