"""Handlers that do as their payload says. They are given to services by kind: nothing is registered."""

import threading
from typing import Any

from slotd import JobContext, PermanentError, Snooze


def echo(ctx: JobContext, payload: Any) -> Any:
    return payload


def fail(ctx: JobContext, payload: Any) -> None:
    raise ValueError(f"as told: {payload}")


def give_up(ctx: JobContext, payload: Any) -> None:
    raise PermanentError("for good")


def snooze(ctx: JobContext, payload: Any) -> str:
    if ctx.labels.get("again") != "no":
        raise Snooze(payload)
    return "awake"


def where(ctx: JobContext, payload: Any) -> dict[str, Any]:
    """Where it runs, and as what."""
    return {"thread": threading.get_ident(), "attempt": ctx.attempt, "labels": dict(ctx.labels), "queue": ctx.queue}


def patient(ctx: JobContext, payload: Any) -> bool:
    """Runs until it is told to stop."""
    return ctx.wait_cancelled()


HANDLERS = {
    "echo": echo,
    "fail": fail,
    "give-up": give_up,
    "snooze": snooze,
    "where": where,
    "patient": patient,
}
