"""What each exception is on the wire: its status code, and the details that come with it. One table.

Everything is cut to what fits into the trailing metadata, which gRPC bounds at 8 KiB: a request that is wrong in a
thousand places must not fail for the size of its answer.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details_pb2
from google.rpc import status_pb2

from slotd_server.domain.errors import (
    Awaited,
    CursorAhead,
    CursorExpired,
    DependencyCycle,
    DependencyFailed,
    Draining,
    InvalidArgument,
    NotFound,
    OffsetOutOfRange,
    QueueFull,
    RequestIdReused,
    RevisionMismatch,
    ScheduleExists,
    ScheduleOverlap,
    ServiceError,
    StoreBroken,
    StoreFull,
    StoreUnavailable,
    TooLarge,
    TooManyStreams,
    UniqueKeyTaken,
    WorkerElsewhere,
    WorkerReplaced,
    WorkerSilent,
    WrongState,
)

DOMAIN = "slotd"
"""Of every ErrorInfo."""

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata that holds the google.rpc.Status."""

_MESSAGE_BYTES = 512
_VIOLATIONS_BYTES = 2048

log = structlog.get_logger()

Details: TypeAlias = list[Message]


class Wire(NamedTuple):
    """An error as a call ends with it: the code, a message for people, and a serialised google.rpc.Status."""

    code: grpc.StatusCode
    message: str
    details: bytes


class _Row(NamedTuple):
    """`details` come on top of ErrorInfo, whose metadata is `metadata`; `message` replaces the exception's own."""

    code: grpc.StatusCode
    details: Callable[[Any], Details]
    metadata: Callable[[Any], Mapping[str, str]]
    message: str | None = None
    reason: str | None = None


def _nothing(_: ServiceError) -> Details:
    return []


def _no_metadata(_: ServiceError) -> Mapping[str, str]:
    return {}


def _bad_request(error: InvalidArgument) -> Details:
    request = details_pb2.BadRequest()
    room = _VIOLATIONS_BYTES
    for number, (field, wrong) in enumerate(error.violations):
        field, wrong = _clip(field, 256), _clip(wrong, _MESSAGE_BYTES)
        room -= len(field.encode()) + len(wrong.encode()) + 8
        if room < 0:
            more = len(error.violations) - number
            request.field_violations.add(field="", description=f"{more} more violations are left out")
            break
        request.field_violations.add(field=field, description=wrong)
    return [request]


def _resource(kind: str, name: str, description: str) -> Details:
    resource_type = f"slotd.v1.{kind.capitalize()}"
    return [details_pb2.ResourceInfo(resource_type=resource_type, resource_name=name, description=description)]


def _not_found(error: NotFound) -> Details:
    return _resource(error.kind, _clip(error.name, 256), f"there is no such {error.kind}")


def _reused(error: RequestIdReused) -> Details:
    return _resource("job", error.job_id, "the job that came first with this request_id")


def _taken(error: UniqueKeyTaken) -> Details:
    return _resource("job", error.job_id, "the job that has the unique_key")


def _exists(error: ScheduleExists) -> Details:
    return _resource("schedule", error.name, "the schedule of that name")


def _moved_on(error: RevisionMismatch) -> Details:
    return _resource(error.subject, error.name, "has changed since that revision; read it again")


def _precondition(kind: Callable[[Any], str], subject: Callable[[Any], str]) -> Callable[[ServiceError], Details]:
    def details(error: ServiceError) -> Details:
        violation = details_pb2.PreconditionFailure.Violation(
            type=kind(error), subject=subject(error), description=_clip(str(error), _MESSAGE_BYTES)
        )
        return [details_pb2.PreconditionFailure(violations=[violation])]

    return details


def _retry(seconds: int) -> details_pb2.RetryInfo:
    return details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds))


def _later(_: Exception) -> Details:
    return [_retry(1)]


def _quota(seconds: int, subject: Callable[[Any], str]) -> Callable[[ServiceError], Details]:
    def details(error: ServiceError) -> Details:
        violation = details_pb2.QuotaFailure.Violation(
            subject=_clip(subject(error), 256), description=_clip(str(error), _MESSAGE_BYTES)
        )
        return [_retry(seconds), details_pb2.QuotaFailure(violations=[violation])]

    return details


_UNAVAILABLE = "the store is not available; try again later"
_C = grpc.StatusCode

