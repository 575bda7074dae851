"""The HTTP server: uvicorn, in the event loop that is there already, on sockets of our own."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from slotd_server.web.site import Parts, application

_BACKLOG = 2048
_KEEP_IDLE_SECONDS = 60
_KEEP_INTERVAL_SECONDS = 10
_KEEP_PROBES = 2
_GONE_SECONDS = 80
"""A peer that is gone, or takes nothing more, is noticed after these, as on gRPC."""

_IDLE_SECONDS = 75
"""How long a connection is kept for the next request; beyond what proxies keep theirs, so that it is they who close."""


class HttpServer:
    """`listen` is HOST:PORT; for `hosts` and `origins` see Guard. Raises OSError, or ValueError for what is no such
    address."""

    def __init__(self, listen: str, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self.host, port = _split(listen)
        self._hosts = hosts
        self._origins = origins
        self._sockets = _bind(self.host, port)
        self.port: int = self._sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host or '127.0.0.1'}:{self.port}"

    async def start(
        self,
        servicers: Sequence[object],
        *,
        ready: Callable[[], bool],
        metrics: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        """Answer requests; see Parts."""
        parts = Parts(servicers, ready, metrics)
        config = uvicorn.Config(
            application(parts, address=self.host, hosts=self._hosts, origins=self._origins),
            # A little slower than httptools, which would take in headers without an end.
            http="h11",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        # It tells of garbage from the network, and of connections that outlive the end: no news to who runs this.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(self._sockets))
        await self._server.listening.wait()

    async def stop(self, seconds: float) -> None:
        """Take no more requests; those under way have so long to end, and are then cut off."""
        self._server.config.timeout_graceful_shutdown = seconds  # type: ignore[assignment] # a wait_for takes either
        self._server.should_exit = True
        await self._serving
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()

    def close(self) -> None:
        """Give the sockets back, when it was never started."""
        for bound in self._sockets:
            bound.close()


class _Server(uvicorn.Server):
    """One that leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _split(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdecimal() or int(port) > 65_535 or (":" in host and not bracketed):
        raise ValueError("it is HOST:PORT; an IPv6 address is in brackets")
    return host[1:-1] if bracketed else host, int(port)


def _bind(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that the host has; port 0 picks one, the same for all."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            bound.append(one)
            _tune(one)
            one.bind((address[0], port, *address[2:]))
            port = one.getsockname()[1]
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


def _tune(listener: socket.socket) -> None:
    """What connections inherit."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _KEEP_IDLE_SECONDS),
        ("TCP_KEEPINTVL", _KEEP_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", _KEEP_PROBES),
        ("TCP_USER_TIMEOUT", _GONE_SECONDS * 1000),
    ):
        # Not every system has each.
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
