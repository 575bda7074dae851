"""Many subscribers of every temper on one service under load; each one's record is held against the store's log."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

import slotd
from slotd import spec, v1
from slotd.aio import Client
from tests.rpc.subscriber import Log, Subscriber
from tests.service import Spawn

CHANNELS = 8
STEADY, RESTLESS, SLOW, SILENT = 80, 60, 40, 20
STEPS = 16

FILTERS = [
    v1.JobFilter(),
    v1.JobFilter(queues=["a"]),
    v1.JobFilter(kinds=["stumble", "hopeless"]),
    v1.JobFilter(states=[v1.JOB_STATE_RUNNING]),
    v1.JobFilter(states=[v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED]),
    v1.JobFilter(states=[v1.JOB_STATE_QUEUED, v1.JOB_STATE_SCHEDULED], queues=["b"]),
    v1.JobFilter(labels={"colour": "red"}),
]


@asynccontextmanager
async def channels(address: str, number: int) -> AsyncIterator[list[grpc.aio.Channel]]:
    """So many connections."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    opened = [grpc.aio.insecure_channel(address, options) for _ in range(number)]
    yield opened
    for channel in opened:
        await channel.close()


class Load:
    """Jobs of all kinds, submitted and meddled with in steps. `pulse` yields to slow readers once a step."""

    def __init__(self, client: Client, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self._step = asyncio.Condition()
        self._steps = 0
        self.final: int | None = None

    async def run(self) -> None:
        """All steps; `final` is the last revision when nothing moves any more."""
        cursor = (await self._client.list_page()).cursor
        for _ in range(STEPS):
            jobs = await self._client.submit_batch([self._job() for _ in range(24)])
            for job in self._chance.sample(jobs, 6):
                await self._meddle(job)
            async with self._step:
                self._steps += 1
                self._step.notify_all()
        # One place at which everything has been told of, and nothing else is to come.
        async with self._client.stream(cursor=cursor) as events:
            open_jobs: set[str] = set()
            known: set[str] = set()
            async for event in events:
                known.add(event.job.id)
                ended = event.type == v1.EVENT_TYPE_DELETED or event.job.end_time.seconds
                (open_jobs.discard if ended else open_jobs.add)(event.job.id)
                stats = None if open_jobs or len(known) < STEPS * 24 else await self._client.get_stats()
                if stats is not None and stats.revision == event.revision:
                    break
        self.final = (await self._client.get_stats()).revision
        async with self._step:
            self._step.notify_all()

    async def pulse(self) -> None:
        """Until the next step, or at once after the last."""
        async with self._step:
            seen = self._steps
            await self._step.wait_for(lambda: self._steps > seen or self.final is not None)

    async def over(self) -> None:
        """Until all steps are done and nothing moves."""
        async with self._step:
            await self._step.wait_for(lambda: self.final is not None)

    def done(self, revision: int) -> bool:
        """Whether a subscriber at this revision has seen all."""
        return self.final is not None and revision >= self.final

    def _job(self) -> v1.JobSpec:
        kind, payload = self._chance.choice(
            [("idle", None), ("count", 5), ("stumble", 2), ("stumble", 9), ("hopeless", "so"), ("print", ["x"])]
        )
        return spec(
            kind,
            payload,
            queue=self._chance.choice(["a", "b"]),
            priority=self._chance.randint(-2, 2),
            labels={"colour": self._chance.choice(["red", "blue"])},
        )

    async def _meddle(self, job: v1.Job) -> None:
        client = self._client
        action = self._chance.choice(["cancel", "retry", "delete"])
        try:
            if action == "cancel":
                await client.cancel(job)
            elif action == "retry":
                await client.retry(job)
            else:
                await client.delete(job)
        except slotd.FailedPrecondition:
            # It was quicker: refused is as good as done.
            return


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [random.randrange(1 << 32)], ids=["random"])
async def test_every_subscriber_sees_what_happened(spawn: Spawn, tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    path = tmp_path / "jobs.db"
    vanishing = 10
    limit = STEADY + RESTLESS + SLOW + SILENT + 2 * vanishing + 5
    service = spawn(store=f"sqlite:///{path}", slots=8, heartbeat=0.5, max_streams=limit, report_interval=0.01)
    async with channels(service.address, CHANNELS) as opened, Client(service.address) as client:
        stubs = [v1.JobServiceStub(channel) for channel in opened]
        load = Load(client, random.Random(seed))
        subscribers: list[Subscriber] = []

        def subscriber() -> Subscriber:
            request = v1.StreamRequest(
                filter=chance.choice(FILTERS),
                delivery=chance.choice([v1.DELIVERY_EVERY, v1.DELIVERY_LATEST]),
                include_progress=chance.random() < 0.3,
            )
            subscribers.append(Subscriber(request, random.Random(chance.random())))
            return subscribers[-1]

        def anywhere() -> v1.JobServiceStub:
            return chance.choice(stubs)

        tasks = []
        for _ in range(STEADY):
            tasks.append(subscriber().follow(anywhere, load.done))
        for _ in range(RESTLESS):
            one = subscriber()
            tasks.append(one.follow(anywhere, load.done, messages=lambda one=one: one.chance.randint(1, 12)))  # type: ignore[misc]
        for _ in range(SLOW):
            tasks.append(subscriber().follow(anywhere, load.done, before_each=load.pulse))
        for _ in range(SILENT):
            # Reads nothing at all until everything is over.
            tasks.append(subscriber().follow(anywhere, load.done, before_each=load.over))
        following = [asyncio.ensure_future(task) for task in tasks]

        # Some vanish without a word: a process that is killed, and channels that are closed under their streams.
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.rpc.vanishing", service.address, str(vanishing)),
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"open\n"
        async with channels(service.address, 1) as (channel,):
            stub = v1.JobServiceStub(channel)
            for _ in range(vanishing):
                await stub.Stream(v1.StreamRequest()).read()  # type: ignore[attr-defined]
        child.kill()
        await child.wait()

        await load.run()
        await asyncio.gather(*following)
        # Their places are free again: as many streams as ever can be opened.
        await places(stubs, limit)
    log = Log(path)
    print(
        f"{len(subscribers)} subscribers, {sum(one.calls for one in subscribers)} calls, {len(log.events)} events, "
        f"told {sum(len(one.told) for one in subscribers)}"
    )
    assert [event.revision for event in log.events] == list(range(1, (load.final or 0) + 1))
    for one in subscribers:
        one.check(log)
    calls, told = sum(one.calls for one in subscribers), sum(len(one.told) for one in subscribers)
    print(f"{len(subscribers)} subscribers, {calls} calls, {len(log.events)} events, told {told} times")
    assert calls > len(subscribers), "nobody reconnected"
    assert told > 10 * len(log.events)


async def places(stubs: list[v1.JobServiceStub], number: int) -> None:
    """Opens so many streams, each as soon as there is a place for it."""
    opened: list[Any] = []
    while len(opened) < number:
        call: Any = stubs[len(opened) % len(stubs)].Stream(v1.StreamRequest(filter=v1.JobFilter(queues=["none"])))
        try:
            assert (await call.read()).synced
            opened.append(call)
        except grpc.aio.AioRpcError as error:
            # A stream that was given up a moment ago may still be counted.
            if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
    for call in opened:
        call.cancel()
