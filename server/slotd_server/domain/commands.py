"""What may be asked of the lifecycle. Each says what it is answered with; errors are those of `domain/errors.py`."""

from typing import NamedTuple, TypeAlias

from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import Failure, Progress
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.queue import Draft, Queue


class Submit(NamedTuple):
    """Take these jobs, all or none. → tuple[Job, ...] in their order."""

    drafts: tuple[Draft, ...]
    validate_only: bool = False


class Cancel(NamedTuple):
    """→ Job, CANCELLED or RUNNING with cancel_requested."""

    job_id: str


class Retry(NamedTuple):
    """→ Job, waiting again."""

    job_id: str


class Delete(NamedTuple):
    """→ Job: its last copy; or RUNNING with cancel_requested where `force` has to wait for it to stop."""

    job_id: str
    force: bool = False


class Purge(NamedTuple):
    """Delete up to `limit` terminal jobs that match. → int, how many."""

    filter: JobFilter
    limit: int = 500


class UpdateQueue(NamedTuple):
    """Set `fields` of the queue to what `queue` has. → Queue."""

    queue: Queue
    fields: frozenset[str]


class UpdateSlots(NamedTuple):
    """Resize the server's pool. → int, its size."""

    slots: int


class ListSlots(NamedTuple):
    """→ slots.LedgerView."""


class ListQueues(NamedTuple):
    """→ lifecycle.Stats."""


class Lease(NamedTuple):
    """One claim of one job by this server."""

    seq: int
    fence: int


class Report(NamedTuple):
    """What a running attempt has told since its last report. → None."""

    lease: Lease
    progress: Progress | None
    output: bytes


class Finish(NamedTuple):
    """The function has returned: end the attempt if nothing else did, and free the slot. → None."""

    lease: Lease
    outcome: Outcome
    progress: Progress | None = None
    output: bytes = b""


class Overrun(NamedTuple):
    """End an attempt whose function runs on: its slot is a zombie's from now. → None."""

    lease: Lease
    failure: Failure


class GiveBack(NamedTuple):
    """Put a running job back without counting the attempt: the server stops. → None."""

    lease: Lease


class Recover(NamedTuple):
    """Give back up to `limit` jobs of servers that are gone. → int, how many there were."""

    limit: int = 500


Command: TypeAlias = (
    Submit
    | Cancel
    | Retry
    | Delete
    | Purge
    | UpdateQueue
    | UpdateSlots
    | ListSlots
    | ListQueues
    | Report
    | Finish
    | Overrun
    | GiveBack
    | Recover
)

FROM_WITHIN = (Report, Finish, Overrun, GiveBack, Recover)
"""Those that report what is so, and must not be lost: while the disk is full they wait."""

LOOKING = (ListSlots, ListQueues)
"""Those that change nothing: they are answered on a full disk too."""
