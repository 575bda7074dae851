"""The states of a job and the moves between them.

            ┌─────────── retry, snooze ───────────┐
SCHEDULED ──┴─► QUEUED ──► RUNNING ──► SUCCEEDED   │
BLOCKED ────────► ▲  │        ├──────► FAILED ─────┤ Retry
                  │  └────────┼──────► CANCELLED ──┘
                  └───────────┘ (server lost, attempt given back)

Wherever the picture leads to QUEUED, a job whose time has not come goes to SCHEDULED instead, and one whose earlier
attempt has not let go of its slot goes to BLOCKED. A waiting job may become FAILED (queue timeout) or CANCELLED.
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


WAITING = frozenset({State.SCHEDULED, State.BLOCKED, State.QUEUED})
TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})

MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.BLOCKED, State.FAILED, State.CANCELLED}),
    State.BLOCKED: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset(State) - {State.RUNNING},
    State.SUCCEEDED: frozenset(),
    State.FAILED: WAITING,
    State.CANCELLED: WAITING,
}
