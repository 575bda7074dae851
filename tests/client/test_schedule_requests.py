"""Python's own values as ScheduleService's requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import slotd
from slotd import schedule_requests
from slotd.schedule_requests import ScheduleFields
from slotd.v1 import schedule_service_pb2

Schedule = schedule_service_pb2.Schedule


def test_create_with_everything() -> None:
    made = schedule_requests.create(
        "nightly",
        slotd.spec("report", group="reports"),
        False,
        {
            "cron": "0 3 * * *",
            "time_zone": "Europe/Berlin",
            "overlap": "queue_one",
            "catch_up_window": timedelta(hours=6),
            "jitter": 30,
            "start_time": datetime(2030, 1, 1, tzinfo=UTC),
            "end_time": Timestamp(seconds=2_000_000_000),
            "paused": True,
        },
    )
    assert made == schedule_service_pb2.ScheduleServiceCreateRequest(
        schedule=Schedule(
            name="nightly",
            spec=slotd.spec("report", group="reports"),
            cron="0 3 * * *",
            time_zone="Europe/Berlin",
            overlap=schedule_service_pb2.OVERLAP_POLICY_QUEUE_ONE,
            catch_up_window=Duration(seconds=21_600),
            jitter=Duration(seconds=30),
            start_time=Timestamp(seconds=int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())),
            end_time=Timestamp(seconds=2_000_000_000),
            paused=True,
        )
    )


def test_what_is_none_is_left_out() -> None:
    fields: ScheduleFields = {"interval": 0.5, "jitter": None, "overlap": None}
    made = schedule_requests.create("often", slotd.spec("poll"), True, fields)
    assert made.schedule == Schedule(name="often", spec=slotd.spec("poll"), interval=Duration(nanos=500_000_000))
    assert made.validate_only


def test_update_names_the_fields_that_are_there() -> None:
    made = schedule_requests.update("nightly", None, 7, {"cron": "0 4 * * *", "end_time": None, "paused": False})
    assert list(made.update_mask.paths) == ["cron", "end_time", "paused"]
    assert made.schedule == Schedule(name="nightly", cron="0 4 * * *", revision=7)
    other = schedule_requests.update("nightly", slotd.spec("report"), 0, {"jitter": 1})
    assert list(other.update_mask.paths) == ["spec", "jitter"]
    assert other.schedule.spec == slotd.spec("report")


def test_each_trigger_has_an_id() -> None:
    first, second = (schedule_requests.trigger("nightly", None) for _ in range(2))
    assert first.request_id
    assert first.request_id != second.request_id
    assert schedule_requests.trigger("nightly", "mine").request_id == "mine"


def test_what_there_is_not() -> None:
    with pytest.raises(TypeError, match=r"no such field of a schedule: every$"):
        schedule_requests.create("often", slotd.spec("poll"), False, {"every": 5})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(
        ValueError, match="no such overlap policy: 'wait'; there are SKIP, QUEUE_ONE, ALLOW, CANCEL_OLD"
    ):
        schedule_requests.create("often", slotd.spec("poll"), False, {"interval": 5, "overlap": "wait"})
    with pytest.raises(ValueError, match="needs a time zone"):
        schedule_requests.update("often", None, 0, {"start_time": datetime(2030, 1, 1)})  # noqa: DTZ001 - that is it
