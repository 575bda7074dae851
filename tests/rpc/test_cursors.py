"""Cursors that are taken, and those that are refused: forged, foreign, of the future, expired."""

import base64
import contextlib
import sqlite3
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest

from slotd import spec, v1
from tests.rpc.wire import refusal
from tests.service import MEMORY, Endpoint, Spawn, Start

pytestmark = pytest.mark.every_store


def raw(cursor: str) -> bytearray:
    return bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def text(data: bytearray) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def cursor_now(at: Endpoint) -> str:
    return at.jobs.List(v1.ListRequest(page_size=1)).cursor


def refused(at: Endpoint, cursor: str) -> tuple[grpc.StatusCode, str, set[str]]:
    return refusal(lambda: at.jobs.Stream(v1.StreamRequest(cursor=cursor)))[:3]


@pytest.mark.parametrize(
    "forgery", ["x", "%%%", "A" * 1000, "A" * (1 << 20), "AAAA", "\N{SNOWMAN}", "cut", "padded", "long"]
)
def test_a_forged_cursor(shared: Endpoint, forgery: str) -> None:
    good = cursor_now(shared)
    cursor = {"cut": good[:-1], "padded": good + "=", "long": good + "AAAA"}.get(forgery, forgery)
    answer = refusal(lambda: shared.jobs.Stream(v1.StreamRequest(cursor=cursor)))
    assert answer[:3] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", {"BadRequest"})
    assert answer.detail(BadRequest).field_violations[0].field == "cursor"


def test_a_page_token_is_no_cursor(shared: Endpoint) -> None:
    shared.client.submit_batch([spec("idle")] * 2)
    token = shared.jobs.List(v1.ListRequest(page_size=1)).next_page_token
    assert refused(shared, token)[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_a_cursor_of_a_later_format(shared: Endpoint) -> None:
    data = raw(cursor_now(shared))
    data[0] = 77
    assert refused(shared, text(data))[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_a_cursor_of_another_store(start: Start) -> None:
    one, other = start().at, start(store=MEMORY).at
    for at in (one, other):
        at.client.submit_and_wait("idle")
    foreign = (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_FOREIGN", {"BadRequest"})
    assert refused(other, cursor_now(one)) == foreign
    assert refused(one, cursor_now(other)) == foreign


def test_a_cursor_of_the_future(shared: Endpoint) -> None:
    shared.client.submit_and_wait("idle")
    data = raw(cursor_now(shared))
    for revision in (int.from_bytes(data[-8:]) + 1_000_000, (1 << 63) - 1):
        data[-8:] = revision.to_bytes(8)
        assert refused(shared, text(data)) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD", set())
    data[-8:] = b"\xff" * 8
    assert refused(shared, text(data))[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_a_cursor_behind_what_is_kept_is_refused_and_a_later_one_is_not(start: Start) -> None:
    at = start(events_kept=100).at
    cursors = []
    for _ in range(8):
        cursors.append(cursor_now(at))
        at.client.submit_batch([spec("idle", queue="q") for _ in range(300)])
    # Not followed by a stream, which may fall behind what is kept as well.
    at.client.submit_and_wait("idle", priority=-9)
    assert refused(at, cursors[0]) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", set())
    # Each is refused, or misses nothing.
    revision = at.queues.GetStats(v1.GetStatsRequest()).revision
    outcomes: list[grpc.StatusCode | None] = []
    for cursor in [*cursors, cursor_now(at)]:
        told: list[int] = []
        try:
            for message in at.jobs.Stream(v1.StreamRequest(cursor=cursor, include_progress=True)):
                told += [event.revision for event in message.events]
                if message.synced:
                    break
        except grpc.RpcError as error:
            outcomes.append(error.code())
        else:
            outcomes.append(None)
            assert told == list(range(int.from_bytes(raw(cursor)[-8:]) + 1, revision + 1))
    assert outcomes[-1] is None
    assert outcomes == sorted(outcomes, key=lambda code: code is None)


def test_a_cursor_outlives_a_service_that_is_killed(spawn: Spawn, tmp_path: Path) -> None:
    service = spawn(store=f"sqlite:///{tmp_path}/jobs.db")
    at = Endpoint.at(service.address)
    cursor = cursor_now(at)
    before = at.client.submit_and_wait("idle")
    at.close()
    service.process.kill()
    service.stop()
    service.start()
    at = Endpoint.at(service.address)
    after = at.client.submit_and_wait("idle")
    told = []
    for message in at.jobs.Stream(v1.StreamRequest(cursor=cursor)):
        told += [(event.revision, event.job.id, event.job.state) for event in message.events]
        if message.synced:
            break
    states = [v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING, v1.JOB_STATE_SUCCEEDED]
    ids = [before.id] * 3 + [after.id] * 3
    assert told == list(zip(range(1, 7), ids, states * 2, strict=True))
    at.close()


def test_a_cursor_of_what_a_restored_store_has_lost_is_refused_for_ever(spawn: Spawn, tmp_path: Path) -> None:
    path, backup = tmp_path / "jobs.db", tmp_path / "backup.db"
    service = spawn(store=f"sqlite:///{path}")
    at = Endpoint.at(service.address)
    at.client.submit_and_wait("idle")
    kept = cursor_now(at)
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("VACUUM INTO ?", (str(backup),))
    at.client.submit_and_wait("idle")
    lost = cursor_now(at)
    at.close()
    service.stop()
    for leftover in path.parent.glob("jobs.db*"):
        leftover.unlink()
    backup.rename(path)
    service.start()
    at = Endpoint.at(service.address)
    assert refused(at, lost) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD", set())
    # Its revision is taken by another event now, and still it must not be mistaken for that.
    for _ in range(3):
        at.client.submit_and_wait("idle")
    assert refused(at, lost) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_AHEAD", set())
    told = next(message for message in at.jobs.Stream(v1.StreamRequest(cursor=kept)) if message.events)
    assert told.events[0].revision == int.from_bytes(raw(kept)[-8:]) + 1
    at.close()
