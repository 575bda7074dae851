"""Spans of what happens to jobs in the service itself: that they wait. Attempts are spans of whoever runs them. Needs
OpenTelemetry's API; it is imported only where the settings ask for traces."""

from opentelemetry.trace import SpanKind

from slotd import spans
from slotd.tracing import Subject
from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.domain.job import Job
from slotd_server.lifecycle import Committed

_NANOSECONDS = 1_000
"""In a microsecond."""


class Waits:
    """An observer. Each wait of a job that is in a trace becomes a span, when it is over."""

    def committed(self, committed: Committed) -> None:
        """As of Observer."""
        for job in committed.started:
            if job.traceparent:
                _waited(job)

    def not_taken(self, error: ServiceError | StoreBroken) -> None:
        """As of Observer."""


def _waited(job: Job) -> None:
    assert job.start_time is not None
    subject = Subject(job.traceparent, job.id, job.spec.kind, job.spec.queue, job.attempt)
    span = spans.tracer.start_span(
        f"wait {job.spec.kind}",
        spans.parent(job.traceparent),
        SpanKind.INTERNAL,
        attributes=spans.attributes(subject),
        # A clock may have been set back meanwhile.
        start_time=min(job.could_start, job.start_time) * _NANOSECONDS,
    )
    span.end(job.start_time * _NANOSECONDS)
