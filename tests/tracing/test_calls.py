"""What trace a client's calls say that they belong to."""

import asyncio
import subprocess
import sys

import grpc

import slotd
from slotd import aio, tracing
from tests.service import Start
from tests.tracing.handlers import current, tracer
from tests.tracing.spans import Recorded

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"

_WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from slotd import attempts, handlers, tracing
from slotd.context import JobContext

context = JobContext(
    job_id="j", attempt=1, kind="k", queue="q", labels={}, deadline=None, announce=int, traceparent=sys.argv[1]
)
handler = handlers.Handler("k", lambda ctx, payload: ctx.traceparent.encode())
outcome = attempts.Attempt(handler, context, None, 100).run()
assert outcome.result[1].decode() == sys.argv[1], outcome
assert tracing.outgoing((), sys.argv[1]) == (("traceparent", sys.argv[1]),)
"""

_UNUSED = """
import sys
import slotd
from slotd import attempts, client, handlers
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


def test_a_call_carries_the_current_span(recorded: Recorded) -> None:
    assert tracing.outgoing(()) == ()
    with tracer.start_as_current_span("caller"):
        assert tracing.outgoing((("tenant", "x"),)) == (("tenant", "x"), ("traceparent", current()))


def test_what_the_caller_says_goes_over_the_current_span(recorded: Recorded) -> None:
    with tracer.start_as_current_span("caller"):
        own = (("traceparent", ONE), ("tracestate", "a=b"))
        assert tracing.outgoing(own) == own
        assert tracing.outgoing((*own, ("tenant", "x")), OTHER) == (("tenant", "x"), ("traceparent", OTHER))


def test_the_aio_client_carries_it_too(start: Start, recorded: Recorded) -> None:
    address = start().at.address

    async def submit() -> list[str]:
        async with aio.Client(address) as client:
            with tracer.start_as_current_span("caller"):
                mine = await client.submit("traces/span")
                (given,) = await client.submit_batch([slotd.spec("traces/span")], traceparent=ONE)
                return [current(), mine.traceparent, given.traceparent]

    caller, mine, given = asyncio.run(submit())
    assert (mine, given) == (caller, ONE)


class Instrumented(grpc.UnaryUnaryClientInterceptor):
    """Puts a span of its own in the place of another, as OpenTelemetry's instrumentation of gRPC does."""

    def intercept_unary_unary(self, continuation, details, request):  # type: ignore[no-untyped-def]
        metadata = dict(details.metadata or ()) | {"traceparent": OTHER}
        return continuation(details._replace(metadata=tuple(metadata.items())), request)


def test_an_interceptor_has_the_last_word(start: Start, recorded: Recorded) -> None:
    channel = grpc.intercept_channel(start().at.channel, Instrumented())
    with slotd.Client(channel=channel) as client, tracer.start_as_current_span("caller"):
        assert client.submit("traces/span").traceparent == OTHER


def test_a_job_keeps_its_trace_when_it_is_submitted_again(start: Start) -> None:
    client = start().at.client
    first = client.submit("traces/span", request_id="once", traceparent=ONE)
    again = client.submit("traces/span", request_id="once", traceparent=OTHER)
    assert (again.id, again.traceparent) == (first.id, ONE)


def test_without_opentelemetry_a_trace_is_handed_on() -> None:
    subprocess.run([sys.executable, "-c", _WITHOUT, ONE], check=True)


def test_who_does_not_use_opentelemetry_does_not_load_it() -> None:
    subprocess.run([sys.executable, "-c", _UNUSED], check=True)
