"""Streams that are cut at every point, against a model of the service; output and waits likewise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeVar

import grpc_testing
import pytest

import slotd
from slotd.outage import Outage
from slotd.progress import EventProgress, OutputProgress, WaitProgress
from slotd.v1 import job_pb2, job_service_pb2
from tests.client.scripted import STEADY, event, job, message, pairs, snapshot

T = TypeVar("T")

DELETED = job_service_pb2.EVENT_TYPE_DELETED


class Model:
    """A service's event log, told in messages of one or two events each; time passes between the calls."""

    def __init__(self) -> None:
        self.log: list[job_service_pb2.JobEvent] = []

    def happen(self, job_id: str, type: job_service_pb2.EventType.ValueType | None = None) -> None:
        """One more event, of the next revision."""
        self.log.append(event(job_id, len(self.log) + 1, type or job_service_pb2.EVENT_TYPE_CHANGED))

    def table(self) -> dict[str, int]:
        """The jobs there are, and the revision of each."""
        jobs: dict[str, int] = {}
        for one in self.log:
            if one.type == DELETED:
                jobs.pop(one.job.id, None)
            else:
                jobs[one.job.id] = one.revision
        return jobs

    def stream(self, request: job_service_pb2.StreamRequest) -> Iterator[job_service_pb2.StreamResponse]:
        """What one call tells up to now."""
        now = len(self.log)
        if request.cursor:
            start = int(request.cursor)
        else:
            yield from (
                message(*(snapshot(*one) for one in part), revision=now)
                for part in in_twos(sorted(self.table().items()))
            )
            start = now
        for part in in_twos(self.log[start:now]):
            yield message(*part, cursor=str(part[-1].revision), revision=part[-1].revision)
        yield message(cursor=str(now), revision=now, synced=True)
        yield message(cursor=str(now), revision=now, heartbeat=True)


def in_twos(things: list[T]) -> Iterator[list[T]]:
    """Things in pairs, the last one perhaps alone."""
    for start in range(0, len(things), 2):
        yield things[start : start + 2]


class Table:
    """A reader's view, replayed from what is handed out."""

    def __init__(self) -> None:
        self.jobs: dict[str, int] = {}
        self.live: list[int] = []
        self.told: list[tuple[str, int]] = []

    def take(self, one: job_service_pb2.JobEvent) -> None:
        """Replays an event."""
        self.told.append((one.job.id, one.revision))
        if one.type == DELETED:
            del self.jobs[one.job.id]
        else:
            self.jobs[one.job.id] = one.revision
        if one.type != job_service_pb2.EVENT_TYPE_SNAPSHOT:
            self.live.append(one.revision)


def read(progress: EventProgress, model: Model, table: Table, messages: int) -> None:
    """One call that is cut after so many messages."""
    for one in itertools.islice(model.stream(progress.request()), messages):
        progress.queue(progress.receive(one))
        while (found := progress.next_event()) is not None:
            table.take(found)


@pytest.mark.parametrize("first", range(8))
@pytest.mark.parametrize("second", range(8))
def test_no_gap_and_no_duplicate_wherever_it_is_cut(first: int, second: int) -> None:
    model, table = Model(), Table()
    progress = EventProgress(job_service_pb2.StreamRequest())
    for name in "abcde":
        model.happen(name)
    read(progress, model, table, first)
    model.happen("b")
    model.happen("e", DELETED)
    model.happen("f")
    read(progress, model, table, second)
    model.happen("a")
    model.happen("f")
    model.happen("c", DELETED)
    read(progress, model, table, 99)
    # What a cut snapshot told of jobs that were gone before the next one came is named, not guessed at.
    for gone in progress.vanished:
        del table.jobs[gone]
    assert table.jobs == model.table()
    assert len(table.told) == len(set(table.told)), "something was handed out twice"
    assert table.live == sorted(set(table.live))
    if table.live:
        assert table.live == list(range(table.live[0], len(model.log) + 1)), "a gap"
    assert progress.synced
    assert progress.cursor == str(len(model.log))
    assert progress.revision == len(model.log)


