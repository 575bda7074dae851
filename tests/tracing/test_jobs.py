"""A trace goes on through a job: from who submits it, over its waits and attempts, to what its handler does."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import slotd
from slotd.v1 import JOB_STATE_SUCCEEDED
from tests.service import LocalService, Start
from tests.tracing.handlers import tracer
from tests.tracing.spans import PATIENCE, Recorded, parent, said, traceparent

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@contextmanager
def running(worker: slotd.Worker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert worker.wait_connected(PATIENCE)
    try:
        yield
    finally:
        worker.stop(0)
        thread.join(PATIENCE)


def test_a_trace_leads_from_the_caller_to_the_job_that_the_handler_submits(
    service: LocalService, recorded: Recorded
) -> None:
    client = service.at.client
    with tracer.start_as_current_span("caller"):
        first = client.submit("traces/hand-on", service.at.address)
    first = client.wait(first)
    second = client.wait(str(slotd.decode(first.result)))

    caller = traceparent(recorded.one("caller"))
    assert first.traceparent == caller
    wait, attempt = recorded.one("wait traces/hand-on"), recorded.one("process traces/hand-on")
    assert parent(wait) == parent(attempt) == caller
    again = recorded.one("process traces/span")
    # Which of the two handlers' own spans ended first nobody knows.
    own = {parent(span): traceparent(span) for span in recorded.named("work", 2)}
    assert own.keys() == {traceparent(attempt), traceparent(again)}
    assert parent(again) == second.traceparent == own[traceparent(attempt)]
    submits = recorded.named("slotd.v1.JobService/Submit", 2)
    assert {parent(span) for span in submits} == {caller, second.traceparent}


def test_spans_of_a_job_say_what_they_are_about(service: LocalService, recorded: Recorded) -> None:
    job = service.at.client.submit_and_wait("traces/span", queue="q", traceparent=CALLER)
    about = {
        "messaging.system": "slotd",
        "messaging.destination.name": "traces/span",
        "messaging.message.id": job.id,
        "slotd.job_id": job.id,
        "slotd.kind": "traces/span",
        "slotd.queue": "q",
        "slotd.attempt": 1,
    }
    attempt, wait = recorded.one("process traces/span"), recorded.one("wait traces/span")
    operation = {"messaging.operation.name": "process", "messaging.operation.type": "process"}
    assert said(attempt) == about | operation | {"slotd.outcome": "succeeded"}
    assert attempt.kind is SpanKind.CONSUMER
    assert said(wait) == about
    assert (wait.start_time, wait.end_time) == (job.create_time.ToNanoseconds(), job.start_time.ToNanoseconds())


def test_a_wait_begins_when_a_job_is_due(service: LocalService, recorded: Recorded) -> None:
    service.at.client.get_stats()
    # Connected, so that the job is there before it is due.
    due = datetime.now(UTC) + timedelta(seconds=2)
    job = service.at.client.submit_and_wait("traces/span", schedule_time=due, traceparent=CALLER)
    assert job.create_time.ToNanoseconds() < job.schedule_time.ToNanoseconds()
    assert recorded.one("wait traces/span").start_time == job.schedule_time.ToNanoseconds()


def test_retries_hang_on_the_same_trace(service: LocalService, recorded: Recorded) -> None:
    job = service.at.client.submit_and_wait("traces/second-time", traceparent=CALLER)
    assert job.state == JOB_STATE_SUCCEEDED
    waits = recorded.named("wait traces/second-time", 2)
    attempts = recorded.named("process traces/second-time", 2)
    assert {parent(span) for span in (*waits, *attempts)} == {CALLER}
    assert [said(span)["slotd.attempt"] for span in attempts] == [1, 2]
    # What lies between is the backoff.
    assert waits[1].start_time == job.schedule_time.ToNanoseconds() > job.attempts[0].end_time.ToNanoseconds()
    assert said(attempts[0])["error.type"] == "HANDLER_ERROR"
    assert (attempts[0].status.status_code, attempts[0].status.description) == (
        StatusCode.ERROR,
        "RuntimeError: not yet",
    )
    assert attempts[1].status.status_code is StatusCode.UNSET


def test_a_job_without_a_trace_gets_one_where_the_service_records(service: LocalService, recorded: Recorded) -> None:
    job = service.at.client.submit_and_wait("traces/second-time")
    submit = recorded.one("slotd.v1.JobService/Submit")
    assert parent(submit) == ""
    assert job.traceparent == traceparent(submit)
    assert {parent(span) for span in recorded.named("process traces/second-time", 2)} == {job.traceparent}


def test_jobs_of_a_batch_are_all_in_its_trace(service: LocalService) -> None:
    batch = [slotd.spec("traces/span"), slotd.spec("traces/span")]
    assert [job.traceparent for job in service.at.client.submit_batch(batch, traceparent=CALLER)] == [CALLER] * 2


def test_a_call_is_a_span_with_its_status(service: LocalService, recorded: Recorded) -> None:
    with tracer.start_as_current_span("caller"), pytest.raises(slotd.NotFound):
        service.at.client.get("0193f0c0-0000-7000-8000-000000000000")
    call = recorded.one("slotd.v1.JobService/Get")
    assert parent(call) == traceparent(recorded.one("caller"))
    assert call.kind is SpanKind.SERVER
    assert said(call) == {
        "rpc.system.name": "grpc",
        "rpc.method": "slotd.v1.JobService/Get",
        "rpc.response.status_code": "NOT_FOUND",
    }
    # It is the caller's mistake.
    assert call.status.status_code is StatusCode.UNSET


def test_a_stream_is_a_span_in_its_callers_trace_alone(service: LocalService, recorded: Recorded) -> None:
    client = service.at.client
    job = client.submit_and_wait("traces/span")
    assert list(client.stream(job_ids=job))
    with tracer.start_as_current_span("caller"):
        assert list(client.stream(job_ids=job))
    stream = recorded.one("slotd.v1.JobService/Stream")
    assert parent(stream) == traceparent(recorded.one("caller"))
    assert said(stream)["rpc.response.status_code"] == "OK"


def test_what_the_caller_does_not_record_is_recorded_nowhere(service: LocalService, recorded: Recorded) -> None:
    unsampled = CALLER[:-2] + "00"
    job = service.at.client.submit_and_wait("traces/span", traceparent=unsampled)
    told: Any = slotd.decode(job.result)
    outside, context = told
    # It still goes on, so that nobody further on records it either.
    assert outside == context
    assert (context[:35], context[-2:]) == (CALLER[:35], "00")
    assert [span.name for span in recorded.all() if span.parent is not None] == []


def test_a_service_that_does_not_trace_hands_the_trace_on(start: Start, recorded: Recorded) -> None:
    service = start()
    job = service.at.client.submit_and_wait("traces/span", traceparent=CALLER)
    assert job.traceparent == CALLER
    # Its handlers may still record: the attempt is theirs.
    assert {span.name for span in recorded.all()} == {"work", "process traces/span"}


def test_what_is_no_traceparent_is_ignored(start: Start) -> None:
    service = start()
    job = service.at.client.submit_and_wait("traces/span", traceparent="00-0-0-01")
    assert (job.state, job.traceparent) == (JOB_STATE_SUCCEEDED, "")


def test_a_worker_of_ours_goes_on_from_the_job(service: LocalService, recorded: Recorded) -> None:
    kinds = {"traces/afar": slotd.handlers.Handler("traces/afar", lambda ctx, payload: ctx.traceparent)}
    worker = slotd.Worker(service.at.address, kinds, slots=1)
    with running(worker):
        job = service.at.client.submit_and_wait("traces/afar", traceparent=CALLER)
    attempt = recorded.one("process traces/afar")
    assert parent(attempt) == parent(recorded.one("wait traces/afar")) == CALLER
    assert slotd.decode(job.result) == traceparent(attempt)


@pytest.mark.parametrize("where", ["service", "worker"])
def test_a_command_finds_its_attempt_in_its_environment(start: Start, recorded: Recorded, where: str) -> None:
    service = start(commands=("printenv",)) if where == "service" else start()
    with ExitStack() as stack:
        if where == "worker":
            stack.enter_context(running(slotd.Worker(service.at.address, {}, slots=1, commands=["printenv"])))
        client = service.at.client
        job = client.submit_and_wait("command", {"argv": ["printenv", "TRACEPARENT"]}, traceparent=CALLER)
        output = b"".join(client.read_output(job)).decode().strip()
    attempt = recorded.one("process command")
    assert (output, parent(attempt)) == (traceparent(attempt), CALLER)
