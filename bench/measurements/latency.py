"""How long one job takes on a service with nothing else to do, as its submitter sees it: until the answer, until a
subscriber is told that it runs, and until it is told that it has ended."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from bench.calls import Calls
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import slotd
from bench.statistics import percentile
from slotd import v1

_MOST = Target("≤", 3)
_TERMINAL = (v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED)


class Lives(NamedTuple):
    """Milliseconds from the call of Submit, one of each a job."""

    answered: list[float]
    running: list[float]
    terminal: list[float]


async def measure(plan: Plan) -> list[Figure]:
    """One job at a time, with a stream open beforehand."""
    count = plan.pick(400, 150)
    async with slotd(plan.folder / "latency.db", 8) as server:
        await lives(server.calls, 50)
        rounds = [await lives(server.calls, count) for _ in range(plan.pick(3, 1))]
    return [
        _figure("submit → answer, p50", [life.answered for life in rounds], 0.5),
        _figure("submit → running seen, p50", [life.running for life in rounds], 0.5),
        _figure("submit → terminal seen, p50", [life.terminal for life in rounds], 0.5, _MOST),
        _figure("submit → terminal seen, p99", [life.terminal for life in rounds], 0.99),
    ]


def _figure(name: str, rounds: list[list[float]], share: float, target: Target | None = None) -> Figure:
    samples = tuple(percentile(samples, share) for samples in rounds)
    return Figure("latency", name, "ms", samples, target=target)


async def lives(calls: Calls, count: int) -> Lives:
    """Submit `count` jobs, each when the last has been seen to end."""
    stream = calls.jobs.Stream(v1.StreamRequest(cursor=await calls.cursor()))
    found = Lives([], [], [])
    request = v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))
    await stream.read()
    for _ in range(count):
        began = time.perf_counter()
        job_id = (await calls.jobs.Submit(request)).job.id
        found.answered.append((time.perf_counter() - began) * 1e3)
        await _follow(stream.read, job_id, began, found)
    stream.cancel()
    return found


async def _follow(read: Callable[[], Any], job_id: str, began: float, found: Lives) -> None:
    """Read until the job has ended."""
    while True:
        response = await read()
        now = (time.perf_counter() - began) * 1e3
        for event in response.events:
            if event.job.id == job_id and event.job.state == v1.JOB_STATE_RUNNING:
                found.running.append(now)
            elif event.job.id == job_id and event.job.state in _TERMINAL:
                found.terminal.append(now)
                return
