"""Each method of orchestration once through, over the wire: graphs, groups, claims, changes in bulk, and schedules."""

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import spec, v1
from tests.fundamentals.handlers import gate
from tests.service import Endpoint, Start, reach, reason

pytestmark = pytest.mark.every_store


@pytest.fixture
def at(start: Start) -> Endpoint:
    """A service of its own, with slots to spare."""
    return start(slots=8).at


@pytest.fixture
def schedules(at: Endpoint) -> v1.ScheduleServiceStub:
    return v1.ScheduleServiceStub(at.channel)


def submit(at: Endpoint, kind: str = "idle", payload: object = None, **fields: Any) -> v1.Job:
    return at.jobs.Submit(v1.SubmitRequest(spec=spec(kind, payload, **fields))).job


def on(*job_ids: str, **fields: Any) -> list[v1.Dependency]:
    return [v1.Dependency(job_id=job_id, **fields) for job_id in job_ids]


def held(at: Endpoint, number: int, **fields: Any) -> list[str]:
    """The ids of jobs that wait in a queue that is paused."""
    at.client.update_queue("held", paused=True)
    return [submit(at, queue="held", **fields).id for _ in range(number)]


def states(at: Endpoint, job_ids: Sequence[str]) -> list[str]:
    jobs = [at.jobs.Get(v1.GetRequest(id=job_id)).job for job_id in job_ids]
    return [v1.JobState.Name(job.state).removeprefix("JOB_STATE_") for job in jobs]


def told(at: Endpoint, cursor: str, **fields: Any) -> list[tuple[str, str]]:
    """What a stream with this filter tells from a cursor up to now: job ids and states."""
    seen = []
    for message in at.jobs.Stream(v1.StreamRequest(cursor=cursor, filter=v1.JobFilter(**fields))):
        seen += [(event.job.id, v1.JobState.Name(event.job.state)) for event in message.events]
        if message.synced:
            break
    return seen


def test_a_graph_is_one_call(at: Endpoint) -> None:
    def node(ref: str, *awaited: str, **fields: Any) -> v1.SubmitRequest:
        depends_on = [v1.Dependency(ref=one) for one in awaited]
        return v1.SubmitRequest(ref=ref, spec=spec("gated", "graph", depends_on=depends_on, **fields))

    nodes = [node("last", "left", "right"), node("left", "first"), node("right", "first"), node("first")]
    answer = at.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=nodes))
    last, left, right, first = answer.jobs
    assert [list(job.blocked_by) for job in (left, right)] == [[f"jobs/{first.id}"]] * 2
    assert list(last.blocked_by) == [f"jobs/{left.id}", f"jobs/{right.id}"]
    assert [edge.job_id for edge in last.spec.depends_on] == [left.id, right.id]
    reach(at.client, first, v1.JOB_STATE_RUNNING)
    assert states(at, [left.id, right.id, last.id]) == ["BLOCKED"] * 3
    gate("graph").set()
    assert at.client.wait(last.id).state == v1.JOB_STATE_SUCCEEDED
    ended = [job for job, state in told(at, answer.cursor) if state == "JOB_STATE_SUCCEEDED"]
    assert (ended[0], ended[-1]) == (first.id, last.id)


def test_a_failure_takes_its_dependents_and_a_retry_brings_them_back(at: Endpoint) -> None:
    first = submit(at, "stumble", 2, max_attempts=1)
    second = submit(at, depends_on=on(first.id))
    third = submit(at, depends_on=on(second.id))
    ends = submit(at, depends_on=on(first.id, condition=v1.DEPENDENCY_CONDITION_ENDED))
    failed = at.client.wait(third.id)
    assert (failed.state, reason(failed)) == (v1.JOB_STATE_FAILED, "DEPENDENCY_FAILED")
    assert f"jobs/{second.id}" in failed.error.message
    assert at.client.wait(ends.id).state == v1.JOB_STATE_SUCCEEDED
    at.client.update_queue("default", paused=True)
    at.jobs.Retry(v1.RetryRequest(id=first.id, dependents=True))
    assert states(at, [first.id, second.id, third.id]) == ["QUEUED", "BLOCKED", "BLOCKED"]


