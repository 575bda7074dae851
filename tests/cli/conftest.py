"""A scripted service on a real port, and the command run against it: in this process, in its own, or on a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner, Result

from slotd import v1
from slotd.cli.app import root
from tests.cli.scripted import ScriptedJobs, ScriptedQueues, ScriptedSchedules, ScriptedWorkers, Shelf

ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """The scripted service: where it listens and what it holds."""

    address: str
    shelf: Shelf


@pytest.fixture
def service() -> Iterator[Service]:
    shelf = Shelf()
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
    v1.add_JobServiceServicer_to_server(ScriptedJobs(shelf), server)
    v1.add_QueueServiceServicer_to_server(ScriptedQueues(shelf), server)
    v1.add_ScheduleServiceServicer_to_server(ScriptedSchedules(shelf), server)
    v1.add_WorkerServiceServicer_to_server(ScriptedWorkers(shelf), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Service(f"127.0.0.1:{port}", shelf)
    shelf.released.set()
    server.stop(None).wait(5)


Slotd = Callable[..., Result]


@pytest.fixture
def slotd(service: Service, monkeypatch: pytest.MonkeyPatch) -> Slotd:
    """Runs the command in this process, its output no terminal; stdout and stderr apart."""
    monkeypatch.delenv("SLOTD_ADDRESS", raising=False)

    def run(*args: str, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(root, ["--address", service.address, *args], input=stdin, prog_name="slotd")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def environment(**more: str) -> dict[str, str]:
    """The environment of a child process that finds the packages of this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLOTD", "_SLOTD", "NO_COLOR"))}
    paths = [str(ROOT / "clients" / "python"), str(ROOT / "server"), kept.get("PYTHONPATH", "")]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "TERM": "xterm-256color", **more}


def command(*args: str) -> list[str]:
    """The command line of a child process."""
    return [sys.executable, "-m", "slotd", *args]


@dataclass
class Terminal:
    """A child process on a terminal of 120 columns and 30 rows, and all that it has written so far."""

    process: subprocess.Popen[bytes]
    end: int
    written: str = ""
    _more: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        pieces = b""
        while True:
            try:
                piece = os.read(self.end, 65536)
            except OSError:
                # Linux answers EIO, not an empty piece, when the last writer has gone.
                piece = b""
            with self._more:
                pieces += piece
                self.written = pieces.decode(errors="replace")
                self._more.notify_all()
            if not piece:
                return

    def expect(self, words: str) -> None:
        """Wait until these words have been written."""
        with self._more:
            assert self._more.wait_for(lambda: words in self.plain(), timeout=20), self.plain()

    def plain(self) -> str:
        """What was written, without its escape sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.written)

    def type(self, keys: str) -> None:
        """Send keys."""
        os.write(self.end, keys.encode())

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def finish(self) -> int:
        """Wait for the end; the exit status."""
        status = self.process.wait(timeout=20)
        self._reader.join(timeout=20)
        return status


Screen = Callable[..., Terminal]


@pytest.fixture
def terminal(service: Service) -> Iterator[Screen]:
    """Runs the command in a process of its own, on a terminal."""
    started: list[Terminal] = []

    def run(*args: str, columns: int = 120, **more: str) -> Terminal:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command("--address", service.address, *args),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env=environment(COLUMNS=str(columns), LINES="30", **more),
            start_new_session=True,
        )
        os.close(theirs)
        started.append(Terminal(process, ours))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.finish()
        os.close(one.end)
