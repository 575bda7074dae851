"""How the view is kept as the service is, also when that goes away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from slotd import aio, v1
from slotd.top.feed import Feed
from slotd.top.state import Link, State
from tests.fundamentals.handlers import gate
from tests.service import MEMORY, LocalService, Start, reach


class Recording(aio.Client):
    """Remembers from where streams were asked for."""

    cursors: tuple[str, ...] = ()

    def stream(self, *, cursor: str = "", **rest: Any) -> aio.EventStream:
        self.cursors += (cursor,)
        return super().stream(cursor=cursor, **rest)


@dataclass
class Fed:
    """A state that is fed, and a way to wait for what it comes to."""

    client: Recording
    state: State
    changed: asyncio.Event

    async def until(self, condition: Callable[[], bool]) -> None:
        # Less than the interval at which it asks though nothing has happened.
        async with asyncio.timeout(12):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def fed(address: str) -> AsyncIterator[Fed]:
    async with Recording(address) as client:
        one = Fed(client, State(address), asyncio.Event())
        feed = asyncio.create_task(Feed(client, one.state, one.changed.set).run())
        try:
            yield one
        finally:
            feed.cancel()
            await asyncio.wait([feed])


def at_one_address(service: LocalService) -> None:
    """From here on it starts where it is now."""
    service.settings = replace(service.settings, listen=service.at.address)


async def test_it_begins_with_what_is_there(service: LocalService) -> None:
    client = service.at.client
    running = client.submit("gated", "a", queue="slow")
    reach(client, running, v1.JOB_STATE_RUNNING)
    ended = client.submit_and_wait("hopeless", "no room")
    async with fed(service.at.address) as one:
        await one.until(lambda: one.state.link is Link.LIVE)
        assert list(one.state.running) == [running.id]
        assert list(one.state.ended) == [ended.id]
        assert {queue.name for queue in one.state.queues} == {"default", "slow"}
        assert one.state.slots.running == 1
        assert one.state.server is not None
        assert one.state.knows_places()


async def test_it_hears_of_starts_progress_and_ends_and_asks_for_slots_then(service: LocalService) -> None:
    client = service.at.client
    async with fed(service.at.address) as one:
        await one.until(lambda: one.state.link is Link.LIVE)
        job = client.submit("gated", "a", queue="slow")
        await one.until(lambda: job.id in one.state.running and one.state.slots.running == 1)
        gate("a").set()
        await one.until(lambda: job.id in one.state.ended and one.state.slots.running == 0)
        await one.until(lambda: [queue.counters.succeeded for queue in one.state.queues] == [1])
        writing = client.submit("print-then-wait", "b")
        await one.until(lambda: writing.id in one.state.running and one.state.running[writing.id].output_size > 0)


async def test_it_goes_on_where_it_was_when_the_service_comes_back(service: LocalService) -> None:
    client = service.at.client
    at_one_address(service)
    async with fed(service.at.address) as one:
        await one.until(lambda: one.state.link is Link.LIVE)
        first = client.submit_and_wait("add", [1])
        await one.until(lambda: first.id in one.state.ended)
        service.stop()
        await one.until(lambda: one.state.link is Link.AWAY)
        assert one.state.problem
        assert list(one.state.ended) == [first.id]
        service.start()
        second = service.at.client.submit_and_wait("add", [1])
        await one.until(lambda: second.id in one.state.ended)
        assert one.state.link is Link.LIVE
        assert list(one.state.ended) == [first.id, second.id]
        assert one.client.cursors[-1] not in ("", one.client.cursors[0])


async def test_it_begins_anew_where_the_store_is_another_one(start: Start) -> None:
    service = start(store=MEMORY)
    at_one_address(service)
    async with fed(service.at.address) as one:
        first = service.at.client.submit_and_wait("add", [1])
        await one.until(lambda: first.id in one.state.ended)
        service.stop()
        service.start()
        second = service.at.client.submit_and_wait("add", [1])
        await one.until(lambda: second.id in one.state.ended)
        assert list(one.state.ended) == [second.id]


async def test_it_waits_for_a_service_that_is_not_there_yet(start: Start) -> None:
    service = start()
    at_one_address(service)
    service.stop()
    async with fed(service.settings.listen) as one:
        await one.until(lambda: one.state.link is Link.AWAY)
        assert "no service at" in one.state.problem
        service.start()
        await one.until(lambda: one.state.link is Link.LIVE)
