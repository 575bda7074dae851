"""The worker over real gRPC, against a service that does what the test says."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

import slotd
from slotd import JobContext
from slotd.isolation.base import Lease
from slotd.outage import Backoff
from slotd.v1 import job_pb2
from slotd.v1 import worker_service_pb2 as pb
from tests.worker.fake import PATIENCE, FakeService, Hired, value
from tests.worker.station import key, wire

QUICK = Backoff(initial=0.01, maximum=0.05)

Hire = Callable[..., Hired]


@pytest.fixture
def service() -> Iterator[FakeService]:
    service = FakeService()
    yield service
    service.stop()


@pytest.fixture
def hire(service: FakeService) -> Iterator[Hire]:
    hired: list[Hired] = []

    def one(**handlers: Any) -> Hired:
        hired.append(Hired(service.address, handlers or {"echo": echo}, reconnect=QUICK))
        return hired[-1]

    yield one
    for each in hired:
        each.worker.stop(0)
    for each in hired:
        each.end()


def echo(ctx: JobContext, payload: object) -> object:
    return payload


class Gate:
    """A handler that waits until the test lets it go, deaf to all else. `begun` says that it has been called."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.ctx: JobContext | None = None

    def __call__(self, ctx: JobContext, payload: object) -> object:
        self.ctx = ctx
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return payload

    def wait_begun(self) -> JobContext:
        assert self.begun.wait(PATIENCE)
        assert self.ctx is not None
        return self.ctx


