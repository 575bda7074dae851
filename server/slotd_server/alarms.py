"""What the time of a running attempt comes for."""

from collections.abc import Iterator
from enum import Enum, auto
from heapq import heappop, heappush

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Failure


class Alarm(Enum):
    """What is to happen then."""

    TIMEOUT = auto()
    GRACE = auto()
    REPORT = auto()


OVERRUN = {
    Alarm.TIMEOUT: Failure("TIMEOUT", "the attempt took longer than its timeout"),
    Alarm.GRACE: Failure("CANCELLED", "it did not stop within the cancel grace"),
}
"""What the attempt ends with, where that is its end."""


class Alarms:
    """Times by a monotonic clock, in microseconds. Those of attempts that have ended meanwhile come too."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, Lease, int, Alarm]] = []

    @property
    def next(self) -> int | None:
        """When the next one comes; None where there is none."""
        return self._heap[0][0] if self._heap else None

    def set(self, time: int, lease: Lease, alarm: Alarm) -> None:
        """One more, at that time."""
        heappush(self._heap, (time, lease, alarm.value, alarm))

    def due(self, now: int) -> Iterator[tuple[Lease, Alarm]]:
        """Those whose time has come, which are then gone, the earliest first."""
        while self._heap and self._heap[0][0] <= now:
            _, lease, _, alarm = heappop(self._heap)
            yield lease, alarm
