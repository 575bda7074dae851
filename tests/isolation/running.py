"""What runs attempts in processes, under test: attempts to start, and what is reported of them."""

import os
import select
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from slotd.attempts import Failed, Outcome, Succeeded
from slotd.codec import decode_value, encode_value
from slotd.context import Told
from slotd.isolation.base import NOTHING, Assigned, Lease, Limits, Processes
from slotd.results import Encoded

PATIENCE = 30
"""Seconds after which what does not come is missing."""

OVER = Failed("TIMEOUT", "its time was over")


class Finished(NamedTuple):
    """What a runner reports at an end."""

    lease: Lease
    outcome: Outcome
    told: Told


class Bench:
    """Starts attempts, is told of them, and waits for what it is told. Their kinds begin with `kinds`."""

    def __init__(self, processes: Processes, kinds: str = "isolated/") -> None:
        self.processes = processes
        self._kinds = kinds
        self._told: SimpleQueue[Lease] = SimpleQueue()
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._number = 0

    def told(self, lease: Lease) -> None:
        self._told.put(lease)

    def finished(self, lease: Lease, outcome: Outcome, told: Told) -> None:
        self._finished.put(Finished(lease, outcome, told))

    def start(
        self,
        kind: str,
        payload: object = None,
        *,
        encoded: Encoded | None = None,
        time_left: float | None = None,
        results: Callable[[], Mapping[str, Encoded | None]] = dict,
        limits: Limits | None = None,
    ) -> Lease:
        """An attempt at a job of this kind."""
        self._number += 1
        lease = Lease(f"job-{self._number}", 1)
        data = encoded if encoded is not None else encode_value(payload)
        labels = {"team": "blue"}
        assigned = Assigned(lease, self._kinds + kind, "default", 2, labels, data, time_left, results, limits=limits)
        self.processes.start(assigned, self)
        return lease

    def end(self) -> Finished:
        """The next report of an end."""
        return self._finished.get(timeout=PATIENCE)

    def run(self, kind: str, payload: object = None, **more: Any) -> Finished:
        """Start one and wait for its end, taking what it tells."""
        lease = self.start(kind, payload, **more)
        told = NOTHING
        while True:
            try:
                finished = self._finished.get(timeout=0.002)
            except Empty:
                one = self.processes.take(lease)
                told = Told(one.progress or told.progress, told.output + one.output)
                continue
            assert finished.lease == lease
            assert self._finished.empty(), "reported twice"
            last = finished.told
            return finished._replace(told=Told(last.progress or told.progress, told.output + last.output))

    def value(self, kind: str, payload: object = None, **more: Any) -> Any:
        """What it returned, decoded."""
        outcome = self.run(kind, payload, **more).outcome
        assert isinstance(outcome, Succeeded), outcome
        return None if outcome.result is None else decode_value(*outcome.result)

    def failure(self, kind: str, payload: object = None, **more: Any) -> Failed:
        """How it failed."""
        outcome = self.run(kind, payload, **more).outcome
        assert isinstance(outcome, Failed), outcome
        return outcome

    def end_or_told(self, lease: Lease) -> Finished | None:
        """The next that is reported of the only one that runs: its end, or None where there is something to take."""
        while True:
            try:
                return self._finished.get_nowait()
            except Empty:
                pass
            try:
                assert self._told.get(timeout=0.01) == lease
                return None
            except Empty:
                continue

    def is_told(self) -> bool:
        """Whether there was something to take that was not."""
        return not self._told.empty()

    def is_quiet(self) -> bool:
        """Whether nothing was reported that was not asked for."""
        return self._told.empty() and self._finished.empty()

    def heard(self, lease: Lease) -> str:
        """What it writes first."""
        self.await_told(lease)
        return self.processes.take(lease).output.decode()

    def await_told(self, lease: Lease) -> None:
        """Until there is something to take."""
        assert self._told.get(timeout=PATIENCE) == lease


def await_gone(pid: int) -> None:
    """Until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0]
    finally:
        os.close(descriptor)


def await_no_children() -> None:
    """Until nobody keeps a process any more."""
    for thread in threading.enumerate():
        if thread.name in ("slotd-child", "slotd-command"):
            thread.join(PATIENCE)
            assert not thread.is_alive()


def is_there(pid: int) -> bool:
    """Whether a process is there that has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def memory_of(pid: int | None = None) -> int:
    """Bytes that a process has in memory."""
    with open(f"/proc/{pid or os.getpid()}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
