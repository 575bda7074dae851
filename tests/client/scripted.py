"""Services by script, for the client's tests: grpcio-testing's fake channel, and handlers for real servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc_testing
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from slotd.client import Client
from slotd.outage import Backoff
from slotd.v1 import job_pb2, job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2

T = TypeVar("T")

JOBS = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
QUEUES = queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"]
SCHEDULES = schedule_service_pb2.DESCRIPTOR.services_by_name["ScheduleService"]
WORKERS = worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"]

# Delays without chance: 0.1, 0.2, 0.4, … 1.0 seconds.
STEADY = Backoff(initial=0.1, maximum=1.0, multiplier=2.0, jitter=0.0)


@dataclass(frozen=True)
class Refusal:
    """An error as it travels: code, words, and the details in the trailing metadata."""

    code: grpc.StatusCode
    message: str = "no"
    trailing: tuple[tuple[str, str | bytes], ...] = ()


def refusal(
    code: grpc.StatusCode,
    message: str = "no",
    *details: Message,
    reason: str = "",
    metadata: dict[str, str] | None = None,
) -> Refusal:
    """An error with an ErrorInfo, if there is a reason, and the given details."""
    every = list(details)
    if reason:
        every.insert(0, error_details_pb2.ErrorInfo(domain="slotd", reason=reason, metadata=metadata))
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in every:
        packed = Packed()
        packed.Pack(detail)
        status.details.append(packed)
    return Refusal(code, message, (("grpc-status-details-bin", status.SerializeToString()),))


def draining(seconds: float = 0.0) -> Refusal:
    """What a service says when it stops."""
    nanos = round(seconds * 1e9)
    delay = Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
    info = error_details_pb2.RetryInfo(retry_delay=delay)
    return refusal(grpc.StatusCode.UNAVAILABLE, "draining", info, reason="DRAINING")


NOT_CONNECTED = Refusal(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses; last error: refused")
BROKEN = Refusal(grpc.StatusCode.UNAVAILABLE, "Socket closed")
# What becomes of a call that a server has accepted but not begun when it stops.
STOPPED = Refusal(grpc.StatusCode.CANCELLED, "CANCELLED")
CURSOR_EXPIRED = refusal(grpc.StatusCode.OUT_OF_RANGE, "too old", reason="CURSOR_EXPIRED")


def job(job_id: str, revision: int = 1, state: job_pb2.JobState.ValueType = job_pb2.JOB_STATE_QUEUED) -> job_pb2.Job:
    """A job as far as the client looks at it."""
    return job_pb2.Job(id=job_id, revision=revision, state=state)


def event(
    job_id: str, revision: int, type: job_service_pb2.EventType.ValueType = job_service_pb2.EVENT_TYPE_CHANGED
) -> job_service_pb2.JobEvent:
    """An event as far as the client looks at it."""
    return job_service_pb2.JobEvent(revision=revision, type=type, job=job(job_id, revision))


def snapshot(job_id: str, revision: int) -> job_service_pb2.JobEvent:
    """An event of a snapshot."""
    return event(job_id, revision, job_service_pb2.EVENT_TYPE_SNAPSHOT)


def message(*events: job_service_pb2.JobEvent, cursor: str = "", **fields: Any) -> job_service_pb2.StreamResponse:
    """A message of a stream."""
    return job_service_pb2.StreamResponse(events=events, cursor=cursor, **fields)


def pairs(events: Iterable[job_service_pb2.JobEvent]) -> list[tuple[str, int]]:
    """Which job and which revision, of each event."""
    return [(one.job.id, one.revision) for one in events]


@dataclass
class FakeService:
    """A client on a fake channel, and the service's side of each call in the test's hands; time is fake too."""

    metadata: tuple[tuple[str, str], ...] = ()
    reconnect: Backoff = STEADY
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.time = grpc_testing.strict_fake_time(1_000.0)
        self.channel = grpc_testing.channel((JOBS, QUEUES, SCHEDULES, WORKERS), self.time)
        self.client = Client(
            "service:1",
            channel=self.channel,
            metadata=self.metadata,
            reconnect=self.reconnect,
            clock=self.time.time,
            pause=self._pause,
        )

    def _pause(self, closed: threading.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time.sleep_for(seconds)

    def take(self, method: str, service: Any = JOBS) -> tuple[Any, Any, Any]:
        """Waits for a unary call: its metadata, its request, and the call to end."""
        taken: tuple[Any, Any, Any] = self.channel.take_unary_unary(service.methods_by_name[method])
        return taken

    def take_stream(self, method: str = "Stream") -> tuple[Any, Any]:
        """Waits for a streaming call: its request, and the call to answer."""
        _, request, call = self.channel.take_unary_stream(JOBS.methods_by_name[method])
        return request, call

    def answer(self, method: str, response: Message, service: Any = JOBS) -> Any:
        """Waits for a unary call and answers it; returns its request."""
        _, request, call = self.take(method, service)
        call.terminate(response, (), grpc.StatusCode.OK, "")
        return request

    def refuse(self, method: str, error: Refusal, service: Any = JOBS) -> Any:
        """Waits for a unary call and refuses it; returns its request."""
        _, request, call = self.take(method, service)
        call.terminate(None, error.trailing, error.code, error.message)
        return request


def cut(call: Any, error: Refusal) -> None:
    """Ends a streaming call with an error."""
    call.terminate(error.trailing, error.code, error.message)


def end(call: Any) -> None:
    """Ends a streaming call well."""
    call.terminate((), grpc.StatusCode.OK, "")


def background(work: Callable[[], T]) -> Future[T]:
    """Runs work in a thread that does not keep a failed test from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


STREAMING = frozenset({"Stream", "ReadOutput"})


def handlers(unary: Callable[[str, Any, Any], Any], streaming: Callable[[str, Any, Any], Any]) -> list[Any]:
    """Handlers for a real server, of all methods of all services: each is told its method, its request, its context.

    The method is told by the name of its request, without "Request": some services have methods of the same name.
    """

    def handler(method: Any) -> Any:
        request = GetMessageClass(method.input_type).FromString
        response = GetMessageClass(method.output_type).SerializeToString
        name = method.input_type.name.removesuffix("Request")
        if method.name in STREAMING:
            return grpc.unary_stream_rpc_method_handler(partial(streaming, name), request, response)
        return grpc.unary_unary_rpc_method_handler(partial(unary, name), request, response)

    return [
        grpc.method_handlers_generic_handler(
            service.full_name, {name: handler(method) for name, method in service.methods_by_name.items()}
        )
        for service in (JOBS, QUEUES, SCHEDULES, WORKERS)
    ]
