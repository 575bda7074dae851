"""The time that a service under test goes by: it stands still until the test moves it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from slotd.handlers import Seconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StandingTime:
    """Both clocks of a service, in microseconds. They move together."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._now = start

    def now(self) -> int:
        """As of the service's Clock."""
        return self._now

    def monotonic(self) -> int:
        """As of the service's Clock."""
        return self._now - self._start

    def set(self, now: int) -> None:
        """That is the time."""
        self._now = now


class Clock:
    """A service's clock. It stands still, so that nothing falls due behind a test's back."""

    def __init__(self, time: StandingTime, move: Callable[[int], None]) -> None:
        self._time = time
        self._move = move

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return _EPOCH + self._time.now() * _MICROSECOND

    def advance(self, span: Seconds) -> None:
        """Let so much time pass, in seconds or as a timedelta.

        It stops at each moment at which something is due: a job's time, a retry, a timeout, a firing of a schedule, the
        end of a retention or of a queue timeout, a queue's rate. When this returns, all of that has been done. Jobs
        that begin on the way end before the time goes on; those that begin at the very end may still run. For jobs that
        ran before, time passes: their timeouts come.

        Raises ValueError for a span below zero, AssertionError for a job that began on the way and does not end.
        """
        seconds = span if isinstance(span, timedelta) else timedelta(seconds=span)
        self.move_to(self.now + seconds)

    def move_to(self, time: datetime) -> None:
        """As `advance`, up to this time. Raises ValueError for one that has passed, and for one without a time zone."""
        if time.tzinfo is None:
            raise ValueError(f"{time} has no time zone: say datetime(…, tzinfo=UTC)")
        if time < self.now:
            raise ValueError(f"it is {self.now} already: time does not run back to {time}")
        self._move(micros(time))


def micros(time: datetime) -> int:
    """Microseconds since the epoch."""
    return (time - _EPOCH) // _MICROSECOND
