"""The scripted handler: a job whose payload says what it does, step by step, the same in every language."""

from pathlib import Path
from typing import Any

from slotd import JobContext, PermanentError, Snooze

_snoozed: set[str] = set()


def run(ctx: JobContext, payload: Any) -> Any:
    """Does the steps of `{"do": [steps]}` in order; the first that ends the job does."""
    for step in payload["do"]:
        ((name, argument),) = step.items()
        match name:
            case "progress":
                ctx.progress(*argument)
            case "write":
                ctx.write(argument)
            case "sleep":
                ctx.wait_cancelled(argument)
            case "until_cancelled":
                ctx.wait_cancelled()
                ctx.raise_if_cancelled()
            case "gate":
                _wait_for(ctx, Path(argument))
            case "fail":
                raise RuntimeError(argument)
            case "permanent":
                raise PermanentError(argument)
            case "snooze":
                _snooze_once(ctx.job_id, argument)
            case "result":
                return argument
            case "context":
                return {
                    "job_id": ctx.job_id,
                    "attempt": ctx.attempt,
                    "kind": ctx.kind,
                    "queue": ctx.queue,
                    "labels": dict(ctx.labels),
                    "traceparent": ctx.traceparent,
                }
            case "dependencies":
                return dict(ctx.results)
            case _:
                raise PermanentError(f"no such step: {name}")
    return None


def _wait_for(ctx: JobContext, gate: Path) -> None:
    # A file, so that a gate outlives the service; looked for, since the job may be cancelled meanwhile.
    while not gate.exists():
        ctx.wait_cancelled(0.02)
        ctx.raise_if_cancelled()


def _snooze_once(job_id: str, seconds: float) -> None:
    if job_id not in _snoozed:
        _snoozed.add(job_id)
        raise Snooze(seconds)
