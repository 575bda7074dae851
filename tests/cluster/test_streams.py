"""One log for all servers: who reads it, and through whom, sees each event once and in order."""

import base64
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import grpc
import pytest

import slotd
from slotd import v1
from tests.cluster.log import assert_gapless, cursor_now, revision_now, told
from tests.fundamentals.handlers import gate
from tests.service import LocalService, Start


def _later(cursor: str, revisions: int) -> str:
    """The cursor of a position that is so many revisions later."""
    data = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    data[-8:] = (int.from_bytes(data[-8:]) + revisions).to_bytes(8)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_all_servers_tell_the_same_of_what_all_have_done(three: list[LocalService]) -> None:
    cursor = cursor_now(three[0].at)
    with ThreadPoolExecutor(6) as pool:
        kinds = [("count", 5), ("print", ["a", "b"]), ("stumble", 2), ("add", [1, 2]), ("hopeless", "why")]
        work = zip(range(120), cycle(three), cycle(kinds))
        jobs = list(pool.map(lambda one: one[1].at.client.submit(*one[2]), work))
        list(pool.map(three[0].at.client.wait, jobs))
    end = revision_now(three[0].at)
    one, other, third = (told(service.at, cursor, end) for service in three)
    assert one[-1].revision == end
    assert one == other == third


def test_a_stream_sees_every_revision_while_all_are_writing(three: list[LocalService]) -> None:
    """Also the subscriber of a server whose own events have to wait for others' that came before."""
    cursor = cursor_now(three[0].at)

    def follow(service: LocalService) -> list[v1.JobEvent]:
        events: list[v1.JobEvent] = []
        with service.at.client.stream(cursor=cursor, include_progress=True) as stream:
            for event in stream:
                events.append(event)
                if event.job.spec.queue == "last":
                    break
        return events

    def write(service: LocalService) -> None:
        for _ in range(20):
            service.at.client.submit_and_wait("count", 3)

    with ThreadPoolExecutor(6) as pool:
        followers = [pool.submit(follow, service) for service in three]
        list(pool.map(write, three))
        last = three[0].at.client.submit("idle", queue="last")
        records = [follower.result() for follower in followers]
    for record in records:
        assert_gapless(record)
        assert record[-1].revision == last.revision
    assert records[0] == records[1] == records[2]


def test_a_cursor_goes_from_server_to_server(three: list[LocalService]) -> None:
    cursor = start = cursor_now(three[0].at)
    events: list[v1.JobEvent] = []
    services = cycle(three)
    for _ in range(9):
        writer, reader = next(services), next(services)
        writer.at.client.submit_and_wait("idle")
        end = revision_now(writer.at)
        call = reader.at.jobs.Stream(v1.StreamRequest(cursor=cursor, include_progress=True))
        for message in call:
            events += message.events
            cursor = message.cursor
            if message.revision >= end:
                break
        call.cancel()
    assert_gapless(events)
    assert events == told(three[2].at, start)


def test_a_cursor_outlives_the_server_that_gave_it(three: list[LocalService]) -> None:
    cursors = [cursor_now(service.at) for service in three]
    first = three[0].at.client.submit_and_wait("idle")
    three[0].stop()
    second = three[1].at.client.submit_and_wait("idle")
    expected = [first.id] * 3 + [second.id] * 3
    for cursor in cursors:
        assert [event.job.id for event in told(three[2].at, cursor)] == expected
    three[0].start()
    assert [event.job.id for event in told(three[0].at, cursors[1])] == expected


def test_the_cursor_of_a_new_server_is_good_on_an_old_one_and_the_other_way_round(start: Start) -> None:
    old = start()
    before = cursor_now(old.at)
    new = start()
    after = cursor_now(new.at)
    job = old.at.client.submit_and_wait("idle")
    for service in (old, new):
        for cursor in (before, after):
            assert {event.job.id for event in told(service.at, cursor)} == {job.id}
    # Of what came after the new one's start, the old one's cursors tell too.
    late = cursor_now(old.at)
    last = new.at.client.submit_and_wait("idle")
    for service in (old, new):
        assert {event.job.id for event in told(service.at, late)} == {last.id}


def test_a_cursor_ahead_of_what_there_is_is_refused_by_all(three: list[LocalService]) -> None:
    """Its revision counts what others have done, so it may be ahead of what this server has read, but no further."""
    for service in three:
        cursor = cursor_now(service.at)
        forged = _later(cursor, 1_000)
        with pytest.raises(grpc.RpcError) as refused:
            next(three[0].at.jobs.Stream(v1.StreamRequest(cursor=forged)))
        assert refused.value.code() is grpc.StatusCode.OUT_OF_RANGE


def test_a_stream_on_jobs_ends_when_they_have_ended_elsewhere(start: Start) -> None:
    start(slots=1)
    asked = start(slots=0)
    jobs = asked.at.client.submit_batch([slotd.spec("gated", "ends") for _ in range(3)])
    with asked.at.client.stream(job_ids=jobs) as events:
        assert next(events).type == v1.EVENT_TYPE_SNAPSHOT
        gate("ends").set()
        last = {event.job.id: event.job.state for event in events}
    assert last == {job.id: v1.JOB_STATE_SUCCEEDED for job in jobs}


def test_what_a_stream_begins_with_is_never_behind_what_the_caller_has_seen(three: list[LocalService]) -> None:
    """The snapshot is the store's, whatever this server has read of the log."""
    for writer, reader in zip(cycle(three), [*three[1:], *three] * 3):
        job = writer.at.client.submit("idle")
        with reader.at.client.stream(job_ids=job) as events:
            first = next(events)
            assert (first.type, first.job.id) == (v1.EVENT_TYPE_SNAPSHOT, job.id)
            assert first.job.revision >= job.revision
