"""This checkout against another one, in turn: Submit, SubmitBatch and whole lives of jobs that have no ties."""

from collections.abc import Awaitable, Callable

from bench.calls import LARGEST_BATCH, batch_rate, submit_rate
from bench.measurements.end_to_end import rate as end_to_end_rate
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import Server, slotd
from slotd import v1

CALLERS = (1, 8, 64)
SIZES = (1, 100, LARGEST_BATCH)
SLOTS = (1, 8, 64)
_LEAST = Target("≥", 0.95, "ratio")
_WARM_UP_JOBS = 500
_SPEC = v1.JobSpec(kind="noop")


async def measure(plan: Plan) -> list[Figure]:
    """Both run their own server on their own store, and get the same messages, made of this checkout's stubs."""
    figures = []
    async with slotd(plan.folder / "ours.db", 0) as ours, slotd(plan.folder / "theirs.db", 0, plan.against) as theirs:
        for server in (ours, theirs):
            await server.calls.submit(_SPEC, _WARM_UP_JOBS)
        for callers in CALLERS:

            async def submit(server: Server, callers: int = callers) -> float:
                return await submit_rate(server.calls, _SPEC, callers, plan.seconds)

            name = f"Submit, {callers} caller{'s' if callers > 1 else ''}"
            figures.append(await _in_turn(name, "calls/s", submit, ours, theirs, plan.rounds, callers))
        for size in SIZES:

            async def batch(server: Server, size: int = size) -> float:
                return await batch_rate(server.calls, _SPEC, size, 1, plan.seconds)

            figures.append(await _in_turn(f"SubmitBatch, size {size:,}", "jobs/s", batch, ours, theirs, plan.rounds))
    for slots in SLOTS:
        figures.append(await _end_to_end(plan, slots))
    return figures


async def _end_to_end(plan: Plan, slots: int) -> Figure:
    jobs = plan.pick(2_000, 500) if slots == 1 else plan.pick(6_000, 1_500)
    stores = (plan.folder / f"ours-{slots}.db", plan.folder / f"theirs-{slots}.db")

    async def live(server: Server) -> float:
        return await end_to_end_rate(server.calls, jobs)

    async with slotd(stores[0], slots) as ours, slotd(stores[1], slots, plan.against) as theirs:
        for server in (ours, theirs):
            await end_to_end_rate(server.calls, _WARM_UP_JOBS)
        name = f"end to end, {slots} slot{'s' if slots > 1 else ''}"
        return await _in_turn(name, "jobs/s", live, ours, theirs, plan.pick(5, 1))


async def _in_turn(
    name: str,
    unit: str,
    sample: Callable[[Server], Awaitable[float]],
    ours: Server,
    theirs: Server,
    rounds: int,
    x: float | None = None,
) -> Figure:
    """One and the other, round by round; every second time the other way round."""
    mine: list[float] = []
    others: list[float] = []
    for number in range(rounds):
        order = ((ours, mine), (theirs, others))
        for server, samples in order if number % 2 else reversed(order):
            samples.append(await sample(server))
    return Figure("against", name, unit, tuple(mine), tuple(others), _LEAST, x)
