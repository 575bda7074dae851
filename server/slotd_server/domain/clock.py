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
