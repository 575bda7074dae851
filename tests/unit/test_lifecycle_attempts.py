"""Attempts: how they end, what follows, what counts, and what they tell on the way."""

from collections.abc import Callable

import pytest

from slotd_server.change import Limits
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import WrongState
from slotd_server.domain.job import ATTEMPTS_KEPT, SECOND, Failure, Payload, Progress
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, HOPELESS, START, Driver, lease, snooze

MakeDriver = Callable[..., Driver]


def test_success_has_a_result_and_no_error(driver: Driver) -> None:
    job = driver.submit()
    driver.clock.advance(5)
    driver.finish(job, Succeeded(Payload("text/plain", b"42")))
    done = driver.get(job)
    assert (done.state, done.result, done.failure) == (State.SUCCEEDED, Payload("text/plain", b"42"), None)
    assert (done.start_time, done.end_time, done.owner) == (START, START + 5, "")
    assert (done.attempts[0].end_time, done.attempts[0].failure) == (START + 5, None)
    assert driver.slots().free == 2


def test_a_failed_attempt_is_followed_by_another_after_its_backoff(driver: Driver) -> None:
    job = driver.submit(max_attempts=3, initial_backoff=10 * SECOND, jitter=0.0)
    driver.finish(job, BROKEN)
    waiting = driver.get(job)
    assert (waiting.state, waiting.schedule_time) == (State.SCHEDULED, START + 10 * SECOND)
    assert waiting.failure == BROKEN.failure
    driver.pass_time(10 * SECOND - 1)
    assert driver.get(job).state is State.SCHEDULED
    driver.pass_time(1)
    assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 2)


def test_the_last_attempt_fails_the_job(driver: Driver) -> None:
    job = driver.submit(max_attempts=2, initial_backoff=0)
    driver.finish(job, BROKEN)
    assert driver.get(job).attempt == 2
    driver.finish(job, BROKEN)
    failed = driver.get(job)
    assert (failed.state, failed.failure, len(failed.attempts)) == (State.FAILED, BROKEN.failure, 2)
    assert driver.counters().retried == 1


def test_fail_twice_then_succeed(driver: Driver) -> None:
    job = driver.submit(max_attempts=3, initial_backoff=0)
    for outcome in (BROKEN, BROKEN, DONE):
        driver.finish(job, outcome)
    done = driver.get(job)
    assert (done.state, done.attempt, done.failure) == (State.SUCCEEDED, 3, None)
    assert [one.failure is None for one in done.attempts] == [False, False, True]


def test_a_permanent_error_ends_it_at_once(driver: Driver) -> None:
    job = driver.submit(max_attempts=9)
    driver.finish(job, HOPELESS)
    assert (driver.get(job).state, driver.get(job).attempt) == (State.FAILED, 1)
    assert driver.counters().retried == 0


class TestSnooze:
    def test_it_does_not_count(self, driver: Driver) -> None:
        job = driver.submit(max_attempts=1)
        for _ in range(5):
            driver.finish(job, snooze(10))
            assert (driver.get(job).state, driver.get(job).attempt) == (State.SCHEDULED, 0)
            driver.pass_time(10 * SECOND)
            assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 1)
        driver.finish(job, DONE)
        assert driver.get(job).state is State.SUCCEEDED
        assert driver.counters().retried == 0

    def test_for_no_time_it_waits_for_a_slot_alone(self, driver: Driver) -> None:
        job = driver.submit()
        committed = driver.finish(job, snooze(0))
        assert [event.job.state for event in committed.events] == [State.QUEUED, State.RUNNING]

    def test_it_leaves_no_error_on_the_job(self, driver: Driver) -> None:
        job = driver.submit()
        driver.finish(job, snooze(1))
        assert driver.get(job).failure is None
        assert driver.get(job).attempts[0].failure == Failure("SNOOZED", "the handler asked to be called later")


