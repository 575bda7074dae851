"""The protocol of `WorkerService.Work` as a worker speaks it: a state machine without threads, clock, input or output.

Whoever drives it says what has happened and what time it is (monotonic, in seconds), asks what there is to send, and
lets one thread in at a time. What is started, what is told again after a cut, and what never, is decided here.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Protocol

from slotd.attempts import Failed, Outcome, Snoozed, Succeeded, succeeded
from slotd.context import Told
from slotd.isolation.base import Lease, Limits
from slotd.jobspec import duration
from slotd.v1 import job_pb2, worker_service_pb2

FIRST_LEASE: Final = 15.0
"""Seconds that a server has for its welcome, which says how long the lease really is."""

SETTLE_SECONDS: Final = 5.0
"""How long one who leaves waits for the server to keep what it was told, and then for the end of the call."""

PIECE_BYTES: Final = 1 << 20
"""The most output in one Report or Finish."""

_LONGEST_SILENCE = 4.0

_REQUEST_BYTES = 4 << 20
"""No attempt adds to a request that has as much. What one adds is a piece of output and a result at most, so all stay
within the 20 MiB that servers take: their results have 12 MiB at most."""


class Functions(Protocol):
    """What runs the handlers. No method blocks; of the session they may call `finished`, and from `start` alone."""

    def start(self, lease: Lease, assignment: worker_service_pb2.Assignment, limits: Limits) -> None:
        """Call the job's handler. `Session.finished` is called exactly once, when the function has returned."""

    def stop(self, lease: Lease, *, over: bool) -> None:
        """Ask a function to end. With `over` nobody waits for what it returns, and it may be ended by force."""

    def take(self, lease: Lease) -> Told:
        """What it has told since the last call; nothing where it has returned."""


class Phase(Enum):
    """How a worker stands with its server."""

    AWAY = auto()
    """Not connected."""
    GREETING = auto()
    """Waits for the welcome."""
    WORKING = auto()
    """Is welcome."""
    LEAVING = auto()
    """Says that it leaves, and waits for the end of the call."""
    LEFT = auto()
    """Is gone for good."""


class _Attempt:
    """One that the worker holds: its function runs, or its Finish is not settled."""

    __slots__ = ("announced", "finish", "finish_due", "lease", "offset", "output", "progress", "report", "report_due")

    def __init__(self, lease: Lease, offset: int) -> None:
        self.lease = lease
        # Where in the job's output `output` begins, so that what is said twice is kept once.
        self.offset = offset
        # Its function has something to take.
        self.announced = False
        # What was taken of it and is in no message yet.
        self.progress: tuple[int, int, str] | None = None
        self.output = b""
        # The Report that has not come back as taken. It is due until it is sent, and again after a cut.
        self.report: worker_service_pb2.Report | None = None
        self.report_due = False
        # Likewise, until it comes back as settled.
        self.finish: worker_service_pb2.Finish | None = None
        self.finish_due = False

    @property
    def can_finish(self) -> bool:
        """Whether its Finish can go, and take along all that is left to say."""
        return self.finish_due and len(self.output) <= PIECE_BYTES

    def keep(self, told: Told) -> None:
        """To be said next, behind the output that did not fit in before."""
        self.progress = told.progress
        self.output += told.output

    def end(self, finish: worker_service_pb2.Finish) -> None:
        self.announced = False
        finish.lease.job_id, finish.lease.fence = self.lease
        self.finish, self.finish_due = finish, True

    def repeat(self) -> None:
        """After a cut nobody knows what has arrived."""
        self.report_due = self.report is not None
        self.finish_due = self.finish is not None

    def speak(self, request: worker_service_pb2.WorkRequest) -> int:
        """Add what there is to say now. Returns how many bytes that is, all told: where thousands fail at once, their
        error messages alone are more than servers take."""
        if self.report is None and not self.can_finish and (self.progress is not None or self.output):
            self.report = worker_service_pb2.Report(lease=_lease(self.lease))
            self._tell(self.report)
            self.report_due = True
        if self.report_due:
            assert self.report is not None
            self.report_due = False
            request.reports.append(self.report)
            return self.report.ByteSize()
        if not self.can_finish:
            return 0
        assert self.finish is not None
        self._tell(self.finish)
        self.finish_due = False
        request.finishes.append(self.finish)
        return self.finish.ByteSize()

    def _tell(self, message: worker_service_pb2.Report | worker_service_pb2.Finish) -> None:
        if self.progress is not None:
            message.progress.done, message.progress.total, message.progress.message = self.progress
            self.progress = None
        if self.output:
            message.output, self.output = self.output[:PIECE_BYTES], self.output[PIECE_BYTES:]
            message.output_offset = self.offset
            self.offset += len(message.output)


