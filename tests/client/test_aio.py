"""The aio client against a real grpc.aio server that plays scripts."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

import slotd
from slotd import aio
from slotd.client import Client
from slotd.v1 import job_pb2, job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2
from tests.client.scripted import (
    CURSOR_EXPIRED,
    STEADY,
    STOPPED,
    Refusal,
    draining,
    event,
    handlers,
    job,
    message,
    pairs,
    refusal,
    snapshot,
)

A = job("a")
DONE = job("a", state=job_pb2.JOB_STATE_SUCCEEDED)
# A step of a streaming script: a message to send, an error to end with, or an event to wait for.
Step = Any


class Service:
    """Answers unary calls from `answers`, by method, and streaming ones from `scripts`, one script for each call."""

    def __init__(self, answers: dict[str, list[Any]] | None = None, scripts: list[list[Step]] | None = None) -> None:
        self.answers = answers or {}
        self.scripts = scripts or []
        self.requests: list[Any] = []
        self.cancelled = asyncio.Event()

    async def unary(self, method: str, request: Any, context: Any) -> Any:
        """One unary call."""
        self.requests.append(request)
        step = self.answers[method].pop(0)
        if isinstance(step, Refusal):
            await context.abort(step.code, step.message, step.trailing)
        if isinstance(step, asyncio.Event):
            await step.wait()
        return step

    async def streaming(self, method: str, request: Any, context: Any) -> AsyncIterator[Any]:
        """One streaming call."""
        self.requests.append(request)
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Refusal):
                    await context.abort(step.code, step.message, step.trailing)
                elif isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@asynccontextmanager
async def serving(service: Service, **arguments: Any) -> AsyncIterator[aio.Client]:
    """A server, and a client of it that never pauses."""
    server = grpc.aio.server(handlers=handlers(service.unary, service.streaming))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with aio.Client(f"127.0.0.1:{port}", reconnect=STEADY, **{"sleep": at_once, **arguments}) as client:
            yield client
    finally:
        await server.stop(None)


async def at_once(seconds: float) -> None:
    """A sleep that takes no time."""


def test_both_clients_have_the_same_surface() -> None:
    def surface(client: type) -> dict[str, list[Any]]:
        found = {}
        for name, member in inspect.getmembers(client, callable):
            if not name.startswith("_"):
                parameters = inspect.signature(member).parameters.values()
                found[name] = [(one.name, one.kind, one.default, one.annotation) for one in parameters]
        return found

    assert surface(Client) == surface(aio.Client)
    for sync, other in ((slotd.EventStream, aio.EventStream), (slotd.OutputStream, aio.OutputStream)):
        names = {name for name in dir(sync) if not name.startswith("_")}
        assert names == {name for name in dir(other) if not name.startswith("_")}


async def test_unary_methods() -> None:
    queue = queue_service_pb2.Queue(name="q")
    server = queue_service_pb2.Server(id="a")
    worker = worker_service_pb2.Worker(id="w")
    service = Service(
        {
            "Submit": [job_service_pb2.SubmitResponse(job=A, cursor="c")] * 2,
            "SubmitBatch": [job_service_pb2.SubmitBatchResponse(jobs=[A], cursor="c")] * 2,
            "Get": [job_service_pb2.GetResponse(job=A)],
            "List": [job_service_pb2.ListResponse(jobs=[A])],
            "Wait": [job_service_pb2.WaitResponse(job=DONE)],
            "Cancel": [job_service_pb2.CancelResponse(job=A)],
            "Retry": [job_service_pb2.RetryResponse(job=A)],
            "Delete": [job_service_pb2.DeleteResponse()],
            "Purge": [job_service_pb2.PurgeResponse(purge_count=7)],
            "GetQueue": [queue_service_pb2.GetQueueResponse(queue=queue)],
            "ListQueues": [
                queue_service_pb2.ListQueuesResponse(queues=[queue], next_page_token="t"),
                queue_service_pb2.ListQueuesResponse(queues=[queue]),
            ],
            "UpdateQueue": [queue_service_pb2.UpdateQueueResponse(queue=queue)],
            "ListSlots": [queue_service_pb2.ListSlotsResponse(slots=4)],
            "UpdateSlots": [queue_service_pb2.UpdateSlotsResponse(slots=2)],
            "GetStats": [queue_service_pb2.GetStatsResponse(revision=9)],
            "ListServers": [queue_service_pb2.ListServersResponse(servers=[server])],
            "ListWorkers": [worker_service_pb2.ListWorkersResponse(workers=[worker])],
            "DrainWorker": [worker_service_pb2.DrainWorkerResponse(worker=worker)],
        }
    )
    async with serving(service) as client:
        assert await client.submit("echo", {"a": 1}, queue="q") == A
        assert service.requests[-1].spec == slotd.spec("echo", {"a": 1}, queue="q")
        assert (await client.send_submit(job_service_pb2.SubmitRequest())).cursor == "c"
        assert service.requests[-1].request_id
        assert await client.submit_batch([slotd.spec("echo")]) == [A]
        assert (await client.send_submit_batch(service.requests[-1])).cursor == "c"
        assert await client.get(A) == A
        assert (await client.list_page(kinds="k")).jobs == [A]
        assert service.requests[-1].filter.kinds == ["k"]
        assert await client.wait("a") == DONE
        assert await client.cancel("a") == A
        assert await client.retry("a") == A
        await client.delete("a", force=True)
        assert service.requests[-1] == job_service_pb2.DeleteRequest(id="a", force=True)
        assert await client.purge(queues="q") == 7
        assert await client.get_queue("q") == queue
        assert await client.list_queues() == [queue, queue]
        assert await client.update_queue("q", paused=True) == queue
        assert service.requests[-1].update_mask.paths == ["paused"]
        assert (await client.list_slots()).slots == 4
        assert await client.update_slots(2) == 2
        assert (await client.get_stats()).revision == 9
        assert await client.list_servers() == [server]
        assert await client.list_workers() == [worker]
        assert await client.drain_worker("w") == worker
        assert service.requests[-1] == worker_service_pb2.DrainWorkerRequest(worker_id="w")


async def test_unary_methods_about_many_jobs_and_groups() -> None:
    group = job_service_pb2.GetGroupResponse(group=job_service_pb2.Group(name="g"), cursor="c")
    service = Service(
        {
            "SubmitBatch": [job_service_pb2.SubmitBatchResponse(jobs=[A, DONE])],
            "Update": [job_service_pb2.UpdateResponse(job=A)],
            "Retry": [job_service_pb2.RetryResponse(job=A)],
            "BulkCancel": [job_service_pb2.BulkCancelResponse(cancel_count=1)],
            "BulkRetry": [job_service_pb2.BulkRetryResponse(retry_count=2)],
            "BulkDelete": [job_service_pb2.BulkDeleteResponse(delete_count=3)],
            "GetGroup": [group],
            "CancelGroup": [job_service_pb2.CancelGroupResponse(cancel_count=4)],
        }
    )
    async with serving(service) as client:
        batch = {"cut": slotd.spec("cut"), "sew": slotd.spec("sew", depends_on="cut")}
        assert await client.submit_batch(batch) == {"cut": A, "sew": DONE}
        assert [one.ref for one in service.requests[-1].requests] == ["cut", "sew"]
        assert await client.update(A, queue="night", revision=7) == A
        assert service.requests[-1].update_mask.paths == ["queue"]
        assert await client.retry("a", dependents=True) == A
        assert service.requests[-1].dependents
        assert await client.bulk_cancel(groups="g") == 1
        assert service.requests[-1].filter.groups == ["g"]
        assert await client.bulk_retry(validate_only=True) == 2
        assert service.requests[-1].validate_only
        assert await client.bulk_delete(force=True) == 3
        assert service.requests[-1].force
        assert await client.get_group("g") == group
        assert await client.cancel_group("g") == 4


async def test_methods_of_schedules() -> None:
    schedules = schedule_service_pb2
    nightly = schedules.Schedule(name="nightly", cron="0 3 * * *", spec=slotd.spec("echo"))
    service = Service(
        {
            "ScheduleServiceCreate": [schedules.ScheduleServiceCreateResponse(schedule=nightly)],
            "ScheduleServiceGet": [schedules.ScheduleServiceGetResponse(schedule=nightly)],
            "ScheduleServiceList": [
                schedules.ScheduleServiceListResponse(schedules=[nightly], next_page_token="t"),
                schedules.ScheduleServiceListResponse(schedules=[nightly]),
            ],
            "ScheduleServiceUpdate": [schedules.ScheduleServiceUpdateResponse(schedule=nightly)],
            "ScheduleServicePause": [schedules.ScheduleServicePauseResponse(schedule=nightly)],
            "ScheduleServiceResume": [schedules.ScheduleServiceResumeResponse(schedule=nightly)],
            "ScheduleServiceTrigger": [schedules.ScheduleServiceTriggerResponse(job=A)],
            "ScheduleServiceDelete": [schedules.ScheduleServiceDeleteResponse()],
        }
    )
    async with serving(service) as client:
        assert await client.create_schedule("nightly", slotd.spec("echo"), cron="0 3 * * *") == nightly
        assert service.requests[-1].schedule == nightly
        assert await client.get_schedule("nightly") == nightly
        assert await client.list_schedules() == [nightly, nightly]
        assert service.requests[-1].page_token == "t"
        assert await client.update_schedule("nightly", jitter=5) == nightly
        assert service.requests[-1].update_mask.paths == ["jitter"]
        assert await client.pause_schedule("nightly") == nightly
        assert await client.resume_schedule("nightly") == nightly
        assert await client.trigger_schedule("nightly") == A
        assert service.requests[-1].request_id
        await client.delete_schedule("nightly")
        assert service.requests[-1].name == "nightly"


async def test_errors_carry_reason_and_details() -> None:
    service = Service({"Get": [refusal(grpc.StatusCode.NOT_FOUND, "no", reason="JOB_NOT_FOUND", metadata={"k": "v"})]})
    async with serving(service) as client:
        with pytest.raises(slotd.NotFound) as raised:
            await client.get("a")
    assert (raised.value.reason, raised.value.metadata) == ("JOB_NOT_FOUND", {"k": "v"})


async def test_submit_is_repeated_by_grpc() -> None:
    service = Service({"Submit": [draining(), draining(), job_service_pb2.SubmitResponse(job=A)]})
    async with serving(service) as client:
        assert await client.submit("echo") == A
    assert len({one.request_id for one in service.requests}) == 1
    assert len(service.requests) == 3


async def test_no_service_there() -> None:
    async with serving(Service()) as client:
        address = client.address
    async with aio.Client(address, sleep=at_once) as gone:
        for call in (gone.get("a"), gone.wait("a"), anext(gone.stream())):
            with pytest.raises(slotd.Unavailable, match=f"no service at {address}"):
                await call


def test_a_client_may_be_made_before_the_loop_runs() -> None:
    client = aio.Client("127.0.0.1:1")
    with pytest.raises(ValueError, match="no scheme"):
        aio.Client("http://127.0.0.1:1")
    asyncio.run(client.close())


async def test_list_goes_over_all_pages() -> None:
    service = Service(
        {
            "List": [
                job_service_pb2.ListResponse(jobs=[job("a")], next_page_token="t"),
                job_service_pb2.ListResponse(jobs=[job("b")]),
                job_service_pb2.ListResponse(cursor="c"),
            ]
        }
    )
    async with serving(service) as client:
        pages = client.list(page_size=1)
        assert [one.id async for one in pages] == ["a", "b"]
        assert [one.cursor async for one in pages.pages()] == ["c"]
    assert [one.page_token for one in service.requests] == ["", "t", ""]


async def test_wait_outlives_restarts() -> None:
    running = job_service_pb2.WaitResponse(job=job("a", state=job_pb2.JOB_STATE_RUNNING))
    service = Service({"Wait": [running, draining(), STOPPED, job_service_pb2.WaitResponse(job=DONE)]})
    async with serving(service) as client:
        assert await client.wait("a") == DONE
    assert len(service.requests) == 4


async def test_a_stream_resumes_within_the_snapshot_and_after_it() -> None:
    service = Service(
        scripts=[
            [message(snapshot("a", 1), snapshot("b", 2)), draining()],
            [message(snapshot("b", 2), snapshot("c", 3)), message(cursor="c3", synced=True), draining()],
            [message(event("b", 4), event("b", 5), cursor="c5"), message(cursor="c5", synced=True), draining()],
            [STOPPED],
            [message(event("c", 6), cursor="c6")],
        ]
    )
    async with serving(service) as client:
        stream = client.stream(labels={"team": "x"})
        found = pairs([one async for one in stream])
    assert found == [("a", 1), ("b", 2), ("c", 3), ("b", 4), ("b", 5), ("c", 6)]
    assert [one.cursor for one in service.requests] == ["", "", "c3", "c5", "c5"]
    assert all(one.filter.labels == {"team": "x"} for one in service.requests)
    assert stream.vanished == {"a"}
    assert (stream.cursor, stream.synced) == ("c6", True)


async def test_messages_come_whole() -> None:
    sent = [
        message(event("a", 2), cursor="c2"),
        message(cursor="c2", synced=True),
        message(cursor="c3", heartbeat=True),
    ]
    async with serving(Service(scripts=[sent])) as client:
        assert [one async for one in client.stream(cursor="c1").messages()] == sent


async def test_an_expired_cursor_is_raised() -> None:
    async with serving(Service(scripts=[[message(event("a", 2), cursor="c2"), CURSOR_EXPIRED]])) as client:
        stream = client.stream(cursor="c1")
        assert (await anext(stream)).revision == 2
        with pytest.raises(slotd.CursorExpired):
            await anext(stream)
        assert [one async for one in stream] == []


async def test_without_resume_a_cut_is_raised() -> None:
    async with serving(Service(scripts=[[draining()]])) as client:
        with pytest.raises(slotd.Unavailable):
            await anext(client.stream(resume=False))


async def test_a_wait_for_an_event_that_is_cancelled_loses_nothing() -> None:
    never = asyncio.Event()
    service = Service(
        scripts=[
            [message(event("a", 2), cursor="c2"), never],
            [message(event("a", 3), cursor="c3"), never],
        ]
    )
    async with serving(service) as client:
        stream = client.stream(cursor="c1")
        assert (await anext(stream)).revision == 2
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.wait((waiting,), timeout=0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await service.cancelled.wait()
        assert (await anext(stream)).revision == 3
    assert [one.cursor for one in service.requests] == ["c1", "c2"]


async def test_close_ends_a_reader_in_another_task() -> None:
    service = Service(scripts=[[message(event("a", 2), cursor="c2"), asyncio.Event()]])
    async with serving(service) as client:
        stream = client.stream(cursor="c1")
        assert (await anext(stream)).revision == 2
        reader = asyncio.ensure_future(_rest(stream))
        await asyncio.wait((reader,), timeout=0)
        stream.close()
        assert await reader == []
        await service.cancelled.wait()


async def test_close_ends_a_reader_that_pauses() -> None:
    pausing = asyncio.Event()

    async def long(seconds: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    async with serving(Service(scripts=[[draining()]]), sleep=long) as client:
        stream = client.stream()
        reader = asyncio.ensure_future(_rest(stream))
        await pausing.wait()
        stream.close()
        assert await reader == []


async def test_leaving_the_with_or_closing_the_client_ends_the_stream() -> None:
    service = Service(scripts=[[asyncio.Event()], [asyncio.Event()]])
    async with serving(service) as client:
        async with client.stream() as stream:
            pass
        assert await _rest(stream) == []
        other = client.stream()
        await client.close()
        assert await _rest(other) == []


async def _rest(stream: aio.EventStream) -> list[job_service_pb2.JobEvent]:
    return [one async for one in stream]


async def test_output_goes_on_where_it_was_cut() -> None:
    piece = job_service_pb2.ReadOutputResponse
    service = Service(
        scripts=[
            [piece(offset=0, data=b"ab"), STOPPED],
            [piece(offset=2, data=b"cd"), piece(offset=4, eof=True, truncated=True)],
        ]
    )
    async with serving(service) as client:
        output = client.read_output("a", follow=True)
        assert b"".join([one async for one in output]) == b"abcd"
    assert [one.offset for one in service.requests] == [0, 2]
    assert (output.offset, output.truncated) == (4, True)


async def test_a_cancelled_unary_call_is_cancelled() -> None:
    service = Service({"Wait": [asyncio.Event()]})
    async with serving(service) as client:
        waiting = asyncio.ensure_future(client.wait("a"))
        await asyncio.wait((waiting,), timeout=0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_call_under_way_when_the_client_closes_is_no_cancelled_task() -> None:
    service = Service({"Wait": [asyncio.Event()], "Get": [asyncio.Event()]})
    async with serving(service) as client:
        calls = [asyncio.ensure_future(client.wait("a")), asyncio.ensure_future(client.get("a"))]
        await asyncio.wait(calls, timeout=0)
        await client.close()
        for call in calls:
            with pytest.raises(slotd.Cancelled, match="the client was closed"):
                await call


async def test_close_ends_a_wait_that_pauses() -> None:
    pausing, resume = asyncio.Event(), asyncio.Event()

    async def held(seconds: float) -> None:
        pausing.set()
        await resume.wait()

    async with serving(Service({"Wait": [draining()]}), sleep=held) as client:
        waiting = asyncio.ensure_future(client.wait("a"))
        await pausing.wait()
        await client.close()
        resume.set()
        with pytest.raises(slotd.Unavailable):
            await waiting
