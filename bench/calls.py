"""The load generator's side of the wire: the raw stubs on one channel, and the calls that the measurements share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask

from slotd import v1

if TYPE_CHECKING:
    from slotd.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from slotd.v1.queue_service_pb2_grpc import QueueServiceAsyncStub

Call: TypeAlias = Callable[[], Awaitable[Any]]

LARGEST_BATCH = 1_000
_POLL_SECONDS = 0.01
_OPTIONS = (("grpc.max_receive_message_length", 64 << 20), ("grpc.use_local_subchannel_pool", 1))


class Calls:
    """The calls of one client, over one connection."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self.jobs = cast("JobServiceAsyncStub", v1.JobServiceStub(self.channel))
        self.queues = cast("QueueServiceAsyncStub", v1.QueueServiceStub(self.channel))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.channel.close()

    async def submit(self, spec: v1.JobSpec, count: int, size: int = LARGEST_BATCH) -> None:
        """Submit `count` such jobs, one batch of up to `size` after the other."""
        while count > 0:
            step = min(size, count)
            await self.jobs.SubmitBatch(batch_of(spec, step))
            count -= step

    async def counters(self) -> v1.Counters:
        """The counters over all queues."""
        return (await self.queues.GetStats(v1.GetStatsRequest())).counters

    async def pause(self, queue: str) -> None:
        """Let nothing of `queue` start."""
        await self.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(name=queue, paused=True)))

    async def resume(self, queue: str) -> None:
        """Let jobs of `queue` start again."""
        mask = FieldMask(paths=["paused"])
        await self.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(name=queue), update_mask=mask))

    async def completed(self, count: int) -> None:
        """Until `count` jobs have ended since the store was made. It asks each 10 ms, which costs the server little."""
        while (await self.counters()).completed < count:  # noqa: ASYNC110 - a stream would be work for the server
            await asyncio.sleep(_POLL_SECONDS)

    async def cursor(self) -> str:
        """Where a stream begins that tells of what happens from now on."""
        return (await self.jobs.List(v1.ListRequest(page_size=1))).cursor


def batch_of(spec: v1.JobSpec, size: int) -> v1.SubmitBatchRequest:
    """A batch of `size` jobs, all alike."""
    return v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec)] * size)


async def submit_rate(calls: Calls, spec: v1.JobSpec, callers: int, seconds: float) -> float:
    """Calls of Submit a second by so many callers at once, each with its next call as soon as the last is answered."""
    request = v1.SubmitRequest(spec=spec)
    return await _rate(lambda: calls.jobs.Submit(request), callers, seconds)


async def batch_rate(calls: Calls, spec: v1.JobSpec, size: int, callers: int, seconds: float) -> float:
    """Jobs a second by SubmitBatch, of `size` jobs each. Each message is built anew, as by a client."""
    return size * await _rate(lambda: calls.jobs.SubmitBatch(batch_of(spec, size)), callers, seconds)


async def _rate(call: Call, callers: int, seconds: float) -> float:
    began = time.perf_counter()
    until = began + seconds

    async def one() -> int:
        count = 0
        while time.perf_counter() < until:
            await call()
            count += 1
        return count

    counts = await asyncio.gather(*(one() for _ in range(callers)))
    return sum(counts) / (time.perf_counter() - began)
