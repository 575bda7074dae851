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
