"""One call of one handler, and how it ended: the same in a server's thread, in a worker's, and in a process of its own.

Nothing here needs gRPC or the stubs.
"""

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from slotd import tracing
from slotd.codec import decode_value, encode_value
from slotd.context import CURRENT, JobCancelled, JobContext
from slotd.handlers import Handler, PermanentError, Snooze
from slotd.results import Encoded

_MESSAGE_LENGTH = 4096
"""How much of an error message is kept."""


class Succeeded(NamedTuple):
    """The handler has done the job; `result` is None where it returned nothing."""

    result: Encoded | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; with `permanent` no other follows. `reason` is UPPER_SNAKE. Of `message` the first 4,096
    characters are kept; what is not a whole character, and could not be stored or sent, is kept as a question mark."""

    reason: str
    message: str
    permanent: bool = False

    def __post_init__(self) -> None:
        # Here, for it may quote anything: a payload, an exception of a handler, the name of a file.
        text = self.message[:_MESSAGE_LENGTH].encode(errors="replace").decode()
        object.__setattr__(self, "message", text)


class Snoozed(NamedTuple):
    """The handler wants to be called again in so many seconds; the attempt does not count."""

    seconds: float


Outcome: TypeAlias = Succeeded | Failed | Snoozed


class Attempt:
    """One call of `handler` with `context` and the decoded `payload`; a result may have `result_limit` bytes.

    With `has_span` the context's traceparent is the attempt's span already, which whoever started this process keeps.
    """

    def __init__(
        self,
        handler: Handler,
        context: JobContext,
        payload: Encoded | None,
        result_limit: int,
        *,
        has_span: bool = False,
    ) -> None:
        self.context = context
        self._has_span = has_span
        self._handler = handler
        self._payload = payload
        self._result_limit = result_limit
        self._stop_task: Any = None

    def run(self) -> Outcome:
        """Call the handler. Whatever it raises ends this attempt and nothing else."""
        span = self._span()
        self.context.traceparent = span.traceparent
        with span.current():
            outcome = self._outcome()
        span.end(outcome)
        return outcome

    def stop(self) -> None:
        """Ask the handler to end. From any thread; does nothing where it has."""
        self.context.cancel()
        if self._stop_task is not None:
            self._stop_task()

    def _span(self) -> tracing.Span:
        context = self.context
        if self._has_span:
            return tracing.join(context.traceparent)
        return tracing.begin(
            tracing.Subject(context.traceparent, context.job_id, context.kind, context.queue, context.attempt)
        )

    def _outcome(self) -> Outcome:
        token = CURRENT.set(self.context)
        try:
            return self._run()
        except BaseException as error:  # noqa: BLE001 - else the slot would never be freed
            # What the handler raised can't even be looked at: an exception of its own making, with a fault in it.
            return Failed("HANDLER_ERROR", type(error).__name__)
        finally:
            CURRENT.reset(token)

    def _run(self) -> Outcome:
        payload = self._payload
        try:
            argument = None if payload is None else decode_value(*payload, self._handler.payload)
        except (ValueError, RecursionError) as error:
            return _failed("PAYLOAD_INVALID", error, permanent=True)
        try:
            result = self._handler.function(self.context, argument)
            if inspect.iscoroutine(result):
                result = asyncio.run(self._supervise(result))
        except Snooze as snooze:
            return Snoozed(snooze.seconds)
        except PermanentError as error:
            return _failed("PERMANENT_ERROR", error, permanent=True)
        except (JobCancelled, asyncio.CancelledError) as error:
            return _failed("CANCELLED", error)
        except BaseException as error:  # noqa: BLE001 - it ends the attempt, and is recorded
            # SystemExit and its like too: a handler is not to end the process that runs others beside it.
            return _failed("HANDLER_ERROR", error)
        return self._succeeded(result)

    async def _supervise(self, coroutine: Any) -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                # The loop has closed: the handler has just returned.
                return

        self._stop_task = stop
        if self.context.cancelled:
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine

    def _succeeded(self, value: Any) -> Outcome:
        try:
            encoded = encode_value(value)
        except BaseException as error:  # noqa: BLE001 - the value's own code may run here, and raise anything
            return _failed("RESULT_INVALID", error, permanent=True)
        return succeeded(encoded, self._result_limit)


def succeeded(result: Encoded | None, limit: int) -> Succeeded | Failed:
    """The outcome of a handler that returned `result`, where a result may have `limit` bytes."""
    if result is not None and len(result[1]) > limit:
        message = f"the result has {len(result[1])} bytes; at most {limit} are kept"
        return Failed("RESULT_TOO_LARGE", message, permanent=True)
    return Succeeded(result)


def _failed(reason: str, error: BaseException, *, permanent: bool = False) -> Failed:
    name = type(error).__name__
    try:
        text = f"{name}: {error}" if str(error) else name
    except BaseException:  # noqa: BLE001 - the error is a user's class
        # An exception that can't say what it is, is named.
        text = name
    return Failed(reason, text, permanent)
