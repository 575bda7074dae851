"""The servicers on the real core: store, lifecycle, dispatcher and log, with a runner that only does as it is told."""

from typing import Any, NamedTuple

from slotd import v1
from slotd_server.change import Limits, Rules
from slotd_server.dispatch import Dispatcher, Pacing
from slotd_server.domain.clock import SystemClock
from slotd_server.domain.commands import Finish, Lease, Report
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import Failure, Job, Payload
from slotd_server.domain.outcome import Failed, Outcome, Succeeded
from slotd_server.domain.queue import NOTHING
from slotd_server.domain.server import Member, Status
from slotd_server.events import EventLog
from slotd_server.execution.base import Told
from slotd_server.lifecycle import Lifecycle
from slotd_server.reads import Reads
from slotd_server.rpc.jobs import Jobs
from slotd_server.rpc.queues import Queues
from slotd_server.rpc.schedules import Schedules
from slotd_server.rpc.stream import Streams
from slotd_server.slots import Ledger
from slotd_server.store.sqlite import SqliteStore


class Called(NamedTuple):
    """A call that came with so much metadata."""

    metadata: tuple[tuple[str, str | bytes], ...] = ()

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self.metadata


NO_CONTEXT = Called()


class Runner:
    """Remembers what was started and what was asked to stop; ends nothing by itself."""

    def __init__(self) -> None:
        self.started: list[Job] = []
        self.stopped: list[Lease] = []

    def start(self, job: Job) -> None:
        self.started.append(job)

    def stop(self, lease: Lease) -> None:
        self.stopped.append(lease)

    def take(self, lease: Lease) -> Told:
        return Told(None, b"")

    def close(self) -> None:
        return


class Core:
    """A service without its wire: `slots` 0, so that jobs wait until a test starts them."""

    def __init__(self, store: SqliteStore) -> None:
        kinds = {"noop": NOTHING, "other": NOTHING}
        clock = SystemClock()
        bits = iter(range(1 << 20))
        status = Status("core", "127.0.0.1:1", "1.2.3", 4, 3, 2, False, kinds)
        here = Member(store.owner, 5_000_000, None, 0, None, status)
        rules = Rules(store.owner, Limits(), IdSource(lambda _: next(bits)), lambda: 0.5, here=lambda: here)
        self.store = store
        self.runner = Runner()
        self.reads = Reads(store)
        self.log = EventLog(store.revision, self.reads.events)
        self.failures: list[BaseException] = []
        self.dispatcher = Dispatcher(
            Lifecycle(store, Ledger(0, kinds), rules, clock),
            kinds,
            clock,
            publish=self.log.publish,
            failed=self.failures.append,
            pacing=Pacing(),
        )
        streams = Streams(self.reads, self.log, store.id, lambda: store.owner, heartbeat=15, limit=10)
        self.jobs = Jobs(
            self.dispatcher, self.reads, self.log, streams, store.id, lambda: store.owner, max_payload=1 << 20
        )
        self.queues = Queues(self.dispatcher, store.owner)
        self.schedules = Schedules(self.dispatcher, self.log, store.id, lambda: store.owner)

    async def submit(self, kind: str = "noop", **fields: Any) -> v1.Job:
        """Submits a job; keyword arguments are fields of its spec."""
        return (await self.submit_request(v1.SubmitRequest(spec=v1.JobSpec(kind=kind, **fields)))).job

    async def submit_request(self, request: v1.SubmitRequest, call: Called = NO_CONTEXT) -> v1.SubmitResponse:
        """The servicer's answer, which comes as bytes, as the message that it is."""
        return v1.SubmitResponse.FromString(await self.jobs.Submit(request, call))

    async def submit_batch(self, request: v1.SubmitBatchRequest, call: Called = NO_CONTEXT) -> v1.SubmitBatchResponse:
        """Likewise."""
        return v1.SubmitBatchResponse.FromString(await self.jobs.SubmitBatch(request, call))

    async def start(self, slots: int = 1) -> Job:
        """Makes room for `slots` jobs; the one that was started last."""
        await self.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=slots), NO_CONTEXT)
        return self.runner.started[-1]

    async def write(self, job: Job, output: bytes) -> None:
        """The running job writes."""
        await self.dispatcher.call(Report(Lease(job.seq, job.fence), None, output))

    async def finish(self, job: Job, outcome: Outcome | None = None, output: bytes = b"") -> None:
        """The running job ends, well unless `outcome` says otherwise."""
        outcome = Succeeded(Payload("text/plain", b"fine")) if outcome is None else outcome
        await self.dispatcher.call(Finish(Lease(job.seq, job.fence), outcome, None, output))

    async def run(self, kind: str = "noop", **fields: Any) -> v1.Job:
        """Submits a job and lets it succeed; it as it is then."""
        job = await self.submit(kind, **fields)
        await self.finish(await self.start())
        await self.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=0), NO_CONTEXT)
        return (await self.jobs.Get(v1.GetRequest(id=job.id), NO_CONTEXT)).job


FAILED = Failed(Failure("PERMANENT_ERROR", "no"), permanent=True)
