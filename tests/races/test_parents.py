"""The parents' own tests, each with an equivalent here: on real threads, with signals in the place of their sleeps."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from slotd.context import JobContext
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import Draining, ServiceError
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import State
from tests.unit.driver import Driver, draft
from tests.unit.scripted import PATIENCE, Box, Rooms, on_threads, scripted

MakeDriver = Callable[..., Driver]


async def all_ended(box: Box, number: int) -> None:
    """Until so many jobs have ended. Each end is an event, and each event comes over the event loop."""

    def ended() -> int:
        return sum(event.job.state.terminal for event in box.events)

    async with asyncio.timeout(PATIENCE):
        while ended() < number:
            await box.settle()


async def submit(box: Box, number: int, kind: str = "work", **fields: Any) -> tuple[Job, ...]:
    jobs: tuple[Job, ...] = await box.call(ask.Submit((draft(kind, **fields),) * number))
    return jobs


@pytest.mark.parametrize("slots", [0, 1, 3])
async def test_exactly_as_many_are_busy_as_there_are_slots(make_driver: MakeDriver, slots: int) -> None:
    rooms = Rooms()
    async with on_threads(make_driver(slots), {"work": rooms.enter}) as box:
        await submit(box, 6)
        await rooms.until(inside=slots)
        view = await box.call(ask.ListSlots())
        assert (view.running, view.free) == (slots, 0)
        rooms.let_out(6)
        if slots:
            await all_ended(box, 6)
        assert rooms.most == slots


async def test_a_hundred_jobs_on_five_slots_leave_none_busy(make_driver: MakeDriver) -> None:
    rooms = Rooms()
    rooms.let_out(100)
    driver = make_driver(5)
    async with on_threads(driver, {"work": rooms.enter}) as box:
        await submit(box, 100)
        await all_ended(box, 100)
        assert (await box.call(ask.ListSlots())).free == 5
        assert rooms.ran == 100
        assert rooms.most <= 5
    assert driver.counters().total_succeeded == 100


@pytest.mark.parametrize("sizes", [(5, 10), (5, 3, 2), (2, 0, 4)])
async def test_the_pool_changes_its_size_while_it_runs(make_driver: MakeDriver, sizes: tuple[int, ...]) -> None:
    rooms = Rooms()
    async with on_threads(make_driver(sizes[0]), {"work": rooms.enter}) as box:
        await submit(box, 30)
        for before, size in pairwise(sizes):
            await rooms.until(inside=before)
            await box.call(ask.UpdateSlots(size))
            # Those in the room that are too many go, and nobody takes their place.
            rooms.let_out(max(before - size, 0))
            await rooms.until(inside=size)
            await box.settle()
            assert rooms.inside == size
        rooms.let_out(30)
        await all_ended(box, 30)
        assert rooms.most == max(sizes)


async def test_an_idle_service_is_woken_and_does_not_look_now_and_then(driver: Driver) -> None:
    """The parents' workers asked once a second: here the change that takes a job starts it."""
    async with scripted(driver) as box:
        await box.settle()
        before = len(box.gate.changes)
        job = await box.submit()
        assert [one.id for one in box.runner.started] == [job.id]
        assert len(box.gate.changes) == before + 1


async def test_whatever_a_handler_raises_is_an_attempt_that_failed(driver: Driver) -> None:
    class Panic(BaseException):
        pass

    def panic(ctx: JobContext, payload: object) -> None:
        raise Panic("everything is lost")

    async with on_threads(driver, {"work": panic, "other": lambda ctx, payload: None}) as box:
        (job,) = await submit(box, 1, max_attempts=3, initial_backoff=0)
        await submit(box, 5, "other")
        await all_ended(box, 6)
        failed = driver.get(job)
        assert (failed.state, failed.attempt) == (State.FAILED, 3), "retried like any other error"
        assert failed.failure is not None
        assert failed.failure.message == "Panic: everything is lost"
        assert (await box.call(ask.ListSlots())).free == 2


