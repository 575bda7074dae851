"""`slotd schedules` and `schedule`."""

import json

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import slotd as client
from slotd import v1
from tests.cli.conftest import Service, Slotd

NIGHTLY = ["nightly", "report", '{"of": "day"}', "--cron", "0 3 * * *"]


def test_create_and_show(slotd: Slotd, service: Service) -> None:
    result = slotd("schedule", "create", *NIGHTLY, "--time-zone", "Europe/Berlin", "--priority", "3")
    assert result.exit_code == 0
    spec = client.spec("report", v1.Payload(content_type="application/json", data=b'{"of": "day"}'), priority=3)
    made = service.shelf.schedules["nightly"]
    assert made.spec == spec
    assert (made.cron, made.time_zone) == ("0 3 * * *", "Europe/Berlin")
    shown = [line.split(None, 1) for line in slotd("schedule", "show", "nightly").stdout.splitlines()]
    assert shown == [line.split(None, 1) for line in result.stdout.splitlines()]
    assert ["when", "0 3 * * * Europe/Berlin"] in shown
    assert ["overlap", "skip"] in shown
    assert ["payload", '{"of":"day"}'] in shown
    assert [name for name, _ in shown].count("next") == 5
    found = json.loads(slotd("schedule", "show", "nightly", "-o", "json").stdout)
    assert found["next_fire_times"][0] == "2030-03-17T17:46:40Z"


def test_every_option_reaches_the_service(slotd: Slotd, service: Service) -> None:
    words = (
        "--every 90 --overlap cancel_old --catch-up 6h --jitter 30s --start 2030-01-31T18:30Z --end 2030-02-28T18:30Z "
        "--paused --queue video --label team=blue --timeout 1m --max-attempts 2 --queue-timeout 5m --retention 1d "
        "--resource room:shared --group g --key tenant"
    )
    assert slotd("schedule", "create", "poll", "fetch", *words.split()).exit_code == 0
    made = service.shelf.schedules["poll"]
    del made.next_fire_times[:]
    assert made == v1.Schedule(
        name="poll",
        spec=client.spec(
            "fetch",
            queue="video",
            labels={"team": "blue"},
            timeout=60,
            max_attempts=2,
            queue_timeout=300,
            retention=86_400,
            resources=client.shared("room"),
            group="g",
            concurrency_key="tenant",
        ),
        interval=Duration(seconds=90),
        overlap=v1.OVERLAP_POLICY_CANCEL_OLD,
        catch_up_window=Duration(seconds=21_600),
        jitter=Duration(seconds=30),
        start_time=Timestamp(seconds=1_896_114_600),
        end_time=Timestamp(seconds=1_898_533_800),
        paused=True,
        revision=1,
    )


def test_validate_only_makes_none(slotd: Slotd, service: Service) -> None:
    assert "next" in slotd("schedule", "create", *NIGHTLY, "--validate-only").stdout
    assert not service.shelf.schedules


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("create nightly report", "say when it fires"),
        ("create nightly report --cron x --every 5", "exclude each other"),
        ("create nightly report nonsense --every 5", "isn't JSON"),
        ("create nightly report --every 5 --overlap wait", "'wait' is not one of"),
        ("create nightly", "Missing argument 'KIND'"),
        ("update nightly", "nothing to change"),
        ("update nightly --cron x --every 5", "exclude each other"),
        ("show", "Missing argument 'NAME'"),
    ],
)
def test_bad_usage_asks_the_service_nothing(slotd: Slotd, service: Service, words: str, said: str) -> None:
    result = slotd("schedule", *words.split())
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not service.shelf.schedules
    assert not service.shelf.schedule_updates


def test_update_names_what_it_changes(slotd: Slotd, service: Service) -> None:
    slotd("schedule", "create", *NIGHTLY)
    assert slotd("schedule", "update", "nightly", "--every", "1h", "--jitter", "none").exit_code == 0
    sent = service.shelf.schedule_updates[0]
    assert sent.schedule == v1.Schedule(name="nightly", interval=Duration(seconds=3600))
    assert list(sent.update_mask.paths) == ["interval", "jitter"]


