"""`slotd submit`: what it sends, what it prints, how it ends."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2

import slotd as client
from slotd import v1
from tests.cli.conftest import Service, Slotd

ID = "01980000-0000-7000-8000-000000000001"
SUCCESS = [
    v1.Job(state=v1.JOB_STATE_RUNNING, attempt=1, start_time=Timestamp(seconds=1_900_000_100)),
    v1.Job(progress=v1.Progress(done=3, total=10, message="decoding"), state=v1.JOB_STATE_RUNNING),
    v1.Job(
        state=v1.JOB_STATE_SUCCEEDED,
        end_time=Timestamp(seconds=1_900_000_102),
        result=v1.Payload(content_type="application/json", data=b'{"n": 10}'),
    ),
]
FAILURE = [v1.Job(state=v1.JOB_STATE_FAILED, error=status_pb2.Status(code=2, message="no such file"))]


def test_prints_the_id_alone(slotd: Slotd, service: Service) -> None:
    result = slotd("submit", "count", '{"to": 3}')
    assert result.exit_code == 0
    assert result.stdout.splitlines() == list(service.shelf.jobs)
    sent = service.shelf.submitted[0]
    assert sent.spec.payload == v1.Payload(content_type="application/json", data=b'{"to": 3}')
    assert sent.request_id


def test_json_is_the_whole_job(slotd: Slotd) -> None:
    job = json.loads(slotd("submit", "count", '{"to": 3}', "-o", "json").stdout)
    assert job["state"] == "JOB_STATE_QUEUED"
    assert job["attempt"] == 0
    assert job["revision"] == 1
    assert job["spec"]["payload"] == {"content_type": "application/json", "value": {"to": 3}}


def test_every_option_reaches_the_service(slotd: Slotd, service: Service) -> None:
    words = (
        "--queue video --priority -5 --label team=blue --label note=a=b --at 2030-01-31T18:30+02:00 --timeout 1h30m "
        "--max-attempts 7 --queue-timeout 90 --retention 7d --request-id same --resource machine "
        "--resource room:shared "
        f"--depends-on {ID} --depends-on {ID}:ended --after-group orders --wait-for-retry --group dresses --key tenant "
        "--unique-key u --unique-period 1h --unique-conflict refuse"
    )
    assert slotd("submit", "count", *words.split()).exit_code == 0
    spec = service.shelf.submitted[0].spec
    assert (spec.queue, spec.priority, dict(spec.labels)) == ("video", -5, {"team": "blue", "note": "a=b"})
    assert spec.schedule_time.ToDatetime(UTC) == datetime(2030, 1, 31, 16, 30, tzinfo=UTC)
    assert (spec.timeout.seconds, spec.queue_timeout.seconds, spec.retention.seconds) == (5400, 90, 604_800)
    assert spec.retry == v1.RetryPolicy(max_attempts=7)
    assert service.shelf.submitted[0].request_id == "same"
    assert list(spec.resources) == [client.exclusive("machine"), client.shared("room")]
    assert list(spec.depends_on) == [
        client.after(ID, wait_for_retry=True),
        client.after(ID, ended=True, wait_for_retry=True),
        client.after_group("orders", wait_for_retry=True),
    ]
    assert (spec.group, spec.concurrency_key, spec.unique_key) == ("dresses", "tenant", "u")
    assert (spec.unique_period.seconds, spec.unique_conflict) == (3600, v1.UNIQUE_CONFLICT_REFUSE)
    assert not spec.HasField("payload")


def test_what_is_left_out_stays_unset(slotd: Slotd, service: Service) -> None:
    slotd("submit", "count")
    assert service.shelf.submitted[0].spec == v1.JobSpec(kind="count")


def test_delay_counts_from_now(slotd: Slotd, service: Service) -> None:
    before = datetime.now(UTC)
    slotd("submit", "count", "--delay", "2h")
    ahead = service.shelf.submitted[0].spec.schedule_time.ToDatetime(UTC) - before
    assert 7199 < ahead.total_seconds() < 7260


def test_payload_of_a_file_goes_byte_for_byte(slotd: Slotd, service: Service, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\r\n\xff\x00")
    slotd("submit", "count", "--file", str(path), "--content-type", "text/csv")
    assert service.shelf.submitted[0].spec.payload == v1.Payload(content_type="text/csv", data=b"a,b\r\n\xff\x00")


def test_payload_from_standard_input(slotd: Slotd, service: Service) -> None:
    assert slotd("submit", "count", "--file", "-", stdin=b'["x"]').exit_code == 0
    assert service.shelf.submitted[0].spec.payload.data == b'["x"]'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{to: 3}"], "Expecting property name enclosed in double quotes at line 1, column 2"),
        (["hello"], "text needs quotes of its own"),
        (["NaN"], "NaN is not a JSON number"),
        (["[" * 100_000], "nested too deeply"),
        (["1", "--file", "x"], "not from both"),
        (["--content-type", "text/plain"], "--content-type needs a payload"),
        (["--file", "no/such/file"], "No such file"),
        (["--at", "2030-01-01T00:00Z", "--delay", "1"], "--at and --delay exclude each other"),
        (["--at", "tomorrow"], "'tomorrow' is no time"),
        (["--delay", "soon"], "'soon' is no duration"),
        (["--delay", "3000000d"], "beyond the year 9999"),
        (["--delay", "4000000d"], "is longer than can be said"),
        (["--label", "team"], "'team' is no label: write key=value"),
        (["--priority", "high"], "'high' is not a valid integer"),
        (["--priority", "1001"], "not in the range"),
        (["--max-attempts", "0"], "not in the range"),
        (["--wait", "--validate-only"], "--wait and --validate-only exclude each other"),
        (["--resource", "room:mine"], "is no claim"),
        (["--depends-on", "x:done"], "is nothing to wait for"),
        (["--unique-conflict", "win"], "'win' is not one of"),
        (["--nonsense"], "No such option"),
        (["1", "2"], "unexpected extra argument"),
    ],
)
def test_bad_usage_asks_the_service_nothing(slotd: Slotd, service: Service, words: list[str], said: str) -> None:
    result = slotd("submit", "count", *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not service.shelf.submitted


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("unknown", 3, ["spec.kind: no handler has it", "spec.queue: is no queue's name"]),
        ("full", 3, ["queue 'default' is full (QUEUE_FULL)", "try again in 5 s"]),
        ("reused", 3, ["request_id came before (REQUEST_ID_REUSED)", "the first job is the-first"]),
        ("taken", 3, ["unique_key 'u' is taken (UNIQUE_KEY_TAKEN)"]),
        ("draining", 4, ["the service is draining (DRAINING)", "try again in a moment"]),
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_the_service_refuses(slotd: Slotd, kind: str, status: int, said: list[str], form: str) -> None:
    result = slotd("submit", kind, "-o", form)
    assert result.exit_code == status
    assert result.stdout == ""
    for words in said:
        assert words in [line.strip().removeprefix("Error: ") for line in result.stderr.splitlines()]


def test_validate_only_shows_the_job_and_stores_none(slotd: Slotd, service: Service) -> None:
    result = slotd("submit", "count", "--queue", "video", "--validate-only")
    assert result.exit_code == 0
    assert "video" in result.stdout
    assert not service.shelf.jobs


def test_wait_prints_a_line_for_each_step_and_the_result(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["count"] = SUCCESS
    result = slotd("submit", "count", "--wait")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    (job_id,) = service.shelf.jobs
    assert [line.split()[1] for line in lines[:3]] == [job_id] * 3
    assert [line.split()[2] for line in lines[:3]] == ["RUNNING", "RUNNING", "SUCCEEDED"]
    assert lines[1].endswith("count  3/10 decoding")
    assert lines[3:] == [f"{job_id} SUCCEEDED in 2.0s", 'result: {"n":10}']
    assert service.shelf.streamed[0].cursor == "submitted"


def test_wait_in_json_is_a_line_for_each_event_the_last_with_the_result(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["count"] = SUCCESS
    result = slotd("-o", "json", "submit", "count", "--wait")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["job"]["state"] for event in events] == [
        "JOB_STATE_RUNNING",
        "JOB_STATE_RUNNING",
        "JOB_STATE_SUCCEEDED",
    ]
    assert events[1]["job"]["progress"] == {"done": 3, "total": 10, "message": "decoding"}
    assert events[-1]["job"]["result"] == {"content_type": "application/json", "value": {"n": 10}}
    assert events[-1]["cursor"] == "step-3"


@pytest.mark.parametrize("form", ["table", "json"])
def test_wait_ends_with_1_when_the_job_fails(slotd: Slotd, service: Service, form: str) -> None:
    service.shelf.scripts["count"] = FAILURE
    result = slotd("submit", "count", "--wait", "-o", form)
    assert result.exit_code == 1
    assert "no such file" in result.stdout


def test_wait_for_a_job_that_is_deleted_meanwhile(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["count"] = [v1.Job(state=v1.JOB_STATE_UNSPECIFIED)]
    result = slotd("submit", "count", "--wait")
    assert result.exit_code == 3
    assert "was deleted before it ended" in result.stderr


def test_wait_for_a_repeated_request_whose_job_has_ended(slotd: Slotd, service: Service) -> None:
    slotd("submit", "count", "--request-id", "same")
    (job,) = service.shelf.jobs.values()
    job.state = v1.JOB_STATE_FAILED
    assert slotd("submit", "count", "--request-id", "same", "--wait").exit_code == 1
    shown = slotd("submit", "count", "--request-id", "same", "--wait", "-o", "json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["job"]["id"] == job.id
