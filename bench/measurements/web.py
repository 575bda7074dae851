"""Submit over HTTP, in JSON and in binary, in turn with the same over gRPC on the same server: calls a second, and what
each costs the server in processor time."""

import time
from asyncio import gather
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.util import find_spec
from typing import NamedTuple, TypeAlias

from bench.calls import submit_rate
from bench.machine import cpu_seconds
from bench.plan import LeftOut, Plan
from bench.posts import Posts
from bench.results import Figure
from bench.servers import Server, slotd
from slotd import v1

CALLERS = (1, 8)
_SUBMIT = "/slotd.v1.JobService/Submit"
_SPEC = v1.JobSpec(kind="noop")
_WAYS = {
    "JSON": ("application/json", b'{"spec": {"kind": "noop"}}'),
    "binary": ("application/proto", v1.SubmitRequest(spec=_SPEC).SerializeToString()),
}
_WARM_UP_SECONDS = 0.3

Rate: TypeAlias = Callable[[int, float], Awaitable[float]]


class Sample(NamedTuple):
    """Calls a second, and microseconds of the server's processor time for each."""

    rate: float
    cost: float


async def measure(plan: Plan) -> list[Figure]:
    """The jobs wait, as nothing but taking them is to be measured. Raises LeftOut without `slotd[web]`."""
    if find_spec("connectrpc") is None:
        raise LeftOut("HTTP needs slotd[web]")
    figures = []
    async with slotd(plan.folder / "web.db", 0, flags=("--http", "127.0.0.1:0")) as server:

        async def over_grpc(callers: int, seconds: float) -> float:
            return await submit_rate(server.calls, _SPEC, callers, seconds)

        for way in _WAYS:
            over_http = _over_http(server, way)
            for rate in (over_http, over_grpc):
                await _sample(server, rate, CALLERS[-1], _WARM_UP_SECONDS)
            for callers in CALLERS:
                mine, theirs = [], []
                for _ in range(plan.rounds):
                    mine.append(await _sample(server, over_http, callers, plan.seconds))
                    theirs.append(await _sample(server, over_grpc, callers, plan.seconds))
                figures += _figures(f"{way}, {'1 caller' if callers == 1 else f'{callers} callers'}", mine, theirs)
    return figures


def _figures(name: str, mine: list[Sample], theirs: list[Sample]) -> list[Figure]:
    rates = tuple(one.rate for one in mine), tuple(one.rate for one in theirs)
    costs = tuple(one.cost for one in mine), tuple(one.cost for one in theirs)
    return [Figure("web", name, "calls/s", *rates), Figure("web cost", name, "server µs/call", *costs)]


def _over_http(server: Server, way: str) -> Rate:
    content_type, body = _WAYS[way]

    async def rate(callers: int, seconds: float) -> float:
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(Posts(server.url)) for _ in range(callers)]
            began = time.perf_counter()
            until = began + seconds

            async def one(posts: Posts) -> int:
                count = 0
                while time.perf_counter() < until:
                    await posts.post(_SUBMIT, content_type, body)
                    count += 1
                return count

            counts = await gather(*(one(posts) for posts in connections))
            return sum(counts) / (time.perf_counter() - began)

    return rate


async def _sample(server: Server, rate: Rate, callers: int, seconds: float) -> Sample:
    used = cpu_seconds(server.pid)
    found = await rate(callers, seconds)
    return Sample(found, (cpu_seconds(server.pid) - used) / (found * seconds) * 1e6)
