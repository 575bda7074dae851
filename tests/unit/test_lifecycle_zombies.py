"""A function that outlives its attempt: the attempt is over for its watchers, its slot is not free."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import SECOND, Failure, Progress
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, START, TIMEOUT, Driver, draft

MakeDriver = Callable[..., Driver]
GRACE = Failure("CANCELLED", "it did not stop within the cancel grace")


def zombie(driver: Driver, **fields: object) -> tuple[str, ask.Lease]:
    job = driver.submit(**fields)  # type: ignore[arg-type]
    driver.overrun(job)
    return job.id, driver.lease(job)


def test_a_timeout_ends_the_attempt_and_holds_the_slot(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    job_id, _ = zombie(driver, max_attempts=1)
    other = driver.submit()
    assert (driver.get(job_id).state, driver.get(job_id).failure) == (State.FAILED, TIMEOUT)
    view = driver.slots()
    assert (view.free, view.running, view.zombie) == (0, 0, 1)
    assert driver.get(other).state is State.QUEUED


def test_its_function_is_asked_to_stop(driver: Driver) -> None:
    _, lease = zombie(driver)
    assert driver.stopping == [lease]


def test_with_attempts_left_it_waits_out_its_backoff_then_for_the_function(driver: Driver) -> None:
    job_id, lease = zombie(driver, initial_backoff=SECOND, jitter=0.0)
    assert driver.get(job_id).state is State.SCHEDULED
    driver.pass_time(SECOND)
    blocked = driver.get(job_id)
    assert (blocked.state, blocked.blocked_by) == (State.BLOCKED, ("attempts/1",))
    driver.pass_time(3600 * SECOND)
    assert driver.get(job_id).state is State.BLOCKED
    committed = driver.apply(ask.Finish(lease, DONE))
    assert [event.job.state for event in committed.events] == [State.QUEUED, State.RUNNING]
    assert (driver.get(job_id).attempt, driver.get(job_id).blocked_by) == (2, ())


def test_a_function_that_returns_in_time_blocks_nothing(driver: Driver) -> None:
    job_id, lease = zombie(driver, initial_backoff=SECOND, jitter=0.0)
    committed = driver.apply(ask.Finish(lease, DONE, Progress(1, 1, "late"), b"late"))
    assert committed.events == []
    assert driver.slots().free == 2
    assert (driver.get(job_id).state, driver.get(job_id).output_size) == (State.SCHEDULED, 0)
    driver.pass_time(SECOND)
    assert driver.get(job_id).state is State.RUNNING


def test_the_late_return_does_not_change_a_failed_job(driver: Driver) -> None:
    job_id, lease = zombie(driver, max_attempts=1)
    before = driver.get(job_id)
    driver.apply(ask.Finish(lease, DONE))
    assert driver.get(job_id) == before.evolve(lingering=False, owner="")


def test_cancel_grace_ends_it_as_cancelled(driver: Driver) -> None:
    job = driver.submit()
    driver.answer(ask.Cancel(job.id))
    driver.overrun(job, GRACE)
    cancelled = driver.get(job)
    assert (cancelled.state, cancelled.cancel_requested) == (State.CANCELLED, False)
    assert driver.slots().zombie == 1
    driver.finish(job, BROKEN)
    assert driver.get(job).state is State.CANCELLED
    assert driver.slots().free == 2


def test_a_timeout_of_a_cancelled_job_cancels_it(driver: Driver) -> None:
    job = driver.submit(max_attempts=5)
    driver.answer(ask.Cancel(job.id))
    driver.overrun(job)
    assert driver.get(job).state is State.CANCELLED


def test_retry_waits_for_the_zombie(driver: Driver) -> None:
    job_id, lease = zombie(driver, max_attempts=1)
    again = driver.answer(ask.Retry(job_id))
    assert (again.state, again.blocked_by) == (State.BLOCKED, ("attempts/1",))
    driver.apply(ask.Finish(lease, DONE))
    assert driver.get(job_id).state is State.RUNNING


def test_a_blocked_job_can_be_cancelled_and_its_zombie_still_counts(driver: Driver) -> None:
    job_id, lease = zombie(driver, initial_backoff=0)
    driver.answer(ask.Cancel(job_id))
    assert driver.get(job_id).state is State.CANCELLED
    assert driver.slots().zombie == 1
    assert driver.answer(ask.Retry(job_id)).state is State.BLOCKED
    driver.apply(ask.Finish(lease, DONE))
    assert driver.get(job_id).state is State.RUNNING


def test_a_deleted_job_s_zombie_holds_its_slot_too(driver: Driver) -> None:
    job_id, lease = zombie(driver, max_attempts=1)
    driver.answer(ask.Delete(job_id))
    assert driver.find(job_id) is None
    assert (driver.slots().zombie, driver.slots().holders[0].job_id) == (1, job_id)
    driver.apply(ask.Finish(lease, DONE))
    assert driver.slots().free == 2


def test_a_queue_s_slots_are_held_by_its_zombies(driver: Driver) -> None:
    driver.queue("small", slots=1)
    _, lease = zombie(driver, queue="small", max_attempts=1)
    waiting = driver.submit(queue="small")
    assert driver.get(waiting).state is State.QUEUED
    driver.apply(ask.Finish(lease, DONE))
    assert driver.get(waiting).state is State.RUNNING


def test_queue_timeout_goes_on_behind_a_zombie(driver: Driver) -> None:
    job_id, _ = zombie(driver, max_attempts=1, queue_timeout=10 * SECOND)
    driver.answer(ask.Retry(job_id))
    driver.pass_time(10 * SECOND)
    failed = driver.get(job_id)
    assert failed.failure is not None
    assert (failed.state, failed.failure.reason) == (State.FAILED, "QUEUE_TIMEOUT")


def test_a_second_overrun_changes_nothing(driver: Driver) -> None:
    job_id, lease = zombie(driver, initial_backoff=0)
    before = driver.everything()
    driver.apply(ask.Overrun(lease, GRACE))
    assert driver.everything() == before
    assert driver.get(job_id).state is State.BLOCKED


@pytest.mark.parametrize("state", ["scheduled", "blocked", "failed"])
def test_a_lost_server_s_zombies_are_gone_with_it(make_driver: MakeDriver, tmp_path: object, state: str) -> None:
    driver = make_driver(path=f"{tmp_path}/jobs.db")
    job_id, _ = zombie(
        driver,
        max_attempts=1 if state == "failed" else 2,
        initial_backoff=SECOND if state == "scheduled" else 0,
        jitter=0.0,
    )
    assert driver.get(job_id).state.name == state.upper()
    driver.restart()
    driver.pass_time(SECOND)
    if state == "failed":
        driver.answer(ask.Retry(job_id))
    assert driver.get(job_id).state is State.RUNNING


def test_all_slots_can_be_zombies_and_nothing_starts(driver: Driver) -> None:
    leases = [zombie(driver, max_attempts=1)[1] for _ in range(2)]
    driver.apply(ask.Submit((draft(),) * 8))
    driver.clock.advance(3600 * SECOND)
    assert driver.apply().started == []
    assert driver.slots().zombie == 2
    assert len(driver.apply(*[ask.Finish(lease, DONE) for lease in leases]).started) == 2
    assert driver.clock.now() == START + 3600 * SECOND
