"""Where commands wait for the writer: any thread puts them in, and whoever makes the next change takes them all.

A change has a fixed price, however little it holds. Callers that were answered together mostly call again together, but
reach the service one by one: where the first of them begins a change at once, each change holds a few commands and
takes the interpreter from the others that are on their way. So on a busy service a change waits for as many as the last
one has answered, for as long as they keep coming. One caller alone never waits for anybody, and what has come to pass
already, such as the end of a function, which frees a slot, waits for nothing.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

_GAP = 0.001
"""Seconds without another command after which nobody is waited for any more. A busy service takes some in that time."""

_ENOUGH = 64
"""How many commands are waited for at most: of more than that, the fixed price is no matter."""


class Inbox(Generic[T]):
    """`busy` says whether it is worth while to wait for company. One thread at most may be in `wait`, and one in `take`
    or `expect`."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._items: list[T] = []
        # Whether one of them is to be taken at once.
        self._pressing = False
        # Whether the waiter is to look up in any case. Only it takes that back: others may take what is there before.
        self._called = False
        # How many the waiter sleeps for; 0 while it is awake.
        self._wanted = 0
        self._company = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, *, patient: bool = False) -> None:
        """From any thread. A `patient` one may be kept until others have come."""
        with self._lock:
            self._items.append(item)
            self._pressing = self._pressing or not patient
            if self._wanted and self._ready():
                self._changed.notify()

    def leave(self, items: Iterable[T]) -> None:
        """By somebody who takes them himself, or knows that somebody comes for them: it wakes nobody."""
        with self._lock:
            self._items += items
            self._pressing = True

    def call(self) -> None:
        """Have the waiter look up, now or when it waits next. From any thread."""
        with self._lock:
            self._called = True
            if self._wanted:
                self._changed.notify()

    def wait(self, seconds: float) -> bool:
        """Until there is something to take, or somebody has called; False where the time is over, so many seconds."""
        with self._lock:
            woken = self._sleep(1, seconds)
            self._gather()
            self._called = False
            return woken

    def take(self, most: int) -> list[T]:
        """The first that are there, up to `most`."""
        with self._lock:
            taken, self._items = self._items[:most], self._items[most:]
            self._pressing = bool(self._items)
            return taken

    def expect(self, answered: int) -> None:
        """So many callers are about to get their answers; those that came meanwhile wait with them from now on."""
        self._company = min(answered + len(self._items), _ENOUGH)

    def _gather(self) -> None:
        """Wait for as many as are expected, while they keep coming."""
        there = len(self._items)
        while 0 < there < self._company and self._busy():
            self._sleep(self._company, _GAP)
            before, there = there, len(self._items)
            if there == before:
                return

    def _sleep(self, wanted: int, seconds: float) -> bool:
        """Until so many are there, or one that presses, or somebody calls; False where the time is over."""
        self._wanted = wanted
        woken = self._changed.wait_for(self._ready, seconds)
        self._wanted = 0
        return woken

    def _ready(self) -> bool:
        return self._called or self._pressing or len(self._items) >= self._wanted
