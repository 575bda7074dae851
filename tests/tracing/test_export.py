"""Real processes send their spans to a collector, also when they are stopped, and never wait for it for long."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import slotd
from slotd.v1 import JOB_STATE_FAILED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED
from tests.service import ChildService, Spawn, reach
from tests.tracing.collector import Collector, collecting

HANDLERS = "tests.tracing.handlers"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = f"00-{TRACE}-{SPAN}-01"

_BRIEF = """
import sys, time
from opentelemetry import trace
from slotd import trace_export
trace_export.start()
trace.get_tracer("tests").start_span("last").end()
began = time.monotonic()
trace_export.shutdown(float(sys.argv[1]))
print(time.monotonic() - began)
"""
"""Makes a span, sends it off, and says how many seconds that took."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def serve(spawn: Spawn, collector: Collector, **flags: object) -> ChildService:
    return spawn(module=HANDLERS, environment=collector.environment, traces="otlp", **flags)


def decoded(job: slotd.v1.Job) -> Any:
    return slotd.decode(job.result)


def test_a_service_sends_its_spans_and_those_of_its_child_processes(spawn: Spawn, collector: Collector) -> None:
    service = serve(spawn, collector)
    with slotd.Client(service.address) as client:
        job = client.submit_and_wait("traces/process", traceparent=CALLER)
    attempt, own = collector.one("process traces/process"), collector.one("work")
    current, context = decoded(job)
    assert attempt.parent == collector.one("wait traces/process").parent == SPAN
    assert own.parent == attempt.id
    assert (current.split("-")[1:3], context.split("-")[1:3]) == ([TRACE, own.id], [TRACE, attempt.id])
    assert {(span.service, span.trace) for span in (attempt, own)} == {("tested", TRACE)}


def test_an_attempt_whose_process_is_killed_has_its_span(spawn: Spawn, collector: Collector) -> None:
    service = serve(spawn, collector)
    with slotd.Client(service.address) as client:
        assert client.submit_and_wait("traces/dies", traceparent=CALLER).state == JOB_STATE_FAILED
    assert collector.one("process traces/dies").error == "PROCESS_DIED"


def test_a_killed_service_goes_on_with_the_trace(spawn: Spawn, collector: Collector, tmp_path: Path) -> None:
    service = serve(spawn, collector, store=f"sqlite:///{tmp_path / 'x.db'}")
    with slotd.Client(service.address) as client:
        job = client.submit("traces/until", str(tmp_path / "file"), traceparent=CALLER)
        reach(client, job, JOB_STATE_RUNNING)
    service.stop(signal.SIGKILL)
    (tmp_path / "file").touch()
    service.start()
    with slotd.Client(service.address) as client:
        job = client.wait(job)
    assert job.state == JOB_STATE_SUCCEEDED
    # The first attempt's span is lost with the service.
    attempt = collector.one("process traces/until")
    assert (attempt.trace, attempt.parent) == (TRACE, SPAN)
    assert decoded(job).split("-")[1:3] == [TRACE, attempt.id]


def test_a_service_that_is_stopped_sends_what_is_left(spawn: Spawn, collector: Collector) -> None:
    collector.environment["OTEL_BSP_SCHEDULE_DELAY"] = "60000"
    service = serve(spawn, collector)
    with slotd.Client(service.address) as client:
        client.submit_and_wait("traces/span", traceparent=CALLER)
    assert not collector.seen
    service.stop()
    assert service.process.returncode == 0
    assert collector.one("process traces/span").parent == SPAN


def test_a_collector_that_does_not_answer_holds_nobody_up_for_long() -> None:
    with collecting(deaf=True) as collector:
        done = subprocess.run(
            [sys.executable, "-c", _BRIEF, "0.2"],
            env=os.environ | collector.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        # The SDK alone would wait for ten seconds.
        assert float(done.stdout) < 5
    assert collector.one("last")
    assert "spans were lost" in done.stderr


def test_a_protocol_that_is_none_keeps_the_service_from_starting(collector: Collector) -> None:
    collector.environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "carrier-pigeon"
    command = [sys.executable, "-m", "slotd_server", "--traces=otlp", "--store=sqlite:///:memory:"]
    done = subprocess.run(command, env=os.environ | collector.environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "it is one of http/protobuf, grpc" in done.stderr
