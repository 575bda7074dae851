"""Several servers on one database are one service: whatever is asked, it does not matter whom."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import slotd
from slotd import decode
from slotd.v1 import (
    DELIVERY_EVERY,
    JOB_STATE_CANCELLED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SUCCEEDED,
)
from tests.cluster.log import cursor_now, most_at_once, revision_now, runs_on, server_of, told
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Start, reach

DEAF = {"poll": 3600.0, "lease": 14_400.0}
"""Settings of a server that looks at nothing of its own accord within a test, but for what it is told."""


def test_what_one_has_answered_all_others_answer_at_once(three: list[LocalService]) -> None:
    for number, (one, other) in enumerate(permutations(three, 2)):
        job = one.at.client.submit("idle", priority=number)
        assert other.at.client.get(job).spec == job.spec
        assert job.id in {found.id for found in other.at.client.list()}
        assert revision_now(other.at) >= job.revision


def test_a_job_is_waited_for_read_and_deleted_through_any(start: Start) -> None:
    runs, asked = start(slots=1), start(slots=0)
    job = asked.at.client.submit("print-then-wait", "elsewhere")
    output = asked.at.client.read_output(job, follow=True)
    assert next(output) == b"before\n"
    assert server_of(reach(asked.at.client, job, JOB_STATE_RUNNING)) == runs.at.client.list_servers()[0].id
    gate("elsewhere").set()
    ended = asked.at.client.wait(job)
    assert (ended.state, b"".join(output)) == (JOB_STATE_SUCCEEDED, b"after\n")
    asked.at.client.delete(job)
    assert not list(runs.at.client.list())


def test_a_running_job_is_cancelled_through_a_server_that_does_not_run_it(start: Start) -> None:
    """And without the poll: that somebody asked is an event, of which the one that runs it hears."""
    runs, asked = start(slots=1, **DEAF), start(slots=0, **DEAF)
    job = asked.at.client.submit("patient")
    reach(asked.at.client, job, JOB_STATE_RUNNING)
    assert asked.at.client.cancel(job).cancel_requested
    assert asked.at.client.wait(job).state == JOB_STATE_CANCELLED
    assert runs.at.client.get(job).state == JOB_STATE_CANCELLED


def test_a_running_job_is_deleted_through_a_server_that_does_not_run_it(start: Start) -> None:
    runs, asked = start(slots=1, **DEAF), start(slots=0, **DEAF)
    job = asked.at.client.submit("patient")
    reach(asked.at.client, job, JOB_STATE_RUNNING)
    asked.at.client.delete(job, force=True)
    # The slot is free again once the function has heard of it.
    assert asked.at.client.submit_and_wait("idle").state == JOB_STATE_SUCCEEDED
    assert runs.at.client.list_slots().running == 0


def test_capacity_adds_up(three: list[LocalService]) -> None:
    client = three[0].at.client
    cursor = cursor_now(three[0].at)
    jobs = client.submit_batch([slotd.spec("gated", "capacity") for _ in range(7)])
    running = [reach(client, job, JOB_STATE_RUNNING) for job in jobs[:6]]
    assert client.get(jobs[6]).state == JOB_STATE_QUEUED
    servers = client.list_servers()
    assert sorted(server_of(job) for job in running) == sorted([one.id for one in servers] * 2)
    assert [(ledger.slots, ledger.running) for ledger in (one.at.client.list_slots() for one in three)] == [(2, 2)] * 3
    gate("capacity").set()
    for job in jobs:
        assert client.wait(job).state == JOB_STATE_SUCCEEDED
    assert most_at_once(told(three[1].at, cursor), runs_on) == {one.id: 2 for one in servers}


def test_many_jobs_submitted_everywhere_run_everywhere_each_once(three: list[LocalService]) -> None:
    cursor = cursor_now(three[0].at)
    with ThreadPoolExecutor(len(three)) as pool:
        batches = [[slotd.spec("add", [number, 1], queue=f"q{number % 3}") for number in range(100)] for _ in three]
        made = list(pool.map(lambda one, batch: one.at.client.submit_batch(batch), three, batches))
    for service, jobs in zip(three[::-1], made, strict=True):
        ended = [service.at.client.wait(job) for job in jobs]
        assert [decode(job.result) for job in ended] == [number + 1 for number in range(100)]
        assert all(len(job.attempts) == 1 for job in ended)
    events = told(three[0].at, cursor)
    assert set(most_at_once(events, runs_on)) == {one.id for one in three[0].at.client.list_servers()}
    assert max(most_at_once(events, runs_on).values()) <= 2


def test_one_request_id_is_one_job_whoever_is_asked(three: list[LocalService]) -> None:
    with ThreadPoolExecutor(12) as pool:
        asked = [(service, f"request-{number}") for number in range(10) for service in three * 2]
        jobs = list(pool.map(lambda one: one[0].at.client.submit("idle", request_id=one[1]), asked))
    assert len({job.id for job in jobs}) == 10
    assert three[0].at.client.get_stats().counters.submitted == 10


def test_settings_of_a_queue_are_everybodys_and_slots_are_a_servers_own(start: Start) -> None:
    one, other = (start(slots=1, **DEAF) for _ in range(2))
    one.at.client.update_queue("q", paused=True, max_queued=9)
    job = other.at.client.submit("idle", queue="q")
    assert (other.at.client.get_queue("q").max_queued, other.at.client.get(job).state) == (9, JOB_STATE_QUEUED)
    one.at.client.update_slots(0)
    assert [service.at.client.list_slots().slots for service in (one, other)] == [0, 1]
    # Opened by one that has no slots itself.
    one.at.client.update_queue("q", paused=False)
    assert one.at.client.wait(job).state == JOB_STATE_SUCCEEDED


def test_a_job_depends_on_one_that_runs_elsewhere(start: Start) -> None:
    one, other = start(slots=1, **DEAF), start(slots=0, **DEAF)
    first = other.at.client.submit("gated", "depends")
    second = one.at.client.submit("idle", depends_on=first)
    reach(other.at.client, first, JOB_STATE_RUNNING)
    one.at.client.update_slots(0)
    other.at.client.update_slots(1)
    gate("depends").set()
    ended = one.at.client.wait(second)
    assert ended.state == JOB_STATE_SUCCEEDED
    assert server_of(ended) != server_of(one.at.client.get(first))


def test_a_job_starts_elsewhere_and_is_told_of_without_a_poll(start: Start) -> None:
    """By nothing but the database's word that something has happened."""
    asked, runs = start(slots=0, **DEAF), start(slots=1, **DEAF)
    for _ in range(5):
        with asked.at.client.stream(cursor=cursor_now(asked.at), delivery=DELIVERY_EVERY) as events:
            job = asked.at.client.submit("idle")
            states = [next(events).job.state for _ in range(3)]
        assert states == [JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED]
        assert server_of(asked.at.client.get(job)) == next(
            one.id for one in asked.at.client.list_servers() if not one.local
        )
    assert runs.at.client.get_stats().counters.succeeded == 5


def test_servers_know_each_other(three: list[LocalService]) -> None:
    listed = [service.at.client.list_servers() for service in three]
    assert [one.name for one in listed[0]] == ["server-0", "server-1", "server-2"], "not longest there first"
    for number, (service, servers) in enumerate(zip(three, listed, strict=True)):
        assert [one.id for one in servers] == [one.id for one in listed[0]]
        assert [one.local for one in servers] == [place == number for place in range(3)]
        me = servers[number]
        assert (me.address, me.slots, me.draining) == (service.at.address, 2, False)
        assert "idle" in me.kinds
        assert me.lease.ToTimedelta().total_seconds() == service.settings.lease


def test_one_that_stops_leaves_the_others(three: list[LocalService]) -> None:
    three[1].stop()
    assert [one.name for one in three[0].at.client.list_servers()] == ["server-0", "server-2"]
    three[1].start()
    assert [one.name for one in three[0].at.client.list_servers()] == ["server-0", "server-2", "server-1"]
