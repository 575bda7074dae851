"""Dependencies when something is retried or is to be deleted."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import Awaited, DependencyFailed, QueueFull
from slotd_server.domain.events import EVERYTHING, JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Unique
from tests.unit.driver import HOPELESS, START, Driver, draft, ended, patient

MakeDriver = Callable[..., Driver]


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """Slots enough: what waits here waits for another job."""
    return make_driver(50)


def cancel(driver: Driver, job: Job) -> None:
    """However far it has come."""
    if driver.answer(ask.Cancel(job.id)).state is State.RUNNING:
        driver.finish(job)


def chain(driver: Driver, length: int) -> tuple[Job, ...]:
    """Jobs of which each depends on the one before."""
    return driver.batch(*[draft(ref=f"j{n}", depends_on=[f"j{n - 1}"] if n else []) for n in range(length)])


class TestRetry:
    def test_one_whose_dependency_has_failed_is_refused(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, HOPELESS)
        before = driver.everything()
        with pytest.raises(DependencyFailed, match=f"jobs/{first.id}") as refused:
            driver.answer(ask.Retry(job.id))
        assert refused.value.target == f"jobs/{first.id}"
        assert driver.everything() == before

    def test_one_whose_dependency_is_gone_too(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Delete(first.id))
        with pytest.raises(DependencyFailed):
            driver.answer(ask.Retry(job.id))

    def test_it_waits_for_the_retried_dependency(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id))
        assert driver.answer(ask.Retry(job.id)).state is State.BLOCKED
        driver.finish(first)
        assert driver.get(job).state is State.RUNNING

    def test_what_came_true_while_it_had_ended_is_met(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        cancel(driver, job)
        driver.finish(first)
        driver.answer(ask.Retry(job.id))
        assert driver.get(job).state is State.RUNNING

    def test_also_after_it_failed_with_its_dependency(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id))
        driver.finish(first)
        driver.answer(ask.Retry(job.id))
        assert driver.get(job).state is State.RUNNING

    def test_all_that_failed_because_of_it_go_along(self, driver: Driver) -> None:
        first, left, right, bottom, cleanup = driver.batch(
            draft(ref="a"),
            draft(ref="b", depends_on=["a"]),
            draft(ref="c", depends_on=["a"]),
            draft(ref="d", depends_on=["b", "c"]),
            draft(depends_on=[ended("d")]),
        )
        driver.finish(first, HOPELESS)
        driver.finish(cleanup, HOPELESS)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.states((first, left, right, bottom, cleanup)) == "RBBBF"
        for job in (first, left, right, bottom):
            driver.finish(job)
        assert driver.states((first, left, right, bottom)) == "SSSS"

    def test_without_being_asked_they_stay(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id))
        assert driver.states((first, job)) == "RF"

    def test_one_that_something_else_keeps_stays_and_those_behind_it(self, driver: Driver) -> None:
        first, other = driver.submit(), driver.submit()
        both = driver.submit(depends_on=[first, other])
        behind = driver.submit(depends_on=[both])
        driver.finish(first, HOPELESS)
        driver.finish(other, HOPELESS)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.states((first, both, behind)) == "RFF"

    def test_one_that_was_cancelled_by_hand_stays(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        cancel(driver, job)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.get(job).state is State.CANCELLED

    def test_they_need_room_in_their_queues(self, driver: Driver) -> None:
        first = driver.submit()
        jobs = driver.batch(*[draft(queue="q", depends_on=[first])] * 3)
        driver.finish(first, HOPELESS)
        driver.queue("q", max_queued=2)
        before = driver.everything()
        with pytest.raises(QueueFull):
            driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.everything() == before
        driver.queue("q", max_queued=3)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.states(jobs) == "BBB"

    def test_one_whose_unique_key_is_another_s_by_now_stays(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first], unique=Unique("k"))
        driver.finish(first, HOPELESS)
        holder = driver.submit(unique=Unique("k"))
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.states((first, job, holder)) == "RFR"

    def test_of_two_with_one_unique_key_one_goes_along(self, driver: Driver) -> None:
        first = driver.submit()
        jobs = []
        for _ in range(2):
            jobs.append(driver.submit(depends_on=[first], unique=Unique("k")))
            driver.finish(first, HOPELESS)
            driver.answer(ask.Retry(first.id))
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert sorted(driver.states(jobs)) == ["B", "F"]


class TestDelete:
    def test_what_others_wait_for_stays(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[patient(first)])
        driver.finish(first, HOPELESS)
        before = driver.everything()
        for force in (False, True):
            with pytest.raises(Awaited, match=job.id):
                driver.answer(ask.Delete(first.id, force=force))
        assert driver.answer(ask.Purge(EVERYTHING)) == 0
        assert driver.answer(ask.Bulk("delete", JobFilter(job_ids=frozenset({first.id})))).done == 0
        assert driver.everything() == before

    def test_also_where_the_dependency_is_met_as_long_as_the_other_has_not_ended(self, driver: Driver) -> None:
        """Its handler may ask for the result."""
        first, job = chain(driver, 2)
        driver.finish(first)
        with pytest.raises(Awaited):
            driver.answer(ask.Delete(first.id))
        driver.finish(job)
        driver.answer(ask.Delete(first.id))
        assert driver.find(first) is None

    def test_with_force_not_even_cancelled(self, driver: Driver) -> None:
        first, _ = chain(driver, 2)
        with pytest.raises(Awaited):
            driver.answer(ask.Delete(first.id, force=True))
        assert not driver.get(first).cancel_requested

    def test_retention_leaves_it_for_a_while(self, driver: Driver) -> None:
        first = driver.submit(retention=SECOND)
        job = driver.submit(depends_on=[first], schedule_time=START + 10 * SECOND)
        driver.finish(first)
        driver.pass_time(2 * SECOND)
        assert driver.find(first) is not None
        driver.pass_time(10 * SECOND)
        driver.finish(job)
        driver.pass_time(60 * SECOND)
        assert driver.find(first) is None

    def test_nothing_is_left_of_its_edges(self, driver: Driver) -> None:
        jobs = chain(driver, 3)
        for job in jobs:
            driver.finish(job)
        for job in reversed(jobs):
            driver.answer(ask.Delete(job.id))
        assert driver.everything()["edges"] == []
