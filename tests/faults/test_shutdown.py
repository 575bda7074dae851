"""Signals: SIGTERM drains, twice at once it does not wait, SIGHUP reads the settings anew."""

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from slotd.v1 import (
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SUCCEEDED,
    Job,
    JobEvent,
    JobSpec,
    ReadOutputRequest,
    RetryRequest,
    StreamRequest,
    StreamResponse,
    SubmitRequest,
    WaitRequest,
)
from tests.faults.conftest import Serve
from tests.faults.gates import Gate
from tests.faults.history import reason
from tests.faults.process import PATIENCE
from tests.service import Endpoint, reach

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class _Health:
    """The health of the service as a whole, watched."""

    def __init__(self, at: Endpoint) -> None:
        # Its stubs' types leave Watch out.
        watch: Any = health_pb2_grpc.HealthStub(at.channel)
        self._call = watch.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        assert next(self._call).status == _SERVING

    def wait_not_serving(self) -> None:
        assert next(self._call).status == _NOT_SERVING


def _reason(error: Any) -> tuple[str, float | None]:
    """What the details of an error say: why, and after how many seconds to try again."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    found = [detail.Unpack(info) or detail.Unpack(retry) for detail in status.details]
    return info.reason, retry.retry_delay.ToTimedelta().total_seconds() if any(found) else None


def _refused_as_draining(error: grpc.RpcError) -> None:
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert _reason(error) == ("DRAINING", 1.0)


def _ask_for_ever(at: Endpoint) -> None:
    while True:
        at.jobs.Submit(SubmitRequest(spec=JobSpec(kind="echo"), validate_only=True), timeout=PATIENCE)


def _rest(stream: Iterator[StreamResponse]) -> tuple[list[StreamResponse], grpc.RpcError]:
    """What a stream still tells, and the error that it ends with."""
    messages = []
    try:
        for message in stream:
            messages.append(message)
    except grpc.RpcError as error:
        return messages, error
    raise AssertionError("the stream ended as if there were no more to come")


def test_sigterm_drains(serve: Serve, tmp_path: Path) -> None:
    server = serve(slots=1, drain_timeout=PATIENCE)
    at = server.connect()
    gate = Gate(tmp_path / "gate")
    running = at.client.submit("large", {"gate": str(gate.path), "size": 3})
    reach(at.client, running, JOB_STATE_RUNNING)
    waiting = at.client.submit("echo", 1)
    cancelled = at.client.cancel(at.client.submit("echo", 2))
    health = _Health(at)
    stream = at.jobs.Stream(StreamRequest(), timeout=PATIENCE)
    events: list[JobEvent] = []
    for message in stream:
        events += message.events
        if message.synced:
            break

    server.signal(signal.SIGTERM)
    health.wait_not_serving()
    # The news of its health is a moment older than the refusal.
    with pytest.raises(grpc.RpcError) as refused:
        _ask_for_ever(at)
    _refused_as_draining(refused.value)
    with pytest.raises(grpc.RpcError) as refused:
        at.jobs.Retry(RetryRequest(id=cancelled.id), timeout=PATIENCE)
    _refused_as_draining(refused.value)
    assert at.client.get(running).state == JOB_STATE_RUNNING
    assert at.client.list_slots().running == 1
    follow = at.jobs.ReadOutput(ReadOutputRequest(id=waiting.id, follow=True), timeout=PATIENCE)
    wait = at.jobs.Wait.future(WaitRequest(id=waiting.id), timeout=PATIENCE)

    gate.open()
    messages, error = _rest(stream)
    _refused_as_draining(error)
    events += [event for message in messages for event in message.events]
    cursor = messages[-1].cursor
    assert events[-1].job.state == JOB_STATE_SUCCEEDED
    for call in (lambda: next(follow), wait.result):
        with pytest.raises(grpc.RpcError) as ended:
            call()
        _refused_as_draining(ended.value)
    assert server.wait() == 0

    at = serve().connect()
    assert at.client.wait(waiting).result.data == b"1"
    assert at.client.get(running).result.data == b"xxx"
    for message in at.jobs.Stream(StreamRequest(cursor=cursor), timeout=PATIENCE):
        events += message.events
        if any(event.job.state == JOB_STATE_SUCCEEDED for event in message.events):
            break
    told = [event.revision for event in events[3:]]
    assert told == list(range(told[0], told[0] + len(told)))


def test_what_still_runs_at_the_deadline_is_put_back_and_not_counted(serve: Serve) -> None:
    server = serve(drain_timeout=0.2)
    at = server.connect()
    job = at.client.submit("deaf", max_attempts=1)
    reach(at.client, job, JOB_STATE_RUNNING)
    assert server.terminate() == 0

    found = serve(slots=0).connect().client.get(job)
    assert (found.state, found.attempt) == (JOB_STATE_QUEUED, 0)
    assert not found.HasField("error")
    assert [attempt.number for attempt in found.attempts] == [1]
    assert found.attempts[0].HasField("end_time")


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_means_at_once(serve: Serve, first: signal.Signals) -> None:
    server = serve(drain_timeout=3600)
    at = server.connect()
    job = at.client.submit("deaf")
    reach(at.client, job, JOB_STATE_RUNNING)
    health = _Health(at)
    server.signal(first)
    health.wait_not_serving()
    assert at.client.get(job).state == JOB_STATE_RUNNING
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert serve(slots=0).connect().client.get(job).state == JOB_STATE_QUEUED


def test_a_submit_that_races_the_end_is_refused_or_kept(serve: Serve) -> None:
    server = serve(slots=0, drain_timeout=PATIENCE)
    accepted: list[Job] = []
    errors: list[grpc.RpcError] = []
    many = threading.Semaphore(0)

    def submit(at: Endpoint) -> None:
        while True:
            try:
                accepted.append(at.jobs.Submit(SubmitRequest(spec=JobSpec(kind="echo")), timeout=PATIENCE).job)
            except grpc.RpcError as error:
                errors.append(error)
                return
            many.release()

    threads = [threading.Thread(target=submit, args=(server.connect(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        assert many.acquire(timeout=PATIENCE)
    assert server.terminate() == 0
    for thread in threads:
        thread.join(PATIENCE)

    # Who comes in the very last moment, when the connections are closed, is cut off by gRPC in its own way.
    assert {error.code() for error in errors} <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert any("draining" in (error.details() or "") for error in errors)
    kept = {job.id for job in serve(slots=0).connect().client.list(page_size=1000)}
    assert len(errors) == 8
    assert {job.id for job in accepted} <= kept


def test_sighup_reads_the_slots_anew(serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "slotd.toml"
    config.write_text("slots = 0\n")
    # What a flag says goes over the file, so there must be none.
    server = serve(config=config, slots=None)
    client = server.connect().client
    job = client.submit("echo", 1)
    config.write_text("slots = 'many'\n")
    server.signal(signal.SIGHUP)
    assert client.list_slots().limit == 0
    config.write_text("slots = 3\n")
    server.signal(signal.SIGHUP)
    assert client.wait(job).result.data == b"1"
    assert client.list_slots().limit == 3


def test_the_ready_file_holds_the_address_and_never_an_old_one(serve: Serve, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.write_text("127.0.0.1:1\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not serve(ready_file=ready, listen=f"127.0.0.1:{taken.getsockname()[1]}").listening()
    assert not ready.exists()
    server = serve(ready_file=ready)
    # What answers has written it.
    server.connect().client.get_stats()
    assert ready.read_text() == f"{server.address}\n"
    # One that is refused for having the same store leaves it alone.
    assert not serve(ready_file=ready).listening()
    assert ready.read_text() == f"{server.address}\n"


@pytest.mark.parametrize(
    ("ready", "why"),
    [
        ("nowhere/ready", "No such file or directory"),
        ("file/ready", "Not a directory"),
        ("folder", "it is a folder"),
        # Where nobody may make a file, whoever runs this.
        ("/proc/ready", ""),
    ],
)
def test_a_ready_file_that_can_not_be_written_keeps_the_service_from_starting(
    serve: Serve, tmp_path: Path, ready: str, why: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    server = serve(ready_file=tmp_path / ready)
    assert not server.listening()
    assert server.wait() == 1
    said = server.log.read_text()
    assert f"cannot write the ready file {tmp_path / ready}: {why}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "jobs.db").exists(), "it has not begun"


def test_a_ready_file_that_can_not_be_written_in_the_end_stops_the_service_in_good_order(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(ready_file="/dev/full")
    assert server.wait() == 1
    said = server.log.read_text()
    assert "the ready file can't be written" in said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert not (tmp_path / "jobs.db-wal").exists(), "it has closed its store"


def test_a_unix_socket_works_and_survives_kill_9(serve: Serve, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path / 'slotd.sock'}"
    server = serve(listen=listen)
    at = server.connect()
    assert server.address == listen
    job = at.client.submit("echo", "over a socket")
    server.kill()
    again = serve(listen=listen)
    assert again.connect().client.wait(job).result.data == b'"over a socket"'


def test_a_port_in_use_is_a_clear_error(serve: Serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        server = serve(listen=listen)
        assert not server.listening()
        assert server.wait() == 1
    said = server.log.read_text()
    assert f"cannot listen on {listen}" in said
    assert "Traceback" not in said
    # It has let go of the store.
    serve().connect().client.get_stats()


def test_a_service_that_was_killed_while_it_drained_counts_the_attempt(serve: Serve) -> None:
    server = serve(drain_timeout=3600)
    at = server.connect()
    job = at.client.submit("deaf", max_attempts=1)
    reach(at.client, job, JOB_STATE_RUNNING)
    health = _Health(at)
    server.signal(signal.SIGTERM)
    health.wait_not_serving()
    server.kill()
    assert reason(serve().connect().client.wait(job)) == "SERVER_LOST"
