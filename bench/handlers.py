"""The handlers that the measured server runs: one does nothing, one holds its slot until it is told to stop."""

from typing import Any

from slotd import JobContext, job

_FOR_EVER = 86_400.0


@job("noop")
def noop(context: JobContext, _payload: Any) -> None:
    """Return at once, so that all that is measured is the service's own work."""


@job("hold")
def hold(context: JobContext, _payload: Any) -> None:
    """Keep the slot until the job is cancelled."""
    context.wait_cancelled(_FOR_EVER)
