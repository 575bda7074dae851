"""Values to bytes and back, by media type."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from slotd.codec import DecodeError, EncodeError, decode_value, encode_value, parse_content_type
from slotd.payload import decode, encode
from slotd.v1 import job_pb2

SOME = Duration(seconds=5)
SOME_TYPE = "application/protobuf; type=google.protobuf.Duration"


@pytest.mark.parametrize(
    ("value", "content_type", "expected"),
    [
        (None, None, None),
        (None, "application/json", ("application/json", b"null")),
        ({"a": [1, 2.5, None, True]}, None, ("application/json", b'{"a":[1,2.5,null,true]}')),
        ("grün", None, ("application/json", '"grün"'.encode())),
        (0, None, ("application/json", b"0")),
        (b"\x00\xff", None, ("application/octet-stream", b"\x00\xff")),
        (bytearray(b"ab"), None, ("application/octet-stream", b"ab")),
        (memoryview(b"ab"), None, ("application/octet-stream", b"ab")),
        (b"{}", "application/json", ("application/json", b"{}")),
        (b"GIF89a", "image/gif", ("image/gif", b"GIF89a")),
        ("grün", "text/plain", ("text/plain", "grün".encode())),
        ("a,b", "text/csv", ("text/csv", b"a,b")),
        (SOME, None, (SOME_TYPE, b"\x08\x05")),
        (SOME, "application/protobuf", (SOME_TYPE, b"\x08\x05")),
        (SOME, "application/x-protobuf", ("application/x-protobuf; type=google.protobuf.Duration", b"\x08\x05")),
        (SOME, SOME_TYPE, (SOME_TYPE, b"\x08\x05")),
        (SOME, "application/json", ("application/json", b'"5s"')),
    ],
)
def test_encode(value: object, content_type: str | None, expected: tuple[str, bytes] | None) -> None:
    assert encode_value(value, content_type) == expected


@pytest.mark.parametrize(
    ("value", "content_type", "words"),
    [
        (object(), None, "object has no JSON form"),
        (float("nan"), None, "float has no JSON form"),
        ("\ud800", None, "no UTF-8 form"),
        (5, "text/plain", "no way to write int as text/plain: give bytes"),
        ("x", "image/png", "no way to write str as image/png"),
        (None, "text/plain", "no way to write NoneType"),
        ({}, "application/protobuf", "takes a protobuf message or bytes, not dict"),
        (SOME, "application/protobuf; type=google.protobuf.Timestamp", "the message is a google.protobuf.Duration"),
    ],
)
def test_encode_refuses(value: object, content_type: str | None, words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        encode_value(value, content_type)


def test_encode_refuses_what_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(EncodeError):
        encode_value(loop)


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        ("", b"", None),
        ("image/png", b"", None),
        ("", b"ab", b"ab"),
        ("application/octet-stream", b"", b""),
        ("application/octet-stream", b"ab", b"ab"),
        ("application/json", b'{"a":1}', {"a": 1}),
        ("Application/JSON; charset=utf-8", b"null", None),
        ("text/plain", b"", ""),
        ("text/plain", "grün".encode(), "grün"),
        ("text/plain; charset=iso-8859-1", b"gr\xfcn", "grün"),
        ("text/csv", b"a,b", b"a,b"),
        ("application/protobuf", b"\x08\x05", b"\x08\x05"),
    ],
)
def test_decode(content_type: str, data: bytes, expected: object) -> None:
    assert decode_value(content_type, data) == expected


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        (SOME_TYPE, b"\x08\x05", SOME),
        ("application/protobuf", b"\x08\x05", SOME),
        ("application/x-protobuf", b"\x08\x05", SOME),
        ("application/protobuf", b"", Duration()),
        ("application/json", b'"5s"', SOME),
        ("", b"", None),
    ],
)
def test_decode_into_a_message(content_type: str, data: bytes, expected: Duration | None) -> None:
    assert decode_value(content_type, data, Duration) == expected


@pytest.mark.parametrize(
    ("content_type", "data", "message_type", "words"),
    [
        ("application/json", b"", None, "not JSON"),
        ("application/json", b"{", None, "not JSON"),
        ("application/json", b"\xff", None, "not JSON"),
        ("application/json", b"NaN", None, "NaN is not a JSON number"),
        ("application/json", b"[" * 100_000, None, "not JSON"),
        ("text/plain", b"\xff", None, "not utf-8 text"),
        ("text/plain; charset=klingon", b"x", None, "not klingon text"),
        ("application/protobuf", b"\xff", Duration, "not a google.protobuf.Duration"),
        (SOME_TYPE, b"\x08\x05", Timestamp, "wanted a google.protobuf.Timestamp, got a google.protobuf.Duration"),
        ("application/json", b'{"no": 1}', Duration, "not the JSON form of google.protobuf.Duration"),
        ("application/octet-stream", b"\x08\x05", Duration, "got application/octet-stream"),
        ("", b"\x08\x05", Duration, "got bytes of no type"),
    ],
)
def test_decode_refuses(content_type: str, data: bytes, message_type: Any, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode_value(content_type, data, message_type)


def test_content_type_parameters() -> None:
    assert parse_content_type('Text/Plain ; Charset="utf-8";x') == ("text/plain", {"charset": "utf-8", "x": ""})


def test_payload_round_trip() -> None:
    payload = encode({"a": 1})
    assert payload == job_pb2.Payload(content_type="application/json", data=b'{"a":1}')
    assert decode(payload) == {"a": 1}
    assert encode(payload) is payload
    assert decode(encode(SOME), Duration) == SOME
    assert encode(None) is None
    assert decode(None) is None
    assert decode(job_pb2.Job().result) is None


def test_codec_needs_no_grpc() -> None:
    script = "import sys, slotd.codec; sys.exit('grpc' in sys.modules or 'slotd.v1' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
