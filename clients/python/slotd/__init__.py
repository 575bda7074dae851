"""slotd: jobs over gRPC. The client, the handlers' side, and the generated stubs (`slotd.v1`).

Importing this is quick: what needs gRPC is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slotd.handlers import JobCancelled, JobContext, PermanentError, Snooze, current_job, job

if TYPE_CHECKING:
    from slotd import aio, v1
    from slotd.client import Client
    from slotd.codec import CodecError, DecodeError, EncodeError
    from slotd.errors import (
        Aborted,
        AlreadyExists,
        Awaited,
        Cancelled,
        CursorExpired,
        DataLoss,
        DeadlineExceeded,
        DependencyCycle,
        DependencyFailed,
        Error,
        FailedPrecondition,
        Internal,
        InvalidArgument,
        NotFound,
        OutOfRange,
        PermissionDenied,
        ResourceExhausted,
        RevisionMismatch,
        ScheduleExists,
        ScheduleOverlap,
        Unauthenticated,
        Unavailable,
        Unimplemented,
        UniqueKeyTaken,
        Unknown,
    )
    from slotd.jobspec import RetryPolicy, spec
    from slotd.outage import Backoff
    from slotd.payload import decode, encode
    from slotd.requests import KEEP, queue_defaults
    from slotd.streams import EventStream, JobPages, OutputStream
    from slotd.ties import after, after_group, exclusive, shared
    from slotd.worker import Worker

    __version__: str

__all__ = [
    "KEEP",
    "Aborted",
    "AlreadyExists",
    "Awaited",
    "Backoff",
    "Cancelled",
    "Client",
    "CodecError",
    "CursorExpired",
    "DataLoss",
    "DeadlineExceeded",
    "DecodeError",
    "DependencyCycle",
    "DependencyFailed",
    "EncodeError",
    "Error",
    "EventStream",
    "FailedPrecondition",
    "Internal",
    "InvalidArgument",
    "JobCancelled",
    "JobContext",
    "JobPages",
    "NotFound",
    "OutOfRange",
    "OutputStream",
    "PermanentError",
    "PermissionDenied",
    "ResourceExhausted",
    "RetryPolicy",
    "RevisionMismatch",
    "ScheduleExists",
    "ScheduleOverlap",
    "Snooze",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "UniqueKeyTaken",
    "Unknown",
    "Worker",
    "__version__",
    "after",
    "after_group",
    "aio",
    "current_job",
    "decode",
    "encode",
    "exclusive",
    "job",
    "queue_defaults",
    "shared",
    "spec",
    "v1",
]

_ROOMS = {
    "client": ("Client",),
    "codec": ("CodecError", "DecodeError", "EncodeError"),
    "errors": (
        "Aborted",
        "AlreadyExists",
        "Awaited",
        "Cancelled",
        "CursorExpired",
        "DataLoss",
        "DeadlineExceeded",
        "DependencyCycle",
        "DependencyFailed",
        "Error",
        "FailedPrecondition",
        "Internal",
        "InvalidArgument",
        "NotFound",
        "OutOfRange",
        "PermissionDenied",
        "ResourceExhausted",
        "RevisionMismatch",
        "ScheduleExists",
        "ScheduleOverlap",
        "Unauthenticated",
        "Unavailable",
        "Unimplemented",
        "UniqueKeyTaken",
        "Unknown",
    ),
    "jobspec": ("RetryPolicy", "spec"),
    "outage": ("Backoff",),
    "payload": ("decode", "encode"),
    "requests": ("KEEP", "queue_defaults"),
    "streams": ("EventStream", "JobPages", "OutputStream"),
    "ties": ("after", "after_group", "exclusive", "shared"),
    "worker": ("Worker",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("slotd")
    except PackageNotFoundError:
        # Run from a source tree that was never installed.
        return "0+unknown"


# Type checkers know the names from the imports above; told of this function, they would let any name pass.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in ("aio", "v1"):
            return import_module(f"slotd.{name}")
        if name == "__version__":
            value: object = _version()
        elif name in _ROOM_OF:
            value = getattr(import_module(f"slotd.{_ROOM_OF[name]}"), name)
        else:
            raise AttributeError(f"module 'slotd' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
