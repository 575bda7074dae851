"""Who is started next, and how many: priorities, the line, queues' slots and pauses, the pool's size."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Defaults, Queue
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, Driver, draft

MakeDriver = Callable[..., Driver]


def order(driver: Driver) -> list[str]:
    """The jobs' names in the order in which they start, one after another."""
    names = []
    while driver.running:
        (job,) = driver.running.values()
        names.append(dict(job.spec.labels)["name"])
        driver.finish(job)
    return names


def submit(driver: Driver, name: str, **fields: object) -> Job:
    return driver.submit(labels={"name": name}, **fields)  # type: ignore[arg-type]


def test_higher_priority_first_then_in_order_of_submission(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    for name, priority in (("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)):
        submit(driver, name, priority=priority)
    driver.apply(ask.UpdateSlots(1))
    assert order(driver) == ["b", "d", "a", "e", "c"]


def test_the_order_holds_across_queues_and_kinds(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    submit(driver, "a", queue="x")
    driver.submit("other", labels={"name": "b"}, queue="y")
    submit(driver, "c", queue="x", priority=1)
    driver.submit("other", labels={"name": "d"}, queue="x")
    driver.apply(ask.UpdateSlots(1))
    assert order(driver) == ["c", "a", "b", "d"]


def test_a_queue_s_slots_bound_it_and_the_others_go_on(make_driver: MakeDriver) -> None:
    driver = make_driver(4)
    driver.queue("small", slots=1)
    driver.answer(ask.Submit((draft(queue="small", priority=9),) * 5 + (draft(),) * 5))
    running = [job.spec.queue for job in driver.running.values()]
    assert sorted(running) == ["default", "default", "default", "small"]
    small = next(job for job in driver.running.values() if job.spec.queue == "small")
    driver.finish(small)
    assert sorted(job.spec.queue for job in driver.running.values()) == ["default"] * 3 + ["small"]


def test_no_slots_for_a_queue_is_a_pause(driver: Driver) -> None:
    driver.queue(slots=0)
    driver.submit()
    assert driver.running == {}
    driver.queue(slots=None)
    assert len(driver.running) == 1


def test_a_paused_queue_starts_nothing_and_lets_what_runs_end(driver: Driver) -> None:
    job = driver.submit()
    driver.queue(paused=True)
    waiting = driver.submit()
    elsewhere = driver.submit(queue="elsewhere")
    assert driver.get(waiting).state is State.QUEUED
    assert driver.get(elsewhere).state is State.RUNNING
    driver.finish(job)
    assert driver.get(job).state is State.SUCCEEDED
    driver.queue(paused=False)
    assert driver.get(waiting).state is State.RUNNING


def test_settings_change_only_where_named(driver: Driver) -> None:
    driver.queue("q", slots=3, max_queued=7, defaults=Defaults(priority=1))
    driver.queue("q", paused=True)
    assert driver.stats().queues["q"] == Queue("q", 3, True, 7, Defaults(priority=1))
    driver.queue("q", slots=None)
    assert driver.stats().queues["q"].slots is None


def test_settings_and_counters_survive_a_restart(make_driver: MakeDriver, tmp_path: object) -> None:
    driver = make_driver(path=f"{tmp_path}/jobs.db")
    driver.queue("q", slots=3, defaults=Defaults(jitter=0.25))
    driver.finish(driver.submit(queue="q"))
    before = driver.stats()
    driver.restart()
    assert driver.stats() == before


@pytest.mark.parametrize(("first", "then"), [(5, 10), (5, 3), (3, 2), (2, 0), (0, 4)])
def test_the_pool_is_resized_while_it_runs(make_driver: MakeDriver, first: int, then: int) -> None:
    driver = make_driver(first)
    driver.answer(ask.Submit((draft(),) * 30))
    assert len(driver.running) == first
    driver.apply(ask.UpdateSlots(then))
    assert len(driver.running) == max(first, then)
    for _ in range(12):
        view = driver.slots()
        assert view.free + view.running + view.zombie == view.size
        if driver.running:
            driver.finish(next(iter(driver.running.values())))
    assert len(driver.running) == then


def test_changes_without_claims_start_nothing(driver: Driver) -> None:
    job = driver.submit(claim=False)
    driver.apply(claim=False)
    assert driver.get(job).state is State.QUEUED
    driver.apply()
    assert driver.get(job).state is State.RUNNING


def test_what_a_full_queue_starts_on_the_way_obeys_the_pause(driver: Driver) -> None:
    driver.queue(max_queued=1, paused=True)
    driver.submit()
    (answer,) = driver.apply(ask.Submit((draft(),))).answers
    assert isinstance(answer, Exception)
    assert driver.running == {}


def test_four_is_two_and_two(driver: Driver) -> None:
    jobs = driver.answer(ask.Submit((draft(max_attempts=1),) * 4))
    for job, good in zip(jobs, (True, False, True, False), strict=True):
        driver.finish(job, DONE if good else BROKEN)
    counters = driver.counters()
    assert (counters.submitted, counters.completed) == (4, 4)
    assert (counters.total_succeeded, counters.total_failed) == (2, 2)


def test_a_hundred_jobs_in_one_change_on_five_slots(make_driver: MakeDriver) -> None:
    driver = make_driver(5)
    driver.answer(ask.Submit((draft(),) * 100))
    while driver.running:
        assert len(driver.running) <= 5
        driver.apply(*[ask.Finish(lease, DONE) for lease in driver.running])
    assert driver.counters().total_succeeded == 100
    assert driver.slots().free == 5
