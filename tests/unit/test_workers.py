"""Workers in the core: their pools, what they are given, and what becomes of it when they or their server go."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreFull
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.outcome import Released
from slotd_server.domain.queue import NOTHING, Defaults
from slotd_server.domain.states import State
from slotd_server.domain.worker import Claimed, Standing, Worker, runs_on
from tests.unit.driver import Driver, draft, lease

FAR = {"far": NOTHING}
W1, W2 = Worker("w1", "one", "test/1", 5), Worker("w2", "two", "test/1", 6)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A server with no slots of its own."""
    with closing(Driver(0, path=str(tmp_path / "jobs.db"))) as one:
        yield one


def enlist(driver: Driver, *has: Job, worker: Worker = W1, slots: int = 2, line: int = 1) -> list[Job]:
    """A worker connects, and says how many slots it offers once it is welcome. Returns what is still its own."""
    claimed = tuple(Claimed(job.id, job.fence) for job in has)
    enlisted: ask.Enlisted = driver.answer(ask.Enlist(worker, FAR, claimed, line))
    driver.apply(ask.Resize(worker.id, line, slots))
    return enlisted.kept


def submit(driver: Driver, kind: str = "far") -> Job:
    """A job, as it is once that change is through."""
    return driver.get(driver.submit(kind))


def reasons(job: Job) -> list[str]:
    """Why its attempts did not succeed."""
    return [attempt.failure.reason for attempt in job.attempts if attempt.failure is not None]


