"""`slotd submit --file` without a kind: documents of jobs."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

import slotd as client
from slotd import v1
from tests.cli.conftest import Service, Slotd
from tests.cli.test_submit import FAILURE, ID, SUCCESS

DRESS = """
{"cut": {"kind": "cut", "payload": {"cloth": 3}},
 "sew": {"kind": "sew", "timeout": "5m", "resources": ["machine", "room:shared"], "depends_on": ["cut:ended"]},
 "tell": {"kind": "mail", "depends_on": [{"ref": "sew", "wait_for_retry": true}, {"group": "orders", "ended": true}]}}
"""


def test_an_object_is_a_batch_by_refs(slotd: Slotd, service: Service, tmp_path: Path) -> None:
    path = tmp_path / "dress.json"
    path.write_text(DRESS)
    result = slotd("submit", "--file", str(path))
    assert result.exit_code == 0
    sent = service.shelf.submitted
    assert [one.ref for one in sent] == ["cut", "sew", "tell"]
    assert [one.spec for one in sent] == [
        client.spec("cut", {"cloth": 3}),
        client.spec(
            "sew",
            timeout=timedelta(minutes=5),
            resources=["machine", client.shared("room")],
            depends_on=client.after("cut", ended=True),
        ),
        client.spec(
            "mail",
            depends_on=[client.after("sew", wait_for_retry=True), client.after_group("orders", ended=True)],
        ),
    ]
    assert len({one.request_id for one in sent}) == 3
    assert [line.split() for line in result.stdout.splitlines()] == [
        [job.id, ref] for job, ref in zip(service.shelf.jobs.values(), ["cut", "sew", "tell"], strict=True)
    ]


def test_an_array_from_standard_input(slotd: Slotd, service: Service) -> None:
    jobs = [{"kind": "count"}, {"kind": "count", "ref": "b", "request_id": "mine", "depends_on": ID}]
    shown = json.loads(slotd("submit", "--file", "-", "-o", "json", stdin=json.dumps(jobs)).stdout)
    assert [one["ref"] for one in shown] == ["", "b"]
    assert [one["job"]["id"] for one in shown] == list(service.shelf.jobs)
    assert service.shelf.submitted[1].request_id == "mine"
    assert service.shelf.submitted[1].spec.depends_on[0].job_id == ID


def test_every_field_of_a_job(slotd: Slotd, service: Service) -> None:
    job = {
        "kind": "count",
        "payload": "three",
        "content_type": "text/plain",
        "queue": "video",
        "priority": -5,
        "labels": {"team": "blue"},
        "schedule_time": "2030-01-31T18:30Z",
        "timeout": 90,
        "retry": {"initial_backoff": "250ms", "max_backoff": "1m", "multiplier": 2, "jitter": 0.5},
        "max_attempts": 3,
        "queue_timeout": "1h",
        "retention": "7d",
        "resources": "machine",
        "depends_on": {"job_id": "any"},
        "group": "dresses",
        "concurrency_key": "tenant",
        "unique_key": "u",
        "unique_period": 1.5,
        "unique_conflict": "replace",
    }
    assert slotd("submit", "--file", "-", stdin=json.dumps([job])).exit_code == 0
    assert service.shelf.submitted[0].spec == client.spec(
        "count",
        "three",
        content_type="text/plain",
        queue="video",
        priority=-5,
        labels={"team": "blue"},
        schedule_time=Timestamp(seconds=1_896_114_600),
        timeout=90,
        retry=client.RetryPolicy(max_attempts=3, initial_backoff=0.25, max_backoff=60, multiplier=2, jitter=0.5),
        queue_timeout=3600,
        retention=604_800,
        resources="machine",
        depends_on=client.after(v1.Job(id="any")),
        group="dresses",
        concurrency_key="tenant",
        unique_key="u",
        unique_period=1.5,
        unique_conflict="replace",
    )
    assert set(job) - {"kind", "payload"} == set(client.jobspec.SpecFields.__annotations__)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "standard input isn't JSON"),
        ("7", "standard input: it is neither an object of jobs by their refs nor an array of jobs"),
        ("[7]", "job 1: 7 is no object"),
        ('{"a": {}}', "'a': it has no kind"),
        ('{"a": {"kind": 7}}', "'a': kind: 7 is no text"),
        ('{"a": {"kind": "k"}, "a": {"kind": "l"}}', "the name 'a' is there twice in one object"),
        ('{"a": {"kind": "k", "ref": "b"}}', "'a': there is no field ref"),
        ('[{"kind": "k", "colour": "red", "at": 1}]', "job 1: there is no field at, colour"),
        ('[{"kind": "k", "priority": 1.5}]', "job 1: priority: 1.5 is no whole number"),
        ('[{"kind": "k", "priority": true}]', "job 1: priority: true is no number"),
        ('[{"kind": "k", "priority": 3000000000}]', "job 1: Value out of range: 3000000000"),
        ('[{"kind": "k", "timeout": "soon"}]', "job 1: timeout: 'soon' is no duration"),
        ('[{"kind": "k", "timeout": -1}]', "job 1: timeout: '-1' is no duration"),
        ('[{"kind": "k", "schedule_time": "soon"}]', "job 1: schedule_time: 'soon' is no time"),
        ('[{"kind": "k", "labels": {"a": 1}}]', "job 1: labels: a: 1 is no text"),
        ('[{"kind": "k", "resources": ["a:mine"]}]', "job 1: resources: 'a:mine' is no claim"),
        ('[{"kind": "k", "depends_on": [{"ref": "a", "group": "b"}]}]', "names one job_id, ref or group"),
        ('[{"kind": "k", "depends_on": [{"ended": true}]}]', "names one job_id, ref or group"),
        ('[{"kind": "k", "depends_on": [{"ref": "a", "ended": 1}]}]', "job 1: depends_on: ended: 1 is neither true"),
        ('[{"kind": "k", "depends_on": [{"ref": 1}]}]', "job 1: depends_on: ref: 1 is no text"),
        ('[{"kind": "k", "retry": {"attempts": 1}}]', "job 1: retry: there is no field attempts"),
        ('[{"kind": "k", "unique_conflict": "win"}]', "no such unique_conflict: 'win'"),
        ('[{"kind": "k", "payload": 1, "content_type": "text/plain"}]', "job 1: no way to write int as text/plain"),
    ],
)
def test_a_bad_document_is_refused_with_the_place(slotd: Slotd, service: Service, document: str, said: str) -> None:
    result = slotd("submit", "--file", "-", stdin=document)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not service.shelf.submitted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give the KIND of the job, or --file"),
        (["--priority", "3", "--file", "-"], "without KIND the file is a batch"),
        (["--request-id", "x", "--file", "-"], "without KIND the file is a batch"),
        (["--content-type", "text/csv", "--file", "-"], "without KIND the file is a batch"),
        (["--depends-on", "x", "--file", "-"], "without KIND the file is a batch"),
        (["--file", "no/such/file"], "No such file"),
    ],
)
def test_bad_usage(slotd: Slotd, service: Service, words: list[str], said: str) -> None:
    result = slotd("submit", *words, stdin="[]")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not service.shelf.submitted


def test_what_the_service_refuses(slotd: Slotd) -> None:
    result = slotd("submit", "--file", "-", stdin='[{"kind": "full"}]')
    assert result.exit_code == 3
    assert "QUEUE_FULL" in result.stderr


def test_validate_only(slotd: Slotd, service: Service) -> None:
    result = slotd("submit", "--file", "-", "--validate-only", stdin=DRESS)
    assert result.stdout == "3 jobs would be taken\n"
    assert not service.shelf.jobs


def test_wait_follows_all_to_their_ends(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["cut"] = SUCCESS
    document = '{"a": {"kind": "cut"}, "b": {"kind": "cut"}}'
    result = slotd("submit", "--file", "-", "--wait", stdin=document)
    assert result.exit_code == 0
    first, second = service.shelf.jobs
    steps = [(line.split()[1], line.split()[2]) for line in result.stdout.splitlines()]
    assert steps[:2] == [(first, "QUEUED"), (second, "QUEUED")]
    assert {(first, "SUCCEEDED"), (second, "SUCCEEDED")} <= set(steps)
    service.shelf.scripts["cut"] = FAILURE
    failed = slotd("submit", "--file", "-", "--wait", "-o", "json", stdin=document)
    assert failed.exit_code == 1
    assert json.loads(failed.stdout.splitlines()[-1])["job"]["state"] == "JOB_STATE_FAILED"


def test_wait_for_jobs_that_are_deleted_meanwhile(slotd: Slotd, service: Service) -> None:
    service.shelf.scripts["cut"] = [v1.Job(state=v1.JOB_STATE_UNSPECIFIED)]
    result = slotd("submit", "--file", "-", "--wait", stdin='[{"kind": "cut"}]')
    assert result.exit_code == 3
    (job_id,) = service.shelf.jobs
    assert result.stderr.splitlines() == ["Error: jobs were deleted before they ended", f"  {job_id}"]
