"""The dispatcher: its real thread, a clock set by hand, a scripted runner."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotd_server import inbox, lifecycle
from slotd_server.change import Change
from slotd_server.dispatch import Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import Draining, NotFound, StoreBroken, StoreFull, StoreUnavailable
from slotd_server.domain.events import EVERYTHING, Event, EventType
from slotd_server.domain.job import SECOND, Failure
from slotd_server.domain.outcome import Failed
from slotd_server.domain.server import News
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, DONE, START, Driver, draft, lease
from tests.unit.scripted import PATIENCE, Box, alone, scripted

MakeDriver = Callable[..., Driver]


class TestCalls:
    async def test_an_answer_is_durable_and_its_events_came_before(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit()
            assert [event.revision for event in box.events] == [1, 2]
            assert driver.get(job).state is State.RUNNING
            assert [one.id for one in box.runner.started] == [job.id]

    async def test_a_refusal_is_raised(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            with pytest.raises(NotFound):
                await box.call(ask.Cancel("no such job"))

    async def test_what_waits_while_it_is_busy_becomes_one_change(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.gate.shut(box.dispatcher)
            calls = [box.dispatcher.call(ask.Submit((draft(),))) for _ in range(10)]
            box.gate.open()
            jobs = [job for (job,) in await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)]
            assert [job.seq for job in jobs] == list(range(1, 11)), "in the order in which they were asked"
            assert [len(change) for change in box.gate.changes if change] == [10]

    async def test_on_a_busy_service_callers_who_come_again_share_a_change(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inbox, "_GAP", PATIENCE)
        async with scripted(driver, busy=True) as box:
            await box.gate.shut(box.dispatcher)
            first = [box.dispatcher.call(ask.Submit((draft(),))) for _ in range(3)]
            box.gate.open()
            await asyncio.wait_for(asyncio.gather(*first), PATIENCE)
            again = [asyncio.create_task(box.submit()) for _ in range(3)]
            await asyncio.gather(*again)
            assert [len(change) for change in box.gate.changes if change] == [3, 3]

    async def test_no_slot_waits_for_callers(self, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inbox, "_GAP", 1_000_000)
        async with scripted(driver, busy=True) as box:
            await box.gate.shut(box.dispatcher)
            calls = [box.dispatcher.call(ask.Submit((draft(),))) for _ in range(3)]
            box.gate.open()
            await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)
            lonely = box.dispatcher.call(ask.ListSlots())
            box.dispatcher.finished(ask.Finish(lease(box.runner.started[0]), DONE))
            view = await asyncio.wait_for(lonely, PATIENCE)
            assert view.running == 2, "one ended, and the third has its slot"
            assert len(box.runner.started) == 3

    async def test_several_that_ended_together_share_a_change_with_what_follows_them(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            jobs = [await box.submit() for _ in range(4)]
            await box.gate.shut(box.dispatcher)
            box.dispatcher.ended([ask.Finish(lease(job), DONE) for job in box.runner.started])
            lonely = box.dispatcher.call(ask.ListSlots())
            box.gate.open()
            await asyncio.wait_for(lonely, PATIENCE)
            assert [one.id for one in box.runner.started] == [job.id for job in jobs]
            assert [len(change) for change in box.gate.changes if change][-1] == 3

    async def test_who_reports_ends_is_given_what_they_let_start(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            jobs = [await box.submit() for _ in range(3)]
            # The writer's thread has answered; now it is ready too, and nobody calls it again.
            with box.dispatcher._writer._turn:
                pass
            await asyncio.to_thread(box.dispatcher.ended, [ask.Finish(lease(box.runner.started[0]), DONE)])
            assert [one.id for one in box.runner.started] == [job.id for job in jobs]

    async def test_one_who_went_away_is_not_answered_and_disturbs_nobody(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.gate.shut(box.dispatcher)
            gone = box.dispatcher.call(ask.Submit((draft(),)))
            gone.cancel()
            box.gate.open()
            assert (await box.submit()).seq == 2

    async def test_it_starts_what_waited_in_the_store(self, driver: Driver) -> None:
        job = driver.submit(claim=False)
        async with scripted(driver) as box:
            await box.settle()
            assert [one.id for one in box.runner.started] == [job.id]


class TestTimes:
    async def test_a_timeout_ends_the_attempt_and_asks_the_function_to_stop(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(timeout=5 * SECOND, max_attempts=1)
            await box.advance(5 * SECOND - 1)
            assert driver.get(job).state is State.RUNNING
            await box.advance(1)
            over = driver.get(job)
            assert over.failure == Failure("TIMEOUT", "the attempt took longer than its timeout")
            assert box.runner.stopped == [lease(box.runner.started[0])]
            assert (await box.call(ask.ListSlots())).zombie == 1
            await box.finish(box.runner.started[0])
            assert (await box.call(ask.ListSlots())).free == 2

    async def test_one_that_ended_in_time_has_no_timeout(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(timeout=5 * SECOND)
            await box.finish(box.runner.started[0])
            await box.advance(60 * SECOND)
            assert driver.get(job).state is State.SUCCEEDED

    async def test_each_attempt_has_its_own(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(timeout=5 * SECOND, initial_backoff=0)
            await box.advance(4 * SECOND)
            await box.finish(box.runner.started[0], BROKEN)
            await box.advance(4 * SECOND)
            assert (driver.get(job).state, driver.get(job).attempt) == (State.RUNNING, 2)
            await box.advance(1 * SECOND)
            assert driver.get(job).state is not State.RUNNING

    async def test_the_clock_on_the_wall_does_not_time_attempts(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(timeout=5 * SECOND)
            driver.clock.step(3600 * SECOND)
            await box.settle()
            assert driver.get(job).state is State.RUNNING

    async def test_a_cancelled_job_has_its_grace(self, driver: Driver) -> None:
        async with scripted(driver, Pacing(cancel_grace=10 * SECOND)) as box:
            job = await box.submit()
            await box.call(ask.Cancel(job.id))
            assert box.runner.stopped == [lease(box.runner.started[0])]
            await box.advance(10 * SECOND - 1)
            assert driver.get(job).state is State.RUNNING
            await box.advance(1)
            assert driver.get(job).state is State.CANCELLED
            assert (await box.call(ask.ListSlots())).zombie == 1

    async def test_scheduled_jobs_start_without_being_asked(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(schedule_time=START + 60 * SECOND)
            driver.clock.advance(60 * SECOND)
            box.dispatcher.wake()
            await box.settle()
            assert driver.get(job).state is State.RUNNING


class TestOtherServers:
    async def test_one_that_was_asked_to_cancel_a_job_of_ours_stops_it_here(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.submit()
            (job,) = box.runner.started
            asked = job.evolve(cancel_requested=True)
            elsewhere = asked.evolve(owner="another")
            box.dispatcher.noticed([Event(9, EventType.CHANGED, one, job.state, 0) for one in (elsewhere, asked)])
            await box.settle()
            assert box.runner.stopped == [lease(job)]

    async def test_where_too_much_was_missed_the_store_says_what_runs(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.submit()
            (job,) = box.runner.started
            driver.apply(ask.Cancel(job.id))
            assert box.runner.stopped == []
            box.dispatcher.missed()
            await box.settle()
            assert box.runner.stopped == [lease(job)]

    async def test_a_job_that_they_left_is_started_though_nobody_asks(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.settle()
            driver.apply(ask.Submit((draft(),)), claim=False)
            box.dispatcher.heard(News(1, work=True))
            await box.settle()
            assert len(box.runner.started) == 1

    async def test_what_is_overdue_is_attended_to(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            box.dispatcher.heard(News(1, work=False, overdue=True))
            await box.settle()
            assert (ask.Attend(),) in box.gate.changes


class TestReports:
    async def test_the_first_is_taken_at_once_and_the_next_after_the_interval(self, driver: Driver) -> None:
        async with scripted(driver, Pacing(report_interval=SECOND)) as box:
            job = await box.submit()
            running = box.runner.started[0]
            await box.tell(running, 1, b"a")
            for done in (2, 3, 4):
                await box.tell(running, done)
            assert driver.get(job).progress == (1, 10, "")
            await box.advance(SECOND)
            assert driver.get(job).progress == (4, 10, "")
            assert len([event for event in box.events if event.minor]) == 2
            assert driver.output(job) == b"a"

    async def test_what_was_told_last_is_not_lost_at_a_timeout(self, driver: Driver) -> None:
        async with scripted(driver, Pacing(report_interval=60 * SECOND)) as box:
            job = await box.submit(timeout=5 * SECOND, max_attempts=1)
            running = box.runner.started[0]
            await box.tell(running, 1)
            await box.tell(running, 2, b"last words")
            await box.advance(5 * SECOND)
            assert (driver.get(job).state, driver.get(job).progress) == (State.FAILED, (2, 10, ""))
            assert driver.output(job) == b"last words"

    async def test_who_has_ended_is_not_asked(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.submit()
            running = box.runner.started[0]
            await box.finish(running)
            await box.tell(running, 9)
            assert box.runner.takes == []


class TestDraining:
    async def test_new_work_is_refused_and_the_rest_is_answered(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit()
            drain = asyncio.ensure_future(box.dispatcher.drain(PATIENCE))
            await asyncio.sleep(0)
            for command in (ask.Submit((draft(),)), ask.Retry(job.id)):
                with pytest.raises(Draining):
                    box.dispatcher.call(command)
            assert (await box.call(ask.Cancel(job.id))).cancel_requested
            await box.finish(box.runner.started[0])
            await asyncio.wait_for(drain, PATIENCE)

    async def test_what_runs_may_end_and_nothing_is_started(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        async with scripted(driver) as box:
            first, second = await box.submit(), await box.submit()
            drain = asyncio.ensure_future(box.dispatcher.drain(PATIENCE))
            await box.settle()
            assert not drain.done()
            await box.finish(box.runner.started[0])
            await asyncio.wait_for(drain, PATIENCE)
            assert driver.get(first).state is State.SUCCEEDED
            assert driver.get(second).state is State.QUEUED

    async def test_at_the_end_the_rest_is_put_back_uncounted_and_told_to_stop(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit(max_attempts=1)
            await asyncio.wait_for(box.dispatcher.drain(0), PATIENCE)
            assert (driver.get(job).state, driver.get(job).attempt) == (State.QUEUED, 0)
            assert box.runner.stopped == [lease(box.runner.started[0])]

    async def test_with_nothing_to_do_it_is_done_at_once_and_again(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            for _ in range(3):
                await asyncio.wait_for(box.dispatcher.drain(PATIENCE), PATIENCE / 2)

    async def test_a_job_that_is_being_started_just_now_is_put_back_too(self, driver: Driver) -> None:
        """The drain's time is up while the writer is in the midst of claiming."""
        job = driver.submit(claim=False)
        box = Box(driver, Pacing())
        box.gate._open.clear()
        box.dispatcher.start(alone(box.runner))
        assert await asyncio.to_thread(box.gate._arrived.wait, PATIENCE)
        drain = asyncio.ensure_future(box.dispatcher.drain(0))
        for _ in range(5):
            await asyncio.sleep(0)
        box.gate.open()
        await asyncio.wait_for(drain, PATIENCE)
        await box.dispatcher.stop()
        assert driver.get(job).state is State.QUEUED


