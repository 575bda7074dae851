"""Handlers that say which trace they are in, for services of this process and for those of others."""

import asyncio
import os
import signal
from pathlib import Path

from opentelemetry import trace

import slotd
from slotd import JobContext, job

tracer = trace.get_tracer("tests")


def current() -> str:
    """The traceparent of the current span; only zeros where there is none."""
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


@job("traces/span")
def span(ctx: JobContext, payload: object) -> list[str]:
    """Makes a span. → what it takes for the attempt's, and what the context says."""
    outside = current()
    with tracer.start_as_current_span("work"):
        return [outside, ctx.traceparent]


@job("traces/async")
async def span_async(ctx: JobContext, payload: object) -> list[str]:
    return [current(), await asyncio.to_thread(current), ctx.traceparent]


@job("traces/process", isolation="process")
def span_process(ctx: JobContext, payload: object) -> list[str]:
    with tracer.start_as_current_span("work"):
        return [current(), ctx.traceparent]


@job("traces/hand-on")
def hand_on(ctx: JobContext, address: str) -> str:
    """Submits a job itself."""
    with slotd.Client(address) as client, tracer.start_as_current_span("work"):
        return client.submit("traces/span").id


@job("traces/second-time", max_attempts=2, initial_backoff=0.02)
def second_time(ctx: JobContext, payload: object) -> str:
    if ctx.attempt == 1:
        raise RuntimeError("not yet")
    return ctx.traceparent


@job("traces/dies", isolation="process", max_attempts=1)
def dies(ctx: JobContext, payload: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@job("traces/until", max_attempts=2, initial_backoff=0)
def until(ctx: JobContext, file: str) -> str:
    """Ends if the file is there when it begins, else never."""
    if not Path(file).exists():
        ctx.wait_cancelled()
    return ctx.traceparent
