"""A lull: the writer says when all that was asked for and is due has been done, and when something comes by itself."""

import asyncio

import pytest

from slotd_server.dispatch import Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreBroken, StoreUnavailable
from slotd_server.domain.job import SECOND
from tests.unit.driver import START, Driver, lease
from tests.unit.scripted import PATIENCE, scripted


async def test_it_comes_when_all_has_been_done(driver: Driver) -> None:
    async with scripted(driver) as box:
        await box.gate.shut(box.dispatcher)
        asked = box.dispatcher.lull()
        submitted = asyncio.ensure_future(box.submit())
        await asyncio.sleep(0)
        assert not asked.done()
        box.gate.open()
        lull = await asyncio.wait_for(asked, PATIENCE)
        await submitted
        assert lull.running == {lease(job) for job in box.runner.started} != set()


async def test_it_tells_when_something_comes_by_itself(driver: Driver) -> None:
    async with scripted(driver) as box:
        assert (await box.dispatcher.lull()).due is None
        await box.submit(schedule_time=START + 60 * SECOND)
        assert (await box.dispatcher.lull()).due == 60 * SECOND
        await box.submit(timeout=30 * SECOND, max_attempts=1)
        driver.clock.advance(10 * SECOND)
        assert (await box.dispatcher.lull()).due == 20 * SECOND


async def test_it_may_wait_for_those_that_run(driver: Driver) -> None:
    async with scripted(driver) as box:
        await box.submit()
        await box.submit()
        first, second = box.runner.started
        quiet = box.dispatcher.lull(frozenset())
        but_one = box.dispatcher.lull(frozenset({lease(first)}))
        assert (await box.dispatcher.lull()).running == {lease(first), lease(second)}
        assert not but_one.done()
        await box.finish(second)
        assert (await asyncio.wait_for(but_one, PATIENCE)).running == {lease(first)}
        assert not quiet.done()
        await box.finish(first)
        assert (await asyncio.wait_for(quiet, PATIENCE)).running == frozenset()


async def test_whoever_waits_for_it_is_told_when_the_store_breaks(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(driver, Pacing()) as box:
        await box.submit()
        waiting = box.dispatcher.lull(frozenset())
        await box.settle()

        def broken(*_: object, **__: object) -> None:
            raise StoreBroken("broken")

        monkeypatch.setattr(driver.lifecycle, "apply", broken)
        with pytest.raises(StoreUnavailable):
            await box.call(ask.ListSlots())
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(waiting, PATIENCE)
