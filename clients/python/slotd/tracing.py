"""Traces through jobs, as W3C Trace Context has them: the trace of who submits a job goes on in who runs it.

Nothing here needs OpenTelemetry. Without it a `traceparent` is handed on as it came. With it (`slotd[traces]`) calls
carry the span that they are made in, and attempts are spans, of which handlers' own are children; `slotd.spans` makes
them.
"""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from slotd.attempts import Outcome

log = logging.getLogger("slotd.tracing")

TRACEPARENT: Final = "traceparent"
"""The name of the field in a call's metadata."""

_FIELDS = (TRACEPARENT, "tracestate")

Fields = tuple[tuple[str, str | bytes], ...]


class Subject(NamedTuple):
    """The attempt that a span is about. `traceparent` is its job's; empty where it has none."""

    traceparent: str
    job_id: str
    kind: str
    queue: str
    attempt: int


class Span(Protocol):
    """An attempt in its trace. Nothing here raises."""

    traceparent: str
    """For what belongs to the attempt: its own span where there is one, else the job's, which may be none."""

    def current(self) -> AbstractContextManager[object]:
        """Within it, what this thread or task does belongs to the attempt."""

    def end(self, outcome: Outcome) -> None:
        """The attempt is over."""


class Unrecorded:
    """As Span, of an attempt that has none: it only hands on what came."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def current(self) -> AbstractContextManager[object]:
        """As of Span."""
        return nullcontext()

    def end(self, outcome: Outcome) -> None:
        """As of Span."""


def outgoing(metadata: Fields, traceparent: str = "") -> Fields:
    """What to send along with a call: `metadata`, and a trace. That is `traceparent` where one is given, else what
    `metadata` says, else the current span."""
    if traceparent:
        return (*(field for field in metadata if field[0] not in _FIELDS), (TRACEPARENT, traceparent))
    spans = None if any(name == TRACEPARENT for name, _ in metadata) else _loaded()
    return metadata if spans is None else (*metadata, *spans.fields())


def begin(subject: Subject) -> Span:
    """A span for an attempt that begins."""
    spans = _importable() if subject.traceparent else _loaded()
    if spans is not None:
        try:
            span: Span = spans.AttemptSpan(subject)
            return span
        except Exception:
            # Whatever samplers and processors do: it is the trace that is lost, not the job.
            log.warning("no span for an attempt at job %s", subject.job_id, exc_info=True)
    return Unrecorded(subject.traceparent)


def join(traceparent: str) -> Span:
    """For an attempt whose span, `traceparent`, is kept by another process."""
    spans = _importable() if traceparent else None
    if spans is None:
        return Unrecorded(traceparent)
    span: Span = spans.JoinedSpan(traceparent)
    return span


def _loaded() -> ModuleType | None:
    """`slotd.spans`, where this process uses OpenTelemetry: nobody else is in a span, and nobody else pays for it."""
    return _importable() if "opentelemetry.trace" in sys.modules else None


@cache
def _importable() -> ModuleType | None:
    """`slotd.spans`, where OpenTelemetry is installed."""
    try:
        from slotd import spans
    except ImportError:
        return None
    return spans
