"""The service that a scenario is played against, and what befalls it: stopped, killed, started again on the same port
and store, paused, its connections cut."""

import itertools
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc

import slotd
from slotd import v1
from tests.faults.process import ServerProcess
from tests.faults.proxy import Frame, Proxy
from tests.ports import KeptPort

HANDLERS = str(Path(__file__).with_name("handlers.py"))


class _Bytes:
    """A dialect for the proxy in which nothing has a meaning, so that streams of any shape pass."""

    def asked(self, data: bytes) -> Iterator[Frame]:
        yield Frame(data)

    def answered(self, data: bytes) -> Iterator[Frame]:
        yield Frame(data)


class Stage:
    """One service at a time on one store and, after the first, one port. Close it.

    `address` is the service's own, `proxy` another way to it, which `cut` cuts. `plays` counts what was played here, so
    that each play has names of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.plays = itertools.count(1)
        self.gates = folder / "gates"
        self.gates.mkdir(parents=True)
        self._settings: dict[str, Any] = {}
        self._server: ServerProcess | None = None
        self._port = KeptPort()
        self.address = self._port.address
        self.start()
        self._proxy = Proxy(self.address, _Bytes)
        self.proxy = f"127.0.0.1:{self._proxy.port}"
        self.channel = grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)])
        self.client = slotd.Client(self.address)

    def prepare(self, settings: Mapping[str, Any]) -> None:
        """See to it that a service answers, with these settings; after a play that failed too."""
        self.resume()
        if self._server is not None and settings != self._settings:
            self.stop()
        self._settings = dict(settings)
        if self._server is None:
            self.start()
        for gate in self.gates.iterdir():
            gate.unlink()

    def start(self) -> None:
        """Returns once it answers."""
        log = self._folder / "service.log"
        chosen: dict[str, Any] = {"store": f"sqlite:///{self._folder / 'jobs.db'}", "slots": 8, "listen": self.address}
        self._server = ServerProcess(log).begin(HANDLERS, **(chosen | self._settings))
        assert self._server.listening(), f"the service did not start:\n{log.read_text()}"

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """SIGTERM, and start again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Does nothing any more, and hangs up on nobody."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after `pause`."""
        self._signal(signal.SIGCONT)

    def cut(self) -> None:
        """Breaks off all connections that go through the proxy."""
        self._proxy.cut_all()

    def open(self, gate: str) -> None:
        """Lets all jobs go on that wait at the gate, or come to it."""
        (self.gates / gate).touch()

    def replay(self, request: v1.StreamRequest, until: int) -> list[v1.JobEvent]:
        """What a stream from the request's cursor tells up to a revision, asked for anew and over the wire itself."""
        events: list[v1.JobEvent] = []
        call = v1.JobServiceStub(self.channel).Stream(request, wait_for_ready=True)
        for message in call:
            events += [event for event in message.events if event.revision <= until]
            if message.revision >= until:
                call.cancel()
                break
        return events

    def close(self) -> None:
        """Ends all of it."""
        self.client.close()
        self.channel.close()
        self._proxy.close()
        if self._server is not None:
            self._server.close()
        self._port.close()

    def _end(self, number: signal.Signals) -> None:
        assert self._server is not None, "the scenario ends a service that is not there"
        self._signal(number)
        self._server.wait()
        self._server.close()
        self._server = None

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.signal(number)
