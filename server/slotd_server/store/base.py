"""What the lifecycle and the readers need of a store, in words and types.

Writing. One transaction at a time per server, by the writer alone. Within it every answer includes what the transaction
itself has changed. What it hands out stays as it is until the transaction ends: a store that several servers share
locks it. Revisions are handed out in commit order, over all servers, without gaps. When `commit` returns, all is
durable; when it raises, or `rollback` is called, nothing has happened.

Owning. `owner` is the boot id of this server, new at every start. A job that runs belongs to (job, fence, owner), and
`held` answers it only to that owner and at that fence: what comes late, from an attempt that was given to somebody else
meanwhile, finds nothing to change.

Reading. Any thread, any time, never waiting for the writer: a `Snapshot` sees all committed transactions up to one
revision, and none after, for as long as it is open.

Errors. StoreFull: no room, nothing changed, worth trying again. StoreBroken: nothing may be acknowledged any more.
StoreInUse and StoreTooNew: at opening only. StoreUnavailable: the store is away, worth trying again.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, runtime_checkable

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import Event, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Counters, Held, Queue
from slotd_server.domain.schedule import Schedule
from slotd_server.domain.server import Contact, Member, News, Status
from slotd_server.domain.ties import Claim


class Request(NamedTuple):
    """What a request_id stood for when it first came."""

    fingerprint: bytes
    job_id: str


class Wanted(NamedTuple):
    """Up to `limit` jobs of one kind in one queue."""

    queue: str
    kind: str
    limit: int


class Unsettled(NamedTuple):
    """Jobs to be looked at: those that depend on `target` and have a seq above `seq`; without a target the job
    `seq`."""

    target: str
    seq: int


class Expected(NamedTuple):
    """What a transaction is about to be asked for: leases, job ids, request ids."""

    leases: Sequence[Lease] = ()
    job_ids: Sequence[str] = ()
    request_ids: Sequence[str] = ()


ANYTHING = Expected()


class Ties(Protocol):
    """The part of a transaction that is about ties between jobs. A `target` is what a job depends on, as
    domain.ties.Dependency has it; "the line" is that for resources."""

    def add_edges(self, job: Job, met: frozenset[str]) -> None:
        """Keep what a new job depends on; those in `met` are met already."""

    def meet(self, target: str, seq: int) -> None:
        """The edge is met, and stays so."""

    def set_live(self, seq: int, live: bool) -> None:
        """Whether the job may still wait for what it depends on, or has ended."""

    def unmet(self, seq: int, limit: int) -> list[str]:
        """The first targets that are not met, in the order of the spec."""

    def dependents(self, target: str, after: int, limit: int, *, live: bool = True) -> list[Job]:
        """Jobs with an unmet edge to `target` and a seq above `after`, in that order; not `live`: those that ended."""

    def dependent(self, target: str) -> Job | None:
        """Any job that depends on `target`, met or not, and has not ended."""

    def waits_of_group(self, name: str) -> list[str]:
        """What jobs of the group wait for."""

    def forget_edges(self, job: Job) -> None:
        """The job is gone."""

    def ahead(self, seq: int, claims: Sequence[Claim]) -> int | None:
        """The latest of those in the line that job `seq` has to wait for: they conflict with one of `claims`, and hold,
        or wait and were submitted before."""

    def wait_behind(self, seq: int, claims: Sequence[Claim], ahead: int, *, already: bool) -> None:
        """Put the job into the line, or leave it there if it is `already`, to be looked at when `ahead` leaves."""

    def hold(self, seq: int, claims: Sequence[Claim], *, waited: bool) -> None:
        """The job holds its claims; `waited` says whether it was in the line before."""

    def leave_line(self, seq: int) -> list[int]:
        """The job lets go. → the seqs of those that waited behind it, in order."""

    def key_active(self, queue: str, key: str) -> int:
        """How many jobs have a slot of the key."""

    def add_active(self, queue: str, key: str, more: int) -> None: ...

    def wait_for_key(self, job: Job, key: str) -> None:
        """Put the job into the key's line, where it is not there yet."""

    def leave_key_line(self, job: Job, key: str) -> None: ...

    def first_for_key(self, queue: str, key: str) -> int | None:
        """The seq of the job that gets the key's next slot: by falling priority, then in order of submission."""

    def keys_waited_for(self, queue: str) -> list[int]:
        """The seqs of all jobs in the lines of the queue's keys, in the order in which each key serves them."""

    def next_turn(self, queue: str, key: str) -> int:
        """The turn of the key's next job: after the one that it was given last, and not before what was started
        last."""

    def turn(self, queue: str) -> int:
        """The turn that was started last; 0 in a queue without keys."""

    def put_turn(self, queue: str, turn: int) -> None: ...

    def arrival(self, queue: str) -> int:
        """The theoretical arrival time of the next start, in microseconds since the epoch; 0 before the first."""

    def put_arrival(self, queue: str, arrival: int) -> None: ...

    def group(self, name: str) -> Sequence[int]:
        """How many jobs it has in each state, in the order of the states."""

    def count_group(self, name: str, changes: Iterable[tuple[int, int]]) -> None:
        """As `count`; only the positions of states matter."""

    def join(self, name: str, seq: int) -> None:
        """The job belongs to `groups/NAME` or `schedules/NAME`, for filters."""

    def leave(self, name: str, seq: int) -> None: ...

    def await_group(self, name: str) -> None:
        """A job depends on the group."""

    def is_group_awaited(self, name: str) -> bool:
        """Whether any job ever depended on it."""

    def unique(self, key: str) -> Job | None:
        """The job that took the key last, if it is there."""

    def take_unique(self, key: str, seq: int) -> None: ...

    def free_unique(self, key: str, seq: int) -> None:
        """The key is nobody's, if it was this job's."""

    def unsettled(self, limit: int) -> list[Unsettled]:
        """What earlier changes have left; the caller carries it out or leaves it again."""

    def leave_unsettled(self, items: Iterable[Unsettled]) -> None:
        """Keep for a later change."""

    def retain(self, queue: str, job: Job) -> None:
        """The job, which has just ended, counts towards what the queue keeps."""

    def release_retained(self, queue: str, revision: int) -> None:
        """The job that ended at `revision` no longer does."""

    def retained(self, queue: str, after: int, limit: int) -> list[Job]:
        """Those that ended first after revision `after`, in that order."""

    def retain_all(self, queue: str, *, wanted: bool) -> None:
        """Count all that have ended, or none any more."""

    def ended(self, queue: str) -> int:
        """How many jobs of the queue have SUCCEEDED or were CANCELLED."""

    def relabel(self, job: Job) -> None:
        """The job's labels are others than it was submitted with."""

    def forget_labels(self, job: Job) -> None: ...