class TestSlots:
    def test_a_worker_is_given_as_much_as_it_offers(self, driver: Driver) -> None:
        jobs = [submit(driver) for _ in range(3)]
        enlist(driver, slots=2)
        assert [driver.get(job).state for job in jobs] == [State.RUNNING, State.RUNNING, State.QUEUED]
        assert runs_on(driver.get(jobs[0])) == "w1"

    def test_nothing_is_given_before_it_has_said_how_much_it_takes(self, driver: Driver) -> None:
        driver.answer(ask.Enlist(W1, FAR))
        assert submit(driver).state is State.QUEUED

    def test_a_finish_lets_the_next_one_go(self, driver: Driver) -> None:
        enlist(driver, slots=1)
        first, second = submit(driver), submit(driver)
        driver.finish(first)
        assert (driver.get(first).state, driver.get(second).state) == (State.SUCCEEDED, State.RUNNING)

    def test_it_gets_only_kinds_that_it_runs(self, driver: Driver) -> None:
        enlist(driver)
        assert submit(driver, "work").state is State.QUEUED

    def test_a_server_that_runs_the_kind_too_shares_the_work(self, driver: Driver) -> None:
        driver.apply(ask.UpdateSlots(1))
        driver.answer(ask.Enlist(W1, {"far": NOTHING, "work": NOTHING}, (), 1))
        driver.apply(ask.Resize("w1", 1, 1))
        assert sorted(runs_on(submit(driver, "work")) for _ in range(2)) == ["", "w1"]
        assert submit(driver, "work").state is State.QUEUED

    def test_what_only_one_can_run_is_left_to_it(self, driver: Driver) -> None:
        """Who takes more kinds stays free for those that nobody else takes."""
        driver.answer(ask.Enlist(Worker("all"), {"far": NOTHING, "rare": NOTHING}, (), 1))
        driver.apply(ask.Resize("all", 1, 5))
        enlist(driver, slots=1)
        assert (runs_on(submit(driver)), runs_on(submit(driver, "rare")), runs_on(submit(driver))) == (
            "w1",
            "all",
            "all",
        )

    def test_of_two_alike_the_one_with_more_room_is_next(self, driver: Driver) -> None:
        enlist(driver, worker=W1, slots=2)
        enlist(driver, worker=W2, slots=3)
        ran = [runs_on(submit(driver)) for _ in range(5)]
        assert (ran[0], ran.count("w2")) == ("w2", 3)
        assert submit(driver).state is State.QUEUED

    def test_a_queue_s_limit_holds_over_all_pools(self, driver: Driver) -> None:
        driver.queue(slots=1)
        enlist(driver, worker=W1)
        enlist(driver, worker=W2)
        assert [submit(driver).state for _ in range(2)] == [State.RUNNING, State.QUEUED]

    def test_one_that_offers_less_gets_nothing_until_there_is_room(self, driver: Driver) -> None:
        enlist(driver, slots=2)
        first, second, third = (submit(driver) for _ in range(3))
        driver.apply(ask.Resize("w1", 1, 1))
        driver.finish(first)
        assert driver.get(third).state is State.QUEUED
        assert driver.slots().size == 1
        driver.finish(second)
        assert driver.get(third).state is State.RUNNING

    def test_one_that_drains_gets_nothing_more(self, driver: Driver) -> None:
        enlist(driver)
        driver.apply(ask.Resize("w1", 1, draining=True))
        assert submit(driver).state is State.QUEUED

    def test_its_slots_are_in_the_ledger(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        view = driver.slots()
        assert (view.size, view.free, view.running, view.zombie, view.limit) == (2, 1, 1, 0, 0)
        assert [(part.pool.worker, part.size, part.free) for part in view.pools] == [(None, 0, 0), (W1, 2, 1)]
        assert [(holder.job_id, holder.pool) for holder in view.holders] == [(job.id, "w1")]

    def test_a_function_that_outlives_its_attempt_holds_the_worker_s_slot(self, driver: Driver) -> None:
        enlist(driver, slots=1)
        job = submit(driver)
        driver.overrun(job)
        other = submit(driver)
        assert (driver.ledger.standing(lease(job)), other.state) == (Standing.ZOMBIE, State.QUEUED)
        driver.finish(job)
        assert driver.get(other).state is State.RUNNING

    def test_what_its_handler_declares_holds_for_its_jobs(self, driver: Driver) -> None:
        driver.answer(ask.Enlist(W1, {"far": Defaults(queue="mail", priority=7)}))
        spec = submit(driver).spec
        assert (spec.queue, spec.priority) == ("mail", 7)

    def test_a_change_that_fails_leaves_no_worker_behind(self, driver: Driver) -> None:
        driver.store.fail_commits = 1
        with pytest.raises(StoreFull):
            driver.apply(ask.Enlist(W1, FAR), ask.Submit((draft("far"),)))
        assert list(driver.ledger.pools) == [""]
        assert "far" not in driver.ledger.kinds


class TestComingAndGoing:
    def test_one_that_can_t_be_reached_keeps_what_it_has_and_gets_nothing_new(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.apply(ask.Detach("w1", 1))
        assert (driver.get(job).state, submit(driver).state) == (State.RUNNING, State.QUEUED)
        assert (driver.slots().size, driver.slots().free) == (1, 0)

    def test_when_it_comes_again_its_attempt_goes_on(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.apply(ask.Detach("w1", 1))
        assert enlist(driver, job, line=2) == [driver.get(job)]
        driver.finish(job)
        after = driver.get(job)
        assert (after.state, len(after.attempts)) == (State.SUCCEEDED, 1)

    def test_what_never_reached_it_is_put_back_without_counting(self, driver: Driver) -> None:
        enlist(driver, slots=1)
        job = submit(driver)
        committed = driver.apply(ask.Enlist(W1, FAR, (), 2))
        after = driver.get(job)
        assert (after.state, after.attempt, reasons(after)) == (State.QUEUED, 0, ["WORKER_LOST"])
        assert committed.dropped == [lease(job)]
        assert driver.slots().running == 0

    def test_what_it_has_of_an_attempt_that_is_over_is_not_its_own(self, driver: Driver) -> None:
        enlist(driver, slots=1)
        job = submit(driver)
        driver.finish(job)
        assert enlist(driver, job, line=2) == []

    def test_an_earlier_claim_of_a_job_that_it_has_again_is_not_its_own(self, driver: Driver) -> None:
        enlist(driver, slots=1)
        earlier = submit(driver)
        driver.finish(earlier, Released())
        now = driver.get(earlier)
        assert (now.state, now.fence) == (State.RUNNING, earlier.fence + 1)
        assert enlist(driver, earlier, line=2, slots=0) == []
        assert driver.get(earlier).state is State.QUEUED

    def test_what_another_worker_has_is_not_its_own(self, driver: Driver) -> None:
        enlist(driver, worker=W1)
        job = submit(driver)
        assert enlist(driver, job, worker=W2, slots=0) == []
        assert driver.ledger.pool_of(lease(job)) == "w1"

    def test_when_it_is_lost_its_attempts_count(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        committed = driver.apply(ask.Dismiss("w1", lost=True))
        after = driver.get(job)
        assert (after.state, after.attempt, reasons(after)) == (State.QUEUED, 1, ["WORKER_LOST"])
        assert (committed.dropped, list(driver.ledger.pools)) == ([lease(job)], [""])
        assert "far" not in driver.ledger.kinds

    def test_when_it_leaves_they_don_t(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.apply(ask.Dismiss("w1", lost=False, line=1))
        after = driver.get(job)
        assert (after.state, after.attempt, reasons(after)) == (State.QUEUED, 0, ["WORKER_STOPPED"])

    def test_what_it_gives_back_does_not_count(self, driver: Driver) -> None:
        enlist(driver)
        driver.apply(ask.Resize("w1", 1, 0))
        job = submit(driver)
        driver.apply(ask.Resize("w1", 1, 1))
        driver.apply(ask.Resize("w1", 1, 0), ask.Finish(lease(driver.get(job)), Released()))
        after = driver.get(job)
        assert (after.state, after.attempt, reasons(after)) == (State.QUEUED, 0, ["WORKER_STOPPED"])

    def test_a_cancelled_attempt_of_one_that_is_lost_ends_the_job(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.apply(ask.Cancel(job.id))
        driver.apply(ask.Dismiss("w1", lost=True))
        assert driver.get(job).state is State.CANCELLED

    def test_a_zombie_of_one_that_is_lost_lets_the_next_attempt_go(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.overrun(job)
        driver.pass_time(60 * SECOND)
        assert driver.get(job).state is State.BLOCKED
        driver.apply(ask.Dismiss("w1", lost=True))
        assert driver.get(job).state is State.QUEUED

    @pytest.mark.parametrize(
        "late", [ask.Detach("w1", 1), ask.Resize("w1", 1, 9), ask.Dismiss("w1", lost=False, line=1)], ids=str
    )
    def test_an_earlier_connection_has_nothing_to_say_any_more(self, driver: Driver, late: ask.Command) -> None:
        """It ends, or is still read, when the next one has been welcomed."""
        enlist(driver, line=1)
        job = submit(driver)
        enlist(driver, job, line=2, slots=2)
        driver.apply(late)
        pool = driver.ledger.pools["w1"]
        assert (pool.connected, pool.limit, driver.get(job).state) == (True, 2, State.RUNNING)

    def test_one_that_was_asked_to_leave_still_is_when_it_comes_again(self, driver: Driver) -> None:
        """Whether it ever heard of that, nobody knows."""
        enlist(driver, line=1)
        driver.apply(ask.Resize("w1", 1, draining=True))
        assert driver.answer(ask.Enlist(W1, FAR, (), 2)).draining
        driver.apply(ask.Resize("w1", 2, 2))
        assert submit(driver).state is State.QUEUED

    def test_it_is_asked_to_leave_whichever_connection_it_has(self, driver: Driver) -> None:
        """Who asks may have seen one that has been replaced meanwhile, or none."""
        enlist(driver, line=2)
        driver.apply(ask.Detach("w1", 2), ask.Resize("w1", None, draining=True))
        assert driver.answer(ask.Enlist(W1, FAR, (), 3)).draining

    def test_one_that_was_not_asked_to_leave_stays(self, driver: Driver) -> None:
        assert not driver.answer(ask.Enlist(W1, FAR, (), 1)).draining
        assert not driver.answer(ask.Enlist(W1, FAR, (), 2)).draining

    def test_it_began_when_it_came_first(self, driver: Driver) -> None:
        enlist(driver, line=1)
        enlist(driver, worker=W1._replace(start_time=99), line=2)
        assert driver.ledger.pools["w1"].worker == W1


class TestItsServerGoes:
    def test_its_attempts_are_the_next_server_s(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        committed = driver.restart()
        after = driver.get(job)
        assert (after.state, after.attempt, after.owner) == (State.RUNNING, 1, driver.store.owner)
        assert committed.taken_over == [after]
        assert (driver.slots().running, driver.slots().free) == (1, 0)

    def test_it_comes_in_the_change_that_finds_them_gone(self, driver: Driver) -> None:
        """Another server had them meanwhile."""
        enlist(driver)
        job = submit(driver)
        tx = driver.store.begin()
        tx.keep(job.evolve(owner="another"))
        tx.commit()
        again = ask.Enlist(W1, FAR, (Claimed(job.id, job.fence),), 2)
        committed = driver.apply(ask.Reconcile(), again)
        assert [one.id for one in committed.taken_over] == [job.id]
        assert (committed.dropped, committed.stopping) == ([], [])
        driver.finish(job)
        assert driver.get(job).state is State.SUCCEEDED

    def test_it_comes_and_ends_them(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.restart()
        assert enlist(driver, job) == [driver.get(job)]
        driver.finish(job)
        after = driver.get(job)
        assert (after.state, len(after.attempts)) == (State.SUCCEEDED, 1)

    def test_it_does_not_come(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.restart()
        driver.apply(ask.Dismiss("w1", lost=True))
        after = driver.get(job)
        assert (after.state, reasons(after)) == (State.QUEUED, ["WORKER_LOST"])

    def test_the_server_s_own_attempts_are_given_back_as_ever(self, driver: Driver) -> None:
        driver.apply(ask.UpdateSlots(1))
        enlist(driver)
        here, there = submit(driver, "work"), submit(driver)
        driver.restart()
        assert (reasons(driver.get(here)), driver.get(there).state) == (["SERVER_LOST"], State.RUNNING)

    def test_a_queue_s_limit_counts_them(self, driver: Driver) -> None:
        driver.queue(slots=1)
        enlist(driver)
        submit(driver)
        driver.restart(slots=1)
        assert submit(driver, "work").state is State.QUEUED

    def test_a_zombie_is_a_zombie_still(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        driver.overrun(job)
        driver.pass_time(60 * SECOND)
        driver.restart()
        assert driver.slots().zombie == 1
        assert driver.get(job).state is State.BLOCKED
        assert enlist(driver, job, slots=2) == [driver.get(job)]
        driver.finish(job)
        assert driver.get(job).state is State.RUNNING

    def test_the_attempt_tells_who_began_it(self, driver: Driver) -> None:
        enlist(driver)
        job = submit(driver)
        before = driver.store.owner
        driver.restart()
        assert (driver.get(job).attempts[-1].server, driver.get(job).attempts[-1].worker) == (before, "w1")
