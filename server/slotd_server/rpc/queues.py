"""QueueService: queues, slots, counters and servers."""

from slotd import v1
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import NotFound
from slotd_server.domain.queue import ZERO, Counters, Queue
from slotd_server.domain.server import Member
from slotd_server.requests import Stats
from slotd_server.rpc import convert, cursors, validate
from slotd_server.rpc.calls import Call

_PAGE_QUEUES = 1000
"""By default and at most."""


class Queues:
    """The servicer. Its answers come from the writer, who alone knows slots, queues and counters at one revision.
    `owner` is this server's boot id."""

    def __init__(self, dispatcher: Dispatcher, owner: str) -> None:
        self._call = dispatcher.call
        self._owner = owner

    async def GetQueue(self, request: v1.GetQueueRequest, _: Call) -> v1.GetQueueResponse:
        validate.check(request)
        stats = await self._stats()
        counters = _by_queue(stats).get(request.name)
        if counters is None and request.name not in stats.queues:
            raise NotFound("queue", request.name)
        queue = stats.queues.get(request.name, Queue(request.name))
        return v1.GetQueueResponse(queue=convert.queue_message(queue, counters or ZERO))

    async def ListQueues(self, request: v1.ListQueuesRequest, _: Call) -> v1.ListQueuesResponse:
        validate.check(request)
        asked = cursors.question("ListQueues")
        last = cursors.decode_name(request.page_token, asked) if request.page_token else ""
        stats = await self._stats()
        counters = _by_queue(stats)
        names = sorted(name for name in counters.keys() | stats.queues.keys() if name > last)
        page = names[: min(request.page_size or _PAGE_QUEUES, _PAGE_QUEUES)]
        token = cursors.encode_name(asked, page[-1]) if len(page) < len(names) else ""
        queues = [convert.queue_message(stats.queues.get(name, Queue(name)), counters.get(name, ZERO)) for name in page]
        return v1.ListQueuesResponse(queues=queues, next_page_token=token)

    async def UpdateQueue(self, request: v1.UpdateQueueRequest, _: Call) -> v1.UpdateQueueResponse:
        validate.check(request)
        queue: Queue = await self._call(ask.UpdateQueue(convert.queue_from(request.queue), _fields(request)))
        counters = _by_queue(await self._stats()).get(queue.name, ZERO)
        return v1.UpdateQueueResponse(queue=convert.queue_message(queue, counters))

    async def ListSlots(self, request: v1.ListSlotsRequest, _: Call) -> v1.ListSlotsResponse:
        validate.check(request)
        return convert.slots_message(await self._call(ask.ListSlots()))

    async def UpdateSlots(self, request: v1.UpdateSlotsRequest, _: Call) -> v1.UpdateSlotsResponse:
        validate.check(request)
        return v1.UpdateSlotsResponse(slots=await self._call(ask.UpdateSlots(request.slots)))

    async def GetStats(self, request: v1.GetStatsRequest, _: Call) -> v1.GetStatsResponse:
        validate.check(request)
        stats = await self._stats()
        total = ZERO
        for counters in stats.counters.values():
            total = total.plus(counters)
        kinds = convert.sums((kind, counters) for (_, kind), counters in stats.counters.items())
        return v1.GetStatsResponse(
            revision=stats.revision,
            counters=convert.counters_message(total),
            queues={name: convert.counters_message(counters) for name, counters in _by_queue(stats).items()},
            kinds={name: convert.counters_message(counters) for name, counters in kinds.items()},
        )

    async def ListServers(self, request: v1.ListServersRequest, _: Call) -> v1.ListServersResponse:
        validate.check(request)
        members: list[Member] = await self._call(ask.ListServers())
        members = sorted(members, key=lambda member: (member.start_time, member.id))
        return v1.ListServersResponse(servers=[convert.server_message(one, self._owner) for one in members])

    async def _stats(self) -> Stats:
        stats: Stats = await self._call(ask.ListQueues())
        return stats


def _fields(request: v1.UpdateQueueRequest) -> frozenset[str]:
    """The settings to change, by their names in `Queue`."""
    named = validate.named(request.update_mask, request.queue, validate.SETTINGS)
    return frozenset("rate" if name == "rate_limit" else name for name in named)


def _by_queue(stats: Stats) -> dict[str, Counters]:
    return convert.sums((queue, counters) for (queue, _), counters in stats.counters.items())
