"""Watching jobs: a snapshot, then every change, from any place and with nothing missed."""

from itertools import pairwise

import pytest

import slotd
from slotd import Client
from slotd.v1 import (
    DELIVERY_LATEST,
    EVENT_TYPE_CHANGED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_LEFT_FILTER,
    EVENT_TYPE_SNAPSHOT,
    JOB_STATE_CANCELLED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SUCCEEDED,
    SubmitRequest,
)
from tests.fundamentals.handlers import gate
from tests.service import Start

pytestmark = pytest.mark.every_store


def test_a_stream_begins_with_the_jobs_as_they_are(client: Client) -> None:
    jobs = [client.submit_and_wait("idle") for _ in range(3)]
    with client.stream() as stream:
        messages = stream.messages()
        snapshot = next(messages)
        assert [event.type for event in snapshot.events] == [EVENT_TYPE_SNAPSHOT] * 3
        assert [event.job.id for event in snapshot.events] == [job.id for job in jobs]
        synced = next(messages)
        assert (synced.synced, synced.revision, len(synced.events)) == (True, jobs[-1].revision, 0)


def test_a_stream_goes_on_with_every_transition_in_order(client: Client) -> None:
    with client.stream(cursor=client.list_page().cursor) as events:
        job = client.submit("idle")
        told = [next(events) for _ in range(3)]
    assert [(event.type, event.previous_state, event.job.state) for event in told] == [
        (EVENT_TYPE_CREATED, 0, JOB_STATE_QUEUED),
        (EVENT_TYPE_CHANGED, JOB_STATE_QUEUED, JOB_STATE_RUNNING),
        (EVENT_TYPE_CHANGED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED),
    ]
    assert {event.job.id for event in told} == {job.id}
    assert all(earlier.revision < later.revision for earlier, later in pairwise(told))


def test_a_stream_on_jobs_ends_when_the_last_of_them_has(client: Client) -> None:
    jobs = client.submit_batch([slotd.spec("idle") for _ in range(5)])
    with client.stream(job_ids=jobs) as events:
        last = {event.job.id: event.job.state for event in events}
    assert last == {job.id: JOB_STATE_SUCCEEDED for job in jobs}


def test_a_stream_from_the_cursor_of_a_submit_misses_nothing_of_the_job(client: Client) -> None:
    answer = client.send_submit(SubmitRequest(spec=slotd.spec("idle")))
    client.wait(answer.job)
    with client.stream(job_ids=answer.job, cursor=answer.cursor) as events:
        assert [event.job.state for event in events] == [JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED]


def test_a_stream_from_the_cursor_of_a_list_misses_nothing(client: Client) -> None:
    before = client.submit_and_wait("idle")
    pages = client.list(page_size=1).pages()
    first = next(pages)
    after = client.submit_and_wait("idle")
    assert [job.id for job in first.jobs] == [before.id]
    with client.stream(cursor=first.cursor, kinds="idle") as events:
        assert [next(events).job.id for _ in range(3)] == [after.id] * 3


def test_a_stream_goes_on_where_another_was_left(client: Client) -> None:
    cursor = client.list_page().cursor
    told = []
    for _ in range(3):
        client.submit_and_wait("idle")
        with client.stream(cursor=cursor) as events:
            told.append(next(events).revision)
            # The cursor moves behind a message once all its events have been handed out.
            while events.cursor == cursor:
                told.append(next(events).revision)
            cursor = events.cursor
    assert told == list(range(1, 10))


def test_cursors_outlive_the_service(start: Start, durable_url: str) -> None:
    service = start(store=durable_url)
    answer = service.at.client.send_submit(SubmitRequest(spec=slotd.spec("idle")))
    service.at.client.wait(answer.job)
    service.stop()
    service.start()
    with service.at.client.stream(job_ids=answer.job, cursor=answer.cursor) as events:
        assert [event.job.state for event in events] == [JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED]


def test_latest_may_skip_steps_but_never_the_end(client: Client) -> None:
    answer = client.send_submit(SubmitRequest(spec=slotd.spec("stumble", 3)))
    client.wait(answer.job)
    with client.stream(job_ids=answer.job, cursor=answer.cursor, delivery=DELIVERY_LATEST) as events:
        # All of it had happened: one event tells the whole.
        (event,) = events
    assert (event.previous_state, event.job.state) == (JOB_STATE_QUEUED, JOB_STATE_SUCCEEDED)


def test_a_job_that_no_longer_matches_is_told_as_having_left(client: Client) -> None:
    with client.stream(cursor=client.list_page().cursor, states="running") as events:
        job = client.submit("gated", "leave")
        entered = next(events)
        gate("leave").set()
        left = next(events)
    assert (entered.type, entered.job.state, entered.job.id) == (EVENT_TYPE_CHANGED, JOB_STATE_RUNNING, job.id)
    assert (left.type, left.job.state, left.job.id) == (EVENT_TYPE_LEFT_FILTER, JOB_STATE_SUCCEEDED, job.id)


def test_a_deleted_job_leaves_a_tombstone_with_its_last_copy(client: Client) -> None:
    job = client.submit_and_wait("idle", labels={"of": "interest"})
    with client.stream(labels={"of": "interest"}) as events:
        assert next(events).type == EVENT_TYPE_SNAPSHOT
        client.delete(job)
        gone = next(events)
    assert (gone.type, gone.job.id, gone.job.state) == (EVENT_TYPE_DELETED, job.id, JOB_STATE_SUCCEEDED)


def test_several_events_travel_in_one_message_when_they_are_there(client: Client) -> None:
    cursor = client.list_page().cursor
    jobs = client.submit_batch([slotd.spec("idle") for _ in range(100)])
    for job in jobs:
        client.wait(job)
    with client.stream(cursor=cursor) as stream:
        first = next(stream.messages())
    assert len(first.events) > 100


def test_a_stream_with_nothing_to_say_shows_that_it_lives(start: Start) -> None:
    client = start(heartbeat=0.1).at.client
    client.submit_and_wait("idle")
    with client.stream() as stream:
        beat = next(message for message in stream.messages() if message.heartbeat)
    with client.stream(cursor=beat.cursor) as events:
        job = client.submit("patient")
        assert next(events).job.id == job.id
        client.cancel(job)
        assert next(event.job.state for event in events if event.job.end_time.seconds) == JOB_STATE_CANCELLED
