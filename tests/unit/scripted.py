"""The dispatcher with its real thread, on a clock that is set by hand, with a runner that a test plays."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from slotd.handlers import Handler
from slotd_server.dispatch import Dispatcher, Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.events import Event
from slotd_server.domain.job import Job, Progress
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.worker import Standing
from slotd_server.execution.base import Reporting, Runner, Told
from slotd_server.execution.remote import RemoteRunner
from slotd_server.execution.routes import Routes
from slotd_server.execution.threads import ThreadRunner
from slotd_server.lifecycle import Committed, Lifecycle
from slotd_server.observers import NOBODY, Observers
from tests.unit.driver import DONE, Driver, draft, lease

PATIENCE = 10
"""Seconds after which a signal that does not come is a failure. No test waits as long where all is well."""


class ScriptedRunner:
    """Collects what it is given. A test says when a function returns, and what it has told."""

    def __init__(self) -> None:
        self.started: list[Job] = []
        self.stopped: list[ask.Lease] = []
        self.says: dict[ask.Lease, Told] = {}
        self.takes: list[ask.Lease] = []
        self.closed = False

    def start(self, job: Job) -> None:
        self.started.append(job)

    def stop(self, lease: ask.Lease) -> None:
        self.stopped.append(lease)

    def take(self, lease: ask.Lease) -> Told:
        self.takes.append(lease)
        return self.says.pop(lease, Told(None, b""))

    def close(self) -> None:
        self.closed = True


class Gate:
    """A lifecycle behind a gate: while it is shut, the writer stands before its next change."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.changes: list[tuple[ask.Command, ...]] = []
        self.owner = lifecycle.owner
        self._lifecycle = lifecycle
        self._open = threading.Event()
        self._open.set()
        self._arrived = threading.Event()

    @property
    def free(self) -> int:
        return self._lifecycle.free

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        self._arrived.set()
        assert self._open.wait(PATIENCE)
        self.changes.append(tuple(commands))
        return self._lifecycle.apply(commands, claim=claim)

    def look(self, commands: Sequence[ask.Command]) -> list[Any]:
        return self._lifecycle.look(commands)

    async def shut(self, dispatcher: Dispatcher) -> None:
        """Until the writer stands before it."""
        self._open.clear()
        self._arrived.clear()
        dispatcher.wake()
        assert await asyncio.to_thread(self._arrived.wait, PATIENCE)

    def open(self) -> None:
        self._open.set()


class Box:
    """A dispatcher, its runner and what it published."""

    def __init__(self, driver: Driver, pacing: Pacing, observers: Observers = NOBODY, *, busy: bool = False) -> None:
        self.driver = driver
        self.events: list[Event] = []
        self.failures: list[BaseException] = []
        self.gate = Gate(driver.lifecycle)
        self.runner = ScriptedRunner()
        self.dispatcher = Dispatcher(
            self.gate,  # type: ignore[arg-type]
            driver.kinds,
            driver.clock,
            publish=self.events.extend,
            failed=self.failures.append,
            pacing=pacing,
            busy=lambda: busy,
            observers=observers,
        )

    async def call(self, command: ask.Command) -> Any:
        """The answer, or what it was refused with."""
        return await asyncio.wait_for(self.dispatcher.call(command), PATIENCE)

    async def submit(self, kind: str = "work", **fields: Any) -> Job:
        (job,) = await self.call(ask.Submit((draft(kind, **fields),)))
        assert isinstance(job, Job)
        return job

    async def settle(self) -> None:
        """Until the writer has done all that waits, and what has fallen due by the clock."""
        for _ in range(2):
            await self.call(ask.ListSlots())

    async def advance(self, micros: int) -> None:
        self.driver.clock.advance(micros)
        await self.settle()

    async def finish(self, job: Job, outcome: Outcome = DONE, **told: Any) -> None:
        """The function of a started job returns."""
        self.dispatcher.finished(ask.Finish(lease(job), outcome, **told))
        await self.settle()

    async def tell(self, job: Job, done: int, output: bytes = b"") -> None:
        self.runner.says[lease(job)] = Told(Progress(done, 10, ""), output)
        self.dispatcher.told(lease(job))
        await self.settle()


def alone(runner: Runner) -> Routes:
    """`runner`, where there are no workers."""
    nobody = Reporting(lambda _: None, lambda _: None)
    return Routes(RemoteRunner(nobody, lambda _: Standing.NONE, lambda _: None), runner, {})


@asynccontextmanager
async def scripted(
    driver: Driver,
    pacing: Pacing | None = None,
    *,
    runner: Runner | None = None,
    observers: Observers = NOBODY,
    busy: bool = False,
) -> AsyncIterator[Box]:
    """A started dispatcher on `driver`'s store; stopped in the end, whatever happened."""
    box = Box(driver, pacing or Pacing(), observers, busy=busy)
    box.dispatcher.start(alone(runner or box.runner))
    try:
        yield box
    finally:
        box.gate.open()
        await box.dispatcher.stop()


@asynccontextmanager
async def on_threads(driver: Driver, handlers: Mapping[str, Any], pacing: Pacing | None = None) -> AsyncIterator[Box]:
    """The same with real threads, which run these functions."""
    box = Box(driver, pacing or Pacing())
    reporting = Reporting(box.dispatcher.finished, box.dispatcher.told, box.dispatcher.ended)
    runner = ThreadRunner(
        {kind: Handler(kind, function) for kind, function in handlers.items()},
        reporting,
        result_limit=1000,
        output_limit=1 << 20,
    )
    box.dispatcher.start(alone(runner))
    try:
        yield box
    finally:
        box.gate.open()
        runner.close()
        await box.dispatcher.stop()


class Rooms:
    """Handlers that go in, are counted, and stay until they are let out."""

    def __init__(self) -> None:
        self.most = 0
        self.inside = 0
        self.ran = 0
        self._changed = threading.Condition()
        self._passes = 0

    def enter(self, *_: Any) -> None:
        with self._changed:
            self.inside += 1
            self.ran += 1
            self.most = max(self.most, self.inside)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._passes > 0, PATIENCE)
            self._passes -= 1
            self.inside -= 1
            self._changed.notify_all()

    def let_out(self, number: int) -> None:
        with self._changed:
            self._passes += number
            self._changed.notify_all()

    async def until(self, *, inside: int | None = None, ran: int | None = None) -> None:
        """Until so many are inside, or have been."""

        def there() -> bool:
            return (inside is None or self.inside == inside) and (ran is None or self.ran == ran)

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(there, PATIENCE)

        assert await asyncio.to_thread(wait), f"{self.inside} are inside, {self.ran} have been"
