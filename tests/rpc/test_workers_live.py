"""Real `slotd worker` processes against a real service: what they do together, and what becomes of it when one of them
is killed, paused, replaced or sent away."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

import slotd
from slotd import v1
from tests.cli.conftest import ROOT, command, environment
from tests.service import ChildService, Endpoint, reach, reason, spawning

PATIENCE = 20

HANDLERS = '''
import os
from slotd import job

@job("meet", max_attempts=3, initial_backoff=0.001, jitter=0)
def meet(ctx, path):
    """Waits, deaf to all else, until somebody writes into the pipe."""
    ctx.write("begun ")
    with open(f"{path}-{ctx.attempt}") as pipe:
        word = pipe.read()
    ctx.write("ended")
    return [ctx.attempt, word]

@job("patient", max_attempts=1)
def patient(ctx, payload):
    ctx.progress(1, 2, "waiting")
    ctx.wait_cancelled()
    ctx.raise_if_cancelled()

@job("double")
def double(ctx, number):
    ctx.progress(1, 1, "doubled")
    ctx.write("twice ")
    return 2 * number

@job("sum")
def total(ctx, payload):
    return sum(ctx.results.values())
'''


class Pipe:
    """Where a handler waits for a word, each attempt for its own. `say` waits for one that listens."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        for attempt in (1, 2):
            os.mkfifo(f"{path}-{attempt}")

    def say(self, word: str, attempt: int = 1) -> None:
        with open(f"{self.path}-{attempt}", "w") as pipe:
            pipe.write(word)


