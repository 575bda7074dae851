"""Handlers that do next to nothing, to try the service with: `noop`, `sleep` and `flaky`."""

import time

from examples.payloads import Fields
from slotd import JobContext, job

_TICK = 0.2


@job("noop")
def noop(_: JobContext, payload: object) -> object:
    """Returns its payload, whatever that is."""
    return payload


@job("sleep", max_attempts=1)
def sleep(ctx: JobContext, payload: object) -> dict[str, object]:
    """Waits, and says how long it has: `{"seconds": 30}`. Cancelled, it ends at once."""
    seconds = Fields(payload, "seconds").number("seconds", 10, 0, 86_400)
    start = time.monotonic()
    while (left := start + seconds - time.monotonic()) > 0:
        ctx.progress(round((seconds - left) * 1000), round(seconds * 1000), f"{left:.0f} s left")
        # Not time.sleep, which would hear of the cancellation only when it is over.
        ctx.wait_cancelled(min(_TICK, left))
        ctx.raise_if_cancelled()
    ctx.progress(round(seconds * 1000), round(seconds * 1000), "done")
    return {"slept": seconds}


@job("flaky", initial_backoff=0.5, max_attempts=10, jitter=0)
def flaky(ctx: JobContext, payload: object) -> dict[str, object]:
    """Fails in its first attempts, then succeeds: `{"failures": 2}`."""
    failures = Fields(payload, "failures").number("failures", 2, 0, 10_000)
    ctx.write(f"attempt {ctx.attempt}\n")
    if ctx.attempt <= failures:
        raise RuntimeError(f"attempt {ctx.attempt} of {failures:g} that fail")
    return {"attempts": ctx.attempt}
