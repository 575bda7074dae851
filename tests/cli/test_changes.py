"""`slotd cancel`, `retry`, `delete` and `purge`."""

import json

import pytest

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
