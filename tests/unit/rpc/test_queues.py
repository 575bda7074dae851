"""QueueService's methods on the real core, without the wire."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import InvalidArgument, NotFound
from slotd_server.domain.server import Member, Status
from slotd_server.rpc import cursors
from tests.unit.rpc.core import NO_CONTEXT, Core


async def update(core: Core, *paths: str, **fields: Any) -> v1.Queue:
    request = v1.UpdateQueueRequest(queue=v1.Queue(name="mail", **fields), update_mask=FieldMask(paths=paths))
    return (await core.queues.UpdateQueue(request, NO_CONTEXT)).queue


async def get(core: Core, name: str = "mail") -> v1.Queue:
    return (await core.queues.GetQueue(v1.GetQueueRequest(name=name), NO_CONTEXT)).queue


async def names(core: Core, page_size: int = 0) -> list[list[str]]:
    """By page."""
    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        answer = await core.queues.ListQueues(v1.ListQueuesRequest(page_size=page_size, page_token=token), NO_CONTEXT)
        pages.append([queue.name for queue in answer.queues])
        token = answer.next_page_token
    return pages


async def test_a_queue_is_there_once_it_is_named(core: Core) -> None:
    with pytest.raises(NotFound):
        await get(core)
    await core.submit(queue="mail")
    queue = await get(core)
    assert not queue.HasField("slots")
    assert not queue.HasField("max_queued")
    assert not queue.HasField("defaults")
    assert (queue.counters.submitted, queue.counters.queued) == (1, 1)
    await core.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(name="empty")), NO_CONTEXT)
    assert (await get(core, "empty")).counters == v1.Counters()


async def test_update_changes_what_is_set(core: Core) -> None:
    await core.submit(queue="mail")
    defaults = v1.QueueDefaults(priority=0, timeout=Duration(seconds=5), retry=v1.RetryPolicy(max_attempts=7))
    queue = await update(core, slots=0, defaults=defaults)
    assert queue.HasField("slots")
    assert queue.slots == 0
    assert queue.defaults == defaults
    assert queue.counters.queued == 1
    assert queue == await get(core)
    queue = await update(core, max_queued=9)
    assert (queue.slots, queue.max_queued, queue.defaults) == (0, 9, defaults)
    assert (await core.submit(queue="mail")).spec.retry.max_attempts == 7


async def test_update_by_mask_changes_what_it_names(core: Core) -> None:
    await update(core, slots=3, paused=True, max_queued=9, defaults=v1.QueueDefaults(priority=1))
    queue = await update(core, "slots", "paused", slots=4, max_queued=1)
    assert (queue.slots, queue.paused, queue.max_queued) == (4, False, 9)
    queue = await update(core, "slots", "defaults")
    assert not queue.HasField("slots")
    assert not queue.HasField("defaults")
    assert queue.max_queued == 9
    queue = await update(core, "*", paused=True)
    assert queue.paused
    assert not queue.HasField("max_queued")


async def test_every_setting_of_a_queue_can_be_changed_and_taken_back(core: Core) -> None:
    rate = v1.RateLimit(starts_per_second=0.5, burst=3)
    queue = await update(core, slots_per_key=2, rate_limit=rate, retain_count=0)
    assert (queue.slots_per_key, queue.rate_limit, queue.retain_count) == (2, rate, 0)
    assert queue.HasField("retain_count")
    assert queue == await get(core)
    queue = await update(core, "rate_limit", "slots_per_key", rate_limit=v1.RateLimit(starts_per_second=7))
    assert not queue.HasField("slots_per_key")
    assert queue.rate_limit == v1.RateLimit(starts_per_second=7, burst=1)
    assert queue.HasField("retain_count")
    queue = await update(core, "*")
    assert [field.name for field, _ in queue.ListFields()] == ["name", "paused", "counters"]


async def test_queues_are_listed_by_name_in_pages(core: Core) -> None:
    assert await names(core) == [[]]
    for name in ("c", "a", "b"):
        await core.submit(queue=name)
    await update(core, paused=True)
    assert await names(core) == [["a", "b", "c", "mail"]]
    assert await names(core, 3) == [["a", "b", "c"], ["mail"]]
    assert await names(core, 2) == [["a", "b"], ["c", "mail"]]


@pytest.mark.parametrize(
    "token", ["x", cursors.encode_page("", cursors.question("ListQueues"), cursors.Page(1, b"\xff"))]
)
async def test_a_page_token_that_is_none_is_refused(core: Core, token: str) -> None:
    with pytest.raises(InvalidArgument):
        await core.queues.ListQueues(v1.ListQueuesRequest(page_token=token), NO_CONTEXT)


async def test_the_ledger_and_its_size(core: Core) -> None:
    answer = await core.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=2), NO_CONTEXT)
    assert answer.slots == 2
    job = await core.submit(queue="mail")
    slots = await core.queues.ListSlots(v1.ListSlotsRequest(), NO_CONTEXT)
    assert (slots.slots, slots.limit, slots.free, slots.running, slots.zombie) == (2, 2, 1, 1, 0)
    assert [holder.job_id for holder in slots.holders] == [job.id]
    assert [part.queue for part in slots.queues] == ["mail"]
    with pytest.raises(InvalidArgument):
        await core.queues.UpdateSlots(v1.UpdateSlotsRequest(), NO_CONTEXT)


async def test_stats_add_up(core: Core) -> None:
    await core.run(queue="mail")
    await core.submit("other", queue="mail")
    await core.submit("other")
    stats = await core.queues.GetStats(v1.GetStatsRequest(), NO_CONTEXT)
    assert stats.revision == core.log.revision
    assert (stats.counters.submitted, stats.counters.completed, stats.counters.queued) == (3, 1, 2)
    assert {name: counters.submitted for name, counters in stats.queues.items()} == {"mail": 2, "default": 1}
    assert {name: counters.submitted for name, counters in stats.kinds.items()} == {"noop": 1, "other": 2}


async def test_a_server_that_has_its_store_alone_lists_itself(core: Core) -> None:
    (server,) = (await core.queues.ListServers(v1.ListServersRequest(), NO_CONTEXT)).servers
    assert server == v1.Server(
        id=core.store.owner,
        name="core",
        address="127.0.0.1:1",
        version="1.2.3",
        start_time=Timestamp(seconds=5),
        slots=4,
        running=3,
        zombie=2,
        kinds=["noop", "other"],
        local=True,
    )


async def test_servers_are_listed_longest_there_first(monkeypatch: pytest.MonkeyPatch, core: Core) -> None:
    status = Status("", "", "", 0, 0, 0, False, {})
    members = [Member(name, start, 1, 0, 1, status) for name, start in (("c", 2), ("b", 2), ("a", 3))]

    async def answer(_: ask.Command) -> list[Member]:
        return members

    monkeypatch.setattr(core.queues, "_call", answer)
    servers = (await core.queues.ListServers(v1.ListServersRequest(), NO_CONTEXT)).servers
    assert [server.id for server in servers] == ["b", "c", "a"]
    assert not any(server.local for server in servers)
