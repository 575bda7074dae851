"""The states of a job and the moves between them, as the contract has them."""

from slotd.v1 import (
    JOB_STATE_BLOCKED,
    JOB_STATE_CANCELLED,
    JOB_STATE_FAILED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SCHEDULED,
    JOB_STATE_SUCCEEDED,
    JobState,
)

SCHEDULED = int(JOB_STATE_SCHEDULED)
BLOCKED = int(JOB_STATE_BLOCKED)
QUEUED = int(JOB_STATE_QUEUED)
RUNNING = int(JOB_STATE_RUNNING)
SUCCEEDED = int(JOB_STATE_SUCCEEDED)
FAILED = int(JOB_STATE_FAILED)
CANCELLED = int(JOB_STATE_CANCELLED)

WAITING = frozenset({SCHEDULED, BLOCKED, QUEUED})
TERMINAL = frozenset({SUCCEEDED, FAILED, CANCELLED})

MOVES = {
    SCHEDULED: frozenset({BLOCKED, QUEUED, FAILED, CANCELLED}),
    BLOCKED: frozenset({QUEUED, FAILED, CANCELLED}),
    QUEUED: frozenset({RUNNING, FAILED, CANCELLED}),
    RUNNING: WAITING | TERMINAL,
    SUCCEEDED: frozenset[int](),
    FAILED: WAITING,
    CANCELLED: WAITING,
}
"""From each state the others that it may be left for; Update may also move a job among those that wait."""


def name(state: int) -> str:
    """As the contract has it, without its prefix."""
    return JobState.Name(JobState.ValueType(state)).removeprefix("JOB_STATE_")
