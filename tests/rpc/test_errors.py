"""The table of errors, row by row, over the wire: the code, the reason, and the details that each promises."""

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc.error_details_pb2 import BadRequest, PreconditionFailure, QuotaFailure, ResourceInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from slotd import spec, v1
from tests.fundamentals.handlers import gate
from tests.rpc.wire import JOBS, failure, refusal, send
from tests.service import Endpoint, Start, reach
from tests.web.channel import Codec

UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"

Call = Callable[[Endpoint, str], object]


@pytest.fixture(scope="module", params=[None, "json", "proto"], ids=["grpc", "http-json", "http-proto"])
def codec(request: pytest.FixtureRequest) -> Codec | None:
    """The table is one for all ways to ask."""
    chosen: Codec | None = request.param
    return chosen


BY_SCHEDULE: dict[str, Call] = {
    "Get": lambda at, name: schedules(at).Get(v1.ScheduleServiceGetRequest(name=name)),
    "Update": lambda at, name: schedules(at).Update(
        v1.ScheduleServiceUpdateRequest(schedule=v1.Schedule(name=name, paused=True))
    ),
    "Delete": lambda at, name: schedules(at).Delete(v1.ScheduleServiceDeleteRequest(name=name)),
    "Pause": lambda at, name: schedules(at).Pause(v1.ScheduleServicePauseRequest(name=name)),
    "Resume": lambda at, name: schedules(at).Resume(v1.ScheduleServiceResumeRequest(name=name)),
    "Trigger": lambda at, name: schedules(at).Trigger(v1.ScheduleServiceTriggerRequest(name=name)),
}

BY_ID: dict[str, Call] = {
    "Get": lambda at, job_id: at.jobs.Get(v1.GetRequest(id=job_id)),
    "Wait": lambda at, job_id: at.jobs.Wait(v1.WaitRequest(id=job_id)),
    "Cancel": lambda at, job_id: at.jobs.Cancel(v1.CancelRequest(id=job_id)),
    "Retry": lambda at, job_id: at.jobs.Retry(v1.RetryRequest(id=job_id)),
    "Delete": lambda at, job_id: at.jobs.Delete(v1.DeleteRequest(id=job_id)),
    "Update": lambda at, job_id: at.jobs.Update(v1.UpdateRequest(id=job_id, update_mask=FieldMask(paths=["labels"]))),
    "ReadOutput": lambda at, job_id: at.jobs.ReadOutput(v1.ReadOutputRequest(id=job_id)),
    "Stream": lambda at, job_id: at.jobs.Stream(v1.StreamRequest(filter=v1.JobFilter(job_ids=[job_id]))),
}


def schedules(at: Endpoint) -> v1.ScheduleServiceStub:
    return v1.ScheduleServiceStub(at.channel)


def schedule(at: Endpoint, name: str, kind: str = "idle", **fields: Any) -> v1.Schedule:
    """Makes a schedule that does not fire by itself while tests run."""
    wanted = v1.Schedule(name=name, spec=spec(kind), **({"cron": "0 0 1 1 *"} | fields))
    return schedules(at).Create(v1.ScheduleServiceCreateRequest(schedule=wanted)).schedule


def awaiting(*job_ids: str, **fields: Any) -> v1.SubmitRequest:
    depends_on = [v1.Dependency(job_id=job_id) for job_id in job_ids]
    return v1.SubmitRequest(spec=spec("idle", depends_on=depends_on, **fields))


def ended(at: Endpoint, kind: str = "idle") -> str:
    """The id of a job that has ended."""
    return at.client.submit_and_wait(kind, "x").id


def running(at: Endpoint) -> str:
    """The id of a job that runs."""
    job = at.client.submit("patient")
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    return job.id


def test_a_malformed_field_is_named(shared: Endpoint) -> None:
    request = v1.SubmitRequest(spec=v1.JobSpec(kind="idle", queue="/", priority=1001), request_id="x" * 129)
    refused = refusal(lambda: shared.jobs.Submit(request))
    assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", {"BadRequest"})
    fields = {violation.field for violation in refused.detail(BadRequest).field_violations}
    assert fields == {"spec.queue", "spec.priority", "request_id"}


def test_an_unknown_kind(shared: Endpoint) -> None:
    refused = refusal(lambda: shared.jobs.Submit(v1.SubmitRequest(spec=v1.JobSpec(kind="idel"))))
    assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_KIND", {"BadRequest"})
    (violation,) = refused.detail(BadRequest).field_violations
    assert violation.field == "spec.kind"
    assert "'idle'" in violation.description


