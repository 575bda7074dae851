"""What is limited is limited over all servers together, at each revision, however busy all of them are."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise, product

import pytest

import slotd
from slotd import v1
from slotd.v1 import JOB_STATE_FAILED, JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.cluster.log import ENDED, cursor_now, most_at_once, running_at_each_revision, server_of, told
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Start, reach

_ROUNDS = 20


@pytest.fixture
def busy(start: Start) -> list[LocalService]:
    """Three servers with slots to spare, so that nothing but the limit under test limits anything."""
    return [start(slots=8) for _ in range(3)]


def flood(busy: Sequence[LocalService], *specs: v1.JobSpec) -> list[v1.JobEvent]:
    """Puts each of these through each server at the same time and waits for all, until not one server did all of it.
    Answers all that happened."""
    cursor = cursor_now(busy[0].at)
    with ThreadPoolExecutor(2 * len(busy)) as pool:
        for _ in range(_ROUNDS):
            asked = [(at, one) for one in specs for at in busy]
            made = list(pool.map(lambda one: one[0].at.client.submit(one[1]), asked))
            list(pool.map(busy[0].at.client.wait, made))
            events = told(busy[0].at, cursor)
            if len({server_of(event.job) for event in events if event.job.state == JOB_STATE_RUNNING}) > 1:
                return events
    raise AssertionError("one server did all of it: nothing was put to the test")


def running(of: Callable[[v1.Job], Hashable]) -> Callable[[v1.Job], Hashable]:
    return lambda job: of(job) if job.state == JOB_STATE_RUNNING else None


def test_the_slots_of_a_queue(busy: list[LocalService]) -> None:
    busy[0].at.client.update_queue("narrow", slots=2)
    events = flood(busy, *[slotd.spec("count", 3, queue="narrow")] * 20)
    assert most_at_once(events, running(lambda job: job.spec.queue)) == {"narrow": 2}


def test_the_slots_of_a_queue_as_they_change(busy: list[LocalService]) -> None:
    """What runs when they become fewer goes on, and nothing starts anywhere until there is room."""
    client = busy[0].at.client
    client.update_queue("q", slots=4)
    jobs = client.submit_batch([slotd.spec("gated", f"change-{number}", queue="q") for number in range(6)])
    for job in jobs[:4]:
        reach(client, job, JOB_STATE_RUNNING)
    cursor = cursor_now(busy[0].at)
    busy[1].at.client.update_queue("q", slots=1)
    for number in range(6):
        gate(f"change-{number}").set()
        client.wait(jobs[number])
    running = 4
    for event in told(busy[2].at, cursor):
        if event.job.state == JOB_STATE_RUNNING:
            assert running == 0, "started before there was room"
            running += 1
        else:
            running -= 1
    assert running == 0


def test_the_slots_of_a_key(busy: list[LocalService]) -> None:
    busy[1].at.client.update_queue("tenants", slots_per_key=1)
    specs = [slotd.spec("count", 3, queue="tenants", concurrency_key=key) for key in "abc"]
    events = flood(busy, *specs * 8)
    assert most_at_once(events, running(lambda job: job.spec.concurrency_key)) == {"a": 1, "b": 1, "c": 1}


def test_claims_on_resources(busy: list[LocalService]) -> None:
    specs = [slotd.spec("count", 3, resources=[name, slotd.shared("disk")]) for name in ("a", "b")]
    specs.append(slotd.spec("count", 3, resources=["disk"]))
    events = flood(busy, *specs * 6)
    for jobs in running_at_each_revision(events):
        for one, other in combinations(jobs, 2):
            for claim, second in product(one.spec.resources, other.spec.resources):
                exclusive = v1.RESOURCE_MODE_EXCLUSIVE in (claim.mode, second.mode)
                assert not (claim.name == second.name and exclusive), f"{claim.name} was claimed twice"


def test_a_claim_is_shared_by_jobs_of_two_servers_and_held_alone_after_both(start: Start) -> None:
    one, other = (start(slots=1) for _ in range(2))
    readers = [one.at.client.submit("gated", name, resources=slotd.shared("disk")) for name in ("left", "right")]
    running = [reach(other.at.client, job, JOB_STATE_RUNNING) for job in readers]
    assert server_of(running[0]) != server_of(running[1])
    writer = other.at.client.submit("idle", resources="disk")
    for name, job in zip(("left", "right"), readers, strict=True):
        assert list(one.at.client.get(writer).blocked_by) == ["resources/disk"]
        gate(name).set()
        one.at.client.wait(job)
    assert one.at.client.wait(writer).state == JOB_STATE_SUCCEEDED


def test_the_rate_of_a_queue(busy: list[LocalService]) -> None:
    rate, burst = 100.0, 3
    busy[2].at.client.update_queue("calm", rate_limit=v1.RateLimit(starts_per_second=rate, burst=burst))
    events = flood(busy, *[slotd.spec("idle", queue="calm")] * 15)
    started = [event.job.start_time.ToNanoseconds() for event in events if event.job.state == JOB_STATE_RUNNING]
    assert started == sorted(started), "by more than one clock"
    for (first, one), (last, other) in combinations(enumerate(started), 2):
        assert last - first + 1 <= burst + rate * (other - one + 1_000) / 1e9


def test_how_many_may_wait(busy: list[LocalService]) -> None:
    busy[0].at.client.update_queue("short", paused=True, max_queued=7)

    def submit(service: LocalService) -> str:
        try:
            return service.at.client.submit("idle", queue="short").id
        except slotd.ResourceExhausted as refused:
            return refused.reason or ""

    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(submit, busy * 10))
    assert answers.count("QUEUE_FULL") == 23
    assert {job.id for job in busy[1].at.client.list()} == {*answers} - {"QUEUE_FULL"}


def test_unique_keys(busy: list[LocalService]) -> None:
    cursor = cursor_now(busy[0].at)

    def submit(service: LocalService) -> str:
        try:
            return service.at.client.submit("count", 3, unique_key="u", unique_conflict="refuse").id
        except slotd.AlreadyExists:
            return ""

    with ThreadPoolExecutor(9) as pool:
        made = [job_id for job_id in pool.map(submit, busy * 20) if job_id]
    for job_id in made:
        busy[0].at.client.wait(job_id)
    events = told(busy[1].at, cursor)
    assert {event.job.id for event in events} == {*made}
    assert most_at_once(events, lambda job: None if job.state in ENDED else job.spec.unique_key) == {"u": 1}
    assert len(made) < 60, "nobody was refused: nothing was put to the test"


def test_a_schedule_fires_once_for_each_of_its_times(busy: list[LocalService]) -> None:
    with busy[0].at.client.stream(cursor=cursor_now(busy[0].at), schedules="often") as events:
        busy[1].at.client.create_schedule("often", slotd.spec("idle"), interval=1, overlap="allow")
        made: list[int] = []
        while len(made) < 4:
            event = next(events)
            if event.type == v1.EVENT_TYPE_CREATED:
                made.append(event.job.fire_time.ToMicroseconds())
    gaps = {other - one for one, other in pairwise(made)}
    assert gaps == {1_000_000}, "a time was passed over, or fired for twice"
    assert busy[2].at.client.get_schedule("often").fire_count >= 4


def test_a_function_that_outlives_its_attempt_keeps_its_slot_from_other_servers(start: Start) -> None:
    one, other = start(slots=1, cancel_grace=0.0), start(slots=0)
    one.at.client.update_queue("q", slots=1)
    late = one.at.client.submit("gated", "zombie", queue="q", timeout=0.05)
    assert one.at.client.wait(late).state == JOB_STATE_FAILED
    other.at.client.update_slots(4)
    waiting = other.at.client.submit("idle", queue="q")
    # Whatever the other server had to do for the first, it has done before the second.
    assert other.at.client.submit_and_wait("idle", queue="elsewhere").state == JOB_STATE_SUCCEEDED
    assert other.at.client.get(waiting).state == JOB_STATE_QUEUED
    (part,) = (part for part in other.at.client.list_slots().queues if part.queue == "q")
    assert (part.slots, part.running, part.zombie) == (1, 0, 1)
    gate("zombie").set()
    assert other.at.client.wait(waiting).state == JOB_STATE_SUCCEEDED
