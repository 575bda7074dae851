"""Many threads in one: a seeded choice says who goes on next, and time passes only as it says.

What is a thread in reality (an event loop, a server's writer, a lease's keeper) is an `Actor` here. Actors interleave
at every callback, in an order that follows from the seed alone; within one of them callbacks keep their order, as in
asyncio.
"""

import asyncio
import random
from asyncio import _set_running_loop
from bisect import insort
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from slotd_server.domain.job import SECOND

START = 1_700_000_000 * SECOND
"""The time of day when every run begins: microseconds since the epoch."""

_STEP = 0x1FF
"""How long a step takes at most, in microseconds; all bits set."""


_SELDOM = 16
"""In steps: how often somebody looks whether a run is over."""


class Actor(asyncio.AbstractEventLoop):
    """What runs one callback after another. It is an event loop as far as futures, tasks and timers need one."""

    def __init__(self, scheduler: "Scheduler", number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []
        self.paused = False
        self.dead = False
        self._scheduler = scheduler

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._scheduler.add(self, handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """`delay` in seconds, as everywhere in asyncio."""
        return self._call_at(self._scheduler.now + max(round(delay * SECOND), 0), callback, args, context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._call_at(round(when * SECOND), callback, args, context)

    def _call_at(
        self, time: int, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(time, callback, args, self, context)
        self._scheduler.add_timer(time, self, handle)
        return handle

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def time(self) -> float:
        return self._scheduler.now / SECOND

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What goes wrong in a callback ends the run. What is left over when a run has ended does not matter."""
        if "handle" in context:
            raise context["exception"]

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def sleep(self, seconds: float) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self.create_future()
        self.call_later(seconds, _wake, future)
        return future

    def spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        """Run it here; what it raises ends the run."""
        task = self.create_task(coroutine)
        task.add_done_callback(_raise)
        return task


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _raise(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.result()


_number = attrgetter("number")


class Scheduler:
    """`now` is virtual time in microseconds since the run began, `trace` what happened, to read and to compare."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0
        self.steps = 0
        self.trace: list[tuple[Any, ...]] = []
        self._actors: list[Actor] = []
        # In the order of their numbers: which of two was woken first may depend on what is in a set, and where.
        self._runnable: list[Actor] = []
        self._timers: list[tuple[int, int, Actor, asyncio.Handle]] = []
        self._count = 0

    def actor(self, name: str) -> Actor:
        # Of what an event loop has, futures, tasks and timers need no more than this.
        actor = Actor(self, len(self._actors), name)  # type: ignore[abstract]
        self._actors.append(actor)
        return actor

    def note(self, *what: Any) -> None:
        """Add to the trace."""
        self.trace.append((self.now, *what))

    def add(self, actor: Actor, handle: asyncio.Handle) -> None:
        """`actor` goes on with this, after what it has to do already."""
        if actor.dead:
            return
        if not actor.ready and not actor.paused:
            insort(self._runnable, actor, key=_number)
        actor.ready.append(handle)

    def add_timer(self, time: int, actor: Actor, handle: asyncio.Handle) -> None:
        self._count += 1
        heappush(self._timers, (time, self._count, actor, handle))

    def pause(self, *actors: Actor) -> None:
        """They take no step until they are resumed; time goes on for them."""
        for actor in actors:
            actor.paused = True
            if actor in self._runnable:
                self._runnable.remove(actor)

    def resume(self, *actors: Actor) -> None:
        for actor in actors:
            if actor.paused:
                actor.paused = False
                if actor.ready:
                    insort(self._runnable, actor, key=_number)

    def kill(self, *actors: Actor) -> None:
        """They never take a step again."""
        self.pause(*actors)
        for actor in actors:
            actor.dead = True
            actor.ready.clear()

    def run(self, until: int, done: Callable[[], bool] | None = None) -> None:
        """Go on until this time, or until `done`."""
        try:
            while self.now < until:
                if done is not None and self.steps % _SELDOM == 0 and done():
                    return
                if not self._runnable and not self._pass_time(until):
                    return
                self._step()
                self._ring()
        finally:
            _set_running_loop(None)

    def close(self) -> None:
        """The run is over: what has not come to its end never will."""
        for actor in self._actors:
            for task in actor.tasks:
                if not task.done():
                    task.get_coro().close()

    def _step(self) -> None:
        """One step of one of those that have something to do, whichever."""
        runnable = self._runnable
        if not runnable:
            return
        chance = self.random.getrandbits(24)
        position = (chance >> 12) * len(runnable) >> 12
        actor = runnable[position]
        handle = actor.ready.popleft()
        if not actor.ready:
            del runnable[position]
        self.steps += 1
        self.now += 1 + (chance & _STEP)
        if not handle.cancelled():
            _set_running_loop(actor)
            handle._run()

    def _pass_time(self, until: int) -> bool:
        """Nobody has anything to do: the next timer's time comes. False where that is not before `until`."""
        if not self._timers or self._timers[0][0] >= until:
            self.now = until
            return False
        self.now = max(self.now, self._timers[0][0])
        self._ring()
        return True

    def _ring(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            _, _, actor, handle = heappop(self._timers)
            if not handle.cancelled():
                self.add(actor, handle)


class SimulatedClock:
    """A machine's clocks. `skew` is how far its time of day is off, and may be set at any time."""

    def __init__(self, scheduler: Scheduler, skew: int = 0) -> None:
        self.skew = skew
        self._scheduler = scheduler

    def now(self) -> int:
        return START + self._scheduler.now + self.skew

    def monotonic(self) -> int:
        return self._scheduler.now
