"""What the time of a running attempt comes for."""

from collections.abc import Container, Iterator
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Failure

_SWEEP_FROM = 256
"""With how many alarms it is worth while to look for those that never come."""


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


_Entry: TypeAlias = tuple[int, Lease, int, Alarm]


class Alarms:
    """Times by a monotonic clock, in microseconds, of the attempts that are in `running`. Those of others never come,
    and are not kept for long: most attempts end well before their timeout."""

    def __init__(self, running: Container[Lease]) -> None:
        self._running = running
        self._heap: list[_Entry] = []
        self._sweep_at = _SWEEP_FROM

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next(self) -> int | None:
        """When the next one comes; None where there is none."""
        while self._heap and self._heap[0][1] not in self._running:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def set(self, time: int, lease: Lease, alarm: Alarm) -> None:
        """One more, at that time."""
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        heappush(self._heap, (time, lease, alarm.value, alarm))

    def due(self, now: int) -> Iterator[tuple[Lease, Alarm]]:
        """Those whose time has come, which are then gone, the earliest first."""
        while (time := self.next) is not None and time <= now:
            _, lease, _, alarm = heappop(self._heap)
            yield lease, alarm

    def _sweep(self) -> None:
        self._heap = [entry for entry in self._heap if entry[1] in self._running]
        heapify(self._heap)
        # Not again before as many have come: what that costs is shared by all of them.
        self._sweep_at = max(2 * len(self._heap), _SWEEP_FROM)
