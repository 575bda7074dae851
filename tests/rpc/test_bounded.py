"""A reader that is slow, or does not read at all, costs the service nothing, and loses nothing that is kept."""

import threading
from pathlib import Path

import grpc
import pytest

from slotd import spec, v1
from tests.rpc.wire import refusal
from tests.service import Endpoint, Spawn

MIB = 1 << 20
BATCH = 1000


def cursor_now(at: Endpoint) -> str:
    return at.jobs.List(v1.ListRequest(page_size=1)).cursor


IDLE = v1.SubmitRequest(spec=spec("idle", queue="paused"))


def fill(at: Endpoint, batches: int, job: v1.SubmitRequest = IDLE) -> None:
    """A thousand jobs a batch, each of which is one event."""
    at.client.update_queue("paused", paused=True)
    request = v1.SubmitBatchRequest(requests=[job] * BATCH)
    for _ in range(batches):
        at.jobs.SubmitBatch(request)


def revisions(message: v1.StreamResponse) -> list[int]:
    return [event.revision for event in message.events]


@pytest.mark.timeout(300)
def test_a_hundred_thousand_events_read_slowly(spawn: Spawn, tmp_path: Path) -> None:
    service = spawn(store=f"sqlite:///{tmp_path}/jobs.db")
    at = Endpoint.at(service.address)
    # First what grows with or without a reader, up to its bound: the store's cache of pages, the newest events.
    large = v1.SubmitRequest(spec=spec("reverse", bytes(12_000), queue="paused"))
    fill(at, 5, large)
    fill(at, 20)
    begin = at.queues.GetStats(v1.GetStatsRequest()).revision
    request = v1.StreamRequest(cursor=cursor_now(at))
    slow, silent = at.jobs.Stream(request), at.jobs.Stream(request)
    assert next(slow).synced
    assert next(silent).synced
    before = most = service.resident()
    told = []
    for _ in range(100):
        fill(at, 1)
        told += revisions(next(slow))
        most = max(most, service.resident())
    # It fell far behind. It gets the rest all the same, as does the one that read nothing until now.
    assert len(told) < 50 * BATCH
    expected = list(range(begin + 1, begin + 100 * BATCH + 1))
    for stream, seen in ((slow, told), (silent, [])):
        for message in stream:
            seen += revisions(message)
            if message.revision >= expected[-1]:
                break
        assert seen == expected
        most = max(most, service.resident())
    print(f"resident: {before / MIB:.0f} MiB before, {most / MIB:.0f} MiB at most")
    assert most - before < 64 * MIB
    at.close()


def test_a_reader_that_falls_behind_what_is_kept_is_told_so(spawn: Spawn) -> None:
    at = Endpoint.at(spawn(events_kept=1000).address)
    at.client.update_queue("paused", paused=True)
    request = v1.StreamRequest(cursor=cursor_now(at), view=v1.JOB_VIEW_FULL)
    stream = at.jobs.Stream(request)
    # More than gRPC buffers for a reader that does not read.
    for _ in range(12):
        at.client.submit("reverse", bytes(MIB), queue="paused")
    first = revisions(next(stream))
    fill(at, 25)
    seen = list(first)
    told: list[v1.StreamResponse] = []

    def read() -> None:
        for message in stream:
            told.append(message)

    refused = refusal(read)
    assert refused[:3] == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", set())
    for message in told:
        seen += revisions(message)
    # What it was told before that has no gap, and its cursor is refused alike.
    assert seen == list(range(1, len(seen) + 1))
    assert 0 < len(seen) < 25 * BATCH
    again = v1.StreamRequest(cursor=told[-1].cursor if told else request.cursor)
    assert refusal(lambda: at.jobs.Stream(again)).reason == "CURSOR_EXPIRED"
    at.close()


@pytest.mark.parametrize("view", [v1.JOB_VIEW_BASIC, v1.JOB_VIEW_FULL])
def test_a_snapshot_of_many_jobs_read_slowly_holds_up_nobody(
    spawn: Spawn, tmp_path: Path, view: v1.JobView.ValueType
) -> None:
    service = spawn(store=f"sqlite:///{tmp_path}/jobs.db", slots=4)
    at = Endpoint.at(service.address)
    jobs = 20
    fill(at, jobs)
    revision = at.queues.GetStats(v1.GetStatsRequest()).revision
    stream = at.jobs.Stream(v1.StreamRequest(view=view))
    first = next(stream)
    # Everybody else goes on while the reader rests.
    threads = [threading.Thread(target=lambda: at.client.submit_and_wait("idle")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert at.queues.GetStats(v1.GetStatsRequest()).counters.succeeded == 4
    seen = {event.job.id for event in first.events}
    count = len(first.events)
    for message in stream:
        if message.synced:
            assert message.revision == revision
            break
        assert message.revision == revision
        assert message.cursor == ""
        count += len(message.events)
        seen |= {event.job.id for event in message.events}
    assert count == len(seen) == jobs * BATCH
    live: list[int] = []
    while len(live) < 12:
        live += revisions(next(stream))
    assert live == list(range(revision + 1, revision + 13))
    at.close()
