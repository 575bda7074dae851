"""Recorders on a real service: what they write of a good run is found good, and what was changed in it is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from slotd import spec
from slotd.v1 import JobEvent, JobFilter, ListRequest, PurgeRequest, StreamResponse, SubmitRequest
from tests.faults.checker.check import Report, check
from tests.faults.checker.records import Answer, Limit, Line
from tests.faults.recorder import Recorder, RecordingClient, RecordingServer, RunRecorder
from tests.faults.subscriber import RecordingSubscriber, summed
from tests.service import LocalService, Start, starting


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start:
        yield start


class _Recording:
    """A service, and all that there is to record it with."""

    def __init__(self, folder: Path, service: LocalService) -> None:
        self.path = folder / "history.jsonl"
        self.service = service
        self.recorder = Recorder(self.path, "clients")
        self.client = RecordingClient(self.recorder, "client", service.at.jobs)
        self.cursor = service.at.jobs.List(ListRequest(page_size=1)).cursor
        self.log = self.subscribe("log", log=True)

    def subscribe(self, name: str, **options: Any) -> RecordingSubscriber:
        """From the first revision on, on whichever server there is."""
        chosen: dict[str, Any] = {"cursor": self.cursor, "after": 0, "pause": 0.01} | options
        return RecordingSubscriber(self.recorder, name, lambda: [self.service.at.address], **chosen).start()

    def end(self, *subscribers: RecordingSubscriber) -> Report:
        """Once all of them have been told everything."""
        revision = max(job.revision for job in self.service.at.client.list())
        for subscriber in (self.log, *subscribers):
            subscriber.wait_revision(revision)
            subscriber.close()
        self.recorder.close()
        return check([self.path])


def _request(number: int, kind: str = "idle", payload: object = None) -> SubmitRequest:
    return SubmitRequest(spec=spec(kind, payload), request_id=f"request-{number}")


def test_a_good_run_is_found_good(start: Start, tmp_path: Path) -> None:
    recording = _Recording(tmp_path, start(store=f"sqlite:///{tmp_path / 'jobs.db'}"))
    client = recording.client
    server = RecordingServer(recording.recorder, 1, recording.service.at.queues)
    recording.recorder.write(Limit(server=server.up(), slots=4))
    every = recording.subscribe("every", include_progress=False)
    digests = recording.subscribe("digests", full=False)
    one = client.submit(_request(1, "count", 3))
    assert client.submit(_request(1, "count", 3)).id == one.id
    batch = client.submit_batch([_request(number) for number in range(2, 40)])
    for job in (one, *batch):
        assert client.wait(job.id).result is not None
    client.delete(one.id)
    with pytest.raises(grpc.RpcError):
        client.get(one.id)
    with pytest.raises(grpc.RpcError):
        client.retry(batch[0].id)
    server.ledger()
    # Whoever listens goes on by cursor.
    recording.service.stop()
    recording.service.start()
    client.move_to(recording.service.at.jobs)
    stuck = client.submit(_request(41, "patient"))
    client.cancel(stuck.id)
    client.wait(stuck.id)
    client.retry(stuck.id)
    client.cancel(stuck.id)
    client.wait(stuck.id)
    client.list(ListRequest())
    client.call("Purge", PurgeRequest(filter=JobFilter(job_ids=[batch[0].id])))
    narrow = recording.subscribe("some", cursor="", after=None, filter=JobFilter(job_ids=[stuck.id]))
    snapshot = recording.subscribe("snapshot", cursor="", after=None, full=False)
    narrow.join()
    report = recording.end(every, digests, snapshot)
    assert report.verdicts.found == []
    assert (report.jobs, report.torn) == (40, 0)


def test_what_is_changed_in_a_recording_is_found(start: Start, tmp_path: Path) -> None:
    recording = _Recording(tmp_path, start())
    job = recording.client.submit(_request(1))
    recording.client.wait(job.id)
    assert recording.end().ok
    lines = [msgspec.json.decode(line, type=Line) for line in recording.path.read_bytes().splitlines()]
    found = next(line for line in lines if isinstance(line, Answer))
    lines[lines.index(found)] = msgspec.structs.replace(found, jobs=())
    recording.path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    assert "batch" in check([recording.path]).verdicts.counts


def test_a_subscriber_who_is_told_nothing_new_is_not_waited_for(start: Start, tmp_path: Path) -> None:
    recording = _Recording(tmp_path, start(heartbeat=0.01))
    job = recording.client.submit(_request(1))
    last = recording.client.wait(job.id).revision
    recording.log.wait_revision(last)
    # It still hears that the service is there.
    with pytest.raises(TimeoutError, match=f"log was told up to {last}, not {last + 1}"):
        recording.log.wait_revision(last + 1, patience=0.1)
    recording.end()


def test_only_what_is_in_order_and_without_a_hole_is_a_run() -> None:
    for revisions, kept in (((5, 6, 7, 8), (5, 8)), ((5, 7, 6, 8), (5, 7, 6, 8)), ((5, 8), (5, 8))):
        message = StreamResponse(events=[JobEvent(revision=one) for one in revisions])
        sums = summed(message.SerializeToString())
        assert (sums.events, sums.revisions) == (len(revisions), kept)


def test_a_handler_that_raises_is_noted_as_such(tmp_path: Path) -> None:
    runs = RunRecorder(tmp_path / "runs.jsonl")

    @runs.recorded
    def handler(ctx: object, payload: object) -> None:
        raise RuntimeError(payload)

    class Context:
        job_id, attempt, kind = "job", 2, "kind"

    with pytest.raises(RuntimeError):
        handler(Context(), None)  # type: ignore[arg-type]
    _, begin, end = [msgspec.json.decode(line) for line in (tmp_path / "runs.jsonl").read_bytes().splitlines()]
    assert (begin["t"], begin["job"], begin["attempt"]) == ("start", "job", 2)
    assert (end["t"], end["ok"]) == ("end", False)
    assert begin["at"] <= end["at"]
