"""WorkerService: a stream for each worker, over which jobs go out and what becomes of them comes in."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from itertools import count

from slotd import v1
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import Clock
from slotd_server.domain.errors import (
    Draining,
    InvalidArgument,
    NotFound,
    TooManyStreams,
    WorkerElsewhere,
    WorkerReplaced,
    WorkerSilent,
)
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.server import Member
from slotd_server.domain.worker import Standing, Worker, WorkerStatus
from slotd_server.execution.base import Told
from slotd_server.execution.remote import Assign, RemoteRunner, Saying, Settled, Stop, Taken, TooFast
from slotd_server.leases import RENEWALS, Attendance
from slotd_server.reads import Reads, results_of
from slotd_server.rpc import convert, validate
from slotd_server.rpc.calls import Call

_REASONS = {
    Standing.RUNNING: v1.STOP_REASON_CANCELLED,
    Standing.ZOMBIE: v1.STOP_REASON_ENDED,
    Standing.NONE: v1.STOP_REASON_LOST,
}

_MESSAGE_SAYINGS = 256
_MESSAGE_BYTES = 1 << 20
"""A message is sent when it has so many sayings, or bytes of payloads: with one more of 2 MiB it is still below the 4
MiB that clients take by default."""


class Workers:
    """The servicer. `attendance` knows who was heard of when; `changed` is called when workers come and go; at most
    `limit` workers are connected at once; a result may have `max_payload` bytes, of a job's output `max_output` are
    kept."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        remote: RemoteRunner,
        reads: Reads,
        attendance: Attendance,
        clock: Clock,
        owner: str,
        *,
        changed: Callable[[], None],
        limit: int,
        max_payload: int,
        max_output: int,
    ) -> None:
        self._dispatcher = dispatcher
        self._remote = remote
        self._reads = reads
        self._attendance = attendance
        self._clock = clock
        self._owner = owner
        self._changed = changed
        self._limit = limit
        self._max_payload = max_payload
        self._max_output = max_output
        self._lines: dict[str, _Line] = {}
        self._numbers = count(1)
        self._open = 0
        self._ending = False

    async def Work(self, requests: AsyncIterator[v1.WorkRequest], _: Call) -> AsyncIterator[v1.WorkResponse]:
        """See WorkerService.Work."""
        if self._ending:
            raise Draining
        with self._place():
            first = await self._first(requests)
            async with aclosing(self._serve(first, requests)) as responses:
                async for response in responses:
                    yield response

    async def _first(self, requests: AsyncIterator[v1.WorkRequest]) -> v1.WorkRequest:
        """What a worker begins with; it has a lease to do so."""
        try:
            first = await asyncio.wait_for(anext(requests, None), self._attendance.lease / SECOND)
        except TimeoutError:
            first = None
        if first is None or not first.HasField("hello"):
            raise InvalidArgument(("hello", "is required in the first request, and only there"))
        validate.check(first)
        return first

    async def _serve(
        self, first: v1.WorkRequest, requests: AsyncIterator[v1.WorkRequest]
    ) -> AsyncGenerator[v1.WorkResponse, None]:
        hello = first.hello
        worker = Worker(hello.worker_id, hello.name, hello.client, self._clock.now())
        kinds = {kind.kind: convert.declared_from(kind) for kind in hello.kinds}
        claimed = tuple([convert.claimed_from(lease) for lease in hello.held])
        # It is here, and not to be given up while the store takes its time.
        self._attendance.heard(worker.id, self._clock.monotonic())
        line = _Line(next(self._numbers), self._clock)
        enlisted: ask.Enlisted = await self._dispatcher.call(ask.Enlist(worker, kinds, claimed, line.number))
        self._lines[worker.id] = line
        self._remote.attach(worker.id, line)
        if enlisted.draining:
            # It may not have heard that over the line before; to hear it twice does no harm.
            line.drain()
        self._changed()
        listening = asyncio.create_task(self._listen(worker.id, line, first, requests))
        try:
            yield self._welcome(enlisted.kept)
            async with aclosing(line.responses(self._attendance.lease / RENEWALS / SECOND)) as responses:
                async for response in responses:
                    yield response
        finally:
            listening.cancel()
            if self._lines.get(worker.id) is line:
                del self._lines[worker.id]
            if self._remote.detach(worker.id, line) and not line.left:
                self._dispatcher.tell(ask.Detach(worker.id, line.number))
            self._changed()

    def _welcome(self, kept: list[Job]) -> v1.WorkResponse:
        welcome = v1.Welcome(
            lease=convert.duration_message(self._attendance.lease),
            held=[v1.Lease(job_id=job.id, fence=job.fence) for job in kept],
            server=self._owner,
            max_result_bytes=self._max_payload,
            max_output_bytes=self._max_output,
        )
        return v1.WorkResponse(welcome=welcome)

    async def _listen(
        self, worker: str, line: "_Line", request: v1.WorkRequest, requests: AsyncIterator[v1.WorkRequest]
    ) -> None:
        """Until the worker leaves or its side of the stream ends, or it says what can't be."""
        try:
            await self._hear(worker, line, request)
            async for request in requests:
                if request.HasField("hello"):
                    raise InvalidArgument(("hello", "is only in the first request"))
                validate.check(request)
                if self._lines.get(worker) is not line:
                    # It has another by now.
                    return
                await self._hear(worker, line, request)
            # It has not said that it leaves: an end of the stream by itself may be that of its connection.
            line.end()
        except TooFast:
            line.fail(InvalidArgument(("reports", "one came before the last one of its attempt was taken")))
        except Exception as error:  # noqa: BLE001 - the call ends with it, and it gets its status there
            line.fail(error)

    async def _hear(self, worker: str, line: "_Line", request: v1.WorkRequest) -> None:
        self._attendance.heard(worker, self._clock.monotonic())
        if request.HasField("slots"):
            self._dispatcher.tell(ask.Resize(worker, line.number, request.slots))
        for report in request.reports:
            self._remote.reported(worker, convert.claimed_from(report.lease), *_told(report))
        for finish in request.finishes:
            outcome = convert.outcome_from(finish, self._max_payload)
            self._remote.finished(worker, convert.claimed_from(finish.lease), outcome, *_told(finish))
        if request.leave:
            await self._let_go(worker, line)

    async def _let_go(self, worker: str, line: "_Line") -> None:
        """It leaves for good: once it hears the end, nothing of it is left here."""
        self._attendance.left(worker)
        # Behind its last Finish, in the writer's inbox too.
        await self._dispatcher.call(ask.Dismiss(worker, lost=False, line=line.number))
        line.end(left=True)

    async def ReadResults(self, request: v1.ReadResultsRequest, _: Call) -> AsyncIterator[v1.ReadResultsResponse]:
        """See WorkerService.ReadResults."""
        validate.check(request)
        found = await self._reads(lambda snapshot: results_of(snapshot, request.job_id))
        for name, result in found.items():
            payload = None if result is None else v1.Payload(content_type=result.content_type, data=result.data)
            yield v1.ReadResultsResponse(name=name, result=payload)

    async def ListWorkers(self, request: v1.ListWorkersRequest, _: Call) -> v1.ListWorkersResponse:
        """See WorkerService.ListWorkers."""
        validate.check(request)
        found = await self._workers()
        found.sort(key=lambda pair: (pair[1].worker.name, pair[1].worker.start_time, pair[1].worker.id))
        return v1.ListWorkersResponse(workers=[convert.worker_message(status, server) for server, status in found])

    async def DrainWorker(self, request: v1.DrainWorkerRequest, _: Call) -> v1.DrainWorkerResponse:
        """See WorkerService.DrainWorker."""
        validate.check(request)
        if request.worker_id not in self._lines:
            server = (await self._worker(request.worker_id))[0]
            if server.id != self._owner:
                raise WorkerElsewhere(request.worker_id, server.status.address)
        # Whichever line it has: where it has none, or gets another meanwhile, it hears of it when it comes.
        await self._dispatcher.call(ask.Resize(request.worker_id, None, draining=True))
        line = self._lines.get(request.worker_id)
        if line is not None:
            line.drain()
        server, status = await self._worker(request.worker_id)
        return v1.DrainWorkerResponse(worker=convert.worker_message(status, server))

    async def watch(self) -> None:
        """Give up workers that are silent for too long, until this is cancelled."""
        while True:
            await asyncio.sleep(self._attendance.lease / RENEWALS / SECOND)
            for worker in self._attendance.absent(self._clock.monotonic()):
                self._dispatcher.tell(ask.Dismiss(worker, lost=True))
                line = self._lines.get(worker)
                if line is not None:
                    line.fail(WorkerSilent())

    def end(self) -> None:
        """This server stops: its workers keep what they have, and go on elsewhere."""
        self._ending = True
        for line in list(self._lines.values()):
            line.fail(Draining())

    async def _worker(self, worker: str) -> tuple[Member, WorkerStatus]:
        """Where it is, and how it is there. Raises NotFound."""
        for server, status in await self._workers():
            if status.worker.id == worker:
                return server, status
        raise NotFound("worker", worker)

    async def _workers(self) -> "list[tuple[Member, WorkerStatus]]":
        """Each once: one that went over from one server to another may be known to both yet."""
        members: list[Member] = await self._dispatcher.call(ask.ListServers())
        found: dict[str, tuple[Member, WorkerStatus]] = {}
        for member in members:
            for status in member.status.workers:
                if status.worker.id not in found or status.connected:
                    found[status.worker.id] = (member, status)
        return list(found.values())

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._open >= self._limit:
            raise TooManyStreams(self._limit)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1


