"""Groups: counted as they are, and waited for as a whole."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import InvalidArgument, NotFound
from slotd_server.domain.events import EVERYTHING, JobFilter
from slotd_server.domain.job import SECOND
from slotd_server.domain.queue import Counters
from slotd_server.domain.states import State
from slotd_server.domain.ties import Dependency
from tests.unit.driver import BROKEN, HOPELESS, START, Driver, draft

MakeDriver = Callable[..., Driver]

ALL_SUCCEED = Dependency(group="g")
ALL_END = Dependency(group="g", success=False)
PATIENT = Dependency(group="g", patient=True)


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """Slots enough: what waits here waits for a group."""
    return make_driver(50)


class TestCounting:
    def test_its_jobs_are_counted_by_state(self, driver: Driver) -> None:
        jobs = [driver.submit(group="g", max_attempts=1) for _ in range(4)]
        driver.submit(group="g", schedule_time=START + SECOND)
        driver.submit(group="g", depends_on=[jobs[3]])
        driver.submit(group="other")
        driver.finish(jobs[0])
        driver.finish(jobs[1], BROKEN)
        driver.answer(ask.Cancel(jobs[2].id))
        driver.finish(jobs[2])
        assert driver.answer(ask.GetGroup("g")) == Counters(
            scheduled=1, blocked=1, running=1, succeeded=1, failed=1, cancelled=1
        )

    def test_at_each_point_of_a_change(self, driver: Driver) -> None:
        answers = driver.apply(
            ask.Submit((draft(group="g"),)), ask.GetGroup("g"), ask.Submit((draft(group="g"),)), ask.GetGroup("g")
        ).answers
        assert [answers[1], answers[3]] == [Counters(queued=1), Counters(queued=2)]

    def test_without_jobs_it_is_none(self, driver: Driver) -> None:
        with pytest.raises(NotFound):
            driver.answer(ask.GetGroup("g"))
        job = driver.submit(group="g")
        driver.finish(job)
        driver.answer(ask.Delete(job.id))
        with pytest.raises(NotFound):
            driver.answer(ask.GetGroup("g"))
        with pytest.raises(InvalidArgument):
            driver.submit(depends_on=[ALL_END])
        assert [driver.everything()[name] for name in ("groups", "members")] == [[], []]

    def test_it_survives_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(0, path=f"{tmp_path}/jobs.db")
        driver.batch(*[draft(group="g")] * 3)
        driver.restart()
        assert driver.answer(ask.GetGroup("g"), claim=False) == Counters(queued=3)

    def test_a_move_to_another_queue_changes_nothing(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.update(driver.submit(group="g"), queue="q")
        assert driver.answer(ask.GetGroup("g")) == Counters(queued=1)

    def test_its_jobs_are_found(self, driver: Driver) -> None:
        jobs = [driver.submit(group=group) for group in ("g", "h", "g", "i")]
        driver.submit()

        def found(*groups: str, **more: frozenset[State]) -> list[int]:
            return [job.seq for job in driver.jobs(JobFilter(groups=frozenset(groups), **more))]  # type: ignore[arg-type]

        assert found("g") == [jobs[0].seq, jobs[2].seq]
        assert found("h", "i", "none") == [jobs[1].seq, jobs[3].seq]
        driver.finish(jobs[2])
        assert found("g", states=frozenset({State.SUCCEEDED})) == [jobs[2].seq]

    def test_it_is_cancelled_as_a_whole(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        jobs = driver.batch(*[draft(group="g")] * 3, draft())
        step = driver.answer(ask.Bulk("cancel", JobFilter(groups=frozenset({"g"}))))
        assert (step.done, step.after) == (3, None)
        driver.finish(jobs[0])
        assert driver.states(jobs) == "CCCR"


class TestWaiting:
    def test_until_none_is_left_that_has_not_ended(self, driver: Driver) -> None:
        *members, job = driver.batch(*[draft(group="g")] * 3, draft(depends_on=[ALL_SUCCEED]))
        for member in members:
            assert driver.get(job).blocked_by == ("groups/g",)
            driver.finish(member)
        assert driver.get(job).state is State.RUNNING

    def test_wherever_in_the_batch_its_jobs_are(self, driver: Driver) -> None:
        job, first, second = driver.batch(draft(depends_on=[ALL_SUCCEED]), draft(group="g"), draft(group="g"))
        driver.finish(first)
        assert driver.get(job).state is State.BLOCKED
        driver.finish(second)
        assert driver.get(job).state is State.RUNNING

    def test_a_group_that_has_ended_is_not_waited_for(self, driver: Driver) -> None:
        driver.finish(driver.submit(group="g"))
        assert driver.get(driver.submit(depends_on=[ALL_SUCCEED])).state is State.RUNNING

    def test_one_that_has_ended_and_gets_more_in_the_same_batch_is(self, driver: Driver) -> None:
        driver.finish(driver.submit(group="g"))
        job, member = driver.batch(draft(depends_on=[ALL_SUCCEED]), draft(group="g"))
        assert driver.get(job).state is State.BLOCKED
        driver.finish(member)
        assert driver.get(job).state is State.RUNNING

    def test_those_that_join_meanwhile_count(self, driver: Driver) -> None:
        first = driver.submit(group="g")
        job = driver.submit(depends_on=[ALL_SUCCEED])
        second = driver.submit(group="g")
        driver.finish(first)
        assert driver.get(job).state is State.BLOCKED
        driver.finish(second)
        assert driver.get(job).state is State.RUNNING

    def test_those_that_join_later_do_not(self, driver: Driver) -> None:
        first = driver.submit(group="g")
        other = driver.submit()
        job = driver.submit(depends_on=[ALL_SUCCEED, other])
        driver.finish(first)
        late = driver.submit(group="g")
        driver.finish(late, HOPELESS)
        assert driver.get(job).blocked_by == (f"jobs/{other.id}",)
        driver.finish(other)
        assert driver.get(job).state is State.RUNNING

    def test_nothing_is_decided_while_one_may_still_succeed(self, driver: Driver) -> None:
        first, second, job = driver.batch(*[draft(group="g")] * 2, draft(depends_on=[ALL_SUCCEED]))
        driver.finish(first, HOPELESS)
        assert driver.get(job).state is State.BLOCKED
        driver.answer(ask.Retry(first.id))
        driver.finish(second)
        driver.finish(first)
        assert driver.get(job).state is State.RUNNING

    def test_one_failure_fails_those_that_want_all_to_succeed(self, driver: Driver) -> None:
        first, second, job, behind, end, waits = driver.batch(
            *[draft(group="g")] * 2,
            draft(ref="a", depends_on=[ALL_SUCCEED]),
            draft(depends_on=["a"]),
            draft(depends_on=[ALL_END]),
            draft(depends_on=[PATIENT]),
        )
        driver.finish(first, HOPELESS)
        driver.finish(second)
        assert driver.states((job, behind, end, waits)) == "FFRB"
        failure = driver.get(job).failure
        assert failure is not None
        assert failure == ("DEPENDENCY_FAILED", "groups/g did not succeed")
        driver.answer(ask.Retry(first.id))
        driver.finish(first)
        assert driver.states((job, end, waits)) == "FRR"

    def test_a_retry_takes_those_along_that_failed_because_of_the_group(self, driver: Driver) -> None:
        first, second, job = driver.batch(*[draft(group="g")] * 2, draft(depends_on=[ALL_SUCCEED]))
        driver.finish(first, HOPELESS)
        driver.finish(second)
        driver.answer(ask.Retry(first.id, dependents=True))
        assert driver.get(job).blocked_by == ("groups/g",)
        driver.finish(first)
        assert driver.get(job).state is State.RUNNING

    def test_a_retry_of_what_waited_for_it_looks_at_it_anew(self, driver: Driver) -> None:
        member, job = driver.batch(draft(group="g"), draft(depends_on=[ALL_SUCCEED]))
        driver.answer(ask.Cancel(job.id))
        driver.finish(member)
        driver.answer(ask.Retry(job.id))
        assert driver.get(job).state is State.RUNNING

    def test_the_failed_ones_may_be_deleted_and_no_longer_count(self, driver: Driver) -> None:
        first, second, job = driver.batch(*[draft(group="g")] * 2, draft(depends_on=[PATIENT]))
        driver.finish(first, HOPELESS)
        driver.finish(second)
        driver.answer(ask.Delete(first.id))
        assert driver.get(job).state is State.RUNNING

    def test_also_when_none_is_left(self, driver: Driver) -> None:
        member, job = driver.batch(draft(group="g"), draft(depends_on=[PATIENT]))
        driver.finish(member, HOPELESS)
        assert driver.answer(ask.Purge(EVERYTHING)) == 1
        assert driver.get(job).state is State.RUNNING

    def test_groups_may_follow_each_other(self, driver: Driver) -> None:
        jobs = driver.batch(
            *[draft(group="a")] * 2,
            *[draft(group="b", depends_on=[Dependency(group="a")])] * 2,
            draft(depends_on=[Dependency(group="b")]),
        )
        for number, expected in enumerate(("RRBBB", "SRBBB", "SSRRB", "SSSRB", "SSSSR")):
            assert driver.states(jobs) == expected
            driver.finish(jobs[number])

    def test_it_is_the_same_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(9, path=f"{tmp_path}/jobs.db")
        member, job = driver.batch(draft(group="g"), draft(depends_on=[ALL_SUCCEED]))
        driver.restart()
        driver.apply()
        assert driver.get(job).state is State.BLOCKED
        driver.finish(member)
        assert driver.get(job).state is State.RUNNING