def test_a_second_snapshot_tells_only_what_is_new_or_changed() -> None:
    progress = EventProgress(job_service_pb2.StreamRequest())
    assert pairs(progress.receive(message(snapshot("a", 1), snapshot("b", 2))).events) == [("a", 1), ("b", 2)]
    assert progress.request().cursor == ""
    assert pairs(progress.receive(message(snapshot("b", 2), snapshot("c", 7))).events) == [("c", 7)]
    assert progress.request().cursor == ""
    again = progress.receive(message(snapshot("b", 8), snapshot("c", 7)))
    assert pairs(again.events) == [("b", 8)]
    progress.receive(message(cursor="9", synced=True))
    assert progress.vanished == {"a"}
    assert progress.request().cursor == "9"


def test_the_cursor_moves_with_the_last_event_of_a_message() -> None:
    progress = EventProgress(job_service_pb2.StreamRequest(cursor="3"))
    assert progress.cursor == "3"
    progress.queue(progress.receive(message(event("a", 4), event("a", 5), cursor="5", revision=5, synced=True)))
    assert (progress.cursor, progress.synced) == ("3", False)
    progress.next_event()
    assert (progress.cursor, progress.revision, progress.synced) == ("3", 0, False)
    # A cut here does not ask again for what is already at hand.
    assert progress.request().cursor == "5"
    progress.next_event()
    assert (progress.cursor, progress.revision, progress.synced) == ("5", 5, True)
    assert progress.next_event() is None


def test_the_request_keeps_its_filter() -> None:
    request = job_service_pb2.StreamRequest(
        filter=job_pb2.JobFilter(queues=["q"]), delivery=job_service_pb2.DELIVERY_LATEST, include_progress=True
    )
    progress = EventProgress(request)
    assert progress.request() == request
    progress.receive(message(cursor="7", synced=True))
    request.cursor = "7"
    assert progress.request() == request


def test_output_goes_on_from_the_byte_where_it_was_cut() -> None:
    progress = OutputProgress(job_service_pb2.ReadOutputRequest(id="a", offset=2, follow=True))
    assert progress.request().offset == 2
    assert progress.receive(job_service_pb2.ReadOutputResponse(offset=2, data=b"cd")) == b"cd"
    assert progress.request() == job_service_pb2.ReadOutputRequest(id="a", offset=4, follow=True)
    # A service that sends whole blocks again is not a reason to hand bytes out twice.
    assert progress.receive(job_service_pb2.ReadOutputResponse(offset=0, data=b"abcdef")) == b"ef"
    assert progress.receive(job_service_pb2.ReadOutputResponse(offset=0, data=b"abc")) == b""
    assert progress.offset == 6
    assert (progress.ended, progress.truncated) == (False, False)
    assert progress.receive(job_service_pb2.ReadOutputResponse(offset=6, eof=True, truncated=True)) == b""
    assert (progress.ended, progress.truncated) == (True, True)


def test_a_long_wait_is_a_row_of_short_ones() -> None:
    time = grpc_testing.strict_fake_time(0.0)
    progress = WaitProgress("a", None, 45.0, Outage(STEADY, clock=time.time))
    asked = []
    done = False
    while not done:
        request, call_timeout = progress.request()
        asked.append((request.timeout.seconds, call_timeout))
        time.sleep_for(request.timeout.seconds)
        done = progress.answered(job("a", state=job_pb2.JOB_STATE_RUNNING))
    assert asked == [(20, 30.0), (20, 30.0), (5, 15.0)]


def test_a_wait_ends_with_the_job() -> None:
    progress = WaitProgress("a", job_pb2.JOB_VIEW_BASIC, None, Outage(STEADY))
    request, _ = progress.request()
    assert (request.id, request.view, request.timeout.seconds) == ("a", job_pb2.JOB_VIEW_BASIC, 20)
    assert not progress.answered(job("a", state=job_pb2.JOB_STATE_QUEUED))
    for state in (job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED):
        assert progress.answered(job("a", state=state))


def test_a_wait_never_pauses_beyond_its_end() -> None:
    time = grpc_testing.strict_fake_time(0.0)
    progress = WaitProgress("a", None, 0.15, Outage(STEADY, clock=time.time, reached=True))
    assert progress.failed(slotd.Unavailable("away")) == 0.1
    time.sleep_for(0.1)
    assert progress.failed(slotd.Unavailable("away")) == pytest.approx(0.05)
    time.sleep_for(0.05)
    assert progress.failed(slotd.Unavailable("away")) is None
    assert progress.failed(slotd.NotFound("no")) is None
