"""Who only looks on at what the writer does: metrics, the log of transitions, traces."""

import traceback
from collections.abc import Callable
from typing import Protocol

import structlog

from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.lifecycle import Committed

log = structlog.get_logger()


class Observer(Protocol):
    """Hears what the writer does, on the thread that does it, when callers have been given their answers."""

    def committed(self, committed: Committed) -> None:
        """A change was made."""

    def not_taken(self, error: ServiceError | StoreBroken) -> None:
        """The store did not take a change."""


class Observers:
    """Several of them. What one of them raises is logged: who only looks on must not stop the service."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def committed(self, committed: Committed) -> None:
        """As in Observer."""
        self._each(lambda observer: observer.committed(committed))

    def not_taken(self, error: ServiceError | StoreBroken) -> None:
        """As in Observer."""
        self._each(lambda observer: observer.not_taken(error))

    def _each(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception as error:  # noqa: BLE001 - as above
                # As text, made here: what renders exceptions for people shows variables too, and with them payloads.
                text = "".join(traceback.format_exception(error))
                log.error("an observer failed", observer=type(observer).__name__, exception=text)


NOBODY = Observers()
