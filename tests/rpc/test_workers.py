"""WorkerService on the wire, spoken word by word: what a worker of whatever language may do, well or ill."""

from collections.abc import Callable

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from slotd import spec, v1
from tests.rpc.raw_worker import Wire, connected, hello
from tests.rpc.wire import refusal
from tests.service import Endpoint, Start, reach, reason

MIB = 1 << 20
NOBODYS = v1.Lease(job_id="01890a5d-ac96-774b-bcce-b302099a8057", fence=1)


@pytest.fixture
def at(start: Start) -> Endpoint:
    return start().at


def test_a_job_s_way_to_a_worker_and_back(at: Endpoint) -> None:
    with connected(at) as wire:
        job = at.client.submit("far", {"n": 1}, timeout=60)
        (assignment,) = wire.assigned()
        assert (assignment.job.id, assignment.job.spec.payload.data) == (job.id, b'{"n":1}')
        assert 0 < assignment.time_left.ToTimedelta().total_seconds() <= 60
        wire.report(assignment.lease, b"one ", 0)
        wire.hear(lambda heard: heard.taken)
        result = v1.Payload(content_type="text/plain", data=b"done")
        wire.finish(assignment.lease, succeeded=v1.Succeeded(result=result), output=b"two", output_offset=4)
        assert wire.hear(lambda heard: heard.settled).settled == [assignment.lease]
        ended = at.client.get(job)
        assert (ended.state, ended.result) == (v1.JOB_STATE_SUCCEEDED, result)
        assert ended.attempts[0].worker == "w1"
        assert b"".join(at.client.read_output(job)) == b"one two"


def test_it_is_never_given_more_than_it_offers(at: Endpoint) -> None:
    with connected(at, hello(slots=3)) as wire:
        at.client.submit_batch([spec("far")] * 10)
        first = wire.assigned(3)
        slots = at.queues.ListSlots(v1.ListSlotsRequest())
        assert (len(first), slots.pools[1].running, slots.pools[1].free) == (3, 3, 0)
        wire.finish(first[0].lease)
        assert len(wire.assigned()) == 1


def test_many_large_jobs_come_in_messages_that_anybody_takes(at: Endpoint) -> None:
    """As much at once as a client takes that has left gRPC's limit of 4 MiB as it is."""
    with connected(at, hello(slots=0)) as wire:
        jobs = [at.client.submit("far", bytes(MIB)) for _ in range(12)]
        wire.offer(12)
        found: list[v1.Assignment] = []
        while len(found) < 12:
            message = wire.next()
            assert message.ByteSize() < 4 * MIB
            found += message.assignments
        assert [one.job.id for one in found] == [job.id for job in jobs]


@pytest.mark.parametrize(
    ("outcome", "state", "why"),
    [
        ({"failed": v1.Failed(reason="TOO_HOT", message="it melts")}, v1.JOB_STATE_FAILED, "TOO_HOT"),
        ({"failed": v1.Failed(message="it melts")}, v1.JOB_STATE_FAILED, "HANDLER_ERROR"),
        (
            {"succeeded": v1.Succeeded(result=v1.Payload(data=bytes(MIB + 1)))},
            v1.JOB_STATE_FAILED,
            "RESULT_TOO_LARGE",
        ),
    ],
)
def test_how_an_attempt_can_end(at: Endpoint, outcome: dict[str, object], state: int, why: str) -> None:
    with connected(at) as wire:
        job = at.client.submit("far", max_attempts=1)
        wire.finish(wire.assigned()[0].lease, **outcome)
        ended = at.client.wait(job)
        assert (ended.state, reason(ended)) == (state, why)


def test_snoozed_and_released_attempts_do_not_count(at: Endpoint) -> None:
    with connected(at) as wire:
        at.client.submit("far", max_attempts=1)
        wire.finish(wire.assigned()[0].lease, snoozed=v1.Snoozed(delay=Duration(nanos=1000)))
        wire.finish(wire.assigned()[0].lease, released=v1.Released())
        (last,) = wire.assigned()
        assert (last.job.attempt, last.lease.fence) == (1, 3)


