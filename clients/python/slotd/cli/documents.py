"""Messages as JSON: the proto3 mapping with the names of the proto files, made handy for jq in three ways.

Every field without presence is there even where it has its default; 64-bit numbers are numbers, not strings; payloads
and results of JSON or text hold a decoded `value` in place of base64 `data`.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message

# Imported for its side effect: error details can be written only once their types are known.
from google.rpc import error_details_pb2 as _error_details  # noqa: F401

from slotd import v1

_LONE = re.compile("[\ud800-\udfff]")

Document = dict[str, Any]

_WELL_KNOWN = {"google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"}


def document(message: Message) -> Document:
    """The message as JSON objects."""
    if isinstance(message, v1.Payload):
        return payload(message)
    found: Document = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.has_presence:
            if message.HasField(field.name):
                found[field.name] = _value(field, value)
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            content = field.message_type.fields_by_name["value"]
            found[field.name] = {str(key): _value(content, value[key]) for key in sorted(value)}
        elif isinstance(value, str | bytes | int | float):
            found[field.name] = _value(field, value)
        else:
            found[field.name] = [_value(field, item) for item in value]
    return found


def payload(message: v1.Payload) -> Document:
    """`content_type`, and `value` for JSON and text, `data` in base64 for the rest; neither where there is no data."""
    found: Document = {"content_type": message.content_type}
    if not message.data:
        return found
    form = message.content_type.partition(";")[0].strip().lower()
    try:
        if form == "application/json" or form.endswith("+json"):
            value = json.loads(message.data, parse_constant=_refuse)
            # 1e999 is read as infinity, which can't be written as JSON again.
            json.dumps(value, allow_nan=False)
            return found | {"value": value}
        if form.startswith("text/"):
            return found | {"value": message.data.decode()}
    except (ValueError, RecursionError):
        # It is not what it says it is: then it is bytes, of which nothing may be lost.
        pass
    return found | {"data": b64encode(message.data).decode()}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _value(field: Any, value: Any) -> Any:
    """One value of a field; `field` is a descriptor, of which protobuf has two unrelated types."""
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if not isinstance(value, Message):
        return value
    if isinstance(value, any_pb2.Any):
        try:
            return json_format.MessageToDict(value, preserving_proto_field_name=True)
        except TypeError:
            # A type that this version has never heard of stays as it came.
            return {"@type": value.type_url, "value": b64encode(value.value).decode()}
    return json_format.MessageToDict(value) if value.DESCRIPTOR.full_name in _WELL_KNOWN else document(value)


def text(found: object) -> str:
    """A document over several lines."""
    return _dumps(found, indent=2)


def line(found: object) -> str:
    """A document on one line."""
    return _dumps(found, separators=(",", ":"))


def _dumps(found: object, **form: Any) -> str:
    written = json.dumps(found, ensure_ascii=False, **form)
    # Half a surrogate pair is legal in JSON as an escape, but has no UTF-8.
    return written if not _LONE.search(written) else json.dumps(found, **form)


def array(messages: Iterable[Message]) -> Iterator[str]:
    """The lines of one array, a message each, made as they come."""
    before = "["
    for message in messages:
        # A comma is known to be needed only once the next message is there: it begins that one's line.
        yield before + line(document(message))
        before = ","
    yield "[]" if before == "[" else "]"
