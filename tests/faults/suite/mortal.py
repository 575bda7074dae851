"""Processes that die and come again under one name: a service's servers and workers."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from tests.faults.process import ChildProcess

_LOOK_SECONDS = 0.02

P = TypeVar("P", bound=ChildProcess)


class Mortal(ABC, Generic[P]):
    """Of one that has died before the next process is there already, with everything imported, and waits: it may well
    die again."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._process: P | None = None
        self._spare: P | None = None

    @property
    def process(self) -> P:
        """The one that is there, or was last."""
        assert self._process is not None
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """The exit status; None where it still runs after that long."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """kill -9, whether or not it is paused; returns when it is gone."""
        if self.alive:
            self.process.kill()

    def pause(self) -> None:
        self.process.signal(signal.SIGSTOP)

    def wait_stopped(self, seconds: float) -> bool:
        """Whether it stops by itself within that long."""
        end = time.monotonic() + seconds
        while not (stopped := self._state() == "T") and time.monotonic() < end:
            # Nothing but a look at its state tells of it.
            self.wait(_LOOK_SECONDS)
        return stopped

    def resume(self) -> None:
        self.process.signal(signal.SIGCONT)

    def tail(self) -> str:
        """The end of what it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def close(self) -> None:
        for process in (self._process, self._spare):
            if process is not None:
                process.close()

    @abstractmethod
    def _spawn(self) -> P:
        """A process that waits for its orders."""

    def _renew(self) -> None:
        """Another process takes the place of the last one."""
        before, self._process, self._spare = self._process, self._spare or self._spawn(), None
        if before is not None:
            before.close()
            self._spare = self._spawn()

    def _state(self) -> str:
        """One letter, as proc(5) has it."""
        stat = Path(f"/proc/{self.process.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]