def test_cancel_reaches_it(at: Endpoint) -> None:
    with connected(at) as wire:
        job = at.client.submit("far")
        (assignment,) = wire.assigned()
        at.client.cancel(job)
        (stop,) = wire.hear(lambda heard: heard.stops).stops
        assert (stop.lease, stop.reason) == (assignment.lease, v1.STOP_REASON_CANCELLED)
        wire.finish(assignment.lease, failed=v1.Failed(reason="CANCELLED"))
        assert at.client.wait(job).state == v1.JOB_STATE_CANCELLED


def test_past_its_timeout_it_is_told_so_and_its_slot_is_a_zombie_s(at: Endpoint) -> None:
    with connected(at, hello(slots=1)) as wire:
        job = at.client.submit("far", timeout=0.01, max_attempts=1)
        # It may hear of both at once.
        heard = wire.hear(lambda heard: heard.assignments and heard.stops)
        (assignment,), (stop,) = heard.assignments, heard.stops
        assert stop.reason == v1.STOP_REASON_ENDED
        assert reason(at.client.wait(job)) == "TIMEOUT"
        assert at.queues.ListSlots(v1.ListSlotsRequest()).pools[1].zombie == 1
        other = at.client.submit("far")
        wire.finish(assignment.lease)
        assert wire.assigned()[0].job.id == other.id
        assert at.client.get(job).state == v1.JOB_STATE_FAILED


def test_over_a_broken_connection_its_attempt_goes_on(at: Endpoint) -> None:
    with connected(at) as before:
        job = at.client.submit("far")
        (assignment,) = before.assigned()
        before.report(assignment.lease, b"once ", 0)
        before.hear(lambda heard: heard.taken)
        before.break_off()
        wire = Wire(at, hello(held=[assignment.lease], slots=None))
        assert wire.welcome().held == [assignment.lease]
        wire.report(assignment.lease, b"once ", 0)
        wire.finish(assignment.lease, output=b"twice", output_offset=5)
        ended = at.client.wait(job)
        assert (ended.state, len(ended.attempts)) == (v1.JOB_STATE_SUCCEEDED, 1)
        assert b"".join(at.client.read_output(job)) == b"once twice"
        wire.break_off()


@pytest.mark.parametrize("end", [Wire.break_off, Wire.end_side])
def test_however_its_connection_ends_the_server_waits_for_it(at: Endpoint, end: Callable[[Wire], None]) -> None:
    with connected(at) as before:
        job = at.client.submit("far")
        (assignment,) = before.assigned()
        end(before)
        with connected(at, hello("w2")):
            assert at.client.get(job).state == v1.JOB_STATE_RUNNING
        with connected(at, hello(held=[assignment.lease], slots=None)) as wire:
            wire.finish(assignment.lease)
            assert len(at.client.wait(job).attempts) == 1


def test_a_second_one_with_the_same_identity_replaces_the_first(at: Endpoint) -> None:
    """What the first has is given back: the second has never heard of it."""
    with connected(at) as first:
        job = at.client.submit("far")
        first.assigned()
        with connected(at) as second:
            assert first.end() == (grpc.StatusCode.ABORTED, "WORKER_REPLACED")
            (again,) = second.assigned()
            assert (again.job.id, again.job.attempt, again.lease.fence) == (job.id, 1, 2)


def test_a_report_on_a_job_that_it_no_longer_holds_changes_nothing(at: Endpoint) -> None:
    with connected(at, hello("w1")) as first, connected(at, hello("w2", slots=0)) as second:
        job = at.client.submit("far")
        (mine,) = first.assigned()
        second.report(mine.lease, b"mine!", 0)
        (stop,) = second.hear(lambda heard: heard.stops).stops
        assert (stop.lease, stop.reason) == (mine.lease, v1.STOP_REASON_LOST)
        second.finish(mine.lease)
        assert second.hear(lambda heard: heard.settled).settled == [mine.lease]
        assert at.client.get(job).state == v1.JOB_STATE_RUNNING
        first.finish(mine.lease)
        assert at.client.wait(job).output_size == 0


def test_one_that_leaves_gives_back_what_it_has(at: Endpoint) -> None:
    with connected(at, hello("w1", slots=1)) as leaving:
        job = at.client.submit("far", max_attempts=1)
        leaving.assigned()
        with connected(at, hello("w2")) as staying:
            leaving.leave()
            (again,) = staying.assigned()
            assert (again.job.id, again.job.attempt) == (job.id, 1)
            workers = v1.WorkerServiceStub(at.channel).ListWorkers(v1.ListWorkersRequest()).workers
            assert [worker.id for worker in workers] == ["w2"]


