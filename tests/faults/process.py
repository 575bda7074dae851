"""Services and workers in processes of their own, as the fault tests hold them: started, listened to, signalled,
killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.service import Endpoint

ROOT = Path(__file__).parents[2]
HANDLERS = str(Path(__file__).with_name("handlers.py"))

PATIENCE = 30.0
"""Seconds within which whatever is waited for has come, on the slowest of machines."""


class ChildProcess:
    """A process of the Python module `module`, which has imported everything and waits for its orders: a line of JSON.
    What it logs goes to the end of the file `log`."""

    def __init__(self, module: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLOTD_")}
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=inherited | dict(environment or {}),
                text=True,
            )

    def order(self, orders: Mapping[str, Any]) -> None:
        """Lets it begin. Returns at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(orders) + "\n")
        self.process.stdin.flush()

    def line(self) -> str:
        """The next line on its stdout; empty at the end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> int:
        """Without a word. Returns the exit status."""
        self.process.kill()
        return self.wait()

    def terminate(self) -> int:
        """SIGTERM, and wait. Returns the exit status."""
        self.process.terminate()
        return self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        return self.process.wait(seconds)

    def close(self) -> None:
        """Ends it if it has not ended. Idempotent."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class ServerProcess(ChildProcess):
    """A server; it serves once `begin` is called."""

    def __init__(self, log: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__("tests.faults.child", log, environment)
        self.address = ""
        self._endpoints: list[Endpoint] = []

    def begin(
        self, *modules: str, fault: str = "", mutant: str = "", checkpoint_bytes: int | None = None, **flags: Any
    ) -> "ServerProcess":
        """Serve. Returns at once; `listening` says when it answers."""
        chosen = {"listen": "127.0.0.1:0", "log_format": "json", "drain_timeout": 0, **flags}
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items() if value is not None]
        self.order(
            {
                "arguments": [*modules, *arguments],
                "fault": fault,
                "mutant": mutant,
                "checkpoint_bytes": checkpoint_bytes,
            }
        )
        return self

    def listening(self) -> bool:
        """Waits until it answers; False where it has ended instead."""
        self.address = self.line().removeprefix("slotd listening on ")
        return bool(self.address)

    def connect(self) -> Endpoint:
        """Waits until it answers, and connects to it; `close` hangs up."""
        assert self.address or self.listening(), f"the service did not start:\n{self.log.read_text()}"
        self._endpoints.append(Endpoint.at(self.address))
        return self._endpoints[-1]

    def peak_memory(self) -> int:
        """The most bytes of memory that it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10

    def logged(self) -> list[dict[str, Any]]:
        """What it and those before it have logged, but for lines that are no JSON."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def close(self) -> None:
        while self._endpoints:
            self._endpoints.pop().close()
        super().close()