class Schedules(Protocol):
    """The part of a transaction that is about schedules."""

    def schedule(self, name: str) -> Schedule | None: ...

    def schedules(self, after: str, limit: int) -> list[Schedule]:
        """By name, from behind `after`."""

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        """Those whose time has come (domain.schedule.due_time), in its order."""

    def put_schedule(self, schedule: Schedule) -> None: ...

    def advance_schedules(self, schedules: Sequence[Schedule]) -> None:
        """Put these, whose settings have not changed."""

    def delete_schedule(self, name: str) -> None: ...

    def unended(self, job_ids: Sequence[str]) -> list[Job]:
        """Those of these jobs that have not ended, in this order."""


class Transaction(Ties, Schedules, Protocol):
    """One atomic change. `revision` is the last one handed out, here or before; `oldest` that of the oldest event."""

    @property
    def revision(self) -> int: ...

    @property
    def oldest(self) -> int: ...

    @property
    def uncertain(self) -> bool:
        """Whether what this server knows of its own attempts may not be so: others thought it gone and gave its jobs
        back, or a change of its own was cut off at the end."""

    def next_revision(self) -> int: ...

    def job(self, job_id: str) -> Job | None: ...

    def by_seq(self, seq: int) -> Job | None: ...

    def held(self, lease: Lease) -> Job | None:
        """The job that this owner has at this fence, RUNNING or lingering."""

    def queued(self) -> Mapping[tuple[str, str], int]:
        """How many jobs are QUEUED, by (queue, kind)."""

    def claimable(self, wanted: Sequence[Wanted]) -> list[Job]:
        """QUEUED jobs: of one queue by rank, then in order of submission; among queues by priority, then in order of
        submission of the first of each. One that another server is about to claim is left out; the rest are this
        transaction's to claim."""

    def first_below(self, queue: str, kind: str, priority: int) -> Job | None:
        """The QUEUED job of a lower priority than this that would be claimed first."""

    def due(self, now: int, limit: int) -> list[Job]:
        """Jobs whose due_time has come, in its order."""

    def next_due(self) -> int | None:
        """The earliest due_time of all, schedules included."""

    def orphans(self, limit: int) -> list[Job]:
        """Jobs that servers which are gone had: RUNNING, or in whatever state with a lingering attempt."""

    def mine(self) -> list[Job]:
        """All jobs that this owner has, RUNNING or lingering."""

    def bury(self, server: str, renewals: int) -> bool:
        """The server is gone, if it has not renewed its lease since `renewals`. Whether it has not."""

    def members(self) -> list[Member]:
        """The servers that share the store; none where it is not shared."""

    def elsewhere(self) -> Mapping[str, Held]:
        """The slots that queues hold on other servers."""

    def put_held(self, slots: Mapping[str, Held]) -> None:
        """The slots that these queues hold on this server, from this change on; all that do where it is `uncertain`."""

    def announce(self, *, work: bool) -> None:
        """Wake the other servers with the commit, to start jobs too if there is `work`."""

    def matching(
        self, job_filter: JobFilter, after: int | None, limit: int, *, newest_first: bool = False
    ) -> list[Job]:
        """Jobs that match, in order of submission or the other way round, from behind seq `after`."""

    def record(self, event: Event) -> None:
        """Keep the event, and the job as the event has it: new, changed, or gone with its output."""

    def keep(self, job: Job) -> None:
        """Keep a change that nobody outside can see, without an event."""

    def append_output(self, job: Job, data: bytes) -> None:
        """Add `data` at offset `job.output_size`."""

    def request(self, request_id: str) -> Request | None: ...

    def remember(self, request_id: str, request: Request) -> None: ...

    def forget(self, request_id: str, expire_time: int) -> None:
        """The job is gone; from `expire_time` on the id may go too."""

    def queue(self, name: str) -> Queue | None: ...

    def queues(self) -> Mapping[str, Queue]: ...

    def put_queue(self, queue: Queue) -> None: ...

    def count(self, queue: str, kind: str, changes: Iterable[tuple[int, int]]) -> None:
        """Add to counters: (position in domain.queue.Counters, what to add)."""

    def counters(self) -> Mapping[tuple[str, str], Counters]:
        """By (queue, kind)."""

    def waiting(self, queue: str) -> int:
        """How many jobs wait in the queue."""

    def trim(self, keep: int, older_than: int, now: int, limit: int) -> bool:
        """Let go of up to `limit` of the oldest events that are beyond the newest `keep` or from before `older_than`,
        and of expired request ids. The newest event always stays. Whether there is more."""

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


