"""Who makes the next change: one thread at a time, and nothing is left lying."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from slotd_server.inbox import Inbox
from slotd_server.writer import Writer
from tests.unit.scripted import PATIENCE

LONG = 1_000_000.0
"""Seconds for which the writer's thread sleeps by itself: for ever, as far as a test goes."""

MOST = 10


class Desk:
    """A writer, and what it carries out. The next step stands still while the gate is shut."""

    def __init__(self) -> None:
        self.inbox: Inbox[int] = Inbox(lambda: False)
        self.pause = LONG
        self.steps: list[tuple[str, list[int]]] = []
        self.failures: list[tuple[BaseException, list[int]]] = []
        self.error: BaseException | None = None
        self.within = threading.Event()
        self._gate = threading.Event()
        self._gate.set()
        self._changed = threading.Condition()
        self.writer = Writer(self.inbox, self._step, lambda: self.pause, self._failed, most=MOST)

    def shut(self) -> None:
        self.within.clear()
        self._gate.clear()

    def open(self) -> None:
        self._gate.set()

    def until(self, *steps: list[int]) -> None:
        """Until just this has been carried out, in this order; what fell due when nothing was there is left out."""

        def there() -> bool:
            return [what for _, what in self.steps if what] == [*steps]

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE), self.steps

    def until_looked(self) -> None:
        """Until the writer's thread has looked by itself."""
        with self._changed:
            assert self._changed.wait_for(lambda: ("slotd-writer", []) in self.steps, PATIENCE)
            self.steps.clear()

    def here(self, *items: int) -> None:
        """As a thread does that has nothing else to do."""
        self.inbox.leave(items)
        self.writer.relieve()

    @contextmanager
    def at_it(self, *items: int) -> Iterator[None]:
        """While another thread is in the midst of carrying these out."""
        self.shut()
        other = threading.Thread(target=self.here, args=items, name="other", daemon=True)
        other.start()
        assert self.within.wait(PATIENCE)
        yield
        self.open()
        other.join(PATIENCE)
        assert not other.is_alive()

    def _step(self, batch: list[int]) -> None:
        self.within.set()
        assert self._gate.wait(PATIENCE)
        with self._changed:
            self.steps.append((threading.current_thread().name, batch))
            self._changed.notify_all()
        if self.error is not None:
            raise self.error

    def _failed(self, error: BaseException, batch: list[int]) -> None:
        self.failures.append((error, batch))


class Asked:
    """A lock that tells when somebody is about to wait for it."""

    def __init__(self) -> None:
        self.waits = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.waits.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def acquire(self, blocking: bool) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.writer.start()
    made.until_looked()
    yield made
    made.open()
    made.writer.stop()


def test_its_thread_comes_for_what_is_put_in(desk: Desk) -> None:
    desk.inbox.put(1)
    desk.until([1])
    assert desk.steps == [("slotd-writer", [1])]


def test_a_thread_that_has_time_does_it_itself(desk: Desk) -> None:
    desk.here(1, 2)
    assert desk.steps == [(threading.current_thread().name, [1, 2])]


def test_one_that_finds_nothing_does_nothing(desk: Desk) -> None:
    desk.writer.relieve()
    assert desk.steps == []


def test_what_is_left_while_another_is_at_it_is_carried_out_after_that(desk: Desk) -> None:
    with desk.at_it(1):
        desk.here(2)
        desk.here(3)
        assert desk.steps == [], "nobody waits for his turn"
    desk.until([1], [2, 3])


def test_nobody_is_at_it_while_another_is(desk: Desk) -> None:
    asked = Asked()
    with desk.at_it(1):
        desk.writer._turn, held = asked, desk.writer._turn  # type: ignore[assignment]
        asked._lock = held
        desk.inbox.put(2)
        assert asked.waits.wait(PATIENCE), "its thread has been called, and stands behind the other"
        desk.writer.relieve()
        assert desk.steps == []
    desk.until([1], [2])


def test_what_the_thread_leaves_it_comes_back_for(desk: Desk) -> None:
    desk.shut()
    desk.inbox.put(1)
    assert desk.within.wait(PATIENCE)
    desk.here(2)
    desk.open()
    desk.until([1], [2])
    assert {name for name, _ in desk.steps} == {"slotd-writer"}


def test_a_time_that_comes_sooner_is_not_slept_through(desk: Desk) -> None:
    desk.pause = 0.0
    desk.here(1)
    # Once the thread knows of it, it would come again and again.
    with desk._changed:
        assert desk._changed.wait_for(lambda: ("slotd-writer", []) in desk.steps, PATIENCE)
    desk.pause = LONG


def test_its_thread_is_left_alone_where_there_is_nothing_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[None] = []
    monkeypatch.setattr(desk.inbox, "call", lambda: called.append(None))
    desk.pause = 2 * LONG
    desk.here(1)
    assert not called


def test_to_stop_is_to_carry_out_what_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [*range(MOST + 1)]
    asked = threading.Event()
    call = desk.inbox.call

    def called() -> None:
        call()
        asked.set()

    stop = threading.Thread(target=desk.writer.stop, daemon=True)
    with desk.at_it(1):
        desk.here(*many)
        monkeypatch.setattr(desk.inbox, "call", called)
        stop.start()
        assert asked.wait(PATIENCE)
    stop.join(PATIENCE)
    assert [what for _, what in desk.steps] == [[1], many[:MOST], many[MOST:]]


def test_nothing_is_carried_out_once_it_has_stopped(desk: Desk) -> None:
    desk.writer.stop()
    desk.here(1)
    desk.writer.stop()
    assert desk.steps == []


@pytest.mark.parametrize("here", [True, False])
def test_what_fails_is_told_once_and_is_the_last(desk: Desk, here: bool) -> None:
    desk.error = OSError("no disk")
    if here:
        desk.here(1)
    else:
        desk.inbox.put(1)
    desk.writer._thread.join(PATIENCE)
    assert not desk.writer._thread.is_alive()
    desk.here(2)
    assert desk.failures == [(desk.error, [1])]
    assert [what for _, what in desk.steps] == [[1]]


def test_one_that_never_started_stops() -> None:
    idle = Desk()
    idle.writer.stop()
    assert not idle.writer.started
