"""What measures the service: metrics where HTTP shows them, spans where these are wanted, and whoever else looks on.
What is not wanted is not imported, and costs nothing."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

import slotd
from slotd_server.dispatch import Dispatcher
from slotd_server.domain.job import Job
from slotd_server.metrics.collect import Metrics
from slotd_server.observers import Observer, Observers
from slotd_server.rpc import calls
from slotd_server.rpc.counted import Counted
from slotd_server.rpc.stream import Streams


class Instruments:
    """`metrics` and `traces` say what is wanted; `others` are further observers of the writer."""

    def __init__(self, *, metrics: bool, traces: bool, others: Sequence[Observer] = ()) -> None:
        self._metrics = Metrics() if metrics else None
        self._traces = traces
        self.observers = Observers(*others, *self._own())

    @property
    def submitted(self) -> Callable[[Sequence[Job], float], None] | None:
        """Who wants to know of submissions."""
        return None if self._metrics is None else self._metrics.submitted

    def on(self, transport: str, *servicers: object) -> tuple[object, ...]:
        """The servicers, in the order of `calls.SERVICES`, as calls over a transport are to find them."""
        wrapped: Any = servicers
        if self._traces:
            # Not everybody who runs the service has OpenTelemetry.
            from slotd_server.rpc.traced import Traced

            wrapped = map(Traced, calls.SERVICES, wrapped)
        if self._metrics is not None:
            called = partial(self._metrics.called, transport)
            wrapped = (Counted(service, one, called) for service, one in zip(calls.SERVICES, wrapped, strict=True))
        return tuple(wrapped)

    def exposition(self, dispatcher: Dispatcher, streams: Streams) -> Callable[[], Awaitable[bytes]] | None:
        """Makes the page that Prometheus reads."""
        if self._metrics is None:
            return None
        # It needs what comes with HTTP.
        from slotd_server.metrics.exposition import Exposition

        return Exposition(self._metrics, dispatcher.call, streams, slotd.__version__).expose

    def _own(self) -> Iterator[Observer]:
        if self._traces:
            from slotd_server.tracing import Waits

            yield Waits()
        if self._metrics is not None:
            yield self._metrics
