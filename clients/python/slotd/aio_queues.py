"""The methods of QueueService, as `slotd.aio.Client` has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, TypeVar

from slotd import requests
from slotd.jobspec import Span
from slotd.requests import KEEP, Keep
from slotd.v1 import queue_service_pb2

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

    from slotd.v1.queue_service_pb2_grpc import QueueServiceAsyncStub

Q = TypeVar("Q")
A = TypeVar("A")


class QueueMethods(ABC):
    """What a client can do about queues, slots, counters and servers; `Client` is one."""

    async def get_queue(self, name: str, *, rpc_timeout: Span | None = None) -> queue_service_pb2.Queue:
        """Tells of a queue: its settings and counters."""
        request = queue_service_pb2.GetQueueRequest(name=name)
        return (await self._call(self._queues().GetQueue, request, rpc_timeout)).queue

    async def list_queues(self, *, rpc_timeout: Span | None = None) -> list[queue_service_pb2.Queue]:
        """All queues by name."""
        queues: list[queue_service_pb2.Queue] = []
        request = queue_service_pb2.ListQueuesRequest()
        while True:
            page = await self._call(self._queues().ListQueues, request, rpc_timeout)
            queues.extend(page.queues)
            if not page.next_page_token:
                return queues
            request = queue_service_pb2.ListQueuesRequest(page_token=page.next_page_token)

    async def update_queue(
        self,
        name: str,
        *,
        slots: int | Literal[Keep.KEEP] | None = KEEP,
        paused: bool | Literal[Keep.KEEP] | None = KEEP,
        max_queued: int | Literal[Keep.KEEP] | None = KEEP,
        defaults: queue_service_pb2.QueueDefaults | Literal[Keep.KEEP] | None = KEEP,
        slots_per_key: int | Literal[Keep.KEEP] | None = KEEP,
        rate_limit: queue_service_pb2.RateLimit | float | Literal[Keep.KEEP] | None = KEEP,
        retain_count: int | Literal[Keep.KEEP] | None = KEEP,
        rpc_timeout: Span | None = None,
    ) -> queue_service_pb2.Queue:
        """Changes what is given, and makes the queue if there is none; None puts a setting back to its default.

        Args:
            slots: how many of its jobs run at once at most; 0 for none.
            paused: start nothing.
            max_queued: how many of its jobs may wait at most.
            defaults: what its jobs get where neither they nor their handler say; see `slotd.queue_defaults`.
            slots_per_key: how many of its jobs with the same concurrency_key run at once at most.
            rate_limit: how many of its jobs start a second at most; a RateLimit to say how many at once after a pause.
            retain_count: how many of its SUCCEEDED and CANCELLED jobs are kept at most.
        """
        request = requests.update_queue(
            name,
            slots=slots,
            paused=paused,
            max_queued=max_queued,
            defaults=defaults,
            slots_per_key=slots_per_key,
            rate_limit=rate_limit,
            retain_count=retain_count,
        )
        return (await self._call(self._queues().UpdateQueue, request, rpc_timeout)).queue

    async def list_slots(self, *, rpc_timeout: Span | None = None) -> queue_service_pb2.ListSlotsResponse:
        """The ledger of slots, all at one revision."""
        return await self._call(self._queues().ListSlots, queue_service_pb2.ListSlotsRequest(), rpc_timeout)

    async def update_slots(self, slots: int, *, rpc_timeout: Span | None = None) -> int:
        """Resizes the service's pool, 0 pauses it; returns the size from now on."""
        request = queue_service_pb2.UpdateSlotsRequest(slots=slots)
        return (await self._call(self._queues().UpdateSlots, request, rpc_timeout)).slots

    async def get_stats(self, *, rpc_timeout: Span | None = None) -> queue_service_pb2.GetStatsResponse:
        """The counters, all at one revision."""
        return await self._call(self._queues().GetStats, queue_service_pb2.GetStatsRequest(), rpc_timeout)

    async def list_servers(self, *, rpc_timeout: Span | None = None) -> list[queue_service_pb2.Server]:
        """The servers that share the store, longest there first."""
        return list(
            (await self._call(self._queues().ListServers, queue_service_pb2.ListServersRequest(), rpc_timeout)).servers
        )

    @abstractmethod
    async def _call(
        self, method: UnaryUnaryMultiCallable[Q, A], request: Q, rpc_timeout: Span | None, default: float = 0.0
    ) -> A: ...

    @abstractmethod
    def _queues(self) -> QueueServiceAsyncStub: ...
