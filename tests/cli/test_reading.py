"""`slotd get`, `list`, `wait` and `output`."""

import base64
import json
import re

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

import slotd
from slotd import v1
from tests.cli.conftest import Service, Slotd
from tests.cli.scripted import Shelf

TIES = ("GROUP", "SCHEDULE")


def blocked_job(shelf: Shelf) -> v1.Job:
    spec = v1.JobSpec(
        resources=[v1.ResourceClaim(name="machine"), slotd.shared("room/*")],
        depends_on=[
            v1.Dependency(job_id="the-cut", ref="cut", condition=v1.DEPENDENCY_CONDITION_ENDED),
            v1.Dependency(group="orders", wait_for_retry=True),
            v1.Dependency(job_id="the-dye"),
        ],
        group="dresses",
        concurrency_key="tenant",
        unique_key="dress/7",
    )
    return shelf.add(
        "sew",
        v1.JOB_STATE_BLOCKED,
        spec=spec,
        group="dresses",
        blocked_by=["jobs/the-cut", "groups/orders"],
        schedule="nightly",
        fire_time=Timestamp(seconds=1_900_000_000),
    )


def failed_job(shelf: Shelf) -> v1.Job:
    info = Any()
    info.Pack(error_details_pb2.ErrorInfo(domain="slotd", reason="HANDLER_ERROR"))
    error = status_pb2.Status(code=2, message="no such\nfile \x1b[31m", details=[info])
    return shelf.add(
        "thumbnail",
        v1.JOB_STATE_FAILED,
        attempt=2,
        error=error,
        labels={"team": "blue"},
        start_time=Timestamp(seconds=1_900_000_010),
        end_time=Timestamp(seconds=1_900_000_013),
        attempts=[v1.Attempt(number=1, error=error), v1.Attempt(number=2, error=error)],
        output_size=2048,
    )


def test_get_shows_the_job(slotd: Slotd, service: Service) -> None:
    job = failed_job(service.shelf)
    result = slotd("get", job.id)
    assert result.exit_code == 0
    shown = dict(line.split(None, 1) for line in result.stdout.split("\n\n")[0].splitlines())
    assert shown["id"] == job.id
    assert shown["kind"] == "thumbnail"
    assert shown["state"] == "FAILED"
    assert shown["attempt"] == "2/3"
    assert shown["labels"] == "team=blue"
    assert shown["took"] == "3.0s"
    assert shown["error"] == r"HANDLER_ERROR: no such\nfile \x1b[31m"
    assert shown["output"] == f"2.0 KiB: slotd output {job.id}"


def test_get_shows_the_ties_of_a_job(slotd: Slotd, service: Service) -> None:
    job = blocked_job(service.shelf)
    shown = dict(re.split(r"  +", line, maxsplit=1) for line in slotd("get", job.id).stdout.splitlines())
    assert shown["state"] == "BLOCKED"
    assert shown["blocked by"] == "jobs/the-cut, groups/orders"
    assert shown["depends on"] == "jobs/the-cut (cut, ended), groups/orders (waits for retry), jobs/the-dye"
    assert shown["resources"] == "machine, room/*:shared"
    assert (shown["group"], shown["key"], shown["unique key"]) == ("dresses", "tenant", "dress/7")
    assert shown["schedule"].startswith("nightly, for 2030-03-17 ")


def test_list_says_what_a_blocked_job_waits_for(slotd: Slotd, service: Service) -> None:
    blocked_job(service.shelf)
    head, row = slotd("list").stdout.splitlines()
    assert row[head.index("PROGRESS") :].startswith("waits for jobs/the-cut and 1 more  ")
    assert row[head.index("GROUP") :].split() == ["dresses", "nightly"]


def test_get_in_json_is_one_object(slotd: Slotd, service: Service) -> None:
    job = failed_job(service.shelf)
    shown = json.loads(slotd("get", job.id, "-o", "json").stdout)
    assert shown["id"] == job.id
    assert shown["spec"]["labels"] == {"team": "blue"}
    assert shown["error"]["details"][0]["reason"] == "HANDLER_ERROR"
    assert shown["start_time"] == "2030-03-17T17:46:50Z"
    assert shown["output_size"] == 2048
    assert shown["cancel_requested"] is False
    assert "result" not in shown


