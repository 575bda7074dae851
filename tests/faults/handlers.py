"""Handlers for the fault tests. Those of the crash test note in the file SLOTD_TRACE when each call of theirs begins
and ends: what a dead process has done is seen there."""

import itertools
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from slotd import JobContext, Snooze, job

_trace = os.open(os.environ.get("SLOTD_TRACE", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _note(what: str, ctx: JobContext) -> None:
    # One write to a file opened for appending: lines of several threads never mix.
    os.write(_trace, f"{os.getpid()} {what} {ctx.job_id} {ctx.attempt}\n".encode())


def _traced(function: Callable[[JobContext, Any], Any]) -> Callable[[JobContext, Any], Any]:
    def call(ctx: JobContext, payload: Any) -> Any:
        _note("start", ctx)
        try:
            return function(ctx, payload)
        finally:
            _note("end", ctx)

    return call


@job("quick")
@_traced
def quick(ctx: JobContext, payload: Any) -> Any:
    """Returns what it is given."""
    return payload


@job("slow")
@_traced
def slow(ctx: JobContext, payload: Any) -> int:
    """Takes its time, and tells of it."""
    for step in range(4):
        ctx.progress(step, 4)
        ctx.write(f"step {step}\n")
        if ctx.wait_cancelled(0.02):
            ctx.raise_if_cancelled()
    return ctx.attempt


@job("flaky", initial_backoff=0.01, jitter=0)
@_traced
def flaky(ctx: JobContext, payload: Any) -> int:
    """Fails but for its last attempt."""
    if ctx.attempt < payload["attempts"]:
        raise RuntimeError(f"attempt {ctx.attempt} fails")
    return ctx.attempt


@job("hopeless", initial_backoff=0, jitter=0)
@_traced
def hopeless(ctx: JobContext, payload: Any) -> NoReturn:
    """Always fails."""
    raise RuntimeError("it never works")


@job("gather")
@_traced
def gather(ctx: JobContext, payload: Any) -> dict[str, bool]:
    """Tells which of the jobs that it depended on have returned something."""
    return {name: result is not None for name, result in ctx.results.items()}


_naps = itertools.count()


@job("sleepy")
@_traced
def sleepy(ctx: JobContext, payload: Any) -> str:
    """Puts every other call off."""
    if next(_naps) % 2 == 0:
        raise Snooze(0.01)
    return "awake"


@job("large", max_attempts=1)
def large(ctx: JobContext, payload: Any) -> bytes:
    """Waits to be told to go on, by a file, and returns that many bytes."""
    with open(payload["gate"], "rb") as gate:
        gate.read()
    return b"x" * int(payload["size"])


@job("gated")
def gated(ctx: JobContext, path: str) -> int:
    """Stands before the gate PATH-ATTEMPT, deaf to all else; returns the attempt."""
    with open(f"{path}-{ctx.attempt}", "rb") as gate:
        gate.read()
    return ctx.attempt


@job("until-cancelled")
def until_cancelled(ctx: JobContext, payload: Any) -> None:
    """Runs until it is asked to stop."""
    ctx.progress(1)
    ctx.wait_cancelled()


@job("deaf", max_attempts=1)
def deaf(ctx: JobContext, payload: Any) -> None:
    """Hears of nothing, and never ends."""
    ctx.progress(1)
    # A pipe to which nobody will ever write.
    os.read(os.pipe()[0], 1)


@job("exits", max_attempts=1)
def exits(ctx: JobContext, payload: Any) -> NoReturn:
    """Wants to end the process."""
    sys.exit(3)


@job("interrupts", max_attempts=1)
def interrupts(ctx: JobContext, payload: Any) -> NoReturn:
    """Does as Ctrl-C would."""
    raise KeyboardInterrupt


@job("closes", max_attempts=1)
def closes(ctx: JobContext, payload: Any) -> NoReturn:
    """Does as a generator's end would."""
    raise GeneratorExit


@job("exits-later", max_attempts=1)
async def exits_later(ctx: JobContext, payload: Any) -> NoReturn:
    """Wants to end the process, from a coroutine."""
    sys.exit(4)


@job("recurses", max_attempts=1)
def recurses(ctx: JobContext, payload: Any) -> NoReturn:
    """Calls itself for ever."""
    recurses(ctx, payload)
    raise AssertionError("it ended")


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise SystemExit("an error that can't even say what it is")


@job("unspeakable", max_attempts=1)
def unspeakable(ctx: JobContext, payload: Any) -> NoReturn:
    """Fails, and its error does so too."""
    raise _Unspeakable


class _BadSnooze(Snooze):
    def __init__(self) -> None:
        """Leaves out what makes it one."""


@job("snoozes-badly", max_attempts=1)
def snoozes_badly(ctx: JobContext, payload: Any) -> NoReturn:
    """Wants to be called later, but doesn't say when."""
    raise _BadSnooze


class _Treacherous(dict[str, int]):
    def items(self) -> Any:
        raise LookupError("no items today")


def _nested() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


_UNENCODABLE: dict[str, Callable[[], Any]] = {
    "object": object,
    "set": lambda: {1},
    "not a number": lambda: float("nan"),
    "lone surrogate": lambda: "\ud800",
    "nested": _nested,
    "treacherous": lambda: _Treacherous(a=1),
    "too large": lambda: b"x" * (2 << 20),
    "generator": lambda: iter(range(3)),
}


@job("unencodable", max_attempts=3)
def unencodable(ctx: JobContext, payload: Any) -> Any:
    """Returns what can't be written."""
    return _UNENCODABLE[payload]()


@job("echo")
def echo(ctx: JobContext, payload: Any) -> Any:
    """Returns what it is given."""
    return payload


@job("floods", max_attempts=1)
def floods(ctx: JobContext, payload: Any) -> int:
    """Writes so many pieces of output of so many bytes each."""
    pieces, size = payload
    for _ in range(pieces):
        ctx.write(b"x" * size)
    return int(pieces * size)
