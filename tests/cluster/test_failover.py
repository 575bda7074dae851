"""A standby takes over from the primary: what goes on, what an asynchronous one has lost, and who notices that."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import NamedTuple

import grpc
import pytest

import slotd
from slotd import v1
from slotd.v1 import JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.cluster.conftest import Serve
from tests.cluster.log import assert_gapless, cursor_now, server_of, told
from tests.cluster.test_outages import follow, submit
from tests.fundamentals.handlers import gate
from tests.postgres import Cluster, missing, running
from tests.rpc.wire import outcome, refusal
from tests.service import Endpoint, LocalService, Start, reach

_JOBS = 40
"""How many each writer submits."""

_PATIENCE = 40
"""Seconds within which that many have been answered, on the slowest of machines."""


class Pair(NamedTuple):
    """A primary, and the standby that is to take over from it."""

    primary: Cluster
    standby: Cluster

    def url(self, database: str) -> str:
        """Names both, the standby first: which one takes writes is for the servers to find out."""
        return self.primary.url(database, f"127.0.0.1:{self.standby.port},127.0.0.1", self.primary.port)

    def leave_standby_behind(self) -> None:
        """It has all that has been committed so far, and gets nothing of what is committed from now on."""
        with self.primary.connect() as connection:
            connection.execute("SET synchronous_commit = remote_apply")
            connection.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        self.standby.stop()

    def lose_primary(self) -> None:
        """Of the two there is only the standby as it was when it was left behind, and that is the primary now."""
        self.primary.stop("immediate")
        self.standby.start()
        self.standby.promote()


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The parameter is the primary's synchronous_commit."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with (
        running(synchronous_standby_names="*", synchronous_commit=request.param) as primary,
        running(standby_of=primary) as standby,
    ):
        yield Pair(primary, standby)


AHEAD = (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD")

synchronous = pytest.mark.parametrize("pair", ["on"], indirect=True)
asynchronous = pytest.mark.parametrize("pair", ["local"], indirect=True)


@pytest.fixture
def database(pair: Pair) -> str:
    """The URL of an empty database, on both."""
    return pair.url(pair.primary.create())


def roam(services: list[LocalService], cursor: str) -> list[v1.JobEvent]:
    """What one is told who goes on to the next server with each message, to the job in the queue "last"."""
    events: list[v1.JobEvent] = []
    for service in cycle(services):
        call = service.at.jobs.Stream(v1.StreamRequest(cursor=cursor, include_progress=True))
        try:
            message = next(message for message in call if message.events)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - it may end otherwise, too
            continue
        call.cancel()
        cursor = message.cursor
        for event in message.events:
            events.append(event)
            if event.job.spec.queue == "last":
                return events
    raise AssertionError("there are no servers")


def refused(at: Endpoint, cursor: str) -> tuple[grpc.StatusCode, str]:
    return refusal(lambda: next(at.jobs.Stream(v1.StreamRequest(cursor=cursor))))[:2]


def look(at: Endpoint) -> None:
    """The server looks into its database, as it does by itself every few seconds; what it answers does not matter."""
    outcome(lambda: at.queues.GetStats(v1.GetStatsRequest()))


def epochs(cluster: Cluster, url: str) -> list[tuple[str]]:
    """The boots in whose names cursors have been given, oldest first."""
    return cluster.execute("SELECT id FROM boots ORDER BY number", database=url.rpartition("/")[2])


@synchronous
def test_a_synchronous_standby_takes_over_under_load_and_nothing_is_lost(
    pair: Pair, start: Start, database: str
) -> None:
    two = [start(slots=2, lease=1.0) for _ in range(2)]
    client = two[0].at.client
    held = [reach(client, client.submit("gated", "failover"), JOB_STATE_RUNNING) for _ in range(2)]
    cursor = cursor_now(two[0].at)
    before = epochs(pair.primary, database)
    answered = threading.Semaphore(0)

    def write(writer: int) -> list[str]:
        made = []
        for number in range(_JOBS):
            made.append(submit(two[writer].at.client, "count", 2, request_id=f"{writer}-{number}").id)
            answered.release()
        return made

    with ThreadPoolExecutor(5) as pool:
        followers = [*(pool.submit(follow, service, cursor) for service in two), pool.submit(roam, two, cursor)]
        writers = [pool.submit(write, writer) for writer in range(2)]
        for _ in range(_JOBS):
            assert answered.acquire(timeout=_PATIENCE)
        pair.primary.stop("immediate")
        for service in two:
            # The client tries for some two seconds, which is longer than the lease.
            with pytest.raises(slotd.Unavailable) as told_to_wait:
                service.at.client.submit("idle")
            assert told_to_wait.value.reason == "STORE_UNAVAILABLE"
            assert told_to_wait.value.retry_after is not None
        pair.standby.promote()
        made = [job_id for writer in writers for job_id in writer.result()]
        gate("failover").set()
        ended = [client.wait(job_id) for job_id in made]
        survivors = [client.wait(job) for job in held]
        submit(two[1].at.client, "idle", request_id="last", queue="last")
        records = [follower.result() for follower in followers]
    # One whose claim was in doubt when the primary went has been claimed again; what was never started does not count.
    assert {(job.state, job.attempt) for job in [*ended, *survivors]} == {(JOB_STATE_SUCCEEDED, 1)}
    assert [len(job.attempts) for job in survivors] == [1, 1]
    assert [server_of(job) for job in survivors] == [server_of(job) for job in held]
    assert_gapless(records[0])
    assert records[0] == records[1] == records[2] == told(two[0].at, cursor)[: len(records[0])]
    created = [event.job.id for event in records[0] if event.type == v1.EVENT_TYPE_CREATED]
    assert sorted(created[:-1]) == sorted(made), "what nobody was told of, or not what somebody was"
    assert len(client.list_servers()) == 2
    assert len(epochs(pair.standby, database)) == len(before) + 1


@asynchronous
def test_a_server_that_knew_what_is_lost_stops(pair: Pair, serve: Serve, start: Start) -> None:
    """It had committed it, or had only told its subscribers. One that is started then goes on from what there is."""
    server, teller = serve("before", slots=0), start(slots=0)
    at = server.connect()
    kept = at.client.submit("echo", 1, request_id="kept")
    cursor = cursor_now(at)
    pair.leave_standby_behind()
    gone = at.client.submit("echo", 2, request_id="lost")
    lost = cursor_now(at)
    assert [event.job.id for event in told(teller.at, cursor, gone.revision)] == [gone.id]
    pair.lose_primary()
    look(at)
    assert server.wait() == 1
    look(teller.at)
    assert teller.wait_stopped() is not None
    assert server.logged()[-1]["cause"] == "the store is at revision 1, and was at 2 before: what came between is lost"
    at = serve("after", slots=1).connect()
    assert refused(at, lost) == AHEAD
    again = [at.client.submit("echo", number, request_id=name) for number, name in ((1, "kept"), (2, "lost"))]
    assert again[0].id == kept.id
    assert at.client.wait(again[1]).state == JOB_STATE_SUCCEEDED
    assert refused(at, lost) == AHEAD
    assert {event.job.id for event in told(at, cursor)} == {job.id for job in again}


@asynchronous
def test_a_server_that_had_not_heard_of_what_is_lost_goes_on(pair: Pair, serve: Serve, database: str) -> None:
    """And no cursor of what is lost is ever taken for one of what is there instead. One that had heard of it stops,
    also where it comes so late that there is more by now than it knew of."""
    knows, deaf = serve("knows", slots=0, lease=60), serve("deaf", slots=0, lease=60)
    at = knows.connect()
    ours = deaf.connect()
    at.client.submit("echo", 1)
    kept = cursor_now(at)
    before = epochs(pair.primary, database)
    deaf.signal(signal.SIGSTOP)
    pair.leave_standby_behind()
    at.client.submit("echo", 2)
    lost = cursor_now(at)
    knows.signal(signal.SIGSTOP)
    pair.lose_primary()
    deaf.signal(signal.SIGCONT)
    made = [submit(ours.client, "echo", number, request_id=f"{number}").id for number in range(3)]
    # There is another event now where that cursor stood.
    assert refused(ours, lost) == AHEAD
    assert [event.job.id for event in told(ours, kept)] == made
    assert len(epochs(pair.standby, database)) == len(before) + 1
    knows.signal(signal.SIGCONT)
    look(at)
    assert knows.wait() == 1
    at = serve("new", slots=0).connect()
    assert refused(at, lost) == AHEAD
    assert [event.job.id for event in told(at, kept)] == made


def test_a_restart_is_no_failover(brittle: Cluster, brittle_database: str, start_brittle: Start) -> None:
    at = start_brittle().at
    before = epochs(brittle, brittle_database)
    cursor = cursor_now(at)
    job = at.client.submit_and_wait("idle")
    brittle.restart("immediate")
    again = submit(at.client, "idle", request_id="after")
    assert at.client.wait(again).state == JOB_STATE_SUCCEEDED
    assert {event.job.id for event in told(at, cursor)} == {job.id, again.id}
    assert epochs(brittle, brittle_database) == before
