"""The handlers of the service that a scenario is played against."""

from typing import Any

from google.protobuf.struct_pb2 import Struct

from slotd import JobContext, job
from tests.languages import script


@job("script", initial_backoff=0.01, jitter=0)
def scripted(ctx: JobContext, payload: Any) -> Any:
    """Does what its payload says."""
    return script.run(ctx, payload)


@job("idle")
def idle(ctx: JobContext, payload: object) -> None:
    """Does nothing."""


@job("echo")
def echo(ctx: JobContext, payload: object) -> object:
    """Returns its payload, as it was decoded."""
    return payload


@job("struct")
def struct(ctx: JobContext, payload: Struct) -> Struct:
    """Returns its message."""
    return payload
