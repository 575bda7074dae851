"""Handlers for the suite: some do what they are asked, and some are as bad as handlers get. All note in the file
SLOTD_RUNS when their calls begin and end."""

import os
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from slotd import JobContext, job
from tests.faults.recorder import RunRecorder

_runs = RunRecorder(Path(os.environ.get("SLOTD_RUNS", os.devnull)))


@job("quick")
@_runs.recorded
def quick(ctx: JobContext, payload: Any) -> Any:
    """Returns what it is given."""
    return payload


@job("slow")
@_runs.recorded
def slow(ctx: JobContext, payload: Any) -> int:
    """Takes its time, and tells of it."""
    for step in range(4):
        ctx.progress(step, 4)
        ctx.write(f"step {step}\n")
        if ctx.wait_cancelled(0.03):
            ctx.raise_if_cancelled()
    return ctx.attempt


@job("lasting")
@_runs.recorded
def lasting(ctx: JobContext, payload: Any) -> int:
    """Outlives a lease or two; its next attempt may be running when its server finds out that it was taken for dead."""
    if ctx.wait_cancelled(2.0):
        ctx.raise_if_cancelled()
    return ctx.attempt


@job("flaky", initial_backoff=0.01, jitter=0)
@_runs.recorded
def flaky(ctx: JobContext, payload: Any) -> int:
    """Fails but for its last attempt."""
    if ctx.attempt < payload["attempts"]:
        raise RuntimeError(f"attempt {ctx.attempt} fails")
    return ctx.attempt


@job("hopeless", initial_backoff=0, jitter=0)
@_runs.recorded
def hopeless(ctx: JobContext, payload: Any) -> NoReturn:
    """Always fails."""
    raise RuntimeError("it never works")


@job("hangs", max_attempts=1, timeout=0.2)
@_runs.recorded
def hangs(ctx: JobContext, payload: Any) -> None:
    """Hears of nothing, and never ends."""
    threading.Event().wait()


@job("exits", max_attempts=1)
@_runs.recorded
def exits(ctx: JobContext, payload: Any) -> NoReturn:
    """Wants to end the process."""
    sys.exit(3)


@job("kills", max_attempts=1)
@_runs.recorded
def kills(ctx: JobContext, payload: Any) -> NoReturn:
    """Does end the process, and asks nobody."""
    os._exit(4)


@job("prints", max_attempts=1)
@_runs.recorded
def prints(ctx: JobContext, payload: Any) -> int:
    """Writes so many bytes of output."""
    piece = b"x" * (1 << 20)
    for _ in range(0, payload, len(piece)):
        ctx.write(piece)
    return int(payload)
