"""Spans of attempts, by OpenTelemetry's API, which this needs. Where they go, if anywhere, is up to the process's
tracer provider: without one they record nothing, and still hand on the trace.

Names and attributes are those of the semantic conventions for messaging, with a job's kind as the destination: that is
what handlers stand for. The others begin with `slotd.`.
"""

import logging
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from slotd.attempts import Failed, Outcome, Snoozed, Succeeded
from slotd.tracing import TRACEPARENT, Subject

tracer = trace.get_tracer("slotd")
"""slotd's own. It goes by the process's provider, also where that is set later."""

log = logging.getLogger("slotd.tracing")

_propagator = TraceContextTextMapPropagator()


def fields() -> tuple[tuple[str, str], ...]:
    """The current span, as metadata of a call; nothing where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return tuple(carrier.items())


def parent(traceparent: str) -> Context:
    """The context of a span elsewhere; an empty one, which begins a new trace, for what is not a `traceparent`."""
    return _propagator.extract({TRACEPARENT: traceparent}, Context())


def traceparent_of(span: trace.Span) -> str:
    """A span, as others are told of it; empty for one that is in no trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span, Context()))
    return carrier.get(TRACEPARENT, "")


def attributes(subject: Subject) -> dict[str, AttributeValue]:
    """What spans say of the attempt that they are about."""
    return {
        "messaging.system": "slotd",
        "messaging.destination.name": subject.kind,
        "messaging.message.id": subject.job_id,
        "slotd.job_id": subject.job_id,
        "slotd.kind": subject.kind,
        "slotd.queue": subject.queue,
        "slotd.attempt": subject.attempt,
    }


class AttemptSpan:
    """As slotd.tracing.Span: from now until its `end`."""

    def __init__(self, subject: Subject) -> None:
        operation = {"messaging.operation.name": "process", "messaging.operation.type": "process"}
        self._span = tracer.start_span(
            f"process {subject.kind}",
            parent(subject.traceparent),
            SpanKind.CONSUMER,
            attributes=attributes(subject) | operation,
        )
        self.traceparent = traceparent_of(self._span)

    def current(self) -> AbstractContextManager[object]:
        """As of Span."""
        return _current(self._span)

    def end(self, outcome: Outcome) -> None:
        """As of Span."""
        try:
            self._end(outcome)
        except Exception:
            # Whatever processors and exporters do, the attempt has ended as it has.
            log.warning("the span %s was not ended", self.traceparent, exc_info=True)

    def _end(self, outcome: Outcome) -> None:
        match outcome:
            case Succeeded():
                self._span.set_attribute("slotd.outcome", "succeeded")
            case Failed(reason, message):
                self._span.set_attributes({"slotd.outcome": "failed", "error.type": reason})
                self._span.set_status(StatusCode.ERROR, message)
            case Snoozed():
                self._span.set_attribute("slotd.outcome", "snoozed")
        self._span.end()


class JoinedSpan:
    """As slotd.tracing.Span, of an attempt whose span another process has made, and ends."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def current(self) -> AbstractContextManager[object]:
        """As of Span."""
        return _current(trace.get_current_span(parent(self.traceparent)))

    def end(self, outcome: Outcome) -> None:
        """As of Span."""


def _current(span: trace.Span) -> AbstractContextManager[object]:
    # What a handler raises is told by its outcome.
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)
