"""The database goes away and comes back, under load: nobody loses anything, and nobody has to do anything about it."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

import slotd
from slotd import v1
from slotd.errors import from_rpc_error
from slotd.requests import new_request_id
from slotd.v1 import JOB_STATE_CANCELLED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED, SubmitRequest
from tests.cluster.log import assert_gapless, cursor_now, server_of, told
from tests.faults.process import HANDLERS, ServerProcess
from tests.fundamentals.handlers import gate
from tests.postgres import Cluster
from tests.service import LocalService, Start, reach

_JOBS = 60
"""How many each writer submits."""

_PATIENCE = 40
"""Seconds within which an outage is over, on the slowest of machines."""


@pytest.fixture
def two(start_brittle: Start) -> list[LocalService]:
    """Two servers on a database that tests take down; their leases are shorter than an outage."""
    return [start_brittle(slots=2, lease=1.0) for _ in range(2)]


def submit(
    client: slotd.Client, kind: str, payload: object = None, *, request_id: str, queue: str | None = None
) -> v1.Job:
    """Submits as a caller does that does not give up: the same request until there is an answer."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return client.submit(kind, payload, request_id=request_id, queue=queue)
        except slotd.Unavailable:
            if time.monotonic() > end:
                raise


def follow(service: LocalService, cursor: str) -> list[v1.JobEvent]:
    """What a stream tells that goes on over all outages, to the job in the queue "last"."""
    events: list[v1.JobEvent] = []
    with service.at.client.stream(cursor=cursor, include_progress=True) as stream:
        for event in stream:
            events.append(event)
            if event.job.spec.queue == "last":
                break
    return events


