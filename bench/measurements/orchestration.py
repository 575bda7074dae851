"""What ties between jobs cost: claims while many jobs are BLOCKED or belong to one tenant, letting go of a resource
that many wait for, and taking a whole DAG in one call."""

import time

from bench.calls import LARGEST_BATCH, Calls, batch_of
from bench.claims import Samples
from bench.inside import measured_inside
from bench.measurements.backlog import claim_figures
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import slotd
from bench.statistics import percentile
from bench.ties import SLOTS_PER_KEY, TiesSamples
from slotd import v1

_TIMES_THE_SMALL = 2
_MOST_ON_TOP = 100


async def measure(plan: Plan) -> list[Figure]:
    """All but the DAG without a wire, in a process of its own."""
    blocked, keyed, waiting = plan.pick(100_000, 10_000), plan.pick(10_000, 1_000), plan.pick(10_000, 1_000)
    sizes = [str(size) for size in (plan.pick(100, 20), blocked, keyed, waiting)]
    found: TiesSamples = await measured_inside("bench.ties", str(plan.folder), *sizes)
    return [
        *_claims("blocked", "{:,} BLOCKED", found["blocked"], blocked, x=blocked),
        *_claims("keyed", "{:,} others of the tenant", found["keyed"], keyed, x=keyed),
        *_claims("keyed", f"{{:,}} others, {SLOTS_PER_KEY} at once", found["limited"], keyed),
        *_releases(found, waiting),
        *await _dag(plan),
    ]


def _claims(group: str, name: str, samples: list[Samples], many: int, x: float | None = None) -> list[Figure]:
    none, full = samples
    return [
        *claim_figures(name.format(0), none, None, None if x is None else 0, group=group),
        *claim_figures(name.format(many), full, none, x, group=group),
    ]


def _releases(found: TiesSamples, waiting: int) -> list[Figure]:
    none, one, many = ([percentile(samples, share) for share in (0.5, 0.99)] for samples in found["release"])
    target = Target("≤", _TIMES_THE_SMALL, "ratio")
    figures = []
    for place, name in enumerate(("p50", "p99")):
        figures += [
            Figure("release", f"nobody waits, {name}", "µs", (none[place],), x=0),
            Figure("release", f"1 waits and goes on, {name}", "µs", (one[place],), x=1),
            Figure(
                "release",
                f"{waiting:,} wait, 1 goes on, {name}",
                "µs",
                (many[place],),
                (one[place],),
                target if name == "p50" else None,
                waiting,
            ),
        ]
    whole = tuple(sum(changes) / 1e3 for changes in found["shared"])
    return [
        *figures,
        Figure("release all", f"until all {waiting:,} may run", "ms", whole),
        Figure("release all", "each of them", "µs", tuple(one * 1e3 / waiting for one in whole)),
        Figure("release all", "the longest change", "ms", tuple(max(changes) / 1e3 for changes in found["shared"])),
    ]


async def _dag(plan: Plan) -> list[Figure]:
    """A batch of jobs of which each depends on two before it, in turn with a batch of as many that depend on none."""
    with_ties, without = [], []
    async with slotd(plan.folder / "dag.db", 0) as server:
        for _ in range(plan.rounds + 1):
            with_ties.append(await _milliseconds(server.calls, dag_of(LARGEST_BATCH)))
            without.append(await _milliseconds(server.calls, batch_of(v1.JobSpec(kind="noop"), LARGEST_BATCH)))
    # The first round warms both up.
    del with_ties[0], without[0]
    on_top = tuple(tied - plain for tied, plain in zip(with_ties, without, strict=True))
    return [
        Figure("dag", "batch without ties", "ms", tuple(without), x=0),
        Figure("dag", "each depends on 2 before it", "ms", tuple(with_ties), tuple(without), x=2),
        Figure("dag", "on top of the batch", "ms", on_top, target=Target("≤", _MOST_ON_TOP)),
    ]


def dag_of(size: int) -> v1.SubmitBatchRequest:
    """A batch of jobs of which each depends on the two before it."""
    requests = [
        v1.SubmitRequest(
            ref=f"node-{number}",
            spec=v1.JobSpec(
                kind="noop",
                depends_on=[v1.Dependency(ref=f"node-{before}") for before in range(max(number - 2, 0), number)],
            ),
        )
        for number in range(size)
    ]
    return v1.SubmitBatchRequest(requests=requests)


async def _milliseconds(calls: Calls, request: v1.SubmitBatchRequest) -> float:
    began = time.perf_counter()
    await calls.jobs.SubmitBatch(request)
    return (time.perf_counter() - began) * 1e3
