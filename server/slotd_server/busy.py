"""How busy this process is."""

import time
from collections.abc import Callable

_WINDOW = 0.05
"""Seconds over which it is measured, at least."""

_MOST = 0.8
"""Of one core, which is all that Python can use at a time."""


class Busy:
    """Whether the process had most of a core's time lately: from the look before, if that is not too short ago, to this
    one. `wall` and `used` are clocks, in seconds: of the time that passes, and of the processor's time for the process.
    """

    def __init__(
        self, wall: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.process_time
    ) -> None:
        self._wall = wall
        self._used = used
        self._last = (wall(), used())
        self._busy = False

    def __call__(self) -> bool:
        now = (self._wall(), self._used())
        passed, used = now[0] - self._last[0], now[1] - self._last[1]
        if passed >= _WINDOW:
            self._busy = used >= passed * _MOST
            self._last = now
        return self._busy
