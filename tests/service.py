"""Real services for tests: in a thread of this process, for tests that want many fresh ones, or in a child process, for
those that kill it or weigh it. Both listen on a port that the system picks, and both are asked through gRPC alone."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.rpc.error_details_pb2 import ErrorInfo

import slotd
from slotd.v1 import (
    DELIVERY_EVERY,
    Job,
    JobServiceStub,
    JobState,
    QueueServiceStub,
)
from slotd_server.app import Service
from slotd_server.dispatch import Dispatcher
from slotd_server.settings import Settings
from tests.fundamentals import handlers

HANDLERS = "tests.fundamentals.handlers"
MEMORY = "sqlite:///:memory:"

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS = 20

Start: TypeAlias = Callable[..., "LocalService"]
Spawn: TypeAlias = Callable[..., "ChildService"]


@dataclass(frozen=True)
class Endpoint:
    """A service as its callers see it: the raw stubs, and the client."""

    address: str
    channel: grpc.Channel
    client: slotd.Client
    jobs: JobServiceStub
    queues: QueueServiceStub

    @classmethod
    def at(cls, address: str) -> "Endpoint":
        # A pool of its own for each channel, else all channels of a process share one connection.
        channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        return cls(address, channel, slotd.Client(address), JobServiceStub(channel), QueueServiceStub(channel))

    def close(self) -> None:
        """Hang up."""
        self.client.close()
        self.channel.close()


class _Unsignalled(Service):
    """Signals reach a process's main thread alone, which is the tests' own: this one is stopped by a call."""

    def _on_signals(self, dispatcher: Dispatcher) -> None:
        self.loop = asyncio.get_running_loop()

    def stop(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self._stopping.set)
        except RuntimeError:
            # The loop has closed: it has stopped already.
            return


class LocalService:
    """A service in a thread. `stop` and `start` make another server on the same store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.start()

    def start(self) -> None:
        """Returns once the service answers. Raises whatever kept it from starting."""
        ready, told = os.pipe()
        self._failure: BaseException | None = None
        settings = replace(self.settings, ready_file=f"/dev/fd/{told}")
        self._service = _Unsignalled(settings, [HANDLERS], lambda: settings)
        self._thread = threading.Thread(target=self._run, args=(told,), daemon=True)
        self._thread.start()
        with os.fdopen(ready) as lines:
            address = lines.readline().strip()
        if not address:
            self._thread.join()
            assert self._failure is not None
            raise self._failure
        self.at = Endpoint.at(address)

    def ask_to_stop(self) -> None:
        """As a signal would: it begins to drain."""
        self._service.stop()

    def stop(self) -> None:
        """Drains and ends it."""
        self.at.close()
        if self._thread.is_alive():
            self._service.stop()
        self.wait_stopped()

    def wait_stopped(self) -> int:
        """Waits until it has ended, also of its own accord. Returns the exit status."""
        self._thread.join(_STOP_SECONDS)
        assert not self._thread.is_alive(), "the service did not stop"
        if self._failure is not None:
            raise self._failure
        return self._status

    def _run(self, told: int) -> None:
        try:
            self._status = asyncio.run(self._service.run())
        except BaseException as error:  # noqa: BLE001 - it is raised where the service was started, or is stopped
            self._failure = error
        finally:
            os.close(told)


class ChildService:
    """`slotd serve` in a process of its own."""

    def __init__(self, log: Path, **flags: Any) -> None:
        self._log = log
        self._flags = {"listen": "127.0.0.1:0", "drain_timeout": 0, "log_format": "text", **flags}
        self.start()

    def start(self) -> None:
        """Returns once the service answers."""
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self._flags.items()]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "slotd_server", HANDLERS, *flags], stdout=subprocess.PIPE, stderr=log, cwd=_ROOT
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if not line.startswith("slotd listening on "):
            self.process.wait(_STOP_SECONDS)
            raise AssertionError(f"the service did not start:\n{self._log.read_text()}")
        self.address = line.removeprefix("slotd listening on ").strip()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it. Idempotent."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(_STOP_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def resident(self) -> int:
        """Bytes of memory that the process has."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) << 10


@contextmanager
def starting(store: str = MEMORY) -> Iterator[Start]:
    """Makes local services on a store, with settings as keywords; stops them in the end, and lets go of what they still
    run."""
    services: list[LocalService] = []

    def start(**settings: Any) -> LocalService:
        chosen: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "store": store,
            "slots": 4,
            "drain_timeout": 0.0,
            "report_interval": 0.0,
        }
        services.append(LocalService(Settings(**(chosen | settings))))
        return services[-1]

    try:
        yield start
    finally:
        handlers.open_all()
        for service in services:
            service.stop()


@contextmanager
def spawning(folder: Path) -> Iterator[Spawn]:
    """Makes child services that log into `folder`, with flags as keywords; ends them in the end."""
    services: list[ChildService] = []

    def spawn(**flags: Any) -> ChildService:
        services.append(ChildService(folder / f"log-{len(services)}", **({"store": MEMORY} | flags)))
        return services[-1]

    try:
        yield spawn
    finally:
        for service in services:
            service.stop(signal.SIGKILL)


def reach(client: slotd.Client, job: Job, *states: JobState.ValueType) -> Job:
    """Waits until the job is in one of `states`; returns it as it was then."""
    with client.stream(job_ids=job, delivery=DELIVERY_EVERY) as events:
        for event in events:
            if event.job.state in states:
                return event.job
    raise AssertionError(f"job {job.id} ended otherwise")


def reason(job: Job) -> str:
    """Why the job's last attempt did not succeed."""
    info = ErrorInfo()
    assert job.error.details[0].Unpack(info)
    return info.reason