@pytest.mark.parametrize("method", BY_ID)
def test_a_bad_id(shared: Endpoint, method: str) -> None:
    for job_id in (
        "nonsense",
        "" if method != "Stream" else "x",
        UNKNOWN_ID.upper(),
        UNKNOWN_ID + "\n",
        "../" + UNKNOWN_ID,
    ):
        refused = refusal(lambda: BY_ID[method](shared, job_id))  # noqa: B023 - called at once
        assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", {"BadRequest"})
        (violation,) = refused.detail(BadRequest).field_violations
        assert violation.field == ("id" if method != "Stream" else "filter.job_ids[0]")


@pytest.mark.parametrize("method", BY_ID)
def test_no_such_job(shared: Endpoint, method: str) -> None:
    refused = refusal(lambda: BY_ID[method](shared, UNKNOWN_ID))
    assert refused[:3] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Job", UNKNOWN_ID)


def test_no_such_queue(shared: Endpoint) -> None:
    refused = refusal(lambda: shared.queues.GetQueue(v1.GetQueueRequest(name="nowhere")))
    assert refused[:3] == (grpc.StatusCode.NOT_FOUND, "QUEUE_NOT_FOUND", {"ResourceInfo"})


def test_the_same_request_id_with_other_content(shared: Endpoint) -> None:
    first = shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle"), request_id="once")).job
    other = v1.SubmitRequest(spec=spec("idle", priority=1), request_id="once")
    refused = refusal(lambda: shared.jobs.Submit(other))
    assert refused[:3] == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", {"ResourceInfo"})
    assert refused.detail(ResourceInfo).resource_name == first.id
    batch = v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec("idle")), other])
    assert refusal(lambda: shared.jobs.SubmitBatch(batch)).code == grpc.StatusCode.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("method", "make", "state"),
    [
        ("Cancel", lambda at: ended(at), "SUCCEEDED"),
        ("Cancel", lambda at: ended(at, "hopeless"), "FAILED"),
        ("Retry", lambda at: ended(at), "SUCCEEDED"),
        ("Retry", running, "RUNNING"),
        ("Delete", running, "RUNNING"),
        ("Update", running, "RUNNING"),
        ("Update", lambda at: ended(at), "SUCCEEDED"),
    ],
)
def test_what_a_state_does_not_allow(
    shared: Endpoint, method: str, make: Callable[[Endpoint], str], state: str
) -> None:
    job_id = make(shared)
    refused = refusal(lambda: BY_ID[method](shared, job_id))
    assert refused[:3] == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE", {"PreconditionFailure"})
    (violation,) = refused.detail(PreconditionFailure).violations
    assert (violation.type, violation.subject) == (f"JOB_STATE_{state}", job_id)
    if state == "RUNNING":
        shared.client.cancel(job_id)


@pytest.mark.parametrize("method", BY_SCHEDULE)
def test_no_such_schedule(shared: Endpoint, method: str) -> None:
    refused = refusal(lambda: BY_SCHEDULE[method](shared, "nowhere"))
    assert refused[:3] == (grpc.StatusCode.NOT_FOUND, "SCHEDULE_NOT_FOUND", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Schedule", "nowhere")


def test_no_such_group(shared: Endpoint) -> None:
    for call in (
        lambda: shared.jobs.GetGroup(v1.GetGroupRequest(name="nobody")),
        lambda: shared.jobs.CancelGroup(v1.CancelGroupRequest(name="nobody")),
        lambda: shared.jobs.CancelGroup(v1.CancelGroupRequest(name="nobody", validate_only=True)),
    ):
        refused = refusal(call)
        assert refused[:3] == (grpc.StatusCode.NOT_FOUND, "GROUP_NOT_FOUND", {"ResourceInfo"})
        info = refused.detail(ResourceInfo)
        assert (info.resource_type, info.resource_name) == ("slotd.v1.Group", "nobody")


def test_a_dependency_on_what_is_not_there(shared: Endpoint) -> None:
    nowhere = v1.SubmitRequest(
        spec=spec("idle", depends_on=[v1.Dependency(job_id=UNKNOWN_ID), v1.Dependency(group="nobody")])
    )
    for call, within in (
        (lambda: shared.jobs.Submit(nowhere), ""),
        (lambda: shared.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=[nowhere])), "requests[0]."),
    ):
        refused = refusal(call)
        assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", {"BadRequest"})
        fields = [violation.field for violation in refused.detail(BadRequest).field_violations]
        assert fields == [f"{within}spec.depends_on[0].job_id", f"{within}spec.depends_on[1].group"]


