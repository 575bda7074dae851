"""What may be asked of the lifecycle. Each says what it is answered with; errors are those of `domain/errors.py`."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import Failure, Job, Progress
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.queue import Defaults, Draft, Queue
from slotd_server.domain.schedule import Schedule, Settings
from slotd_server.domain.ties import Changed
from slotd_server.domain.worker import Claimed, Worker


class Submit(NamedTuple):
    """Take these jobs, all or none; `batch` is how errors name their fields. → tuple[Job, ...] in their order."""

    drafts: tuple[Draft, ...]
    validate_only: bool = False
    batch: bool = False


class Cancel(NamedTuple):
    """→ Job, CANCELLED or RUNNING with cancel_requested."""

    job_id: str


class Retry(NamedTuple):
    """With `dependents` those that failed because of it, too. → Job, waiting again."""

    job_id: str
    dependents: bool = False


class Delete(NamedTuple):
    """→ Job: its last copy; or RUNNING with cancel_requested where `force` has to wait for it to stop."""

    job_id: str
    force: bool = False


class Purge(NamedTuple):
    """Delete up to `limit` terminal jobs that match. → int, how many."""

    filter: JobFilter
    limit: int = 500


class Update(NamedTuple):
    """Set `fields` ("priority", "schedule_time", "labels", "queue") of a waiting job to what `changed` has, if it is at
    `revision`, or whatever it is at where that is 0. → Job."""

    job_id: str
    changed: Changed
    fields: frozenset[str]
    revision: int = 0


class Bulk(NamedTuple):
    """Take the next up to `limit` jobs that match, from behind seq `after` on (None: from the first one), and do to
    each what may be done to it. → Step."""

    action: Literal["cancel", "retry", "delete"]
    filter: JobFilter
    after: int | None = None
    limit: int = 500
    force: bool = False

    @property
    def newest_first(self) -> bool:
        """What depends on others is mostly newer than they are: it is cancelled before they are, and deleted before;
        but retried after them."""
        return self.action != "retry"


class Step(NamedTuple):
    """What a Bulk did: to how many jobs, and behind which seq the next one goes on (None: there are no more)."""

    done: int
    after: int | None


class GetGroup(NamedTuple):
    """→ domain.queue.Counters, of which the seven by state count; raises NotFound for one without jobs."""

    name: str


class CreateSchedule(NamedTuple):
    """→ schedule.Schedule."""

    schedule: Schedule
    validate_only: bool = False


class UpdateSchedule(NamedTuple):
    """Set `fields` (of schedule.Settings) of a schedule, if it is at `revision` or that is 0. → schedule.Schedule."""

    name: str
    settings: Settings
    fields: frozenset[str]
    revision: int = 0


class DeleteSchedule(NamedTuple):
    """→ None."""

    name: str


class TriggerSchedule(NamedTuple):
    """Fire now. `fingerprint` is of the request, for `request_id`. → Job."""

    name: str
    request_id: str = ""
    fingerprint: bytes = b""


class GetSchedule(NamedTuple):
    """→ schedule.Schedule."""

    name: str


class ListSchedules(NamedTuple):
    """Up to `limit` schedules by name, from behind `after`. → list[schedule.Schedule]."""

    after: str
    limit: int


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


class ListServers(NamedTuple):
    """→ list[server.Member]: all that share the store."""


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


class Bury(NamedTuple):
    """A server has not renewed its lease since `renewals`: it is gone, and its jobs are given back, up to `limit` of
    them in this change. → int, how many there were; 0 also where the server has renewed its lease meanwhile."""

    server: str
    renewals: int
    limit: int = 500


class Reconcile(NamedTuple):
    """Some of what happened to this server's attempts may have escaped it: go by what the store says. → None."""


class Attend(NamedTuple):
    """Something is due that this server does not know of: the one that brought it may be gone. → None."""


class Enlist(NamedTuple):
    """A worker is there, for the first time or again: it runs `kinds`, and has what it has `claimed`. What else it was
    given has never reached it. `line` is the number of its connection: what earlier ones say holds no more.
    → Enlisted. It gets nothing before it has `Resize`d."""

    worker: Worker
    kinds: Mapping[str, Defaults]
    claimed: tuple[Claimed, ...] = ()
    line: int = 0


class Enlisted(NamedTuple):
    """How an Enlist found a worker: which of its claims hold, and whether it was asked to leave before."""

    kept: list[Job]
    draining: bool


class Resize(NamedTuple):
    """How many jobs a worker may hold, or this server itself where `worker` is slots.HERE, and whether it is to leave;
    None: as before. `line` None is whichever it has. → None."""

    worker: str
    line: int | None
    slots: int | None = None
    draining: bool | None = None


class Detach(NamedTuple):
    """A worker can't be reached: it gets nothing new. → None."""

    worker: str
    line: int


class Dismiss(NamedTuple):
    """A worker is gone. What it still has is given back; the attempts count if it was `lost`, and don't if it has said
    that it leaves, on connection `line`. → None."""

    worker: str
    lost: bool
    line: int | None = None


Command: TypeAlias = (
    Submit
    | Cancel
    | Retry
    | Delete
    | Purge
    | Update
    | Bulk
    | GetGroup
    | CreateSchedule
    | UpdateSchedule
    | DeleteSchedule
    | TriggerSchedule
    | GetSchedule
    | ListSchedules
    | UpdateQueue
    | UpdateSlots
    | ListSlots
    | ListQueues
    | ListServers
    | Report
    | Finish
    | Overrun
    | GiveBack
    | Recover
    | Bury
    | Attend
    | Reconcile
    | Enlist
    | Resize
    | Detach
    | Dismiss
)

FROM_WITHIN = (Report, Finish, Overrun, GiveBack, Recover, Reconcile, Resize, Detach, Dismiss)
"""Those that report what is so, and must not be lost: while the disk is full they wait. (Bury and Attend come again
with the next look at who is there and what is due, for as long as it is so.)"""

LOOKING = (ListSlots, ListQueues, ListServers, GetGroup, GetSchedule, ListSchedules)
"""Those that change nothing: they are answered on a full disk too."""
