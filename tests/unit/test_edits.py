"""Update of a waiting job, changes of many jobs at once, and how many ended jobs a queue keeps."""

from collections.abc import Callable
from typing import Any

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import NotFound, QueueFull, RevisionMismatch, WrongState
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Counters
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Conflict, Unique
from slotd_server.lifecycle import Committed
from tests.unit.driver import BROKEN, HOPELESS, START, Driver, draft

MakeDriver = Callable[..., Driver]


def later(driver: Driver, committed: Committed) -> None:
    """Go on until nothing is left to be done now."""
    while committed.agenda.due is not None and committed.agenda.due <= driver.clock.now():
        committed = driver.apply()


class TestUpdate:
    def test_what_is_named_is_set_and_nothing_else(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit(labels={"a": "1"}, priority=3, timeout=SECOND)
        after = driver.update(job, labels=(("b", "2"),))
        assert after == driver.get(job)
        assert after.spec == job.spec._replace(labels=(("b", "2"),))
        after = driver.update(after, priority=5, queue="q")
        assert after.spec == job.spec._replace(labels=(("b", "2"),), priority=5, queue="q")
        assert (after.state, after.seq) == (State.QUEUED, job.seq)

    def test_it_is_one_event_with_the_job_as_it_is(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit()
        after = driver.update(job, priority=5)
        event = driver.events()[-1]
        assert (event.type, event.job, event.previous_state) == (EventType.CHANGED, after, State.QUEUED)
        assert (event.revision, event.last, event.minor) == (after.revision, job.revision, False)

    def test_it_survives_a_restart_and_the_next_attempt(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(0, path=f"{tmp_path}/jobs.db")
        job = driver.update(driver.submit(), priority=5, queue="q", labels=(("a", "1"),))
        driver.restart(slots=1)
        assert driver.get(job) == job
        driver.apply()
        driver.finish(job, BROKEN)
        assert driver.get(job).spec == job.spec

    def test_only_waiting_jobs_are_updated(self, driver: Driver) -> None:
        job = driver.submit()
        for _ in range(2):
            before = driver.everything()
            with pytest.raises(WrongState):
                driver.update(job, priority=5)
            assert driver.everything() == before
            if driver.running:
                driver.finish(job)
        with pytest.raises(NotFound):
            driver.update(job.evolve(id="none"), priority=5)

    def test_the_revision_guards_it(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit()
        after = driver.update(job, priority=5, revision=job.revision)
        before = driver.everything()
        with pytest.raises(RevisionMismatch):
            driver.update(job, priority=6, revision=job.revision)
        assert driver.everything() == before
        driver.update(job, priority=6, revision=after.revision)

    def test_of_two_at_the_same_time_one_wins(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit()
        commands = [
            ask.Update(job.id, Changed("default", priority, (), None), frozenset({"priority"}), job.revision)
            for priority in (5, 6)
        ]
        first, second = driver.apply(*commands).answers
        assert first.spec.priority == 5
        assert isinstance(second, RevisionMismatch)

    def test_a_higher_priority_goes_first(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = [driver.submit() for _ in range(3)]
        driver.update(jobs[2], priority=1)
        driver.apply(ask.UpdateSlots(1))
        assert driver.states(jobs) == "QQR"

    def test_labels_are_found_as_they_are_now(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit(labels={"a": "1"})
        driver.update(job, labels=(("a", "2"),))

        def found(value: str) -> int:
            return len(driver.jobs(JobFilter(labels=frozenset({("a", value)}))))

        assert (found("1"), found("2")) == (0, 1)
        driver.answer(ask.Cancel(job.id))
        driver.answer(ask.Delete(job.id))
        assert driver.everything()["relabelled"] == []

    @pytest.mark.parametrize(
        ("job_filter", "changes"),
        [
            (JobFilter(queues=frozenset({"default"})), {"queue": "q"}),
            (JobFilter(labels=frozenset({("a", "1")})), {"labels": ()}),
            (JobFilter(queues=frozenset({"default"}), labels=frozenset({("a", "1")})), {"queue": "q"}),
        ],
    )
    def test_who_follows_by_filter_hears_that_it_left(
        self, make_driver: MakeDriver, job_filter: JobFilter, changes: dict[str, Any]
    ) -> None:
        driver = make_driver(0)
        job = driver.submit(labels={"a": "1"})
        driver.update(job, **changes)
        driver.update(job, priority=1)
        views: list[Event | None] = [job_filter.view(event) for event in driver.events()]
        assert [view and view.type for view in views] == [EventType.CREATED, EventType.LEFT_FILTER, None]

    class TestTime:
        def test_a_queued_job_is_put_off(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            job = driver.update(driver.submit(), schedule_time=START + SECOND)
            assert (job.state, job.schedule_time) == (State.SCHEDULED, START + SECOND)
            driver.apply(ask.UpdateSlots(1))
            assert driver.get(job).state is State.SCHEDULED
            driver.pass_time(SECOND)
            assert driver.get(job).state is State.RUNNING

        @pytest.mark.parametrize("time", [None, START, START - SECOND])
        def test_one_that_waits_for_its_time_goes_on_now(self, driver: Driver, time: int | None) -> None:
            job = driver.submit(schedule_time=START + 100 * SECOND)
            driver.update(job, schedule_time=time)
            assert driver.get(job).state is State.RUNNING

        def test_another_time_holds_instead(self, driver: Driver) -> None:
            job = driver.submit(schedule_time=START + SECOND)
            driver.update(job, schedule_time=START + 3 * SECOND)
            driver.pass_time(2 * SECOND)
            assert driver.get(job).state is State.SCHEDULED
            driver.pass_time(SECOND)
            assert driver.get(job).state is State.RUNNING

        def test_a_backoff_can_be_cut_short(self, driver: Driver) -> None:
            job = driver.submit()
            driver.finish(job, BROKEN)
            driver.update(job, schedule_time=None)
            assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 2)

        def test_a_zombie_is_waited_for_all_the_same(self, driver: Driver) -> None:
            job = driver.submit(initial_backoff=SECOND)
            driver.overrun(job)
            driver.update(job, schedule_time=None)
            assert driver.get(job).blocked_by == ("attempts/1",)
            driver.finish(job)
            assert driver.get(job).state is State.RUNNING

        def test_other_changes_leave_it_waiting_for_its_time(self, driver: Driver) -> None:
            job = driver.submit(schedule_time=START + SECOND)
            driver.update(job, priority=5, queue="q")
            assert driver.get(job).state is State.SCHEDULED
            driver.pass_time(SECOND)
            assert driver.get(job).state is State.RUNNING

        def test_the_queue_timeout_goes_on_where_the_time_is_not_changed(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            job = driver.submit(queue_timeout=10 * SECOND)
            driver.pass_time(6 * SECOND)
            driver.update(job, priority=5)
            driver.pass_time(4 * SECOND)
            assert driver.get(job).state is State.FAILED

    class TestQueue:
        def test_it_is_counted_there(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            job = driver.submit()
            driver.update(job, queue="q")
            counters = driver.stats().counters
            assert counters["default", "work"] == Counters()
            assert counters["q", "work"] == Counters(queued=1, submitted=1)
            driver.apply(ask.UpdateSlots(1))
            driver.finish(job)
            assert driver.stats().counters["q", "work"] == Counters(
                succeeded=1, total_succeeded=1, submitted=1, started=1
            )

        def test_a_full_one_refuses_it(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            driver.queue("q", max_queued=1)
            driver.submit(queue="q")
            job = driver.submit()
            before = driver.everything()
            with pytest.raises(QueueFull):
                driver.update(job, queue="q")
            assert driver.everything() == before

        def test_its_own_may_be_full(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            job = driver.submit()
            driver.queue(max_queued=1)
            driver.update(job, priority=1, queue="default")

        def test_it_obeys_the_other_one_s_settings(self, driver: Driver) -> None:
            driver.queue("q", paused=True)
            driver.queue(slots=0)
            job = driver.submit()
            driver.update(job, queue="q")
            driver.queue(slots=None)
            assert driver.get(job).state is State.QUEUED
            driver.queue("q", paused=False)
            assert driver.get(job).state is State.RUNNING

        def test_making_room_for_it_may_start_it_and_then_it_no_longer_waits(self, make_driver: MakeDriver) -> None:
            """Whether the other queue is full is known once all has started that can; that may be this very job."""
            driver = make_driver(0)
            job, _ = driver.submit(), driver.submit(queue="q")
            driver.queue("q", max_queued=1)
            command = ask.Update(job.id, Changed("q", 0, (), None), frozenset({"queue"}))
            _, answer = driver.apply(ask.UpdateSlots(2), command).answers
            assert driver.get(job).state is State.RUNNING
            assert isinstance(answer, WrongState)
            driver.finish(job)
            assert driver.slots().running == 1

    class TestTies:
        def test_put_off_it_lets_go_of_its_key_and_claims(self, make_driver: MakeDriver) -> None:
            driver = make_driver(0)
            driver.queue(slots_per_key=1)
            jobs = [driver.submit(key="k", resources=["r"]) for _ in range(2)]
            assert driver.states(jobs) == "QB"
            driver.update(jobs[0], schedule_time=START + SECOND)
            assert driver.states(jobs) == "SQ"

        def test_a_dependency_is_waited_for_all_the_same(self, driver: Driver) -> None:
            first = driver.submit()
            job = driver.submit(depends_on=[first])
            driver.update(job, schedule_time=None, priority=5)
            assert driver.get(job).blocked_by == (f"jobs/{first.id}",)
            driver.update(job, schedule_time=START + SECOND)
            driver.update(job, schedule_time=None)
            assert driver.get(job).blocked_by == (f"jobs/{first.id}",)

        def test_one_in_the_line_for_claims_stays_at_its_place(self, make_driver: MakeDriver) -> None:
            driver = make_driver(9)
            holder, job, other = [driver.submit(resources=["r"]) for _ in range(3)]
            driver.update(job, priority=-5, queue="q")
            driver.finish(holder)
            assert driver.states((job, other)) == "RB"

        @pytest.mark.parametrize("changes", [{"labels": (("a", "b"),)}, {"priority": -5}, {"schedule_time": None}])
        def test_what_a_queued_job_holds_stays_its_own(self, make_driver: MakeDriver, changes: dict[str, Any]) -> None:
            """An earlier one that waits for it is not let by."""
            driver = make_driver(0)
            driver.queue(slots_per_key=1)
            early = driver.submit(key="k", resources=["r"], schedule_time=START + SECOND)
            job = driver.submit(key="k", resources=["r"])
            driver.pass_time(SECOND)
            assert driver.states((early, job)) == "BQ"
            after = driver.update(job, **changes)
            assert after.links._replace(changed=None) == job.links
            assert driver.states((early, job)) == "BQ"

        def test_one_that_waits_for_its_claims_keeps_the_slot_of_its_key(self, make_driver: MakeDriver) -> None:
            driver = make_driver(9)
            driver.queue(slots_per_key=1)
            driver.submit(resources=["r"])
            job, other = driver.submit(key="k", resources=["r"]), driver.submit(key="k", priority=9)
            driver.update(job, labels=(("a", "b"),))
            assert driver.get(job).blocked_by == ("resources/r",)
            assert driver.get(other).blocked_by == ("keys/k",)

        def test_a_zombie_s_job_stays_in_its_queue(self, driver: Driver) -> None:
            driver.queue(slots_per_key=1)
            job = driver.submit(key="k")
            driver.overrun(job)
            with pytest.raises(WrongState):
                driver.update(job, queue="q")
            driver.finish(job)


def test_a_holder_that_is_started_on_the_way_is_not_replaced(make_driver: MakeDriver) -> None:
    """As above: whether the queue is full is known once all has started that can."""
    driver = make_driver(0)
    driver.queue(max_queued=2)
    holder, _ = driver.submit(unique=Unique("k")), driver.submit()
    replacing = draft(unique=Unique("k", None, Conflict.REPLACE))
    driver.apply(ask.UpdateSlots(2), ask.Submit((draft(), draft(), replacing), batch=True))
    assert driver.get(holder).state is State.RUNNING


class TestBulk:
    def test_step_by_step_through_all_that_match(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = driver.batch(*[draft("work" if number % 3 else "other") for number in range(30)])
        job_filter = JobFilter(kinds=frozenset({"work"}))
        steps: list[int] = []
        after: int | None = None
        while True:
            step = driver.answer(ask.Bulk("cancel", job_filter, after, limit=6))
            steps.append(step.done)
            if step.after is None:
                break
            after = step.after
        assert steps == [6, 6, 6, 2]
        assert driver.states(jobs) == "QCC" * 10

    def test_cancel_leaves_what_has_ended_and_asks_what_runs(self, driver: Driver) -> None:
        jobs = [driver.submit() for _ in range(4)]
        driver.finish(jobs[0])
        assert driver.answer(ask.Bulk("cancel", EVERYTHING)).done == 3
        assert driver.states(jobs) == "SRRC"
        assert len(driver.stopping) == 2
        assert driver.answer(ask.Bulk("cancel", EVERYTHING)).done == 0

    def test_retry_takes_what_failed_or_was_cancelled(self, make_driver: MakeDriver) -> None:
        driver = make_driver(3)
        jobs = [driver.submit() for _ in range(4)]
        driver.answer(ask.Cancel(jobs[3].id))
        driver.finish(jobs[0], HOPELESS)
        driver.finish(jobs[1])
        assert driver.answer(ask.Bulk("retry", EVERYTHING)).done == 2
        assert driver.states(jobs) == "RSRR"

    def test_retry_leaves_what_may_not(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        first = driver.submit(schedule_time=START + SECOND)
        dependent = driver.submit(queue="q", depends_on=[first])
        holder = driver.submit(queue="q", unique=Unique("k"))
        driver.answer(ask.Cancel(holder.id))
        driver.submit(unique=Unique("k"))
        driver.answer(ask.Cancel(first.id))
        queued = [driver.submit(queue="q") for _ in range(3)]
        for job in queued:
            driver.answer(ask.Cancel(job.id))
        driver.queue("q", max_queued=2)
        assert driver.answer(ask.Bulk("retry", JobFilter(queues=frozenset({"q"})))).done == 2
        assert driver.states((dependent, holder, *queued)) == "FCQQC"

    def test_retry_in_order_takes_whole_chains(self, driver: Driver) -> None:
        first, second, third = driver.batch(draft(ref="a"), draft(ref="b", depends_on=["a"]), draft(depends_on=["b"]))
        driver.finish(first, HOPELESS)
        assert driver.answer(ask.Bulk("retry", EVERYTHING)).done == 3
        assert driver.states((first, second, third)) == "RBB"

    def test_delete_takes_what_has_ended(self, driver: Driver) -> None:
        jobs = [driver.submit() for _ in range(3)]
        driver.answer(ask.Cancel(jobs[2].id))
        driver.finish(jobs[0])
        assert driver.answer(ask.Bulk("delete", EVERYTHING)).done == 2
        assert [job.seq for job in driver.jobs()] == [jobs[1].seq]

    def test_with_force_all_and_what_runs_when_it_has_stopped(self, driver: Driver) -> None:
        jobs = [driver.submit(), driver.submit(), driver.submit(queue="q", schedule_time=START + SECOND)]
        driver.finish(jobs[0])
        assert driver.answer(ask.Bulk("delete", EVERYTHING, force=True)).done == 2
        (job,) = driver.jobs()
        assert (job.seq, job.cancel_requested) == (jobs[1].seq, True)

    def test_each_deletion_is_told(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = driver.batch(*[draft()] * 3)
        committed = driver.apply(ask.Bulk("delete", EVERYTHING, force=True))
        gone = [event.job.seq for event in committed.events if event.type is EventType.DELETED]
        assert gone == [job.seq for job in reversed(jobs)]

    def test_a_chain_is_cancelled_as_a_whole_and_nothing_of_it_fails(self, driver: Driver) -> None:
        jobs = driver.batch(draft(ref="a"), draft(ref="b", depends_on=["a"]), draft(depends_on=["b"]))
        assert driver.answer(ask.Bulk("cancel", EVERYTHING)).done == 3
        driver.finish(jobs[0])
        assert driver.states(jobs) == "CCC"

    @pytest.mark.parametrize("order", ["abc", "cba", "bac"])
    def test_a_chain_is_deleted_as_a_whole_with_force(self, make_driver: MakeDriver, order: str) -> None:
        driver = make_driver(0)
        needs: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["b"]}
        driver.batch(*[draft(ref=ref, depends_on=needs[ref]) for ref in order])
        assert driver.answer(ask.Bulk("delete", EVERYTHING, force=True)).done == 3
        assert driver.jobs() == []


class TestRetainCount:
    def end(self, driver: Driver, number: int, **fields: object) -> list[Job]:
        jobs = [driver.submit(**fields) for _ in range(number)]  # type: ignore[arg-type]
        for job in jobs:
            driver.finish(job)
        return jobs

    def test_the_newest_ended_stay(self, make_driver: MakeDriver) -> None:
        driver = make_driver(5)
        driver.queue(retain_count=2)
        jobs = [driver.submit() for _ in range(4)]
        for number in (3, 0, 2, 1):
            driver.finish(jobs[number])
        assert [job.seq for job in driver.jobs()] == [jobs[1].seq, jobs[2].seq]

    def test_the_deletion_is_told_in_the_change_that_ended_the_newer_one(self, driver: Driver) -> None:
        driver.queue(retain_count=0)
        committed = driver.finish(driver.submit())
        assert [event.type for event in committed.events] == [EventType.CHANGED, EventType.DELETED]
        assert driver.counters().deleted == 1

    def test_failed_ones_neither_go_nor_count(self, driver: Driver) -> None:
        driver.queue(retain_count=1)
        failed = driver.submit()
        driver.finish(failed, HOPELESS)
        (first, last) = self.end(driver, 2)
        assert driver.find(first) is None
        assert driver.states((failed, last)) == "FS"

    def test_cancelled_ones_do(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue(retain_count=1)
        jobs = [driver.submit() for _ in range(3)]
        for job in jobs:
            driver.answer(ask.Cancel(job.id))
        assert [job.seq for job in driver.jobs()] == [jobs[2].seq]

    def test_a_retried_one_no_longer_counts(self, driver: Driver) -> None:
        driver.queue(retain_count=1)
        job = driver.submit()
        driver.answer(ask.Cancel(job.id))
        driver.finish(job)
        driver.answer(ask.Retry(job.id))
        first, last = self.end(driver, 2)
        assert driver.find(first) is None
        assert driver.states((job, last)) == "RS"

    def test_a_smaller_number_takes_effect_at_once_in_small_steps(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = driver.batch(*[draft()] * 1300)
        driver.apply(*[ask.Cancel(job.id) for job in jobs])
        committed = driver.queue(retain_count=10)
        assert len(committed.events) <= 1000
        later(driver, committed)
        assert [job.seq for job in driver.jobs()] == [job.seq for job in jobs[-10:]]

    def test_none_keeps_all_again(self, driver: Driver) -> None:
        driver.queue(retain_count=1)
        driver.queue(retain_count=None)
        jobs = self.end(driver, 3)
        assert driver.everything()["retained"] == []
        driver.queue(retain_count=2)
        assert [job.seq for job in driver.jobs()] == [jobs[1].seq, jobs[2].seq]

    def test_each_queue_keeps_its_own(self, driver: Driver) -> None:
        driver.queue(retain_count=1)
        self.end(driver, 2)
        self.end(driver, 3, queue="q")
        assert [job.spec.queue for job in driver.jobs()].count("q") == 3

    def test_what_others_depend_on_goes_once_they_have_ended(self, driver: Driver) -> None:
        driver.queue(retain_count=0)
        first = driver.submit()
        job = driver.submit(depends_on=[first], queue="q")
        driver.finish(first)
        assert driver.find(first) is not None
        self.end(driver, 1)
        assert len(driver.jobs()) == 2, "what is kept for another is in nobody's way"
        driver.finish(job)
        self.end(driver, 1)
        assert driver.find(first) is None

    def test_a_zombie_s_job_goes_once_it_holds_nothing(self, driver: Driver) -> None:
        driver.queue(retain_count=0)
        job = driver.submit(resources=["r"])
        driver.answer(ask.Cancel(job.id))
        driver.overrun(job)
        assert driver.get(job).state is State.CANCELLED
        driver.finish(job)
        self.end(driver, 1)
        assert driver.find(job) is None

    def test_it_holds_over_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(2, path=f"{tmp_path}/jobs.db")
        driver.queue(retain_count=2)
        jobs = self.end(driver, 2)
        driver.restart()
        jobs += self.end(driver, 1)
        assert [job.seq for job in driver.jobs()] == [job.seq for job in jobs[1:]]
