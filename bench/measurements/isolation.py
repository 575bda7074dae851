"""Handlers in processes of their own, in turn with threads: what a job costs that does nothing, and how the service
answers while handlers that never stop computing hold all of its slots."""

import asyncio
import time
from typing import NamedTuple

from bench.calls import Calls
from bench.machine import family_cpu_seconds
from bench.measurements.end_to_end import rate
from bench.plan import Plan
from bench.results import Figure
from bench.servers import HANDLERS, Server, slotd
from bench.statistics import percentile
from slotd import v1

SLOTS = 8
_THREAD, _PROCESS = "noop", "noop-process"
_SPINNING = {"spin-process": "processes", "spin": "threads"}
_MODULES = (HANDLERS, HANDLERS.with_name("isolated.py"))
_WARM_UP_JOBS = 200
_WARM_UP_CALLS_SECONDS = 0.3
_HELD = "held"
_POLL_SECONDS = 0.05


class Cost(NamedTuple):
    """Of each job: milliseconds, and milliseconds of the processor time of the server and its processes."""

    took: float
    processor: float


async def measure(plan: Plan) -> list[Figure]:
    """The processes are there, and have run jobs, before anything is measured."""
    figures = []
    for slots in (1, SLOTS):
        async with slotd(plan.folder / f"isolation-{slots}.db", slots, handlers=_MODULES) as server:
            figures += await _costs(server, slots, plan)
            if slots == SLOTS:
                figures += await _submits(server.calls, plan)
    return figures


async def _costs(server: Server, slots: int, plan: Plan) -> list[Figure]:
    jobs = plan.pick(300, 100) if slots == 1 else plan.pick(1_000, 300)
    for kind in (_THREAD, _PROCESS):
        await rate(server.calls, _WARM_UP_JOBS, kind)
    threads, processes = [], []
    for _ in range(plan.pick(3, 1)):
        threads.append(await _cost(server, jobs, _THREAD))
        processes.append(await _cost(server, jobs, _PROCESS))
    name = "one at a time" if slots == 1 else f"{slots} slots"
    return [
        Figure(
            "isolation",
            f"{name}, {what}",
            "ms/job",
            tuple(getattr(cost, field) for cost in processes),
            tuple(getattr(cost, field) for cost in threads),
            x=name if field == "took" else None,
        )
        for field, what in (("took", "from end to end"), ("processor", "processor time"))
    ]


async def _cost(server: Server, jobs: int, kind: str) -> Cost:
    used = family_cpu_seconds(server.pid)
    took = 1 / await rate(server.calls, jobs, kind)
    return Cost(took * 1e3, (family_cpu_seconds(server.pid) - used) / jobs * 1e3)


async def _submits(calls: Calls, plan: Plan) -> list[Figure]:
    """Submit by one caller, into a queue of which nothing starts: while nothing else goes on, and while all slots
    compute."""
    await calls.pause(_HELD)
    await submit_times(calls, _WARM_UP_CALLS_SECONDS)
    idle: list[list[float]] = []
    busy: dict[str, list[list[float]]] = {kind: [] for kind in _SPINNING}
    seconds = plan.pick(4, 1)
    for _ in range(plan.pick(3, 1)):
        idle.append(await submit_times(calls, seconds / 4))
        for kind, rounds in busy.items():
            spinning = await _spin(calls, kind)
            rounds.append(await submit_times(calls, seconds))
            await _cancel(calls, spinning)
    return [
        Figure(
            "spinning",
            f"{name}, {what}",
            "ms",
            tuple(percentile(samples, share) for samples in rounds),
            () if rounds is idle else tuple(percentile(samples, share) for samples in idle),
            x=place if share > 0.9 else None,
        )
        for place, name, rounds in [
            ("nothing runs", "nothing runs", idle),
            *((place, f"all slots compute, {place}", busy[kind]) for kind, place in _SPINNING.items()),
        ]
        for what, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def submit_times(calls: Calls, seconds: float) -> list[float]:
    """Milliseconds of each call of Submit, for so long; one at least."""
    request = v1.SubmitRequest(spec=v1.JobSpec(kind="noop", queue=_HELD))
    found: list[float] = []
    until = time.perf_counter() + seconds
    while not found or time.perf_counter() < until:
        began = time.perf_counter()
        await calls.jobs.Submit(request)
        found.append((time.perf_counter() - began) * 1e3)
    return found


async def _spin(calls: Calls, kind: str) -> list[str]:
    """Have a job of this kind in each slot; their ids, once all of them run."""
    batch = v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=v1.JobSpec(kind=kind))] * SLOTS)
    jobs = (await calls.jobs.SubmitBatch(batch)).jobs
    while (await calls.counters()).running < SLOTS:  # noqa: ASYNC110 - a stream would be work for the server
        await asyncio.sleep(_POLL_SECONDS)
    return [job.id for job in jobs]


async def _cancel(calls: Calls, jobs: list[str]) -> None:
    """Returns once their slots are free."""
    for job_id in jobs:
        await calls.jobs.Cancel(v1.CancelRequest(id=job_id))
    for job_id in jobs:
        await calls.jobs.Wait(v1.WaitRequest(id=job_id))
