"""Keeps a State as the service is: one stream for the jobs, questions for queues and slots when something happened."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import slotd
from slotd import aio, v1
from slotd.cli.errors import failure
from slotd.outage import Backoff
from slotd.progress import TERMINAL_STATES
from slotd.top.state import ENDED_KEPT, Answers, Link, State

# Seconds between two rounds of questions at least, and at most.
_SOONEST: Final = 0.5
_LATEST: Final = 15.0
_PAGE = 1000


class Feed:
    """Feeds a state from a client; `changed` is called after each change, often."""

    def __init__(self, client: aio.Client, state: State, changed: Callable[[], None]) -> None:
        self._client = client
        self._state = state
        self._changed = changed
        self._backoff = Backoff(maximum=5.0)
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Go on until cancelled: a service that goes away is waited for."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._ask_again())

    async def load(self) -> str:
        """Fill the state; answers the cursor from which a stream misses nothing. Raises slotd.Error."""
        cursor = ""
        running: list[v1.Job] = []
        async for page in self._client.list(states="running", page_size=_PAGE).pages():
            # Of the first page: from there on the stream tells what the later ones may have missed.
            cursor = cursor or page.cursor
            running.extend(page.jobs)
        ended = await self._client.list_page(states=list(TERMINAL_STATES), page_size=ENDED_KEPT)
        answers = await self._answers(places=True)
        self._state.begin(running, ended.jobs)
        self._state.answer(answers)
        return cursor

    def ask(self) -> None:
        """Queues or slots may have changed: ask soon."""
        self._asked.set()

    async def _follow(self) -> None:
        cursor, failures = "", 0
        while True:
            try:
                cursor = cursor or await self.load()
                events = self._client.stream(
                    cursor=cursor, delivery=v1.DELIVERY_LATEST, include_progress=True, resume=False
                )
                async with events:
                    async for message in events.messages():
                        self._state.apply(message)
                        cursor, failures = message.cursor or cursor, 0
                        if message.events or message.synced:
                            self.ask()
                        self._changed()
                # A stream of all jobs has no end of its own.
                raise slotd.Unavailable("the service ended the stream")
            except slotd.Error as error:
                failures += 1
                if not isinstance(error, (slotd.Unavailable, slotd.DeadlineExceeded, slotd.ResourceExhausted)):
                    # Expired, or of another store: the jobs have to be listed anew. Whatever else is refused may be
                    # granted then too.
                    cursor = ""
                self._state.lost(failure(error, self._client.address).message)
                self._changed()
                await asyncio.sleep(max(self._backoff.delay(failures, random.random()), error.retry_after or 0.0))

    async def _ask_again(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_LATEST):
                    await self._asked.wait()
                late = False
            except TimeoutError:
                late = True
            self._asked.clear()
            if self._state.link is Link.LIVE:
                try:
                    self._state.answer(await self._answers(places=late or not self._state.knows_places()))
                    self._changed()
                except slotd.Error:
                    # The stream notices what stays wrong, and says so.
                    pass
            await asyncio.sleep(_SOONEST)

    async def _answers(self, places: bool) -> Answers:
        """Ask how queues and slots are, and with `places` about servers and workers."""
        client = self._client
        queues, slots = await asyncio.gather(client.list_queues(), client.list_slots())
        if not places:
            return Answers(queues, slots)
        servers, workers = await asyncio.gather(client.list_servers(), client.list_workers())
        return Answers(queues, slots, servers, workers)
