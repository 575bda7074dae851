"""What happened in each second of the last minute: how many jobs ended, how long they waited and ran."""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

SECONDS = 60
"""How far back it goes."""

# A rate is the mean of so many whole seconds.
_RATE_SECONDS = 10
# Durations are counted in buckets, each so much wider than the one before: a quantile is off by 5% at most, however
# many jobs there are, and a second takes no more than some 200 numbers.
_GROWTH = 1.1
_SHORTEST = 0.000_1


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Seconds that half of the durations, and 99 in 100, stayed below; None where there were none."""

    p50: float | None = None
    p99: float | None = None


@dataclass(slots=True)
class _Second:
    number: int
    ended: int = 0
    by_queue: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)


class LastMinute:
    """Counts by the second. `clock` tells seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._first = math.floor(clock())
        self._seconds: deque[_Second] = deque()

    def ended(self, queue: str) -> None:
        """A job of this queue ended just now."""
        second = self._current()
        second.ended += 1
        second.by_queue[queue] += 1

    def waited(self, seconds: float) -> None:
        """A job started after so many seconds."""
        self._current().waits[_bucket(seconds)] += 1

    def ran(self, seconds: float) -> None:
        """An attempt that ended a job took so many seconds."""
        self._current().runs[_bucket(seconds)] += 1

    def ends(self) -> list[int]:
        """How many jobs ended in each whole second, oldest first, the present one left out."""
        counts = {second.number: second.ended for second in self._kept()}
        now = math.floor(self._clock())
        return [counts.get(number, 0) for number in range(now - SECONDS, now)]

    def rate(self, queue: str | None = None) -> float:
        """Ends a second, over the last ten seconds or those since it began; of one queue, or of all."""
        now = math.floor(self._clock())
        since = max(now - _RATE_SECONDS, self._first)
        counted = [second for second in self._kept() if since <= second.number < now]
        total = sum(second.ended if queue is None else second.by_queue[queue] for second in counted)
        return total / max(now - since, 1)

    def waits(self) -> Quantiles:
        """How long jobs waited that started in the last minute."""
        return _quantiles(second.waits for second in self._kept())

    def runs(self) -> Quantiles:
        """How long the last attempts took of jobs that ended in the last minute."""
        return _quantiles(second.runs for second in self._kept())

    def _current(self) -> _Second:
        number = math.floor(self._clock())
        seconds = self._kept()
        if not seconds or seconds[-1].number != number:
            seconds.append(_Second(number))
        return seconds[-1]

    def _kept(self) -> deque[_Second]:
        oldest = math.floor(self._clock()) - SECONDS
        while self._seconds and self._seconds[0].number < oldest:
            self._seconds.popleft()
        return self._seconds


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, _SHORTEST), _GROWTH))


def _quantiles(counts: Iterable[Counter[int]]) -> Quantiles:
    merged: Counter[int] = Counter()
    for one in counts:
        merged.update(one)
    return Quantiles(_quantile(merged, 0.5), _quantile(merged, 0.99))


def _quantile(counts: Counter[int], share: float) -> float | None:
    wanted = share * counts.total()
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if passed >= wanted:
            # The middle of the bucket.
            return math.pow(_GROWTH, bucket + 0.5)
    return None
