"""`/metrics` of a real service: what its callers did is there, whichever way they came."""

from collections.abc import Iterator
from urllib.request import urlopen

import grpc
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

import slotd
from slotd.v1 import GetRequest, StreamRequest
from slotd_server.instruments import Instruments
from tests.service import LocalService, Start, starting
from tests.web.channel import HttpChannel

DOCUMENTED = frozenset(
    {
        *("slotd_jobs_submitted", "slotd_jobs_ended", "slotd_attempts_ended"),
        *("slotd_submit_seconds", "slotd_wait_seconds", "slotd_run_seconds", "slotd_end_to_end_seconds"),
        *("slotd_commit_commands", "slotd_commit_seconds", "slotd_commit_sync_seconds", "slotd_store_errors"),
        *("slotd_rpc", "slotd_rpc_seconds", "slotd_streams", "slotd_stream_lag_events"),
        *("slotd_slots", "slotd_workers", "slotd_jobs", "slotd_store_up", "slotd_build_info"),
    }
)


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start:
        yield start


def page(service: LocalService) -> dict[str, Metric]:
    """The families of metrics, by name."""
    with urlopen(f"{service.url}/metrics", timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_calls_are_counted_whichever_way_they_come(start: Start) -> None:
    service = start(http="127.0.0.1:0")
    client = service.at.client
    client.submit_and_wait("add", [1, 2])
    with pytest.raises(grpc.RpcError):
        service.at.jobs.Get(GetRequest(id="not an id"))
    with HttpChannel(service.url, "json") as channel, slotd.Client(service.at.address, channel=channel) as other:
        other.get(client.submit("idle"))
        with pytest.raises(slotd.NotFound):
            other.get("01890000-0000-7000-8000-000000000000")
    families = page(service)
    calls = {
        ("grpc", "Submit", "OK"): 2,
        ("grpc", "Get", "INVALID_ARGUMENT"): 1,
        ("http", "Get", "OK"): 1,
        ("http", "Get", "NOT_FOUND"): 1,
    }
    for (transport, method, code), number in calls.items():
        labels = {"service": "JobService", "method": method, "code": code, "transport": transport}
        assert value(families, "slotd_rpc_total", **labels) == number, labels
    assert value(families, "slotd_rpc_seconds_count", method="Get") == 3
    assert value(families, "slotd_submit_seconds_count", queue="default", kind="add") == 1


def test_the_page_has_what_is_documented_and_nothing_else(start: Start) -> None:
    service = start(http="127.0.0.1:0")
    found = {name for name in page(service) if name.startswith("slotd_")}
    assert found == DOCUMENTED


def test_open_streams_are_shown(start: Start) -> None:
    service = start(http="127.0.0.1:0")
    stream = service.at.jobs.Stream(StreamRequest())
    assert next(stream).synced
    assert value(page(service), "slotd_streams") == 1
    stream.cancel()


def test_servers_on_one_store_count_each_job_once(database: str) -> None:
    with starting(database) as start:
        runs, asked = start(http="127.0.0.1:0"), start(http="127.0.0.1:0", slots=0)
        jobs = asked.at.client.submit_batch([slotd.spec("idle") for _ in range(5)])
        for job in jobs:
            asked.at.client.wait(job)
        pages = [page(service) for service in (runs, asked)]
    counted = ("slotd_jobs_submitted_total", "slotd_jobs_ended_total", "slotd_end_to_end_seconds_count")
    for name in (*counted, "slotd_wait_seconds_count"):
        assert sum(value(families, name) for families in pages) == 5, name
    assert [value(families, "slotd_jobs_submitted_total") for families in pages] == [0, 5]


def test_where_nobody_can_read_it_nothing_is_counted() -> None:
    instruments = Instruments(metrics=False, traces=False)
    servicers = (object(), object(), object(), object())
    assert instruments.on("grpc", *servicers) == servicers
    assert instruments.submitted is None
    assert instruments.observers._observers == ()
