"""Submit and Stream by the client of each language, in turn on slotd and on the bare server: the same code of the same
client makes the calls on both."""

from collections.abc import Awaitable, Callable

from bench.clients import Client, build, client
from bench.plan import Plan
from bench.results import Figure
from bench.servers import Server, bare, slotd
from slotd import v1
from tests.languages.languages import LANGUAGES, Language

# (How many at once, calls of a round in a full run, in a quick one.)
_SUBMITS = ((1, 200, 100), (32, 960, 640))
_WARM_UP_CALLS = 320


async def measure(plan: Plan) -> list[Figure]:
    """One language after the other; those that this machine can't build are left out."""
    languages = [language for language in LANGUAGES if await _is_built(language, plan)]
    events = plan.pick(20_000, 5_000)
    figures = []
    async with slotd(plan.folder / "languages.db", 0) as ours, bare(plan.folder) as other:
        cursor = await ours.calls.cursor()
        await ours.calls.submit(v1.JobSpec(kind="noop"), events)
        for language in languages:
            async with client(language, ours, plan.folder) as one:
                figures += await _figures(language.title, one, (ours, other), (cursor, str(events)), events, plan)
    return figures


async def _is_built(language: Language, plan: Plan) -> bool:
    lacking = await build(language)
    if lacking is not None:
        plan.left_out[f"languages, {language.title}"] = lacking
    return lacking is None


async def _figures(
    title: str, one: Client, servers: tuple[Server, Server], cursors: tuple[str, str], events: int, plan: Plan
) -> list[Figure]:
    """`servers` are slotd and the bare one; at each, `cursors` has where the events begin."""

    async def stream(place: int) -> float:
        return await one.stream(events, cursors[place])

    async def warm_up(place: int) -> float:
        await one.submit(_WARM_UP_CALLS, 32)
        return await stream(place)

    await _in_turn(one, servers, warm_up, 1)
    figures = []
    for callers, full, quick in _SUBMITS:
        calls = plan.pick(full, quick)

        async def submit(_place: int, calls: int = calls, callers: int = callers) -> float:
            return await one.submit(calls, callers)

        mine, theirs = await _in_turn(one, servers, submit, plan.rounds // 3)
        name = f"{title}, {callers} caller{'s' if callers > 1 else ''}"
        figures.append(Figure("languages, submit", name, "calls/s", mine, theirs, x=title if callers > 1 else None))
    mine, theirs = await _in_turn(one, servers, stream, plan.rounds // 3)
    return [*figures, Figure("languages, stream", f"{title}, catching up", "events/s", mine, theirs, x=title)]


async def _in_turn(
    one: Client, servers: tuple[Server, Server], sample: Callable[[int], Awaitable[float]], rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Samples of both servers; every second round the other way round."""
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for place in (0, 1) if number % 2 else (1, 0):
            await one.connect(servers[place])
            # What it takes to connect is no part of it.
            await one.submit(1, 1)
            samples[place].append(await sample(place))
    return tuple(samples[0]), tuple(samples[1])
