"""The forms of values: what the command line takes, and what JSON and tables make of messages."""

import json
from datetime import UTC, datetime, timedelta

import click
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import status_pb2

import slotd
from slotd import v1
from slotd.cli import arguments, documents, text


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("250ms", 0.25),
        ("30s", 30),
        ("1h30m", 5400),
        ("7d", 604_800),
        ("1.5H", 5400),
    ],
)
def test_duration(typed: str, seconds: float) -> None:
    assert arguments.duration(typed) == timedelta(seconds=seconds)


@pytest.mark.parametrize("typed", ["", "-1", "1y", "h", "1 h", "1e9", "nan", "inf", "1h30", "99999999d", "9" * 400])
def test_no_duration(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        arguments.duration(typed)


def test_moment() -> None:
    assert arguments.moment("2030-01-31T18:30+02:00") == datetime(2030, 1, 31, 16, 30, tzinfo=UTC)
    assert arguments.moment("2030-01-31T18:30Z") == datetime(2030, 1, 31, 18, 30, tzinfo=UTC)
    assert arguments.moment("2030-01-31 18:30") == datetime(2030, 1, 31, 18, 30).astimezone(UTC)
    with pytest.raises(click.BadParameter):
        arguments.moment("18:30")


def test_state() -> None:
    assert arguments.state("Running") == arguments.state("JOB_STATE_RUNNING") == v1.JOB_STATE_RUNNING
    with pytest.raises(click.BadParameter):
        arguments.state("unspecified")


def test_claim() -> None:
    assert arguments.claim("repo/*") == arguments.claim("repo/*:exclusive") == slotd.exclusive("repo/*")
    assert arguments.claim("room:shared") == slotd.shared("room")


def test_dependency() -> None:
    assert arguments.dependency("cut") == slotd.after("cut")
    assert arguments.dependency("cut:ended") == slotd.after("cut", ended=True)
    assert arguments.group_dependency("orders:ended") == slotd.after_group("orders", ended=True)


@pytest.mark.parametrize("typed", ["", ":shared", "room:", "room:mine", "room:shared:shared"])
def test_no_claim(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        arguments.claim(typed)


@pytest.mark.parametrize("typed", ["", ":ended", "cut:", "cut:done"])
def test_nothing_to_wait_for(typed: str) -> None:
    for parse in (arguments.dependency, arguments.group_dependency):
        with pytest.raises(click.BadParameter):
            parse(typed)


@pytest.mark.parametrize(("typed", "rate"), [("10", 10), ("0.5", 0.5), ("10/s", 10), ("30/m", 0.5), ("36/H", 0.01)])
def test_rate(typed: str, rate: float) -> None:
    assert arguments.rate(typed) == rate


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (v1.Payload(content_type="application/json", data=b'{"a":[1,null]}'), {"value": {"a": [1, None]}}),
        (v1.Payload(content_type="application/json; charset=utf-8", data=b"1"), {"value": 1}),
        (v1.Payload(content_type="application/problem+json", data=b"{}"), {"value": {}}),
        (v1.Payload(content_type="text/plain", data="grün".encode()), {"value": "grün"}),
        (v1.Payload(content_type="application/json"), {}),
        (v1.Payload(content_type="application/json", data=b"{"), {"data": "ew=="}),
        (v1.Payload(content_type="application/json", data=b"NaN"), {"data": "TmFO"}),
        (v1.Payload(content_type="application/json", data=b"1e999"), {"data": "MWU5OTk="}),
        (v1.Payload(content_type="application/json", data=b"\xff"), {"data": "/w=="}),
        (v1.Payload(content_type="text/plain", data=b"\xff"), {"data": "/w=="}),
        (v1.Payload(content_type="application/octet-stream", data=b"\x00"), {"data": "AA=="}),
    ],
)
def test_payload(payload: v1.Payload, found: dict[str, object]) -> None:
    assert documents.payload(payload) == {"content_type": payload.content_type, **found}


def test_half_a_surrogate_pair_can_be_written() -> None:
    found = documents.payload(v1.Payload(content_type="application/json", data=rb'"\ud800"'))
    assert json.loads(documents.line(found).encode()) == found


def test_numbers_of_64_bits_are_numbers_and_defaults_are_there() -> None:
    shown = documents.document(v1.Job(revision=2**53, attempts=[v1.Attempt(number=1)], blocked_by=["a"]))
    assert shown["revision"] == 2**53
    assert shown["attempt"] == 0
    assert shown["blocked_by"] == ["a"]
    assert shown["attempts"] == [{"number": 1, "server": "", "worker": ""}]
    assert "spec" not in shown


def test_well_known_types_and_optional_fields() -> None:
    spec = documents.document(v1.JobSpec(timeout=Duration(seconds=90), priority=0))
    assert spec["timeout"] == "90s"
    assert spec["priority"] == 0
    assert "priority" not in documents.document(v1.JobSpec())
    request = documents.document(v1.UpdateQueueRequest(update_mask=FieldMask(paths=["max_queued"])))
    assert request["update_mask"] == "maxQueued"


def test_what_this_version_does_not_know_is_not_lost() -> None:
    strange = Any(type_url="type.googleapis.com/some.Other", value=b"\x01")
    shown = documents.document(v1.Job(state=99, error=status_pb2.Status(details=[strange])))  # type: ignore[arg-type]
    assert shown["state"] == 99
    assert shown["error"]["details"] == [{"@type": strange.type_url, "value": "AQ=="}]
    assert text.state_name(99) == "99"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0ms"),
        (-5, "0ms"),
        (0.0123, "12ms"),
        (0.9996, "1.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (3599.7, "1h00m"),
        (7800, "2h10m"),
        (367_200, "4d06h"),
    ],
)
def test_length(seconds: float, written: str) -> None:
    assert text.length(timedelta(seconds=seconds)) == written


@pytest.mark.parametrize(("count", "written"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KiB"), (2**41, "2048.0 GiB")])
def test_size(count: int, written: str) -> None:
    assert text.size(count) == written
