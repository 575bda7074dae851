"""Start-up after kill -9, with jobs that waited and jobs that ran: until the service answers, with every job there."""

import time
from pathlib import Path

from bench.plan import Plan
from bench.results import Figure
from bench.servers import slotd
from slotd import v1

SLOTS = 8

# Each kill costs those that run an attempt, and they must not run out of them.
_HOLD = v1.JobSpec(kind="hold", retry=v1.RetryPolicy(max_attempts=100))


class JobsLost(Exception):
    """After the restart there are not as many jobs as were acknowledged before."""


async def measure(plan: Plan) -> list[Figure]:
    """Beside it, for comparison, the start on an empty store."""
    waiting = plan.pick(100_000, 10_000)
    rounds = plan.pick(3, 1)
    empty = [await _start(plan.folder / f"empty-{number}.db", 0) for number in range(rounds)]
    store = plan.folder / "restart.db"
    async with slotd(store, SLOTS) as server:
        await server.calls.submit(_HOLD, waiting + SLOTS)
        server.kill()
    killed = [await _start(store, waiting + SLOTS) for _ in range(rounds)]
    return [
        Figure("start", "empty store", "s", tuple(empty)),
        Figure("start", f"after kill -9, {waiting:,} waiting", "s", tuple(killed)),
    ]


async def _start(store: Path, jobs: int) -> float:
    """Seconds from the start of the process until it has answered how many jobs there are. It is killed again then.

    Raises JobsLost.
    """
    began = time.perf_counter()
    async with slotd(store, SLOTS) as server:
        counters = await server.calls.counters()
        seconds = time.perf_counter() - began
        found = counters.queued + counters.scheduled + counters.running
        if found != jobs:
            raise JobsLost(f"of {jobs} jobs {found} are there")
        server.kill()
    return seconds
