"""Submit by 1, 8 and 64 callers, in turn on slotd, the bare server and the least that is durable: calls a second, and
what a call costs slotd and the bare server in processor time, which tells them apart even where the caller is the
slower one."""

from typing import NamedTuple

from bench.calls import submit_rate
from bench.machine import cpu_seconds
from bench.plan import Plan
from bench.results import Figure, Target
from bench.servers import Server, bare, least, slotd
from slotd import v1

CALLERS = (1, 8, 64)
_LEAST = Target("≥", 0.7, "ratio")
_WARM_UP_SECONDS = 0.3


class Sample(NamedTuple):
    """Calls a second, and microseconds of the server's processor time for each."""

    rate: float
    cost: float


async def measure(plan: Plan) -> list[Figure]:
    """The jobs wait, as nothing but taking them is to be measured; `with 8 slots` they run meanwhile."""
    figures = []
    async with (
        slotd(plan.folder / "submit.db", 0) as ours,
        slotd(plan.folder / "submit-run.db", 8) as running,
        bare(plan.folder) as other,
        least(plan.folder / "least.db") as durable,
    ):
        for server in (ours, running, other, durable):
            await _sample(server, 8, _WARM_UP_SECONDS)
        for callers in CALLERS:
            mine, theirs, fewest = [], [], []
            for _ in range(plan.rounds):
                mine.append(await _sample(ours, callers, plan.seconds))
                theirs.append(await _sample(other, callers, plan.seconds))
                fewest.append(await _sample(durable, callers, plan.seconds))
            name = _callers(callers)
            figures += [
                _rates("submit", name, mine, theirs, _LEAST, callers),
                _rates("least", name, fewest, theirs),
                Figure(
                    "submit cost",
                    name,
                    "server µs/call",
                    tuple(sample.cost for sample in mine),
                    tuple(sample.cost for sample in theirs),
                    x=callers,
                ),
            ]
        mine, theirs = [], []
        for _ in range(plan.rounds):
            mine.append(await _sample(running, CALLERS[-1], plan.seconds))
            theirs.append(await _sample(other, CALLERS[-1], plan.seconds))
            # What they left to do is no part of the next round.
            await running.calls.completed((await running.calls.counters()).submitted)
    figures.append(_rates("submit", f"{_callers(CALLERS[-1])}, 8 slots run them meanwhile", mine, theirs))
    return figures


async def _sample(server: Server, callers: int, seconds: float) -> Sample:
    used = cpu_seconds(server.pid)
    rate = await submit_rate(server.calls, v1.JobSpec(kind="noop"), callers, seconds)
    return Sample(rate, (cpu_seconds(server.pid) - used) / (rate * seconds) * 1e6)


def _rates(
    group: str,
    name: str,
    ours: list[Sample],
    theirs: list[Sample],
    target: Target | None = None,
    callers: int | None = None,
) -> Figure:
    rates, others = (tuple(sample.rate for sample in samples) for samples in (ours, theirs))
    return Figure(group, name, "calls/s", rates, others, target, callers)


def _callers(count: int) -> str:
    return "1 caller" if count == 1 else f"{count} callers"
