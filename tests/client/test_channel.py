"""The sync client against real servers: what gRPC repeats, deadlines, sizes, addresses, restarts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

import slotd
from slotd.channel import REPEATED_METHODS, channel_options, service_config
from slotd.client import Client
from slotd.v1 import job_pb2, job_service_pb2, schedule_service_pb2
from tests.client.scripted import (
    JOBS,
    QUEUES,
    SCHEDULES,
    STEADY,
    WORKERS,
    Refusal,
    background,
    draining,
    event,
    handlers,
    job,
    message,
    pairs,
    refusal,
)


class Jobs:
    """Refuses the first calls, then answers; notes the requests and the seconds that each call has left."""

    def __init__(self, refusals: list[Refusal] | None = None) -> None:
        self.refusals = list(refusals or [])
        self.requests: list[Any] = []
        self.remaining: list[float] = []
        self.streams: list[Callable[[Any], Iterator[job_service_pb2.StreamResponse]]] = []

    def unary(self, method: str, request: Any, context: Any) -> Any:
        """Answers a unary call."""
        self._note(request, context)
        if method == "Submit":
            return job_service_pb2.SubmitResponse(job=job_pb2.Job(id="a", spec=request.spec))
        if method == "Wait":
            return job_service_pb2.WaitResponse(job=job("a", state=job_pb2.JOB_STATE_SUCCEEDED))
        messages = schedule_service_pb2 if method.startswith("ScheduleService") else job_service_pb2
        return getattr(messages, f"{method}Response")()

    def streaming(self, method: str, request: Any, context: Any) -> Iterator[Any]:
        """Plays the next script."""
        self._note(request, context)
        yield from self.streams.pop(0)(context)

    def _note(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self.remaining.append(context.time_remaining() or float("inf"))
        if self.refusals:
            error = self.refusals.pop(0)
            context.set_trailing_metadata(error.trailing)
            context.abort(error.code, error.message)


@contextmanager
def serving(jobs: Jobs, address: str = "127.0.0.1:0") -> Iterator[str]:
    """A server; gives its address."""
    options = [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", 64 * 2**20),
        ("grpc.max_send_message_length", 64 * 2**20),
    ]
    server = grpc.server(ThreadPoolExecutor(4), handlers(jobs.unary, jobs.streaming), options=options)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def test_a_submit_that_meets_unavailable_twice_is_repeated_with_the_same_id() -> None:
    jobs = Jobs([draining(), draining()])
    with serving(jobs) as address, Client(address) as client:
        assert client.submit("echo").id == "a"
    assert len(jobs.requests) == 3
    assert len({one.request_id for one in jobs.requests}) == 1
    assert jobs.requests[0].request_id


def test_a_large_submit_is_repeated_too() -> None:
    jobs = Jobs([draining()])
    with serving(jobs) as address, Client(address) as client:
        assert client.submit("echo", bytes(2**20)).id == "a"
    assert len(jobs.requests) == 2


def test_a_trigger_is_repeated_with_the_same_id() -> None:
    jobs = Jobs([draining()])
    with serving(jobs) as address, Client(address) as client:
        client.trigger_schedule("nightly")
    assert len(jobs.requests) == 2
    assert len({one.request_id for one in jobs.requests}) == 1
    assert jobs.requests[0].request_id


def test_repeats_end() -> None:
    jobs = Jobs([draining()] * 9)
    with serving(jobs) as address, Client(address) as client, pytest.raises(slotd.Unavailable) as raised:
        client.submit("echo")
    assert len(jobs.requests) == 5
    assert raised.value.reason == "DRAINING"
    assert raised.value.connected


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.delete("a"),
        lambda client: client.retry("a"),
        lambda client: client.update("a", priority=1, revision=7),
        lambda client: client.purge(),
        lambda client: client.bulk_cancel(),
        lambda client: client.bulk_retry(),
        lambda client: client.bulk_delete(),
        lambda client: client.cancel_group("g"),
        lambda client: client.create_schedule("s", slotd.spec("echo"), interval=60),
        lambda client: client.update_schedule("s", cron="* * * * *", revision=7),
        lambda client: client.delete_schedule("s"),
    ],
)
def test_what_could_be_answered_wrongly_is_not_repeated(call: Callable[[Client], object]) -> None:
    jobs = Jobs([draining()])
    with serving(jobs) as address, Client(address) as client, pytest.raises(slotd.Unavailable):
        call(client)
    assert len(jobs.requests) == 1


def test_other_errors_are_not_repeated_and_keep_their_details() -> None:
    jobs = Jobs([refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", reason="QUEUE_FULL", metadata={"queue": "q"})])
    with serving(jobs) as address, Client(address) as client, pytest.raises(slotd.ResourceExhausted) as raised:
        client.submit("echo")
    assert (raised.value.reason, raised.value.metadata) == ("QUEUE_FULL", {"queue": "q"})
    assert len(jobs.requests) == 1


def test_each_unary_call_has_a_deadline() -> None:
    jobs = Jobs()
    with serving(jobs) as address:
        with Client(address) as client:
            client.submit("echo")
            client.submit("echo", rpc_timeout=5)
            client.purge()
            client.bulk_cancel()
            client.wait("a", timeout=3)
        with Client(address, timeout=None) as client:
            client.submit("echo")
    submit, short, purge, bulk, wait, unlimited = jobs.remaining
    # On its way a timeout is rounded, upwards.
    assert 25 < submit < 31
    assert 3 < short < 6
    assert 590 < purge < 602
    assert 590 < bulk < 602
    assert 10 < wait < 14
    assert unlimited > 1e6


def test_large_messages_pass() -> None:
    data = bytes(20 * 2**20)
    with serving(Jobs()) as address, Client(address) as client:
        assert len(client.submit("echo", data).spec.payload.data) == len(data)


def test_unix_sockets(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/s"
    with serving(Jobs(), address), Client(address) as client:
        assert client.submit("echo").id == "a"


def test_nothing_there_is_said_with_the_address(tmp_path: Path) -> None:
    with serving(Jobs()) as address:
        pass
    for gone in (address, f"unix:{tmp_path}/none"):
        with Client(gone) as client, pytest.raises(slotd.Unavailable) as raised:
            client.submit("echo")
        assert raised.value.message == f"no service at {gone}"
        assert not raised.value.connected


def test_a_stream_outlives_a_restart_on_the_same_port() -> None:
    first, second = Jobs(), Jobs()
    told, stopped = threading.Event(), threading.Event()

    def until_stopped(context: Any) -> Iterator[job_service_pb2.StreamResponse]:
        context.add_callback(stopped.set)
        yield message(event("a", 2), cursor="c2", synced=True)
        stopped.wait()

    first.streams.append(until_stopped)
    second.streams.append(lambda _: iter([message(event("a", 3), cursor="c3", synced=True)]))
    found: list[tuple[str, int]] = []
    with serving(first) as address:
        client = Client(address, reconnect=STEADY)
        stream = client.stream(cursor="c1")
        reader = threading.Thread(target=lambda: found.extend(pairs(tell(stream, told))))
        reader.start()
        assert told.wait(10)
    with serving(second, address):
        reader.join(20)
    assert not reader.is_alive()
    client.close()
    assert found == [("a", 2), ("a", 3)]
    assert [one.cursor for one in (*first.requests, *second.requests)] == ["c1", "c2"]


def tell(stream: Iterator[job_service_pb2.JobEvent], told: threading.Event) -> Iterator[job_service_pb2.JobEvent]:
    """The stream's events; sets `told` once there was one."""
    for one in stream:
        told.set()
        yield one


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.wait("a"),
        lambda client: next(client.stream()),
        lambda client: next(client.read_output("a", follow=True)),
    ],
)
def test_a_channel_that_its_owner_closes_ends_what_reads_from_it(read: Callable[[Client], object]) -> None:
    called, over = threading.Event(), threading.Event()

    class Silent(Jobs):
        def _note(self, request: Any, context: Any) -> None:
            super()._note(request, context)
            context.add_callback(over.set)
            called.set()
            over.wait()

    jobs = Silent()
    with serving(jobs) as address, grpc.insecure_channel(address) as channel:
        result = background(lambda: read(Client(address, channel=channel, reconnect=STEADY)))
        assert called.wait(10)
        channel.close()
        with pytest.raises(slotd.Cancelled, match="Channel closed!"):
            result.result(10)
    assert len(jobs.requests) == 1


