"""Whole lives of jobs that do nothing: taken, claimed, run and ended, all of it durable, on 1, 8 and 64 slots."""

import time

from bench.calls import Calls
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import slotd
from slotd import v1

SLOTS = (1, 8, 64)
_LEAST = Target("≥", 5_000)
_BATCH = 500
_WARM_UP_JOBS = 500


async def measure(plan: Plan) -> list[Figure]:
    """From the first batch of 500 until the last job has ended. One caller submits, and then asks for the counters."""
    figures = []
    for slots in SLOTS:
        jobs = plan.pick(6_000, 1_500) if slots == 1 else plan.pick(20_000, 4_000)
        async with slotd(plan.folder / f"end-to-end-{slots}.db", slots) as server:
            await rate(server.calls, _WARM_UP_JOBS)
            samples = [await rate(server.calls, jobs) for _ in range(plan.pick(3, 1))]
        name = "1 slot" if slots == 1 else f"{slots} slots"
        target = _LEAST if slots == 8 else None
        figures.append(Figure("end to end", name, "jobs/s", tuple(samples), target=target, x=slots))
    return figures


async def rate(calls: Calls, jobs: int, kind: str = "noop") -> float:
    """Jobs a second: so many are submitted, and have ended when it returns."""
    before = (await calls.counters()).completed
    began = time.perf_counter()
    await calls.submit(v1.JobSpec(kind=kind), jobs, _BATCH)
    await calls.completed(before + jobs)
    return jobs / (time.perf_counter() - began)
