"""What a handler does belongs to its attempt, however it runs; and no span is worth a job."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace

import slotd
from slotd import spans, tracing
from slotd.attempts import Attempt, Failed, Outcome, Snoozed, Succeeded
from slotd.codec import encode_value
from slotd.context import JobContext
from slotd.handlers import Handler
from tests.tracing.handlers import current
from tests.tracing.spans import Recorded, parent, said, traceparent

JOB = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Function = Callable[[JobContext, object], Any]


def run(function: Function, job: str = JOB, **more: Any) -> Outcome:
    context = JobContext(
        job_id="job", attempt=1, kind="k", queue="q", labels={}, deadline=None, announce=lambda: None, traceparent=job
    )
    return Attempt(Handler("k", function), context, None, 1 << 20, **more).run()


def result(value: object) -> Succeeded:
    return Succeeded(encode_value(value))


async def awaited(ctx: JobContext, payload: object) -> str:
    await asyncio.sleep(0)
    return current()


async def on_a_thread(ctx: JobContext, payload: object) -> str:
    return await asyncio.to_thread(current)


def called(ctx: JobContext, payload: object) -> str:
    return current()


def told(ctx: JobContext, payload: object) -> str:
    return ctx.traceparent


@pytest.mark.parametrize("function", [called, awaited, on_a_thread, told])
def test_what_a_handler_does_belongs_to_the_attempt(recorded: Recorded, function: Function) -> None:
    outcome = run(function)
    attempt = recorded.one("process k")
    assert parent(attempt) == JOB
    assert outcome == result(traceparent(attempt))


def test_nothing_of_an_attempt_is_left_on_its_thread(recorded: Recorded) -> None:
    run(lambda ctx, _: None)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_an_attempt_of_a_job_without_a_trace_begins_one(recorded: Recorded) -> None:
    outcome = run(told, job="")
    attempt = recorded.one("process k")
    assert parent(attempt) == ""
    assert outcome == result(traceparent(attempt))


def test_an_attempt_that_has_its_span_already_makes_none(recorded: Recorded) -> None:
    assert run(lambda ctx, _: [current(), ctx.traceparent], has_span=True) == result([JOB, JOB])
    assert list(recorded.all()) == []


def snooze(ctx: JobContext, payload: object) -> None:
    raise slotd.Snooze(5)


def stop(ctx: JobContext, payload: object) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("function", "outcome", "attributes"),
    [
        (snooze, Snoozed(5), {"slotd.outcome": "snoozed"}),
        (
            stop,
            Failed("HANDLER_ERROR", "SystemExit: 3"),
            {"slotd.outcome": "failed", "error.type": "HANDLER_ERROR"},
        ),
    ],
)
def test_a_span_tells_how_the_attempt_ended(
    recorded: Recorded, function: Function, outcome: Outcome, attributes: dict[str, object]
) -> None:
    assert run(function) == outcome
    assert said(recorded.one("process k")).items() >= attributes.items()


class Broken(trace.NoOpTracer):
    """Of an SDK that is not what it should be."""

    def __init__(self, span: trace.Span | None) -> None:
        self._span = span

    def start_span(self, *_: Any, **__: Any) -> trace.Span:
        if self._span is None:
            raise RuntimeError("no spans today")
        return self._span


class Endless(trace.NonRecordingSpan):
    """One that can't be ended."""

    def end(self, end_time: int | None = None) -> None:
        raise RuntimeError("no end today")


def test_a_span_that_can_not_begin_costs_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "tracer", Broken(None))
    assert run(told) == result(JOB)


def test_a_span_that_can_not_end_costs_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "tracer", Broken(Endless(trace.INVALID_SPAN_CONTEXT)))
    assert run(lambda ctx, _: 1) == result(1)


class TestWithoutOpenTelemetry:
    """As where it is not installed."""

    @pytest.fixture(autouse=True)
    def without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tracing, "_importable", lambda: None)

    def test_the_handler_has_the_trace_of_the_job(self, recorded: Recorded) -> None:
        assert run(told) == result(JOB)
        assert run(told, has_span=True) == result(JOB)
        assert list(recorded.all()) == []

    def test_calls_carry_what_they_are_given(self) -> None:
        assert tracing.outgoing((("tenant", "x"),)) == (("tenant", "x"),)
        assert tracing.outgoing((("tenant", "x"),), JOB) == (("tenant", "x"), ("traceparent", JOB))