async def test_fail_twice_then_succeed(driver: Driver) -> None:
    tries: list[int] = []

    def third_time(ctx: JobContext, payload: object) -> int:
        tries.append(ctx.attempt)
        if len(tries) < 3:
            raise ValueError("not yet")
        return 42

    async with on_threads(driver, {"work": third_time}) as box:
        (job,) = await submit(box, 1, max_attempts=3, initial_backoff=0)
        await all_ended(box, 1)
    assert (driver.get(job).state, tries) == (State.SUCCEEDED, [1, 2, 3])


async def test_a_timeout_of_its_own_is_not_the_service_s(driver: Driver) -> None:
    rooms = Rooms()

    def own(ctx: JobContext, payload: object) -> None:
        raise TimeoutError("the server over there")

    async with on_threads(driver, {"work": own, "other": rooms.enter}) as box:
        (mine,) = await submit(box, 1, max_attempts=1, timeout=5 * SECOND)
        (late,) = await submit(box, 1, "other", max_attempts=1, timeout=5 * SECOND)
        await all_ended(box, 1)
        await rooms.until(inside=1)
        await box.advance(5 * SECOND)
        rooms.let_out(1)
        reasons = [driver.get(job).failure for job in (mine, late)]
        assert [failure and failure.reason for failure in reasons] == ["HANDLER_ERROR", "TIMEOUT"]


class TestShutdown:
    async def test_a_running_job_hears_of_it_and_the_backlog_is_kept(
        self, make_driver: MakeDriver, tmp_path: Path
    ) -> None:
        driver = make_driver(1, path=str(tmp_path / "jobs.db"))
        heard: list[bool] = []

        def wait(ctx: JobContext, payload: object) -> None:
            heard.append(ctx.wait_cancelled(PATIENCE))

        async with on_threads(driver, {"work": wait}) as box:
            jobs = await submit(box, 3)
            await asyncio.wait_for(box.dispatcher.drain(0), PATIENCE)
            with pytest.raises(Draining):
                box.dispatcher.call(ask.Submit((draft(),)))
            assert driver.get(jobs[0]).attempt == 0
            async with asyncio.timeout(PATIENCE):
                while (await box.call(ask.ListSlots())).zombie:
                    await box.settle()
        assert heard == [True]
        driver.restart()
        rooms = Rooms()
        rooms.let_out(3)
        async with on_threads(driver, {"work": rooms.enter}) as box:
            await all_ended(box, 3)
        assert [job.state for job in driver.jobs()] == [State.SUCCEEDED] * 3

    async def test_it_stops_retries(self, driver: Driver) -> None:
        rooms = Rooms()

        def fail(ctx: JobContext, payload: object) -> None:
            rooms.enter()
            raise ValueError("again, please")

        async with on_threads(driver, {"work": fail}) as box:
            (job,) = await submit(box, 1, max_attempts=9, initial_backoff=0)
            await rooms.until(inside=1)
            drain = asyncio.ensure_future(box.dispatcher.drain(PATIENCE))
            await box.settle()
            rooms.let_out(9)
            await asyncio.wait_for(drain, PATIENCE)
            assert (driver.get(job).state, rooms.ran) == (State.QUEUED, 1)


