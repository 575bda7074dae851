"""A session with a scripted server on one side and scripted functions on the other, and a clock that tests move."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from slotd.attempts import Outcome, Succeeded
from slotd.context import Told
from slotd.isolation.base import NOTHING, Lease, Limits
from slotd.v1 import job_pb2
from slotd.v1 import worker_service_pb2 as pb
from slotd.worker.session import Phase, Session

LEASE = 12.0
DRAIN = 30.0


class Script:
    """The functions: `running` ones end when a test says so. `waiting` is what each has told that nobody has taken."""

    def __init__(self) -> None:
        self.started: list[Lease] = []
        self.running: set[Lease] = set()
        self.stopped: list[tuple[Lease, bool]] = []
        self.waiting: dict[Lease, Told] = {}
        self.limits = Limits(0, 0)

    def start(self, lease: Lease, assignment: pb.Assignment, limits: Limits) -> None:
        assert lease not in self.started, "started twice"
        self.started.append(lease)
        self.running.add(lease)
        self.limits = limits

    def stop(self, lease: Lease, *, over: bool) -> None:
        self.stopped.append((lease, over))

    def take(self, lease: Lease) -> Told:
        return self.waiting.pop(lease, NOTHING)


class Station:
    """`asks` is what the session has sent, without what was looked at; `now` is the time."""

    def __init__(self, slots: int = 2) -> None:
        self.functions = Script()
        hello = pb.Hello(worker_id="w-1", name="here", kinds=[pb.WorkerKind(kind="k")], client="slotd-test/1")
        self.session = Session(hello, slots, self.functions, drain_timeout=DRAIN)
        self.now = 1000.0

    def ask(self) -> pb.WorkRequest | None:
        """What the session sends next."""
        return self.session.next_request(self.now)

    def asked(self) -> pb.WorkRequest:
        """What it sends next, which must be something."""
        request = self.ask()
        assert request is not None
        return request

    def say(self, **fields: Any) -> None:
        """The server says something."""
        self.session.received(pb.WorkResponse(**fields), self.now)

    def connect(self, held: Iterable[Lease] = (), *, lease: float = LEASE) -> pb.WorkRequest:
        """Connects, up to the welcome. Returns the first request."""
        self.session.connected(self.now)
        hello = self.asked()
        assert self.ask() is None, "it speaks before it is welcome"
        self.welcome(held, lease=lease)
        return hello

    def welcome(self, held: Iterable[Lease] = (), *, lease: float = LEASE) -> None:
        span = Duration()
        span.FromNanoseconds(round(lease * 1e9))
        welcome = pb.Welcome(
            lease=span, held=[wire(one) for one in held], server="s", max_result_bytes=100, max_output_bytes=1 << 22
        )
        self.say(welcome=welcome)

    def assign(self, *names: str) -> list[Lease]:
        """Assigns a job each; their leases."""
        leases = [Lease(name, 1) for name in names]
        self.say(assignments=[assignment(lease) for lease in leases])
        return leases

    def tell(self, lease: Lease, output: bytes = b"", progress: tuple[int, int, str] | None = None) -> None:
        """The function tells something."""
        before = self.functions.waiting.get(lease, NOTHING)
        self.functions.waiting[lease] = Told(progress or before.progress, before.output + output)
        self.session.told(lease)

    def end(self, lease: Lease, outcome: Outcome = Succeeded(None), told: Told | None = None) -> None:  # noqa: B008
        """The function returns."""
        self.functions.running.discard(lease)
        self.session.finished(lease, outcome, told or self.functions.take(lease))

    def cut(self) -> None:
        """The connection breaks."""
        self.session.broken()

    def pass_time(self, seconds: float) -> bool:
        """Time passes at once; whether the call is to be broken off."""
        self.now += seconds
        return self.session.tick(self.now)

    def at(self, phase: Phase) -> bool:
        """Whether it is there now."""
        return self.session.phase is phase


def wire(lease: Lease) -> pb.Lease:
    """For the wire."""
    return pb.Lease(job_id=lease.job_id, fence=lease.fence)


def key(message: pb.Report | pb.Finish | pb.Stop | pb.Assignment) -> Lease:
    """Whose a message is."""
    return Lease(message.lease.job_id, message.lease.fence)


def assignment(lease: Lease) -> pb.Assignment:
    """One of kind `k`."""
    return pb.Assignment(lease=wire(lease), job=job_pb2.Job(id=lease.job_id, spec=job_pb2.JobSpec(kind="k")))
