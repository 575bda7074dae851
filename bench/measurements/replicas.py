"""Jobs a second on 1, 2 and 3 servers that share one PostgreSQL, in turn with one server on SQLite and with a model of
queues that give each job statements of its own; what each job costs the database; and how long the servers wait for
each other."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.head import Contention, Watch, contention
from bench.inside import measured_inside
from bench.machine import cpu_seconds
from bench.plan import Plan
from bench.postgres import DISK, Costs, Meter, durable_cluster, per_job
from bench.results import Figure
from bench.row_by_row import WORKERS, Run, Way
from bench.servers import Server, replica, slotd
from slotd import v1
from tests.postgres import Cluster

SERVERS = (1, 2, 3)
WAYS: dict[Way, str] = {"along": "submission included", "ahead": "all there before"}

_SLOTS = WORKERS
_QUEUE = "default"
_SPEC = v1.JobSpec(kind="noop", queue=_QUEUE)
_BATCH = 500
_POLL_SECONDS = 0.02
_WARM_UP_JOBS = 500
_COSTS = {
    "statements": "per job",
    "time in statements": "µs",
    "transactions that write": "per job",
    "write-ahead log": "bytes",
    "PostgreSQL's processor time": "µs",
    "the servers' processor time": "µs",
}


@dataclass(slots=True)
class Rounds:
    """What was measured with one number of servers, in turn: on those, on SQLite, and with the model, by way. `head` is
    of the rounds in which all jobs were there before."""

    shared: dict[Way, list[Run]] = field(default_factory=lambda: {way: [] for way in WAYS})
    sqlite: dict[Way, list[Run]] = field(default_factory=lambda: {way: [] for way in WAYS})
    model: dict[Way, list[Run]] = field(default_factory=lambda: {way: [] for way in WAYS})
    head: list[Contention] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Service:
    """Servers that share a store. `ended` tells how many jobs have ended there since it was made."""

    servers: Sequence[Server]
    ended: Callable[[], Awaitable[int]]

    async def rate(self, way: Way, jobs: int) -> float:
        """Jobs a second: so many have ended when it returns. Each server is given its share of them, in batches of 500,
        before the time begins, or from then on."""
        first = self.servers[0].calls
        if way == "ahead":
            await first.pause(_QUEUE)
            await self._submit(jobs)
        before = await self.ended()
        began = time.perf_counter()
        if way == "ahead":
            await first.resume(_QUEUE)
        else:
            await self._submit(jobs)
        while await self.ended() < before + jobs:  # noqa: ASYNC110 - nothing tells it without costing the servers
            await asyncio.sleep(_POLL_SECONDS)
        return jobs / (time.perf_counter() - began)

    async def _submit(self, jobs: int) -> None:
        count = len(self.servers)
        await asyncio.gather(
            *(
                server.calls.submit(_SPEC, jobs // count + (number < jobs % count), _BATCH)
                for number, server in enumerate(self.servers)
            )
        )

    def processor_time(self) -> Costs:
        return {"the servers' processor time": sum(cpu_seconds(server.pid) for server in self.servers) * 1e6}


async def measure(plan: Plan) -> list[Figure]:
    """Each number of servers on a database of its own. Raises LeftOut."""
    figures = []
    # Both on the same disk.
    with durable_cluster() as cluster, tempfile.TemporaryDirectory(dir=DISK) as folder:
        ((plan.machine["postgresql"],),) = cluster.execute(
            "SELECT split_part(current_setting('server_version'), ' ', 1)"
        )
        for count in SERVERS:
            figures += figures_of(count, await _in_turn(plan, cluster, Path(folder) / f"beside-{count}.db", count))
    return figures


async def _in_turn(plan: Plan, cluster: Cluster, sqlite: Path, count: int) -> Rounds:
    url, model_url = cluster.url(cluster.create()), cluster.url(cluster.create())
    jobs, model_jobs = plan.pick(6_000, 1_000), plan.pick(3_000, 600)
    rounds = Rounds()
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(replica(url, plan.folder, _SLOTS)) for _ in range(count)]
        beside = await stack.enter_async_context(slotd(sqlite, _SLOTS))
        watch = await stack.enter_async_context(Watch(url))
        meter = stack.enter_context(closing(Meter(url)))
        shared, alone = Service(servers, watch.ended), Service([beside], lambda: _completed(beside))
        for service in (shared, alone):
            await service.rate("along", _WARM_UP_JOBS)
        for _ in range(plan.pick(3, 1)):
            for way in WAYS:
                # So that none begins with what another has left to write.
                cluster.execute("CHECKPOINT")
                watch.looks.clear()
                before = meter.read() | shared.processor_time()
                rate = await shared.rate(way, jobs)
                after = meter.read() | shared.processor_time()
                rounds.shared[way].append(Run(rate=rate, costs=per_job(before, after, jobs)))
                if way == "ahead":
                    rounds.head.append(contention(watch.looks))
                rounds.sqlite[way].append(Run(rate=await alone.rate(way, jobs), costs={}))
                arguments = (model_url, str(count), str(model_jobs), way)
                rounds.model[way].append(await measured_inside("bench.row_by_row", *arguments))
    return rounds


async def _completed(server: Server) -> int:
    return (await server.calls.counters()).completed


def figures_of(count: int, rounds: Rounds) -> list[Figure]:
    """All figures of so many servers."""
    servers = "1 server" if count == 1 else f"{count} servers"
    return [
        *(_rates("replicas", f"{servers}, {WAYS[way]}", way, rounds.shared, rounds.sqlite, count) for way in WAYS),
        *(_rates("row by row", f"{servers}, {WAYS[way]}", way, rounds.shared, rounds.model, count) for way in WAYS),
        *_head(servers, rounds.head, count),
        *_costs(servers, rounds.shared["along"], rounds.model["along"], count),
    ]


def _rates(
    group: str, name: str, way: Way, ours: dict[Way, list[Run]], others: dict[Way, list[Run]], count: int
) -> Figure:
    mine, theirs = (tuple(run["rate"] for run in side[way]) for side in (ours, others))
    return Figure(group, name, "jobs/s", mine, theirs, x=count if way == "ahead" else None)


def _head(servers: str, found: Sequence[Contention], count: int) -> list[Figure]:
    return [
        Figure("head", f"{servers}, changes", "per s", tuple(one.changes_per_second for one in found)),
        Figure("head", f"{servers}, jobs that end in a change", "jobs", tuple(one.jobs_per_change for one in found)),
        Figure("head", f"{servers}, waiting for the lock", "ms/change", tuple(one.waited for one in found), x=count),
        Figure("head", f"{servers}, holding the lock", "ms/change", tuple(one.held for one in found)),
        Figure("head", f"{servers}, the lock is taken", "% of the time", tuple(one.busy * 100 for one in found)),
    ]


def _costs(servers: str, ours: Sequence[Run], others: Sequence[Run], count: int) -> list[Figure]:
    """Without those that the cluster does not count."""
    figures = []
    for name, unit in _COSTS.items():
        # Of several that wait for each other the time would be that of waiting.
        if name in ours[0]["costs"] and (name != "time in statements" or count == 1):
            mine, theirs = (tuple(run["costs"][name] for run in side) for side in (ours, others))
            x = count if name.startswith("PostgreSQL") else None
            figures.append(Figure("database", f"{servers}, {name}", unit, mine, theirs, x=x))
    return figures
