"""What is counted, as lean as it gets: a busy service counts some things of every job.

One thread at a time counts; any thread may read a tally meanwhile, and then reads what is hardly old.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")

OTHER = "other"
"""Stands for all values of a label beyond those that are told apart."""

_MOST_VALUES = 100
_MOST_PAIRS = 1000

JOB_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""The bounds of what jobs take: from half a millisecond to an hour."""

CALL_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The bounds of what calls and commits take."""

COMMANDS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2048.0)
"""The bounds of how many commands one commit carries out."""


class Histogram:
    """How many observations there were up to each of the `bounds`, and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """The bounds as Prometheus writes them, each with how many observations are at most that, +Inf last."""
        bounds = [*map(str, self._bounds), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))


class Labels:
    """Which queues and kinds have series of their own: the first hundred each, and the first thousand pairs. Whatever
    comes later is OTHER, so that nobody's made-up names fill the memory of this service, and of Prometheus."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: set[str] = set()
        self._kinds: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()

    def queue(self, name: str) -> str:
        with self._lock:
            return _bounded(name, self._queues)

    def pair(self, queue: str, kind: str) -> tuple[str, str]:
        with self._lock:
            pair = (_bounded(queue, self._queues), _bounded(kind, self._kinds))
            if pair not in self._pairs and len(self._pairs) >= _MOST_PAIRS:
                return OTHER, OTHER
            self._pairs.add(pair)
            return pair


def _bounded(value: str, known: set[str]) -> str:
    if value not in known:
        if len(known) >= _MOST_VALUES:
            return OTHER
        known.add(value)
    return value


class ByQueueAndKind(Generic[T]):
    """One T for each queue and kind."""

    def __init__(self, labels: Labels, make: Callable[[], T]) -> None:
        self._labels = labels
        self._make = make
        self._found: dict[tuple[str, str], T] = {}

    def of(self, queue: str, kind: str) -> T:
        found = self._found.get((queue, kind))
        return self._bounded(queue, kind) if found is None else found

    def each(self) -> list[tuple[tuple[str, str], T]]:
        # A copy in one step, as the counting thread may add to it just now.
        return list(self._found.items())

    def _bounded(self, queue: str, kind: str) -> T:
        pair = self._labels.pair(queue, kind)
        found = self._found.get(pair)
        if found is None:
            found = self._found[pair] = self._make()
        return found
