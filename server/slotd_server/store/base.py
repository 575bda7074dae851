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

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import Event, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Counters, Queue


class Request(NamedTuple):
    """What a request_id stood for when it first came."""

    fingerprint: bytes
    job_id: str


class Wanted(NamedTuple):
    """Up to `limit` jobs of one kind in one queue."""

    queue: str
    kind: str
    limit: int


class Transaction(Protocol):
    """One atomic change. `revision` is the last one handed out, here or before; `oldest` that of the oldest event."""

    @property
    def revision(self) -> int: ...

    @property
    def oldest(self) -> int: ...

    def next_revision(self) -> int: ...

    def job(self, job_id: str) -> Job | None: ...

    def held(self, lease: Lease) -> Job | None:
        """The job that this owner has at this fence, RUNNING or lingering."""

    def queued(self) -> Mapping[tuple[str, str], int]:
        """How many jobs are QUEUED, by (queue, kind)."""

    def claimable(self, wanted: Sequence[Wanted]) -> list[Job]:
        """QUEUED jobs, by falling priority, then in order of submission. One that another server is about to claim is
        left out; the rest are this transaction's to claim."""

    def due(self, now: int, limit: int) -> list[Job]:
        """Jobs whose due_time has come, in its order."""

    def next_due(self) -> int | None:
        """The earliest due_time of all."""

    def orphans(self, limit: int) -> list[Job]:
        """Jobs that servers which are gone had: RUNNING, or in whatever state with a lingering attempt."""

    def terminal(self, job_filter: JobFilter, limit: int) -> list[Job]:
        """Terminal jobs that match, oldest first."""

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

    def count(self, queue: str, kind: str, *changes: tuple[int, int]) -> None:
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
    """`id` tells stores apart: a cursor carries it."""

    @property
    def id(self) -> str: ...

    @property
    def owner(self) -> str: ...

    def begin(self) -> Transaction: ...

    def snapshot(self) -> AbstractContextManager[Snapshot]: ...

    def close(self) -> None: ...