def test_a_group_from_its_first_job_to_its_callback(at: Endpoint) -> None:
    jobs = [submit(at, "gated", "group", group="nightly") for _ in range(2)]
    callback = submit(at, depends_on=[v1.Dependency(group="nightly")])
    assert list(callback.blocked_by) == ["groups/nightly"]
    for job in jobs:
        reach(at.client, job, v1.JOB_STATE_RUNNING)
    answer = at.jobs.GetGroup(v1.GetGroupRequest(name="nightly"))
    assert answer.group == v1.Group(name="nightly", jobs=2, running=2, progress=v1.Progress(total=2))
    gate("group").set()
    assert at.client.wait(callback.id).state == v1.JOB_STATE_SUCCEEDED
    ids = sorted(job.id for job in jobs)
    assert sorted(told(at, answer.cursor, groups=["nightly"])) == [(job_id, "JOB_STATE_SUCCEEDED") for job_id in ids]
    after = at.jobs.GetGroup(v1.GetGroupRequest(name="nightly"))
    assert (after.group.succeeded, after.group.progress.done) == (2, 2)
    assert after.revision > answer.revision
    listed = at.jobs.List(v1.ListRequest(filter=v1.JobFilter(groups=["nightly"]))).jobs
    assert sorted(job.id for job in listed) == ids


def test_a_group_is_cancelled(at: Endpoint) -> None:
    waiting = held(at, 3, group="g")
    running = submit(at, "patient", group="g")
    reach(at.client, running, v1.JOB_STATE_RUNNING)
    assert at.jobs.CancelGroup(v1.CancelGroupRequest(name="g", validate_only=True)).cancel_count == 4
    assert at.jobs.CancelGroup(v1.CancelGroupRequest(name="g")).cancel_count == 4
    assert at.client.wait(running.id).state == v1.JOB_STATE_CANCELLED
    assert states(at, waiting) == ["CANCELLED"] * 3


def test_claims_are_held_in_the_order_of_submission(at: Endpoint) -> None:
    shared = v1.ResourceClaim(name="repo/a", mode=v1.RESOURCE_MODE_SHARED)
    readers = [submit(at, "gated", "claims", resources=[shared]) for _ in range(2)]
    writer = submit(at, resources=[v1.ResourceClaim(name="repo/*")])
    late = submit(at, resources=[shared])
    other = submit(at, resources=[v1.ResourceClaim(name="disk")])
    assert at.client.wait(other.id).state == v1.JOB_STATE_SUCCEEDED
    for reader in readers:
        reach(at.client, reader, v1.JOB_STATE_RUNNING)
    assert list(writer.blocked_by) == ["resources/repo/*"]
    assert list(late.blocked_by) == ["resources/repo/a"]
    assert writer.spec.resources[0].mode == v1.RESOURCE_MODE_EXCLUSIVE
    gate("claims").set()
    assert at.client.wait(late.id).start_time.ToNanoseconds() >= at.client.wait(writer.id).end_time.ToNanoseconds()


def test_the_jobs_of_a_key_have_so_many_slots(at: Endpoint) -> None:
    settings = v1.Queue(
        name="tenants", slots_per_key=1, rate_limit=v1.RateLimit(starts_per_second=1000, burst=9), retain_count=5
    )
    queue = at.queues.UpdateQueue(v1.UpdateQueueRequest(queue=settings)).queue
    assert (queue.slots_per_key, queue.rate_limit, queue.retain_count) == (1, settings.rate_limit, 5)
    first, second, other = [
        submit(at, "gated", "keys", queue="tenants", concurrency_key=key) for key in ("a", "a", "b")
    ]
    reach(at.client, other, v1.JOB_STATE_RUNNING)
    assert list(at.jobs.Get(v1.GetRequest(id=second.id)).job.blocked_by) == ["keys/a"]
    gate("keys").set()
    assert at.client.wait(second.id).state == v1.JOB_STATE_SUCCEEDED
    assert first.spec.concurrency_key == "a"


def test_a_unique_job_is_there_once(at: Endpoint) -> None:
    (first,) = held(at, 1, unique_key="only")
    assert held(at, 1, unique_key="only") == [first]
    (newer,) = held(at, 1, unique_key="only", unique_conflict=v1.UNIQUE_CONFLICT_REPLACE)
    assert states(at, [first, newer]) == ["CANCELLED", "QUEUED"]


def test_a_waiting_job_is_updated(at: Endpoint) -> None:
    (job_id,) = held(at, 1, labels={"a": "1"})
    later = Timestamp(seconds=4_000_000_000)
    wanted = v1.JobSpec(priority=9, labels={"b": "2"}, schedule_time=later)
    mask = FieldMask(paths=["priority", "labels", "schedule_time"])
    job = at.jobs.Update(v1.UpdateRequest(id=job_id, spec=wanted, update_mask=mask)).job
    assert (job.state, job.spec.priority, dict(job.spec.labels)) == (v1.JOB_STATE_SCHEDULED, 9, {"b": "2"})
    mask = FieldMask(paths=["queue", "schedule_time"])
    moved = v1.UpdateRequest(id=job_id, spec=v1.JobSpec(queue="default"), update_mask=mask, revision=job.revision)
    at.jobs.Update(moved)
    assert at.client.wait(job_id).state == v1.JOB_STATE_SUCCEEDED


