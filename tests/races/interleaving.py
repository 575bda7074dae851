"""Two things at once, in an order that a test chooses: no sleeping, no luck."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest

from tests.unit.driver import Driver

PATIENCE = 10

Mutant = Callable[..., Any]


def caught(mutant: Mutant | None) -> AbstractContextManager[Any]:
    """The body must hold for the service as it is, and must fail for a mutant that does it the old way."""
    return nullcontext() if mutant is None else pytest.raises(AssertionError)


class WatchedLock:
    """A lock that says when somebody has to wait for it, and calls `released` once when it is let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.contended = threading.Event()
        self.released: Callable[[], None] | None = None

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.contended.set()
            assert self._lock.acquire(timeout=PATIENCE)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        released, self.released = self.released, None
        if released is not None:
            released()


class Meeting:
    """Lets `other` begin on a thread of its own when it is called first, and returns once `other` is through, or stands
    before the lock: whichever it is, `other` has come as far as it could."""

    def __init__(self, lock: WatchedLock, other: Callable[[], Any]) -> None:
        self._lock = lock
        self._other = other
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def __call__(self) -> None:
        if self._thread is not None:
            return
        self._lock.contended.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._lock.contended.wait(PATIENCE)

    def over(self) -> None:
        """Until `other` is through; raises what it raised."""
        assert self._thread is not None, "they have not met"
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._other()
        except BaseException as error:  # noqa: BLE001 - raised again by over()
            self._error = error
        finally:
            self._lock.contended.set()


@contextmanager
def watched(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedLock]:
    """The driver's lifecycle with a watched lock."""
    lock = WatchedLock()
    monkeypatch.setattr(driver.lifecycle, "_lock", lock)
    yield lock