def test_jobs_that_would_wait_for_each_other(shared: Endpoint) -> None:
    requests = [
        v1.SubmitRequest(ref=ref, spec=spec("idle", depends_on=[v1.Dependency(ref=awaited)]))
        for ref, awaited in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    refused = refusal(lambda: shared.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=requests)))
    assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "DEPENDENCY_CYCLE", {"BadRequest"})
    (violation,) = refused.detail(BadRequest).field_violations
    assert violation.field == "requests[0].spec.depends_on[0].ref"
    assert "a → b → c → a" in violation.description


def test_a_job_that_would_wait_for_its_own_group(shared: Endpoint) -> None:
    shared.client.update_queue("held", paused=True)
    member = shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle", queue="held", group="circle"))).job
    waits = shared.jobs.Submit(
        v1.SubmitRequest(spec=spec("idle", queue="held", depends_on=[v1.Dependency(group="circle")]))
    ).job
    for request, path in (
        (
            v1.SubmitRequest(spec=spec("idle", group="circle", depends_on=[v1.Dependency(group="circle")])),
            ["groups/circle"],
        ),
        (awaiting(waits.id, group="circle"), [f"jobs/{waits.id}", "groups/circle"]),
    ):
        refused = refusal(lambda: shared.jobs.Submit(request))  # noqa: B023 - called at once
        assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "DEPENDENCY_CYCLE", {"BadRequest"})
        (violation,) = refused.detail(BadRequest).field_violations
        assert violation.field.startswith("spec.depends_on")
        assert all(name in violation.description for name in path)
    for job in (waits, member):
        shared.client.cancel(job.id)