class TestRunning:
    def test_a_job_is_run_and_its_result_told(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        call = service.call()
        assert call.hello.hello.worker_id == hired.worker.worker_id
        assert call.hello.hello.client == f"slotd-python/{slotd.__version__}"
        assert (call.hello.hello.name, call.hello.slots) == ("hired", 2)
        call.welcome()
        assert hired.worker.wait_connected(PATIENCE)
        lease = call.assign("one", "echo", {"ü": [1, None]})
        finish = call.finish()
        assert key(finish) == lease
        assert value(finish) == {"ü": [1, None]}

    def test_the_handler_knows_its_job(self, service: FakeService, hire: Hire) -> None:
        def look(ctx: JobContext, payload: object) -> list[object]:
            assert ctx.deadline is not None
            return [ctx.job_id, ctx.attempt, ctx.kind, ctx.queue, dict(ctx.labels), payload]

        hire(look=look)
        call = service.call()
        call.welcome()
        job = job_pb2.Job(id="one", attempt=3, spec=job_pb2.JobSpec(kind="look", queue="q", labels={"a": "b"}))
        assignment = pb.Assignment(lease=wire(Lease("one", 7)), job=job)
        assignment.time_left.FromSeconds(5)
        call.say(assignments=[assignment])
        assert value(call.finish()) == ["one", 3, "look", "q", {"a": "b"}, None]

    def test_two_slots_run_two_at_once(self, service: FakeService, hire: Hire) -> None:
        together = threading.Barrier(2, timeout=PATIENCE)
        hire(meet=lambda ctx, payload: str(together.wait())[:0])
        call = service.call()
        call.welcome()
        leases = {call.assign("one", "meet"), call.assign("two", "meet")}
        finishes: list[pb.Finish] = []
        while len(finishes) < 2:
            finishes += call.next(lambda request: request.finishes).finishes
        call.say(settled=[finish.lease for finish in finishes])
        assert {key(finish) for finish in finishes} == leases

    def test_progress_and_output_are_reported_one_report_at_a_time(self, service: FakeService, hire: Hire) -> None:
        told, go = threading.Event(), threading.Event()

        def talk(ctx: JobContext, payload: object) -> None:
            ctx.write("first ")
            assert told.wait(PATIENCE)
            ctx.progress(1, 2, "half")
            ctx.write("second ")
            ctx.write("third")
            assert go.wait(PATIENCE)
            ctx.progress(2, 2)

        hire(talk=talk)
        call = service.call()
        call.welcome()
        call.assign("one", "talk")
        report = call.report()
        assert report.output == b"first "
        told.set()
        call.say(taken=[report.lease])
        report = call.report()
        assert report.progress.message == "half"
        go.set()
        finish = call.finish()
        assert report.output + finish.output == b"second third"
        assert finish.progress.done == 2

    def test_a_writer_waits_while_nobody_takes_what_it_wrote(self, service: FakeService, hire: Hire) -> None:
        def pour(ctx: JobContext, payload: object) -> None:
            for _ in range(64):
                ctx.write(b"x" * (1 << 16))

        hire(pour=pour)
        call = service.call()
        call.welcome()
        call.assign("one", "pour")
        output, _ = call.all_of_it()
        assert len(output) == 64 << 16

    def test_errors_are_told_with_their_kind(self, service: FakeService, hire: Hire) -> None:
        def fail(ctx: JobContext, payload: str) -> None:
            raise {"value": ValueError("bad"), "never": slotd.PermanentError("no"), "later": slotd.Snooze(2)}[payload]

        hire(fail=fail)
        call = service.call()
        call.welcome()
        call.assign("one", "fail", "value")
        failed = call.finish().failed
        assert (failed.reason, failed.message, failed.permanent) == ("HANDLER_ERROR", "ValueError: bad", False)
        call.assign("two", "fail", "never")
        assert call.finish().failed.permanent
        call.assign("three", "fail", "later")
        assert call.finish().snoozed.delay.seconds == 2

    def test_a_result_has_the_limit_that_the_server_says(self, service: FakeService, hire: Hire) -> None:
        hire()
        call = service.call()
        call.welcome(max_result_bytes=10)
        call.assign("one", "echo", "x" * 20)
        assert call.finish().failed.reason == "RESULT_TOO_LARGE"

    def test_an_async_handler_is_cancelled_where_it_waits(self, service: FakeService, hire: Hire) -> None:
        begun = threading.Event()

        async def wait(ctx: JobContext, payload: object) -> None:
            begun.set()
            await asyncio.Event().wait()

        hire(wait=wait)
        call = service.call()
        call.welcome()
        lease = call.assign("one", "wait")
        assert begun.wait(PATIENCE)
        call.say(stops=[pb.Stop(lease=wire(lease), reason=pb.STOP_REASON_CANCELLED)])
        assert call.finish().failed.reason == "CANCELLED"

    def test_one_that_is_over_ends_when_its_function_returns(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hire(gate=gate)
        call = service.call()
        call.welcome()
        lease = call.assign("one", "gate")
        ctx = gate.wait_begun()
        call.say(stops=[pb.Stop(lease=wire(lease), reason=pb.STOP_REASON_ENDED)])
        assert ctx.wait_cancelled(PATIENCE)
        assert call.silent()
        gate.go.set()
        assert key(call.finish()) == lease

    def test_the_slots_may_change_while_it_runs(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        call = service.call()
        call.welcome()
        hired.worker.resize(7)
        assert call.next(lambda request: request.HasField("slots")).slots == 7

    def test_it_gives_signs_of_life(self, service: FakeService, hire: Hire) -> None:
        hire()
        call = service.call()
        call.welcome(lease=4.0)
        assert call.next(lambda request: True) == pb.WorkRequest()


class TestResults:
    def test_a_handler_gets_what_its_job_depended_on(self, service: FakeService, hire: Hire) -> None:
        service.results = lambda job_id: [
            pb.ReadResultsResponse(name="a", result=slotd.encode([job_id])),
            pb.ReadResultsResponse(name="b"),
        ]
        hire(look=lambda ctx, payload: dict(ctx.results))
        call = service.call()
        call.welcome()
        call.assign("one", "look")
        assert value(call.finish()) == {"a": ["one"], "b": None}

    def test_it_gets_them_also_while_the_connection_is_cut(self, service: FakeService, hire: Hire) -> None:
        service.results = lambda job_id: [pb.ReadResultsResponse(name="a", result=slotd.encode(1))]
        gate = Gate()

        def look(ctx: JobContext, payload: object) -> object:
            gate(ctx, None)
            return ctx.results["a"]

        hire(look=look)
        call = service.call()
        call.welcome()
        lease = call.assign("one", "look")
        gate.wait_begun()
        service.stop()
        gate.go.set()
        service.start()
        call = service.call()
        call.welcome(lease)
        assert value(call.finish()) == 1


class TestProcesses:
    def test_the_server_s_limits_hold_there_too(self, service: FakeService) -> None:
        kinds = {"isolated/echo": echo, "isolated/burst": echo}
        hired = Hired(
            service.address,
            kinds,
            modules=["tests.isolation.handlers"],
            isolation="process",
            commands=["head"],
            reconnect=QUICK,
        )
        large = bytes(2 << 20)
        call = service.call()
        # More than is usual of a result, and less of output; then another service, where it is the other way round.
        call.welcome(max_result_bytes=3 << 20, max_output_bytes=10)
        call.assign("one", "isolated/echo", large)
        assert value(call.finish()) == large
        call.assign("two", "isolated/burst", 1)
        assert len(call.all_of_it()[0]) == 11
        call.assign("three", "command", {"argv": ["head", "-c", "1M", "/dev/zero"]})
        assert len(call.all_of_it()[0]) == 11
        call.end()
        call = service.call()
        call.welcome(max_result_bytes=10, max_output_bytes=18 << 20)
        call.assign("four", "isolated/echo", "x" * 20)
        assert call.finish().failed.reason == "RESULT_TOO_LARGE"
        call.assign("five", "isolated/burst", 18)
        assert len(call.all_of_it()[0]) == 18 << 20
        call.assign("six", "command", {"argv": ["head", "-c", "18M", "/dev/zero"]})
        assert len(call.all_of_it()[0]) == 18 << 20
        hired.worker.stop(0)
        hired.end()


class TestCuts:
    def test_what_runs_runs_on_over_a_restart_of_the_service(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hired = hire(gate=gate, echo=echo)
        call = service.call()
        call.welcome()
        one, two = call.assign("one", "gate", 1), call.assign("two", "echo", 2)
        gate.wait_begun()
        # Not settled: nobody knows whether the server has kept it.
        call.next(lambda request: request.finishes)
        service.stop()
        service.start()
        call = service.call()
        assert {Lease(held.job_id, held.fence) for held in call.hello.hello.held} == {one, two}
        assert call.hello.hello.worker_id == hired.worker.worker_id
        call.welcome(one, two)
        finish = call.finish()
        assert (key(finish), value(finish)) == (two, 2)
        gate.go.set()
        finish = call.finish()
        assert (key(finish), value(finish)) == (one, 1)

    def test_what_the_service_has_given_to_others_is_stopped(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hire(gate=gate)
        call = service.call()
        call.welcome()
        call.assign("one", "gate")
        ctx = gate.wait_begun()
        service.stop()
        service.start()
        call = service.call()
        call.welcome()
        assert call.next(lambda request: request.HasField("slots")).slots == 1
        assert ctx.wait_cancelled(PATIENCE)
        gate.go.set()
        request = call.next(lambda request: request.HasField("slots"))
        assert (request.slots, len(request.finishes)) == (2, 0)

    @pytest.mark.parametrize(
        "code",
        [grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED],
    )
    def test_whatever_ends_the_call_it_connects_again(
        self, service: FakeService, hire: Hire, code: grpc.StatusCode
    ) -> None:
        hire()
        for _ in range(3):
            call = service.call()
            call.welcome()
            call.end(code, "SHUTTING_DOWN")

    def test_a_service_that_says_nothing_is_left_after_a_lease(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hire(gate=gate)
        call = service.call()
        call.welcome(lease=3.0)
        lease = call.assign("one", "gate")
        gate.wait_begun()
        assert call.over.wait(PATIENCE)
        call = service.call()
        assert [held.job_id for held in call.hello.hello.held] == ["one"]
        call.welcome(lease)
        gate.go.set()
        assert key(call.finish()) == lease

    def test_it_goes_to_the_next_address_where_one_does_not_answer(self, service: FakeService) -> None:
        other = FakeService()
        nobody = FakeService()
        nobody.stop()
        hired = Hired([service.address, nobody.address, other.address], {"echo": echo}, reconnect=QUICK)
        service.call().end(grpc.StatusCode.UNAVAILABLE, "DRAINING")
        call = other.call()
        call.welcome()
        hired.worker.stop()
        call.wait_left()
        hired.wait()
        other.stop()

    def test_it_comes_back_within_the_lease_however_long_it_would_wait(self, service: FakeService) -> None:
        slow = Backoff(initial=3600, maximum=3600)
        hired = Hired(service.address, {"echo": echo}, reconnect=slow)
        call = service.call()
        call.welcome(lease=4.0)
        assert hired.worker.wait_connected(PATIENCE)
        call.end(grpc.StatusCode.UNAVAILABLE, "DRAINING")
        call = service.call()
        call.welcome()
        hired.worker.stop()
        call.wait_left()
        hired.wait()

    def test_it_may_be_there_before_the_service(self, service: FakeService, hire: Hire) -> None:
        service.stop()
        hired = hire()
        assert not hired.worker.wait_connected(0)
        service.start()
        service.call().welcome()
        assert hired.worker.wait_connected(PATIENCE)


class TestFatal:
    def test_another_process_with_its_identity(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hired = hire(gate=gate)
        call = service.call()
        call.welcome()
        call.assign("one", "gate")
        ctx = gate.wait_begun()
        call.end(grpc.StatusCode.ABORTED, "WORKER_REPLACED")
        with pytest.raises(slotd.Aborted) as raised:
            hired.wait()
        assert raised.value.reason == "WORKER_REPLACED"
        assert ctx.cancelled
        assert not hired.worker.wait_connected(0)
        gate.go.set()

    def test_another_aborted_is_no_reason_to_go(self, service: FakeService, hire: Hire) -> None:
        hire()
        service.call().end(grpc.StatusCode.ABORTED, "SOMETHING_ELSE")
        service.call().welcome()

    def test_what_it_says_of_itself_is_refused(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        service.call().end(grpc.StatusCode.INVALID_ARGUMENT, "INVALID")
        with pytest.raises(slotd.InvalidArgument):
            hired.wait()

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (grpc.StatusCode.UNIMPLEMENTED, slotd.Unimplemented),
            (grpc.StatusCode.UNAUTHENTICATED, slotd.Unauthenticated),
            (grpc.StatusCode.PERMISSION_DENIED, slotd.PermissionDenied),
        ],
    )
    def test_what_nobody_has_set_right_shows_at_once(
        self, service: FakeService, hire: Hire, code: grpc.StatusCode, kind: type[slotd.Error]
    ) -> None:
        hired = hire()
        service.call().end(code, "")
        with pytest.raises(kind):
            hired.wait()

    def test_a_fault_of_its_own_is_raised_where_it_runs(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        call = service.call()
        call.welcome()
        call.assign("one", "no-such-kind")
        with pytest.raises(KeyError):
            hired.wait()


class TestLeaving:
    def test_it_lets_what_runs_end_and_goes(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hired = hire(gate=gate)
        call = service.call()
        call.welcome()
        call.assign("one", "gate")
        gate.wait_begun()
        hired.worker.stop()
        assert call.next(lambda request: request.HasField("slots")).slots == 0
        gate.go.set()
        assert call.finish().WhichOneof("outcome") == "succeeded"
        call.wait_left()
        hired.wait()

    def test_it_gives_back_what_does_not_end(self, service: FakeService, hire: Hire) -> None:
        gate = Gate()
        hired = hire(gate=gate)
        call = service.call()
        call.welcome()
        call.assign("one", "gate")
        ctx = gate.wait_begun()
        hired.worker.stop(0)
        assert call.finish().WhichOneof("outcome") == "released"
        assert ctx.wait_cancelled(PATIENCE)
        call.wait_left()
        hired.wait()
        gate.go.set()

    def test_the_service_may_send_it_away(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        call = service.call()
        call.welcome()
        call.say(drain=True)
        call.wait_left()
        hired.wait()

    def test_stopped_before_it_ever_ran_it_does_not_even_connect(self, service: FakeService) -> None:
        worker = slotd.Worker(service.address, {"echo": slotd.handlers.Handler("echo", echo)})
        worker.stop()
        worker.run()
        with pytest.raises(RuntimeError, match="once"):
            worker.run()

    def test_stopped_where_there_is_no_service_it_is_gone_at_once(self, service: FakeService, hire: Hire) -> None:
        service.stop()
        hired = hire()
        hired.worker.stop()
        hired.wait()

    def test_a_thousand_stops_are_one(self, service: FakeService, hire: Hire) -> None:
        hired = hire()
        call = service.call()
        call.welcome()
        for _ in range(1000):
            hired.worker.stop()
        call.wait_left()
        hired.wait()


class TestMaking:
    @pytest.mark.parametrize(
        ("addresses", "more"),
        [([], {}), ("http://here", {}), (["127.0.0.1:1", ""], {}), ("127.0.0.1:1", {"slots": -1})],
    )
    def test_what_can_not_be_is_refused(self, addresses: Any, more: Any) -> None:
        with pytest.raises(ValueError, match=r"address|slots"):
            slotd.Worker(addresses, {"echo": slotd.handlers.Handler("echo", echo)}, **more)

    def test_without_handlers_there_is_nothing_to_do(self) -> None:
        with pytest.raises(ValueError, match="no handlers"):
            slotd.Worker(handlers={})

    def test_what_a_handler_declares_is_told(self, service: FakeService) -> None:
        handler = slotd.handlers.Handler(
            "k", echo, queue="q", priority=3, timeout=1.5, max_attempts=4, initial_backoff=0.0, jitter=0.0
        )
        plain = slotd.handlers.Handler("a", echo)
        worker = slotd.Worker(service.address, {"k": handler, "a": plain})
        threading.Thread(target=worker.run, daemon=True).start()
        call = service.call()
        first, second = call.hello.hello.kinds
        assert first == pb.WorkerKind(kind="a", defaults=first.defaults)
        assert not first.defaults.HasField("retry")
        assert (second.kind, second.queue, second.defaults.priority) == ("k", "q", 3)
        assert second.defaults.timeout.ToMilliseconds() == 1500
        assert second.defaults.retry.max_attempts == 4
        assert second.defaults.retry.HasField("initial_backoff")
        assert second.defaults.retry.HasField("jitter")
        assert not second.defaults.retry.HasField("max_backoff")
        call.welcome()
        worker.stop()
        call.wait_left()


def test_what_it_logs_holds_no_payload(service: FakeService, hire: Hire, caplog: pytest.LogCaptureFixture) -> None:
    def fail(ctx: JobContext, payload: str) -> None:
        ctx.write(payload)
        raise ValueError(payload)

    with caplog.at_level(logging.DEBUG, "slotd"):
        hired = hire(fail=fail)
        call = service.call()
        call.welcome()
        call.assign("one", "fail", "s3cret")
        call.finish()
        hired.worker.stop()
        call.wait_left()
        hired.wait()
    assert "connected to" in caplog.text
    assert "s3cret" not in caplog.text
