"""Time, as something that is handed in."""

import time
from typing import Protocol


class Clock(Protocol):
    """Both in microseconds. `now` is the time of day, which may jump; `monotonic` never does and measures attempts."""

    def now(self) -> int: ...

    def monotonic(self) -> int: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> int:
        return time.monotonic_ns() // 1000


class SharedClock:
    """The machine's clocks, with the time of day as a store has it that several machines share: rates and times that
    are due go by one clock, however their own may differ."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._offset = 0

    def now(self) -> int:
        return self._clock.now() + self._offset

    def monotonic(self) -> int:
        return self._clock.monotonic()

    def set(self, now: int) -> None:
        """That is the time by the store's clock."""
        self._offset = now - self._clock.now()
