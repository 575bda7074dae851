"""The command through and through: `slotd serve` in a process, and the other commands against it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import command, environment
from tests.service import ChildService, spawning


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ChildService]:
    with spawning(tmp_path) as spawn:
        yield spawn(store=f"sqlite:///{tmp_path}/jobs.db")


def run(service: ChildService, *args: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command("--address", service.address, *args), capture_output=True, text=True, env=environment(), timeout=30
    )
    return done.returncode, done.stdout, done.stderr


def test_a_job_from_submit_to_purge(served: ChildService) -> None:
    status, out, _ = run(served, "submit", "echo-async", '{"a": [1, "ü"]}', "--wait", "-o", "json")
    assert status == 0
    last = json.loads(out.splitlines()[-1])["job"]
    assert last["state"] == "JOB_STATE_SUCCEEDED"
    assert last["result"]["value"] == {"a": [1, "ü"]}
    job_id = last["id"]
    status, out, _ = run(served, "get", job_id, "-o", "json")
    assert (status, json.loads(out)["id"]) == (0, job_id)
    status, out, _ = run(served, "list", "--state", "succeeded")
    assert status == 0
    assert job_id in out
    assert run(served, "wait", job_id)[0] == 0
    assert run(served, "output", job_id)[0] == 0
    assert run(served, "slots")[0] == run(served, "stats")[0] == run(served, "queues")[0] == 0
    assert run(served, "retry", job_id)[0] == 3
    assert run(served, "purge", "--yes")[0] == 0
    status, _, err = run(served, "get", job_id)
    assert status == 3
    assert job_id in err


def test_a_job_that_fails_and_one_that_can_not_be(served: ChildService) -> None:
    status, out, err = run(served, "submit", "hopeless", "--wait")
    assert status == 1, (out, err)
    status, _, err = run(served, "submit", "no-such-kind")
    assert status == 3
    assert "no-such-kind" in err


def test_a_batch_of_jobs_that_depend_on_each_other(served: ChildService, tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    jobs = {
        "last": {
            "kind": "echo-async",
            "depends_on": ["first", "broken:ended"],
            "resources": ["room:shared"],
            "group": "g",
        },
        "first": {"kind": "echo-async", "payload": 1, "resources": ["room"], "group": "g"},
        "broken": {"kind": "hopeless", "group": "g"},
        "never": {"kind": "echo-async", "depends_on": "broken"},
    }
    path.write_text(json.dumps(jobs))
    status, out, _ = run(served, "submit", "--file", str(path), "--wait", "-o", "json")
    assert status == 1
    last = {job["spec"]["kind"]: job for job in (json.loads(line)["job"] for line in out.splitlines())}
    assert last["hopeless"]["state"] == "JOB_STATE_FAILED"
    status, out, _ = run(served, "group", "show", "g", "-o", "json")
    assert status == 0
    group = json.loads(out)["group"]
    assert (group["succeeded"], group["failed"], group["progress"]["done"]) == (2, 1, 3)
    status, out, _ = run(served, "list", "--state", "failed")
    assert "DEPENDENCY_FAILED" in out
    assert run(served, "retry", "--dependents", last["hopeless"]["id"])[0] == 0
    status, _, err = run(served, "submit", "echo-async", "--depends-on", "nobody")
    assert (status, "depends_on[0]" in err) == (3, True)


def test_changes_in_bulk_and_of_a_job_that_waits(served: ChildService) -> None:
    assert run(served, "queue", "update", "later", "--slots", "0", "--slots-per-key", "1", "--rate", "30/m")[0] == 0
    ids = [run(served, "submit", "echo-async", "--queue", "later", "--key", "tenant")[1].strip() for _ in range(2)]
    status, out, _ = run(served, "update", ids[0], "--priority", "7", "--label", "a=b", "-o", "json")
    assert status == 0
    assert json.loads(out)["spec"]["priority"] == 7
    status, _, err = run(served, "update", ids[0], "--no-labels", "--revision", "1")
    assert (status, "REVISION_MISMATCH" in err) == (3, True)
    assert "waits for keys/tenant" in run(served, "list", "--state", "blocked")[1]
    assert run(served, "cancel", "--queue", "later", "--dry-run")[1] == "2 jobs would be cancelled\n"
    assert run(served, "cancel", "--queue", "later", "--yes")[1] == "2 jobs cancelled\n"
    assert run(served, "delete", "--queue", "later", "--yes")[1] == "2 jobs deleted\n"


def test_a_schedule_from_create_to_delete(served: ChildService) -> None:
    words = ["nightly", "echo-async", '{"of": "day"}', "--cron", "0 3 * * *", "--time-zone", "Europe/Berlin"]
    status, out, _ = run(served, "schedule", "create", *words)
    assert status == 0
    assert out.count("next ") == 5
    status, _, err = run(served, "schedule", "create", *words)
    assert (status, "SCHEDULE_EXISTS" in err) == (3, True)
    assert run(served, "schedule", "update", "nightly", "--jitter", "5m", "--label", "a=b")[0] == 0
    status, out, _ = run(served, "schedule", "trigger", "nightly")
    assert status == 0
    job_id = out.strip()
    assert run(served, "wait", job_id)[0] == 0
    status, out, _ = run(served, "list", "--schedule", "nightly", "-o", "json")
    (job,) = json.loads(out)
    assert (job["id"], job["schedule"], job["spec"]["labels"]) == (job_id, "nightly", {"a": "b"})
    assert run(served, "schedule", "pause", "nightly")[0] == run(served, "schedule", "resume", "nightly")[0] == 0
    assert run(served, "schedule", "delete", "nightly")[0] == 0
    assert run(served, "schedules", "-o", "json")[1] == "[]\n"
