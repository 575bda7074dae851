"""What many waiting jobs cost: the server's memory, how long a job takes that need not wait, and how long a claim takes
with those jobs in its own queue."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from bench.machine import resident_bytes
from bench.measurements.latency import lives
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import slotd
from bench.statistics import percentile
from slotd import v1

QUEUE = "backlog"
_TIMES_THE_EMPTY = 2


class ClaimsFailed(Exception):
    """The process that measures claims ended with an error; the message has what it said."""


async def measure(plan: Plan) -> list[Figure]:
    """One store that is filled step by step, and a copy of it at each step."""
    figures, stores = [], []
    store = plan.folder / "backlog.db"
    there = 0
    for waiting in (0, 1_000, 10_000) if plan.quick else (0, 10_000, 100_000, 1_000_000):
        async with slotd(store, 8) as server:
            await server.calls.pause(QUEUE)
            await server.calls.submit(v1.JobSpec(kind="noop", queue=QUEUE), waiting - there)
            there = waiting
            life = await lives(server.calls, plan.pick(200, 100))
            memory = resident_bytes(server.pid) / 2**20
        figures += [
            Figure("memory", _waiting(waiting), "MiB", (memory,), x=waiting),
            _latency(waiting, "running", life.running),
            _latency(waiting, "terminal", life.terminal),
        ]
        stores.append((waiting, store.with_name(f"backlog-{waiting}.db")))
        shutil.copyfile(store, stores[-1][1])
    store.unlink()
    return figures + await _claims(plan, stores)


def _latency(waiting: int, until: str, samples: list[float]) -> Figure:
    return Figure(
        "another queue",
        f"submit → {until} seen, {_waiting(waiting)}, p50",
        "ms",
        (percentile(samples, 0.5),),
        x=waiting,
    )


async def _claims(plan: Plan, stores: list[tuple[int, Path]]) -> list[Figure]:
    """Measured by a process of its own, on all of the stores in turn."""
    arguments = [str(plan.pick(100, 20)), *(str(path) for _, path in stores)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.claims", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await process.communicate()
    if process.returncode != 0:
        raise ClaimsFailed(wrong.decode(errors="replace")[-2000:])
    found: list[dict[str, list[float]]] = json.loads(said)
    figures = []
    for part, name in (("claim", "claim alone"), ("change", "finish and claim, durable")):
        empty = percentile(found[0][part], 0.99)
        for (waiting, _), samples in zip(stores, found, strict=True):
            p50, p99 = percentile(samples[part], 0.5), percentile(samples[part], 0.99)
            target = Target("≤", _TIMES_THE_EMPTY, "ratio") if waiting else None
            figures += [
                Figure(part, f"{name}, {_waiting(waiting)}, p50", "µs", (p50,), x=waiting),
                Figure(part, f"{name}, {_waiting(waiting)}, p99", "µs", (p99,), (empty,), target, waiting),
            ]
    return figures


def _waiting(count: int) -> str:
    return f"{count:,} waiting"
