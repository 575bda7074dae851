"""The keeper of a lease itself, on an actor instead of its thread."""

from typing import Any

from slotd_server.domain.errors import StoreBroken, StoreUnavailable
from slotd_server.domain.job import SECOND
from slotd_server.domain.server import News
from slotd_server.leases import Keeper
from tests.simulation.scheduler import Actor

_RETRY = 0.5
"""Seconds."""


class SimulatedKeeper(Keeper):
    """Each look is one step of its actor, and so is each notification."""

    def __init__(self, actor: Actor, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._actor = actor

    def start(self) -> None:
        self._actor.call_soon(self._turn)

    def notice(self, news: News, delay: int) -> None:
        """A notification is on its way, for so many microseconds."""
        self._actor.call_later(delay / SECOND, self._heard, news)

    def _turn(self) -> None:
        try:
            self.look()
            self.in_touch()
            pause = self._interval / SECOND
        except (StoreUnavailable, StoreBroken) as error:
            self.lost_touch(error)
            pause = _RETRY
        self._actor.call_later(pause, self._turn)
