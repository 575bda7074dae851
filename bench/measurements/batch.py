"""SubmitBatch by size, in turn on slotd and on the bare server: jobs a second, durable when the call is answered."""

from bench.calls import LARGEST_BATCH, batch_rate
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import bare, slotd
from slotd import v1

SIZES = (1, 10, 100, LARGEST_BATCH)
_LEAST = Target("≥", 20_000)
_WARM_UP_SECONDS = 0.3


async def measure(plan: Plan) -> list[Figure]:
    """One caller, its next batch when the last is answered; at the largest size four callers as well."""
    figures = []
    spec = v1.JobSpec(kind="noop")
    async with slotd(plan.folder / "batch.db", 0) as ours, bare(plan.folder) as other:
        for server in (ours, other):
            await batch_rate(server.calls, spec, 100, 1, _WARM_UP_SECONDS)
        for size, callers in [*((size, 1) for size in SIZES), (LARGEST_BATCH, 4)]:
            mine, theirs = [], []
            for _ in range(plan.rounds):
                mine.append(await batch_rate(ours.calls, spec, size, callers, plan.seconds))
                theirs.append(await batch_rate(other.calls, spec, size, callers, plan.seconds))
            figures.append(
                Figure(
                    "batch",
                    f"size {size:,}" + (f", {callers} callers" if callers > 1 else ""),
                    "jobs/s",
                    tuple(mine),
                    tuple(theirs),
                    _LEAST if size == LARGEST_BATCH else None,
                    size if callers == 1 else None,
                )
            )
    return figures
