"""Events a second to 1, 10 and 100 subscribers, in turn with the bare server, which sends ready-made ones of the same
size: first of what has happened before (catching up from a cursor), then as it happens."""

import asyncio
import time
from typing import NamedTuple

from bench.calls import Calls
from bench.plan import Plan
from bench.results import Figure
from bench.servers import bare, slotd
from bench.subscribers import Subscriber, read_all
from slotd import v1

SUBSCRIBERS = (1, 10, 100)
_BATCH = 500


class Delivered(NamedTuple):
    """Events a second over all subscribers, and bytes of a message for each event in it."""

    rate: float
    size: float


async def measure(plan: Plan) -> list[Figure]:
    """Sums over all subscribers; each of them gets all of the events."""
    events = plan.pick(8_000, 4_000)
    figures: list[Figure] = []
    sizes, bare_sizes = [], []
    async with slotd(plan.folder / "fan-out.db", 0) as ours, bare(plan.folder) as other:
        await _live(ours.calls, 1, events)
        for count in SUBSCRIBERS:
            late, live, theirs = [], [], []
            for _ in range(plan.pick(3, 1)):
                cursor = await ours.calls.cursor()
                await ours.calls.submit(v1.JobSpec(kind="noop"), events)
                mine = await _catch_up(ours.calls, cursor, count, events)
                ready_made = await _catch_up(other.calls, str(events), count, events)
                late.append(mine.rate)
                theirs.append(ready_made.rate)
                sizes.append(mine.size)
                bare_sizes.append(ready_made.size)
                live.append(await _live(ours.calls, count, events))
            people = "1 subscriber" if count == 1 else f"{count} subscribers"
            figures += [
                Figure("events", f"{people}, {name}", "events/s", tuple(samples), tuple(theirs), x=count)
                for name, samples in (("catching up", late), ("live", live))
            ]
    return [*figures, Figure("events", "size of an event", "bytes", tuple(sizes), tuple(bare_sizes))]


async def _catch_up(calls: Calls, cursor: str, count: int, events: int) -> Delivered:
    began = time.perf_counter()
    subscribers = [Subscriber(calls, v1.StreamRequest(cursor=cursor)) for _ in range(count)]
    await read_all(subscribers, events)
    rate = count * events / (time.perf_counter() - began)
    for subscriber in subscribers:
        subscriber.cancel()
    return Delivered(rate, subscribers[0].bytes / events)


async def _live(calls: Calls, count: int, events: int) -> float:
    """Taking the jobs is part of it: nothing happens without them."""
    cursor = await calls.cursor()
    subscribers = [Subscriber(calls, v1.StreamRequest(cursor=cursor)) for _ in range(count)]
    await asyncio.gather(*(subscriber.synced() for subscriber in subscribers))
    began = time.perf_counter()
    await asyncio.gather(read_all(subscribers, events), calls.submit(v1.JobSpec(kind="noop"), events, _BATCH))
    rate = count * events / (time.perf_counter() - began)
    for subscriber in subscribers:
        subscriber.cancel()
    return rate
