"""What is told of calls when they end, and of streams while they are open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from slotd import v1
from slotd.v1 import job_service_pb2
from slotd_server.domain.errors import NotFound
from slotd_server.rpc.counted import Counted
from slotd_server.rpc.stream import Streams
from tests.unit.rpc.core import NO_CONTEXT, Core

SERVICE = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
PATIENCE = 10


class Servicer:
    """Some methods of JobService."""

    def __init__(self) -> None:
        self.closed = False

    async def Get(self, request: v1.GetRequest, _: object) -> v1.GetResponse:
        if request.id == "missing":
            raise NotFound("job", request.id)
        if request.id == "slow":
            await asyncio.Event().wait()
        return v1.GetResponse()

    async def Stream(self, request: v1.StreamRequest, _: object) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            self.closed = True


class Calls:
    """The counted servicer and what was told."""

    def __init__(self) -> None:
        self.servicer = Servicer()
        self.told: list[tuple[str, str, str, bool]] = []
        self.counted = Counted(SERVICE, self.servicer, self._called)

    def _called(self, service: str, method: str, code: str, seconds: float | None) -> None:
        self.told.append((service, method, code, seconds is not None))

    async def get(self, job_id: str) -> v1.GetResponse:
        answer = await self.counted.Get(v1.GetRequest(id=job_id), NO_CONTEXT)  # type: ignore[attr-defined]
        assert isinstance(answer, v1.GetResponse)
        return answer

    def stream(self) -> AsyncIterator[bytes]:
        answers: AsyncIterator[bytes] = self.counted.Stream(  # type: ignore[attr-defined]
            v1.StreamRequest(), NO_CONTEXT
        )
        return answers


async def test_a_call_is_told_with_its_code_and_its_time() -> None:
    calls = Calls()
    await calls.get("there")
    with pytest.raises(NotFound):
        await calls.get("missing")
    assert calls.told == [("JobService", "Get", "OK", True), ("JobService", "Get", "NOT_FOUND", True)]


async def test_one_whose_caller_goes_away_was_cancelled() -> None:
    calls = Calls()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calls.get("slow"), 0)
    call = asyncio.create_task(calls.get("slow"))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call}, timeout=PATIENCE)
    assert calls.told[-1] == ("JobService", "Get", "CANCELLED", True)


async def test_streams_are_told_without_a_time_and_closed_with_their_reader() -> None:
    calls = Calls()
    assert [answer async for answer in calls.stream()] == [b"one", b"two"]
    async with aclosing(calls.stream()) as answers:  # type: ignore[type-var]
        await anext(answers)
        calls.servicer.closed = False
    assert calls.servicer.closed
    assert calls.told == [("JobService", "Stream", "OK", False), ("JobService", "Stream", "CANCELLED", False)]


def test_what_a_servicer_has_not_it_has_not_counted_either() -> None:
    assert not hasattr(Calls().counted, "Submit")


class TestStreams:
    @pytest.fixture
    def streams(self, core: Core) -> Streams:
        return Streams(core.reads, core.log, core.store.id, lambda: core.store.owner, heartbeat=15, limit=10)

    async def test_a_stream_lags_by_what_it_was_not_yet_told(self, core: Core, streams: Streams) -> None:
        async with aclosing(streams.Stream(v1.StreamRequest(), NO_CONTEXT)) as answers:  # type: ignore[type-var]
            assert (await anext(answers)) is not None
            assert (streams.open, streams.lag()) == (1, 0)
            for _ in range(3):
                await core.submit()
            assert streams.lag() == 3
            message = v1.StreamResponse.FromString(await anext(answers))
            assert len(message.events) == 3
            # It is told, and goes on to wait for more.
            waiting = asyncio.ensure_future(anext(answers))
            await asyncio.sleep(0)
            await core.submit(kind="other")
            await asyncio.wait_for(waiting, PATIENCE)
            assert streams.lag() == 1, "the reader has not asked for the next one, so it may still have this one"
        assert (streams.open, streams.lag()) == (0, 0)

    async def test_one_that_waits_for_its_own_jobs_does_not_lag(self, core: Core, streams: Streams) -> None:
        job = await core.submit()
        request = v1.StreamRequest(filter=v1.JobFilter(job_ids=[job.id]))
        async with aclosing(streams.Stream(request, NO_CONTEXT)) as answers:  # type: ignore[type-var]
            while not v1.StreamResponse.FromString(await anext(answers)).synced:
                pass
            waiting = asyncio.ensure_future(anext(answers))
            await asyncio.sleep(0)
            await core.submit()
            assert (streams.open, streams.lag()) == (1, 0)
            waiting.cancel()
            await asyncio.wait({waiting})

    async def test_the_slowest_counts(self, core: Core, streams: Streams) -> None:
        slow = streams.Stream(v1.StreamRequest(), NO_CONTEXT)
        await anext(slow)
        await core.submit()
        fast = streams.Stream(v1.StreamRequest(), NO_CONTEXT)
        await anext(fast)
        await core.submit()
        async with aclosing(slow), aclosing(fast):  # type: ignore[type-var]
            assert (streams.open, streams.lag()) == (2, 2)


async def test_submissions_are_told_with_the_jobs_that_came_of_them(core: Core) -> None:
    told: list[tuple[list[str], bool]] = []
    core.jobs._submitted = lambda jobs, seconds: told.append(([job.id for job in jobs], seconds > 0))
    one = await core.submit()
    spec = v1.JobSpec(kind="noop")
    await core.submit_request(v1.SubmitRequest(spec=spec, validate_only=True))
    batch = await core.submit_batch(v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec)] * 2))
    assert told == [([one.id], True), ([job.id for job in batch.jobs], True)]
