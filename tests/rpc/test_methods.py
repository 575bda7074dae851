"""Every method by its raw stub, and what stands beside them: health, reflection, deep payloads, filters of nothing."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from slotd import spec, v1
from tests.rpc.wire import failure, outcome
from tests.service import Endpoint, Start, reach, reason

pytestmark = pytest.mark.every_store

SERVICES = {"slotd.v1.JobService", "slotd.v1.QueueService", "slotd.v1.ScheduleService"}


def test_every_method_answers(start: Start, store_kind: str) -> None:
    at = start().at
    jobs, queues = at.jobs, at.queues
    submitted = jobs.Submit(v1.SubmitRequest(spec=spec("print", ["hello"])))
    batch = jobs.SubmitBatch(v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec("hopeless", "no"))] * 2))
    ended = jobs.Wait(v1.WaitRequest(id=submitted.job.id, timeout=Duration(seconds=20))).job
    assert jobs.Get(v1.GetRequest(id=ended.id)).job == ended
    assert ended.state == v1.JOB_STATE_SUCCEEDED
    failed = [jobs.Wait(v1.WaitRequest(id=job.id)).job for job in batch.jobs]
    assert {job.state for job in failed} == {v1.JOB_STATE_FAILED}
    assert [job.id for job in jobs.List(v1.ListRequest(order_by="create_time")).jobs] == [
        ended.id,
        *(job.id for job in batch.jobs),
    ]
    (piece,) = jobs.ReadOutput(v1.ReadOutputRequest(id=ended.id))
    assert piece == v1.ReadOutputResponse(data=b"hello", eof=True)
    told = list(jobs.Stream(v1.StreamRequest(filter=v1.JobFilter(job_ids=[job.id for job in failed]))))
    assert [len(message.events) for message in told] == [2, 0]
    assert jobs.Retry(v1.RetryRequest(id=failed[0].id)).job.attempt == 0
    jobs.Wait(v1.WaitRequest(id=failed[0].id))
    assert jobs.Delete(v1.DeleteRequest(id=failed[1].id)) == v1.DeleteResponse()
    patient = jobs.Submit(v1.SubmitRequest(spec=spec("patient"))).job
    reach(at.client, patient, v1.JOB_STATE_RUNNING)
    assert jobs.Cancel(v1.CancelRequest(id=patient.id)).job.cancel_requested
    jobs.Wait(v1.WaitRequest(id=patient.id))
    assert jobs.Purge(v1.PurgeRequest(filter=v1.JobFilter())).purge_count == 3

    update = v1.UpdateQueueRequest(
        queue=v1.Queue(name="q", slots=3, paused=True), update_mask=FieldMask(paths=["slots"])
    )
    assert (queues.UpdateQueue(update).queue.slots, queues.UpdateQueue(update).queue.paused) == (3, False)
    assert queues.GetQueue(v1.GetQueueRequest(name="q")).queue.slots == 3
    page = queues.ListQueues(v1.ListQueuesRequest(page_size=1))
    assert [queue.name for queue in page.queues] == ["default"]
    rest = queues.ListQueues(v1.ListQueuesRequest(page_size=1, page_token=page.next_page_token))
    assert ([queue.name for queue in rest.queues], rest.next_page_token) == (["q"], "")
    assert queues.UpdateSlots(v1.UpdateSlotsRequest(slots=9)).slots == 9
    assert queues.ListSlots(v1.ListSlotsRequest()).free == 9
    stats = queues.GetStats(v1.GetStatsRequest())
    assert (stats.counters.submitted, stats.counters.deleted) == (4, 4)
    assert stats.revision == queues.ListSlots(v1.ListSlotsRequest()).revision
    (server,) = queues.ListServers(v1.ListServersRequest()).servers
    assert (server.local, server.slots, server.running, server.draining) == (True, 9, 0, False)
    assert server.address == at.address
    assert "hopeless" in server.kinds
    assert server.HasField("lease") == (store_kind == "postgres"), "a lease is for those who share the store"


def test_health(shared: Endpoint) -> None:
    stub: Any = health_pb2_grpc.HealthStub(shared.channel)
    for name in ("", *SERVICES):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    unknown = health_pb2.HealthCheckRequest(service="nowhere")
    assert failure(lambda: stub.Check(unknown)).code() == grpc.StatusCode.NOT_FOUND


def test_reflection(shared: Endpoint) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(shared.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="slotd.v1.JobService"),
        reflection_pb2.ServerReflectionRequest(file_by_filename="slotd/v1/job.proto"),
    ]
    listed, *files = stub.ServerReflectionInfo(iter(asked))
    names = {service.name for service in listed.list_services_response.service}
    assert names >= SERVICES | {"grpc.health.v1.Health"}
    assert all(answer.file_descriptor_response.file_descriptor_proto for answer in files)


def test_json_that_is_too_deep_fails_its_job_alone(shared: Endpoint) -> None:
    ended = shared.client.submit_and_wait("add", b"[" * 100_000, content_type="application/json")
    assert (ended.state, reason(ended), ended.attempt) == (v1.JOB_STATE_FAILED, "PAYLOAD_INVALID", 1)
    assert shared.client.submit_and_wait("idle").state == v1.JOB_STATE_SUCCEEDED


def test_a_filter_on_no_state_matches_nothing(shared: Endpoint) -> None:
    shared.client.submit_and_wait("idle")
    nothing = v1.JobFilter(states=[v1.JOB_STATE_UNSPECIFIED])
    assert not shared.jobs.List(v1.ListRequest(filter=nothing)).jobs
    assert shared.jobs.Purge(v1.PurgeRequest(filter=nothing)).purge_count == 0
    assert next(shared.jobs.Stream(v1.StreamRequest(filter=nothing))).synced


def test_a_wait_that_is_given_up_leaves_nothing_behind(shared: Endpoint) -> None:
    job = shared.client.submit("patient")
    for _ in range(20):
        call = shared.jobs.Wait.future(v1.WaitRequest(id=job.id))
        call.cancel()
    request = v1.WaitRequest(id=job.id)
    assert failure(lambda: shared.jobs.Wait(request, timeout=0.05)).code() == grpc.StatusCode.DEADLINE_EXCEEDED
    shared.client.cancel(job)
    assert shared.client.wait(job).state == v1.JOB_STATE_CANCELLED


def test_a_job_deleted_under_those_who_wait_for_it(shared: Endpoint) -> None:
    job = shared.client.submit("patient")
    waits = [shared.jobs.Wait.future(v1.WaitRequest(id=job.id)) for _ in range(3)]
    output = shared.jobs.ReadOutput(v1.ReadOutputRequest(id=job.id, follow=True))
    stream = shared.jobs.Stream(v1.StreamRequest(filter=v1.JobFilter(job_ids=[job.id])))
    assert next(stream).events[0].type == v1.EVENT_TYPE_SNAPSHOT
    shared.client.delete(job, force=True)
    # Each sees its end, or that it is gone, whichever it looks at.
    for wait in waits:
        assert outcome(wait.result) in (None, grpc.StatusCode.NOT_FOUND)
    assert outcome(lambda: list(output)) in (None, grpc.StatusCode.NOT_FOUND)
    types = [event.type for message in stream for event in message.events]
    assert types[-1] in (v1.EVENT_TYPE_CHANGED, v1.EVENT_TYPE_DELETED)
