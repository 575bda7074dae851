"""Jobs on a worker, in Python and in Go, in turn with threads in the server: how soon a job starts that was submitted,
and how many jobs end in a second."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import NamedTuple

from bench.calls import Calls
from bench.clients import build, client
from bench.measurements.end_to_end import rate
from bench.plan import Plan
from bench.results import Figure
from bench.servers import Server, slotd, worker
from bench.statistics import percentile
from slotd import v1
from tests.languages.languages import language

SLOTS = 8
_LOADS = {1: "one at a time", SLOTS: f"{SLOTS} at once"}
_WARM_UP_JOBS = 400
_CLOCK = v1.SubmitRequest(spec=v1.JobSpec(kind="clock"))
_WAIT_SECONDS = 30


class NotDone(Exception):
    """A job that should tell when it started has not succeeded."""


class Place(NamedTuple):
    """Where handlers run, and the server that knows it."""

    name: str
    server: Server


async def measure(plan: Plan) -> list[Figure]:
    """A server for each place, so that it has all of that server's jobs."""
    async with AsyncExitStack() as stack:
        places = await _places(stack, plan)
        for place in places:
            await rate(place.server.calls, _WARM_UP_JOBS)
            await starts(place.server.calls, _WARM_UP_JOBS, SLOTS)
        figures = []
        for at_once, load in _LOADS.items():
            figures += await _starts(places, at_once, load, plan)
        return [*figures, *await _rates(places, plan)]


async def _places(stack: AsyncExitStack, plan: Plan) -> list[Place]:
    """Threads in the server, and then the workers that this machine has what it takes for."""
    go = language("go")
    lacking = await build(go)
    threads = await stack.enter_async_context(slotd(plan.folder / "threads.db", SLOTS))
    python = await stack.enter_async_context(slotd(plan.folder / "python.db", 0, handlers=()))
    await stack.enter_async_context(worker(python, plan.folder, SLOTS))
    places = [Place("threads in the server", threads), Place("Python worker", python)]
    if lacking is not None:
        plan.left_out["workers, Go"] = lacking
        return places
    server = await stack.enter_async_context(slotd(plan.folder / "go.db", 0, handlers=()))
    await (await stack.enter_async_context(client(go, server, plan.folder))).work(SLOTS)
    return [*places, Place("Go worker", server)]


async def _starts(places: list[Place], at_once: int, load: str, plan: Plan) -> list[Figure]:
    jobs = plan.pick(200, 100) * min(at_once, 4)
    samples: list[list[list[float]]] = [[] for _ in places]
    for _ in range(plan.pick(3, 1)):
        for place, rounds in zip(places, samples, strict=True):
            rounds.append(await starts(place.server.calls, jobs, at_once))
    return [
        Figure(
            "worker start",
            f"{place.name}, {load}, {name}",
            "ms",
            tuple(percentile(one, share) for one in rounds),
            tuple(percentile(one, share) for one in samples[0]) if place is not places[0] else (),
            x=f"{place.name.partition(' ')[0]}, {at_once}" if share < 0.9 else None,
        )
        for place, rounds in zip(places, samples, strict=True)
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def starts(calls: Calls, jobs: int, at_once: int) -> list[float]:
    """Milliseconds from the call of Submit until the handler was called, for each of about so many jobs, `at_once` of
    them at a time. Both ends are told by the clock that all processes of a machine share.

    Raises NotDone.
    """
    found: list[float] = []

    async def one_after_the_other() -> None:
        for _ in range(jobs // at_once):
            began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            job_id = (await calls.jobs.Submit(_CLOCK)).job.id
            wait = v1.WaitRequest(id=job_id)
            wait.timeout.seconds = _WAIT_SECONDS
            job = (await calls.jobs.Wait(wait)).job
            if job.state != v1.JOB_STATE_SUCCEEDED:
                raise NotDone(f"{job.id} is {v1.JobState.Name(job.state)}: {job.error.message}")
            found.append((int(job.result.data) - began) / 1e6)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return found


async def _rates(places: list[Place], plan: Plan) -> list[Figure]:
    jobs = plan.pick(4_000, 1_500)
    samples: list[list[float]] = [[] for _ in places]
    for _ in range(plan.pick(3, 1)):
        for place, rounds in zip(places, samples, strict=True):
            rounds.append(await rate(place.server.calls, jobs))
    return [
        Figure(
            "workers",
            f"{place.name}, {SLOTS} slots",
            "jobs/s",
            tuple(rounds),
            tuple(samples[0]) if place is not places[0] else (),
            x=place.name.partition(" ")[0],
        )
        for place, rounds in zip(places, samples, strict=True)
    ]
