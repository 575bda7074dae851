"""The dispatcher itself, on an actor instead of its thread."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from slotd_server import inbox, writer
from slotd_server.dispatch import _BATCH, Dispatcher, Waiting
from slotd_server.domain.errors import StoreBroken
from slotd_server.domain.job import Job
from slotd_server.execution.base import Workforce
from tests.simulation.scheduler import Actor


class Inbox(inbox.Inbox[Waiting]):
    """Tells by `rang` that there is something in it. Nobody waits: the actor comes when there is, or at its time."""

    rang: Callable[[], None]

    def put(self, item: Waiting, *, patient: bool = False) -> None:
        super().put(item, patient=patient)
        self.rang()


class _Running(writer.Writer[Waiting]):
    """One that has been started, as far as anybody asks."""

    @property
    def started(self) -> bool:
        return True


class Writer(Dispatcher):
    """One turn of the dispatcher's thread is one step of its actor. Made, like any dispatcher, on its event loop."""

    def __init__(self, actor: Actor, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._actor = actor
        ours = Inbox(lambda: False)
        ours.rang = self._ring
        self._inbox = ours
        self._rung = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def repulsed(self) -> bool:
        """Whether the store took nothing when it was last asked; it is asked again after a while."""
        return self._retry_at is not None

    def start(self, runner: Workforce, afield: Sequence[Job] = ()) -> None:
        assert not afield
        self._runner = runner
        self._writer = _Running(self._inbox, self._step, self._pause, self._break, most=_BATCH)
        self.wake()

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            self._actor.call_soon(self._turn)

    def _turn(self) -> None:
        self._rung = False
        try:
            self._rest()
            self._step(self._inbox.take(_BATCH))
        except StoreBroken as broken:
            self._failed(broken)
            return
        if self._inbox:
            self._ring()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._actor.call_later(self._sleep(), self._ring)
