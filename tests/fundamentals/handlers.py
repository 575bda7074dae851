"""Handlers that the tests put work to. One that is to end when a test says so waits at a gate, known by its name."""

import signal
import threading

from google.protobuf.timestamp_pb2 import Timestamp

from slotd import JobContext, PermanentError, Snooze, job

_gates: dict[str, threading.Event] = {}
_lock = threading.Lock()


def gate(name: str) -> threading.Event:
    """The gate of this name; a new one is closed."""
    with _lock:
        return _gates.setdefault(name, threading.Event())


def open_all() -> None:
    """Lets all go that wait, and forgets the gates."""
    with _lock:
        for one in _gates.values():
            one.set()
        _gates.clear()


@job("add")
def add(ctx: JobContext, numbers: list[int]) -> int:
    return sum(numbers)


@job("shout")
def shout(ctx: JobContext, text: str) -> str:
    return text.upper()


@job("reverse")
def reverse(ctx: JobContext, data: bytes) -> bytes:
    return data[::-1]


@job("next-second")
def next_second(ctx: JobContext, time: Timestamp) -> Timestamp:
    return Timestamp(seconds=time.seconds + 1)


@job("idle")
def idle(ctx: JobContext, payload: object) -> None:
    return None


@job("echo-async")
async def echo_async(ctx: JobContext, payload: object) -> object:
    return payload


@job("count")
def count(ctx: JobContext, total: int) -> int:
    for done in range(1, total + 1):
        ctx.progress(done, total, f"step {done}")
    return total


@job("print")
def print_lines(ctx: JobContext, lines: list[str]) -> None:
    for line in lines:
        ctx.write(line)


@job("print-then-wait")
def print_then_wait(ctx: JobContext, name: str) -> None:
    """Writes, waits at the gate `name`, writes again."""
    ctx.write("before\n")
    gate(name).wait()
    ctx.write("after\n")


@job("raise-signal", max_attempts=1)
def raise_signal(ctx: JobContext, number: int) -> None:
    """Sends its own thread a signal, and runs until it is cancelled."""
    signal.raise_signal(number)
    ctx.wait_cancelled()


@job("patient", max_attempts=1)
def patient(ctx: JobContext, payload: object) -> None:
    """Runs until it is cancelled, and then stops at once."""
    ctx.wait_cancelled()
    ctx.raise_if_cancelled()


@job("gated", max_attempts=1)
def gated(ctx: JobContext, name: str) -> int:
    """Waits at the gate `name`, deaf to all else. The result is the attempt."""
    gate(name).wait()
    return ctx.attempt


@job("stumble", max_attempts=3, initial_backoff=0.001, jitter=0)
def stumble(ctx: JobContext, good_attempt: int) -> int:
    """Fails until its attempt is `good_attempt`."""
    if ctx.attempt < good_attempt:
        raise RuntimeError(f"attempt {ctx.attempt} stumbled")
    return ctx.attempt


@job("hopeless")
def hopeless(ctx: JobContext, why: str) -> None:
    raise PermanentError(why)


_snoozed: set[str] = set()


@job("snooze-once", max_attempts=1)
def snooze_once(ctx: JobContext, payload: object) -> int:
    """Asks once to be called later."""
    if ctx.job_id not in _snoozed:
        _snoozed.add(ctx.job_id)
        raise Snooze(0.001)
    return ctx.attempt
