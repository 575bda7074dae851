"""A server as workers see it, small enough to be believed: it keeps what is committed, forgets the rest when it
restarts, and fails a test when a worker says what it must not."""

from dataclasses import dataclass, field

from slotd.isolation.base import Lease
from slotd.v1 import job_pb2
from slotd.v1 import worker_service_pb2 as pb
from tests.worker.station import key, wire


@dataclass
class Held:
    """An attempt that the worker has, in the server's books. `output` is what is committed; `waiting` is a report that
    is not."""

    lease: Lease
    began: int
    output: bytes = b""
    progress: tuple[int, int, str] | None = None
    waiting: pb.Report | None = None
    stop: "pb.StopReason.ValueType | None" = None


@dataclass
class Ended:
    """How an attempt ended, with all that was kept of it."""

    outcome: str
    output: bytes
    progress: tuple[int, int, str] | None


@dataclass
class Server:
    """`inbox` is on its way to it, `outbox` to the worker; both are gone with the connection."""

    connected: bool = False
    welcomed: bool = False
    offered: int = 0
    held: dict[Lease, Held] = field(default_factory=dict)
    ended: dict[Lease, Ended] = field(default_factory=dict)
    inbox: list[pb.WorkRequest] = field(default_factory=list)
    outbox: list[pb.WorkResponse] = field(default_factory=list)
    left: bool = False
    # What may be spoken of on this connection, and whose report has not been taken on it.
    known: set[Lease] = field(default_factory=set)
    untaken: set[Lease] = field(default_factory=set)
    jobs: int = 0

    def connect(self) -> None:
        """The worker has opened a stream."""
        self.connected, self.welcomed, self.offered = True, False, 0
        self.inbox, self.outbox = [], []
        self.known, self.untaken = set(), set()

    def cut(self) -> None:
        """The connection breaks; what was on its way is gone."""
        self.connected = False
        self.inbox, self.outbox = [], []

    def restart(self) -> None:
        """It dies and comes back: what it had not committed is gone too."""
        self.cut()
        for held in self.held.values():
            held.waiting = None

    @property
    def free(self) -> int:
        """Slots that it may send jobs to."""
        return self.offered - len(self.held) if self.welcomed and not self.left else 0

    def assign(self) -> None:
        """Sends a job to a free slot."""
        self.jobs += 1
        lease = Lease(f"job-{self.jobs}", 1)
        # Its earlier attempts have written something.
        began = 10 * self.jobs
        self.held[lease] = Held(lease, began)
        self.known.add(lease)
        job = job_pb2.Job(id=lease.job_id, output_size=began)
        self.outbox.append(pb.WorkResponse(assignments=[pb.Assignment(lease=wire(lease), job=job)]))

    def stop(self, lease: Lease, reason: pb.StopReason.ValueType) -> None:
        """Tells the worker to stop an attempt."""
        self.held[lease].stop = reason
        self._say_stop(lease, reason)

    def give_up(self, lease: Lease) -> None:
        """Takes an attempt away from the worker."""
        del self.held[lease]
        self._say_stop(lease, pb.STOP_REASON_LOST)

    def take(self, lease: Lease) -> None:
        """Commits a report."""
        held = self.held[lease]
        assert held.waiting is not None
        self._keep(held, held.waiting)
        held.waiting = None
        if self.connected and lease in self.untaken:
            self.untaken.remove(lease)
            self.outbox.append(pb.WorkResponse(taken=[wire(lease)]))

    def hear(self) -> None:
        """The next request arrives."""
        request = self.inbox.pop(0)
        if request.HasField("hello"):
            self._welcome(request.hello)
        else:
            assert self.welcomed, "it speaks before it is welcome"
        if request.HasField("slots"):
            self.offered = request.slots
        for report in request.reports:
            self._reported(report)
        for finish in request.finishes:
            self._finished(finish)
        if request.leave:
            self._leave()

    def _leave(self) -> None:
        """What it still has is given back."""
        self.left = True
        for lease in list(self.held):
            self.ended[lease] = Ended("given back", b"", None)
            del self.held[lease]

    def _welcome(self, hello: pb.Hello) -> None:
        claimed = {Lease(lease.job_id, lease.fence) for lease in hello.held}
        assert len(claimed) == len(hello.held), "an attempt is named twice"
        for lease in self.held.keys() - claimed:
            # It has never reached the worker.
            self.ended[lease] = Ended("given back", b"", None)
            del self.held[lease]
        self.known = set(self.held)
        self.welcomed = True
        welcome = pb.Welcome(
            held=[wire(lease) for lease in self.held], max_result_bytes=1 << 20, max_output_bytes=1 << 20
        )
        welcome.lease.FromSeconds(12)
        self.outbox.append(pb.WorkResponse(welcome=welcome))
        for held in self.held.values():
            if held.stop is not None:
                self._say_stop(held.lease, held.stop)

    def _say_stop(self, lease: Lease, reason: pb.StopReason.ValueType) -> None:
        if self.welcomed and self.connected:
            self.outbox.append(pb.WorkResponse(stops=[pb.Stop(lease=wire(lease), reason=reason)]))

    def _reported(self, report: pb.Report) -> None:
        lease = key(report)
        assert lease in self.known, "a report for what was taken from it"
        assert lease not in self.untaken, "a report before the last one was taken"
        self.untaken.add(lease)
        held = self.held.get(lease)
        if held is not None:
            held.waiting = report

    def _finished(self, finish: pb.Finish) -> None:
        lease = key(finish)
        assert lease in self.known, "an end of what was taken from it"
        held = self.held.pop(lease, None)
        if held is not None:
            if held.waiting is not None:
                self._keep(held, held.waiting)
            self._keep(held, finish)
            self.ended[lease] = Ended(finish.WhichOneof("outcome") or "", held.output, held.progress)
        self.outbox.append(pb.WorkResponse(settled=[wire(lease)]))

    def _keep(self, held: Held, told: pb.Report | pb.Finish) -> None:
        if told.HasField("progress"):
            held.progress = (told.progress.done, told.progress.total, told.progress.message)
        if told.output:
            begin = told.output_offset - held.began
            assert begin <= len(held.output), "a piece of the output is missing"
            assert held.output[begin : begin + len(told.output)] == told.output[: len(held.output) - begin]
            held.output += told.output[len(held.output) - begin :]
