"""Unique keys: one job that has not ended for each, and what becomes of the next."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import QueueFull, UniqueKeyTaken
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Conflict, Unique
from tests.unit.driver import BROKEN, DONE, HOPELESS, START, Driver, draft

MakeDriver = Callable[..., Driver]

RETURN = Unique("k", None, Conflict.RETURN_EXISTING)
REFUSE = Unique("k", None, Conflict.REFUSE)
REPLACE = Unique("k", None, Conflict.REPLACE)
MINUTE = 60 * SECOND


def test_the_job_that_has_the_key_is_the_answer(driver: Driver) -> None:
    first = driver.submit(unique=RETURN)
    again = driver.submit("other", unique=RETURN, queue="q")
    assert again == driver.get(first)
    assert len(driver.jobs()) == 1


@pytest.mark.parametrize("unique", [REFUSE, REPLACE])
def test_one_that_runs_is_neither_returned_nor_replaced(driver: Driver, unique: Unique) -> None:
    first = driver.submit(unique=unique)
    before = driver.everything()
    with pytest.raises(UniqueKeyTaken) as refused:
        driver.submit(unique=unique)
    assert refused.value.job_id == first.id
    assert driver.everything() == before


@pytest.mark.parametrize("waits", ["QUEUED", "SCHEDULED", "BLOCKED"])
def test_one_that_waits_is_replaced(make_driver: MakeDriver, waits: str) -> None:
    driver = make_driver(0)
    other = driver.submit()
    first = driver.submit(
        unique=REPLACE,
        schedule_time=START + SECOND if waits == "SCHEDULED" else None,
        depends_on=[other] if waits == "BLOCKED" else [],
    )
    assert driver.get(first).state.name == waits
    second = driver.submit(unique=REPLACE)
    assert [driver.get(job).state for job in (first, second)] == [State.CANCELLED, State.QUEUED]
    assert driver.submit(unique=RETURN).id == second.id


def test_what_depends_on_the_replaced_one_fails(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    first = driver.submit(unique=REPLACE)
    job = driver.submit(depends_on=[first])
    driver.submit(unique=REPLACE)
    assert driver.get(job).state is State.FAILED


def test_the_new_one_takes_the_place_of_the_replaced_one_in_a_full_queue(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    driver.queue(max_queued=1)
    first = driver.submit(unique=REPLACE)
    driver.submit(unique=REPLACE)
    assert driver.get(first).state is State.CANCELLED
    with pytest.raises(QueueFull):
        driver.submit()


@pytest.mark.parametrize("end", ["succeeds", "fails", "is cancelled", "is deleted"])
def test_whose_job_has_ended_the_key_is_free(driver: Driver, end: str) -> None:
    first = driver.submit(unique=REFUSE)
    if end == "is cancelled":
        driver.answer(ask.Cancel(first.id))
    driver.finish(first, HOPELESS if end == "fails" else DONE)
    if end == "is deleted":
        driver.answer(ask.Delete(first.id))
    assert driver.submit(unique=REFUSE).id != first.id


def test_retries_and_restarts_do_not_free_it(make_driver: MakeDriver, tmp_path: object) -> None:
    driver = make_driver(1, path=f"{tmp_path}/jobs.db")
    first = driver.submit(unique=RETURN)
    driver.finish(first, BROKEN)
    driver.restart()
    assert driver.submit(unique=RETURN).id == first.id


class TestPeriod:
    def test_it_is_taken_for_as_long_though_the_job_has_ended(self, driver: Driver) -> None:
        unique = Unique("k", MINUTE)
        first = driver.submit(unique=unique)
        driver.finish(first)
        driver.pass_time(MINUTE - 1)
        assert driver.submit(unique=unique) == driver.get(first)
        driver.pass_time(1)
        assert driver.submit(unique=unique).id != first.id

    def test_it_is_taken_for_longer_where_the_job_takes_longer(self, driver: Driver) -> None:
        unique = Unique("k", SECOND)
        first = driver.submit(unique=unique)
        driver.pass_time(MINUTE)
        assert driver.submit(unique=unique).id == first.id

    def test_one_that_has_ended_is_not_replaced(self, driver: Driver) -> None:
        driver.finish(driver.submit(unique=Unique("k", MINUTE)))
        with pytest.raises(UniqueKeyTaken):
            driver.submit(unique=REPLACE)


class TestBatches:
    def test_the_same_key_twice_is_one_job(self, driver: Driver) -> None:
        first, second, third = driver.batch(draft(unique=RETURN), draft(), draft(unique=RETURN))
        assert (first.id, len(driver.jobs())) == (third.id, 2)
        assert second.id != first.id

    @pytest.mark.parametrize("unique", [REFUSE, REPLACE])
    def test_or_none_is_made(self, driver: Driver, unique: Unique) -> None:
        before = driver.everything()
        with pytest.raises(UniqueKeyTaken):
            driver.batch(draft(unique=unique), draft(), draft(unique=unique))
        assert driver.everything() == before

    def test_one_refused_leaves_all_as_it_was_the_replaced_ones_too(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.submit(unique=REPLACE)
        driver.submit(unique=Unique("other"))
        before = driver.everything()
        with pytest.raises(UniqueKeyTaken):
            driver.batch(draft(unique=REPLACE), draft(unique=Unique("other", None, Conflict.REFUSE)))
        assert driver.everything() == before

    def test_the_existing_one_can_be_depended_on(self, driver: Driver) -> None:
        first = driver.submit(unique=RETURN)
        known, job = driver.batch(draft(ref="a", unique=RETURN), draft(depends_on=["a"]))
        assert known.id == first.id
        assert driver.get(job).blocked_by == (f"jobs/{first.id}",)


def test_a_repeated_request_is_answered_first(driver: Driver) -> None:
    first = driver.submit(unique=REFUSE, request_id="r")
    assert driver.submit(unique=REFUSE, request_id="r").id == first.id


def test_a_request_that_was_answered_with_another_s_job_is_so_again(driver: Driver) -> None:
    """Also after that has ended: who repeats it, because the answer was lost, gets no second job."""
    first = driver.submit(unique=RETURN)
    assert driver.submit(unique=RETURN, request_id="r").id == first.id
    driver.finish(first)
    assert driver.submit(unique=RETURN, request_id="r").id == first.id
    assert driver.submit(unique=RETURN, request_id="s").id != first.id


class TestRetry:
    def ended(self, driver: Driver) -> Job:
        job = driver.submit(unique=RETURN)
        driver.finish(job, HOPELESS)
        return job

    def test_it_takes_the_key_again(self, driver: Driver) -> None:
        job = self.ended(driver)
        driver.answer(ask.Retry(job.id))
        assert driver.submit(unique=RETURN).id == job.id

    def test_it_is_refused_where_another_has_it(self, driver: Driver) -> None:
        job = self.ended(driver)
        holder = driver.submit(unique=RETURN)
        with pytest.raises(UniqueKeyTaken) as refused:
            driver.answer(ask.Retry(job.id))
        assert refused.value.job_id == holder.id
        driver.finish(holder)
        assert driver.answer(ask.Retry(job.id)).state is State.QUEUED

    def test_deleting_an_earlier_one_frees_nothing(self, driver: Driver) -> None:
        job = self.ended(driver)
        holder = driver.submit(unique=RETURN)
        driver.answer(ask.Delete(job.id))
        assert driver.submit(unique=RETURN).id == holder.id
