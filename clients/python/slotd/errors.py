"""What the client raises: one exception for each status code, with the reason and the details that the service sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

_DETAILS_KEY = "grpc-status-details-bin"

_DETAIL_TYPES: dict[str, type[Message]] = {
    f"google.rpc.{kind.__name__}": kind
    for kind in (
        error_details_pb2.BadRequest,
        error_details_pb2.DebugInfo,
        error_details_pb2.ErrorInfo,
        error_details_pb2.Help,
        error_details_pb2.LocalizedMessage,
        error_details_pb2.PreconditionFailure,
        error_details_pb2.QuotaFailure,
        error_details_pb2.RequestInfo,
        error_details_pb2.ResourceInfo,
        error_details_pb2.RetryInfo,
    )
}

# How gRPC's core begins when no connection could be made at all, as against one that broke.
_NOT_CONNECTED = (
    "failed to connect",
    "dns resolution failed",
    "name resolution",
    "empty address list",
    "unavailable: failed",
)

M = TypeVar("M", bound=Message)


class Error(Exception):
    """A call that the service refused, or that did not reach it.

    Attributes:
        code: the gRPC status code.
        message: what happened, in words.
        reason: UPPER_SNAKE, from google.rpc.ErrorInfo; empty where none was sent.
        metadata: what ErrorInfo has beside the reason.
        details: the google.rpc messages that came along, unpacked; an Any where the type is not known.
    """

    default_code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        details: Iterable[Message] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.details = tuple(details)

    def __str__(self) -> str:
        name = self.reason or self.code.name
        return f"{self.message} ({name})" if self.message else name

    def detail(self, kind: type[M]) -> M | None:
        """Returns the first detail of a type, or None."""
        return next((detail for detail in self.details if isinstance(detail, kind)), None)

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the service says that another try makes sense; None where it does not say."""
        info = self.detail(error_details_pb2.RetryInfo)
        if info is None:
            return None
        delay: timedelta = info.retry_delay.ToTimedelta()
        return max(0.0, delay.total_seconds())


class Cancelled(Error):
    """The call was cancelled (a job that was cancelled is no error: look at its state)."""

    default_code = grpc.StatusCode.CANCELLED


class Unknown(Error):
    """The service failed without saying how."""

    default_code = grpc.StatusCode.UNKNOWN


class InvalidArgument(Error):
    """A malformed field, an unknown kind, a bad id, a cursor of another store, a bad cron expression."""

    default_code = grpc.StatusCode.INVALID_ARGUMENT

    @property
    def field_violations(self) -> dict[str, str]:
        """What is wrong, by field path (`spec.kind`); of several for one field, in one text."""
        found: dict[str, str] = {}
        request = self.detail(error_details_pb2.BadRequest)
        for violation in request.field_violations if request is not None else ():
            before = found.get(violation.field)
            found[violation.field] = f"{before}; {violation.description}" if before else violation.description
        return found


class DependencyCycle(InvalidArgument):
    """Jobs that would wait for each other; `field_violations` has the path that closes the cycle."""


class DeadlineExceeded(Error):
    """No answer within the call's timeout. What was asked for may have been done all the same."""

    default_code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFound(Error):
    """No such job, queue, group or schedule; `reason` says which kind: JOB_NOT_FOUND and so on."""

    default_code = grpc.StatusCode.NOT_FOUND

    @property
    def resource_name(self) -> str:
        """The name of what is not there; empty where the service did not say."""
        info = self.detail(error_details_pb2.ResourceInfo)
        return info.resource_name if info is not None else ""


class AlreadyExists(Error):
    """There is one already; of its own, a request_id that was used before, with other content."""

    default_code = grpc.StatusCode.ALREADY_EXISTS

    @property
    def job_id(self) -> str:
        """The id of the job that is there; empty where it is no job, and where the service did not say."""
        named = self.metadata.get("job_id")
        if named:
            return named
        info = self.detail(error_details_pb2.ResourceInfo)
        if info is None or info.resource_type not in ("", "job"):
            return ""
        return info.resource_name.rpartition("/")[2]


class UniqueKeyTaken(AlreadyExists):
    """Another job, `job_id`, has the unique_key."""


class ScheduleExists(AlreadyExists):
    """There is a schedule of that name."""


class PermissionDenied(Error):
    """The caller may not do this."""

    default_code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhausted(Error):
    """A limit: a full queue or disk, too many streams, a payload too large. With `retry_after` waiting helps."""

    default_code = grpc.StatusCode.RESOURCE_EXHAUSTED

    @property
    def quota_violations(self) -> dict[str, str]:
        """What was exceeded, in words, by subject."""
        failure = self.detail(error_details_pb2.QuotaFailure)
        return {one.subject: one.description for one in failure.violations} if failure is not None else {}


