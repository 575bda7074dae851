"""The handlers that the measured server, or its worker, runs: one does nothing, one tells when it was called, one holds
its slot until it is told to stop."""

import time
from typing import Any

from slotd import JobContext, job

_FOR_EVER = 86_400.0


@job("noop")
def noop(context: JobContext, _payload: Any) -> None:
    """Return at once, so that all that is measured is the service's own work."""


@job("clock")
def clock(_context: JobContext, _payload: Any) -> int:
    """Nanoseconds on the clock that all processes of a machine share."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


@job("hold")
def hold(context: JobContext, _payload: Any) -> None:
    """Keep the slot until the job is cancelled."""
    context.wait_cancelled(_FOR_EVER)