class WorkerProcess:
    """`slotd worker` in a process of its own, connected."""

    def __init__(self, address: str, module: Path, *args: str) -> None:
        words = command("worker", str(module), "--address", address, *args)
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment())
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith("connected\n"), line
        self.id = line.split()[2]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits for its end; the exit status."""
        self._process.communicate(timeout=PATIENCE)
        return self._process.returncode

    def close(self) -> None:
        self._process.kill()
        self.wait()


Hire = Callable[..., WorkerProcess]


@pytest.fixture
def lease() -> float:
    """Seconds that a worker may be silent; a test that waits for the end of it has less."""
    return 10.0


@pytest.fixture
def service(tmp_path: Path, lease: float) -> Iterator[ChildService]:
    """Without slots of its own; it comes back at the same address."""
    with spawning(tmp_path) as spawn:
        yield spawn(
            store=f"sqlite:///{tmp_path}/jobs.db",
            listen=f"unix:{tmp_path}/socket",
            slots=0,
            worker_lease=lease,
            cancel_grace=0.1,
            report_interval=0,
            # Else a job is refused while no worker is connected.
            unknown_kinds="wait",
        )


@pytest.fixture
def at(service: ChildService) -> Iterator[Endpoint]:
    at = Endpoint.at(service.address)
    yield at
    at.close()


@pytest.fixture
def hire(service: ChildService, tmp_path: Path) -> Iterator[Hire]:
    module = tmp_path / "live_handlers.py"
    module.write_text(HANDLERS)
    hired: list[WorkerProcess] = []

    def one(*args: str) -> WorkerProcess:
        hired.append(WorkerProcess(service.address, module, *args))
        return hired[-1]

    yield one
    for each in hired:
        each.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    return Pipe(tmp_path / "pipe")


def output(at: Endpoint, job: v1.Job) -> bytes:
    return b"".join(at.client.read_output(job))


def await_begun(at: Endpoint, job: v1.Job) -> None:
    """Until its handler runs: a job is RUNNING already while its assignment is on the way."""
    with at.client.read_output(job, follow=True) as pieces:
        assert next(pieces) == b"begun "


def succeeded(at: Endpoint, job: v1.Job) -> object:
    """The result, once the job has succeeded."""
    ended = at.client.wait(job)
    assert ended.state == v1.JOB_STATE_SUCCEEDED, ended
    return slotd.decode(ended.result)


def second_attempt(at: Endpoint, job: v1.Job) -> v1.Job:
    """The job, once its second attempt runs."""
    with at.client.stream(job_ids=job) as events:
        return next(event.job for event in events if (event.job.attempt, event.job.state) == (2, v1.JOB_STATE_RUNNING))


def test_a_job_is_done_elsewhere(at: Endpoint, hire: Hire) -> None:
    worker = hire()
    job = at.client.submit("double", 21)
    assert succeeded(at, job) == 42
    ended = at.client.get(job)
    assert ended.progress.message == "doubled"
    assert [attempt.worker for attempt in ended.attempts] == [worker.id]
    assert output(at, job) == b"twice "


def test_a_handler_has_the_results_of_what_its_job_depended_on(at: Endpoint, hire: Hire) -> None:
    hire()
    batch = at.client.submit_batch(
        {"a": slotd.spec("double", 1), "b": slotd.spec("double", 2), "c": slotd.spec("sum", depends_on=["a", "b"])}
    )
    assert succeeded(at, batch["c"]) == 6


def test_a_job_is_cancelled_where_it_runs(at: Endpoint, hire: Hire) -> None:
    hire()
    job = at.client.submit("patient")
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    at.client.cancel(job)
    assert at.client.wait(job).state == v1.JOB_STATE_CANCELLED


def test_a_job_that_takes_too_long_is_over_while_its_function_holds_the_slot(
    at: Endpoint, hire: Hire, pipe: Pipe
) -> None:
    hire("--slots", "1")
    job = at.client.submit("meet", pipe.path, timeout=0.1, max_attempts=1)
    ended = at.client.wait(job)
    assert (ended.state, reason(ended)) == (v1.JOB_STATE_FAILED, "TIMEOUT")
    (worker,) = at.client.list_workers()
    assert (worker.slots, worker.running, worker.zombie) == (1, 0, 1)
    other = at.client.submit("double", 1)
    pipe.say("go")
    assert succeeded(at, other) == 2


@pytest.mark.parametrize("lease", [3.0])
def test_a_worker_that_is_killed_has_its_jobs_given_to_others(at: Endpoint, hire: Hire, pipe: Pipe) -> None:
    first = hire()
    job = at.client.submit("meet", pipe.path)
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    first.close()
    second = hire()
    assert reason(second_attempt(at, job)) == "WORKER_LOST"
    pipe.say("go", attempt=2)
    assert succeeded(at, job) == [2, "go"]
    assert [attempt.worker for attempt in at.client.get(job).attempts] == [first.id, second.id]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_runs_runs_on_over_a_restart_of_the_service(
    service: ChildService, at: Endpoint, hire: Hire, pipe: Pipe, number: signal.Signals
) -> None:
    worker = hire()
    job = at.client.submit("meet", pipe.path)
    await_begun(at, job)
    service.stop(number)
    # Its function returns while there is nobody to tell.
    pipe.say("go")
    service.start()
    assert succeeded(at, job) == [1, "go"]
    ended = at.client.get(job)
    assert [attempt.worker for attempt in ended.attempts] == [worker.id]
    assert output(at, job) == b"begun ended"


@pytest.mark.parametrize("lease", [3.0])
def test_a_worker_that_is_paused_for_too_long_has_lost_its_jobs(at: Endpoint, hire: Hire, pipe: Pipe) -> None:
    first = hire("--slots", "1", "--name", "first")
    job = at.client.submit("meet", pipe.path)
    await_begun(at, job)
    first.signal(signal.SIGSTOP)
    second = hire("--slots", "1", "--name", "second")
    second_attempt(at, job)
    first.signal(signal.SIGCONT)
    pipe.say("too late", attempt=1)
    pipe.say("go", attempt=2)
    assert succeeded(at, job) == [2, "go"]
    assert [attempt.worker for attempt in at.client.get(job).attempts] == [first.id, second.id]
    # The first one is there again, and its slot is free.
    at.client.drain_worker(second.id)
    assert second.wait() == 0
    assert succeeded(at, at.client.submit("double", 1)) == 2


def test_one_who_comes_under_its_name_takes_its_place(at: Endpoint, hire: Hire) -> None:
    worker = hire()
    says: SimpleQueue[v1.WorkRequest | None] = SimpleQueue()
    says.put(v1.WorkRequest(hello=v1.Hello(worker_id=worker.id, kinds=[v1.WorkerKind(kind="double")])))
    call = v1.WorkerServiceStub(at.channel).Work(iter(says.get, None), timeout=PATIENCE)
    assert next(call).HasField("welcome")
    assert worker.wait() == 3
    says.put(v1.WorkRequest(leave=True))
    assert [response for response in call if response.assignments] == []


def test_the_service_sends_a_worker_away(at: Endpoint, hire: Hire, pipe: Pipe) -> None:
    worker = hire()
    job = at.client.submit("meet", pipe.path)
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    assert at.client.drain_worker(worker.id).draining
    waiting = at.client.submit("double", 1)
    pipe.say("go")
    assert succeeded(at, job) == [1, "go"]
    assert worker.wait() == 0
    assert at.client.list_workers() == []
    assert at.client.get(waiting).state == v1.JOB_STATE_QUEUED


def test_a_worker_that_is_told_to_stop_gives_back_what_does_not_end(at: Endpoint, hire: Hire, pipe: Pipe) -> None:
    first = hire("--drain-timeout", "0")
    job = at.client.submit("meet", pipe.path)
    reach(at.client, job, v1.JOB_STATE_RUNNING)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    given_back = at.client.get(job)
    assert given_back.state == v1.JOB_STATE_QUEUED
    hire()
    pipe.say("go")
    # An attempt that was given back does not count.
    assert succeeded(at, job) == [1, "go"]