def test_many_jobs_at_once(at: Endpoint) -> None:
    ids = held(at, 5, labels={"batch": "1"})
    (other,) = held(at, 1)
    mine = v1.JobFilter(labels={"batch": "1"})
    for validate_only in (True, False):
        cancelled = at.jobs.BulkCancel(v1.BulkCancelRequest(filter=mine, validate_only=validate_only))
        assert cancelled.cancel_count == 5
    assert states(at, ids) == ["CANCELLED"] * 5
    for validate_only in (True, False):
        retried = at.jobs.BulkRetry(v1.BulkRetryRequest(filter=mine, validate_only=validate_only))
        assert retried.retry_count == 5
    assert states(at, ids) == ["QUEUED"] * 5
    assert at.jobs.BulkDelete(v1.BulkDeleteRequest(filter=mine)).delete_count == 0
    running = submit(at, "patient", labels={"batch": "1"})
    reach(at.client, running, v1.JOB_STATE_RUNNING)
    counted = at.jobs.BulkDelete(v1.BulkDeleteRequest(filter=mine, force=True, validate_only=True))
    assert counted.delete_count == 6
    # The answer comes when the one that runs has stopped.
    assert at.jobs.BulkDelete(v1.BulkDeleteRequest(filter=mine, force=True)).delete_count == 6
    assert [job.id for job in at.jobs.List(v1.ListRequest()).jobs] == [other]


def test_a_schedule_from_its_making_to_its_end(at: Endpoint, schedules: v1.ScheduleServiceStub) -> None:
    wanted = v1.Schedule(name="yearly", spec=spec("idle"), cron="0 3 1 1 *", time_zone="Europe/Berlin")
    checked = schedules.Create(v1.ScheduleServiceCreateRequest(schedule=wanted, validate_only=True)).schedule
    made = schedules.Create(v1.ScheduleServiceCreateRequest(schedule=wanted)).schedule
    assert checked.next_fire_times == made.next_fire_times
    assert len(made.next_fire_times) == 5
    assert schedules.Get(v1.ScheduleServiceGetRequest(name="yearly")).schedule == made
    assert list(schedules.List(v1.ScheduleServiceListRequest()).schedules) == [made]

    answer = schedules.Trigger(v1.ScheduleServiceTriggerRequest(name="yearly", request_id="once"))
    again = schedules.Trigger(v1.ScheduleServiceTriggerRequest(name="yearly", request_id="once"))
    assert again.job.id == answer.job.id
    assert answer.job.schedule == "yearly"
    assert at.client.wait(answer.job.id).state == v1.JOB_STATE_SUCCEEDED
    seen = told(at, answer.cursor, schedules=["yearly"])
    assert seen[-1] == (answer.job.id, "JOB_STATE_SUCCEEDED")

    paused = schedules.Pause(v1.ScheduleServicePauseRequest(name="yearly")).schedule
    assert (paused.paused, list(paused.next_fire_times), paused.fire_count) == (True, [], 1)
    assert not schedules.Resume(v1.ScheduleServiceResumeRequest(name="yearly")).schedule.paused
    update = v1.Schedule(name="yearly", interval=Duration(seconds=86_400))
    after = schedules.Update(v1.ScheduleServiceUpdateRequest(schedule=update)).schedule
    assert (after.cron, after.interval) == ("", update.interval)
    assert list(after.recent_job_ids) == [answer.job.id]

    schedules.Delete(v1.ScheduleServiceDeleteRequest(name="yearly"))
    assert not schedules.List(v1.ScheduleServiceListRequest()).schedules
    assert states(at, [answer.job.id]) == ["SUCCEEDED"]


def test_a_schedule_fires_by_itself(at: Endpoint, schedules: v1.ScheduleServiceStub) -> None:
    cursor = at.jobs.List(v1.ListRequest()).cursor
    wanted = v1.Schedule(name="often", spec=spec("idle"), interval=Duration(seconds=1))
    schedules.Create(v1.ScheduleServiceCreateRequest(schedule=wanted))
    stream = at.jobs.Stream(v1.StreamRequest(cursor=cursor, filter=v1.JobFilter(schedules=["often"])), timeout=20)
    event = next(event for message in stream for event in message.events)
    stream.cancel()
    assert (event.type, event.job.schedule) == (v1.EVENT_TYPE_CREATED, "often")
    schedule = schedules.Get(v1.ScheduleServiceGetRequest(name="often")).schedule
    assert event.job.id in schedule.recent_job_ids
    assert event.job.fire_time.ToMicroseconds() == schedule.create_time.ToMicroseconds() + 1_000_000
