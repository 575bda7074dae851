"""The server's runner of what runs in other processes: its jobs and leases in isolation's words, and back."""

import os
import time
from collections.abc import Iterator, Mapping
from queue import SimpleQueue

import pytest

from slotd.handlers import load, registered
from slotd.isolation.children import Children
from slotd_server.domain import moves
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import SECOND, Failure, Job, Payload, Progress
from slotd_server.domain.outcome import Failed, Snoozed, Succeeded
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State
from slotd_server.execution.base import NOTHING, Reporting, Told
from slotd_server.execution.processes import ProcessRunner
from tests.isolation.conftest import MODULE
from tests.isolation.running import PATIENCE

UNKNOWN = Lease(99, 1)


class Bench:
    """A runner, its reports, and jobs for it. `results` are of what its jobs depended on."""

    def __init__(self) -> None:
        load(MODULE)
        self.results: Mapping[str, Payload | None] = {}
        self.told: SimpleQueue[Lease] = SimpleQueue()
        self._finished: SimpleQueue[Finish] = SimpleQueue()
        children = Children([MODULE], registered(), kill_grace=0.05)
        self.runner = ProcessRunner(
            children, Reporting(self._finished.put, self.told.put), results=lambda job: self.results
        )
        self._seq = 0

    def start(self, kind: str, data: bytes = b"null", timeout: int | None = None) -> Lease:
        self._seq += 1
        draft = Draft(f"isolated/{kind}", Payload("application/json", data), (("team", "blue"),))
        waiting = Job(
            self._seq, f"id-{self._seq}", draft.resolve(BUILT_IN._replace(timeout=timeout)), State.QUEUED, self._seq, 0
        )
        job = moves.start(waiting, 1_700_000_000 * SECOND, "me")
        self.runner.start(job)
        return Lease(job.seq, job.fence)

    def end(self) -> Finish:
        return self._finished.get(timeout=PATIENCE)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.runner.close()


def test_it_says_who_finished_and_what_came_of_it(bench: Bench) -> None:
    lease = bench.start("echo", b'{"a":1}')
    assert bench.end() == Finish(lease, Succeeded(Payload("application/json", b'{"a":1}')), None, b"")
    lease = bench.start("echo")
    assert bench.end() == Finish(lease, Succeeded(None), None, b"")
    lease = bench.start("raise", b'"PermanentError"')
    failure = Failure("PERMANENT_ERROR", "PermanentError: no such bucket")
    assert bench.end() == Finish(lease, Failed(failure, permanent=True), None, b"")
    lease = bench.start("raise", b'"Snooze"')
    assert bench.end() == Finish(lease, Snoozed(1_500_000), None, b"")


def test_a_handler_knows_its_job_and_how_long_it_has(bench: Bench) -> None:
    before = time.time()
    bench.start("context", timeout=60 * SECOND)
    outcome = bench.end().outcome
    assert isinstance(outcome, Succeeded)
    assert outcome.result is not None
    for known in (b'"job_id":"id-1"', b'"attempt":1', b'"queue":"default"', b'"labels":{"team":"blue"}'):
        assert known in outcome.result.data
    deadline = float(outcome.result.data.split(b'"deadline":')[1].split(b",")[0])
    assert before + 60 <= deadline <= time.time() + 60


def test_what_it_tells_is_taken_by_lease(bench: Bench) -> None:
    lease = bench.start("wait")
    assert bench.told.get(timeout=PATIENCE) == lease
    told = bench.runner.take(lease)
    assert told.progress is None
    assert int(told.output) != os.getpid()
    assert bench.runner.take(UNKNOWN) == NOTHING
    bench.runner.stop(UNKNOWN)
    bench.runner.stop(lease)
    outcome = bench.end().outcome
    assert outcome == Failed(Failure("CANCELLED", "JobCancelled: job id-1 was cancelled"))
    assert bench.runner.take(lease) == Told(None, b"")


def test_what_was_not_taken_comes_with_the_end(bench: Bench) -> None:
    bench.start("steps", b"2")
    finish = bench.end()
    assert (finish.progress, finish.output) == (Progress(2, 2, "step 2"), b"0 1 ")


def test_it_has_the_results_of_other_jobs(bench: Bench) -> None:
    bench.results = {"a": Payload("application/json", b"[1]"), "b": None}
    bench.start("results")
    assert bench.end().outcome == Succeeded(Payload("application/json", b'{"a":[1],"b":null}'))


def test_an_attempt_whose_time_is_over_is_ended(bench: Bench) -> None:
    failure = Failure("TIMEOUT", "it took too long")
    lease = bench.start("loop", b"true")
    assert bench.told.get(timeout=PATIENCE) == lease
    bench.runner.take(lease)
    assert bench.runner.end(lease, failure)
    assert bench.end() == Finish(lease, Failed(failure), None, b"")
    assert not bench.runner.end(lease, failure)
    assert not bench.runner.end(UNKNOWN, failure)