def test_update_of_the_job_keeps_what_is_not_said(slotd: Slotd, service: Service) -> None:
    slotd("schedule", "create", *NIGHTLY, "--queue", "night", "--label", "a=1", "--label", "b=2", "--resource", "room")
    service.shelf.schedules["nightly"].spec.retry.multiplier = 3
    words = ["--payload", "[1]", "--label", "c=3", "--resource", "hall", "--max-attempts", "9"]
    assert slotd("schedule", "update", "nightly", *words).exit_code == 0
    sent = service.shelf.schedule_updates[0]
    assert list(sent.update_mask.paths) == ["spec"]
    assert sent.schedule.revision == 1
    assert sent.schedule.spec == client.spec(
        "report",
        [1],
        queue="night",
        labels={"c": "3"},
        resources="hall",
        retry=client.RetryPolicy(max_attempts=9, multiplier=3),
    )
    slotd("schedule", "update", "nightly", "--kind", "other", "--cron", "5 3 * * *")
    sent = service.shelf.schedule_updates[1]
    assert list(sent.update_mask.paths) == ["spec", "cron"]
    assert (sent.schedule.spec.kind, sent.schedule.spec.queue) == ("other", "night")


def test_list(slotd: Slotd, service: Service) -> None:
    slotd("schedule", "create", *NIGHTLY)
    slotd("schedule", "create", "poll", "fetch", "--every", "5m")
    service.shelf.schedules["nightly"].fire_count = 7
    slotd("schedule", "pause", "nightly")
    _, first, second = slotd("schedules").stdout.splitlines()
    assert first.split() == ["nightly", "0", "3", "*", "*", "*", "report", "paused", "-", "7", "0"]
    assert second.split()[:4] == ["poll", "every", "5m00s", "fetch"]
    shown = json.loads(slotd("schedules", "-o", "json").stdout)
    assert [one["name"] for one in shown] == ["nightly", "poll"]
    assert shown[0]["paused"]


def test_pause_resume_delete(slotd: Slotd, service: Service) -> None:
    slotd("schedule", "create", *NIGHTLY)
    assert "paused" in slotd("schedule", "pause", "nightly").stdout
    assert "paused" not in slotd("schedule", "resume", "nightly").stdout
    assert slotd("schedule", "delete", "nightly").stdout == "nightly deleted\n"
    assert not service.shelf.schedules


def test_trigger_prints_the_id(slotd: Slotd, service: Service) -> None:
    slotd("schedule", "create", *NIGHTLY)
    result = slotd("schedule", "trigger", "nightly", "--request-id", "mine")
    assert result.stdout.splitlines() == list(service.shelf.jobs)
    assert service.shelf.triggered == [v1.ScheduleServiceTriggerRequest(name="nightly", request_id="mine")]
    (job,) = service.shelf.jobs.values()
    overlapping = slotd("schedule", "trigger", "nightly")
    assert overlapping.exit_code == 3
    assert overlapping.stderr == "Error: an earlier job has not ended (SCHEDULE_OVERLAP)\n"
    job.state = v1.JOB_STATE_SUCCEEDED
    again = json.loads(slotd("schedule", "trigger", "nightly", "-o", "json").stdout)
    assert again["schedule"] == "nightly"


@pytest.mark.parametrize("words", ["show", "update", "delete", "pause", "resume", "trigger"])
def test_a_schedule_that_is_not_there(slotd: Slotd, words: str) -> None:
    result = slotd("schedule", words, "nobody", *(["--every", "5"] if words == "update" else []))
    assert (result.exit_code, result.stderr) == (3, "Error: no schedule 'nobody' (SCHEDULE_NOT_FOUND)\n")


def test_a_schedule_that_is_there_already(slotd: Slotd) -> None:
    slotd("schedule", "create", *NIGHTLY)
    result = slotd("schedule", "create", *NIGHTLY)
    assert (result.exit_code, result.stderr) == (3, "Error: there is a schedule 'nightly' (SCHEDULE_EXISTS)\n")
