"""Calls as they are on the wire: raw bytes out, and of an error all that came back."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar, cast

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tests.service import Endpoint

M = TypeVar("M", bound=Message)

JOBS = "/slotd.v1.JobService/"
QUEUES = "/slotd.v1.QueueService/"
SCHEDULES = "/slotd.v1.ScheduleService/"
STREAMING = frozenset({"Stream", "ReadOutput"})

_LEAKS = ("Traceback", "sqlite", "SELECT", "INSERT", ".py", "/tmp", "/home", "/usr")


class Refusal(NamedTuple):
    """How a call ended: the code, the reason, the names of the details beside ErrorInfo, and the whole status."""

    code: grpc.StatusCode
    reason: str
    details: set[str]
    status: Status

    def detail(self, kind: type[M]) -> M:
        """The detail of this type, which must be there."""
        found = kind()
        assert any(packed.Unpack(found) for packed in self.status.details), kind
        return found


def refusal(call: Callable[[], object]) -> Refusal:
    """The refusal of a call that must be refused, by slotd: with an ErrorInfo, and nothing of its inside told."""
    error = failure(call)
    trailing = cast(Iterable[tuple[str, str | bytes]], error.trailing_metadata() or ())
    raw = dict(trailing).get("grpc-status-details-bin")
    assert isinstance(raw, bytes), f"{error.code()} without details: {error.details()}"
    status = Status.FromString(raw)
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "slotd"
    assert info.reason
    assert info.reason == info.reason.upper()
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    text = str(status)
    assert not [leak for leak in _LEAKS if leak in text], text
    names = {packed.TypeName().removeprefix("google.rpc.") for packed in status.details[1:]}
    return Refusal(error.code(), info.reason, names, status)


def failure(call: Callable[[], object]) -> grpc.RpcError:
    """How a call that must fail did so; the answers of a stream are read until then."""
    try:
        answer = call()
        if isinstance(answer, Iterator):
            answer = list(answer)
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"it was taken: {str(answer)[:500]}")


def outcome(call: Callable[[], object]) -> grpc.StatusCode | None:
    """The code of a call that may fail; None where it does not."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return None


def send(at: Endpoint, path: str, data: bytes) -> bytes | list[bytes]:
    """Sends bytes to a method, whatever they are; returns the bytes that came back, of a stream a list."""
    if path.rpartition("/")[2] in STREAMING:
        return list(at.channel.unary_stream(path, bytes, bytes)(data, timeout=20))
    answer: bytes = at.channel.unary_unary(path, bytes, bytes)(data, timeout=20)
    return answer
