"""How one stream begins, speaks, and ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from slotd import spec, v1
from tests.fundamentals.handlers import gate
from tests.rpc.wire import refusal
from tests.service import Endpoint, Start, reach

pytestmark = pytest.mark.every_store

SNAPSHOT, CHANGED, DELETED = v1.EVENT_TYPE_SNAPSHOT, v1.EVENT_TYPE_CHANGED, v1.EVENT_TYPE_DELETED


def on(*job_ids: str, cursor: str = "") -> v1.StreamRequest:
    return v1.StreamRequest(filter=v1.JobFilter(job_ids=job_ids), cursor=cursor)


def events(messages: Iterator[v1.StreamResponse]) -> list[tuple[int, str, int]]:
    """All to the end, which must come: type, job and state."""
    return [(event.type, event.job.id, event.job.state) for message in messages for event in message.events]


def cursor_now(at: Endpoint) -> str:
    return at.jobs.List(v1.ListRequest(page_size=1)).cursor


def test_a_stream_on_jobs_that_have_ended_tells_so_and_ends(shared: Endpoint) -> None:
    jobs = [shared.client.submit_and_wait("idle").id for _ in range(3)]
    stream = shared.jobs.Stream(on(*jobs))
    first, last = list(stream)
    assert [event.type for event in first.events] == [SNAPSHOT] * 3
    assert (first.cursor, last.synced, len(last.events)) == ("", True, 0)
    assert last.cursor
    assert stream.code() == grpc.StatusCode.OK


def test_a_stream_on_a_job_ends_with_its_end(shared: Endpoint) -> None:
    job = shared.client.submit("gated", "stream-end")
    reach(shared.client, job, v1.JOB_STATE_RUNNING)
    stream = shared.jobs.Stream(on(job.id))
    assert next(stream).events[0].job.state == v1.JOB_STATE_RUNNING
    gate("stream-end").set()
    assert events(stream) == [(CHANGED, job.id, v1.JOB_STATE_SUCCEEDED)]
    assert stream.code() == grpc.StatusCode.OK


def test_a_stream_on_a_job_ends_with_its_deletion(shared: Endpoint) -> None:
    job = shared.client.submit_and_wait("idle")
    cursor = cursor_now(shared)
    waiting = shared.client.submit("idle", schedule_time=datetime.now(UTC) + timedelta(days=365))
    stream = shared.jobs.Stream(on(job.id, waiting.id, cursor=cursor))
    assert next(stream).events
    shared.client.delete(job)
    shared.client.delete(waiting, force=True)
    told = events(stream)
    assert (DELETED, job.id, v1.JOB_STATE_SUCCEEDED) in told
    # It ends with the cancellation, which is a moment before the deletion.
    assert (CHANGED, waiting.id, v1.JOB_STATE_CANCELLED) in told
    assert stream.code() == grpc.StatusCode.OK


def test_a_stream_from_a_cursor_on_a_job_that_is_gone_ends(shared: Endpoint) -> None:
    cursor = cursor_now(shared)
    job = shared.client.submit_and_wait("idle")
    shared.client.delete(job)
    told = events(shared.jobs.Stream(on(job.id, cursor=cursor)))
    assert [kind for kind, _, _ in told] == [v1.EVENT_TYPE_CREATED, CHANGED, CHANGED, DELETED]
    assert events(shared.jobs.Stream(on(job.id, cursor=cursor_now(shared)))) == []


def test_one_unknown_id_among_others_refuses_the_stream(shared: Endpoint) -> None:
    job = shared.client.submit_and_wait("idle")
    missing = job.id[:-4] + "0000"
    refused = refusal(lambda: shared.jobs.Stream(on(job.id, missing)))
    assert refused[:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")


def test_a_retried_job_keeps_its_stream_open(shared: Endpoint) -> None:
    job = shared.client.submit("gated", "keep-open")
    failed = shared.client.submit_and_wait("hopeless", "x")
    stream = shared.jobs.Stream(on(job.id, failed.id))
    assert len(next(stream).events) == 2
    shared.client.retry(failed)
    shared.client.wait(failed)
    gate("keep-open").set()
    told = events(stream)
    states = [state for _, job_id, state in told if job_id == failed.id]
    assert states == [v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING, v1.JOB_STATE_FAILED]
    assert told[-1][2] == v1.JOB_STATE_SUCCEEDED


def test_heartbeats_carry_the_cursor_on_though_nothing_matches(start: Start) -> None:
    at = start(heartbeat=0.2).at
    stream = at.jobs.Stream(v1.StreamRequest(filter=v1.JobFilter(queues=["silent"])))
    assert next(stream).synced
    quiet = next(stream)
    assert (quiet.heartbeat, quiet.revision, quiet.synced) == (True, 0, False)
    job = at.client.submit_and_wait("idle")
    message = quiet
    while message.revision < job.revision:
        message = next(stream)
        assert message.heartbeat
        assert not message.events
    # From there on nothing of the job is told again.
    later = at.jobs.Stream(v1.StreamRequest(cursor=message.cursor))
    assert (next(later).synced, next(later).heartbeat) == (True, True)


def test_many_events_travel_together_and_a_lone_one_is_not_held_back(start: Start) -> None:
    at = start(heartbeat=60.0).at
    cursor = cursor_now(at)
    at.client.update_queue("paused", paused=True)
    at.client.submit_batch([spec("idle", queue="paused") for _ in range(1000)])
    stream = at.jobs.Stream(v1.StreamRequest(cursor=cursor))
    sizes = []
    for message in stream:
        sizes.append(len(message.events))
        if message.synced:
            break
    assert sum(sizes) == 1000
    assert len(sizes) <= 6
    at.client.submit("idle", queue="paused")
    assert len(next(stream).events) == 1


def test_the_basic_view_has_no_data_and_the_full_one_has(shared: Endpoint) -> None:
    cursor = cursor_now(shared)
    job = shared.client.submit_and_wait("reverse", b"abc")
    for view, data in ((v1.JOB_VIEW_UNSPECIFIED, b""), (v1.JOB_VIEW_BASIC, b""), (v1.JOB_VIEW_FULL, b"cba")):
        request = on(job.id, cursor=cursor)
        request.view = view
        told = [event for message in shared.jobs.Stream(request) for event in message.events]
        assert told[-1].job.result.data == data
        assert told[-1].job.result.content_type == "application/octet-stream"
        assert (told[-1].job == job) == (view == v1.JOB_VIEW_FULL)


def test_large_payloads_are_cut_into_messages_that_clients_take(shared: Endpoint) -> None:
    jobs = [shared.client.submit("reverse", bytes([number]) * (1 << 20)) for number in range(8)]
    for job in jobs:
        shared.client.wait(job)
    request = on(*(job.id for job in jobs))
    request.view = v1.JOB_VIEW_FULL
    told = [event.job for message in shared.jobs.Stream(request) for event in message.events]
    assert [len(job.result.data) for job in told] == [1 << 20] * 8


@pytest.mark.parametrize("delivery", [v1.DELIVERY_EVERY, v1.DELIVERY_LATEST])
def test_progress_is_told_to_those_who_ask(shared: Endpoint, delivery: v1.Delivery.ValueType) -> None:
    cursor = cursor_now(shared)
    job = shared.client.submit_and_wait("count", 300)
    told: dict[bool, list[v1.JobEvent]] = {}
    for progress in (False, True):
        request = on(job.id, cursor=cursor)
        request.delivery, request.include_progress = delivery, progress
        told[progress] = [event for message in shared.jobs.Stream(request) for event in message.events]
        assert told[progress][-1].job == shared.jobs.Get(v1.GetRequest(id=job.id, view=v1.JOB_VIEW_BASIC)).job
    if delivery == v1.DELIVERY_EVERY:
        transitions = [event for event in told[True] if event.previous_state != event.job.state]
        assert transitions == told[False]
    else:
        assert len(told[True]) == len(told[False]) == 1
