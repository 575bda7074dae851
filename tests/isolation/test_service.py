"""Isolated handlers and commands in a real service: what its callers see of them."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import slotd
from slotd import after
from slotd.v1 import JOB_STATE_CANCELLED, JOB_STATE_FAILED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED, Job
from tests.isolation.conftest import MODULE
from tests.isolation.running import PATIENCE, await_gone, is_there
from tests.service import ChildService, Spawn, reach, reason, spawning


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts services with our handlers."""
    with spawning(tmp_path) as spawn:
        yield partial(spawn, module=MODULE)


@pytest.fixture
def service(spawn: Spawn, tmp_path: Path) -> ChildService:
    return spawn(
        store=f"sqlite:///{tmp_path / 'jobs.db'}", slots=2, cancel_grace=0.2, report_interval=0, allow_command="sh"
    )


@pytest.fixture
def client(service: ChildService) -> Iterator[slotd.Client]:
    with slotd.Client(service.address) as client:
        yield client


def first_words(client: slotd.Client, job: Job) -> str:
    """What a running job writes first."""
    with client.read_output(job, follow=True) as output:
        return next(iter(output)).decode()


def run(client: slotd.Client, kind: str, payload: object = None, **more: object) -> Job:
    """Submit a job of one attempt, and wait for its end."""
    job = client.submit(f"isolated/{kind}", payload, max_attempts=1, **more)  # type: ignore[arg-type]
    return client.wait(job, timeout=PATIENCE)


def free_slots(client: slotd.Client) -> tuple[int, int]:
    slots = client.list_slots()
    return slots.free, slots.zombie


def test_a_service_outlives_its_handlers(service: ChildService, client: slotd.Client) -> None:
    pid = slotd.decode(run(client, "pid").result)
    assert pid != service.process.pid
    for kind in ("segfault", "abort"):
        job = run(client, kind)
        assert (job.state, reason(job)) == (JOB_STATE_FAILED, "PROCESS_DIED")
    assert slotd.decode(run(client, "pid").result) not in (pid, service.process.pid)


def test_a_job_knows_what_others_returned(client: slotd.Client) -> None:
    first = client.submit("isolated/echo", [1, 2])
    job = run(client, "results", depends_on=[after(first)])
    assert slotd.decode(job.result) == {first.id: [1, 2]}


def test_one_that_passes_its_timeout_is_ended_and_its_slot_is_free(client: slotd.Client) -> None:
    # Its time begins with its attempt: a process is to be there by then.
    run(client, "pid")
    job = run(client, "loop", True, timeout=2)
    assert (job.state, reason(job)) == (JOB_STATE_FAILED, "TIMEOUT")
    assert free_slots(client) == (2, 0)
    assert not is_there(int(b"".join(client.read_output(job))))


def test_one_that_is_cancelled_and_goes_on_is_ended_too(client: slotd.Client) -> None:
    job = client.submit("isolated/loop", True)
    pid = int(first_words(client, job))
    client.cancel(job)
    assert client.wait(job, timeout=PATIENCE).state == JOB_STATE_CANCELLED
    assert free_slots(client) == (2, 0)
    assert not is_there(pid)


def test_one_that_runs_when_the_service_stops_is_ended_and_given_back(
    service: ChildService, client: slotd.Client
) -> None:
    job = client.submit("isolated/loop", True, max_attempts=1)
    pid = int(first_words(client, job))
    service.stop()
    assert not is_there(pid)
    service.start()
    with slotd.Client(service.address) as anew:
        assert reach(anew, job, JOB_STATE_RUNNING).attempt == 1


def test_one_that_runs_when_the_service_is_killed_ends_with_it(service: ChildService, client: slotd.Client) -> None:
    job = client.submit("isolated/loop", True)
    pid = int(first_words(client, job))
    service.stop(signal.SIGKILL)
    await_gone(pid)


def test_a_command_is_a_job(client: slotd.Client) -> None:
    job = client.submit("command", {"argv": ["sh", "-c", "echo done"]})
    job = client.wait(job, timeout=PATIENCE)
    assert (job.state, slotd.decode(job.result)) == (JOB_STATE_SUCCEEDED, {"exit_code": 0})
    assert b"".join(client.read_output(job)) == b"done\n"
    job = client.wait(client.submit("command", {"argv": ["touch", "x"]}), timeout=PATIENCE)
    assert (job.state, reason(job), job.attempt) == (JOB_STATE_FAILED, "COMMAND_NOT_ALLOWED", 1)


def test_without_commands_there_is_no_such_kind(spawn: Spawn) -> None:
    with slotd.Client(spawn().address) as client, pytest.raises(slotd.InvalidArgument):
        client.submit("command", {"argv": ["sh"]})