class Snapshot(Protocol):
    """All that was committed up to `revision`. Events after `horizon` are there; earlier ones are gone."""

    @property
    def revision(self) -> int: ...

    @property
    def horizon(self) -> int: ...

    def reached(self, boot: str, revision: int) -> bool:
        """Whether the server with this boot id came as far as `revision` with what is in the store. False for what
        happened after the backup that the store was restored from: other events may have those revisions by now."""

    def job(self, job_id: str) -> Job | None: ...

    def jobs(
        self,
        job_filter: JobFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
        whole: bool = True,
    ) -> list[Job]:
        """Up to `limit` jobs that match, in order of submission or the other way round, from behind seq `after`.
        Without `whole` payloads and results have no data."""

    def count(self, job_filter: JobFilter) -> int:
        """How many jobs match."""

    def events(
        self, after: int, limit: int, *, job_ids: frozenset[str] = frozenset(), whole: bool = True
    ) -> list[Event]:
        """Up to `limit` events with revisions above `after`, in order; of these jobs where any are named."""

    def output(self, job: Job, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes of its output, from `offset`."""


class Store(Protocol):
    """`id` tells stores apart, `boot` is that of the server that started on it last, as far as this one knows: a cursor
    carries both. Other servers may have the store too if it is `shared`."""

    shared: bool

    @property
    def id(self) -> str: ...

    @property
    def owner(self) -> str: ...

    @property
    def boot(self) -> str: ...

    def begin(self, expected: Expected = ANYTHING) -> Transaction:
        """A store that is far away reads what is expected along with what it needs to begin."""

    def snapshot(self) -> AbstractContextManager[Snapshot]: ...

    def close(self) -> None: ...


@runtime_checkable
class SharedStore(Store, Protocol):
    """A store that other servers may have too, each with a lease."""

    @property
    def lease(self) -> int:
        """How long others wait for a sign of life before this server is gone, in microseconds."""

    def renew(self, status: Status) -> Contact:
        """Renew this server's lease and look around, without waiting for any change. By the thread that listens.
        Raises StoreUnavailable, and StoreBroken."""

    def listen(self, seconds: float) -> list[News]:
        """News as they come, within so many seconds; none where nothing happens. Raises likewise."""

    def cut_off(self, server: str) -> None:
        """End what a server that is gone has begun to write: it must not hold up the others. By the same thread.
        Raises StoreUnavailable."""

    def wake(self) -> None:
        """End a `listen`. From any thread."""