def test_one_that_falls_silent_is_lost(start: Start) -> None:
    """It neither speaks nor breaks off, as one that is stopped in its tracks."""
    at = start(worker_lease=1.0).at
    with connected(at, hello("silent", slots=1)) as silent:
        job = at.client.submit("far")
        silent.assigned()
        assert silent.end() == (grpc.StatusCode.UNAVAILABLE, "WORKER_SILENT")
        again = reach(at.client, job, v1.JOB_STATE_QUEUED)
        assert (again.attempt, reason(again)) == (1, "WORKER_LOST")


def test_one_that_says_nothing_but_that_it_is_there_is_there(start: Start) -> None:
    at = start(worker_lease=1.0).at
    with connected(at, hello(slots=1)) as wire:
        job = at.client.submit("far")
        (assignment,) = wire.assigned()
        for _ in range(8):
            assert wire.next() == v1.WorkResponse()
            wire.say(v1.WorkRequest())
        wire.finish(assignment.lease)
        assert len(at.client.wait(job).attempts) == 1


def test_one_that_offers_nothing_any_more_gets_nothing(at: Endpoint) -> None:
    with connected(at) as wire:
        wire.offer(0)
        # Its answer says that all before it has been heard.
        wire.finish(NOBODYS)
        wire.hear(lambda heard: heard.settled)
        assert at.client.get(at.client.submit("far")).state == v1.JOB_STATE_QUEUED


def test_one_whose_connection_is_broken_gets_nothing_either(at: Endpoint) -> None:
    stub = v1.WorkerServiceStub(at.channel)
    with connected(at) as wire:
        wire.break_off()
        while stub.ListWorkers(v1.ListWorkersRequest()).workers[0].connected:
            pass
        assert at.client.get(at.client.submit("far")).state == v1.JOB_STATE_QUEUED


def test_a_server_says_something_at_least_four_times_a_lease(start: Start) -> None:
    at = start(worker_lease=1.0).at
    with connected(at, hello(slots=0)) as wire:
        assert wire.next() == v1.WorkResponse()


def test_a_kind_is_known_while_somebody_runs_it(at: Endpoint) -> None:
    with pytest.raises(Exception, match="no handler is registered"):
        at.client.submit("far")
    with connected(at) as wire:
        at.client.submit("far")
        wire.leave()
    with pytest.raises(Exception, match="no handler is registered"):
        at.client.submit("far")


def test_unknown_kinds_may_wait_for_somebody(start: Start) -> None:
    at = start(unknown_kinds="wait").at
    job = at.client.submit("far")
    assert job.state == v1.JOB_STATE_QUEUED
    with connected(at) as wire:
        assert wire.assigned()[0].job.id == job.id


def test_workers_are_listed_with_their_slots(at: Endpoint) -> None:
    with connected(at, hello("w1", "far", "wide", slots=3)) as wire:
        at.client.submit("far")
        wire.assigned()
        (worker,) = v1.WorkerServiceStub(at.channel).ListWorkers(v1.ListWorkersRequest()).workers
        assert (worker.id, worker.name, list(worker.kinds)) == ("w1", "far away", ["far", "wide"])
        assert (worker.slots, worker.running, worker.connected, worker.draining) == (3, 1, True, False)
        (server,) = at.queues.ListServers(v1.ListServersRequest()).servers
        assert (server.id, server.workers, "wide" in server.kinds) == (worker.server, 1, True)


def test_a_worker_can_be_asked_to_leave(at: Endpoint) -> None:
    with connected(at) as wire:
        stub = v1.WorkerServiceStub(at.channel)
        answer = stub.DrainWorker(v1.DrainWorkerRequest(worker_id="w1"))
        assert (answer.worker.id, answer.worker.draining) == ("w1", True)
        assert wire.hear(lambda heard: heard.drain).drain
        assert at.client.get(at.client.submit("far")).state == v1.JOB_STATE_QUEUED
        refused = refusal(lambda: stub.DrainWorker(v1.DrainWorkerRequest(worker_id="w2")))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "WORKER_NOT_FOUND")


