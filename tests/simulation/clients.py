"""Callers, who ask what they have in mind of whichever server answers, and again where none did."""

import asyncio
from collections.abc import Callable
from typing import Any

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import (
    Awaited,
    DependencyFailed,
    Draining,
    InvalidArgument,
    NotFound,
    QueueFull,
    ScheduleExists,
    ServiceError,
    StoreFull,
    StoreUnavailable,
    UniqueKeyTaken,
    WrongState,
)
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Draft, Queue
from slotd_server.domain.schedule import Overlap, Schedule, Settings
from slotd_server.domain.states import State
from tests.simulation.plan import NARROW, QUEUES, TROUBLE, Plan, draw_draft
from tests.simulation.runner import ENDLESS
from tests.simulation.scheduler import START, Actor, Scheduler
from tests.simulation.server import Server
from tests.simulation.witness import Witness
from tests.unit.driver import draft

_TIMEOUT = 2.0
"""Seconds that a caller waits for an answer."""

_AGAIN = 0.3
"""Seconds between two tries."""


class NoAnswer(Exception):
    """Nobody knows what became of the call."""


class Caller:
    """Goes on asking until there is an answer. `done` once there is nothing more to ask; `lossy` is the share of
    answers that never arrive."""

    def __init__(self, scheduler: Scheduler, name: str, servers: Callable[[], list[Server]]) -> None:
        self.actor: Actor = scheduler.actor(name)
        self.name = name
        self.done = False
        self.lossy = 0.0
        self._scheduler = scheduler
        self._random = scheduler.random
        self._servers = servers

    async def _ask(self, command: ask.Command) -> Any:
        """The answer of the first server that gives one. Raises the refusal."""
        while True:
            servers = self._servers()
            if servers:
                try:
                    return await self._call(self._random.choice(servers), command)
                except (NoAnswer, Draining, StoreUnavailable, StoreFull):
                    pass
            await self.actor.sleep(_AGAIN)

    async def _call(self, server: Server, command: ask.Command) -> Any:
        """Over the network, where answers may be lost."""
        answered: asyncio.Future[Any] = self.actor.create_future()

        def reply(future: asyncio.Future[Any]) -> None:
            if self._random.random() >= self.lossy:
                self.actor.call_soon(_answer, answered, future)

        def arrive() -> None:
            try:
                future = server.dispatcher.call(command)
            except ServiceError as refused:
                future = server.loop.create_future()
                future.set_exception(refused)
            future.add_done_callback(reply)

        server.loop.call_soon(arrive)
        timer = self.actor.call_later(_TIMEOUT, _give_up, answered)
        try:
            return await answered
        finally:
            timer.cancel()


class Client(Caller):
    """Somebody who submits jobs."""

    def __init__(
        self, scheduler: Scheduler, name: str, plan: Plan, witness: Witness, servers: Callable[[], list[Server]]
    ) -> None:
        super().__init__(scheduler, name, servers)
        self._plan = plan
        self._witness = witness
        self._mine: list[str] = []

    async def run(self) -> None:
        """Submit some jobs and meddle with them; in the end stop those that run until they are stopped."""
        for number in range(self._plan.jobs):
            await self.actor.sleep(self._random.random())
            one = draw_draft(self._random, self._plan, self._mine, self._scheduler.now)
            await self._submit(one._replace(request_id=f"{self.name}-{number}"))
            if "meddling" in self._plan.features and self._random.random() < 0.5:
                await self._meddle()
        for job_id in list(self._mine):
            job = self._witness.job(job_id)
            if job is not None and job.spec.kind == ENDLESS and job.spec.timeout is None:
                await self._cancel(job_id)
        self.done = True

    async def _submit(self, one: Draft) -> None:
        while True:
            try:
                (job,) = await self._ask(ask.Submit((one,)))
            except QueueFull:
                await self.actor.sleep(_AGAIN)
                if self._random.random() < 0.2:
                    return
                continue
            except NotFound:
                # It was there, or another job had its unique key, and somebody deleted that.
                unique = one.ties is not None and one.ties.unique is not None
                assert unique or one.request_id in self._witness.requests
                return
            except (InvalidArgument, DependencyFailed):
                # What it depends on is gone, or has failed.
                return
            assert self._witness.ids.get(job.id) == job.seq, "acknowledged, and not there"
            assert one.request_id != job.request_id or self._witness.requests[one.request_id] == job.id
            self._mine.append(job.id)
            return

    async def _meddle(self) -> None:
        job_id = self._random.choice(self._mine) if self._mine else "no-such-job"
        which = self._random.random()
        if which < 0.5:
            await self._cancel(job_id)
        elif which < 0.7:
            await self._retry(job_id)
        elif which < 0.8:
            await self._try(ask.Delete(job_id, force=True))

    async def _cancel(self, job_id: str) -> None:
        answer = await self._try(ask.Cancel(job_id))
        if isinstance(answer, Job):
            assert answer.state is State.CANCELLED or answer.cancel_requested

    async def _retry(self, job_id: str) -> None:
        self._witness.retried.add(job_id)
        await self._try(ask.Retry(job_id))

    async def _try(self, command: ask.Command) -> Any:
        """The answer, or the refusal."""
        try:
            return await self._ask(command)
        except (Awaited, DependencyFailed, NotFound, QueueFull, UniqueKeyTaken, WrongState) as refused:
            return refused


class Operator(Caller):
    """Somebody who sets limits, and sets them again."""

    def __init__(self, scheduler: Scheduler, plan: Plan, servers: Callable[[], list[Server]]) -> None:
        super().__init__(scheduler, "operator", servers)
        self._plan = plan

    async def run(self) -> None:
        """Until the trouble is over; then nothing is paused."""
        for feature in self._plan.features:
            for queue in QUEUES.get(feature, ()):
                await self._set(queue)
        if "schedule" in self._plan.features:
            await self._make_schedule()
        if "operator" in self._plan.features:
            while self._scheduler.now < TROUBLE:
                await self.actor.sleep(self._random.random() * 2)
                await self._change_something()
            await self._put_right()
        self.done = True

    async def _change_something(self) -> None:
        if self._random.random() < 0.5:
            await self._ask(ask.UpdateSlots(self._random.choice((0, 1, 2, 3))))
        else:
            slots = self._random.choice((0, 1, 2))
            await self._set(NARROW._replace(slots=slots, paused=self._random.random() < 0.3))

    async def _put_right(self) -> None:
        # What was asked for before, and not answered, may still be on its way.
        await self.actor.sleep(max(TROUBLE - self._scheduler.now, 0) / SECOND + _TIMEOUT)
        await self._set(NARROW)
        for server in self._servers():
            await self._call(server, ask.UpdateSlots(2))

    async def _set(self, queue: Queue) -> None:
        await self._ask(ask.UpdateQueue(queue, frozenset(queue._fields) - {"name", "defaults"}))

    async def _make_schedule(self) -> None:
        settings = Settings(draft(), interval=SECOND, overlap=Overlap.ALLOW, end_time=START + TROUBLE + 3 * SECOND)
        try:
            await self._ask(ask.CreateSchedule(Schedule("each-second", settings, 0, 0)))
        except (InvalidArgument, ScheduleExists):
            # An earlier call of ours went through, or it is too late for any firing.
            pass


def _answer(answered: asyncio.Future[Any], future: asyncio.Future[Any]) -> None:
    error = future.exception()
    if answered.done():
        return
    if error is None:
        answered.set_result(future.result())
    else:
        answered.set_exception(error)


def _give_up(answered: asyncio.Future[Any]) -> None:
    if not answered.done():
        answered.set_exception(NoAnswer())
