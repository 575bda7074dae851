"""A servicer of which calls are spans: for whichever transport calls it. Needs OpenTelemetry's API; it is imported only
where the settings ask for traces."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, NamedTuple

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from opentelemetry.trace import Span, SpanKind, StatusCode

from slotd import spans
from slotd.tracing import TRACEPARENT
from slotd_server.rpc import errors
from slotd_server.rpc.calls import Call, Streaming, Unary, traceparent

_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""The status codes that the semantic conventions for gRPC count as errors of a server."""


class Traced:
    """The methods that `servicer` has of those of `service`.

    A unary call that comes without a trace begins one, to which the jobs belong that it submits; the sampler says
    whether it is recorded. Streams last as long as one likes: they are spans only in their callers' traces.
    """

    def __init__(self, service: ServiceDescriptor, servicer: object) -> None:
        for method in service.methods:
            function = getattr(servicer, method.name, None)
            if function is not None:
                streams = method.client_streaming or method.server_streaming
                wrap: Any = _streaming if streams else _unary
                setattr(self, method.name, wrap(function, method))


class _Begun(NamedTuple):
    """As Call, of one that came without a trace: it has that of its span."""

    call: Call
    traceparent: str

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]]:
        return ((TRACEPARENT, self.traceparent), *(self.call.invocation_metadata() or ()))


def _unary(function: Unary, method: MethodDescriptor) -> Unary:
    async def call(request: Any, context: Call) -> Message | bytes:
        came_with = traceparent(context)
        with _span(method, came_with) as span:
            ours = "" if came_with else spans.traceparent_of(span)
            return await function(request, _Begun(context, ours) if ours else context)

    return call


def _streaming(function: Streaming, method: MethodDescriptor) -> Streaming:
    async def in_span(request: Any, context: Call, came_with: str) -> AsyncIterator[Message | bytes]:
        with _span(method, came_with):
            async with aclosing(function(request, context)) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    yield answer

    def call(request: Any, context: Call) -> AsyncIterator[Message | bytes]:
        came_with = traceparent(context)
        return in_span(request, context, came_with) if came_with else function(request, context)

    return call


@contextmanager
def _span(method: MethodDescriptor, came_with: str) -> Iterator[Span]:
    name = f"{method.containing_service.full_name}/{method.name}"
    attributes = {"rpc.system.name": "grpc", "rpc.method": name}
    span = spans.tracer.start_span(name, spans.parent(came_with), SpanKind.SERVER, attributes=attributes)
    code = "OK"
    try:
        yield span
    except BaseException as error:
        code = errors.code(error)
        raise
    finally:
        _end(span, code)


def _end(span: Span, code: str) -> None:
    span.set_attribute("rpc.response.status_code", code)
    if code in _FAULTS:
        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)
    span.end()
