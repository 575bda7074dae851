"""One tracer provider for the process, as OpenTelemetry has it; each test sees its own spans alone."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.service import LocalService, Spawn, Start, spawning, starting
from tests.tracing import handlers  # noqa: F401 - registers them
from tests.tracing.spans import Recorded


@pytest.fixture(scope="package")
def recorder() -> Iterator[Recorded]:
    recorded = Recorded()
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(recorded))
    trace.set_tracer_provider(provider)
    yield recorded
    # From here on the process's spans go nowhere.
    provider.shutdown()


@pytest.fixture
def recorded(recorder: Recorded) -> Recorded:
    recorder.clear()
    return recorder


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start:
        yield start


@pytest.fixture
def service(start: Start, recorded: Recorded) -> LocalService:
    """One that traces, into `recorded`."""
    return start(traces="otlp")


@pytest.fixture
def spawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawn]:
    with spawning(tmp_path_factory.mktemp("service")) as spawn:
        yield spawn
