"""What a service costs that has nothing to do: processor time with jobs waiting in a paused queue and streams open."""

import asyncio
import time

from bench.machine import cpu_seconds, resident_bytes
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import Server, bare, slotd
from bench.subscribers import Subscriber
from slotd import v1

WAITING = 1_000
STREAMS = 10
_MOST = Target("≤", 0.5)


async def measure(plan: Plan) -> list[Figure]:
    """Both servers at the same time: neither disturbs the other."""
    async with slotd(plan.folder / "idle.db", 8) as ours, bare(plan.folder) as other:
        await ours.calls.pause("default")
        await ours.calls.submit(v1.JobSpec(kind="noop"), WAITING)
        cursor = await ours.calls.cursor()
        subscribers = [Subscriber(ours.calls, v1.StreamRequest(cursor=cursor)) for _ in range(STREAMS)]
        await asyncio.gather(*(subscriber.synced() for subscriber in subscribers))
        subscribers += [Subscriber(other.calls, v1.StreamRequest()) for _ in range(STREAMS)]
        # The last of the start-up's work is no part of it.
        await asyncio.sleep(1)
        servers = (ours, other)
        before = [cpu_seconds(server.pid) for server in servers]
        began = time.perf_counter()
        await asyncio.sleep(plan.pick(20, 4))
        seconds = time.perf_counter() - began
        mine, theirs = [
            (cpu_seconds(server.pid) - used) / seconds * 100 for server, used in zip(servers, before, strict=True)
        ]
        figures = [
            Figure("idle", "processor", "% of a core", (mine,), target=_MOST),
            Figure("idle", "processor, bare", "% of a core", (theirs,)),
            Figure("idle", "memory", "MiB", (_mebibytes(ours),), (_mebibytes(other),)),
        ]
        for subscriber in subscribers:
            subscriber.cancel()
    return figures


def _mebibytes(server: Server) -> float:
    return resident_bytes(server.pid) / 2**20
