"""Queues and slots: who runs when, how many at once, and how many may wait."""

from itertools import pairwise

import pytest

import slotd
from slotd import Client
from slotd.v1 import JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED, Job
from tests.fundamentals.handlers import gate
from tests.service import Start, reach

pytestmark = pytest.mark.every_store


def in_order_of_start(client: Client, jobs: list[Job]) -> list[str]:
    """Waits for all of them; their ids by when they started."""
    ended = [client.wait(job) for job in jobs]
    return [job.id for job in sorted(ended, key=lambda job: (job.start_time.ToNanoseconds(), job.revision))]


def test_higher_priorities_go_first_then_those_submitted_first(start: Start) -> None:
    client = start(slots=0).at.client
    low = client.submit("idle", priority=-1)
    first, second = client.submit("idle"), client.submit("idle")
    high = client.submit("idle", priority=5)
    client.update_slots(1)
    assert in_order_of_start(client, [low, first, second, high]) == [high.id, first.id, second.id, low.id]


def test_a_queue_runs_no_more_at_once_than_its_slots(client: Client) -> None:
    client.update_queue("narrow", slots=1)
    first, second = (client.submit("gated", "narrow", queue="narrow") for _ in range(2))
    elsewhere = client.submit_and_wait("idle")
    reach(client, first, JOB_STATE_RUNNING)
    assert elsewhere.state == JOB_STATE_SUCCEEDED
    assert client.get(second).state == JOB_STATE_QUEUED
    (part,) = client.list_slots().queues
    assert (part.queue, part.slots, part.running) == ("narrow", 1, 1)
    gate("narrow").set()
    runs = sorted(
        (one.start_time.ToNanoseconds(), one.end_time.ToNanoseconds()) for one in map(client.wait, (first, second))
    )
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(runs))


def test_a_paused_queue_starts_nothing_and_what_runs_goes_on(client: Client) -> None:
    running = client.submit("gated", "pause", queue="q")
    reach(client, running, JOB_STATE_RUNNING)
    client.update_queue("q", paused=True)
    waiting = client.submit("idle", queue="q")
    gate("pause").set()
    assert client.wait(running).state == JOB_STATE_SUCCEEDED
    assert client.get(waiting).state == JOB_STATE_QUEUED
    client.update_queue("q", paused=False)
    assert client.wait(waiting).state == JOB_STATE_SUCCEEDED


def test_a_full_queue_takes_no_more(client: Client) -> None:
    client.update_queue("short", paused=True, max_queued=2)
    first = client.submit("idle", queue="short")
    client.submit("idle", queue="short")
    with pytest.raises(slotd.ResourceExhausted) as refused:
        client.submit("idle", queue="short")
    assert (refused.value.reason, list(refused.value.quota_violations)) == ("QUEUE_FULL", ["queues/short"])
    client.cancel(first)
    client.submit("idle", queue="short")


def test_a_batch_that_does_not_fit_is_refused_whole(client: Client) -> None:
    client.update_queue("short", paused=True, max_queued=2)
    with pytest.raises(slotd.ResourceExhausted):
        client.submit_batch([slotd.spec("idle", queue="short") for _ in range(3)])
    assert client.get_queue("short").counters.submitted == 0


def test_a_setting_goes_back_to_its_default(client: Client) -> None:
    client.update_queue("q", slots=3, max_queued=5)
    queue = client.update_queue("q", max_queued=None)
    assert (queue.slots, queue.HasField("max_queued")) == (3, False)


def test_queues_are_listed_by_name_with_their_counters(client: Client) -> None:
    client.submit_and_wait("idle", queue="b")
    client.update_queue("a", slots=1)
    a, b = client.list_queues()
    assert (a.name, b.name, a.counters.submitted, b.counters.succeeded) == ("a", "b", 0, 1)


def test_the_ledger_says_who_holds_each_slot(client: Client) -> None:
    jobs = [client.submit("patient", queue=name) for name in ("a", "b")]
    for job in jobs:
        reach(client, job, JOB_STATE_RUNNING)
    ledger = client.list_slots()
    assert (ledger.slots, ledger.free, ledger.running, ledger.zombie) == (4, 2, 2, 0)
    assert {(one.job_id, one.queue, one.kind, one.attempt) for one in ledger.holders} == {
        (job.id, job.spec.queue, "patient", 1) for job in jobs
    }


def test_a_pool_of_no_slots_is_paused_and_can_be_opened_again(client: Client) -> None:
    assert client.update_slots(0) == 0
    job = client.submit("idle")
    assert client.list_slots().slots == 0
    assert client.get(job).state == JOB_STATE_QUEUED
    client.update_slots(2)
    assert client.wait(job).state == JOB_STATE_SUCCEEDED
    assert client.list_slots().slots == 2


def test_a_pool_that_is_made_smaller_lets_its_surplus_finish(client: Client) -> None:
    jobs = [client.submit("gated", name) for name in ("one", "two", "three")]
    for job in jobs:
        reach(client, job, JOB_STATE_RUNNING)
    client.update_slots(1)
    waiting = client.submit("idle")
    ledger = client.list_slots()
    assert (ledger.limit, ledger.slots, ledger.running, ledger.free) == (1, 3, 3, 0)
    for name, job in zip(("one", "two"), jobs, strict=False):
        gate(name).set()
        client.wait(job)
        assert client.get(waiting).state == JOB_STATE_QUEUED
    gate("three").set()
    assert client.wait(waiting).state == JOB_STATE_SUCCEEDED


def test_jobs_are_conserved(client: Client) -> None:
    client.submit_and_wait("idle")
    client.submit_and_wait("hopeless", "")
    client.delete(client.submit_and_wait("idle", queue="b"))
    client.cancel(client.submit("patient", queue="b"))
    client.submit("patient")
    stats = client.get_stats()
    for counters in (stats.counters, *stats.queues.values(), *stats.kinds.values()):
        now = (
            counters.scheduled + counters.blocked + counters.queued + counters.running
            + counters.succeeded + counters.failed + counters.cancelled
        )  # fmt: skip
        assert counters.submitted == now + counters.deleted
        assert counters.completed == counters.total_succeeded + counters.total_failed + counters.total_cancelled
    assert stats.counters.submitted == 5 == sum(one.submitted for one in stats.queues.values())
