"""When a cut call is tried again, and after how long: the part of it that does no input or output."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slotd.errors import Cancelled, DeadlineExceeded, Error, ResourceExhausted, Unavailable

# How often a service that has never answered is tried before the caller hears that there is none.
_FIRST_TRIES = 4

# How gRPC says that a call was cancelled on this side, by itself or with its channel.
_CANCELLED_HERE = ("Locally cancelled by application", "Channel closed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """How a reader tries again after a cut.

    Attributes:
        initial: seconds before the first new try.
        maximum: no wait is longer, unless the service asks for more.
        multiplier: each wait is the one before times this.
        jitter: each wait is changed at random by up to this share of itself, so that many readers don't come at once.
        give_up: seconds without any answer after which the error is raised; None goes on for ever.
    """

    initial: float = 0.1
    maximum: float = 10.0
    multiplier: float = 2.0
    jitter: float = 0.5
    give_up: float | None = None

    def delay(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many failures in a row (from 1); `chance` is from 0 to 1."""
        # The exponent is bounded so that a long outage does not overflow.
        plain = min(self.maximum, self.initial * self.multiplier ** min(failures - 1, 64))
        return plain * (1 + self.jitter * (2 * chance - 1))


@dataclass(slots=True)
class Outage:
    """One reader's failures in a row: says how long to wait before the next try, or that there shall be none."""

    backoff: Backoff = field(default_factory=Backoff)
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    # The service has answered before, so that its being away is taken for a restart.
    reached: bool = False
    _failures: int = 0
    _since: float = 0.0

    def answered(self) -> None:
        """The service answered: the next failure is a first one."""
        self.reached = True
        self._failures = 0

    def failed(self, error: Error) -> float | None:
        """Returns seconds to wait before the next try; None when the error is the caller's to know."""
        if not self._passes(error):
            return None
        if self._failures == 0:
            self._since = self.clock()
        self._failures += 1
        if isinstance(error, Cancelled) or (isinstance(error, Unavailable) and error.connected):
            # A connection that broke, or a service that says it is going: there was one.
            self.reached = True
        if not self.reached and self._failures >= _FIRST_TRIES:
            return None
        if self.backoff.give_up is not None and self.clock() - self._since >= self.backoff.give_up:
            return None
        return max(self.backoff.delay(self._failures, self.chance()), error.retry_after or 0.0)

    def _passes(self, error: Error) -> bool:
        if isinstance(error, ResourceExhausted):
            # The service may still count the stream that was cut, until it notices. A message that is too large has
            # no RetryInfo, and would be too large again.
            return self.reached and error.retry_after is not None
        if isinstance(error, Cancelled):
            # A server that stops cancels the calls that it has accepted but not begun.
            return not error.message.startswith(_CANCELLED_HERE)
        return isinstance(error, (Unavailable, DeadlineExceeded))
