"""The sync client on grpcio-testing's fake channel: what each method sends and returns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

import slotd
from slotd.client import Client
from slotd.v1 import job_pb2, job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2
from tests.client.scripted import (
    BROKEN,
    JOBS,
    NOT_CONNECTED,
    QUEUES,
    SCHEDULES,
    STOPPED,
    WORKERS,
    FakeService,
    background,
    draining,
    job,
    refusal,
)

A = job("a")
Queue = queue_service_pb2.Queue
Server = queue_service_pb2.Server
Worker = worker_service_pb2.Worker
GROUP = job_service_pb2.GetGroupResponse(group=job_service_pb2.Group(name="g", jobs=3), revision=9, cursor="c")
NIGHTLY = schedule_service_pb2.Schedule(name="nightly", cron="0 3 * * *", spec=slotd.spec("echo"))

CALLS: list[tuple[str, Callable[[Client], object], Message, Message, object]] = [
    (
        "Get",
        lambda client: client.get(A, view=job_pb2.JOB_VIEW_BASIC),
        job_service_pb2.GetRequest(id="a", view=job_pb2.JOB_VIEW_BASIC),
        job_service_pb2.GetResponse(job=A),
        A,
    ),
    (
        "List",
        lambda client: client.list_page(page_size=5, page_token="t", states="failed"),
        job_service_pb2.ListRequest(
            filter=job_pb2.JobFilter(states=[job_pb2.JOB_STATE_FAILED]), page_size=5, page_token="t"
        ),
        job_service_pb2.ListResponse(jobs=[A], cursor="c"),
        job_service_pb2.ListResponse(jobs=[A], cursor="c"),
    ),
    (
        "Cancel",
        lambda client: client.cancel("a"),
        job_service_pb2.CancelRequest(id="a"),
        job_service_pb2.CancelResponse(job=A),
        A,
    ),
    (
        "Retry",
        lambda client: client.retry("a", dependents=True),
        job_service_pb2.RetryRequest(id="a", dependents=True),
        job_service_pb2.RetryResponse(job=A),
        A,
    ),
    (
        "Delete",
        lambda client: client.delete("a", force=True),
        job_service_pb2.DeleteRequest(id="a", force=True),
        job_service_pb2.DeleteResponse(),
        None,
    ),
    (
        "Purge",
        lambda client: client.purge(queues="q", validate_only=True),
        job_service_pb2.PurgeRequest(filter=job_pb2.JobFilter(queues=["q"]), validate_only=True),
        job_service_pb2.PurgeResponse(purge_count=7),
        7,
    ),
    (
        "Update",
        lambda client: client.update(A, priority=3, revision=7),
        job_service_pb2.UpdateRequest(
            id="a",
            spec=job_pb2.JobSpec(priority=3),
            update_mask={"paths": ["priority"]},  # type: ignore[arg-type]
            revision=7,
        ),
        job_service_pb2.UpdateResponse(job=A),
        A,
    ),
    (
        "BulkCancel",
        lambda client: client.bulk_cancel(groups="g"),
        job_service_pb2.BulkCancelRequest(filter=job_pb2.JobFilter(groups=["g"])),
        job_service_pb2.BulkCancelResponse(cancel_count=7),
        7,
    ),
    (
        "BulkRetry",
        lambda client: client.bulk_retry(schedules="s", validate_only=True),
        job_service_pb2.BulkRetryRequest(filter=job_pb2.JobFilter(schedules=["s"]), validate_only=True),
        job_service_pb2.BulkRetryResponse(retry_count=7),
        7,
    ),
    (
        "BulkDelete",
        lambda client: client.bulk_delete(force=True, filter=job_pb2.JobFilter(queues=["q"])),
        job_service_pb2.BulkDeleteRequest(filter=job_pb2.JobFilter(queues=["q"]), force=True),
        job_service_pb2.BulkDeleteResponse(delete_count=7),
        7,
    ),
    (
        "GetGroup",
        lambda client: client.get_group("g"),
        job_service_pb2.GetGroupRequest(name="g"),
        GROUP,
        GROUP,
    ),
    (
        "CancelGroup",
        lambda client: client.cancel_group("g", validate_only=True),
        job_service_pb2.CancelGroupRequest(name="g", validate_only=True),
        job_service_pb2.CancelGroupResponse(cancel_count=7),
        7,
    ),
    (
        "GetQueue",
        lambda client: client.get_queue("q"),
        queue_service_pb2.GetQueueRequest(name="q"),
        queue_service_pb2.GetQueueResponse(queue=Queue(name="q")),
        Queue(name="q"),
    ),
    (
        "UpdateQueue",
        lambda client: client.update_queue("q", slots=2),
        queue_service_pb2.UpdateQueueRequest(queue=Queue(name="q", slots=2), update_mask={"paths": ["slots"]}),  # type: ignore[arg-type]
        queue_service_pb2.UpdateQueueResponse(queue=Queue(name="q", slots=2)),
        Queue(name="q", slots=2),
    ),
    (
        "ListSlots",
        lambda client: client.list_slots(),
        queue_service_pb2.ListSlotsRequest(),
        queue_service_pb2.ListSlotsResponse(slots=4),
        queue_service_pb2.ListSlotsResponse(slots=4),
    ),
    (
        "UpdateSlots",
        lambda client: client.update_slots(0),
        queue_service_pb2.UpdateSlotsRequest(slots=0),
        queue_service_pb2.UpdateSlotsResponse(slots=0),
        0,
    ),
    (
        "GetStats",
        lambda client: client.get_stats(),
        queue_service_pb2.GetStatsRequest(),
        queue_service_pb2.GetStatsResponse(revision=9),
        queue_service_pb2.GetStatsResponse(revision=9),
    ),
    (
        "ListServers",
        lambda client: client.list_servers(),
        queue_service_pb2.ListServersRequest(),
        queue_service_pb2.ListServersResponse(servers=[Server(id="a"), Server(id="b")]),
        [Server(id="a"), Server(id="b")],
    ),
    (
        "ListWorkers",
        lambda client: client.list_workers(),
        worker_service_pb2.ListWorkersRequest(),
        worker_service_pb2.ListWorkersResponse(workers=[Worker(id="a"), Worker(id="b")]),
        [Worker(id="a"), Worker(id="b")],
    ),
    (
        "DrainWorker",
        lambda client: client.drain_worker("a"),
        worker_service_pb2.DrainWorkerRequest(worker_id="a"),
        worker_service_pb2.DrainWorkerResponse(worker=Worker(id="a")),
        Worker(id="a"),
    ),
]


@pytest.mark.parametrize(("method", "call", "request_", "response", "expected"), CALLS, ids=[one[0] for one in CALLS])
def test_unary_methods(
    method: str, call: Callable[[Client], object], request_: Message, response: Message, expected: object
) -> None:
    service = FakeService()
    result = background(lambda: call(service.client))
    sent = service.answer(
        method, response, next(one for one in (JOBS, QUEUES, WORKERS) if method in one.methods_by_name)
    )
    assert sent == request_
    assert result.result(10) == expected


SCHEDULE_CALLS: list[tuple[str, Callable[[Client], object], Message, Message, object]] = [
    (
        "Create",
        lambda client: client.create_schedule("nightly", slotd.spec("echo"), cron="0 3 * * *", validate_only=True),
        schedule_service_pb2.ScheduleServiceCreateRequest(schedule=NIGHTLY, validate_only=True),
        schedule_service_pb2.ScheduleServiceCreateResponse(schedule=NIGHTLY),
        NIGHTLY,
    ),
    (
        "Get",
        lambda client: client.get_schedule("nightly"),
        schedule_service_pb2.ScheduleServiceGetRequest(name="nightly"),
        schedule_service_pb2.ScheduleServiceGetResponse(schedule=NIGHTLY),
        NIGHTLY,
    ),
    (
        "Update",
        lambda client: client.update_schedule("nightly", jitter=None, revision=7),
        schedule_service_pb2.ScheduleServiceUpdateRequest(
            schedule=schedule_service_pb2.Schedule(name="nightly", revision=7),
            update_mask={"paths": ["jitter"]},  # type: ignore[arg-type]
        ),
        schedule_service_pb2.ScheduleServiceUpdateResponse(schedule=NIGHTLY),
        NIGHTLY,
    ),
    (
        "Delete",
        lambda client: client.delete_schedule("nightly"),
        schedule_service_pb2.ScheduleServiceDeleteRequest(name="nightly"),
        schedule_service_pb2.ScheduleServiceDeleteResponse(),
        None,
    ),
    (
        "Pause",
        lambda client: client.pause_schedule("nightly"),
        schedule_service_pb2.ScheduleServicePauseRequest(name="nightly"),
        schedule_service_pb2.ScheduleServicePauseResponse(schedule=NIGHTLY),
        NIGHTLY,
    ),
    (
        "Resume",
        lambda client: client.resume_schedule("nightly"),
        schedule_service_pb2.ScheduleServiceResumeRequest(name="nightly"),
        schedule_service_pb2.ScheduleServiceResumeResponse(schedule=NIGHTLY),
        NIGHTLY,
    ),
    (
        "Trigger",
        lambda client: client.trigger_schedule("nightly", request_id="mine"),
        schedule_service_pb2.ScheduleServiceTriggerRequest(name="nightly", request_id="mine"),
        schedule_service_pb2.ScheduleServiceTriggerResponse(job=A),
        A,
    ),
]


@pytest.mark.parametrize(
    ("method", "call", "request_", "response", "expected"), SCHEDULE_CALLS, ids=[one[0] for one in SCHEDULE_CALLS]
)
def test_methods_of_schedules(
    method: str, call: Callable[[Client], object], request_: Message, response: Message, expected: object
) -> None:
    service = FakeService()
    result = background(lambda: call(service.client))
    assert service.answer(method, response, SCHEDULES) == request_
    assert result.result(10) == expected


def test_list_schedules_goes_over_all_pages() -> None:
    service = FakeService()
    result = background(lambda: [one.name for one in service.client.list_schedules()])
    response = schedule_service_pb2.ScheduleServiceListResponse
    other = schedule_service_pb2.Schedule(name="other")
    service.answer("List", response(schedules=[NIGHTLY], next_page_token="t"), SCHEDULES)
    assert service.answer("List", response(schedules=[other]), SCHEDULES).page_token == "t"
    assert result.result(10) == ["nightly", "other"]


def test_submit() -> None:
    service = FakeService()
    result = background(lambda: service.client.submit("echo", {"a": 1}, queue="q", timeout=5))
    sent = service.answer("Submit", job_service_pb2.SubmitResponse(job=A, cursor="c"))
    assert sent.spec == slotd.spec("echo", {"a": 1}, queue="q", timeout=5)
    assert sent.request_id
    assert not sent.validate_only
    assert result.result(10) == A


def test_submit_as_a_message_gives_the_cursor() -> None:
    service = FakeService()
    request = job_service_pb2.SubmitRequest(spec=slotd.spec("echo"))
    result = background(lambda: service.client.send_submit(request))
    sent = service.answer("Submit", job_service_pb2.SubmitResponse(job=A, cursor="c"))
    assert sent.request_id
    assert request.request_id == ""
    assert result.result(10).cursor == "c"
    batch = background(lambda: service.client.send_submit_batch(job_service_pb2.SubmitBatchRequest(requests=[request])))
    sent = service.answer("SubmitBatch", job_service_pb2.SubmitBatchResponse(jobs=[A], cursor="d"))
    assert sent.requests[0].request_id
    assert batch.result(10).cursor == "d"


def test_submit_batch() -> None:
    service = FakeService()
    result = background(lambda: service.client.submit_batch([slotd.spec("a"), slotd.spec("b")], validate_only=True))
    sent = service.answer("SubmitBatch", job_service_pb2.SubmitBatchResponse(jobs=[A, job("b")]))
    assert [(one.spec.kind, one.validate_only) for one in sent.requests] == [("a", True), ("b", True)]
    assert [one.id for one in result.result(10)] == ["a", "b"]


def test_a_batch_by_refs_comes_back_by_refs() -> None:
    service = FakeService()
    jobs = {"cut": slotd.spec("cut"), "sew": slotd.spec("sew", depends_on="cut")}
    result = background(lambda: service.client.submit_batch(jobs))
    sent = service.answer("SubmitBatch", job_service_pb2.SubmitBatchResponse(jobs=[A, job("b")]))
    assert [one.ref for one in sent.requests] == ["cut", "sew"]
    assert sent.requests[1].spec.depends_on[0].ref == "cut"
    assert result.result(10) == {"cut": A, "sew": job("b")}


def test_submit_and_wait() -> None:
    service = FakeService()
    result = background(lambda: service.client.submit_and_wait("echo", wait_timeout=9))
    service.answer("Submit", job_service_pb2.SubmitResponse(job=A))
    done = job("a", state=job_pb2.JOB_STATE_SUCCEEDED)
    sent = service.answer("Wait", job_service_pb2.WaitResponse(job=done))
    assert (sent.id, sent.timeout.seconds) == ("a", 9)
    assert result.result(10) == done


def test_every_call_carries_the_metadata() -> None:
    service = FakeService(metadata=(("tenant", "x"),))
    background(lambda: service.client.get("a"))
    metadata, _, _ = service.take("Get")
    assert ("tenant", "x") in [tuple(one) for one in metadata]


def test_list_goes_over_all_pages() -> None:
    service = FakeService()
    pages = service.client.list(kinds="k", page_size=2)
    result = background(lambda: [one.id for one in pages])
    first = service.answer("List", job_service_pb2.ListResponse(jobs=[job("a"), job("b")], next_page_token="t"))
    # A page may be empty and not the last.
    second = service.answer("List", job_service_pb2.ListResponse(next_page_token="u"))
    third = service.answer("List", job_service_pb2.ListResponse(jobs=[job("c")]))
    assert result.result(10) == ["a", "b", "c"]
    assert (first.page_token, second.page_token, third.page_token) == ("", "t", "u")
    assert {(one.page_size, one.filter.kinds[0]) for one in (first, second, third)} == {(2, "k")}
    # Iterating once more asks anew, from the first page.
    again = background(lambda: [page.cursor for page in pages.pages()])
    assert service.answer("List", job_service_pb2.ListResponse(cursor="c")).page_token == ""
    assert again.result(10) == ["c"]


def test_list_fetches_a_page_only_when_it_is_wanted() -> None:
    service = FakeService()
    pages = iter(service.client.list())
    result = background(lambda: next(pages).id)
    service.answer("List", job_service_pb2.ListResponse(jobs=[A], next_page_token="t"))
    assert result.result(10) == "a"


def test_list_queues_goes_over_all_pages() -> None:
    service = FakeService()
    result = background(lambda: [one.name for one in service.client.list_queues()])
    response = queue_service_pb2.ListQueuesResponse
    service.answer("ListQueues", response(queues=[Queue(name="a")], next_page_token="t"), QUEUES)
    assert service.answer("ListQueues", response(queues=[Queue(name="b")]), QUEUES).page_token == "t"
    assert result.result(10) == ["a", "b"]


def test_wait_outlives_restarts() -> None:
    service = FakeService()
    result = background(lambda: service.client.wait("a"))
    service.answer("Wait", job_service_pb2.WaitResponse(job=job("a", state=job_pb2.JOB_STATE_QUEUED)))
    service.refuse("Wait", draining())
    for error in (BROKEN, *[NOT_CONNECTED] * 5, STOPPED, refusal(grpc.StatusCode.DEADLINE_EXCEEDED)):
        service.refuse("Wait", error)
    service.answer("Wait", job_service_pb2.WaitResponse(job=job("a", state=job_pb2.JOB_STATE_RUNNING)))
    done = job("a", state=job_pb2.JOB_STATE_FAILED)
    service.answer("Wait", job_service_pb2.WaitResponse(job=done))
    assert result.result(10) == done
    assert service.pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_wait_says_soon_that_there_is_no_service() -> None:
    service = FakeService()
    result = background(lambda: service.client.wait("a"))
    for _ in range(4):
        service.refuse("Wait", NOT_CONNECTED)
    with pytest.raises(slotd.Unavailable, match="no service at service:1"):
        result.result(10)


def test_wait_answers_with_the_present_state_at_its_end() -> None:
    service = FakeService()
    result = background(lambda: service.client.wait("a", timeout=30))
    running = job("a", state=job_pb2.JOB_STATE_RUNNING)
    for expected in (20, 10):
        _, request, call = service.take("Wait")
        assert request.timeout.seconds == expected
        service.time.sleep_for(expected)
        call.terminate(job_service_pb2.WaitResponse(job=running), (), grpc.StatusCode.OK, "")
    assert result.result(10) == running


def test_wait_raises_what_waiting_cannot_cure() -> None:
    service = FakeService()
    result = background(lambda: service.client.wait("a"))
    service.refuse("Wait", refusal(grpc.StatusCode.NOT_FOUND, reason="JOB_NOT_FOUND"))
    with pytest.raises(slotd.NotFound):
        result.result(10)


def test_what_the_client_refuses_itself() -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client("")
    with pytest.raises(ValueError, match="an address has no scheme: 'host:1' instead of 'http://host:1/'"):
        Client("http://host:1/")
    client = FakeService().client
    with pytest.raises(ValueError, match="job_ids is empty"):
        client.purge(job_ids=[])
    unknown: dict[str, Any] = {"colour": "red"}
    with pytest.raises(TypeError, match="colour"):
        client.list(**unknown)


def test_a_given_channel_is_left_open() -> None:
    service = FakeService()
    closed: list[bool] = []
    service.channel.close = lambda: closed.append(True)
    with service.client as client:
        assert client.address == "service:1"
    assert closed == []


def test_close_ends_a_wait_that_the_server_cancels() -> None:
    service = FakeService()
    result = background(lambda: service.client.wait("a"))
    _, _, call = service.take("Wait")
    service.client.close()
    call.terminate(None, STOPPED.trailing, STOPPED.code, STOPPED.message)
    with pytest.raises(slotd.Cancelled):
        result.result(10)


def test_close_ends_a_wait_that_pauses() -> None:
    service = FakeService(reconnect=slotd.Backoff())
    pausing = threading.Event()

    def pause(closed: threading.Event, seconds: float) -> None:
        pausing.set()
        closed.wait()

    client = Client("service:1", channel=service.channel, pause=pause)
    result = background(lambda: client.wait("a"))
    service.refuse("Wait", draining())
    assert pausing.wait(10)
    client.close()
    with pytest.raises(slotd.Unavailable, match="draining"):
        result.result(10)