class TestOneAtATime:
    """A queue with one slot, as the parents' resource that all tasks want."""

    async def test_twenty_never_meet(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        rooms.let_out(20)
        driver = make_driver(8)
        async with on_threads(driver, {"work": rooms.enter}) as box:
            await box.call(ask.UpdateQueue(Queue("default", slots=1), frozenset({"slots"})))
            jobs = await submit(box, 20)
            await all_ended(box, 20)
        assert rooms.most == 1
        starts = [driver.get(job).fence for job in jobs]
        assert starts == [1] * 20

    async def test_ten_updates_of_one_thing_all_succeed(self, make_driver: MakeDriver) -> None:
        thing = {"value": 0}

        def update(ctx: JobContext, payload: object) -> None:
            seen = thing["value"]
            ctx.progress(1, 2)
            thing["value"] = seen + 1

        driver = make_driver(8)
        async with on_threads(driver, {"work": update}) as box:
            await box.call(ask.UpdateQueue(Queue("default", slots=1), frozenset({"slots"})))
            await asyncio.gather(*[submit(box, 1) for _ in range(10)])
            await all_ended(box, 10)
        assert (thing["value"], driver.counters().total_succeeded) == (10, 10)

    async def test_others_run_beside_it(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        async with on_threads(make_driver(8), {"work": rooms.enter}) as box:
            await box.call(ask.UpdateQueue(Queue("one", slots=1), frozenset({"slots"})))
            await submit(box, 3, queue="one")
            await submit(box, 3)
            await rooms.until(inside=4)
            rooms.let_out(6)
            await all_ended(box, 6)


class TestResources:
    """The parents' resource keys, as claims."""

    async def test_tasks_on_different_resources_run_in_parallel(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        async with on_threads(make_driver(8), {"work": rooms.enter}) as box:
            for name in ("a", "b", "c/d", "c/e"):
                await submit(box, 1, resources=[name])
            await rooms.until(inside=4)
            rooms.let_out(4)
            await all_ended(box, 4)

    async def test_tasks_on_one_resource_run_one_after_the_other_as_they_came(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        driver = make_driver(8)
        async with on_threads(driver, {"work": rooms.enter}) as box:
            jobs = await submit(box, 3, resources=["a"])
            for number, job in enumerate(jobs):
                await rooms.until(inside=1, ran=number + 1)
                waiting = [driver.get(one).blocked_by for one in jobs[number + 1 :]]
                assert waiting == [("resources/a",)] * (2 - number)
                assert driver.get(job).state is State.RUNNING
                rooms.let_out(1)
                await all_ended(box, number + 1)
        assert rooms.most == 1

    async def test_twenty_tasks_on_one_resource_never_meet(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        rooms.let_out(20)
        driver = make_driver(8)
        async with on_threads(driver, {"work": rooms.enter}) as box:
            jobs = await submit(box, 20, resources=["repo/main"])
            await all_ended(box, 20)
        assert (rooms.most, rooms.ran) == (1, 20)
        starts = [driver.get(job).start_time or 0 for job in jobs]
        assert starts == sorted(starts)
        assert driver.counters().total_succeeded == 20

    async def test_ten_concurrent_updates_of_one_resource_all_succeed(self, make_driver: MakeDriver) -> None:
        """Each reads it, lets others by, and writes it: an update that is lost would be seen."""
        thing = {"value": 0}

        def update(ctx: JobContext, payload: object) -> None:
            seen = thing["value"]
            ctx.progress(1, 2)
            thing["value"] = seen + 1

        driver = make_driver(8)
        async with on_threads(driver, {"work": update}) as box:
            await asyncio.gather(*[submit(box, 1, resources=["thing"]) for _ in range(10)])
            await all_ended(box, 10)
        assert (thing["value"], driver.counters().total_succeeded) == (10, 10)

    async def test_all_that_waited_behind_everything_run_together(self, make_driver: MakeDriver) -> None:
        rooms = Rooms()
        async with on_threads(make_driver(8), {"work": rooms.enter}) as box:
            await submit(box, 1, resources=["*"])
            await rooms.until(inside=1)
            for number in range(8):
                await submit(box, 1, resources=[f"n{number}"])
            assert rooms.inside == 1
            rooms.let_out(1)
            await rooms.until(inside=8)
            rooms.let_out(8)
            await all_ended(box, 9)


async def test_fifty_at_the_same_time(driver: Driver) -> None:
    """Whoever asks what, everyone is answered, and in the end nothing is missing."""
    async with on_threads(driver, {"work": lambda ctx, payload: None}) as box:
        jobs = await submit(box, 10, max_attempts=1)
        commands: list[ask.Command] = []
        for job in jobs:
            commands += [
                ask.Submit((draft(),)),
                ask.Cancel(job.id),
                ask.Retry(job.id),
                ask.Delete(job.id, force=True),
                ask.ListSlots(),
            ]
        answers = await asyncio.gather(*[box.dispatcher.call(one) for one in commands], return_exceptions=True)
        assert all(isinstance(answer, ServiceError) or not isinstance(answer, BaseException) for answer in answers)
        async with asyncio.timeout(PATIENCE):
            while any(not job.state.terminal for job in driver.jobs()):
                await box.settle()
        stats = await box.call(ask.ListQueues())
        for counters in stats.counters.values():
            assert counters.submitted == 20 == sum(counters[: len(State)]) + counters.deleted
        assert (await box.call(ask.ListSlots())).free == 2
