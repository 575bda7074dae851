"""Payloads and results as large as settings allow, on every way that they go: no message is too large."""

from collections.abc import Iterator

import pytest

import slotd
from slotd import JobContext, spec, v1
from slotd_server.settings import MOST_PAYLOAD
from tests.rpc.raw_worker import connected, hello
from tests.service import Endpoint, Start, starting
from tests.worker.fake import Hired

MIB = 1 << 20
LARGE = bytes(MOST_PAYLOAD)


@pytest.fixture
def at(start: Start) -> Endpoint:
    return start(slots=0, unknown_kinds="wait", max_payload=MOST_PAYLOAD).at


@pytest.fixture
def worker(at: Endpoint) -> Iterator[Hired]:
    hired = Hired(at.address, {"mirror": mirror, "measure": measure})
    assert hired.worker.wait_connected(20)
    yield hired
    hired.worker.stop(0)
    hired.end()


def mirror(ctx: JobContext, data: bytes) -> bytes:
    ctx.write(bytes(MIB))
    return data


def measure(ctx: JobContext, payload: object) -> list[int]:
    return [len(result) for result in ctx.results.values()]


@pytest.mark.usefixtures("worker")
def test_they_come_to_a_worker_and_back_and_to_whoever_asks(at: Endpoint) -> None:
    # In the snapshot this one comes first, and just leaves room for another in its message.
    at.client.submit("waits", bytes(MIB - 1000))
    job = at.client.submit_and_wait("mirror", LARGE, wait_timeout=60)
    assert (job.state, job.spec.payload.data, job.result.data) == (v1.JOB_STATE_SUCCEEDED, LARGE, LARGE)
    assert at.client.get(job) == job
    with at.client.stream(view=v1.JOB_VIEW_FULL) as stream:
        first = next(iter(stream.messages()))
    assert [event.job.result.data for event in first.events] == [b"", LARGE]
    dependent = at.client.submit_and_wait("measure", depends_on=job, wait_timeout=60)
    assert slotd.decode(dependent.result) == [MOST_PAYLOAD]


def test_a_worker_may_say_as_much_beside_one_as_it_ever_does(at: Endpoint) -> None:
    with connected(at, hello(slots=5)) as wire:
        jobs = at.client.submit_batch([spec("far")] * 5)
        *others, last = wire.assigned(5)
        result = v1.Payload(content_type="application/octet-stream", data=LARGE)
        finish = v1.Finish(lease=last.lease, succeeded=v1.Succeeded(result=result), output=bytes(MIB))
        reports = [v1.Report(lease=one.lease, output=bytes(MIB)) for one in others]
        wire.say(v1.WorkRequest(reports=reports, finishes=[finish]))
        assert wire.hear(lambda heard: heard.settled).settled == [last.lease]
        (job,) = (job for job in jobs if job.id == last.job.id)
        assert at.client.get(job).result == result


def test_they_go_over_http_as_text() -> None:
    with starting(codec="json") as start:
        client = start(slots=0, max_payload=MOST_PAYLOAD).at.client
        job = client.submit("reverse", LARGE)
        assert client.get(job).spec.payload.data == LARGE


def test_one_byte_more_is_refused_by_what_is_wrong_with_it(at: Endpoint) -> None:
    with pytest.raises(slotd.ResourceExhausted, match="12582912"):
        at.client.submit("waits", LARGE + b"!")