def _told(message: v1.Report | v1.Finish) -> tuple[Told, int | None]:
    """What an attempt tells, and where its output begins, if that is said."""
    progress = convert.progress_from(message.progress) if message.HasField("progress") else None
    offset = message.output_offset if message.HasField("output_offset") else None
    return Told(progress, message.output), offset


class _Line:
    """What is yet to be said to one worker, on its connection `number`. `left` once it has said that it leaves."""

    def __init__(self, number: int, clock: Clock) -> None:
        self.number = number
        self.left = False
        self._clock = clock
        self._sayings: deque[Saying] = deque()
        self._draining = False
        self._ended = False
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()
        self._woken = False
        self._lock = threading.Lock()

    def say(self, *sayings: Saying) -> None:
        with self._lock:
            self._sayings.extend(sayings)
            wake, self._woken = not self._woken, True
        if wake:
            try:
                self._loop.call_soon_threadsafe(self._something.set)
            except RuntimeError:
                # The event loop has closed: nobody is there to hear it.
                return

    def replace(self) -> None:
        self.fail(WorkerReplaced())

    def end(self, *, left: bool = False) -> None:
        """There is nobody to speak to any more; with `left` because the worker wanted it so."""
        self.left = self.left or left
        self._ended = True
        self._something.set()

    def drain(self) -> None:
        """Ask the worker to leave."""
        self._draining = True
        self._something.set()

    def fail(self, error: Exception) -> None:
        """End the stream with this; the first one counts."""
        self._error = self._error or error
        self._something.set()

    async def responses(self, heartbeat: float) -> AsyncGenerator[v1.WorkResponse, None]:
        """What is to be said, as much as there is at a time, and at least something each `heartbeat` seconds. Raises
        what it ends with."""
        while True:
            try:
                async with asyncio.timeout(heartbeat):
                    await self._something.wait()
            except TimeoutError:
                yield v1.WorkResponse()
                continue
            self._something.clear()
            while sayings := self._take():
                yield self._response(sayings)
            if self._draining:
                self._draining = False
                yield v1.WorkResponse(drain=True)
            if self._error is not None:
                raise self._error
            if self._ended:
                return

    def _take(self) -> list[Saying]:
        taken: list[Saying] = []
        size = 0
        with self._lock:
            self._woken = False
            while self._sayings and len(taken) < _MESSAGE_SAYINGS and size < _MESSAGE_BYTES:
                saying = self._sayings.popleft()
                taken.append(saying)
                if isinstance(saying, Assign) and saying.job.spec.payload is not None:
                    size += len(saying.job.spec.payload.data)
        return taken

    def _response(self, sayings: list[Saying]) -> v1.WorkResponse:
        response = v1.WorkResponse()
        for saying in sayings:
            match saying:
                case Assign(job):
                    response.assignments.append(convert.assignment_message(job, self._clock.now()))
                case Stop(claimed, standing):
                    response.stops.add(lease=convert.lease_message(claimed), reason=_REASONS[standing])
                case Taken(claimed):
                    response.taken.append(convert.lease_message(claimed))
                case Settled(claimed):
                    response.settled.append(convert.lease_message(claimed))
        return response
