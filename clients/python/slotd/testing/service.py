"""A whole service inside the test's process: real gRPC on a loopback port, a store in memory, a clock of the test's."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Any, Self

from slotd import aio
from slotd.client import Client
from slotd.testing.chosen import Handlers, chosen
from slotd.testing.clock import Clock, StandingTime, micros
from slotd.testing.described import described, listed
from slotd.testing.events import RecordedEvents
from slotd.testing.inline import outside_a_loop
from slotd.v1 import JOB_STATE_RUNNING, JOB_VIEW_FULL, Job

try:
    from slotd_server.app import Server
    from slotd_server.dispatch import Lull
    from slotd_server.domain import commands as ask
    from slotd_server.execution.threads import ThreadRunner
    from slotd_server.settings import Settings, load
except ImportError as missing:
    raise ImportError(f"slotd.testing.Service needs the service: pip install 'slotd[testing]' ({missing})") from missing

from slotd.testing.by_hand import ByHand
from slotd.testing.logs import logged_as_usual
from slotd.testing.thread import ServerThread

_SETTINGS: Mapping[str, Any] = {
    "listen": "127.0.0.1:0",
    "store": "sqlite:///:memory:",
    "slots": 4,
    "drain_timeout": 0.0,
    # The clock stands: what comes later than at once would never come.
    "report_interval": 0.0,
}


class Service:
    """Runs from the beginning of a `with` to its end; several may at once. What still runs then is left alone.

    Args:
        handlers: functions by kind, or modules and functions that `@job` has registered; without, all that are
            registered. They run in threads of this process, also where they ask for processes of their own.
        manual: nothing runs by itself: `run_next` and `run_all` run jobs one by one, in the thread that calls them.
        now: the time at the beginning; without, that of the machine.
        patience: how many seconds, by the machine's clock, jobs may take that a test waits for.
        settings: any other settings, by the names in docs/operations.md, as `slots` (4) and `retention`.

    Retries wait for exactly as long as their policies say, without jitter.

    Entering raises SettingsError for settings that can't be.
    """

    def __init__(
        self,
        handlers: Handlers | None = None,
        *,
        manual: bool = False,
        now: datetime | None = None,
        patience: float = 10.0,
        **settings: Any,
    ) -> None:
        if manual and "slots" in settings:
            raise TypeError("manual: jobs run one by one, whatever the slots")
        self._handlers = {kind: replace(one, isolation="thread", memory=None) for kind, one in chosen(handlers).items()}
        self._settings = {**_SETTINGS, **settings} | ({"slots": 0} if manual else {})
        self._time = StandingTime(micros(now or datetime.now(UTC)))
        self._manual = manual
        self._patience = patience
        self._by_hand: ByHand | None = None
        self._stack = ExitStack()
        self.clock = Clock(self._time, self._move)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(logged_as_usual())
            thread = ServerThread(self._make(load(self._settings, {})))
            self._server = thread.start()
            self._thread = thread
            stack.callback(thread.stop)
            self.address = self._server.address
            self.client = stack.enter_context(Client(self.address))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def aclient(self) -> aio.Client:
        """Another client, for `async with` in an async test."""
        return aio.Client(self.address)

    def events(self) -> RecordedEvents:
        """What happens to jobs from now on."""
        return RecordedEvents(self.client)

    def run_until_idle(self, timeout: float | None = None) -> None:
        """Returns when no job runs, and none could: all others wait for a time, a dependency or a slot that is taken.

        Raises AssertionError where one still runs after so many seconds, the service's `patience` without.
        """
        if self._manual:
            self.run_all()
        else:
            self._await(self._lull(frozenset(), timeout))

    def run_next(self) -> Job | None:
        """With `manual`: runs the next job here and now. Returns it as it is after that; None where none may run.

        Breakpoints, patches and transactions of the test hold for it, but in an async test it has a thread of its own.
        """
        if self._by_hand is None:
            raise RuntimeError("jobs run by themselves here: make the service with Service(manual=True)")
        self._thread.call(self._claim_one())
        job_id = outside_a_loop(self._by_hand.run_next)
        if job_id is None:
            return None
        self._await(self._lull())
        return self.client.get(job_id)

    def run_all(self) -> list[Job]:
        """With `manual`: as `run_next`, until there is none left that may run, those that these submit among them."""
        jobs = []
        while (job := self.run_next()) is not None:
            jobs.append(job)
        return jobs

    def _make(self, settings: Settings) -> Callable[[], Server]:
        def by_hand(*arguments: Any, **named: Any) -> ByHand:
            self._by_hand = ByHand(*arguments, **named)
            return self._by_hand

        runner = by_hand if self._manual else ThreadRunner
        return lambda: Server(settings, self._handlers, clock=self._time, random=_Steady(), threads=runner)

    def _move(self, time: int) -> None:
        self._await(self._pass_time(time))

    async def _pass_time(self, end: int) -> None:
        lull = await self._lull()
        already = lull.running
        while lull.due is not None and (time := self._time.now() + lull.due) < end:
            self._time.set(time)
            lull = await self._lull(already)
        self._time.set(end)
        await self._lull()

    async def _claim_one(self) -> None:
        # The one slot is taken in the same change that brings it, and goes before its job ends.
        await self._server.dispatcher.call(ask.UpdateSlots(1))
        await self._server.dispatcher.call(ask.UpdateSlots(0))

    async def _lull(self, despite: frozenset[ask.Lease] | None = None, patience: float | None = None) -> Lull:
        return await asyncio.wait_for(self._server.dispatcher.lull(despite), patience or self._patience)

    def _await(self, coroutine: Coroutine[Any, Any, object]) -> None:
        try:
            self._thread.call(coroutine)
        except TimeoutError:
            jobs = [described(job) for job in self.client.list(states=JOB_STATE_RUNNING, view=JOB_VIEW_FULL)]
            raise AssertionError(listed("the service has not come to rest; there still run", jobs)) from None


class _Steady(Random):
    """As random as any, but in the middle: what varies by up to so much either way does not."""

    def random(self) -> float:
        return 0.5
