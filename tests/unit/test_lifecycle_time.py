"""What happens by itself when its time comes: schedules, queue timeouts, retention, the trimming of what is old."""

from collections.abc import Callable

import pytest

from slotd_server.change import Limits
from slotd_server.domain import commands as ask
from slotd_server.domain.events import EventType
from slotd_server.domain.job import SECOND
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, START, Driver, draft, snooze

MakeDriver = Callable[..., Driver]
HOUR = 3600 * SECOND


class TestSchedule:
    def test_it_starts_at_its_time_and_not_before(self, driver: Driver) -> None:
        job = driver.submit(schedule_time=START + 10 * SECOND)
        driver.pass_time(10 * SECOND - 1)
        assert driver.get(job).state is State.SCHEDULED
        committed = driver.pass_time(1)
        assert [event.job.state for event in committed.events] == [State.QUEUED, State.RUNNING]

    def test_the_agenda_says_when_to_look_again(self, driver: Driver) -> None:
        driver.submit(schedule_time=START + 10 * SECOND)
        assert driver.submit(schedule_time=START + 5 * SECOND).state is State.SCHEDULED
        assert driver.apply().agenda.due == START + 5 * SECOND
        assert driver.pass_time(5 * SECOND).agenda.due == START + 10 * SECOND
        assert driver.pass_time(5 * SECOND).agenda.due is None

    def test_a_clock_that_is_set_back_makes_it_wait(self, driver: Driver) -> None:
        job = driver.submit(schedule_time=START + 10 * SECOND)
        driver.clock.step(-5 * SECOND)
        driver.pass_time(10 * SECOND)
        assert driver.get(job).state is State.SCHEDULED
        driver.pass_time(5 * SECOND)
        assert driver.get(job).state is State.RUNNING

    def test_more_than_one_change_handles_are_all_handled(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.answer(ask.Submit((draft(schedule_time=START + 1),) * 700))
        driver.clock.advance(1)
        first = driver.apply()
        assert len(first.events) == 500
        assert first.agenda.due is not None
        assert first.agenda.due <= driver.clock.now()
        assert len(driver.apply().events) == 200
        assert driver.counters().queued == 700


class TestQueueTimeout:
    def test_what_does_not_start_in_time_fails(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit(queue_timeout=10 * SECOND)
        driver.pass_time(10 * SECOND - 1)
        assert driver.get(job).state is State.QUEUED
        driver.pass_time(1)
        failed = driver.get(job)
        assert failed.failure is not None
        assert (failed.state, failed.failure.reason, failed.attempt) == (State.FAILED, "QUEUE_TIMEOUT", 0)

    def test_it_runs_from_the_scheduled_time(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit(schedule_time=START + 100 * SECOND, queue_timeout=10 * SECOND)
        driver.pass_time(109 * SECOND)
        assert driver.get(job).state is State.QUEUED
        driver.pass_time(SECOND)
        assert driver.get(job).state is State.FAILED

    def test_once_it_has_started_it_is_over(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        job = driver.submit(queue_timeout=10 * SECOND)
        driver.apply(ask.UpdateSlots(0))
        driver.finish(job, snooze(0))
        driver.pass_time(HOUR)
        assert driver.get(job).state is State.QUEUED

    def test_a_new_run_has_a_new_one(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        job = driver.submit(queue_timeout=10 * SECOND)
        driver.pass_time(10 * SECOND)
        driver.answer(ask.Retry(job.id))
        driver.pass_time(9 * SECOND)
        assert driver.get(job).state is State.QUEUED
        driver.pass_time(SECOND)
        assert driver.get(job).state is State.FAILED

    def test_a_slot_that_comes_free_too_late_is_too_late(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        busy = driver.submit()
        job = driver.submit(queue_timeout=10 * SECOND)
        driver.clock.advance(10 * SECOND)
        driver.finish(busy)
        assert driver.get(job).state is State.FAILED


class TestRetention:
    @pytest.fixture
    def driver(self, make_driver: MakeDriver) -> Driver:
        return make_driver(limits=Limits(retention=HOUR))

    def test_what_has_ended_is_deleted_after_a_while(self, driver: Driver) -> None:
        job = driver.submit()
        driver.finish(job)
        assert driver.get(job).expire_time == START + HOUR
        driver.pass_time(HOUR - 1)
        assert driver.find(job) is not None
        committed = driver.pass_time(1)
        assert [event.type for event in committed.events] == [EventType.DELETED]
        assert driver.find(job) is None

    def test_a_failed_job_stays_unless_it_says_itself_for_how_long(self, driver: Driver) -> None:
        stays, goes = driver.submit(max_attempts=1), driver.submit(max_attempts=1, retention=SECOND)
        driver.finish(stays, BROKEN)
        driver.finish(goes, BROKEN)
        driver.pass_time(1_000 * HOUR)
        assert driver.find(goes) is None
        assert driver.get(stays).expire_time is None

    def test_its_own_word_counts(self, driver: Driver) -> None:
        job = driver.submit(retention=10 * HOUR)
        driver.finish(job)
        driver.pass_time(9 * HOUR)
        assert driver.find(job) is not None
        driver.pass_time(HOUR)
        assert driver.find(job) is None

    def test_retry_calls_it_off(self, driver: Driver) -> None:
        job = driver.submit(schedule_time=START + 100 * HOUR)
        driver.answer(ask.Cancel(job.id))
        driver.answer(ask.Retry(job.id))
        assert driver.get(job).expire_time is None
        driver.pass_time(2 * HOUR)
        assert driver.get(job).state is State.SCHEDULED

    def test_none_keeps_them_for_ever(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(retention=None))
        job = driver.submit()
        driver.finish(job)
        driver.pass_time(1_000_000 * HOUR)
        assert driver.find(job) is not None


class TestTrimming:
    def lives(self, driver: Driver, number: int) -> None:
        for _ in range(number):
            driver.finish(driver.submit())

    def test_events_go_by_their_number(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(events=100, events_age=1_000_000 * HOUR))
        self.lives(driver, 400)
        # A change trims once there are 500 too many, so that it is not done for every one.
        assert 100 <= len(driver.events()) <= 601
        with driver.store.snapshot() as snapshot:
            assert snapshot.events(snapshot.horizon, 1)[0].revision == snapshot.horizon + 1
            assert snapshot.revision == 1200

    def test_events_go_by_their_age_and_the_newest_stays(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(retention=None, events_age=HOUR))
        self.lives(driver, 10)
        driver.pass_time(HOUR + 1)
        while driver.apply().agenda.trim <= driver.clock.now():
            driver.clock.advance(1)
        (last,) = driver.events()
        assert last.revision == driver.revision == 30
        assert len(driver.jobs()) == 10

    def test_revisions_go_on_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(path=f"{tmp_path}/jobs.db", limits=Limits(events_age=HOUR))
        self.lives(driver, 3)
        driver.pass_time(2 * HOUR)
        driver.restart()
        assert driver.submit().revision == 10

    def test_what_was_deleted_leaves_nothing_behind(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(events_age=HOUR, request_age=0))
        for number in range(5):
            job = driver.submit(request_id=f"r{number}")
            driver.report(job, None, b"words")
            driver.finish(job)
            driver.answer(ask.Delete(job.id))
        driver.pass_time(HOUR + 1)
        last = driver.submit()
        driver.pass_time(61 * SECOND)
        held = driver.everything()
        assert [len(held[table]) for table in ("jobs", "specs", "outputs", "requests")] == [1, 1, 0, 0]
        assert driver.get(last).state is State.RUNNING

    def test_a_deleted_job_is_told_of_for_as_long_as_its_events_are_kept(self, driver: Driver) -> None:
        job = driver.submit(labels={"a": "b"})
        driver.finish(job)
        driver.answer(ask.Delete(job.id))
        events = driver.events()
        assert [event.type for event in events] == [
            EventType.CREATED,
            EventType.CHANGED,
            EventType.CHANGED,
            EventType.DELETED,
        ]
        assert {event.job.spec for event in events} == {job.spec}

    def test_an_idle_service_looks_once_a_minute_at_most(self, driver: Driver) -> None:
        driver.submit()
        trims = {driver.pass_time(SECOND).agenda.trim for _ in range(50)}
        assert len(trims) == 1
