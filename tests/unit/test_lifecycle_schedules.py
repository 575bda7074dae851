"""Schedules that fire: one job for each firing, whatever the clock, the disk and the server do in between."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import (
    InvalidArgument,
    NotFound,
    QueueFull,
    RequestIdReused,
    RevisionMismatch,
    ScheduleExists,
    ScheduleOverlap,
    StoreFull,
)
from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import SECOND, Job, Payload
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.schedule import Overlap, Schedule, Settings, due_time, upcoming
from slotd_server.domain.states import State
from slotd_server.domain.ties import Ties
from tests.unit.driver import DONE, KINDS, START, Driver, draft

MakeDriver = Callable[..., Driver]

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WORK = draft("work")


def create(driver: Driver, name: str = "s", *, job: Draft = WORK, **fields: Any) -> Schedule:
    settings = Settings(job, **({"interval": MINUTE} | fields))
    answer = driver.answer(ask.CreateSchedule(Schedule(name, settings, 0, 0)))
    assert isinstance(answer, Schedule)
    return answer


def update(driver: Driver, name: str = "s", *, revision: int = 0, **fields: Any) -> Schedule:
    settings = Settings(fields.get("draft", WORK), **{field: fields[field] for field in fields if field != "draft"})
    answer = driver.answer(ask.UpdateSchedule(name, settings, frozenset(fields), revision))
    assert isinstance(answer, Schedule)
    return answer


def trigger(driver: Driver, name: str = "s", request_id: str = "", content: bytes = b"t") -> Job:
    answer = driver.answer(ask.TriggerSchedule(name, request_id, content))
    assert isinstance(answer, Job)
    return answer


def get(driver: Driver, name: str = "s") -> Schedule:
    answer = driver.answer(ask.GetSchedule(name), claim=False)
    assert isinstance(answer, Schedule)
    return answer


def ties(job: Job) -> Ties:
    assert job.spec.ties is not None
    return job.spec.ties


def fired(driver: Driver, name: str = "s") -> list[int]:
    """For which times the schedule made jobs, in microseconds after the start."""
    return [(ties(job).fire_time or 0) - START for job in driver.jobs() if ties(job).schedule == name]


def run_all(driver: Driver) -> None:
    """Everything that runs ends well, and what that lets run does too."""
    while driver.running:
        for job in list(driver.running.values()):
            driver.finish(job)


def settle(driver: Driver) -> int:
    """Changes until nothing is due any more; how many that took."""
    for changes in range(1, 10_000):
        due = driver.apply().agenda.due
        if due is None or due > driver.clock.now():
            return changes
    raise AssertionError("there is always something due")


def rows(driver: Driver) -> list[Any]:
    tables = ("schedules", "schedule_settings")
    return [driver.store.writer.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]


class TestFiring:
    def test_each_firing_makes_one_job_that_says_what_it_is_for(self, driver: Driver) -> None:
        job = draft("work", labels={"a": "b"}, payload=Payload("text/plain", b"x"), priority=3)
        create(driver, job=job)
        assert driver.jobs() == []
        driver.pass_time(MINUTE + 5)
        (made,) = driver.jobs()
        assert made.state is State.RUNNING
        assert made.spec == job._replace(ties=Ties(schedule="s", fire_time=START + MINUTE)).resolve(BUILT_IN)
        after = get(driver)
        assert (after.fired, after.skipped, after.last_time) == (1, 0, START + MINUTE)
        assert after.recent == (made.id,)
        assert after.revision == 2

    def test_it_wakes_the_writer_in_time(self, driver: Driver) -> None:
        schedule = create(driver, jitter=30 * SECOND)
        due = due_time(schedule)
        assert due is not None
        assert START + MINUTE < due < START + 2 * MINUTE
        assert driver.apply().agenda.due == due
        driver.clock.advance(due - 1 - START)
        driver.apply()
        assert fired(driver) == []
        assert driver.pass_time(1).agenda.due == due_time(get(driver))
        assert fired(driver) == [MINUTE]

    def test_intervals_do_not_drift(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW)
        for number in range(20):
            driver.pass_time(MINUTE + (number % 3) * SECOND)
            run_all(driver)
        times = fired(driver)
        assert times == [number * MINUTE for number in range(1, len(times) + 1)]
        assert len(times) == 20

    def test_cron_goes_by_its_time_zone(self, driver: Driver) -> None:
        # It is 22:13 in UTC, 17:13 in New York.
        create(driver, "utc", cron="0 23 * * *", interval=None)
        create(driver, "york", cron="0 23 * * *", interval=None, time_zone="America/New_York")
        driver.pass_time(HOUR)
        assert [ties(job).schedule for job in driver.jobs()] == ["utc"]
        driver.pass_time(5 * HOUR)
        assert [ties(job).schedule for job in driver.jobs()] == ["utc", "york"]

    def test_nothing_is_doubled_or_lost_when_clocks_are_set(self, driver: Driver) -> None:
        driver.clock.advance(round(datetime(2026, 10, 30, tzinfo=UTC).timestamp()) * SECOND - START)
        create(driver, cron="30 1 * * *", interval=None, time_zone="America/New_York")
        start = driver.clock.now() - START
        for _ in range(4 * 48):
            driver.pass_time(HOUR // 2)
            run_all(driver)
        hours = [(time - start) / HOUR for time in fired(driver)]
        assert hours == [5.5, 29.5, 53.5, 78.5], "the day of 25 hours has one firing"

    def test_it_ends(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW, end_time=START + 3 * MINUTE)
        driver.pass_time(HOUR // 2)
        assert fired(driver) == [MINUTE, 2 * MINUTE, 3 * MINUTE]
        assert get(driver).next_time is None
        assert driver.apply().agenda.due is None

    def test_it_begins(self, driver: Driver) -> None:
        create(driver, start_time=START + HOUR)
        driver.pass_time(HOUR - 1)
        assert fired(driver) == []
        driver.pass_time(1)
        assert fired(driver) == [HOUR]

    def test_it_remembers_the_newest_ten(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW)
        for _ in range(13):
            driver.pass_time(MINUTE)
        ids = [job.id for job in driver.jobs()]
        assert get(driver).recent == tuple(reversed(ids[-10:]))

    def test_a_full_queue_skips_and_does_not_lose_it(self, driver: Driver) -> None:
        driver.queue("small", max_queued=1, slots=0)
        create(driver, overlap=Overlap.ALLOW, job=draft("work", queue="small"))
        for _ in range(3):
            driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE]
        assert (get(driver).fired, get(driver).skipped) == (1, 2)
        driver.queue("small", max_queued=None)
        driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE, 4 * MINUTE]

    def test_ten_thousand_at_once_take_bounded_steps(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        for first in range(0, 10_000, 1000):
            driver.apply(
                *[
                    ask.CreateSchedule(Schedule(f"s{number}", Settings(WORK, interval=MINUTE), 0, 0))
                    for number in range(first, first + 1000)
                ]
            )
        driver.clock.advance(MINUTE)
        assert len([event for event in driver.apply().events if event.previous_state is None]) == 100
        assert settle(driver) == 99
        made = [ties(job).schedule for job in driver.jobs()]
        assert len(made) == len(set(made)) == 10_000


class TestOverlap:
    def test_skip_makes_none_beside_an_earlier_one(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE]
        run_all(driver)
        driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE, 3 * MINUTE]
        assert get(driver).skipped == 1

    def test_skip_minds_one_that_waits_again(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        (job,) = driver.jobs()
        driver.answer(ask.Cancel(job.id))
        run_all(driver)
        driver.answer(ask.Retry(job.id))
        driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE]

    def test_a_job_that_was_deleted_is_in_nobodys_way(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        run_all(driver)
        driver.answer(ask.Delete(driver.jobs()[0].id))
        driver.pass_time(MINUTE)
        assert fired(driver) == [2 * MINUTE]

    def test_allow_makes_one_all_the_same(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW)
        for _ in range(3):
            driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE, 2 * MINUTE, 3 * MINUTE]
        assert driver.counters().running == 2

    def test_queue_one_makes_one_that_waits_and_no_other(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.QUEUE_ONE)
        for _ in range(4):
            driver.pass_time(MINUTE)
        first, second = driver.jobs()
        assert [(one.job_id, one.success) for one in ties(second).depends_on] == [(first.id, False)]
        assert (first.state, second.state) == (State.RUNNING, State.BLOCKED)
        assert second.blocked_by == (f"jobs/{first.id}",)
        assert get(driver).skipped == 2
        driver.finish(first)
        assert driver.get(second).state is State.RUNNING
        driver.pass_time(MINUTE)
        assert fired(driver) == [MINUTE, 2 * MINUTE, 5 * MINUTE]

    def test_queue_one_waits_for_one_that_has_not_started(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        create(driver, overlap=Overlap.QUEUE_ONE)
        for _ in range(3):
            driver.pass_time(MINUTE)
        assert [job.state for job in driver.jobs()] == [State.QUEUED, State.BLOCKED]

    def test_queue_one_does_not_take_one_that_has_waited_for_one_that_waits(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.QUEUE_ONE)
        first = trigger(driver)
        second = trigger(driver)
        driver.apply(ask.Cancel(first.id), ask.Finish(driver.lease(first), DONE))
        assert driver.get(second).state is State.RUNNING
        driver.answer(ask.Retry(first.id))
        assert [one.job_id for one in ties(trigger(driver)).depends_on] == [second.id, first.id]

    def test_a_job_that_ends_in_the_same_change_is_in_nobodys_way(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        driver.clock.advance(MINUTE)
        driver.finish(driver.jobs()[0])
        assert fired(driver) == [MINUTE, 2 * MINUTE]

    def test_cancel_old_makes_one_that_waits_for_the_end_of_the_earlier(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.CANCEL_OLD)
        driver.pass_time(MINUTE)
        stopping = driver.pass_time(MINUTE).stopping
        first, second = driver.jobs()
        assert stopping == [driver.lease(first)]
        assert (first.cancel_requested, second.state) == (True, State.BLOCKED)
        driver.finish(first)
        assert driver.get(first).state is State.CANCELLED
        assert driver.get(second).state is State.RUNNING

    def test_cancel_old_never_runs_two_though_the_first_is_long_in_stopping(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.CANCEL_OLD)
        for _ in range(25):
            driver.pass_time(MINUTE)
        jobs = driver.jobs()
        assert [job.state for job in jobs] == [State.RUNNING, *[State.CANCELLED] * 23, State.BLOCKED]
        schedule = get(driver)
        assert schedule.lasting == (jobs[0].id,)
        assert len(schedule.recent) == 10
        driver.finish(jobs[0])
        assert driver.get(jobs[-1]).state is State.RUNNING
        driver.pass_time(MINUTE)
        assert get(driver).lasting == ()

    def test_cancel_old_cancels_nothing_for_a_job_that_is_refused(self, driver: Driver) -> None:
        driver.queue("small", max_queued=1)
        driver.apply(ask.UpdateSlots(0))
        create(driver, overlap=Overlap.CANCEL_OLD, job=draft("work", queue="small"))
        driver.pass_time(MINUTE)
        driver.pass_time(MINUTE)
        (job,) = driver.jobs()
        assert job.state is State.QUEUED
        assert get(driver).skipped == 1


class TestTime:
    def test_after_a_downtime_it_makes_up_for_what_the_window_holds(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW, catch_up_window=10 * MINUTE)
        driver.clock.advance(DAY + 30 * SECOND)
        settle(driver)
        day = DAY // MINUTE
        assert fired(driver) == [number * MINUTE for number in range(day - 9, day + 1)]
        assert (get(driver).fired, get(driver).skipped) == (10, day - 10)

    def test_a_year_of_seconds_is_no_work(self, driver: Driver) -> None:
        create(driver, interval=SECOND, catch_up_window=5 * SECOND, overlap=Overlap.ALLOW)
        create(driver, "cron", cron="* * * * * *", interval=None, catch_up_window=0, overlap=Overlap.ALLOW)
        driver.clock.advance(365 * DAY)
        assert settle(driver) == 1
        assert get(driver).fired + get(driver).skipped == 365 * 86_400
        # Less than ten seconds is late, not missed.
        assert get(driver).fired == get(driver, "cron").fired == 11

    def test_a_long_catch_up_goes_step_by_step_and_skip_collapses_it(self, driver: Driver) -> None:
        create(driver, interval=SECOND)
        driver.clock.advance(HOUR)
        assert settle(driver) == 3600 // 100
        assert fired(driver) == [SECOND]
        assert get(driver).skipped == 3599

    def test_a_schedule_that_catches_up_does_not_hold_up_the_others(self, driver: Driver) -> None:
        create(driver, "a", interval=SECOND)
        create(driver, "b", interval=30 * MINUTE)
        driver.clock.advance(HOUR)
        changes = 0
        while not fired(driver, "b"):
            driver.apply()
            changes += 1
        assert changes <= 19, "its turn comes by the time that it was due"

    def test_what_many_have_missed_goes_step_by_step_too(self, driver: Driver) -> None:
        names = [f"s{number:03}" for number in range(150)]
        for name in names:
            create(driver, name, catch_up_window=0)
        driver.clock.advance(DAY + 30 * SECOND)
        driver.apply()
        looked = driver.answer(ask.ListSchedules("", 200), claim=False)
        assert sum(1 for one in looked if one.skipped) == 100
        settle(driver)
        assert {get(driver, name).skipped for name in names} == {DAY // MINUTE}

    def test_what_is_a_little_late_is_not_missed(self, driver: Driver) -> None:
        create(driver, catch_up_window=0)
        driver.pass_time(MINUTE + 10 * SECOND)
        assert fired(driver) == [MINUTE]
        run_all(driver)
        driver.pass_time(MINUTE + 1)
        assert fired(driver) == [MINUTE]
        assert get(driver).skipped == 1

    def test_a_clock_that_is_set_back_fires_nothing_twice(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW)
        driver.pass_time(2 * MINUTE)
        driver.clock.step(-90 * SECOND)
        for _ in range(8):
            driver.pass_time(30 * SECOND)
        assert fired(driver) == [MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE]

    def test_nor_when_its_settings_change_meanwhile(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW)
        driver.pass_time(3 * MINUTE)
        driver.clock.step(-2 * MINUTE)
        assert update(driver, paused=True).next_time is None
        assert update(driver, paused=False).next_time == START + 4 * MINUTE

    def test_a_clock_that_is_set_forward_makes_up_for_the_window_at_most(self, driver: Driver) -> None:
        create(driver, overlap=Overlap.ALLOW, catch_up_window=2 * MINUTE)
        driver.clock.step(10 * DAY)
        settle(driver)
        last = 10 * DAY
        assert fired(driver) == [last - 2 * MINUTE, last - MINUTE, last]

    def test_jitter_is_what_was_shown(self, driver: Driver) -> None:
        schedule = create(driver, jitter=50 * SECOND, overlap=Overlap.ALLOW)
        shown = upcoming(schedule, 5)
        for time in shown:
            driver.clock.advance(time - 1 - driver.clock.now())
            before = len(driver.apply().events)
            assert before == 0
            assert driver.pass_time(1).events
        assert fired(driver) == [number * MINUTE for number in range(1, 6)]
        made = [job.create_time for job in driver.jobs()]
        assert made == shown
        assert len({later - earlier for earlier, later in pairwise(made)}) > 1

    def test_jitter_longer_than_the_window_is_not_missed(self, driver: Driver) -> None:
        schedule = create(driver, cron="0 0 * * *", interval=None, jitter=HOUR, catch_up_window=0)
        due = due_time(schedule)
        assert due is not None
        driver.clock.advance(due - START)
        settle(driver)
        assert get(driver).fired == 1


class TestPausing:
    def test_nothing_fires_and_resume_goes_on_from_now(self, driver: Driver) -> None:
        create(driver)
        paused = update(driver, paused=True)
        assert (paused.next_time, upcoming(paused, 5)) == (None, [])
        assert driver.pass_time(10 * MINUTE + 1).agenda.due is None
        assert fired(driver) == []
        assert update(driver, paused=False).next_time == START + 11 * MINUTE
        driver.pass_time(MINUTE)
        assert fired(driver) == [11 * MINUTE]
        assert get(driver).skipped == 0

    def test_once_more_is_no_change(self, driver: Driver) -> None:
        create(driver)
        paused = update(driver, paused=True)
        driver.pass_time(1)
        assert update(driver, paused=True) == paused

    def test_it_may_be_made_paused(self, driver: Driver) -> None:
        assert create(driver, paused=True).next_time is None
        driver.pass_time(HOUR)
        assert fired(driver) == []

    def test_what_is_due_already_is_not_taken_back(self, driver: Driver) -> None:
        create(driver)
        driver.clock.advance(MINUTE)
        update(driver, paused=True)
        assert fired(driver) == [MINUTE]


class TestTrigger:
    def test_it_fires_now_and_leaves_the_times_as_they_are(self, driver: Driver) -> None:
        before = create(driver)
        driver.clock.advance(SECOND)
        job = trigger(driver)
        assert ties(job) == Ties(schedule="s", fire_time=START + SECOND)
        after = get(driver)
        assert after.next_time == before.next_time
        assert (after.fired, after.recent, after.last_time) == (1, (job.id,), START + SECOND)

    def test_also_while_it_is_paused(self, driver: Driver) -> None:
        create(driver, paused=True)
        assert trigger(driver).create_time == START
        assert get(driver).next_time is None

    def test_the_policy_holds_and_the_caller_is_told(self, driver: Driver) -> None:
        create(driver)
        job = trigger(driver)
        with pytest.raises(ScheduleOverlap, match=job.id):
            trigger(driver)
        assert get(driver).skipped == 0
        update(driver, overlap=Overlap.QUEUE_ONE)
        assert ties(trigger(driver)).depends_on[0].job_id == job.id
        with pytest.raises(ScheduleOverlap):
            trigger(driver)
        update(driver, overlap=Overlap.CANCEL_OLD)
        trigger(driver)
        assert [one.state for one in driver.jobs()] == [State.RUNNING, State.CANCELLED, State.BLOCKED]

    def test_a_full_queue_refuses_it(self, driver: Driver) -> None:
        driver.queue("small", max_queued=0)
        before = create(driver, job=draft("work", queue="small"))
        with pytest.raises(QueueFull):
            trigger(driver)
        assert get(driver) == before

    def test_a_request_id_makes_it_safe_to_repeat(self, driver: Driver) -> None:
        create(driver)
        job = trigger(driver, request_id="r")
        after = get(driver)
        assert trigger(driver, request_id="r").id == job.id
        assert get(driver) == after
        with pytest.raises(RequestIdReused):
            trigger(driver, request_id="r", content=b"other")
        assert len(driver.jobs()) == 1

    def test_there_is_none(self, driver: Driver) -> None:
        with pytest.raises(NotFound):
            trigger(driver)


class TestSettings:
    def test_a_name_is_taken_once(self, driver: Driver) -> None:
        create(driver)
        with pytest.raises(ScheduleExists):
            create(driver)

    def test_checking_makes_none(self, driver: Driver) -> None:
        settings = Settings(WORK, interval=MINUTE)
        checked = driver.answer(ask.CreateSchedule(Schedule("s", settings, 0, 0), validate_only=True))
        assert upcoming(checked, 2) == [START + MINUTE, START + 2 * MINUTE]
        with pytest.raises(NotFound):
            get(driver)
        assert create(driver) == checked

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"cron": "61 * * * *", "interval": None}, "schedule.cron"),
            ({"cron": "* * * * *"}, "schedule.cron"),
            ({"interval": None}, "schedule.cron"),
            ({"end_time": START}, "schedule.end_time"),
            ({"time_zone": "Mars"}, "schedule.time_zone"),
        ],
    )
    def test_what_never_fires_is_refused(self, driver: Driver, fields: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidArgument) as refused:
            create(driver, **fields)
        assert [where for where, _ in refused.value.violations] == [field]

    def test_new_times_hold_from_now_on(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(30 * SECOND)
        after = update(driver, interval=HOUR)
        assert (after.next_time, after.revision, after.update_time) == (START + HOUR, 2, START + 30 * SECOND)
        assert driver.apply().agenda.due in (START + MINUTE, START + HOUR)
        driver.pass_time(59 * MINUTE)
        assert fired(driver) == []

    def test_sooner_times_wake_the_writer(self, driver: Driver) -> None:
        create(driver, interval=HOUR)
        update(driver, interval=SECOND)
        assert driver.apply().agenda.due == START + SECOND

    def test_other_settings_leave_the_next_time(self, driver: Driver) -> None:
        before = create(driver)
        driver.clock.advance(SECOND)
        job = draft("other")
        assert update(driver, draft=job, catch_up_window=0).next_time == before.next_time
        driver.pass_time(MINUTE)
        assert driver.jobs()[0].spec.kind == "other"

    def test_nor_do_they_cut_short_what_it_makes_up_for(self, driver: Driver) -> None:
        create(driver, interval=SECOND, overlap=Overlap.ALLOW)
        driver.clock.advance(300 * SECOND)
        update(driver, draft=draft("other"))
        settle(driver)
        assert len(fired(driver)) == 300

    def test_cron_unsets_the_interval_and_the_other_way_round(self, driver: Driver) -> None:
        create(driver)
        settings = update(driver, cron="0 0 * * *").settings
        assert (settings.cron, settings.interval) == ("0 0 * * *", None)
        settings = update(driver, interval=HOUR).settings
        assert (settings.cron, settings.interval) == ("", HOUR)
        with pytest.raises(InvalidArgument):
            update(driver, interval=None)

    def test_a_known_revision_guards_it(self, driver: Driver) -> None:
        known = create(driver).revision
        driver.pass_time(MINUTE)
        with pytest.raises(RevisionMismatch):
            update(driver, revision=known, jitter=1)
        assert update(driver, revision=known + 1, jitter=1).revision == known + 2

    def test_a_refused_change_changes_nothing(self, driver: Driver) -> None:
        before = create(driver, end_time=START + DAY)
        with pytest.raises(InvalidArgument):
            update(driver, start_time=START + 2 * DAY)
        assert get(driver) == before

    def test_deleting_leaves_the_jobs(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        driver.answer(ask.DeleteSchedule("s"))
        driver.pass_time(HOUR)
        assert fired(driver) == [MINUTE]
        assert rows(driver) == [[], []]
        for command in (ask.DeleteSchedule("s"), ask.GetSchedule("s")):
            with pytest.raises(NotFound):
                driver.answer(command)

    def test_they_are_listed_by_name_page_by_page(self, driver: Driver) -> None:
        for name in ("b", "a", "c", "a.b"):
            create(driver, name)
        assert [one.name for one in driver.answer(ask.ListSchedules("", 3))] == ["a", "a.b", "b"]
        assert [one.name for one in driver.answer(ask.ListSchedules("b", 3))] == ["c"]

    def test_all_that_was_set_is_kept(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(path=f"{tmp_path}/jobs.db")
        job = draft("work", labels={"a": "ü"}, payload=Payload("application/x", bytes(range(256))), timeout=SECOND)
        job = job._replace(ties=Ties(group="g", key="k"))
        made = create(
            driver,
            job=job,
            cron="*/5 * * * *",
            interval=None,
            time_zone="Asia/Tokyo",
            overlap=Overlap.QUEUE_ONE,
            catch_up_window=1,
            jitter=2,
            start_time=START + 1,
            end_time=START + DAY,
        )
        driver.restart()
        assert get(driver) == made


class TestExactlyOnce:
    def test_a_full_disk_takes_back_the_firing_with_its_job(self, driver: Driver) -> None:
        create(driver)
        create(driver, "old", overlap=Overlap.CANCEL_OLD)
        driver.pass_time(MINUTE)
        driver.clock.advance(MINUTE)
        before, schedules = driver.everything(), rows(driver)
        for _ in range(3):
            driver.store.fail_commits = 1
            with pytest.raises(StoreFull):
                driver.apply()
            assert driver.everything() == before
            assert rows(driver) == schedules
        driver.apply()
        assert fired(driver) == [MINUTE]
        assert fired(driver, "old") == [MINUTE, 2 * MINUTE]

    @pytest.mark.parametrize("command", ["create", "update", "delete", "trigger"])
    def test_every_change_is_taken_back_whole(self, driver: Driver, command: str) -> None:
        create(driver)
        settings = Settings(WORK, interval=SECOND)
        commands: dict[str, ask.Command] = {
            "create": ask.CreateSchedule(Schedule("other", settings, 0, 0)),
            "update": ask.UpdateSchedule("s", settings, frozenset({"interval"})),
            "delete": ask.DeleteSchedule("s"),
            "trigger": ask.TriggerSchedule("s", "r", b"f"),
        }
        before, schedules = driver.everything(), rows(driver)
        driver.store.fail_commits = 1
        with pytest.raises(StoreFull):
            driver.apply(commands[command])
        assert (driver.everything(), rows(driver)) == (before, schedules)
        driver.answer(commands[command])
        assert rows(driver) != schedules

    def test_a_restart_goes_on_where_it_was(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(path=f"{tmp_path}/jobs.db")
        create(driver, overlap=Overlap.ALLOW)
        for number in range(6):
            driver.pass_time(MINUTE - SECOND)
            driver.restart()
            if number % 2:
                driver.clock.advance(SECOND)
                driver.store.fail_commits = 1
                with pytest.raises(StoreFull):
                    driver.apply()
                driver.restart()
            driver.pass_time(SECOND * ((number + 1) % 2))
        assert fired(driver) == [number * MINUTE for number in range(1, 7)]
        assert get(driver).fired == len(driver.jobs(JobFilter(kinds=frozenset(KINDS)))) == 6

    def test_jobs_end_as_any_other(self, driver: Driver) -> None:
        create(driver)
        driver.pass_time(MINUTE)
        (job,) = driver.jobs()
        driver.finish(job, DONE)
        assert driver.get(job).state is State.SUCCEEDED
