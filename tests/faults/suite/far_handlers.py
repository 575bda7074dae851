"""A handler of one worker's own: jobs of its kind, which is SLOTD_FAR, run nowhere else."""

import os
from pathlib import Path
from typing import Any

from slotd import JobContext, job
from tests.faults.recorder import RunRecorder

_runs = RunRecorder(Path(os.environ.get("SLOTD_RUNS", os.devnull)))


@job(os.environ["SLOTD_FAR"])
@_runs.recorded
def far(ctx: JobContext, payload: Any) -> int:
    """Takes so many seconds."""
    if ctx.wait_cancelled(payload):
        ctx.raise_if_cancelled()
    return ctx.attempt
