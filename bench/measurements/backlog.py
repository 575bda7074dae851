"""What many waiting jobs cost: the server's memory, how long a job takes that need not wait, and how long a claim takes
with those jobs in its own queue."""

import shutil
from pathlib import Path
from typing import Literal

from bench.claims import Samples
from bench.heart import QUEUE
from bench.inside import measured_inside
from bench.machine import resident_bytes
from bench.measurements.latency import lives
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import slotd
from bench.statistics import percentile
from slotd import v1

_TIMES_THE_EMPTY = 2


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
    found: list[Samples] = await measured_inside(
        "bench.claims", str(plan.pick(100, 20)), *(str(path) for _, path in stores)
    )
    figures = []
    for (waiting, _), samples in zip(stores, found, strict=True):
        figures += claim_figures(_waiting(waiting), samples, found[0] if waiting else None, waiting)
    return figures


def claim_figures(
    what: str, samples: Samples, empty: Samples | None, x: float | None = None, *, group: str = ""
) -> list[Figure]:
    """The p50 and p99 of finding the next job, and of ending one and starting the next; of the p99 also the ratio to
    that of an `empty` store. They are the groups "claim" and "change", or both of one."""
    figures = []
    parts: tuple[tuple[Literal["claim", "change"], str], ...] = (
        ("claim", "claim alone"),
        ("change", "finish and claim, durable"),
    )
    for part, name in parts:
        p50, p99 = percentile(samples[part], 0.5), percentile(samples[part], 0.99)
        beside = () if empty is None else (percentile(empty[part], 0.99),)
        target = None if empty is None else Target("≤", _TIMES_THE_EMPTY, "ratio")
        figures += [
            Figure(group or part, f"{name}, {what}, p50", "µs", (p50,), x=x),
            Figure(group or part, f"{name}, {what}, p99", "µs", (p99,), beside, target, x),
        ]
    return figures


def _waiting(count: int) -> str:
    return f"{count:,} waiting"