def test_a_unique_key_that_is_taken(shared: Endpoint) -> None:
    shared.client.update_queue("held", paused=True)
    fields: dict[str, Any] = {"queue": "held", "unique_key": "only", "unique_conflict": v1.UNIQUE_CONFLICT_REFUSE}
    first = shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle", **fields))).job
    refused = refusal(lambda: shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle", **fields))))
    assert refused[:3] == (grpc.StatusCode.ALREADY_EXISTS, "UNIQUE_KEY_TAKEN", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Job", first.id)
    shared.client.cancel(first.id)


def test_a_job_that_has_changed_since(shared: Endpoint) -> None:
    shared.client.update_queue("held", paused=True)
    job = shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle", queue="held"))).job
    update = v1.UpdateRequest(id=job.id, update_mask=FieldMask(paths=["labels"]), revision=job.revision)
    update.spec.labels["a"] = "1"
    shared.jobs.Update(update)
    refused = refusal(lambda: shared.jobs.Update(update))
    assert refused[:3] == (grpc.StatusCode.ABORTED, "REVISION_MISMATCH", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Job", job.id)
    shared.client.cancel(job.id)


def test_a_schedule_that_has_changed_since(shared: Endpoint) -> None:
    before = schedule(shared, "changing")
    update = v1.ScheduleServiceUpdateRequest(
        schedule=v1.Schedule(name="changing", paused=True, revision=before.revision)
    )
    schedules(shared).Update(update)
    update.schedule.cron = "0 0 2 1 *"
    refused = refusal(lambda: schedules(shared).Update(update))
    assert refused[:3] == (grpc.StatusCode.ABORTED, "REVISION_MISMATCH", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Schedule", "changing")


def precondition(call: Callable[[], object], reason: str) -> str:
    """Checks the row of FAILED_PRECONDITION; returns the subject of the violation."""
    refused = refusal(call)
    assert refused[:3] == (grpc.StatusCode.FAILED_PRECONDITION, reason, {"PreconditionFailure"})
    (violation,) = refused.detail(PreconditionFailure).violations
    assert violation.type == reason
    assert violation.description == refused.status.message
    return violation.subject


def test_a_job_that_others_wait_for(shared: Endpoint) -> None:
    shared.client.update_queue("held", paused=True)
    first = ended(shared)
    waits = shared.jobs.Submit(awaiting(first, queue="held")).job
    assert precondition(lambda: BY_ID["Delete"](shared, first), "AWAITED") == first
    shared.client.cancel(waits.id)
    shared.jobs.Delete(v1.DeleteRequest(id=first))


def test_a_job_whose_dependency_has_failed(shared: Endpoint) -> None:
    first = ended(shared, "hopeless")
    failed = shared.client.wait(shared.jobs.Submit(awaiting(first)).job.id)
    assert failed.state == v1.JOB_STATE_FAILED
    assert precondition(lambda: BY_ID["Retry"](shared, failed.id), "DEPENDENCY_FAILED") == f"jobs/{first}"


def test_a_schedule_that_is_there(shared: Endpoint) -> None:
    schedule(shared, "twice")
    refused = refusal(lambda: schedule(shared, "twice"))
    assert refused[:3] == (grpc.StatusCode.ALREADY_EXISTS, "SCHEDULE_EXISTS", {"ResourceInfo"})
    info = refused.detail(ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("slotd.v1.Schedule", "twice")


def test_a_schedule_that_makes_no_job_now(shared: Endpoint) -> None:
    schedule(shared, "patiently", "patient")
    job = schedules(shared).Trigger(v1.ScheduleServiceTriggerRequest(name="patiently")).job
    assert precondition(lambda: BY_SCHEDULE["Trigger"](shared, "patiently"), "SCHEDULE_OVERLAP") == "patiently"
    shared.client.cancel(job.id)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"cron": "* * *"}, "INVALID_ARGUMENT", "schedule.cron"),
        ({"cron": "0 0 30 2 *"}, "INVALID_ARGUMENT", "schedule.cron"),
        ({"time_zone": "Nowhere"}, "INVALID_ARGUMENT", "schedule.time_zone"),
        ({"interval": Duration(seconds=1)}, "INVALID_ARGUMENT", "schedule"),
        ({"kind": "idel"}, "UNKNOWN_KIND", "schedule.spec.kind"),
    ],
)
def test_a_schedule_that_can_not_be(shared: Endpoint, fields: dict[str, Any], reason: str, field: str) -> None:
    refused = refusal(lambda: schedule(shared, "never", **fields))
    assert refused[:3] == (grpc.StatusCode.INVALID_ARGUMENT, reason, {"BadRequest"})
    assert [violation.field for violation in refused.detail(BadRequest).field_violations] == [field]


def exhausted(call: Callable[[], object], reason: str) -> str:
    """Checks the row of RESOURCE_EXHAUSTED; returns the subject of the quota."""
    refused = refusal(call)
    assert refused[:3] == (grpc.StatusCode.RESOURCE_EXHAUSTED, reason, {"RetryInfo", "QuotaFailure"})
    assert refused.detail(RetryInfo).retry_delay.seconds >= 1
    (violation,) = refused.detail(QuotaFailure).violations
    return violation.subject


def test_a_full_queue(shared: Endpoint) -> None:
    shared.client.update_queue("full", paused=True, max_queued=1)
    request = v1.SubmitRequest(spec=spec("idle", queue="full"))
    shared.jobs.Submit(request)
    assert exhausted(lambda: shared.jobs.Submit(request), "QUEUE_FULL") == "queues/full"
    waiting = shared.client.cancel(next(iter(shared.client.list(queues="full"))))
    shared.jobs.Submit(request)
    assert exhausted(lambda: BY_ID["Retry"](shared, waiting.id), "QUEUE_FULL") == "queues/full"
    shared.client.update_queue("held", paused=True)
    elsewhere = shared.jobs.Submit(v1.SubmitRequest(spec=spec("idle", queue="held"))).job
    move = v1.UpdateRequest(id=elsewhere.id, spec=v1.JobSpec(queue="full"), update_mask=FieldMask(paths=["queue"]))
    assert exhausted(lambda: shared.jobs.Update(move), "QUEUE_FULL") == "queues/full"
    wanted = v1.Schedule(name="into-the-full", spec=request.spec, interval=Duration(seconds=86_400))
    schedules(shared).Create(v1.ScheduleServiceCreateRequest(schedule=wanted))
    assert exhausted(lambda: BY_SCHEDULE["Trigger"](shared, "into-the-full"), "QUEUE_FULL") == "queues/full"


def test_a_payload_too_large(shared: Endpoint) -> None:
    large = v1.SubmitRequest(spec=spec("reverse", b"x" * ((1 << 20) + 1)))
    assert exhausted(lambda: shared.jobs.Submit(large), "TOO_LARGE") == "spec.payload.data"
    batch = v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec("idle")), large])
    assert exhausted(lambda: shared.jobs.SubmitBatch(batch), "TOO_LARGE") == "requests[1].spec.payload.data"


