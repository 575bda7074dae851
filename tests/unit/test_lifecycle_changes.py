"""Cancelling, deleting and purging."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import NotFound, WrongState
from slotd_server.domain.events import EVERYTHING, EventType, JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, START, Driver, draft

MakeDriver = Callable[..., Driver]


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """One slot."""
    return make_driver(1)


def ended(driver: Driver, **fields: object) -> Job:
    job = driver.submit(**fields)  # type: ignore[arg-type]
    driver.finish(job)
    return job


class TestCancel:
    def test_a_waiting_job_is_cancelled_at_once(self, driver: Driver) -> None:
        driver.submit()
        for waiting in (driver.submit(), driver.submit(schedule_time=START + SECOND)):
            job = driver.answer(ask.Cancel(waiting.id))
            assert (job.state, job.attempt, job.end_time) == (State.CANCELLED, 0, START)
            assert job.failure is not None
            assert job.failure.reason == "CANCELLED"

    def test_a_running_job_is_asked_to_stop_and_is_cancelled_when_it_does(self, driver: Driver) -> None:
        job = driver.submit()
        asked = driver.answer(ask.Cancel(job.id))
        assert (asked.state, asked.cancel_requested) == (State.RUNNING, True)
        assert driver.stopping == [driver.lease(job)]
        driver.finish(job, DONE)
        assert (driver.get(job).state, driver.get(job).result) == (State.CANCELLED, None)
        assert driver.slots().free == 1

    def test_a_failure_on_the_way_out_is_no_reason_for_another_attempt(self, driver: Driver) -> None:
        job = driver.submit(max_attempts=9)
        driver.answer(ask.Cancel(job.id))
        driver.finish(job, BROKEN)
        assert driver.get(job).state is State.CANCELLED

    def test_twice_is_once(self, driver: Driver) -> None:
        job = driver.submit()
        first = driver.answer(ask.Cancel(job.id))
        assert driver.answer(ask.Cancel(job.id)) == first
        assert len(driver.stopping) == 1
        driver.finish(job)
        assert driver.answer(ask.Cancel(job.id)).state is State.CANCELLED

    def test_what_has_ended_is_refused(self, driver: Driver) -> None:
        job = ended(driver)
        with pytest.raises(WrongState) as refused:
            driver.answer(ask.Cancel(job.id))
        assert refused.value.state == "SUCCEEDED"

    def test_before_it_has_really_begun(self, driver: Driver) -> None:
        """Submitted, claimed and cancelled in one change: it is started, and stopped right after."""
        driver.queue(max_queued=0)
        submit = ask.Submit((draft(),))
        committed = driver.apply(submit)
        assert len(committed.started) == 0, "no room to wait for a slot"
        driver.queue(max_queued=1)
        job = driver.submit()
        committed = driver.apply(ask.Cancel(job.id), ask.Cancel(job.id))
        assert committed.stopping == [driver.lease(job)]


class TestDelete:
    def test_a_terminal_job_goes_and_its_watchers_hear_of_it(self, driver: Driver) -> None:
        job = ended(driver)
        driver.answer(ask.Delete(job.id))
        assert driver.find(job) is None
        last = driver.events()[-1]
        assert (last.type, last.job.id, last.previous_state) == (EventType.DELETED, job.id, State.SUCCEEDED)
        assert (driver.counters().succeeded, driver.counters().deleted, driver.counters().total_succeeded) == (0, 1, 1)

    def test_then_nobody_knows_it(self, driver: Driver) -> None:
        job = ended(driver)
        driver.answer(ask.Delete(job.id))
        for command in (ask.Delete(job.id), ask.Cancel(job.id), ask.Retry(job.id), ask.Delete("never there")):
            with pytest.raises(NotFound):
                driver.answer(command)

    def test_its_output_goes_too(self, driver: Driver) -> None:
        job = driver.submit()
        driver.report(job, None, b"words")
        driver.finish(job)
        driver.answer(ask.Delete(job.id))
        assert driver.everything()["outputs"] == []

    def test_what_has_not_ended_needs_force(self, driver: Driver) -> None:
        running, waiting = driver.submit(), driver.submit()
        for job in (running, waiting):
            before = driver.everything()
            with pytest.raises(WrongState):
                driver.answer(ask.Delete(job.id))
            assert driver.everything() == before

    def test_by_force_a_waiting_job_is_cancelled_and_goes(self, driver: Driver) -> None:
        driver.submit()
        job = driver.submit()
        committed = driver.apply(ask.Delete(job.id, force=True))
        assert [(event.type, event.job.state) for event in committed.events] == [
            (EventType.CHANGED, State.CANCELLED),
            (EventType.DELETED, State.CANCELLED),
        ]
        assert driver.find(job) is None

    def test_by_force_a_running_job_is_asked_to_stop(self, driver: Driver) -> None:
        job = driver.submit()
        answer = driver.answer(ask.Delete(job.id, force=True))
        assert (answer.state, answer.cancel_requested) == (State.RUNNING, True)
        driver.finish(job)
        driver.answer(ask.Delete(job.id, force=True))
        assert driver.find(job) is None

    def test_created_and_gone_in_one_change(self, driver: Driver) -> None:
        first = ended(driver)
        answers = driver.apply(ask.Retry(first.id), ask.Delete(first.id, force=True), ask.Delete(first.id)).answers
        assert isinstance(answers[2], NotFound)
        assert driver.jobs() == []
        assert [event.job.id for event in driver.events() if event.type is EventType.DELETED] == [first.id]


class TestPurge:
    def test_only_what_is_terminal_and_matches(self, driver: Driver) -> None:
        done, broken = ended(driver), driver.submit(max_attempts=1, labels={"team": "blue"})
        driver.finish(broken, BROKEN)
        running, waiting = driver.submit(), driver.submit(labels={"team": "blue"})
        assert driver.answer(ask.Purge(JobFilter(labels=frozenset({("team", "blue")})))) == 1
        assert driver.find(broken) is None
        assert driver.answer(ask.Purge(JobFilter(states=frozenset({State.RUNNING, State.QUEUED})))) == 0
        assert driver.answer(ask.Purge(EVERYTHING)) == 1
        assert driver.find(done) is None
        assert {job.id for job in driver.jobs()} == {running.id, waiting.id}

    def test_in_steps_oldest_first(self, driver: Driver) -> None:
        jobs = [ended(driver) for _ in range(5)]
        assert driver.answer(ask.Purge(EVERYTHING, 3)) == 3
        assert [job.id for job in driver.jobs()] == [job.id for job in jobs[3:]]
        assert driver.answer(ask.Purge(EVERYTHING, 3)) == 2
        assert driver.answer(ask.Purge(EVERYTHING, 3)) == 0
