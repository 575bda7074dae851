"""`slotd update`, `cancel`, `retry`, `delete` and `purge`."""

import json

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from tests.cli.conftest import Service, Slotd


def test_cancel(slotd: Slotd, service: Service) -> None:
    waiting = service.shelf.add()
    running = service.shelf.add(state=v1.JOB_STATE_RUNNING)
    result = slotd("cancel", waiting.id, running.id)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{waiting.id} CANCELLED", f"{running.id} RUNNING, asked to stop"]


def test_retry(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_FAILED)
    assert slotd("retry", job.id).stdout == f"{job.id} QUEUED\n"


def test_delete(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_FAILED)
    assert slotd("delete", job.id).stdout == f"{job.id} deleted\n"
    assert not service.shelf.jobs


def test_delete_with_force(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add()
    assert slotd("delete", job.id).exit_code == 3
    assert slotd("delete", "--force", job.id, "-o", "json").exit_code == 0
    assert service.shelf.forced == [job.id]


@pytest.mark.parametrize(
    ("words", "state", "after"),
    [
        ("cancel", v1.JOB_STATE_QUEUED, "JOB_STATE_CANCELLED"),
        ("retry", v1.JOB_STATE_FAILED, "JOB_STATE_QUEUED"),
        ("delete", v1.JOB_STATE_FAILED, None),
    ],
)
def test_json_is_an_object_for_one_id_and_lines_for_several(
    slotd: Slotd, service: Service, words: str, state: v1.JobState.ValueType, after: str | None
) -> None:
    jobs = [service.shelf.add(state=state) for _ in range(3)]
    single = json.loads(slotd(words, jobs[0].id, "-o", "json").stdout)
    assert single["id"] == jobs[0].id
    assert single.get("state") == after
    several = slotd(words, jobs[1].id, jobs[2].id, "-o", "json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in several] == [jobs[1].id, jobs[2].id]


@pytest.mark.parametrize("form", ["table", "json"])
def test_one_that_is_refused_keeps_no_other_back(slotd: Slotd, service: Service, form: str) -> None:
    ended = service.shelf.add(state=v1.JOB_STATE_SUCCEEDED)
    waiting = service.shelf.add()
    result = slotd("cancel", ended.id, waiting.id, "-o", form)
    assert result.exit_code == 3
    assert result.stderr == f"Error: job {ended.id} has ended (WRONG_STATE)\n"
    assert service.shelf.jobs[waiting.id].state == v1.JOB_STATE_CANCELLED


def test_purge(slotd: Slotd, service: Service) -> None:
    for state in (v1.JOB_STATE_FAILED, v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_QUEUED):
        service.shelf.add(state=state)
    assert slotd("purge", "--dry-run").stdout == "2 jobs would be deleted\n"
    assert json.loads(slotd("purge", "--dry-run", "-o", "json").stdout) == {"purge_count": 2, "validate_only": True}
    assert slotd("purge", "--state", "failed").stdout == "1 job deleted\n"
    assert json.loads(slotd("purge", "-o", "json").stdout) == {"purge_count": 1, "validate_only": False}
    assert len(service.shelf.jobs) == 1
    assert service.shelf.purged[2].filter.states == [v1.JOB_STATE_FAILED]


def test_retry_with_dependents(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add(state=v1.JOB_STATE_FAILED)
    assert slotd("retry", "--dependents", job.id).exit_code == 0
    assert service.shelf.retried == [v1.RetryRequest(id=job.id, dependents=True)]


@pytest.mark.parametrize(
    ("words", "spec", "mask"),
    [
        ("--priority -3", v1.JobSpec(priority=-3), ["priority"]),
        ("--label a=1 -l b=2", v1.JobSpec(labels={"a": "1", "b": "2"}), ["labels"]),
        ("--no-labels", v1.JobSpec(), ["labels"]),
        (
            "--at 2030-01-31T18:30Z --queue night",
            v1.JobSpec(schedule_time=Timestamp(seconds=1_896_114_600), queue="night"),
            ["schedule_time", "queue"],
        ),
        ("--at none", v1.JobSpec(), ["schedule_time"]),
    ],
)
def test_update_names_what_it_changes(
    slotd: Slotd, service: Service, words: str, spec: v1.JobSpec, mask: list[str]
) -> None:
    job = service.shelf.add()
    result = slotd("update", job.id, *words.split())
    assert result.exit_code == 0
    assert job.id in result.stdout
    sent = service.shelf.updated[0]
    assert (sent.id, sent.spec, list(sent.update_mask.paths), sent.revision) == (job.id, spec, mask, 0)


def test_update_of_a_job_that_changed_meanwhile(slotd: Slotd, service: Service) -> None:
    job = service.shelf.add()
    assert slotd("update", job.id, "--priority", "1", "--revision", str(job.revision)).exit_code == 0
    result = slotd("update", job.id, "--priority", "1", "--revision", "7")
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        f"Error: job {job.id} is at revision 1, no longer at 7 (REVISION_MISMATCH)",
        "  somebody changed it meanwhile: look, and try again",
    ]


@pytest.mark.parametrize(
    "words", ["", "--revision 3", "--label a=1 --no-labels", "--at none --delay 1h", "--priority 1001", "--at soon"]
)
def test_update_refuses(slotd: Slotd, service: Service, words: str) -> None:
    assert slotd("update", service.shelf.add().id, *words.split()).exit_code == 2
    assert not service.shelf.updated


BULK = [
    (["cancel"], v1.JOB_STATE_QUEUED, "cancelled", "cancel_count"),
    (["retry"], v1.JOB_STATE_FAILED, "retried", "retry_count"),
    (["delete"], v1.JOB_STATE_SUCCEEDED, "deleted", "delete_count"),
    (["delete", "--force"], v1.JOB_STATE_RUNNING, "deleted", "delete_count"),
]


@pytest.mark.parametrize(("words", "state", "done", "field"), BULK)
def test_those_that_match_are_changed_in_bulk(
    slotd: Slotd, service: Service, words: list[str], state: v1.JobState.ValueType, done: str, field: str
) -> None:
    for group in ("a", "b", "b"):
        service.shelf.add(state=state, group=group)
    assert slotd(*words, "--group", "b", "--dry-run").stdout == f"2 jobs would be {done}\n"
    assert json.loads(slotd(*words, "--all", "--dry-run", "-o", "json").stdout) == {field: 3, "validate_only": True}
    assert slotd(*words, "--group", "b", "-k", "count").stdout == f"2 jobs {done}\n"
    assert json.loads(slotd(*words, "--all", "-o", "json").stdout) == {field: 1, "validate_only": False}
    filters = [one.filter for one in service.shelf.bulk if not isinstance(one, v1.CancelGroupRequest)]
    assert filters == [
        v1.JobFilter(groups=["b"]),
        v1.JobFilter(),
        v1.JobFilter(groups=["b"], kinds=["count"]),
        v1.JobFilter(),
    ]


@pytest.mark.parametrize("command", ["cancel", "retry", "delete"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say which jobs"),
        (["--dry-run"], "say which jobs"),
        (["x", "--state", "failed"], "not by both"),
        (["x", "--all"], "not by both"),
        (["x", "--dry-run"], "not by both"),
        (["--all", "--group", "g"], "leaves no room"),
    ],
)
def test_which_jobs_is_said_in_one_way(
    slotd: Slotd, service: Service, command: str, words: list[str], said: str
) -> None:
    result = slotd(command, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not service.shelf.bulk


def test_dependents_need_ids(slotd: Slotd, service: Service) -> None:
    assert slotd("retry", "--state", "failed", "--dependents").exit_code == 2
    assert not service.shelf.bulk