@pytest.mark.parametrize(
    "words", [["get"], ["wait"], ["output"], ["watch"], ["cancel"], ["retry"], ["delete"], ["delete", "--force"]]
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_job_that_is_not_there(slotd: Slotd, words: list[str], form: str) -> None:
    result = slotd(*words, "nobody", "-o", form)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Error: no job 'nobody' (JOB_NOT_FOUND)\n"


@pytest.mark.parametrize("words", [["get"], ["get", ""], ["cancel"], ["get", "a", "b"], ["list", "--limit", "0"]])
def test_bad_usage(slotd: Slotd, words: list[str]) -> None:
    assert slotd(*words).exit_code == 2


def test_list_is_a_table_newest_first(slotd: Slotd, service: Service) -> None:
    first = service.shelf.add("count", v1.JOB_STATE_RUNNING, attempt=1, progress=v1.Progress(done=1, total=4))
    second = failed_job(service.shelf)
    head, *rows = slotd("list").stdout.splitlines()
    assert head.split() == ["ID", "KIND", "QUEUE", "STATE", "ATTEMPT", "PROGRESS", "AGE", "DURATION", *TIES, "ERROR"]
    assert [row.split()[0] for row in rows] == [second.id, first.id]
    assert rows[1].split()[1:6] == ["count", "default", "RUNNING", "1/3", "1/4"]
    assert rows[0].endswith(r"HANDLER_ERROR: no such\nfile \x1b[31m")
    assert "\x1b" not in "".join(rows)


def test_list_in_json_is_one_array(slotd: Slotd, service: Service) -> None:
    assert json.loads(slotd("list", "-o", "json").stdout) == []
    jobs = [service.shelf.add() for _ in range(3)]
    shown = json.loads(slotd("list", "-o", "json").stdout)
    assert [job["id"] for job in shown] == [job.id for job in jobs[::-1]]


def test_list_stops_at_its_limit_and_all_does_not(slotd: Slotd, service: Service) -> None:
    for _ in range(120):
        service.shelf.add()
    assert len(slotd("list").stdout.splitlines()) == 51
    assert len(slotd("list", "--limit", "70").stdout.splitlines()) == 71
    assert len(slotd("list", "--all").stdout.splitlines()) == 121
    assert len(json.loads(slotd("list", "--all", "-o", "json").stdout)) == 120
    assert slotd("list", "--all", "--limit", "3").exit_code == 2


def test_list_filters(slotd: Slotd, service: Service) -> None:
    wanted = failed_job(service.shelf)
    wanted.spec.group, wanted.schedule = "g", "s"
    service.shelf.add()
    states = ["-s", "failed", "-s", "JOB_STATE_CANCELLED"]
    words = f"--id {wanted.id} -q default -k thumbnail -l team=blue -g g --schedule s".split()
    result = slotd("list", *words, *states)
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [wanted.id]
    assert service.shelf.listed[-1].filter == v1.JobFilter(
        job_ids=[wanted.id],
        queues=["default"],
        kinds=["thumbnail"],
        states=[v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED],
        labels={"team": "blue"},
        groups=["g"],
        schedules=["s"],
    )


def test_list_refuses_a_state_that_there_is_not(slotd: Slotd) -> None:
    result = slotd("list", "--state", "runing")
    assert result.exit_code == 2
    assert "scheduled, blocked, queued, running, succeeded, failed, cancelled" in result.stderr


@pytest.mark.parametrize(
    ("state", "status"), [("SUCCEEDED", 0), ("FAILED", 1), ("CANCELLED", 1), ("RUNNING", 124), ("QUEUED", 124)]
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_wait_ends_as_the_job_did(slotd: Slotd, service: Service, state: str, status: int, form: str) -> None:
    job = service.shelf.add(state=v1.JobState.Value(f"JOB_STATE_{state}"))
    result = slotd("wait", job.id, "--timeout", "0", "-o", form)
    assert result.exit_code == status
    if form == "json":
        assert json.loads(result.stdout)["state"] == f"JOB_STATE_{state}"
    else:
        assert state in result.output


def test_output_is_byte_for_byte(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add()
    service.shelf.outputs[job.id] = [b"one\n\xff\x00", b"two\r\n"]
    assert slotd("output", job.id).stdout_bytes == b"one\n\xff\x00two\r\n"
    assert slotd("output", job.id, "-f", "--offset", "2").stdout_bytes == b"e\n\xff\x00two\r\n"
    job.output_truncated = True
    assert "more than is kept" in slotd("output", job.id).stderr


def test_output_in_json_has_base64_and_text(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add()
    text = "grün".encode()
    service.shelf.outputs[job.id] = [text[:3], text[3:]]
    pieces = [json.loads(line) for line in slotd("output", job.id, "-o", "json").stdout.splitlines()]
    assert [piece["offset"] for piece in pieces] == [0, 3]
    assert b"".join(base64.b64decode(piece["data"]) for piece in pieces) == text
    assert "".join(piece["text"] for piece in pieces) == "grün"
