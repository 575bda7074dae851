"""Values to `slotd.v1.Payload` messages and back; the rules are those of `slotd.codec`."""

from __future__ import annotations

from typing import TypeVar, overload

from google.protobuf.message import Message

from slotd.codec import decode_value, encode_value
from slotd.v1 import job_pb2

M = TypeVar("M", bound=Message)


def encode(value: object, content_type: str | None = None) -> job_pb2.Payload | None:
    """Returns the payload that holds a value; a payload as it is; None for None.

    Raises EncodeError, a ValueError, when the value and the content type do not go together.
    """
    if isinstance(value, job_pb2.Payload):
        return value
    encoded = encode_value(value, content_type)
    if encoded is None:
        return None
    return job_pb2.Payload(content_type=encoded[0], data=encoded[1])


@overload
def decode(payload: job_pb2.Payload | None, message_type: None = None) -> object: ...


@overload
def decode(payload: job_pb2.Payload | None, message_type: type[M]) -> M | None: ...


def decode(payload: job_pb2.Payload | None, message_type: type[M] | None = None) -> object:
    """Returns what a payload holds: `decode(job.result)`; None for an empty one or none.

    A job seen in the BASIC view has no data in its payload and result: get it in FULL first.
    Raises DecodeError, a ValueError, when the data are not what the content type says.
    """
    if payload is None:
        return None
    if message_type is None:
        return decode_value(payload.content_type, payload.data)
    return decode_value(payload.content_type, payload.data, message_type)
