"""The handlers that are measured in processes of their own: one does nothing, one computes until it is cancelled, on a
thread as well."""

from typing import Any

from slotd import JobContext, job

_TURNS = 10_000


@job("noop-process", isolation="process")
def noop(_context: JobContext, _payload: Any) -> None:
    """Return at once."""


@job("spin", isolation="thread")
@job("spin-process", isolation="process")
def spin(context: JobContext, _payload: Any) -> None:
    """Compute, without ever letting go of the interpreter's lock unasked, until the job is cancelled."""
    while not context.cancelled:
        for _ in range(_TURNS):
            pass
