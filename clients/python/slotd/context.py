"""What a handler sees of its job, and says of it. The side that runs handlers makes one for each attempt."""

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from slotd.results import Encoded, Results

_OUTPUT_WAITING = 1 << 20
"""Bytes of output that may wait to be taken before `write` waits."""

_MESSAGE_LENGTH = 1024
_INT64 = 1 << 63


CURRENT: "ContextVar[JobContext | None]" = ContextVar("slotd_job", default=None)
"""For the side that runs handlers."""


def current_job() -> "JobContext | None":
    """The attempt whose handler this is called in, or None elsewhere.

    Coroutines and tasks of the handler's have it, and what it gives to `asyncio.to_thread`; threads that it starts
    itself don't, unless it runs them in a `contextvars.copy_context()`.
    """
    return CURRENT.get()


class JobCancelled(BaseException):
    """Raised by `JobContext.raise_if_cancelled`. Not an Exception, so that a handler's own `except Exception` lets it
    by."""


class Told(NamedTuple):
    """What an attempt has told since it was last asked: (done, total, message) or None, and output."""

    progress: tuple[int, int, str] | None
    output: bytes


_NOTHING = Told(None, b"")


class JobContext:
    """One attempt, as its handler sees it. Every method may be called from any thread of the handler's.

    `deadline` is when the attempt times out, None where it never does. `traceparent` is the attempt's span, as W3C
    Trace Context has it, or that of who submitted the job where nobody records one; empty where the job is in no trace.
    `announce` is called once when there is something to take, and again only after `take`. `load_results` answers the
    results of what the job depended on, as they are encoded; it is called once, when the handler first looks, in a
    thread of the handler's.
    """

    def __init__(
        self,
        *,
        job_id: str,
        attempt: int,
        kind: str,
        queue: str,
        labels: Mapping[str, str],
        deadline: datetime | None,
        announce: Callable[[], None],
        traceparent: str = "",
        output_limit: int = 16 << 20,
        load_results: Callable[[], Mapping[str, Encoded | None]] = dict,
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.kind = kind
        self.queue = queue
        self.labels = labels
        self.deadline = deadline
        self.traceparent = traceparent
        self._announce = announce
        self._load_results = load_results
        self._results: Results | None = None
        # One byte more than is kept says that there was more; the rest is not even carried.
        self._output_left = output_limit + 1
        self._cancelled = False
        # Most handlers never wait; a condition is made for the first that does.
        self._lock = threading.Lock()
        self._waiting: threading.Condition | None = None
        self._announced = False
        self._progress: tuple[int, int, str] | None = None
        self._output = bytearray()

    def progress(self, done: int, total: int = 0, message: str = "") -> None:
        """Say how far the job has come: `done` of `total` units (0: nobody knows), and at what it is.

        Cheap; call it as often as you like: a few a second reach the service, the last one always does.
        """
        if not (0 <= done < _INT64 and 0 <= total < _INT64):
            raise ValueError("progress: done and total are whole numbers from 0 to 2**63 - 1")
        # What can't be sent as UTF-8 (a file's name may hold such) is shown as "?".
        text = message[:_MESSAGE_LENGTH].encode(errors="replace").decode()
        with self._lock:
            self._progress = (int(done), int(total), text)
            first = self._mark()
        if first:
            self._announce()

    def write(self, output: str | bytes) -> None:
        """Append to the job's output, of which the service keeps so much. Waits where much has not been taken yet."""
        data = output.encode(errors="replace") if isinstance(output, str) else bytes(output)
        with self._lock:
            data = data[: self._output_left]
            if not data:
                return
            self._output_left -= len(data)
            # A cancelled handler must come to its end: nothing makes it wait any more.
            self._wait_for(lambda: len(self._output) < _OUTPUT_WAITING or self._cancelled)
            self._output += data
            first = self._mark()
        if first:
            self._announce()

    @property
    def cancelled(self) -> bool:
        """Whether the handler should stop: somebody cancelled the job, or its attempt is over (its timeout has
        passed)."""
        return self._cancelled

    @property
    def results(self) -> Mapping[str, Any]:
        """The results of the jobs that this one depended on, a group's jobs among them, decoded as payloads are.

        Read-only; by the ref that a job had in its batch, else by its id. A job that did not succeed, or returned
        nothing, has None.
        """
        with self._lock:
            if self._results is None:
                self._results = Results(self._load_results)
            return self._results

    def raise_if_cancelled(self) -> None:
        """Raises JobCancelled where `cancelled`."""
        if self._cancelled:
            raise JobCancelled(f"job {self.job_id} was cancelled")

    def wait_cancelled(self, seconds: float | None = None) -> bool:
        """Sleep for `seconds`, or less where the job is cancelled meanwhile. Whether it is."""
        with self._lock:
            return self._wait_for(lambda: self._cancelled, seconds)

    def cancel(self) -> None:
        """Ask the handler to stop. For the side that runs it."""
        with self._lock:
            self._cancelled = True
            self._wake()

    def take(self) -> Told:
        """What was told since the last call. For the side that runs the handler."""
        if not self._announced:
            # As most handlers end.
            return _NOTHING
        with self._lock:
            told = Told(self._progress, bytes(self._output))
            self._progress = None
            self._output.clear()
            self._announced = False
            self._wake()
            return told

    def _wait_for(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        if condition():
            return True
        if self._waiting is None:
            self._waiting = threading.Condition(self._lock)
        return self._waiting.wait_for(condition, seconds)

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.notify_all()

    def _mark(self) -> bool:
        first = not self._announced
        self._announced = True
        return first
