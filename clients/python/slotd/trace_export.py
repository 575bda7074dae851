"""Where a process's spans go: off by OTLP, as the standard OTEL_* environment variables say. Needs `slotd[traces]`."""

from __future__ import annotations

import logging
import os
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

log = logging.getLogger("slotd.tracing")

_EXPORTERS = {
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    # A package of its own, which `slotd[traces]` does not have.
    "grpc": "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
}

_started = False


def started() -> bool:
    """Whether `start` was called: then the processes that this one starts send their spans off too."""
    return _started


def start() -> None:
    """Send this process's spans off, in batches, from a thread of its own. What can't be sent is logged and dropped.

    A tracer provider that is there already stays: `opentelemetry-instrument`'s, say, or that of a module of handlers.
    Raises ImportError where the packages for it are not installed, ValueError for variables that can't be.
    """
    global _started
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _started = True
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    exporter = _exporter()
    # At the process's end it is `shutdown` that sees to what is left: an exit handler might wait for half a minute.
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def shutdown(seconds: float) -> None:
    """Send off what is left of this process's spans, whoever set its tracer provider, for so many seconds at most."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return
    from opentelemetry import trace

    stop = getattr(trace.get_tracer_provider(), "shutdown", None)
    if stop is None:
        return
    # The SDK's own limits don't hold while a collector takes its time.
    thread = threading.Thread(target=stop, name="slotd-traces", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.warning("spans were lost: they could not be sent off within %g s", seconds)


def _exporter() -> SpanExporter:
    protocol = (
        os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
        or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
        or "http/protobuf"
    )
    if protocol not in _EXPORTERS:
        raise ValueError(f"the OTLP protocol is {protocol!r}; it is one of {', '.join(_EXPORTERS)}")
    exporter: SpanExporter = import_module(_EXPORTERS[protocol]).OTLPSpanExporter()
    return exporter


def _resource() -> Resource:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "slotd"}))
    return resource
