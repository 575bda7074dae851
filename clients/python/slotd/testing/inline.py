"""One handler called once, here and now: with the payload decoded and the result encoded as in production, but without
a service, and in the test's own thread."""

import asyncio
import contextvars
import inspect
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from slotd.attempts import Attempt, Failed, Outcome, Snoozed, Succeeded
from slotd.codec import decode_value, encode_value
from slotd.context import JobContext
from slotd.handlers import Handler, Seconds
from slotd.testing.chosen import Function, handler_of

_RESULT_LIMIT = 1 << 20
"""The service's, by default."""

_TIMEOUT = "TIMEOUT"

T = TypeVar("T")


class Progress(NamedTuple):
    """One call of `JobContext.progress`."""

    done: int
    total: int
    message: str


class AttemptFailed(Exception):
    """The attempt failed though the handler raised nothing: `reason` says how, in the service's words, as
    RESULT_TOO_LARGE or TIMEOUT."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


@dataclass(frozen=True)
class InlineRun:
    """What one call of a handler came to.

    `result` is what it returned, as a client decodes it. `error` is what it raised, Snooze included, and None where it
    returned; `outcome` is what a service would make of it. `progress` are its calls of `ctx.progress`, all of them.
    """

    result: Any
    error: BaseException | None
    outcome: Outcome
    progress: tuple[Progress, ...]
    output: bytes

    @property
    def text(self) -> str:
        """The output as text."""
        return self.output.decode(errors="replace")

    @property
    def failed(self) -> Failed | None:
        """Why the attempt failed; None where it did not."""
        return self.outcome if isinstance(self.outcome, Failed) else None

    @property
    def permanent(self) -> bool:
        """Whether no other attempt would follow, however many are left."""
        return isinstance(self.outcome, Failed) and self.outcome.permanent

    @property
    def snoozed(self) -> float | None:
        """For how many seconds it put the job back; None where it did not."""
        return self.outcome.seconds if isinstance(self.outcome, Snoozed) else None


def run_inline(
    handler: Function | Handler | str,
    payload: object = None,
    *,
    content_type: str | None = None,
    attempt: int = 1,
    queue: str | None = None,
    labels: Mapping[str, str] | None = None,
    job_id: str | None = None,
    timeout: Seconds | None = None,
    cancelled: bool | Callable[[Progress], bool] = False,
    results: Mapping[str, object] | None = None,
    check: bool = True,
) -> InlineRun:
    """Calls a handler, plain or async, as a service would for one attempt.

    Args:
        handler: a function, with `@job` or without, or the kind of one that is registered.
        payload: its argument, which is encoded and decoded on the way.
        content_type: of the payload; what the value is decides without.
        attempt: which one it is.
        queue: what `ctx.queue` is; the one that the handler declares without, or "default".
        labels: what `ctx.labels` is.
        job_id: what `ctx.job_id` is; a new one without.
        timeout: after so many seconds it is told to stop, and has failed; what the handler declares without.
        cancelled: True: the job is cancelled before it begins. A function is asked at each call of `ctx.progress`
            whether it is cancelled now.
        results: what `ctx.results` has, by ref.
        check: raise what the handler raised, PermanentError, Snooze and JobCancelled among it; else it is in `error`.

    Raises EncodeError for a payload that can't be encoded and, with `check`, AttemptFailed for an attempt that failed
    though the handler raised nothing.
    """
    chosen = handler_of(handler)
    raised: list[BaseException] = []
    told = _Told(cancelled)
    limit = _in_seconds(chosen.timeout if timeout is None else timeout)
    context = JobContext(
        job_id=job_id or str(uuid.uuid4()),
        attempt=attempt,
        kind=chosen.kind,
        queue=queue or chosen.queue or "default",
        labels=MappingProxyType(dict(labels or {})),
        deadline=None if limit is None else datetime.now(UTC) + timedelta(seconds=limit),
        announce=lambda: told.take(one),
        load_results=lambda: {name: encode_value(value) for name, value in (results or {}).items()},
    )
    recording = replace(chosen, function=_recording(chosen.function, raised))
    one = Attempt(recording, context, encode_value(payload, content_type), _RESULT_LIMIT)
    if cancelled is True:
        one.stop()
    outcome = _run(one, limit)
    error = raised[0] if raised else None
    if isinstance(error, KeyboardInterrupt):
        raise error
    if check:
        _check(outcome, error)
    return InlineRun(_decoded(outcome), error, outcome, tuple(told.progress), bytes(told.output))


def outside_a_loop(call: Callable[[], T]) -> T:
    """Calls it here or, where an event loop runs, as in an async test, in a thread: async handlers have a loop of their
    own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(contextvars.copy_context().run, call).result()


class _Told:
    """What the handler has told so far."""

    def __init__(self, cancelled: bool | Callable[[Progress], bool]) -> None:
        self.progress: list[Progress] = []
        self.output = bytearray()
        self._cancelled = cancelled

    def take(self, attempt: Attempt) -> None:
        progress, output = attempt.context.take()
        self.output += output
        if progress is not None:
            self.progress.append(Progress(*progress))
            if callable(self._cancelled) and self._cancelled(self.progress[-1]):
                attempt.stop()


def _run(attempt: Attempt, limit: float | None) -> Outcome:
    if limit is None:
        return outside_a_loop(attempt.run)
    over = threading.Event()

    def end() -> None:
        over.set()
        attempt.stop()

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        outcome = outside_a_loop(attempt.run)
    finally:
        timer.cancel()
        # It may be at it just now.
        timer.join()
    return Failed(_TIMEOUT, f"the attempt took longer than its timeout of {limit:g} s") if over.is_set() else outcome


def _recording(function: Function, raised: list[BaseException]) -> Function:
    """The same function, which notes what it raises."""

    @contextmanager
    def noted() -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            raised.append(error)
            raise

    def call(*arguments: object) -> Any:
        with noted():
            return function(*arguments)

    async def call_async(*arguments: object) -> Any:
        with noted():
            return await function(*arguments)

    return call_async if inspect.iscoroutinefunction(function) else call


def _check(outcome: Outcome, error: BaseException | None) -> None:
    if isinstance(outcome, Failed) and (error is None or outcome.reason == _TIMEOUT):
        raise AttemptFailed(outcome.reason, outcome.message) from error
    if error is not None:
        raise error


def _decoded(outcome: Outcome) -> object:
    if not isinstance(outcome, Succeeded) or outcome.result is None:
        return None
    return decode_value(*outcome.result)


def _in_seconds(span: Seconds | None) -> float | None:
    return span.total_seconds() if isinstance(span, timedelta) else span
