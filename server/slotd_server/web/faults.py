"""Errors as HTTP tells them: Connect's code and JSON, with the details that callers of gRPC get in their trailers."""

import json
from base64 import b64encode
from typing import Any, NamedTuple

import grpc
from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from protobuf.wkt import Any as ConnectAny
from protobuf.wkt import Struct
from starlette.responses import Response

from slotd_server.domain.errors import InvalidArgument, ServiceError
from slotd_server.rpc import errors

_HTTP_STATUS = {
    Code.CANCELED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}
"""As the Connect protocol has them; 500 for the rest."""

_REASONS = {
    Code.CANCELED: "CANCELLED",
    Code.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    Code.RESOURCE_EXHAUSTED: "TOO_LARGE",
    Code.UNIMPLEMENTED: "UNIMPLEMENTED",
}
"""Of the errors that the library itself finds."""


class Fault(NamedTuple):
    """One error, ready for every way in which it can be told."""

    code: Code
    message: str
    details: tuple[AnyMessage, ...]

    def exception(self) -> ConnectError:
        """For the library to end a call with."""
        return ConnectError(self.code, self.message, [_Detail(detail) for detail in self.details])

    def text(self) -> str:
        """The JSON of the Connect protocol."""
        details = [
            {
                "type": detail.type_url.rpartition("/")[2],
                "value": b64encode(detail.value).decode().rstrip("="),
                "debug": _readable(detail),
            }
            for detail in self.details
        ]
        return json.dumps(
            {"code": self.code.value, "message": self.message, "details": details},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def response(self, status: int | None = None) -> Response:
        """An answer over HTTP; its status is the code's, or `status`."""
        return Response(self.text(), status or _HTTP_STATUS.get(self.code, 500), media_type="application/json")


class _Detail(ErrorDetail):
    """A detail as `ErrorDetail` packs it, of a type that only google.protobuf knows; `value` is for its `debug`."""

    def __init__(self, detail: AnyMessage) -> None:
        super().__init__(ConnectAny(type_url=detail.type_url, value=detail.value))
        self._readable = Struct.from_json(json.dumps(_readable(detail)))

    def value(self, *_: object) -> Struct:  # type: ignore[override]
        """What the JSON shows to people."""
        return self._readable


def of(error: Exception) -> Fault:
    """What `error` is by the table of `rpc/errors.py`."""
    wire = errors.status(error)
    whole = status_pb2.Status.FromString(wire.details)
    return Fault(_code(wire.code), wire.message, tuple(whole.details))


def refused(code: Code, reason: str, message: str) -> Fault:
    """An error that only HTTP has."""
    info = AnyMessage()
    info.Pack(ErrorInfo(reason=reason, domain=errors.DOMAIN))
    return Fault(code, message, (info,))


class Translation:
    """An interceptor of connectrpc: whatever a call raises goes out as a Fault."""

    async def on_start(self, _: object) -> None:
        """Nothing is to be done before a call."""

    async def on_end(self, _token: None, _context: object, error: Exception | None) -> None:
        """Replaces the error, by raising another."""
        if error is not None:
            raise _translated(error) from error


def _translated(error: Exception) -> ConnectError:
    if not isinstance(error, ConnectError):
        return of(error).exception()
    # The library has found it: what a codec raised, or what it says itself of a request that can't be read.
    if isinstance(error.__cause__, ServiceError):
        return of(error.__cause__).exception()
    if error.code is Code.INVALID_ARGUMENT:
        return of(InvalidArgument(("request", error.message), reason="MALFORMED_MESSAGE")).exception()
    if error.details or error.code not in _REASONS:
        return error
    return refused(error.code, _REASONS[error.code], error.message).exception()


def _code(status: grpc.StatusCode) -> Code:
    return Code.CANCELED if status is grpc.StatusCode.CANCELLED else Code[status.name]


def _readable(detail: AnyMessage) -> dict[str, Any]:
    descriptor = Default().FindMessageTypeByName(detail.type_url.rpartition("/")[2])
    message = GetMessageClass(descriptor).FromString(detail.value)
    found: dict[str, Any] = json_format.MessageToDict(message)
    return found
