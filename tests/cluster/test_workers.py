"""A worker of servers that share a database: its attempts go where it goes, and outlive its server."""

from slotd import v1
from slotd.v1 import JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.cluster.conftest import Serve
from tests.cluster.test_leases import here, reasons
from tests.rpc.raw_worker import Wire, connected, hello
from tests.rpc.wire import refusal
from tests.service import Endpoint, Start, reach

LEASE = 1.5
"""Of servers, in seconds."""


def slots(at: Endpoint) -> tuple[int, int]:
    """How many slots run something there, and how many there are."""
    found = at.queues.ListSlots(v1.ListSlotsRequest())
    return found.running, found.slots


def submit(at: Endpoint, kind: str = "far") -> v1.Job:
    """Waits for the kind to be known there: servers hear of each other's workers within their poll."""
    while True:
        try:
            return at.client.submit(kind)
        except Exception as error:
            if "no handler is registered" not in str(error):
                raise


def test_a_job_of_any_server_reaches_the_worker_of_another(start: Start) -> None:
    one, other = start(slots=1, poll=0.1).at, start(slots=1, poll=0.1).at
    with connected(one) as wire:
        job = submit(other)
        (assignment,) = wire.assigned()
        wire.finish(assignment.lease)
        assert other.client.wait(job).attempts[0].server == here(one)
        (worker,) = v1.WorkerServiceStub(other.channel).ListWorkers(v1.ListWorkersRequest()).workers
        assert (worker.id, worker.server) == ("w1", here(one))
        drain = v1.DrainWorkerRequest(worker_id="w1")
        assert refusal(lambda: v1.WorkerServiceStub(other.channel).DrainWorker(drain)).reason == "WORKER_ELSEWHERE"


def test_it_takes_its_attempts_along_to_another_living_server(start: Start) -> None:
    one, other = start(slots=1, poll=0.1).at, start(slots=1, poll=0.1).at
    with connected(one) as before:
        job = one.client.submit("far")
        (assignment,) = before.assigned()
        before.break_off()
        with connected(other, hello(held=[assignment.lease], slots=None)) as wire:
            assert slots(other)[0] == 1
            while slots(one) != (0, 1):
                pass
            wire.finish(assignment.lease)
            ended = other.client.wait(job)
            assert (ended.state, len(ended.attempts)) == (JOB_STATE_SUCCEEDED, 1)
            assert slots(other)[0] == 0


def test_what_its_dead_server_had_waits_for_it_with_another(serve: Serve) -> None:
    """The others take it over when the server's lease is over, and then wait for the worker for a lease of its own."""
    victim, second = serve("victim", slots=0, lease=LEASE), serve("second", slots=0, lease=LEASE)
    ours, at = victim.connect(), second.connect()
    wire = Wire(ours, hello())
    wire.welcome()
    job = ours.client.submit("far")
    (assignment,) = wire.assigned()
    victim.kill()
    while slots(at)[0] == 0:
        pass
    assert at.client.get(job).state == JOB_STATE_RUNNING
    with connected(at, hello(held=[assignment.lease], slots=None)) as again:
        again.finish(assignment.lease)
        ended = at.client.wait(job)
        assert (ended.state, len(ended.attempts)) == (JOB_STATE_SUCCEEDED, 1)


def test_it_may_be_with_another_server_before_its_own_is_missed(serve: Serve) -> None:
    victim, second = serve("victim", slots=0, lease=LEASE), serve("second", slots=0, lease=LEASE)
    ours, at = victim.connect(), second.connect()
    wire = Wire(ours, hello())
    wire.welcome()
    job = ours.client.submit("far")
    (assignment,) = wire.assigned()
    victim.kill()
    with connected(at, hello(held=[assignment.lease], slots=None)) as again:
        # Its own server is buried only now.
        while len(at.client.list_servers()) > 1:
            pass
        again.finish(assignment.lease)
        ended = at.client.wait(job)
        assert (ended.state, len(ended.attempts)) == (JOB_STATE_SUCCEEDED, 1)


def test_one_that_comes_to_nobody_is_lost(serve: Serve) -> None:
    victim, second = serve("victim", slots=0, lease=LEASE), serve("second", slots=0, lease=LEASE, worker_lease=1)
    ours, at = victim.connect(), second.connect()
    wire = Wire(ours, hello())
    wire.welcome()
    job = ours.client.submit("far")
    wire.assigned()
    victim.kill()
    again = reach(at.client, job, v1.JOB_STATE_QUEUED)
    assert reasons(again) == ["WORKER_LOST"]
    assert slots(at) == (0, 0)
