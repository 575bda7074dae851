"""What a handler is given and gives back: JSON, text, bytes, protobuf, or nothing."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

import slotd
from slotd import Client, decode
from slotd.v1 import JOB_STATE_FAILED, Payload
from tests.service import reason


def test_json(client: Client) -> None:
    value = {"a": [1, 2.5, None, True, "ü"]}
    ended = client.submit_and_wait("echo-async", value)
    assert ended.result.content_type == "application/json"
    assert decode(ended.result) == value


def test_text(client: Client) -> None:
    ended = client.submit_and_wait("shout", "grüße", content_type="text/plain")
    assert ended.spec.payload == Payload(content_type="text/plain", data="grüße".encode())
    assert decode(ended.result) == "GRÜSSE"


def test_bytes(client: Client) -> None:
    ended = client.submit_and_wait("reverse", b"\x00\x01\xff")
    assert ended.result == Payload(content_type="application/octet-stream", data=b"\xff\x01\x00")


def test_bytes_of_a_type_that_nobody_knows_stay_bytes(client: Client) -> None:
    ended = client.submit_and_wait("reverse", b"GIF89a", content_type="image/gif")
    assert decode(ended.result) == b"a98FIG"


def test_protobuf(client: Client) -> None:
    ended = client.submit_and_wait("next-second", Timestamp(seconds=41))
    assert decode(ended.result, Timestamp) == Timestamp(seconds=42)


def test_nothing(client: Client) -> None:
    ended = client.submit_and_wait("idle")
    assert not ended.spec.HasField("payload")
    assert not ended.HasField("result")


def test_a_payload_that_is_not_what_it_says_fails_the_job_at_once(client: Client) -> None:
    ended = client.submit_and_wait("add", b"[1, 2", content_type="application/json")
    assert (ended.state, ended.attempt) == (JOB_STATE_FAILED, 1)
    assert reason(ended) == "PAYLOAD_INVALID"


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_a_payload_is_a_mebibyte_at_most(client: Client, size: int) -> None:
    if size > 1 << 20:
        with pytest.raises(slotd.ResourceExhausted):
            client.submit("reverse", b"x" * size)
    else:
        assert len(client.submit_and_wait("reverse", b"x" * size).result.data) == size
