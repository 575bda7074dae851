"""The servers of one store, each at an address that it keeps over all its deaths."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.process import PATIENCE, ServerProcess

_LOOK_SECONDS = 0.02


class Member:
    """One of the servers. Of one that has died before the next process is there already, with everything imported, and
    waits: it may well die again.

    `boot` is the boot id of the one that serves, once somebody has asked for it.
    """

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str], orders: Mapping[str, Any]) -> None:
        self.name = name
        self.address = f"unix:{folder / name}.sock"
        self.log = folder / f"{name}.log"
        self.boot = ""
        self._environment = environment
        self._orders = {"listen": self.address, "log_format": "json"} | dict(orders)
        self._process: ServerProcess | None = None
        self._spare: ServerProcess | None = None

    @property
    def process(self) -> ServerProcess:
        """The one that serves, or did so last."""
        assert self._process is not None
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.process.poll() is None

    def begin(self, fault: str = "") -> None:
        """Serves; returns at once."""
        before, self._process, self._spare = self._process, self._spare or self._spawn(), None
        if before is not None:
            before.close()
            self._spare = self._spawn()
        modules = self._orders.get("modules", ())
        flags = {name: value for name, value in self._orders.items() if name != "modules"}
        self._process.begin(*modules, fault=fault, **flags)

    def wait_listening(self) -> None:
        """Until it answers. Raises AssertionError where it ends instead."""
        assert self.process.address or self.process.listening(), f"{self.name} did not start:\n{self.tail()}"

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

    def _state(self) -> str:
        """One letter, as proc(5) has it."""
        stat = Path(f"/proc/{self.process.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]

    def _spawn(self) -> ServerProcess:
        return ServerProcess(self.log, self._environment)


class Fleet:
    """`count` servers on one store, whose URL is the same for all or one for each. `orders` are what
    ServerProcess.begin takes, and `modules` of handlers."""

    def __init__(
        self, folder: Path, count: int, stores: Sequence[str], *, environment: Mapping[str, str], **orders: Any
    ) -> None:
        urls = stores if len(stores) == count else [stores[0]] * count
        self.members = [
            Member(folder, f"server-{number}", environment, orders | {"store": url}) for number, url in enumerate(urls)
        ]

    @property
    def addresses(self) -> list[str]:
        return [member.address for member in self.members]

    def wait_death(self) -> Member:
        """One that has ended by itself, or does so now. Raises AssertionError where none does."""
        watched = {os.pidfd_open(member.process.process.pid): member for member in self.members}
        try:
            dead, _, _ = select.select(list(watched), [], [], PATIENCE)
        finally:
            for handle in watched:
                os.close(handle)
        assert dead, f"no server has died in {PATIENCE} s"
        return watched[dead[0]]

    def close(self) -> None:
        for member in self.members:
            member.close()