def test_one_that_was_asked_over_a_dead_connection_hears_it_over_the_next(at: Endpoint) -> None:
    stub = v1.WorkerServiceStub(at.channel)
    with connected(at):
        # Nobody reads what is said over this one any more.
        assert stub.DrainWorker(v1.DrainWorkerRequest(worker_id="w1")).worker.draining
        with connected(at) as wire:
            assert wire.hear(lambda heard: heard.drain).drain
            (worker,) = stub.ListWorkers(v1.ListWorkersRequest()).workers
            assert (worker.connected, worker.draining) == (True, True)
            assert at.client.get(at.client.submit("far")).state == v1.JOB_STATE_QUEUED


def test_one_that_is_away_can_be_asked_too(at: Endpoint) -> None:
    stub = v1.WorkerServiceStub(at.channel)
    with connected(at) as before:
        before.break_off()
        while stub.ListWorkers(v1.ListWorkersRequest()).workers[0].connected:
            pass
        answer = stub.DrainWorker(v1.DrainWorkerRequest(worker_id="w1"))
        assert (answer.worker.connected, answer.worker.draining) == (False, True)
        with connected(at) as wire:
            assert wire.hear(lambda heard: heard.drain).drain
            assert at.client.get(at.client.submit("far")).state == v1.JOB_STATE_QUEUED


def test_it_can_read_what_its_job_depends_on(at: Endpoint) -> None:
    first = at.client.wait(at.client.submit("add", [1, 2]))
    with connected(at) as wire:
        job = at.client.submit("far", depends_on=[first.id])
        wire.assigned()
        stub = v1.WorkerServiceStub(at.channel)
        (result,) = stub.ReadResults(v1.ReadResultsRequest(job_id=job.id))
        assert (result.name, result.result) == (first.id, first.result)


@pytest.mark.parametrize(
    "says",
    [
        [v1.WorkRequest()],
        [v1.WorkRequest(slots=2)],
        [hello(), hello()],
        [v1.WorkRequest(hello=v1.Hello(worker_id="w1"))],
        [v1.WorkRequest(hello=v1.Hello(kinds=[v1.WorkerKind(kind="far")]))],
        [hello("w1", "far", "far")],
        [hello("not a name!")],
        [hello(slots=-1)],
        [hello(slots=10_001)],
        [hello(held=[v1.Lease(job_id="x", fence=1)])],
        [hello(held=[v1.Lease(job_id=NOBODYS.job_id)])],
        [hello(), v1.WorkRequest(reports=[v1.Report(output=b"x")])],
        [hello(), v1.WorkRequest(reports=[v1.Report(lease=NOBODYS, output=bytes(MIB + 1))])],
        [hello(), v1.WorkRequest(finishes=[v1.Finish(lease=NOBODYS)])],
        [hello(), v1.WorkRequest(finishes=[v1.Finish(lease=NOBODYS, failed=v1.Failed(reason="not upper"))])],
        [hello(), v1.WorkRequest(reports=[v1.Report(lease=NOBODYS, progress=v1.Progress(done=-1))])],
    ],
)
def test_what_can_t_be_ends_the_connection_with_what_is_wrong(at: Endpoint, says: list[v1.WorkRequest]) -> None:
    assert Wire(at, *says).end() == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


def test_one_that_does_not_say_who_it_is_is_cut_off(start: Start) -> None:
    at = start(worker_lease=1.0).at
    assert Wire(at).end() == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


def test_one_that_does_not_wait_for_its_reports_to_be_taken_is_cut_off(start: Start) -> None:
    at = start(report_interval=60.0).at
    with connected(at) as wire:
        at.client.submit("far")
        (assignment,) = wire.assigned()
        for number in range(5):
            wire.report(assignment.lease, bytes(MIB), number * MIB)
        assert wire.end() == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


def test_there_are_only_so_many(start: Start) -> None:
    at = start(max_workers=1).at
    with connected(at):
        assert Wire(at, hello("w2")).end() == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")


def test_a_server_that_stops_sends_its_workers_away_with_what_they_have(start: Start) -> None:
    service = start(drain_timeout=5.0)
    with connected(service.at) as wire:
        service.at.client.submit("far")
        wire.assigned()
        service.ask_to_stop()
        assert wire.end() == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
