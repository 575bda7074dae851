"""What a client knows of the service it talks to: its address, its defaults, and whether it has answered yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import grpc

from slotd import tracing
from slotd.errors import Error, Unavailable, from_rpc_error
from slotd.jobspec import Span, seconds
from slotd.outage import Backoff, Outage

Metadata = tuple[tuple[str, str | bytes], ...]

# Seconds for a unary call, unless the client or the call says otherwise.
DEFAULT_TIMEOUT = 30.0
# What works on many jobs does so in steps, until all is done.
BULK_TIMEOUT = 600.0


class Peer:
    """The service as one client sees it."""

    def __init__(
        self,
        address: str,
        *,
        timeout: Span | None,
        metadata: Iterable[tuple[str, str | bytes]] | None,
        reconnect: Backoff,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self.address = address
        self._metadata: Metadata = tuple(metadata or ())
        self._timeout = None if timeout is None else seconds(timeout)
        self._reconnect = reconnect
        self._clock = clock
        self._chance = chance
        self._reached = False

    def metadata(self, traceparent: str = "") -> Metadata:
        """What to send along with a call: the client's own, and the trace that the call belongs to, if any."""
        return tracing.outgoing(self._metadata, traceparent)

    def timeout(self, rpc_timeout: Span | None, default: float = 0.0) -> float | None:
        """Seconds for one call: its own, else the client's, which is raised to `default`; None for no limit."""
        if rpc_timeout is not None:
            return seconds(rpc_timeout)
        return None if self._timeout is None else max(self._timeout, default)

    def answered(self) -> None:
        """A call came through."""
        self._reached = True

    def refused(self, error: grpc.RpcError) -> Error:
        """A call failed: returns what to raise."""
        translated = from_rpc_error(error, self.address)
        if not isinstance(translated, Unavailable) or translated.connected:
            self._reached = True
        return translated

    def outage(self) -> Outage:
        """A count of failures for one new reader."""
        return Outage(backoff=self._reconnect, clock=self._clock, chance=self._chance, reached=self._reached)
