"""Handlers that misbehave: each ends its own attempt, frees its one slot, and nothing else is the worse for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import slotd
from slotd.v1 import (
    JOB_STATE_CANCELLED,
    JOB_STATE_FAILED,
    JOB_STATE_RUNNING,
    JOB_STATE_SUCCEEDED,
    JobSpec,
    Payload,
)
from tests.faults.conftest import Serve
from tests.faults.history import reason
from tests.faults.process import HANDLERS, ServerProcess
from tests.service import reach

_OUTPUT_KEPT = 16 << 20

# Named here and not asked of the handlers, whose module this process must not import: kinds are registered once.
_UNENCODABLE = ("generator", "lone surrogate", "nested", "not a number", "object", "set", "too large", "treacherous")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One service for all tests of this file that leave it as it was."""
    folder = tmp_path_factory.mktemp("handlers")
    server = ServerProcess(folder / "log")
    server.begin(HANDLERS, store=f"sqlite:///{folder / 'jobs.db'}", slots=2, report_interval=0.005, cancel_grace=0.05)
    yield server
    server.close()


@pytest.fixture
def client(server: ServerProcess) -> slotd.Client:
    return server.connect().client


def _all_is_well(client: slotd.Client) -> None:
    """Both slots are free, and work."""
    jobs = client.submit_batch(slotd.spec("echo", number) for number in range(4))
    assert [client.wait(job).result.data for job in jobs] == [b"0", b"1", b"2", b"3"]
    slots = client.list_slots()
    assert (slots.free, slots.running, slots.zombie) == (2, 0, 0)


@pytest.mark.parametrize(
    "kind", ["exits", "interrupts", "closes", "exits-later", "recurses", "unspeakable", "snoozes-badly"]
)
def test_whatever_is_raised_ends_the_attempt_alone(client: slotd.Client, kind: str) -> None:
    job = client.submit_and_wait(kind)
    assert job.state == JOB_STATE_FAILED
    assert reason(job) == "HANDLER_ERROR"
    _all_is_well(client)


@pytest.mark.parametrize("what", _UNENCODABLE)
def test_a_result_that_cannot_be_written_fails_the_job_for_good(client: slotd.Client, what: str) -> None:
    job = client.submit_and_wait("unencodable", what)
    assert job.state == JOB_STATE_FAILED
    assert reason(job) == ("RESULT_TOO_LARGE" if what == "too large" else "RESULT_INVALID")
    assert job.attempt == 1
    _all_is_well(client)


@pytest.mark.parametrize("data", [b"{", b"\xff", b"NaN", b"[" * 100_000], ids=["cut off", "no text", "NaN", "deep"])
def test_a_malformed_payload_fails_the_job_for_good(client: slotd.Client, data: bytes) -> None:
    job = client.submit_and_wait(JobSpec(kind="echo", payload=Payload(content_type="application/json", data=data)))
    assert job.state == JOB_STATE_FAILED
    assert reason(job) == "PAYLOAD_INVALID"
    assert job.attempt == 1
    _all_is_well(client)


def test_a_flood_of_output_is_cut_and_memory_stays_flat(serve: Serve) -> None:
    server = serve(report_interval=0.005)
    client = server.connect().client
    client.submit_and_wait("floods", [100, 1000])
    before = server.peak_memory()
    job = client.submit_and_wait("floods", [1600, 64 << 10])
    assert job.state == JOB_STATE_SUCCEEDED
    assert job.result.data == str(100 << 20).encode()
    assert (job.output_size, job.output_truncated) == (_OUTPUT_KEPT, True)
    assert server.peak_memory() - before < 64 << 20
    assert sum(len(piece) for piece in client.read_output(job)) == _OUTPUT_KEPT


def test_one_that_ignores_its_end_is_a_zombie_and_cannot_hold_up_the_service(serve: Serve) -> None:
    server = serve(slots=2, cancel_grace=0.05, drain_timeout=0.2)
    client = server.connect().client
    job = client.submit("deaf")
    reach(client, job, JOB_STATE_RUNNING)
    assert client.cancel(job).cancel_requested
    assert client.wait(job).state == JOB_STATE_CANCELLED
    slots = client.list_slots()
    assert (slots.free, slots.running, slots.zombie) == (1, 0, 1)
    assert client.submit_and_wait("echo", 1).state == JOB_STATE_SUCCEEDED
    assert server.terminate() == 0

    client = serve(slots=2).connect().client
    assert client.get(job).state == JOB_STATE_CANCELLED
    assert client.list_slots().free == 2


def test_a_zombie_of_a_dead_server_does_not_block_its_job(serve: Serve) -> None:
    server = serve()
    client = server.connect().client
    job = client.submit("deaf", timeout=0.05, max_attempts=2)
    with client.stream(job_ids=job) as events:
        blocked = next(event.job for event in events if event.job.blocked_by)
    assert list(blocked.blocked_by) == ["attempts/1"]
    server.kill()

    client = serve().connect().client
    ended = client.wait(job)
    assert ended.state == JOB_STATE_FAILED
    assert reason(ended) == "TIMEOUT"
    assert ended.attempt == 2


def test_a_module_that_cannot_be_loaded_is_a_clear_error(tmp_path: Path, serve: Serve) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_this_name\n")
    server = ServerProcess(tmp_path / "log")
    try:
        server.begin(str(broken), store=f"sqlite:///{tmp_path / 'jobs.db'}")
        assert not server.listening()
        assert server.wait() == 1
        said = server.log.read_text()
        assert "nothing_of_this_name" in said
        assert "Traceback" not in said
    finally:
        server.close()
