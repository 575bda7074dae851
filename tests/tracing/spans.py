"""Spans that were recorded, and what one asks of them."""

from collections.abc import Iterator, Sequence
from queue import SimpleQueue

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

PATIENCE = 10
"""Seconds after which a span that does not come is missing."""


class Recorded(SpanExporter):
    """Those that have ended, in memory: they can be waited for."""

    def __init__(self) -> None:
        self._new: SimpleQueue[ReadableSpan] = SimpleQueue()
        self.seen: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As of SpanExporter."""
        for span in spans:
            self._new.put(span)
        return SpanExportResult.SUCCESS

    def clear(self) -> None:
        """Forgets all."""
        while not self._new.empty():
            self._new.get()
        self.seen.clear()

    def named(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """So many of this name, in the order in which they ended; waits for them."""
        while len(found := [span for span in self.seen if span.name == name]) < count:
            self.seen.append(self._new.get(timeout=PATIENCE))
        return found

    def one(self, name: str) -> ReadableSpan:
        """The only one of this name."""
        (found,) = self.named(name)
        return found

    def all(self) -> Iterator[ReadableSpan]:
        """Those that have ended so far."""
        while not self._new.empty():
            self.seen.append(self._new.get())
        yield from self.seen


def traceparent(span: ReadableSpan) -> str:
    """A span, as others are told of it."""
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def parent(span: ReadableSpan) -> str:
    """Its parent, likewise; empty for one that begins a trace."""
    if span.parent is None:
        return ""
    return f"00-{span.parent.trace_id:032x}-{span.parent.span_id:016x}-{span.parent.trace_flags:02x}"


def said(span: ReadableSpan) -> dict[str, object]:
    """Its attributes."""
    return dict(span.attributes or {})