_TABLE: dict[type[Exception], _Row] = {
    InvalidArgument: _Row(_C.INVALID_ARGUMENT, _bad_request, _no_metadata),
    NotFound: _Row(_C.NOT_FOUND, _not_found, _no_metadata),
    RequestIdReused: _Row(_C.ALREADY_EXISTS, _reused, lambda error: {"job_id": error.job_id}),
    UniqueKeyTaken: _Row(_C.ALREADY_EXISTS, _taken, lambda error: {"job_id": error.job_id}),
    ScheduleExists: _Row(_C.ALREADY_EXISTS, _exists, lambda error: {"schedule": error.name}),
    RevisionMismatch: _Row(_C.ABORTED, _moved_on, _no_metadata),
    WrongState: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda error: f"JOB_STATE_{error.state}", lambda error: str(error.job_id)),
        lambda error: {"job_id": error.job_id, "state": error.state},
    ),
    Awaited: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda _: Awaited.reason, lambda error: str(error.job_id)),
        lambda error: {"job_id": error.job_id},
    ),
    DependencyCycle: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda _: DependencyCycle.reason, lambda error: str(error.job_id)),
        lambda error: {"job_id": error.job_id},
    ),
    DependencyFailed: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda _: DependencyFailed.reason, lambda error: str(error.target)),
        lambda error: {"job_id": error.job_id, "target": error.target},
    ),
    ScheduleOverlap: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda _: ScheduleOverlap.reason, lambda error: str(error.name)),
        lambda error: {"schedule": error.name},
    ),
    WorkerElsewhere: _Row(
        _C.FAILED_PRECONDITION,
        _precondition(lambda _: WorkerElsewhere.reason, lambda error: str(error.worker)),
        _no_metadata,
    ),
    WorkerSilent: _Row(_C.UNAVAILABLE, _later, _no_metadata),
    WorkerReplaced: _Row(_C.ABORTED, _nothing, _no_metadata),
    QueueFull: _Row(
        _C.RESOURCE_EXHAUSTED,
        _quota(1, lambda error: f"queues/{error.queue}"),
        lambda error: {"queue": _clip(error.queue, 256)},
    ),
    TooLarge: _Row(
        _C.RESOURCE_EXHAUSTED,
        _quota(1, lambda error: str(error.subject)),
        lambda error: {"field": _clip(error.subject, 256)},
    ),
    TooManyStreams: _Row(_C.RESOURCE_EXHAUSTED, _quota(1, lambda _: "streams"), _no_metadata),
    StoreFull: _Row(_C.RESOURCE_EXHAUSTED, _quota(5, lambda _: "store"), _no_metadata),
    # What the store says of itself may name a path.
    StoreUnavailable: _Row(_C.UNAVAILABLE, _later, _no_metadata, _UNAVAILABLE),
    StoreBroken: _Row(_C.UNAVAILABLE, _later, _no_metadata, _UNAVAILABLE, StoreUnavailable.reason),
    Draining: _Row(_C.UNAVAILABLE, _later, _no_metadata),
    CursorExpired: _Row(_C.OUT_OF_RANGE, _nothing, _no_metadata),
    CursorAhead: _Row(_C.OUT_OF_RANGE, _nothing, _no_metadata),
    OffsetOutOfRange: _Row(_C.OUT_OF_RANGE, _nothing, _no_metadata),
}

_INTERNAL = _Row(_C.INTERNAL, _nothing, _no_metadata, "something went wrong inside the service", ServiceError.reason)


def status(error: Exception) -> Wire:
    """`error` as its call ends with it. What is not in the table is logged, and INTERNAL without a word on why."""
    row = _TABLE.get(type(error))
    if row is None:
        _log("a call failed", error)
        row = _INTERNAL
    elif isinstance(error, StoreBroken):
        _log("a call found the store broken", error)
    message = _clip(str(error), _MESSAGE_BYTES) if row.message is None else row.message
    reason = row.reason if row.reason is not None else getattr(error, "reason", ServiceError.reason)
    info = details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=row.metadata(error))
    whole = status_pb2.Status(
        code=row.code.value[0], message=message, details=[_packed(part) for part in (info, *row.details(error))]
    )
    return Wire(row.code, message, whole.SerializeToString())


def code(error: BaseException) -> str:
    """The name of the status code alone, of a call that was cancelled too: its caller is gone, or has heard enough."""
    if isinstance(error, Exception):
        return _TABLE.get(type(error), _INTERNAL).code.name
    return "CANCELLED"


def _log(event: str, error: Exception) -> None:
    # As text, made here: what renders exceptions for people shows variables too, and with them payloads.
    log.error(event, exception="".join(traceback.format_exception(error)))


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _clip(text: str, size: int) -> str:
    """At most `size` bytes of `text`, whole characters: JSON may hold halves of some, which can't be sent."""
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= size else data[: size - 3].decode(errors="ignore") + "…"
