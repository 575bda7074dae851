"""Handlers that do to their process what handlers do: some well, some badly. `payload` is JSON."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from slotd import JobContext, PermanentError, Snooze, job

Function = TypeVar("Function", bound=Callable[..., Any])

LIMIT = "64MiB"


def isolated(kind: str, memory: str | None = None) -> Callable[[Function], Function]:
    """Registers a handler of `isolated/KIND`: other tests have kinds of their own in the same process."""
    return job(f"isolated/{kind}", isolation="process", memory=memory)


@isolated("pid")
def pid(ctx: JobContext, payload: object) -> int:
    return os.getpid()


@isolated("limited-pid", memory=LIMIT)
def limited_pid(ctx: JobContext, payload: object) -> int:
    return os.getpid()


@isolated("echo")
def echo(ctx: JobContext, payload: Any) -> Any:
    return payload


@isolated("context")
def context(ctx: JobContext, payload: object) -> dict[str, Any]:
    return {
        "job_id": ctx.job_id,
        "attempt": ctx.attempt,
        "kind": ctx.kind,
        "queue": ctx.queue,
        "labels": dict(ctx.labels),
        "deadline": None if ctx.deadline is None else ctx.deadline.timestamp(),
        "main thread": threading.current_thread() is threading.main_thread(),
    }


@isolated("results")
def results(ctx: JobContext, payload: object) -> dict[str, Any]:
    return dict(ctx.results)


@isolated("raise")
def fail(ctx: JobContext, name: str) -> None:
    raise {
        "ValueError": ValueError("bad"),
        "PermanentError": PermanentError("no such bucket"),
        "Snooze": Snooze(1.5),
        "SystemExit": SystemExit(3),
        "KeyboardInterrupt": KeyboardInterrupt(),
    }[name]


@isolated("async")
async def add(ctx: JobContext, numbers: list[int]) -> int:
    await asyncio.sleep(0)
    return sum(numbers)


@isolated("async-wait")
async def wait_async(ctx: JobContext, payload: object) -> None:
    ctx.write("waiting")
    try:
        await asyncio.Event().wait()
    finally:
        ctx.write(", cleaned")


@isolated("wait")
def wait(ctx: JobContext, payload: object) -> None:
    ctx.write(f"{os.getpid()}")
    ctx.wait_cancelled()
    ctx.raise_if_cancelled()


@isolated("meet")
def meet(ctx: JobContext, folder: str) -> int:
    """Returns once `n` of them are there."""
    name, _, number = folder.partition("*")
    Path(name, str(os.getpid())).touch()
    while len(list(Path(name).iterdir())) < int(number):
        ctx.wait_cancelled(0.005)
    return os.getpid()


@isolated("segfault")
def segfault(ctx: JobContext, payload: object) -> None:
    ctypes.string_at(0)


@isolated("fall")
def fall(ctx: JobContext, payload: object) -> None:
    """Tells where it is at, and falls once it is asked to stop."""
    ctx.progress(1, 2, "about to fall")
    ctx.write("last words")
    ctx.wait_cancelled()
    ctypes.string_at(0)


@isolated("exit")
def leave(ctx: JobContext, status: int) -> None:
    os._exit(status)


@isolated("abort")
def abort(ctx: JobContext, payload: object) -> None:
    os.abort()


@isolated("eat", memory=LIMIT)
def eat(ctx: JobContext, mebibytes: int) -> int:
    return len(bytearray(mebibytes << 20))


_kept: list[bytearray] = []


@isolated("keep", memory=LIMIT)
def keep(ctx: JobContext, mebibytes: int) -> int:
    _kept.append(bytearray(mebibytes << 20))
    return os.getpid()


@isolated("fill", memory=LIMIT)
def fill(ctx: JobContext, payload: object) -> bytes:
    """Keeps all that there is to be had."""
    result = bytes(900_000)
    with contextlib.suppress(MemoryError):
        while True:
            _kept.append(bytearray(1 << 19))
    return result


@isolated("loop")
def loop(ctx: JobContext, deaf: bool) -> None:
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctx.write(f"{os.getpid()}")
    while True:
        pass


@isolated("clean-up")
def clean_up(ctx: JobContext, path: str) -> None:
    """Ends in good order on SIGTERM, though it takes its time."""
    signal.signal(signal.SIGTERM, lambda *_: Path(path).write_text("cleaned", encoding="utf-8"))
    ctx.write("ready")
    while not Path(path).exists():
        time.sleep(0.005)


def _deaf() -> list[str]:
    """A command that ignores SIGTERM and says so."""
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    return [sys.executable, "-S", "-c", code]


@isolated("parent")
def parent(ctx: JobContext, then: str) -> None:
    """Starts a process that ignores SIGTERM, then waits, or dies."""
    child = subprocess.Popen(_deaf(), stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    ctx.write(f"{os.getpid()} {child.pid}")
    if then == "die":
        # When it has been taken.
        ctx.wait_cancelled()
        os._exit(1)
    ctx.wait_cancelled()
    signal.pause()


@isolated("fork")
def fork(ctx: JobContext, payload: object) -> None:
    """Leaves a copy of itself behind, in a session of its own, that has all that it had open."""
    escaped, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.write(tell, b"!")
        signal.pause()
    os.read(escaped, 1)
    ctx.write(f"{child}")
    ctx.wait_cancelled()
    os._exit(7)


_late: list[tuple[threading.Event, threading.Thread]] = []


@isolated("leave-a-thread")
def leave_a_thread(ctx: JobContext, payload: object) -> None:
    """Leaves a thread behind that writes when it is told to."""
    go = threading.Event()

    def write() -> None:
        go.wait()
        ctx.write("too late")

    thread = threading.Thread(target=write)
    thread.start()
    _late.append((go, thread))


@isolated("wake-the-thread")
def wake_the_thread(ctx: JobContext, payload: object) -> None:
    go, thread = _late.pop()
    go.set()
    thread.join()


@isolated("hog")
def hog(ctx: JobContext, fifo: str) -> None:
    """Says who it is, and never lets go of the interpreter again."""
    Path(fifo).write_text(str(os.getpid()), encoding="ascii")
    ctypes.PyDLL(None).pause()


@isolated("flood")
def flood(ctx: JobContext, mebibytes: int) -> None:
    for _ in range(mebibytes):
        ctx.write(bytes(1 << 20))


@isolated("burst")
def burst(ctx: JobContext, mebibytes: int) -> None:
    ctx.write(b"".join(bytes([65 + number]) * (1 << 20) for number in range(mebibytes)))
    ctx.progress(1, 1, "written")


@isolated("steps")
def steps(ctx: JobContext, number: int) -> None:
    for step in range(number):
        ctx.progress(step + 1, number, f"step {step + 1}")
        ctx.write(f"{step} ")


@isolated("print")
def say(ctx: JobContext, text: str) -> str:
    print(text)
    os.write(1, text.encode() + b"\n")
    return sys.stdin.read()


@isolated("close-files")
def close_files(ctx: JobContext, payload: object) -> None:
    os.closerange(3, 1024)
    # With the interpreter in hand, so that it can't even end itself.
    ctypes.PyDLL(None).pause()


@isolated("write-anywhere")
def write_anywhere(ctx: JobContext, payload: object) -> None:
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            os.set_blocking(number, False)
            os.write(number, b"nonsense" * 64)
    signal.pause()
