"""Real services for tests: in a thread of this process, for tests that want many fresh ones, or in a child process, for
those that kill it or weigh it. Both listen on ports that the system picks, and are asked through gRPC or HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import grpc
from google.rpc.error_details_pb2 import ErrorInfo

import slotd
from slotd.handlers import registered
from slotd.testing.thread import ServerThread
from slotd.v1 import (
    DELIVERY_EVERY,
    Job,
    JobServiceStub,
    JobState,
    QueueServiceStub,
)
from slotd_server.app import Server
from slotd_server.settings import Settings
from tests.fundamentals import handlers
from tests.web.channel import Codec, HttpChannel

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

    @classmethod
    def over_http(cls, address: str, url: str, codec: Codec) -> "Endpoint":
        """All of it through HTTP, but for the address, which is gRPC's."""
        channel = HttpChannel(url, codec)
        client = slotd.Client(address, channel=channel)
        return cls(address, channel, client, JobServiceStub(channel), QueueServiceStub(channel))

    def close(self) -> None:
        """Hang up."""
        self.client.close()
        self.channel.close()


class LocalService:
    """A service in a thread. `stop` and `start` make another server on the same store. With a codec it is asked through
    HTTP."""

    def __init__(self, settings: Settings, codec: Codec | None = None) -> None:
        self.settings = settings
        self._codec = codec
        self.start()

    def start(self) -> None:
        """Returns once the service answers. Raises whatever kept it from starting."""
        self._thread = ServerThread(lambda: Server(self.settings, registered()))
        server = self._thread.start()
        self.url = server.http_url
        codec = self._codec
        self.at = Endpoint.over_http(server.address, self.url, codec) if codec else Endpoint.at(server.address)

    def ask_to_stop(self) -> None:
        """As a signal would: it begins to drain."""
        self._thread.ask_to_stop()

    def stop(self) -> None:
        """Drains and ends it."""
        self.at.close()
        self._thread.stop()

    def wait_stopped(self) -> BaseException | None:
        """Waits until it has ended, also of its own accord. Returns what broke its store, if that is why."""
        return self._thread.wait_stopped()


class ChildService:
    """`slotd serve` in a process of its own, with the handlers of a module, and with `environment` over this one."""

    def __init__(
        self, log: Path, *, module: str = HANDLERS, environment: Mapping[str, str] | None = None, **flags: Any
    ) -> None:
        self._log = log
        self._module = module
        self._environment = os.environ | dict(environment or {})
        self._flags = {"listen": "127.0.0.1:0", "drain_timeout": 0, "log_format": "text", **flags}
        self.start()

    def start(self) -> None:
        """Returns once the service answers."""
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self._flags.items()]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "slotd_server", self._module, *flags],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                env=self._environment,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if not line.startswith("slotd listening on "):
            self.process.wait(_STOP_SECONDS)
            raise AssertionError(f"the service did not start:\n{self._log.read_text()}")
        self.address = line.removeprefix("slotd listening on ").strip()
        if self._flags.get("http"):
            self.url = self.process.stdout.readline().decode().removeprefix("slotd dashboard on ").strip()

    def start_again(self, **flags: Any) -> None:
        """After it has ended: with these flags changed, at the addresses that it had."""
        self._flags |= {"listen": self.address, **flags}
        if self._flags.get("http"):
            self._flags["http"] = urlsplit(self.url).netloc
        self.start()

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
def starting(store: str = MEMORY, codec: Codec | None = None) -> Iterator[Start]:
    """Makes local services on a store, with settings as keywords; stops them in the end, and lets go of what they still
    run. With a codec they are asked through HTTP."""
    services: list[LocalService] = []

    def start(**settings: Any) -> LocalService:
        chosen: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "store": store,
            "slots": 4,
            "drain_timeout": 0.0,
            "report_interval": 0.0,
            "http": "127.0.0.1:0" if codec else "",
        }
        services.append(LocalService(Settings(**(chosen | settings)), codec))
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
