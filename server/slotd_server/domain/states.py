"""The states of a job and the moves between them.

            ┌─────────── retry, snooze ───────────┐
SCHEDULED ──┴─► QUEUED ──► RUNNING ──► SUCCEEDED   │
BLOCKED ────────► ▲  │        ├──────► FAILED ─────┤ Retry
                  │  └────────┼──────► CANCELLED ──┘
                  └───────────┘ (server lost, attempt given back)

Wherever the picture leads to QUEUED, a job whose time has not come goes to SCHEDULED instead, and one that has to wait
for something else (an earlier attempt that has not let go of its slot, a dependency, its key, a resource) to BLOCKED. A
waiting job may become FAILED (queue timeout, dependency) or CANCELLED; and Update moves it between these three.
"""

from enum import IntEnum


class State(IntEnum):
    """Numbered as in `slotd.v1.JobState`."""

    SCHEDULED = 1
    BLOCKED = 2
    QUEUED = 3
    RUNNING = 4
    SUCCEEDED = 5
    FAILED = 6
    CANCELLED = 7

    @property
    def waiting(self) -> bool:
        return self in WAITING

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


SCHEDULED, BLOCKED, QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = State
"""For what every job goes through: in Python 3.11 to look a member up in its class takes ten times as long."""

WAITING = frozenset({SCHEDULED, BLOCKED, QUEUED})
TERMINAL = frozenset({SUCCEEDED, FAILED, CANCELLED})

MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.BLOCKED, State.FAILED, State.CANCELLED}),
    State.BLOCKED: frozenset({State.QUEUED, State.SCHEDULED, State.FAILED, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.SCHEDULED, State.BLOCKED, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset(State) - {State.RUNNING},
    State.SUCCEEDED: frozenset(),
    State.FAILED: WAITING,
    State.CANCELLED: WAITING,
}
