"""After a server is gone: what it had is given back, or has failed; what waited, waits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import SECOND, Failure, Job
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, START, Driver, draft, lease

MakeDriver = Callable[..., Driver]
LOST = Failure("SERVER_LOST", "the server was lost while it ran")


@pytest.fixture
def driver(make_driver: MakeDriver, tmp_path: Path) -> Driver:
    return make_driver(2, path=str(tmp_path / "jobs.db"))


def test_an_attempt_that_ran_counts_and_another_follows_at_once(driver: Driver) -> None:
    job = driver.submit(max_attempts=3)
    assert driver.restart().answers == [1]
    back = driver.get(job)
    assert (back.state, back.attempt, back.owner, back.failure) == (State.QUEUED, 1, "", LOST)
    driver.apply()
    again = driver.get(job)
    assert (again.state, again.attempt, again.fence) == (State.RUNNING, 2, 2)
    assert again.attempts[0].server != again.attempts[1].server


def test_with_no_attempts_left_it_has_failed(driver: Driver) -> None:
    job = driver.submit(max_attempts=1)
    driver.restart()
    assert (driver.get(job).state, driver.get(job).failure) == (State.FAILED, LOST)


def test_what_was_to_be_cancelled_is_cancelled(driver: Driver) -> None:
    job = driver.submit()
    driver.answer(ask.Cancel(job.id))
    driver.restart()
    assert (driver.get(job).state, driver.get(job).cancel_requested) == (State.CANCELLED, False)


def test_what_waited_waits_and_what_had_ended_has(driver: Driver) -> None:
    done = driver.submit()
    driver.finish(done)
    scheduled = driver.submit(schedule_time=START + SECOND)
    driver.queue(paused=True)
    queued = driver.submit()
    before = driver.jobs()
    assert driver.restart().answers == [0]
    assert driver.jobs() == before
    assert [driver.get(job).state for job in (done, scheduled, queued)] == [
        State.SUCCEEDED,
        State.SCHEDULED,
        State.QUEUED,
    ]


def test_a_second_look_finds_nothing(driver: Driver) -> None:
    driver.submit()
    driver.restart()
    assert driver.answer(ask.Recover(), claim=False) == 0
    driver.apply()
    assert driver.answer(ask.Recover()) == 0, "what this server runs is not lost"


def test_in_steps(driver: Driver) -> None:
    driver.apply(ask.UpdateSlots(20))
    driver.answer(ask.Submit((draft(),) * 20))
    driver.close()
    driver._boot(20)
    found = [driver.answer(ask.Recover(7), claim=False) for _ in range(4)]
    assert found == [7, 7, 6, 0]
    assert driver.counters().queued == 20


def test_counters_and_ledger_are_right_afterwards(driver: Driver) -> None:
    driver.submit(max_attempts=1)
    driver.submit(max_attempts=2)
    driver.restart()
    counters = driver.counters()
    assert (counters.submitted, counters.failed, counters.queued, counters.running) == (2, 1, 1, 0)
    assert driver.slots().free == 2


def test_the_dead_do_not_speak(driver: Driver) -> None:
    """Whatever the lost server's attempts report, finds nothing to change."""
    job = driver.submit(initial_backoff=0)
    old = driver.lease(job)
    driver.restart()
    driver.apply()
    before = driver.get(job)
    driver.apply(ask.Finish(old, DONE), ask.Overrun(old, LOST), ask.Report(old, None, b"x"), ask.GiveBack(old))
    assert driver.get(job) == before
    assert driver.slots().running == 1


class TestGiveBack:
    """The server stops in good order."""

    def test_it_does_not_count(self, driver: Driver) -> None:
        job = driver.submit(max_attempts=1)
        driver.apply(ask.GiveBack(driver.lease(job)), claim=False)
        back = driver.get(job)
        assert (back.state, back.attempt, back.failure) == (State.QUEUED, 0, None)
        assert back.attempts[0].failure == Failure("SERVER_STOPPED", "the server stopped while it ran")
        driver.restart()
        driver.apply()
        assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 1)

    def test_its_function_is_asked_to_stop_and_holds_its_slot_until_it_does(self, driver: Driver) -> None:
        job = driver.submit()
        mine = driver.lease(job)
        driver.apply(ask.GiveBack(mine), claim=False)
        assert driver.stopping == [mine]
        assert (driver.slots().free, driver.slots().zombie) == (1, 1)
        driver.apply(ask.Finish(mine, DONE), claim=False)
        assert driver.slots().free == 2
        assert driver.get(job).state is State.QUEUED, "it was given back, and is to run again"

    def test_what_was_to_be_cancelled_is_cancelled(self, driver: Driver) -> None:
        job = driver.submit()
        driver.answer(ask.Cancel(job.id))
        driver.apply(ask.GiveBack(driver.lease(job)), claim=False)
        assert driver.get(job).state is State.CANCELLED

    def test_what_has_ended_meanwhile_stays_ended(self, driver: Driver) -> None:
        job = driver.submit()
        mine = driver.lease(job)
        driver.apply(ask.Finish(mine, DONE), ask.GiveBack(mine), claim=False)
        assert driver.get(job).state is State.SUCCEEDED


def test_a_lost_job_keeps_its_place_in_the_line(driver: Driver) -> None:
    first = driver.submit()
    second = driver.submit()
    third: Job = driver.submit()
    driver.restart(slots=1)
    driver.apply()
    assert [driver.get(job).state for job in (first, second, third)] == [State.RUNNING, State.QUEUED, State.QUEUED]
    driver.finish(first, BROKEN)
    assert driver.get(second).state is State.RUNNING
    assert lease(driver.get(second)) in driver.running