class FailedPrecondition(Error):
    """Not allowed in the state that the job is in."""

    default_code = grpc.StatusCode.FAILED_PRECONDITION

    @property
    def violations(self) -> dict[str, str]:
        """What stands in the way, in words, by subject."""
        failure = self.detail(error_details_pb2.PreconditionFailure)
        return {one.subject: one.description for one in failure.violations} if failure is not None else {}


class Awaited(FailedPrecondition):
    """A job that others depend on, which have not ended, can't be deleted."""


class DependencyFailed(FailedPrecondition):
    """What the job depends on has failed or is gone. Retry that first, with `dependents`."""


class ScheduleOverlap(FailedPrecondition):
    """The schedule's overlap policy makes no job while an earlier one has not ended."""


class Aborted(Error):
    """Somebody else's change came in between."""

    default_code = grpc.StatusCode.ABORTED


class RevisionMismatch(Aborted):
    """It has changed since the revision that the caller knows. Get it again, and decide anew."""


class OutOfRange(Error):
    """A position that is not there."""

    default_code = grpc.StatusCode.OUT_OF_RANGE


class CursorExpired(OutOfRange):
    """The events after this cursor are no longer kept. List the jobs, then stream from the list's cursor."""


class Unimplemented(Error):
    """This service does not do that (yet)."""

    default_code = grpc.StatusCode.UNIMPLEMENTED


class Internal(Error):
    """A fault in the service or on the way."""

    default_code = grpc.StatusCode.INTERNAL


class Unavailable(Error):
    """No service there, or one that drains or has lost its store.

    `connected` is False when no connection could be made: nothing was asked, nothing was done.
    """

    default_code = grpc.StatusCode.UNAVAILABLE
    connected: bool = True


class DataLoss(Error):
    """Data are lost or damaged."""

    default_code = grpc.StatusCode.DATA_LOSS


class Unauthenticated(Error):
    """The caller did not say who it is, or not believably."""

    default_code = grpc.StatusCode.UNAUTHENTICATED


_BY_CODE: dict[grpc.StatusCode, type[Error]] = {
    kind.default_code: kind
    for kind in (
        Cancelled,
        Unknown,
        InvalidArgument,
        DeadlineExceeded,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Aborted,
        OutOfRange,
        Unimplemented,
        Internal,
        Unavailable,
        DataLoss,
        Unauthenticated,
    )
}

# Reasons that a caller can be expected to act upon.
_BY_REASON: dict[str, type[Error]] = {
    "AWAITED": Awaited,
    "CURSOR_EXPIRED": CursorExpired,
    "DEPENDENCY_CYCLE": DependencyCycle,
    "DEPENDENCY_FAILED": DependencyFailed,
    "REVISION_MISMATCH": RevisionMismatch,
    "SCHEDULE_EXISTS": ScheduleExists,
    "SCHEDULE_OVERLAP": ScheduleOverlap,
    "UNIQUE_KEY_TAKEN": UniqueKeyTaken,
}


def from_rpc_error(error: grpc.RpcError, address: str) -> Error:
    """Translates what gRPC raised, sync or aio; `address` is what the caller knows the service by."""
    code = error.code()
    message = error.details() or ""
    details = _unpack(cast(Iterable[tuple[str, str | bytes]], error.trailing_metadata() or ()))
    info = next((detail for detail in details if isinstance(detail, error_details_pb2.ErrorInfo)), None)
    reason = info.reason if info is not None else ""
    kind = _BY_CODE.get(code, Unknown)
    named = _BY_REASON.get(reason, kind)
    if named.default_code is kind.default_code:
        kind = named
    connected = not (kind is Unavailable and info is None and message.lower().startswith(_NOT_CONNECTED))
    translated = kind(
        message if connected else f"no service at {address}",
        code=code,
        reason=reason,
        metadata=dict(info.metadata) if info is not None else {},
        details=details,
    )
    if isinstance(translated, Unavailable):
        translated.connected = connected
    return translated


def _unpack(trailing_metadata: Iterable[tuple[str, str | bytes]]) -> list[Message]:
    """Unpacks the google.rpc.Status that travels in a call's trailing metadata; an unreadable one gives no details."""
    raw = next((value for key, value in trailing_metadata if key == _DETAILS_KEY), b"")
    if isinstance(raw, str):
        return []
    status = status_pb2.Status()
    try:
        status.ParseFromString(raw)
    except DecodeError:
        # Whatever sits between here and the service may have mangled it; code and message still hold.
        return []
    unpacked: list[Message] = []
    for packed in status.details:
        kind = _DETAIL_TYPES.get(packed.TypeName())
        detail = kind() if kind is not None else packed
        if kind is not None:
            try:
                detail.ParseFromString(packed.value)
            except DecodeError:
                detail = packed
        unpacked.append(detail)
    return unpacked