class TestStopping:
    async def test_never_started(self, driver: Driver) -> None:
        box = Box(driver, Pacing())
        await asyncio.wait_for(box.dispatcher.stop(), PATIENCE)
        with pytest.raises(StoreUnavailable):
            box.dispatcher.call(ask.ListSlots())

    async def test_twice_at_the_same_time(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            stops = [box.dispatcher.stop() for _ in range(3)]
            await asyncio.wait_for(asyncio.gather(*stops), PATIENCE)

    async def test_what_was_asked_before_is_answered(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.gate.shut(box.dispatcher)
            calls = [box.dispatcher.call(ask.Submit((draft(),))) for _ in range(5)]
            stop = asyncio.ensure_future(box.dispatcher.stop())
            await asyncio.sleep(0)
            box.gate.open()
            await asyncio.wait_for(asyncio.gather(stop, *calls), PATIENCE)
            assert len(driver.jobs()) == 5


class TestFullDisk:
    async def test_writes_are_refused_and_what_is_so_is_kept_until_there_is_room(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit()
            driver.store.fail_commits = 1_000_000
            with pytest.raises(StoreFull):
                await box.submit()
            box.dispatcher.finished(ask.Finish(lease(box.runner.started[0]), DONE))
            with pytest.raises(StoreFull):
                await box.submit()
            assert driver.get(job).state is State.RUNNING
            driver.store.fail_commits = 0
            await box.advance(SECOND)
            assert driver.get(job).state is State.SUCCEEDED
            assert (await box.call(ask.ListSlots())).free == 2

    async def test_it_tries_again_by_itself(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            job = await box.submit()
            driver.store.fail_commits = 1
            await box.gate.shut(box.dispatcher)
            box.dispatcher.finished(ask.Finish(lease(box.runner.started[0]), DONE))
            box.gate.open()
            # The thread waits by the clock of the test, which has gone on by then.
            driver.clock.advance(SECOND)
            done = box.dispatcher.call(ask.ListSlots())
            try:
                await asyncio.wait_for(done, PATIENCE)
            except StoreFull:
                await box.settle()
            assert driver.get(job).state is State.SUCCEEDED

    async def test_reading_slots_and_queues_goes_on(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            await box.submit()
            driver.store.fail_commits = 1_000_000
            box.dispatcher.finished(ask.Finish(lease(box.runner.started[0]), DONE))
            for _ in range(3):
                assert (await box.call(ask.ListSlots())).running == 1
                assert (await box.call(ask.ListQueues())).revision == 2
            driver.store.fail_commits = 0


class TestTrouble:
    async def test_where_it_can_not_be_read_either_nobody_is_stopped(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin = driver.store.begin
        lost = [False, True, False, False, True]

        def begin_or_not(*expected: Any) -> Any:
            if lost and lost.pop(0):
                raise StoreUnavailable
            return begin(*expected)

        async with scripted(driver) as box:
            await box.settle()
            driver.store.fail_commits = 2
            monkeypatch.setattr(driver.store, "begin", begin_or_not)
            with pytest.raises(StoreUnavailable):
                await box.call(ask.ListSlots())
            driver.clock.advance(SECOND)
            with pytest.raises(StoreFull):
                await box.submit()
            assert len(lost) == 2, "where nobody wants to look, nobody does"
            driver.clock.advance(SECOND)
            lost.clear()
            assert (await box.submit()).seq == 1

    async def test_a_broken_store_stops_everything_and_acknowledges_nothing(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with scripted(driver) as box:
            await box.submit()

            def broken(*_: Any, **__: Any) -> None:
                raise StoreBroken("the disk has failed")

            monkeypatch.setattr(driver.lifecycle, "apply", broken)
            with pytest.raises(StoreUnavailable):
                await box.submit()
            await box.dispatcher.stop()
            await asyncio.sleep(0)
            assert [str(failure) for failure in box.failures] == ["the disk has failed"]
            with pytest.raises(StoreUnavailable):
                box.dispatcher.call(ask.ListSlots())

    async def test_a_bug_in_one_command_is_that_caller_s_alone(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._break_purge(monkeypatch)
        async with scripted(driver) as box:
            await box.gate.shut(box.dispatcher)
            calls: list[asyncio.Future[Any]] = [
                box.dispatcher.call(command)
                for command in (ask.Submit((draft(),)), ask.Purge(EVERYTHING), ask.Submit((draft(),)))
            ]
            box.gate.open()
            first, bad, second = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE)
            assert isinstance(first, tuple)
            assert isinstance(second, tuple)
            assert isinstance(bad, ZeroDivisionError)
            assert [first[0].seq, second[0].seq] == [1, 3]
            assert box.failures == []

    async def test_a_bug_and_a_full_disk_at_once_lose_no_report(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._break_purge(monkeypatch)
        async with scripted(driver) as box:
            jobs = [await box.submit(), await box.submit()]
            await box.gate.shut(box.dispatcher)
            bad = box.dispatcher.call(ask.Purge(EVERYTHING))
            for job in box.runner.started:
                box.dispatcher.finished(ask.Finish(lease(job), DONE))
            driver.store.fail_commits = 2
            box.gate.open()
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(bad, PATIENCE)
            driver.store.fail_commits = 0
            await box.advance(SECOND)
            assert [driver.get(job).state for job in jobs] == [State.SUCCEEDED] * 2
            assert (await box.call(ask.ListSlots())).free == 2

    async def test_an_end_that_can_not_be_stored_costs_that_attempt_alone(self, driver: Driver) -> None:
        half_a_character = Failed(Failure("HANDLER_ERROR", "\ud800"))
        async with scripted(driver) as box:
            job = await box.submit(max_attempts=1)
            await box.finish(box.runner.started[0], half_a_character)
            after = driver.get(job)
            assert (after.state, after.failure) == (
                State.FAILED,
                Failure("HANDLER_ERROR", "how the attempt ended can't be recorded"),
            )
            assert (await box.call(ask.ListSlots())).free == 2
            assert box.failures == []

    async def test_a_bug_in_a_report_stops_the_service_and_leaves_no_caller_waiting(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def finish(change: Change, command: ask.Finish) -> None:
            raise ZeroDivisionError

        monkeypatch.setitem(lifecycle._PERFORM, ask.Finish, finish)
        async with scripted(driver) as box:
            await box.submit()
            await box.gate.shut(box.dispatcher)
            box.dispatcher.finished(ask.Finish(lease(box.runner.started[0]), DONE))
            late = box.dispatcher.call(ask.Submit((draft(),)))
            box.gate.open()
            with pytest.raises((StoreUnavailable, ZeroDivisionError)):
                await asyncio.wait_for(late, PATIENCE)
            await box.dispatcher.stop()
            await asyncio.sleep(0)
            assert len(box.failures) == 1

    @staticmethod
    def _break_purge(monkeypatch: pytest.MonkeyPatch) -> None:
        def purge(change: Change, command: ask.Purge) -> None:
            raise ZeroDivisionError

        monkeypatch.setitem(lifecycle._PERFORM, ask.Purge, purge)


async def test_a_restart_goes_on_where_the_other_stopped(make_driver: MakeDriver, tmp_path: Path) -> None:
    driver = make_driver(1, path=str(tmp_path / "jobs.db"))
    async with scripted(driver) as box:
        first, second = await box.submit(), await box.submit()
        await box.dispatcher.drain(0)
    driver.restart()
    async with scripted(driver) as box:
        await box.settle()
        assert [(job.id, job.attempt) for job in box.runner.started] == [(first.id, 1)]
        await box.finish(box.runner.started[0])
        assert [job.id for job in box.runner.started] == [first.id, second.id]


class TestLeavingTheLoopAlone:
    async def test_it_is_woken_for_listeners_for_answers_and_for_many_events(self, driver: Driver) -> None:
        async with scripted(driver) as box:
            listened = False
            box.dispatcher._listened = lambda: listened
            job = await box.submit()
            known = len(box.events)
            change = driver.lifecycle.apply([ask.Cancel(job.id)])
            box.dispatcher._answer([], [], change.events)
            await asyncio.sleep(0)
            assert len(box.events) == known, "nobody listens, nobody is answered"
            box.dispatcher.deliver()
            assert len(box.events) == known + 1
            listened = True
            box.dispatcher._answer([], [], change.events)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert len(box.events) == known + 2
            listened = False
            box.dispatcher._answer([], [], change.events * 512)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert len(box.events) == known + 514
