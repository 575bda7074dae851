"""How soon a subscriber of one server knows what was submitted to another, on one PostgreSQL, in turn with a subscriber
of the very server that it was submitted to."""

import asyncio
import time
from typing import Any

from bench.calls import Calls
from bench.plan import Plan
from bench.postgres import durable_cluster
from bench.results import Figure
from bench.servers import replica
from bench.statistics import median, percentile
from slotd import v1

_WARM_UP_JOBS = 50
_REQUEST = v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))


class WrongEvent(Exception):
    """The subscriber was told of something else than the job that had been submitted."""


async def measure(plan: Plan) -> list[Figure]:
    """One job at a time, on servers without slots, so that its one event is that it was taken. Raises LeftOut."""
    jobs = plan.pick(400, 100)
    same, other = [], []
    with durable_cluster() as cluster:
        url = cluster.url(cluster.create())
        async with replica(url, plan.folder, 0) as here, replica(url, plan.folder, 0) as there:
            for subscribed in (here, there):
                await delays(here.calls, subscribed.calls, _WARM_UP_JOBS)
            for _ in range(plan.pick(5, 1)):
                same.append(await delays(here.calls, here.calls, jobs))
                other.append(await delays(here.calls, there.calls, jobs))
    return [
        *(
            _figure(f"submit → CREATED seen, {name}", share, other, same)
            for name, share in (("p50", 0.5), ("p99", 0.99))
        ),
        Figure(
            "across",
            "on top of the same server, p50",
            "ms",
            tuple(median(far) - median(near) for far, near in zip(other, same, strict=True)),
        ),
    ]


def _figure(name: str, share: float, other: list[list[float]], same: list[list[float]]) -> Figure:
    far, near = (tuple(percentile(samples, share) for samples in side) for side in (other, same))
    return Figure("across", name, "ms", far, near)


async def delays(submitter: Calls, subscriber: Calls, jobs: int) -> list[float]:
    """Milliseconds from the call of Submit until the subscriber has read the event, for each of so many jobs.

    Raises WrongEvent.
    """
    stream = subscriber.jobs.Stream(v1.StreamRequest(cursor=await submitter.cursor()))
    await stream.read()
    found = []
    for _ in range(jobs):
        # It reads meanwhile: the event may be there before the answer is.
        reading = asyncio.ensure_future(_next(stream))
        began = time.perf_counter()
        job_id = (await submitter.jobs.Submit(_REQUEST)).job.id
        seen, told = await reading
        if told != job_id:
            raise WrongEvent(f"of {told}, not {job_id}")
        found.append((seen - began) * 1e3)
    stream.cancel()
    return found


async def _next(stream: Any) -> tuple[float, str]:
    """When the next event came, and which job it is of."""
    while True:
        response = await stream.read()
        now = time.perf_counter()
        for event in response.events:
            return now, event.job.id