def test_too_many_streams(start: Start) -> None:
    at = start(max_streams=2).at
    open_streams = [at.jobs.Stream(v1.StreamRequest()) for _ in range(2)]
    for stream in open_streams:
        assert next(stream).synced
    assert exhausted(lambda: at.jobs.Stream(v1.StreamRequest()), "TOO_MANY_STREAMS") == "streams"
    # Others go on, and a stream that ends makes room for another.
    assert at.client.submit_and_wait("idle").state == v1.JOB_STATE_SUCCEEDED
    job = at.client.submit("idle")
    open_streams[0].cancel()
    assert at.client.wait(job).state == v1.JOB_STATE_SUCCEEDED
    refused = None
    while refused is None or refused.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        try:
            assert next(at.jobs.Stream(v1.StreamRequest())).events
            break
        except grpc.RpcError as error:
            # The cancellation may still be on its way.
            refused = error
    else:
        pytest.fail(str(refused))


def test_a_cursor_older_than_what_is_kept(start: Start) -> None:
    at = start(events_kept=1).at
    cursor = at.jobs.List(v1.ListRequest()).cursor
    for _ in range(3):
        at.client.submit_batch([spec("idle") for _ in range(500)])
    at.client.submit_and_wait("idle", priority=-1)
    refused = refusal(lambda: at.jobs.Stream(v1.StreamRequest(cursor=cursor)))
    assert refused[:3] == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", set())


def test_an_offset_beyond_the_end(shared: Endpoint) -> None:
    request = v1.ReadOutputRequest(id=ended(shared), offset=1)
    refused = refusal(lambda: shared.jobs.ReadOutput(request))
    assert refused[:3] == (grpc.StatusCode.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", set())


def test_no_such_method(shared: Endpoint) -> None:
    assert failure(lambda: send(shared, JOBS + "Explode", b"")).code() == grpc.StatusCode.UNIMPLEMENTED


def test_draining(start: Start) -> None:
    service = start(drain_timeout=20)
    at = service.at
    schedule(at, "drained")
    failed = ended(at, "hopeless")
    job = at.client.submit("gated", "drain")
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    stream = at.jobs.Stream(v1.StreamRequest(cursor=at.jobs.List(v1.ListRequest()).cursor))
    assert next(stream).synced
    with grpc.insecure_channel(at.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        health = stub.Watch(health_pb2.HealthCheckRequest(service="slotd.v1.JobService"))
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        service.ask_to_stop()
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
    for call in (
        lambda: at.jobs.Submit(v1.SubmitRequest(spec=spec("idle"))),
        lambda: at.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec("idle"))])),
        lambda: at.jobs.Retry(v1.RetryRequest(id=failed)),
        lambda: at.jobs.BulkRetry(v1.BulkRetryRequest(filter=v1.JobFilter())),
        lambda: BY_SCHEDULE["Trigger"](at, "drained"),
    ):
        refused = refusal(call)
        assert refused[:3] == (grpc.StatusCode.UNAVAILABLE, "DRAINING", {"RetryInfo"})
    # What runs may end, and is heard of; the last word of the stream is where to go on from.
    assert at.client.get(job).state == v1.JOB_STATE_RUNNING
    messages: list[v1.StreamResponse] = []

    def read() -> None:
        messages.extend(stream)

    told = refusal_in_thread(read, lambda: gate("drain").set())
    assert told == (grpc.StatusCode.UNAVAILABLE, "DRAINING", {"RetryInfo"})
    (event,) = [event for message in messages for event in message.events]
    assert event.job.state == v1.JOB_STATE_SUCCEEDED
    assert messages[-1].cursor
    assert messages[-1].revision == event.revision


def refusal_in_thread(call: Callable[[], object], meanwhile: Callable[[], object]) -> tuple[object, ...]:
    """How `call` was refused, while `meanwhile` was done."""
    told: list[tuple[object, ...]] = []
    thread = threading.Thread(target=lambda: told.append(refusal(call)[:3]))
    thread.start()
    meanwhile()
    thread.join(20)
    (only,) = told
    return only