class Session:
    """One worker, from its first connection to its last.

    `hello` says who it is, and what it runs; `slots` is how many functions may run at once; `drain_timeout` is for how
    many seconds they may run on when the server asks the worker to leave.
    """

    def __init__(
        self, hello: worker_service_pb2.Hello, slots: int, functions: Functions, *, drain_timeout: float
    ) -> None:
        self.phase = Phase.AWAY
        self.draining = False
        self.server = ""
        """The boot id of the server that has said welcome last."""
        self._hello = hello
        self._slots = slots
        self._functions = functions
        self._drain_timeout = drain_timeout
        self.lease = FIRST_LEASE
        """Seconds that either side may be silent, as of that welcome."""
        self._limits = Limits(1 << 20, 16 << 20)
        self._attempts: dict[Lease, _Attempt] = {}
        # Those of them that may have something to say, in the order in which they began to.
        self._speakers: dict[Lease, None] = {}
        self._running: set[Lease] = set()
        # Those that run though their attempt is not the worker's any more.
        self._lost: set[Lease] = set()
        self._hello_due = self._leave_due = False
        # How many slots the server knows of.
        self._offered: int | None = None
        self._heard = self._spoke = 0.0
        # When the functions have had their time, and when the call has.
        self._drain_until = self._end_until = 0.0

    @property
    def held(self) -> int:
        """How many attempts the worker answers for: their function runs, or the server does not know how they ended."""
        return len(self._attempts)

    @property
    def lost(self) -> int:
        """How many functions run on although their attempt is not the worker's any more."""
        return len(self._lost)

    def connected(self, now: float) -> None:
        """A stream has been opened."""
        self.phase = Phase.GREETING
        self._hello_due = True
        self._offered = None
        self._heard = now

    def received(self, message: worker_service_pb2.WorkResponse, now: float) -> None:
        """The server has said something."""
        self._heard = now
        if message.HasField("welcome"):
            self._welcomed(message.welcome)
        # A stop may come along with the assignment that it is for.
        for assignment in message.assignments:
            self._assigned(assignment)
        for stop in message.stops:
            self._stopped(_key(stop.lease), stop.reason)
        for lease in message.taken:
            self._taken(_key(lease))
        for lease in message.settled:
            self._settled(_key(lease))
        if message.drain:
            self.drain(now, self._drain_timeout)
        elif self.draining:
            self._wind_up(now)

    def broken(self) -> None:
        """The call is over. What it may have swallowed is said again after the next welcome."""
        self.phase = Phase.LEFT if self.phase is Phase.LEAVING else Phase.AWAY

    def abandon(self) -> None:
        """Nobody drives it any more: all functions are to stop, and what they do is nobody's business."""
        self.phase = Phase.LEFT
        for lease in list(self._running):
            self._functions.stop(lease, over=True)

    def told(self, lease: Lease) -> None:
        """A function has something to take."""
        attempt = self._attempts.get(lease)
        if attempt is not None and attempt.finish is None:
            attempt.announced = True
            self._speakers[lease] = None

    def finished(self, lease: Lease, outcome: Outcome, told: Told) -> None:
        """A function has returned; `told` is what was not taken of it."""
        self._running.discard(lease)
        self._lost.discard(lease)
        attempt = self._attempts.get(lease)
        if attempt is None or attempt.finish is not None:
            # It was lost, or given back.
            return
        if isinstance(outcome, Succeeded):
            # Who ran it may have gone by the limit of another server.
            outcome = succeeded(outcome.result, self._limits.result)
        attempt.keep(told)
        attempt.end(_finish(outcome))
        self._speakers[lease] = None

    def resize(self, slots: int) -> None:
        """From now on so many functions may run at once; what runs beyond that runs on."""
        self._slots = slots

    def drain(self, now: float, seconds: float) -> None:
        """Take nothing more, let what runs end within so many seconds, give the rest back, and leave. Again: sooner."""
        until = now + seconds
        self._drain_until = min(until, self._drain_until) if self.draining else until
        self.draining = True
        self._wind_up(now)

    def tick(self, now: float) -> bool:
        """What comes by the clock alone. Whether the call must be broken off."""
        if self.draining:
            self._wind_up(now)
        match self.phase:
            case Phase.GREETING | Phase.WORKING:
                return now >= self._heard + self._patience()
            case Phase.LEAVING:
                return now >= self._end_until
            case Phase.AWAY | Phase.LEFT:
                return False

    def next_tick(self, now: float) -> float:
        """Seconds after which `tick` is due, if nothing happens before; more often does no harm."""
        times = [self._heard + self._patience()]
        if self.draining:
            times += [self._drain_until, self._drain_until + SETTLE_SECONDS]
        if self.phase is Phase.LEAVING:
            times.append(self._end_until)
        return min((time - now for time in times if time > now), default=SETTLE_SECONDS)

    def next_request(self, now: float) -> worker_service_pb2.WorkRequest | None:
        """What there is to send, all in one; None for nothing yet: ask again after `silence`, or when something has
        happened."""
        if self._hello_due:
            self._hello_due = False
            self._spoke = now
            return self._greeting()
        if self._leave_due:
            self._leave_due = False
            return worker_service_pb2.WorkRequest(leave=True)
        if self.phase is not Phase.WORKING:
            return None
        request = worker_service_pb2.WorkRequest()
        offer = self._offer()
        if offer != self._offered:
            request.slots = self._offered = offer
        self._speak(request)
        if not (request.HasField("slots") or request.reports or request.finishes) and self.silence(now) > 0:
            return None
        self._spoke = now
        return request

    def silence(self, now: float) -> float:
        """For how many seconds there may be nothing to send."""
        if self.phase is not Phase.WORKING:
            return self._patience()
        return self._spoke + min(self.lease / 4, _LONGEST_SILENCE) - now

    def _patience(self) -> float:
        """How long to wait for a word of the server."""
        if self.phase is Phase.WORKING:
            return self.lease
        return SETTLE_SECONDS if self.draining else FIRST_LEASE

    def _greeting(self) -> worker_service_pb2.WorkRequest:
        request = worker_service_pb2.WorkRequest(hello=self._hello)
        request.hello.held.extend(_lease(lease) for lease in self._attempts)
        if not self._attempts:
            # Else the server would give new jobs the slots of those that it does not know as ours any more.
            request.slots = self._offered = self._offer()
        return request

    def _offer(self) -> int:
        return 0 if self.draining else max(0, self._slots - len(self._lost))

    def _speak(self, request: worker_service_pb2.WorkRequest) -> None:
        speakers, self._speakers = self._speakers, {}
        size = 0
        for lease in speakers:
            attempt = self._attempts.get(lease)
            if attempt is None:
                continue
            if size >= _REQUEST_BYTES:
                self._speakers[lease] = None
                continue
            if attempt.announced and attempt.report is None:
                # Not before the last report is taken: until then the function keeps it, and waits where it is much.
                attempt.announced = False
                attempt.keep(self._functions.take(lease))
            size += attempt.speak(request)
            if attempt.can_finish:
                # In the next request, so that nobody reads it before the report.
                self._speakers[lease] = None

    def _welcomed(self, welcome: worker_service_pb2.Welcome) -> None:
        self.phase = Phase.WORKING
        self.server = welcome.server
        self.lease = welcome.lease.ToTimedelta().total_seconds() or FIRST_LEASE
        self._limits = Limits(welcome.max_result_bytes, welcome.max_output_bytes)
        kept = {_key(lease) for lease in welcome.held}
        for lease in [lease for lease in self._attempts if lease not in kept]:
            self._lose(lease)
        for lease, attempt in self._attempts.items():
            attempt.repeat()
            self._speakers[lease] = None

    def _assigned(self, assignment: worker_service_pb2.Assignment) -> None:
        lease = _key(assignment.lease)
        attempt = self._attempts[lease] = _Attempt(lease, assignment.job.output_size)
        if self.draining or len(self._running) >= self._slots:
            # It was sent before the server knew better: there is no slot for it any more.
            attempt.end(_released())
            self._speakers[lease] = None
            return
        self._running.add(lease)
        self._functions.start(lease, assignment, self._limits)

    def _stopped(self, lease: Lease, reason: worker_service_pb2.StopReason.ValueType) -> None:
        if reason == worker_service_pb2.STOP_REASON_LOST:
            self._lose(lease)
        elif lease in self._attempts and lease in self._running:
            self._functions.stop(lease, over=reason == worker_service_pb2.STOP_REASON_ENDED)

    def _taken(self, lease: Lease) -> None:
        attempt = self._attempts.get(lease)
        if attempt is not None and not attempt.report_due:
            attempt.report = None
            self._speakers[lease] = None

    def _settled(self, lease: Lease) -> None:
        attempt = self._attempts.get(lease)
        if attempt is not None and attempt.finish is not None:
            del self._attempts[lease]

    def _lose(self, lease: Lease) -> None:
        """Nothing that is said of it counts any more; while its function runs it takes up a slot all the same."""
        if self._attempts.pop(lease, None) is not None and lease in self._running:
            self._lost.add(lease)
            self._functions.stop(lease, over=True)

    def _wind_up(self, now: float) -> None:
        """One step after the other, towards the end."""
        if now >= self._drain_until:
            self._release()
        if self._attempts and now < self._drain_until + SETTLE_SECONDS:
            return
        if self.phase is Phase.WORKING:
            self.phase = Phase.LEAVING
            self._leave_due = True
            self._end_until = now + SETTLE_SECONDS
        elif self.phase is Phase.AWAY:
            self.phase = Phase.LEFT

    def _release(self) -> None:
        """Give back what has not ended by now."""
        for lease, attempt in self._attempts.items():
            if attempt.finish is None:
                attempt.keep(self._functions.take(lease))
                attempt.end(_released())
                self._speakers[lease] = None
                self._functions.stop(lease, over=True)


def _key(lease: worker_service_pb2.Lease) -> Lease:
    return Lease(lease.job_id, lease.fence)


def _lease(lease: Lease) -> worker_service_pb2.Lease:
    return worker_service_pb2.Lease(job_id=lease.job_id, fence=lease.fence)


def _released() -> worker_service_pb2.Finish:
    return worker_service_pb2.Finish(released=worker_service_pb2.Released())


def _finish(outcome: Outcome) -> worker_service_pb2.Finish:
    match outcome:
        case Succeeded(result):
            payload = None if result is None else job_pb2.Payload(content_type=result[0], data=result[1])
            return worker_service_pb2.Finish(succeeded=worker_service_pb2.Succeeded(result=payload))
        case Failed(reason, message, permanent):
            failed = worker_service_pb2.Failed(reason=reason, message=message, permanent=permanent)
            return worker_service_pb2.Finish(failed=failed)
        case Snoozed(seconds):
            return worker_service_pb2.Finish(snoozed=worker_service_pb2.Snoozed(delay=duration(seconds)))
