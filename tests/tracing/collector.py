"""A collector on loopback: what OTLP exporters send to, over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.tracing.spans import PATIENCE


class Sent(NamedTuple):
    """A span that came, of which service. `parent` is empty where it begins a trace; `error` is its error.type."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    error: str


class Collector:
    """`environment` makes others send to it. One that is `deaf` takes all, but answers only when it is closed."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.seen: list[Sent] = []
        self._new: SimpleQueue[Sent] = SimpleQueue()
        self._closing = threading.Event()
        if not deaf:
            self._closing.set()
        collector = self

        class Requests(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector._take(ExportTraceServiceRequest.FromString(body))
                collector._closing.wait()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_SERVICE_NAME": "tested",
        }

    def named(self, name: str, count: int = 1) -> list[Sent]:
        """So many of this name, in the order in which they came; waits for them."""
        while len(found := [span for span in self.seen if span.name == name]) < count:
            self.seen.append(self._new.get(timeout=PATIENCE))
        return found

    def one(self, name: str) -> Sent:
        """The only one of this name."""
        (found,) = self.named(name)
        return found

    def close(self) -> None:
        """Ends it."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, request: ExportTraceServiceRequest) -> None:
        for of_resource in request.resource_spans:
            resource = {entry.key: entry.value.string_value for entry in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    said = {entry.key: entry.value.string_value for entry in span.attributes}
                    ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                    self._new.put(Sent(resource["service.name"], span.name, *ids, said.get("error.type", "")))


@contextmanager
def collecting(*, deaf: bool = False) -> Iterator[Collector]:
    """A collector, for so long."""
    collector = Collector(deaf=deaf)
    try:
        yield collector
    finally:
        collector.close()
