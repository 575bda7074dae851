"""Who makes the next change: one thread at a time, whichever it is.

A thread of its own comes for what callers ask and for what falls due. But a thread that has just run a function, and
has no other to run, makes the change itself that ends it and starts the next: to wake the writer's thread, and to be
woken by it, costs a good part of what a short job costs.

So nobody may rely on being the only one who makes changes, only on being alone while he does. And nothing may be left
lying: whoever has had his turn sees, after it, whether more has come meanwhile, and calls the writer's thread for that.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from slotd_server.inbox import Inbox

T = TypeVar("T")


class Writer(Generic[T]):
    """`step` carries out what was taken from the inbox, up to `most` at a time. `pause` says in how many seconds it is
    to be called though nobody asked for anything. What either of them raises is given to `failed`, with what had been
    taken, and nothing is carried out any more. All three are called by one thread at a time."""

    def __init__(
        self,
        inbox: Inbox[T],
        step: Callable[[list[T]], None],
        pause: Callable[[], float],
        failed: Callable[[BaseException, list[T]], None],
        *,
        most: int,
    ) -> None:
        self._inbox = inbox
        self._step = step
        self._pause = pause
        self._failed = failed
        self._most = most
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="slotd-writer", daemon=True)
        # When the thread will look up by itself, by time.monotonic.
        self._until = 0.0
        self._stopping = False
        self._over = False

    @property
    def started(self) -> bool:
        """Whether there is anybody to carry out anything."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin with what has fallen due before."""
        self._thread.start()

    def stop(self) -> None:
        """Carry out what still waits, and nothing after that. Blocks. Idempotent."""
        self._stopping = True
        self._inbox.call()
        if self.started:
            self._thread.join()

    def relieve(self) -> None:
        """Carry out what waits on this thread, unless another is at it, who will see to it then. From any thread that
        holds nothing that a step needs."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            pause = None if self._over else self._work(due=False)
        finally:
            self._turn.release()
        # Only after that: who has come in vain since then is seen here, or finds that it is his turn.
        if pause is None or self._inbox or time.monotonic() + pause < self._until:
            self._inbox.call()

    def _run(self) -> None:
        nap = 0.0
        while True:
            woken = self._inbox.wait(nap)
            with self._turn:
                pause = None if self._over else self._work(due=not woken)
                if pause is None or (self._stopping and not self._inbox):
                    self._over = True
                    return
                # With the turn: whoever has the next one must know it.
                self._until = time.monotonic() + pause
            nap = pause

    def _work(self, *, due: bool) -> float | None:
        """With the turn. → seconds until the next look; None where there will be none."""
        batch: list[T] = []
        try:
            batch = self._inbox.take(self._most)
            if batch or due:
                self._step(batch)
            return self._pause()
        except BaseException as error:  # noqa: BLE001 - whoever made this is told, and nothing goes on
            self._over = True
            self._failed(error, batch)
            return None
