"""Dependencies: what a job waits for, what is refused, and what becomes of a job when what it waits for fails."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import InvalidArgument, QueueFull, ServiceError
from slotd_server.domain.events import EventType, JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.states import State
from slotd_server.domain.ties import Dependency, Unique
from slotd_server.lifecycle import Committed
from tests.unit.driver import BROKEN, DONE, HOPELESS, START, Driver, draft, ended, patient

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


def why(driver: Driver, job: Job) -> str:
    """The reason and message of its failure."""
    failure = driver.get(job).failure
    assert failure is not None
    return f"{failure.reason}: {failure.message}"


def settled(driver: Driver, committed: Committed) -> int:
    """Go on until nothing is left to be done now. → how many changes that took, none of them large."""
    changes = 1
    while committed.agenda.due is not None and committed.agenda.due <= driver.clock.now():
        assert len(committed.events) <= 1001
        committed = driver.apply()
        changes += 1
    return changes


class TestWaiting:
    def test_a_job_waits_for_all_that_it_depends_on(self, driver: Driver) -> None:
        first, second = driver.submit(), driver.submit()
        job = driver.submit(depends_on=[first, second])
        assert driver.get(job).blocked_by == (f"jobs/{first.id}", f"jobs/{second.id}")
        driver.finish(first)
        assert driver.get(job).blocked_by == (f"jobs/{second.id}",)
        driver.finish(second)
        assert (driver.get(job).state, driver.get(job).blocked_by) == (State.RUNNING, ())

    def test_it_goes_on_in_the_change_that_ends_the_last_of_them(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first])
        committed = driver.finish(first)
        moves = [(event.job.seq, event.job.state) for event in committed.events]
        assert moves == [(first.seq, State.SUCCEEDED), (job.seq, State.QUEUED), (job.seq, State.RUNNING)]

    def test_what_has_succeeded_already_is_not_waited_for(self, driver: Driver) -> None:
        first = driver.submit()
        driver.finish(first)
        assert driver.submit(depends_on=[first]).state is State.QUEUED

    def test_a_thousand_wait_for_one(self, driver: Driver) -> None:
        first = driver.submit(queue="elsewhere")
        driver.queue(paused=True)
        driver.batch(*[draft(depends_on=[first])] * 1000)
        driver.finish(first)
        assert driver.counters().queued == 1000

    def test_ten_thousand_are_let_go_in_several_changes(self, driver: Driver) -> None:
        first = driver.submit(queue="elsewhere")
        driver.queue(paused=True)
        for _ in range(5):
            driver.batch(*[draft(depends_on=[first])] * 2000)
        changes = settled(driver, driver.finish(first))
        assert driver.counters().queued == 10_000
        assert changes >= 10

    def test_what_was_left_to_do_is_done_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(1, path=f"{tmp_path}/jobs.db")
        first = driver.submit(queue="elsewhere")
        driver.queue(paused=True)
        driver.batch(*[draft(depends_on=[first])] * 3000)
        driver.finish(first)
        assert 0 < driver.counters().blocked < 3000
        driver.restart()
        settled(driver, driver.apply())
        assert driver.counters().queued == 3000

    def test_twenty_of_many_are_named(self, driver: Driver) -> None:
        jobs = driver.batch(*[draft()] * 30)
        job = driver.submit(depends_on=jobs)
        assert driver.get(job).blocked_by == tuple(f"jobs/{one.id}" for one in jobs[:20])
        driver.finish(jobs[29])
        driver.finish(jobs[3])
        assert driver.get(job).blocked_by == tuple(f"jobs/{one.id}" for one in (*jobs[:3], *jobs[4:21]))

    @pytest.mark.parametrize("outcome", [DONE, HOPELESS])
    def test_an_end_is_enough_where_no_more_is_asked(self, driver: Driver, outcome: Outcome) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[ended(first)])
        driver.finish(first, outcome)
        assert driver.get(job).state is State.RUNNING

    def test_a_cancelled_one_has_ended(self, driver: Driver) -> None:
        first = driver.submit(schedule_time=START + SECOND)
        job = driver.submit(depends_on=[ended(first)])
        cancel(driver, first)
        assert driver.get(job).state is State.RUNNING

    def test_a_retry_is_no_end(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[ended(first)])
        driver.finish(first, BROKEN)
        assert driver.get(job).state is State.BLOCKED

    def test_an_attempt_whose_function_runs_on_is_an_end(self, driver: Driver) -> None:
        first = driver.submit(max_attempts=1)
        job = driver.submit(depends_on=[ended(first)])
        driver.overrun(first)
        assert driver.get(job).state is State.RUNNING

    def test_the_time_comes_first(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first], schedule_time=START + SECOND)
        assert driver.get(job).state is State.SCHEDULED
        driver.pass_time(SECOND)
        assert driver.get(job).blocked_by == (f"jobs/{first.id}",)

    def test_what_is_met_while_it_waits_for_its_time_is_met(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first], schedule_time=START + SECOND)
        driver.finish(first)
        assert driver.get(job).state is State.SCHEDULED
        driver.answer(ask.Purge(JobFilter(job_ids=frozenset({first.id}))))
        driver.pass_time(SECOND)
        assert driver.get(job).state is State.RUNNING

    def test_a_queue_timeout_goes_on_meanwhile(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first], queue_timeout=SECOND)
        driver.pass_time(SECOND)
        assert why(driver, job).startswith("QUEUE_TIMEOUT")
        driver.finish(first)
        assert driver.get(job).state is State.FAILED

    def test_once_met_it_stays_met(self, driver: Driver) -> None:
        first, second = driver.submit(), driver.submit()
        job = driver.submit(depends_on=[ended(first), second])
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id))
        driver.finish(second)
        assert driver.get(job).state is State.RUNNING

    def test_its_own_retries_wait_for_nobody(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[ended(first)], initial_backoff=0)
        driver.finish(first, HOPELESS)
        driver.answer(ask.Retry(first.id))
        driver.finish(job, BROKEN)
        assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 2)

    def test_it_is_the_same_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(9, path=f"{tmp_path}/jobs.db")
        jobs = chain(driver, 3)
        driver.restart()
        driver.apply()
        for number in range(3):
            assert driver.states(jobs) == "S" * number + "R" + "B" * (2 - number)
            driver.finish(jobs[number])


class TestBatches:
    def test_a_diamond_in_any_order(self, driver: Driver) -> None:
        bottom, left, right, top = driver.batch(
            draft(ref="bottom", depends_on=["left", "right"]),
            draft(ref="left", depends_on=["top"]),
            draft(ref="right", depends_on=["top"]),
            draft(ref="top"),
        )
        assert driver.states((top, left, right, bottom)) == "RBBB"
        driver.finish(top)
        assert driver.states((left, right, bottom)) == "RRB"
        driver.finish(left)
        driver.finish(right)
        assert driver.get(bottom).state is State.RUNNING

    def test_refs_become_ids_and_stay_beside_them(self, driver: Driver) -> None:
        first, second = chain(driver, 2)
        assert second.spec.ties is not None
        assert second.spec.ties.depends_on == (Dependency(job_id=first.id, ref="j0"),)

    def test_a_batch_may_depend_on_what_was_there(self, driver: Driver) -> None:
        before = driver.submit()
        first, second = driver.batch(draft(ref="a", depends_on=[before]), draft(depends_on=["a", before]))
        driver.finish(before)
        assert driver.states((first, second)) == "RB"

    def test_a_repeated_one_is_the_job_that_it_made(self, driver: Driver) -> None:
        known = driver.submit(request_id="r")
        driver.finish(known)
        again, job = driver.batch(draft(ref="a", request_id="r"), draft(depends_on=["a"]))
        assert again.id == known.id
        assert driver.get(job).state is State.RUNNING

    def test_two_refs_may_be_one_job(self, driver: Driver) -> None:
        one, same, job = driver.batch(
            draft(ref="a", unique=Unique("k")), draft(ref="b", unique=Unique("k")), draft(depends_on=["a", "b"])
        )
        assert one.id == same.id
        assert driver.get(job).blocked_by == (f"jobs/{one.id}",)
        driver.finish(one)
        assert driver.get(job).state is State.RUNNING

    def test_refused_for_one_it_is_refused_for_all(self, driver: Driver) -> None:
        driver.queue("full", max_queued=0, paused=True)
        before = driver.everything()
        with pytest.raises(QueueFull):
            driver.batch(draft(ref="a"), draft(queue="full", depends_on=["a"]))
        assert driver.everything() == before

    def test_to_try_it_out_leaves_no_trace(self, driver: Driver) -> None:
        before = driver.everything()
        drafts = (draft(ref="a", group="g"), draft(depends_on=["a"], key="k", unique=Unique("u"), resources=["r"]))
        assert len(driver.answer(ask.Submit(drafts, validate_only=True, batch=True))) == 2
        assert driver.everything() == before

    def test_a_thousand_nodes(self, driver: Driver) -> None:
        jobs = driver.batch(
            *[draft(ref=f"n{n}", depends_on=[f"n{n // 2}", f"n{n // 3}"] if n > 2 else []) for n in range(1000)]
        )
        while driver.running:
            driver.apply(*[ask.Finish(lease, DONE) for lease in driver.running])
        assert driver.states(jobs) == "S" * 1000


class TestRefusals:
    def refused(self, driver: Driver, *drafts: object) -> InvalidArgument:
        before = driver.everything()
        with pytest.raises(InvalidArgument) as refused:
            driver.batch(*drafts)  # type: ignore[arg-type]
        assert driver.everything() == before
        return refused.value

    def test_an_unknown_job_is_named_with_its_field(self, driver: Driver) -> None:
        unknown = Dependency(job_id="0195d3a0-0000-7000-8000-000000000000")
        error = self.refused(driver, draft(), draft(depends_on=[unknown]))
        assert error.violations == (
            ("requests[1].spec.depends_on[0].job_id", f"names no job that is there, {unknown.job_id!r}"),
        )
        with pytest.raises(InvalidArgument, match=r"^spec\.depends_on\[0\]\.job_id: "):
            driver.submit(depends_on=[unknown])

    def test_a_group_without_jobs_too(self, driver: Driver) -> None:
        error = self.refused(driver, draft(depends_on=[Dependency(group="g")]))
        assert error.violations == (("requests[0].spec.depends_on[0].group", "names a group without jobs, 'g'"),)

    def test_a_cycle_is_shown(self, driver: Driver) -> None:
        error = self.refused(
            driver,
            draft(ref="start", depends_on=["a"]),
            draft(ref="a", depends_on=["b"]),
            draft(ref="b", depends_on=["c"]),
            draft(ref="c", depends_on=["a"]),
        )
        assert error.reason == "DEPENDENCY_CYCLE"
        assert "a → b → c → a" in str(error)
        assert "start" not in str(error)

    def test_one_of_one(self, driver: Driver) -> None:
        error = self.refused(driver, draft(ref="a", depends_on=["a"]))
        assert "a → a" in str(error)

    @pytest.mark.parametrize("length", [3, 1000])
    def test_however_long(self, driver: Driver, length: int) -> None:
        error = self.refused(driver, *[draft(ref=f"n{n}", depends_on=[f"n{(n + 1) % length}"]) for n in range(length)])
        # Of a long one the middle is left out.
        assert str(error).count("→") == min(length, 16)

    def test_a_job_that_waits_for_its_own_group(self, driver: Driver) -> None:
        error = self.refused(driver, draft(ref="a", group="g", depends_on=[Dependency(group="g")]))
        assert (error.reason, "a → groups/g → a" in str(error)) == ("DEPENDENCY_CYCLE", True)

    def test_a_job_that_joins_a_group_that_waits_for_it(self, driver: Driver) -> None:
        member = driver.submit(group="g")
        waiting = driver.submit(depends_on=[Dependency(group="g")])
        error = self.refused(driver, draft(ref="a", group="g", depends_on=[waiting]))
        assert error.reason == "DEPENDENCY_CYCLE"
        assert f"jobs/{waiting.id} → groups/g" in str(error)
        driver.finish(member)
        assert driver.get(driver.submit(group="g", depends_on=[waiting])).state is State.BLOCKED

    def test_two_groups_that_wait_for_each_other(self, driver: Driver) -> None:
        driver.submit(group="a")
        driver.submit(group="b", depends_on=[Dependency(group="a")])
        error = self.refused(driver, draft(group="a", depends_on=[Dependency(group="b")]))
        assert error.reason == "DEPENDENCY_CYCLE"


class TestFailure:
    @pytest.mark.parametrize("end", ["fails", "is cancelled"])
    def test_its_dependents_fail_with_it_and_theirs_too(self, driver: Driver, end: str) -> None:
        jobs = chain(driver, 4)
        committed = driver.finish(jobs[0], HOPELESS) if end == "fails" else None
        if committed is None:
            cancel(driver, jobs[0])
        assert driver.states(jobs[1:]) == "FFF"
        for before, job in pairwise(jobs):
            assert why(driver, job) == f"DEPENDENCY_FAILED: jobs/{before.id} did not succeed"
        if committed is not None:
            assert [event.job.seq for event in committed.events] == [job.seq for job in jobs], "not all in one change"

    def test_one_that_waits_for_its_time_fails_at_once(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[first], schedule_time=START + SECOND)
        driver.finish(first, HOPELESS)
        assert driver.get(job).state is State.FAILED

    def test_one_that_failed_before_it_was_submitted(self, driver: Driver) -> None:
        first = driver.submit()
        driver.finish(first, HOPELESS)
        committed = driver.apply(ask.Submit((draft(depends_on=[first]),)))
        assert [(event.type, event.job.state) for event in committed.events] == [
            (EventType.CREATED, State.BLOCKED),
            (EventType.CHANGED, State.FAILED),
        ]

    def test_in_a_batch_all_behind_it_fail(self, driver: Driver) -> None:
        first = driver.submit()
        driver.finish(first, HOPELESS)
        jobs = driver.batch(draft(ref="b", depends_on=["a"]), draft(ref="a", depends_on=[first]), draft(ref="free"))
        assert driver.states(jobs) == "FFR"

    def test_an_attempt_that_fails_is_not_the_end(self, driver: Driver) -> None:
        first, job = chain(driver, 2)
        driver.finish(first, BROKEN)
        assert driver.get(job).state is State.BLOCKED

    def test_one_that_only_waits_for_the_end_goes_on(self, driver: Driver) -> None:
        first, second, cleanup = driver.batch(
            draft(ref="a"), draft(ref="b", depends_on=["a"]), draft(depends_on=[ended("a"), ended("b")])
        )
        driver.finish(first, HOPELESS)
        assert driver.states((second, cleanup)) == "FR"

    def test_a_patient_one_waits_on_until_it_succeeds(self, driver: Driver) -> None:
        first = driver.submit()
        job = driver.submit(depends_on=[patient(first)])
        for _ in range(2):
            driver.finish(first, HOPELESS)
            assert driver.get(job).blocked_by == (f"jobs/{first.id}",)
            driver.answer(ask.Retry(first.id))
        driver.finish(first)
        assert driver.get(job).state is State.RUNNING

    def test_a_patient_one_may_come_after_the_failure(self, driver: Driver) -> None:
        first = driver.submit()
        driver.finish(first, HOPELESS)
        job = driver.submit(depends_on=[patient(first)])
        assert driver.get(job).state is State.BLOCKED
        driver.answer(ask.Retry(first.id))
        driver.finish(first)
        assert driver.get(job).state is State.RUNNING

    def test_ten_thousand_fail_with_it(self, driver: Driver) -> None:
        first = driver.submit(queue="elsewhere")
        for _ in range(5):
            driver.batch(*[draft(depends_on=[first])] * 2000)
        settled(driver, driver.finish(first, HOPELESS))
        assert driver.counters().failed == 10_001

    def test_whoever_fails_lets_go_of_its_place(self, driver: Driver) -> None:
        driver.queue(slots_per_key=1)
        first = driver.submit()
        job = driver.submit(depends_on=[first], key="k", resources=["a"], unique=Unique("u"))
        driver.finish(first, HOPELESS)
        assert driver.get(job).state is State.FAILED
        after = driver.submit(key="k", resources=["a"], unique=Unique("u"))
        assert driver.get(after).state is State.RUNNING


@pytest.mark.parametrize(
    "act",
    [
        lambda driver, first: ask.Finish(driver.lease(first), HOPELESS),
        lambda driver, first: ask.Finish(driver.lease(first), DONE),
        lambda driver, first: ask.Submit((draft(ref="a", depends_on=[first]), draft(depends_on=["a"])), batch=True),
    ],
    ids=["cascade", "unblocking", "submit"],
)
def test_on_a_full_disk_all_is_as_it_was(driver: Driver, act: Callable[[Driver, Job], ask.Command]) -> None:
    first, *_ = chain(driver, 3)
    before = driver.everything()
    driver.store.fail_commits = 1
    with pytest.raises(ServiceError):
        driver.lifecycle.apply([act(driver, first)])
    assert driver.everything() == before
