"""Processes that can be ended for certain: each leads a session and a process group of its own, which goes with it."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_GONE_SECONDS = 1.0
"""How long a killed group may take to vanish. One in which somebody is stuck in the kernel never does."""

_LOOK_SECONDS = 0.002


class Group:
    """A process that has been started, and whatever it starts in its group. `options` are those of subprocess.Popen.

    A parent-death signal that the process asks for comes when the thread that made it ends: that thread is to `wait`.
    `overdue` says that its time to end by itself, or in good order, has passed. Raises OSError, or what else subprocess
    raises, where it can't be started.
    """

    def __init__(self, arguments: Sequence[str], **options: Any) -> None:
        self.process = subprocess.Popen(arguments, start_new_session=True, **options)
        self.overdue = False
        self._lock = threading.Lock()
        self._gone = False
        self._timer: threading.Timer | None = None

    def ask(self) -> None:
        """SIGTERM to all of the group, and nothing more."""
        with self._lock:
            if not self._gone:
                self._signal(signal.SIGTERM)

    def terminate(self, grace: float) -> None:
        """SIGTERM to all of the group, SIGKILL after so many seconds. The first call counts."""
        with self._lock:
            if self._gone or self._timer is not None:
                return
            self._signal(signal.SIGTERM)
            self._start_timer(grace)

    def end_within(self, seconds: float) -> None:
        """It is about to end by itself: SIGKILL to all of the group if it has not in so many seconds."""
        with self._lock:
            if not self._gone and self._timer is None:
                self._start_timer(seconds)

    def wait(self) -> int:
        """Until the process has ended and all of its group is gone: what is left of it is killed. Returns its exit
        status, or minus the number of the signal that ended it."""
        # Until it is collected nobody else gets its number, and so its group can be signalled.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._signal(signal.SIGKILL)
            self._gone = True
            if self._timer is not None:
                self._timer.cancel()
        status = self.process.wait()
        self._await_others()
        return status

    def _start_timer(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError:
            # No thread is to be had: then it gets no grace.
            self._signal(signal.SIGKILL)

    def _kill(self) -> None:
        with self._lock:
            if not self._gone:
                self.overdue = True
                self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # A process that has changed its user may not be ours to signal; one that has ended is not there.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _await_others(self) -> None:
        until = time.monotonic() + _GONE_SECONDS
        while _has_living(self.process.pid) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


def _has_living(group: int) -> bool:
    """Whether somebody in a process group has not ended. Who has, may stay in it for long: until it is collected."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for file in Path("/proc").glob("[0-9]*/stat"):
        # It may have gone meanwhile.
        with contextlib.suppress(OSError):
            state, _, its_group, *_ = file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(its_group) == group and state not in ("Z", "X"):
                return True
    return False


def described(status: int) -> str:
    """How a process ended, in words: its exit status, or the signal that ended it."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        # One of the real-time signals, which have no names.
        return f"signal {-status}"
