"""The servers of one store, each at an address that it keeps over all its deaths."""

import os
import select
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.process import PATIENCE, ServerProcess
from tests.faults.suite.mortal import Mortal


class Member(Mortal[ServerProcess]):
    """One of the servers. `boot` is the boot id of the one that serves, once somebody has asked for it."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str], orders: Mapping[str, Any]) -> None:
        super().__init__(folder, name)
        self.address = f"unix:{folder / name}.sock"
        self.boot = ""
        self._environment = environment
        self._orders = {"listen": self.address, "log_format": "json"} | dict(orders)

    def begin(self, fault: str = "") -> None:
        """Serves; returns at once."""
        self._renew()
        modules = self._orders.get("modules", ())
        flags = {name: value for name, value in self._orders.items() if name != "modules"}
        self.process.begin(*modules, fault=fault, **flags)

    def wait_listening(self) -> None:
        """Until it answers. Raises AssertionError where it ends instead."""
        assert self.process.address or self.process.listening(), f"{self.name} did not start:\n{self.tail()}"

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
