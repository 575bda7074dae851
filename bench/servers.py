"""The servers and workers under measurement: child processes, the servers on a port of their own, stopped by their own
process ids."""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.calls import Calls

HANDLERS = Path(__file__).with_name("handlers.py")
_ROOT = HANDLERS.parents[1]
_PACKAGES = ("server", "clients/python")
_READY_SECONDS = 120
_STOP_SECONDS = 60
_POLL_SECONDS = 0.002
Ready = TypeVar("Ready")
_numbers = itertools.count(1)


class ServerFailed(Exception):
    """A server that did not start, or ended by itself; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `ready_seconds` is the time from the start of its process until it said that it answers, and
    `url` where it answers HTTP, if it does."""

    process: subprocess.Popen[bytes]
    address: str
    calls: Calls
    ready_seconds: float
    url: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """End it like a crash does: nothing is flushed, nobody is told."""
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def slotd(
    store: Path,
    slots: int,
    checkout: Path | None = None,
    handlers: Sequence[Path] = (HANDLERS,),
    flags: Sequence[str] = (),
) -> AsyncIterator[Server]:
    """slotd on the SQLite file `store`, with the handlers of these files: this checkout's, or another's.

    Raises ServerFailed.
    """
    async with _slotd(f"sqlite:///{store}", store.parent, slots, checkout, handlers, flags) as server:
        yield server


@asynccontextmanager
async def replica(url: str, folder: Path, slots: int) -> AsyncIterator[Server]:
    """slotd on the PostgreSQL database at `url`, as one of any number there. What it says goes to `folder`.

    Raises ServerFailed.
    """
    async with _slotd(url, folder, slots, None) as server:
        yield server


@asynccontextmanager
async def worker(server: Server, folder: Path, slots: int) -> AsyncIterator[None]:
    """A worker of `server`'s in Python, with the handlers of the benchmark. What it says goes to `folder`.

    Raises ServerFailed.
    """
    said = folder / f"said-{next(_numbers)}"
    command = ["slotd", "worker", "--address", server.address, "--slots", str(slots), str(HANDLERS)]
    process = _spawn([*command, "--log-level", "warning"], said, _ROOT)
    try:
        await _until(lambda: "connected" in _read(said), process, said)
        yield
        if process.poll() is not None:
            raise ServerFailed(_last_words(process, said))
    finally:
        _stop(process)


@asynccontextmanager
async def bare(folder: Path) -> AsyncIterator[Server]:
    """The bare server. Raises ServerFailed."""
    async with _serve(folder, ["bench.bare"], []) as server:
        yield server


@asynccontextmanager
async def least(store: Path) -> AsyncIterator[Server]:
    """The least that is durable, with its rows in the file `store`. Raises ServerFailed."""
    async with _serve(store.parent, ["bench.least", "--store", str(store)], []) as server:
        yield server


@asynccontextmanager
async def _slotd(
    url: str,
    folder: Path,
    slots: int,
    checkout: Path | None,
    handlers: Sequence[Path] = (HANDLERS,),
    flags: Sequence[str] = (),
) -> AsyncIterator[Server]:
    command = ["slotd_server", "--store", url, "--slots", str(slots), "--listen", "127.0.0.1:0", *flags]
    async with _serve(folder, [*command, "--log-level", "warning"], [*map(str, handlers)], checkout) as server:
        yield server


@asynccontextmanager
async def _serve(
    folder: Path, command: Sequence[str], modules: Sequence[str], checkout: Path | None = None
) -> AsyncIterator[Server]:
    number = next(_numbers)
    ready_file, said = folder / f"ready-{number}", folder / f"said-{number}"
    began = time.perf_counter()
    process = _spawn([*command, "--ready-file", str(ready_file), *modules], said, checkout or _ROOT)
    try:
        address = await _until(lambda: _read(ready_file), process, said)
        ready_seconds = time.perf_counter() - began
        async with Calls(address) as calls:
            yield Server(process, address, calls, ready_seconds, _read(said).partition("dashboard on ")[2].strip())
            if process.poll() not in (None, -9):
                raise ServerFailed(_last_words(process, said))
    finally:
        _stop(process)


def plain_environment() -> dict[str, str]:
    """This process's environment without settings of slotd: those of whoever runs the benchmark are not what is to be
    measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLOTD_")}


def _spawn(command: Sequence[str], said: Path, checkout: Path) -> subprocess.Popen[bytes]:
    environment = plain_environment()
    # Stronger than what is installed, which is one checkout's.
    environment["PYTHONPATH"] = os.pathsep.join(str(checkout / folder) for folder in _PACKAGES)
    with said.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=checkout,
            env=environment,
            stdout=output,
            stderr=output,
        )


async def _until(ready: Callable[[], Ready], process: subprocess.Popen[bytes], said: Path) -> Ready:
    """What `ready` returns, once that is something."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(_last_words(process, said))
        if found := ready():
            return found
        await asyncio.sleep(_POLL_SECONDS)
    raise ServerFailed(f"it did not answer within {_READY_SECONDS} s: {_last_words(process, said)}")


def _read(path: Path) -> str:
    """What is in it; nothing while it is not there, or not written yet."""
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return ""


def _last_words(process: subprocess.Popen[bytes], said: Path) -> str:
    return f"exit status {process.poll()}: {said.read_text(errors='replace')[-2000:].strip() or 'it said nothing'}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
