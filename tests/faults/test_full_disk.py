"""A full disk: writes are refused and say so, reads go on, and with the first free room all is well again."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest
from google.rpc import error_details_pb2

import slotd
from slotd.v1 import JOB_STATE_CANCELLED, JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED, Job
from tests.faults.conftest import Serve
from tests.faults.disks import Ballast, memory, mounted, why_no_mounts
from tests.faults.gates import Gate
from tests.faults.process import ServerProcess
from tests.service import reach

_MEGABYTES = 6
_FILL = b"x" * (64 << 10)
_ATTEMPTS = 400
"""Submits of `_FILL` within which the smallest disk is full."""

_MANY = 60
"""Running jobs, so many that to put all of them back takes more pages."""


class Disk(Protocol):
    """A folder for a store, and how there comes to be no room in it."""

    folder: Path

    def fill(self, server: ServerProcess) -> None: ...

    def free(self, server: ServerProcess) -> None: ...


class LimitedFile:
    """SQLite itself takes no more pages: works everywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, server: ServerProcess) -> None:
        server.signal(signal.SIGUSR1)
        assert server.line() == "full"

    def free(self, server: ServerProcess) -> None:
        server.signal(signal.SIGUSR2)
        assert server.line() == "room"


class SmallDisk:
    """A file system of its own, with a file that takes up all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = Ballast(folder)

    def fill(self, server: ServerProcess) -> None:
        self._ballast.fill()

    def free(self, server: ServerProcess) -> None:
        self._ballast.free()


def _limited_file(folder: Path) -> Iterator[Disk]:
    yield LimitedFile(folder)


def _small_disk(folder: Path) -> Iterator[Disk]:
    with mounted(folder / "disk", *memory(_MEGABYTES)) as disk:
        yield SmallDisk(disk)


MakeDisk: TypeAlias = Callable[[Path], Iterator[Disk]]
# Where nothing may be mounted there is no such test, rather than one that is skipped: the limited file is the same to
# the service.
_DISKS: list[MakeDisk] = [_limited_file, *([] if why_no_mounts() else [_small_disk])]


@pytest.fixture(params=_DISKS, ids=lambda make: make.__name__.strip("_"))
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    make: MakeDisk = request.param
    yield from make(tmp_path)


def _submit_until_full(client: slotd.Client) -> tuple[list[Job], slotd.ResourceExhausted]:
    """The jobs that still went in, and the refusal of the first that did not."""
    jobs = []
    for _ in range(_ATTEMPTS):
        try:
            jobs.append(client.submit("echo", _FILL))
        except slotd.ResourceExhausted as error:
            return jobs, error
    raise AssertionError("the disk has no end")


def _run_many(client: slotd.Client) -> list[Job]:
    jobs = client.submit_batch(slotd.spec("until-cancelled", max_attempts=2) for _ in range(_MANY))
    for job in jobs:
        reach(client, job, JOB_STATE_RUNNING)
    return jobs


def test_writes_are_refused_reads_go_on_and_it_recovers_by_itself(serve: Serve, disk: Disk, tmp_path: Path) -> None:
    store = f"sqlite:///{disk.folder / 'jobs.db'}"
    server = serve(store=store, slots=1)
    client = server.connect().client
    gate = Gate(tmp_path / "gate")
    running = client.submit("large", {"gate": str(gate.path), "size": 300_000})
    reach(client, running, JOB_STATE_RUNNING)
    waiting = client.submit("echo", 1)

    disk.fill(server)
    accepted, error = _submit_until_full(client)
    assert error.reason == "STORE_FULL"
    assert error.retry_after is not None
    quota = error.detail(error_details_pb2.QuotaFailure)
    assert quota is not None
    assert [violation.subject for violation in quota.violations] == ["store"]

    gate.open()
    for _ in range(20):
        with pytest.raises(slotd.ResourceExhausted, match="STORE_FULL"):
            client.submit("echo", _FILL)
        assert client.get(running).state == JOB_STATE_RUNNING
        assert client.list_slots().running == 1
        assert client.get_stats().counters.queued == len(accepted) + 1
    assert client.get(waiting).state == JOB_STATE_QUEUED
    assert {job.id for job in client.list()} == {job.id for job in (running, waiting, *accepted)}
    with client.stream() as stream:
        message = next(stream.messages())
        assert message.events

    disk.free(server)
    assert client.wait(running).state == JOB_STATE_SUCCEEDED
    assert len(client.get(running).result.data) == 300_000
    assert client.wait(waiting).result.data == b"1"
    after = client.submit("echo", 2)
    server.kill()

    client = serve(store=store).connect().client
    assert client.wait(after).result.data == b"2"
    for job in accepted:
        assert client.wait(job).result.data == _FILL
    assert client.get_stats().counters.submitted == len(accepted) + 3


def test_cancel_and_delete_change_nothing_on_a_full_disk(serve: Serve, disk: Disk) -> None:
    """Refused or done, but never by halves."""
    server = serve(store=f"sqlite:///{disk.folder / 'jobs.db'}", slots=0)
    client = server.connect().client
    client.submit("echo", 1)
    disk.fill(server)
    jobs, _ = _submit_until_full(client)
    for job in jobs:
        try:
            client.cancel(job)
        except slotd.ResourceExhausted:
            assert client.get(job) == job
        else:
            assert client.get(job).state == JOB_STATE_CANCELLED
    counters = client.get_stats().counters
    assert counters.queued + counters.cancelled == counters.submitted == len(jobs) + 1


def test_it_stops_in_time_though_nothing_can_be_put_back(serve: Serve, tmp_path: Path) -> None:
    disk = LimitedFile(tmp_path)
    server = serve(slots=_MANY, drain_timeout=0)
    client = server.connect().client
    jobs = _run_many(client)
    disk.fill(server)
    _submit_until_full(client)
    assert server.terminate() == 0
    assert any("the next start will give" in line["event"] for line in server.logged())
    client = serve(slots=0).connect().client
    assert [client.get(job).state for job in jobs] == [JOB_STATE_QUEUED] * _MANY


def test_a_start_on_a_full_disk_says_so(serve: Serve) -> None:
    server = serve(slots=_MANY)
    jobs = _run_many(server.connect().client)
    server.kill()

    full = serve(fault="no-room:0")
    assert not full.listening()
    assert full.wait() == 1
    said = full.log.read_text()
    assert "disk is full" in said
    assert "Traceback" not in said

    client = serve(slots=0).connect().client
    assert [client.get(job).state for job in jobs] == [JOB_STATE_QUEUED] * _MANY