class TestRetry:
    @pytest.mark.parametrize("ended", ["failed", "cancelled"])
    def test_it_starts_a_new_run_of_attempts(self, driver: Driver, ended: str) -> None:
        job = driver.submit(max_attempts=1)
        if ended == "cancelled":
            driver.answer(ask.Cancel(job.id))
        driver.finish(job, BROKEN)
        over = driver.get(job)
        assert over.state is (State.FAILED if ended == "failed" else State.CANCELLED)
        again = driver.answer(ask.Retry(job.id))
        assert (again.state, again.attempt, again.failure, again.end_time) == (State.QUEUED, 0, None, None)
        assert again.revision > over.revision
        running = driver.get(job)
        assert (running.state, running.attempt, running.fence) == (State.RUNNING, 1, 2)
        assert len(running.attempts) == 2

    def test_a_success_stays_and_a_waiting_job_waits(self, driver: Driver) -> None:
        done = driver.submit()
        driver.finish(done)
        waiting = driver.submit(schedule_time=START + SECOND)
        for job in (done, waiting):
            before = driver.everything()
            with pytest.raises(WrongState):
                driver.answer(ask.Retry(job.id))
            assert driver.everything() == before

    def test_a_time_that_is_still_to_come_holds_again(self, driver: Driver) -> None:
        job = driver.submit(schedule_time=START + 10 * SECOND)
        driver.answer(ask.Cancel(job.id))
        again = driver.answer(ask.Retry(job.id))
        assert (again.state, again.schedule_time) == (State.SCHEDULED, START + 10 * SECOND)
        driver.answer(ask.Cancel(job.id))
        driver.clock.advance(10 * SECOND)
        assert driver.answer(ask.Retry(job.id)).state is State.QUEUED

    def test_it_keeps_its_place_in_the_line(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        first, second, third = (driver.submit(max_attempts=1) for _ in range(3))
        driver.finish(first, BROKEN)
        driver.answer(ask.Retry(first.id))
        driver.finish(second)
        assert driver.get(first).state is State.RUNNING
        assert driver.get(third).state is State.QUEUED


def test_it_remembers_its_newest_attempts(driver: Driver) -> None:
    job = driver.submit(max_attempts=ATTEMPTS_KEPT + 10, initial_backoff=0)
    for _ in range(ATTEMPTS_KEPT + 5):
        driver.finish(job, BROKEN)
    attempts = driver.get(job).attempts
    assert [one.number for one in attempts] == list(range(7, ATTEMPTS_KEPT + 7))


class TestTold:
    def test_progress_is_a_minor_event(self, driver: Driver) -> None:
        job = driver.submit()
        committed = driver.report(job, Progress(3, 10, "third"))
        ((event),) = committed.events
        assert event.minor
        assert (event.previous_state, event.job.state) == (State.RUNNING, State.RUNNING)
        assert driver.get(job).progress == Progress(3, 10, "third")

    def test_the_last_word_comes_with_the_end(self, driver: Driver) -> None:
        job = driver.submit()
        (event,) = driver.finish(job, DONE, progress=Progress(10, 10, ""), output=b"bye").events
        assert (event.job.progress, event.job.output_size) == (Progress(10, 10, ""), 3)
        assert driver.output(job) == b"bye"

    def test_the_next_attempt_begins_without_progress_and_goes_on_writing(self, driver: Driver) -> None:
        job = driver.submit(initial_backoff=0)
        driver.report(job, Progress(3, 10, ""), b"one ")
        driver.finish(job, BROKEN)
        assert driver.get(job).progress is None
        driver.report(job, None, b"two")
        assert driver.output(job) == b"one two"
        assert driver.get(job).output_size == 7

    def test_output_is_cut_at_the_limit_and_says_so(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(output=10))
        job = driver.submit()
        driver.report(job, None, b"0123456")
        assert not driver.get(job).output_truncated
        driver.report(job, None, b"789abc")
        cut = driver.get(job)
        assert (cut.output_size, cut.output_truncated) == (10, True)
        driver.report(job, Progress(1, 1, ""), b"more")
        assert driver.output(job) == b"0123456789"
        assert driver.get(job).output_size == 10

    def test_exactly_the_limit_is_not_cut(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(output=10))
        job = driver.submit()
        driver.report(job, None, b"0123456789")
        assert not driver.get(job).output_truncated

    def test_nobody_speaks_for_an_attempt_that_is_over(self, driver: Driver) -> None:
        job = driver.submit(initial_backoff=0)
        first = driver.lease(job)
        driver.finish(job, BROKEN)
        assert driver.get(job).attempt == 2
        before = driver.get(job)
        driver.apply(ask.Report(first, Progress(9, 9, "late"), b"late"))
        driver.apply(ask.Finish(first, DONE))
        driver.apply(ask.Overrun(first, Failure("TIMEOUT", "late")))
        driver.apply(ask.GiveBack(first))
        assert driver.get(job) == before
        assert driver.slots().running == 1


def test_a_finish_that_comes_twice_counts_once(driver: Driver) -> None:
    one, two = driver.submit(), driver.submit()
    mine = lease(driver.get(one))
    driver.apply(ask.Finish(mine, DONE), ask.Finish(mine, DONE))
    driver.apply(ask.Finish(mine, BROKEN))
    assert driver.get(one).state is State.SUCCEEDED
    assert driver.get(two).state is State.RUNNING
    assert (driver.slots().running, driver.counters().completed) == (1, 1)
