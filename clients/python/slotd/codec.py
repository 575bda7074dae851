"""Values to bytes and back, by media type: what a payload's and a result's `content_type` means in Python.

Needs protobuf's runtime alone (no gRPC, no stubs), so that whoever runs handlers can use it on plain pairs.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar, overload

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import EncodeError as ProtobufEncodeError
from google.protobuf.message import Message

JSON = "application/json"
TEXT = "text/plain"
BYTES = "application/octet-stream"
PROTOBUF = "application/protobuf"

_PROTOBUF_NAMES = frozenset({PROTOBUF, "application/x-protobuf"})

M = TypeVar("M", bound=Message)


class CodecError(ValueError):
    """A value and a media type that do not go together."""


class EncodeError(CodecError):
    """A value that can't be written as the wanted media type."""


class DecodeError(CodecError):
    """Bytes that are not what their media type says."""


def encode_value(value: object, content_type: str | None = None) -> tuple[str, bytes] | None:
    """Returns (content type, bytes) for a value; nothing at all for None.

    Without a content type the value decides: bytes are `application/octet-stream`, a protobuf message is
    `application/protobuf; type=FULL.NAME`, all else, text included, is `application/json`. With one, bytes are taken
    as already encoded, and other values are written as JSON, `text/…` (UTF-8) or protobuf. None with
    `application/json` is JSON's null.

    Raises EncodeError.
    """
    if content_type is None or content_type == "":
        if value is None:
            return None
        if isinstance(value, (bytes, bytearray, memoryview)):
            return BYTES, bytes(value)
        if isinstance(value, Message):
            return _protobuf_type(value), _protobuf_bytes(value)
        return JSON, _json_bytes(value)
    media_type, parameters = parse_content_type(content_type)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return content_type, bytes(value)
    if media_type == JSON:
        return content_type, _json_bytes(value)
    if media_type in _PROTOBUF_NAMES:
        if not isinstance(value, Message):
            raise EncodeError(f"{media_type} takes a protobuf message or bytes, not {type(value).__name__}")
        named = parameters.get("type", value.DESCRIPTOR.full_name)
        if named != value.DESCRIPTOR.full_name:
            raise EncodeError(f"the content type says {named}, the message is a {value.DESCRIPTOR.full_name}")
        return (content_type if "type" in parameters else _protobuf_type(value, media_type)), _protobuf_bytes(value)
    if media_type.startswith("text/") and isinstance(value, str):
        return content_type, _utf8(value)
    raise EncodeError(f"no way to write {type(value).__name__} as {media_type}: give bytes")


@overload
def decode_value(content_type: str, data: bytes, message_type: None = None) -> object: ...


@overload
def decode_value(content_type: str, data: bytes, message_type: type[M]) -> M | None: ...


def decode_value(content_type: str, data: bytes, message_type: type[M] | None = None) -> object:
    """Returns what the bytes stand for.

    `application/json` gives objects, `text/plain` a str, anything else the bytes themselves; no bytes of no type, or
    of a type not known here, give None. With `message_type`, protobuf and JSON are parsed into such a message.

    Raises DecodeError.
    """
    media_type, parameters = parse_content_type(content_type)
    if not data and media_type not in _PROTOBUF_NAMES and media_type not in (JSON, TEXT, BYTES):
        return None
    if message_type is not None:
        return _decode_message(media_type, parameters, data, message_type)
    if media_type == JSON:
        return _decode_json(data)
    if media_type == TEXT:
        return _decode_text(data, parameters.get("charset", "utf-8"))
    return data


def parse_content_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Splits a content type into its media type, in small letters, and its parameters, quotes removed."""
    media_type, *pieces = content_type.split(";")
    parameters = {}
    for piece in pieces:
        name, _, value = piece.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return media_type.strip().lower(), parameters


def _protobuf_type(message: Message, media_type: str = PROTOBUF) -> str:
    return f"{media_type}; type={message.DESCRIPTOR.full_name}"


def _protobuf_bytes(message: Message) -> bytes:
    try:
        # Deterministic, so that a repeated request with the same id carries the same bytes.
        return message.SerializeToString(deterministic=True)
    except (ProtobufEncodeError, ValueError) as error:
        raise EncodeError(f"{message.DESCRIPTOR.full_name} can't be serialised: {error}") from error


def _json_bytes(value: object) -> bytes:
    if isinstance(value, Message):
        from google.protobuf import json_format

        try:
            return json_format.MessageToJson(value, indent=None).encode()
        except (json_format.Error, ValueError, TypeError) as error:
            raise EncodeError(f"{value.DESCRIPTOR.full_name} has no JSON form: {error}") from error
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(f"{type(value).__name__} has no JSON form: {error}") from error
    return _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"text has no UTF-8 form: {error}") from error


def _decode_json(data: bytes) -> object:
    try:
        result: object = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from error
    return result


def _refuse_constant(name: str) -> NoReturn:
    # Python's parser takes NaN and Infinity, which other languages' parsers refuse.
    raise ValueError(f"{name} is not a JSON number")


def _decode_text(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError) as error:
        raise DecodeError(f"not {charset} text: {error}") from error


def _decode_message(media_type: str, parameters: dict[str, str], data: bytes, message_type: type[M]) -> M:
    descriptor: Any = message_type.DESCRIPTOR
    wanted: str = descriptor.full_name
    if media_type in _PROTOBUF_NAMES:
        named = parameters.get("type", wanted)
        if named != wanted:
            raise DecodeError(f"wanted a {wanted}, got a {named}")
        message = message_type()
        try:
            message.ParseFromString(data)
        except ProtobufDecodeError as error:
            raise DecodeError(f"not a {wanted}: {error}") from error
        return message
    if media_type == JSON:
        from google.protobuf import json_format

        try:
            return json_format.Parse(data.decode(), message_type())
        except (json_format.Error, ValueError, RecursionError) as error:
            raise DecodeError(f"not the JSON form of {wanted}: {error}") from error
    raise DecodeError(f"wanted a {wanted} as {PROTOBUF} or {JSON}, got {media_type or 'bytes of no type'}")
