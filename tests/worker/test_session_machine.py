"""The session against a model of a server, in any order in which things may happen: messages that travel slowly or not
at all, functions that tell and return whenever they like, restarts, drains. See `model.py` for what must never be said.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from slotd.attempts import Failed, Succeeded
from slotd.isolation.base import Lease, Limits
from slotd.v1 import worker_service_pb2 as pb
from slotd.worker.session import SETTLE_SECONDS, Phase
from tests.worker.model import Server
from tests.worker.station import LEASE, Station

DRAIN_SECONDS = 5.0


class Sessions(RuleBasedStateMachine):
    """One worker and one server that take turns."""

    def __init__(self) -> None:
        super().__init__()
        self.station = Station(slots=2)
        self.server = Server()
        self.slots = 2
        self.told: dict[Lease, bytes] = {}
        self.progress: dict[Lease, tuple[int, int, str]] = {}
        self.outcomes: dict[Lease, str] = {}
        self.drained_at: float | None = None
        start = self.station.functions.start

        def counted(lease: Lease, assignment: pb.Assignment, limits: Limits) -> None:
            assert len(self.running) < self.slots, "more functions than slots"
            assert self.drained_at is None, "it has taken something after it was told to leave"
            start(lease, assignment, limits)

        self.station.functions.start = counted  # type: ignore[method-assign]

    @property
    def running(self) -> list[Lease]:
        return sorted(self.station.functions.running)

    @property
    def session_is_connected(self) -> bool:
        return self.station.session.phase in (Phase.GREETING, Phase.WORKING, Phase.LEAVING)

    @initialize()
    def begin(self) -> None:
        self.connect()
        self.travel(whole=True)

    # The connection.

    @precondition(lambda self: self.station.at(Phase.AWAY))
    @rule()
    def connect(self) -> None:
        self.server.connect()
        self.station.session.connected(self.station.now)

    @precondition(lambda self: self.session_is_connected and self.station.session.held)
    @rule(restarted=st.booleans(), swallows=st.booleans(), heard=st.booleans(), returns=st.booleans())
    def break_and_return(self, restarted: bool, swallows: bool, heard: bool, returns: bool) -> None:
        self.cut(restarted, swallows, heard)
        if returns and self.station.at(Phase.AWAY):
            self.connect()
            self.travel(whole=True)

    def cut(self, restarted: bool, swallows: bool = False, heard: bool = False) -> None:
        """It may swallow what was sent last, or the answer to it."""
        if swallows:
            self.send()
        while heard and self.server.inbox:
            self.server.hear()
        self.server.restart() if restarted else self.server.cut()
        self.station.cut()

    @precondition(lambda self: self.session_is_connected)
    @rule(whole=st.booleans())
    def travel(self, whole: bool) -> None:
        """A step of each, or all that there is."""
        for _ in range(10 if whole else 1):
            self.send()
            if self.server.inbox:
                self.server.hear()
            if self.server.outbox:
                self.arrive_at_worker()

    def send(self) -> None:
        request = self.station.ask()
        if request is not None:
            assert not self.server.left, "it speaks after it has said that it leaves"
            assert request.leave == self.station.at(Phase.LEAVING)
            # As it is now: the wire has a copy.
            copy = pb.WorkRequest()
            copy.CopyFrom(request)
            self.server.inbox.append(copy)

    def arrive_at_worker(self) -> None:
        self.station.session.received(self.server.outbox.pop(0), self.station.now)

    @precondition(lambda self: self.server.left and self.station.at(Phase.LEAVING) and not self.server.outbox)
    @rule()
    def end_call(self) -> None:
        self.server.cut()
        self.station.cut()

    # The server.

    @precondition(lambda self: self.server.connected and self.server.free > 0)
    @rule(arrives=st.booleans())
    def assign(self, arrives: bool) -> None:
        while self.server.free > 0:
            self.server.assign()
        if arrives:
            self.travel(whole=True)

    @precondition(lambda self: self.server.held)
    @rule(data=st.data(), reason=st.sampled_from([pb.STOP_REASON_CANCELLED, pb.STOP_REASON_ENDED]))
    def stop(self, data: st.DataObject, reason: pb.StopReason.ValueType) -> None:
        self.server.stop(data.draw(st.sampled_from(sorted(self.server.held))), reason)

    @precondition(lambda self: len(self.server.held) > 1)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        self.server.give_up(data.draw(st.sampled_from(sorted(self.server.held))))

    @precondition(lambda self: any(held.waiting for held in self.server.held.values()))
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        waiting = sorted(lease for lease, held in self.server.held.items() if held.waiting)
        self.server.take(data.draw(st.sampled_from(waiting)))

    # The functions.

    @precondition(lambda self: self.running)
    @rule(data=st.data(), with_progress=st.booleans())
    def tell(self, data: st.DataObject, with_progress: bool) -> None:
        self.tell_of(data.draw(st.sampled_from(self.running)), with_progress)

    def tell_of(self, lease: Lease, with_progress: bool) -> None:
        before = self.told.get(lease, b"")
        piece = f"{len(before)},".encode()
        self.told[lease] = before + piece
        progress = (len(before), 0, "") if with_progress else None
        if progress is not None:
            self.progress[lease] = progress
        self.station.tell(lease, piece, progress)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), good=st.booleans(), tells=st.booleans())
    def finish(self, data: st.DataObject, good: bool, tells: bool) -> None:
        lease = data.draw(st.sampled_from(self.running))
        if tells:
            self.tell_of(lease, with_progress=good)
        self.outcomes[lease] = "succeeded" if good else "failed"
        self.station.end(lease, Succeeded(("x/y", b"1")) if good else Failed("NO_LUCK", "it rained"))

    # The worker.

    @precondition(lambda self: self.drained_at is None)
    @rule(slots=st.sampled_from([2, 3, 1, 0]))
    def resize(self, slots: int) -> None:
        self.slots = slots
        self.station.session.resize(slots)

    @precondition(lambda self: self.drained_at is None and self.server.jobs > 5)
    @rule()
    def drain(self) -> None:
        self.drained_at = self.station.now
        self.station.session.drain(self.station.now, DRAIN_SECONDS)

    @precondition(lambda self: self.station.session.held or self.drained_at is not None)
    @rule(seconds=st.sampled_from([0.1, 0.1, 1.0, LEASE]))
    def pass_time(self, seconds: float) -> None:
        if self.station.pass_time(seconds) and self.session_is_connected:
            self.cut(restarted=False)
            self.station.pass_time(0)

    # What holds at all times, and what comes out in the end.

    @invariant()
    def it_holds_what_it_may(self) -> None:
        for lease, ended in self.server.ended.items():
            if ended.outcome in ("succeeded", "failed"):
                assert ended.outcome == self.outcomes[lease]
                assert ended.output == self.told.get(lease, b"")
                assert ended.progress == self.progress.get(lease)
            elif lease in self.outcomes and ended.outcome == "given back" and self.drained_at is None:
                raise AssertionError("what had ended was given back")
            assert self.told.get(lease, b"").startswith(ended.output)

    def teardown(self) -> None:
        """In the end nothing is left on its way, and both sides agree."""
        self.settle()
        session = self.station.session
        assert not session.draining or session.phase is not Phase.AWAY or session.held
        if session.phase is Phase.LEFT:
            assert not self.server.held or self.drained_at is not None
            return
        assert set(self.server.held) == set(self.running) - self.lost(), "an end was lost"
        assert session.held == len(self.server.held)
        for lease, held in self.server.held.items():
            assert held.output == self.told.get(lease, b""), "not all that was told has arrived"
        expected = 0 if session.draining else max(0, self.slots - session.lost)
        assert self.server.offered == expected
        if session.draining:
            self.wait_left()

    def settle(self) -> None:
        for _ in range(200):
            if self.station.at(Phase.LEFT):
                return
            if self.station.at(Phase.AWAY):
                self.connect()
            self.send()
            while self.server.inbox:
                self.server.hear()
            for lease in [lease for lease, held in self.server.held.items() if held.waiting]:
                self.server.take(lease)
            while self.server.outbox:
                self.arrive_at_worker()
            if self.server.left:
                self.end_call()

    def lost(self) -> set[Lease]:
        return {lease for lease in self.running if lease not in self.server.held}

    def wait_left(self) -> None:
        """What has not ended by now is given back, and the worker goes."""
        self.station.pass_time(DRAIN_SECONDS)
        self.settle()
        self.station.pass_time(SETTLE_SECONDS)
        self.settle()
        assert self.station.at(Phase.LEFT)
        assert not self.server.held
        assert self.station.ask() is None


TestSessions = Sessions.TestCase
TestSessions.settings = settings(stateful_step_count=60)