def test_the_service_config_names_methods_that_there_are() -> None:
    services = {
        "slotd.v1.JobService": JOBS,
        "slotd.v1.QueueService": QUEUES,
        "slotd.v1.ScheduleService": SCHEDULES,
        "slotd.v1.WorkerService": WORKERS,
    }
    for name, methods in REPEATED_METHODS.items():
        assert set(methods) <= set(services[name].methods_by_name)
    left_out = {
        f"{name}.{method}"
        for name, service in services.items()
        for method in service.methods_by_name
        if method not in REPEATED_METHODS[name]
    }
    assert left_out == {
        "slotd.v1.JobService.BulkCancel",
        "slotd.v1.JobService.BulkDelete",
        "slotd.v1.JobService.BulkRetry",
        "slotd.v1.JobService.CancelGroup",
        "slotd.v1.JobService.Delete",
        "slotd.v1.JobService.Purge",
        "slotd.v1.JobService.ReadOutput",
        "slotd.v1.JobService.Retry",
        "slotd.v1.JobService.Stream",
        "slotd.v1.JobService.Update",
        "slotd.v1.JobService.Wait",
        "slotd.v1.ScheduleService.Create",
        "slotd.v1.ScheduleService.Delete",
        "slotd.v1.ScheduleService.Update",
        "slotd.v1.WorkerService.ReadResults",
        "slotd.v1.WorkerService.Work",
    }
    policy = json.loads(service_config())["methodConfig"][0]["retryPolicy"]
    assert policy["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_channel_options() -> None:
    options = dict(channel_options("127.0.0.1:7433", [("grpc.keepalive_time_ms", 60_000), ("mine", 1)]))
    assert options["grpc.max_receive_message_length"] == options["grpc.max_send_message_length"] == 32 * 2**20
    assert options["grpc.keepalive_time_ms"] == 60_000
    assert options["mine"] == 1
    assert options["grpc.enable_http_proxy"] == 0
    # The service cuts off who pings more often than every 10 s.
    assert dict(channel_options("host:1"))["grpc.keepalive_time_ms"] >= 10_000
    assert "grpc.enable_http_proxy" not in dict(channel_options("host:1"))
