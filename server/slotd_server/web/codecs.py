"""Requests and answers as bytes: binary as on gRPC, and ProtoJSON, which is strict, for a typo must not pass unseen."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from slotd_server.domain.errors import InvalidArgument
from slotd_server.rpc import calls

_URL_SAFE = str.maketrans("-_", "+/")


class Answer(NamedTuple):
    """What a servicer answered: a message of `kind`, or one serialised already."""

    kind: type[Message]
    value: Message | bytes


class Binary:
    """`application/proto`."""

    def name(self) -> str:
        """As in a content type."""
        return "proto"

    def encode(self, message: Answer) -> bytes:
        """Serialised."""
        return message.value if isinstance(message.value, bytes) else message.value.SerializeToString()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Message:
        """Raises InvalidArgument."""
        return calls.parser(message_class)(bytes(data))


class Json:
    """`application/json`."""

    def name(self) -> str:
        """As in a content type."""
        return "json"

    def encode(self, message: Answer) -> bytes:
        """Compact, in UTF-8."""
        value = message.value
        return text(message.kind.FromString(value) if isinstance(value, bytes) else value).encode()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Message:
        """Nothing at all is an empty message, as `curl --request POST` sends it. Raises InvalidArgument."""
        return parse(bytes(data) or b"{}", message_class)


def text(message: Message) -> str:
    """The ProtoJSON of a message, without blanks."""
    return json.dumps(json_format.MessageToDict(message), ensure_ascii=False, separators=(",", ":"))


def parse(data: bytes, kind: type[Message]) -> Message:
    """The message that `data` is the ProtoJSON of. Raises InvalidArgument, which names each field that is wrong."""
    try:
        value = json.loads(data, object_pairs_hook=_once)
        wrong = list(_wrong_message(value, kind.DESCRIPTOR, ""))
    except (ValueError, RecursionError) as error:
        raise _malformed(kind, error) from None
    if wrong:
        raise InvalidArgument(*wrong, reason="MALFORMED_MESSAGE")
    try:
        return json_format.ParseDict(value, kind())
    except Exception as error:  # noqa: BLE001 - for what is far off it raises what happens to come up, not ParseError alone
        raise _malformed(kind, error) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field comes twice")
    return found


def _malformed(kind: type[Message], error: Exception) -> InvalidArgument:
    reason = str(error).partition("\n")[0]
    return InvalidArgument(
        ("request", f"is not the JSON of a {kind.DESCRIPTOR.full_name}: {reason}"), reason="MALFORMED_MESSAGE"
    )


# What json_format itself lets pass, or tells without saying where: fields that there aren't, lists where an object is
# due, and text where bytes are, of which it takes what happens to be base64.


def _wrong_message(value: Any, descriptor: Any, path: str) -> Iterator[tuple[str, str]]:
    """A violation for each part that can't be of the message; `path` is where it stands, with a dot behind."""
    if descriptor.full_name.startswith("google.protobuf."):
        # Most have a form of their own, which is checked when it is read.
        return
    if not isinstance(value, dict):
        yield path.removesuffix(".") or "request", "must be an object"
        return
    fields = {name: field for field in descriptor.fields for name in (field.name, field.json_name)}
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            yield f"{path}{name}", f"is no field of {descriptor.full_name}"
        elif inner is not None:
            yield from _wrong_field(inner, field, f"{path}{field.name}")


def _wrong_field(value: Any, field: FieldDescriptor, path: str) -> Iterator[tuple[str, str]]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        for key, item in value.items() if isinstance(value, dict) else ():
            yield from _wrong_value(item, inner, f"{path}[{key!r}]")
    elif not field.is_repeated:
        yield from _wrong_value(value, field, path)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _wrong_value(item, field, f"{path}[{number}]")
    else:
        yield path, "must be a list"


def _wrong_value(value: Any, field: FieldDescriptor, path: str) -> Iterator[tuple[str, str]]:
    if field.message_type is not None:
        yield from _wrong_message(value, field.message_type, f"{path}.")
    elif field.type == FieldDescriptor.TYPE_BYTES and not _is_base64(value):
        yield path, "must be base64"


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        # Both alphabets are taken, and the padding may be left out.
        b64decode(value.translate(_URL_SAFE) + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False
    return True
