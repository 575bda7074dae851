"""What a service, its processes for handlers, and a worker log at debug, and what they never do."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import slotd
from slotd.v1 import Job
from tests.service import ChildService

ROOT = Path(__file__).parents[2]
SECRET = "4f3c-a-payload-9e1b"
PATIENCE = 20

Line = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One of each kind that has run, by its kind, and the lines of the service's log and the worker's."""

    jobs: dict[str, Job]
    service: list[Line]
    worker: list[Line]

    def said(self, event: str) -> Line:
        (line,) = [line for line in (*self.service, *self.worker) if line["event"] == event]
        return line

    def transitions(self, kind: str) -> list[Line]:
        """Those of the job of that kind."""
        lines = [line for line in self.service if line["event"] == "transition"]
        return [line for line in lines if line["job_id"] == self.jobs[kind].id]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Everything is run once, for all tests here."""
    folder = tmp_path_factory.mktemp("logs")
    service_log, worker_log = folder / "service.log", folder / "worker.log"
    service = ChildService(
        service_log,
        module="tests.observability.handlers",
        store=f"sqlite:///{folder / 'jobs.db'}",
        log_level="debug",
        log_format="json",
    )
    try:
        with _worker(service.address, worker_log), slotd.Client(service.address) as client:
            ids = {
                kind: client.submit(kind, SECRET, labels={"label": SECRET}).id
                for kind in ("logging", "structlog", "coroutine", "process", "tells", "far")
            }
            jobs = {kind: client.wait(job_id) for kind, job_id in ids.items()}
            client.delete(jobs["structlog"].id)
    finally:
        service.stop()
    return Run(jobs, _lines(service_log), _lines(worker_log))


@contextmanager
def _worker(address: str, log: Path) -> Iterator[None]:
    """A worker, from when it is connected."""
    command = [sys.executable, "-m", "slotd", "--address", address, "worker", "tests.observability.far_handlers"]
    options = ["--log-level", "debug", "--log-format", "json"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT, env=dict(os.environ)
        )
    try:
        assert process.stdout is not None
        assert b"connected" in process.stdout.readline(), log.read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def _lines(log: Path) -> list[Line]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("logging", "from logging"),
        ("logging", "it was not there"),
        ("structlog", "from structlog"),
        ("coroutine", "from a task"),
        ("coroutine", "from its thread"),
        ("process", "from a process"),
        ("far", "from a worker"),
    ],
)
def test_what_a_handler_logs_says_which_job_it_is_of(run: Run, kind: str, event: str) -> None:
    line = run.said(event)
    assert (line["job_id"], line["attempt"], line["kind"]) == (run.jobs[kind].id, 1, kind)


def test_lines_of_the_standard_library_s_logging_are_like_the_others(run: Run) -> None:
    here, structured, apart = (run.said(f"from {where}") for where in ("logging", "structlog", "a process"))
    assert here.keys() - structured.keys() == {"logger"}
    assert here.keys() == apart.keys()
    assert (here["shelf"], here["level"], here["logger"]) == (3, "info", "shop.shelves")
    assert "LookupError: no such shelf" in run.said("it was not there")["exception"]


def test_each_transition_is_a_line(run: Run) -> None:
    lines = run.transitions("tells")
    moves = [(line["from"], line["to"], line["attempt"]) for line in lines]
    assert moves == [
        ("", "QUEUED", 0),
        ("QUEUED", "RUNNING", 1),
        ("RUNNING", "QUEUED", 1),
        ("QUEUED", "RUNNING", 2),
        ("RUNNING", "SUCCEEDED", 2),
    ]
    assert {(line["kind"], line["queue"], line["level"]) for line in lines} == {("tells", "default", "debug")}
    assert [line.get("reason") for line in lines[2:]] == ["HANDLER_ERROR", "HANDLER_ERROR", None]
    assert [line["revision"] for line in lines] == sorted({line["revision"] for line in lines})


def test_that_a_job_is_deleted_is_one_too(run: Run) -> None:
    assert [line["to"] for line in run.transitions("structlog")] == ["QUEUED", "RUNNING", "SUCCEEDED", "DELETED"]


def test_no_line_holds_what_is_the_callers_or_the_handlers_own(run: Run) -> None:
    assert run.jobs["tells"].attempts[0].error.message == f"ValueError: {SECRET}"
    assert SECRET in run.jobs["far"].result.data.decode()
    assert run.worker
    assert SECRET not in json.dumps([run.service, run.worker])


def test_libraries_that_tell_of_every_call_are_kept_quiet(run: Run) -> None:
    assert not [line for line in run.service if line.get("logger", "").startswith(("grpc", "asyncio"))]