def test_restarts_as_after_a_crash_under_load(brittle: Cluster, two: list[LocalService]) -> None:
    cursor = cursor_now(two[0].at)
    answered = threading.Semaphore(0)

    def write(writer: int) -> list[str]:
        made = []
        for number in range(_JOBS):
            job = submit(two[writer].at.client, "count", 2, request_id=f"{writer}-{number}")
            made.append(job.id)
            answered.release()
        return made

    with ThreadPoolExecutor(4) as pool:
        followers = [pool.submit(follow, service, cursor) for service in two]
        writers = [pool.submit(write, writer) for writer in range(2)]
        for _ in range(4):
            for _ in range(_JOBS // 4):
                assert answered.acquire(timeout=_PATIENCE)
            brittle.restart("immediate")
        made = [job_id for writer in writers for job_id in writer.result()]
        ended = [two[0].at.client.wait(job_id) for job_id in made]
        submit(two[1].at.client, "idle", request_id="last", queue="last")
        records = [follower.result() for follower in followers]
    assert {job.state for job in ended} == {JOB_STATE_SUCCEEDED}
    assert len(set(made)) == 2 * _JOBS
    assert records[0] == records[1]
    assert_gapless(records[0])
    created = [event.job.id for event in records[0] if event.type == v1.EVENT_TYPE_CREATED]
    assert sorted(created[:-1]) == sorted(made), "what nobody was told of, or not what somebody was"
    assert told(two[0].at, cursor)[: len(records[0])] == records[0]


def test_an_outage_expires_nobodys_lease(brittle: Cluster, two: list[LocalService]) -> None:
    """However long it takes: those whose leases these are could not renew them."""
    client = two[0].at.client
    jobs = [client.submit("gated", "outage") for _ in range(4)]
    running = [reach(client, job, JOB_STATE_RUNNING) for job in jobs]
    brittle.stop("immediate")
    for service in two:
        # The client tries for some two seconds, which is longer than the lease.
        with pytest.raises(slotd.Unavailable):
            service.at.client.submit("idle")
    brittle.start()
    gate("outage").set()
    ended = [client.wait(job) for job in jobs]
    assert [(job.state, len(job.attempts)) for job in ended] == [(JOB_STATE_SUCCEEDED, 1)] * 4
    assert [server_of(job) for job in ended] == [server_of(job) for job in running]
    assert len(client.list_servers()) == 2


def test_whoever_asks_while_it_is_away_hears_that_and_when_to_try_again(
    brittle: Cluster, two: list[LocalService]
) -> None:
    at = two[0].at
    job = at.client.submit_and_wait("idle")
    brittle.stop("immediate")
    spec = slotd.spec("idle")
    calls = (
        lambda: at.jobs.Submit(SubmitRequest(spec=spec)),
        lambda: at.jobs.Get(v1.GetRequest(id=job.id)),
        lambda: at.jobs.List(v1.ListRequest()),
        lambda: at.jobs.Cancel(v1.CancelRequest(id=job.id)),
        lambda: at.queues.GetStats(v1.GetStatsRequest()),
        lambda: at.queues.ListServers(v1.ListServersRequest()),
    )
    for call in calls:
        with pytest.raises(grpc.RpcError) as refused:
            call()
        error = from_rpc_error(refused.value, at.address)
        assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert error.retry_after is not None
        assert error.retry_after <= 1
    brittle.start()
    assert submit(at.client, "idle", request_id="after").id


def test_what_ends_while_it_is_away_is_recorded_when_it_is_back(brittle: Cluster, two: list[LocalService]) -> None:
    """By the server that ran it, from what it kept."""
    client = two[0].at.client
    jobs = [client.submit("gated", "meanwhile") for _ in range(4)]
    running = [reach(client, job, JOB_STATE_RUNNING) for job in jobs]
    brittle.stop("immediate")
    gate("meanwhile").set()
    with pytest.raises(slotd.Unavailable):
        client.submit("idle")
    brittle.start()
    ended = [client.wait(job) for job in jobs]
    assert [(job.state, len(job.attempts)) for job in ended] == [(JOB_STATE_SUCCEEDED, 1)] * 4
    assert {server_of(job) for job in ended} == {server_of(job) for job in running}
    for service in two:
        ledger = service.at.client.list_slots()
        assert (ledger.running, ledger.zombie) == (0, 0)


def test_connections_that_are_cut_are_made_again_and_nothing_is_missed(start: Start, postgres: Cluster) -> None:
    """Also what was notified while nobody listened: of their own accord they look once in an hour."""
    asked, runs = start(slots=0, poll=3600.0, lease=14_400.0), start(slots=2, poll=3600.0, lease=14_400.0)
    database = asked.settings.store.rpartition("/")[2]
    for _ in range(5):
        running = submit(asked.at.client, "patient", request_id=new_request_id())
        reach(asked.at.client, running, JOB_STATE_RUNNING)
        postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
        )
        job = submit(asked.at.client, "idle", request_id=new_request_id())
        cancelled = asked.at.client.cancel(running)
        assert asked.at.client.wait(job).state == JOB_STATE_SUCCEEDED
        assert runs.at.client.wait(cancelled).state == JOB_STATE_CANCELLED


def test_it_starts_to_stop_while_the_database_is_away(brittle: Cluster, two: list[LocalService]) -> None:
    brittle.stop("immediate")
    two[0].stop()
    brittle.start()
    assert submit(two[1].at.client, "idle", request_id="after").id


def test_slots_that_are_read_anew_while_it_is_away_hold_when_it_is_back(
    brittle: Cluster, brittle_database: str, tmp_path: Path
) -> None:
    config = tmp_path / "slotd.toml"
    config.write_text("slots = 2\n")
    server = ServerProcess(tmp_path / "log")
    try:
        server.begin(HANDLERS, store=brittle.url(brittle_database), config=config)
        client = server.connect().client
        brittle.stop("immediate")
        config.write_text("slots = 7\n")
        server.signal(signal.SIGHUP)
        while not _reloading(server):
            pass
        assert _reloading(server) == [("settings not reloaded yet: they wait for the store", 7)]
        brittle.start()
        while len(_reloading(server)) == 1:
            pass
        assert _reloading(server)[1:] == [("settings reloaded", 7)]
        assert client.list_slots().limit == 7
    finally:
        server.close()


def _reloading(server: ServerProcess) -> list[tuple[str, int]]:
    """What it has logged of its settings, and the slots in them."""
    return [(line["event"], line["slots"]) for line in server.logged() if line["event"].startswith("settings")]
