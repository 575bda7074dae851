"""Handlers on threads of this process. A thread can't be killed: a function that ignores its end keeps its thread, and
the ledger keeps its slot."""

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from slotd.codec import decode_value, encode_value
from slotd.context import JobCancelled, JobContext
from slotd.handlers import Handler, PermanentError, Snooze
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import SECOND, Failure, Job, Payload, Progress
from slotd_server.domain.outcome import Failed, Outcome, Snoozed, Succeeded
from slotd_server.execution.base import Reporting, Told

_IDLE_SECONDS = 30
"""How long a thread stays that has nothing to do."""

_COMING = 2
"""How many threads may be on their way at once."""

_MESSAGE_LENGTH = 4096
"""How much of a handler's error message is kept."""

_NOTHING = Told(None, b"")


def _none(_: Job) -> Mapping[str, Payload | None]:
    return {}


class Attempt:
    """One call of one handler."""

    def __init__(self, job: Job, handler: Handler, context: JobContext, result_limit: int) -> None:
        self.job = job
        self.lease = Lease(job.seq, job.fence)
        self.context = context
        self._handler = handler
        self._result_limit = result_limit
        self._stop_task: Any = None

    def run(self) -> Outcome:
        """Call the handler. Whatever it raises ends this attempt and nothing else."""
        try:
            return self._run()
        except BaseException as error:  # noqa: BLE001 - else the slot would never be freed
            # What the handler raised can't even be looked at: an exception of its own making, with a fault in it.
            return Failed(Failure("HANDLER_ERROR", type(error).__name__))

    def _run(self) -> Outcome:
        payload = self.job.spec.payload
        try:
            argument = None if payload is None else decode_value(*payload, self._handler.payload)
        except (ValueError, RecursionError) as error:
            return _failed("PAYLOAD_INVALID", error, permanent=True)
        try:
            result = self._handler.function(self.context, argument)
            if inspect.iscoroutine(result):
                result = asyncio.run(self._supervise(result))
        except Snooze as snooze:
            return Snoozed(round(snooze.seconds * SECOND))
        except PermanentError as error:
            return _failed("PERMANENT_ERROR", error, permanent=True)
        except (JobCancelled, asyncio.CancelledError) as error:
            return _failed("CANCELLED", error)
        except BaseException as error:  # noqa: BLE001 - it ends the attempt, and is recorded
            # SystemExit and its like too: a handler is not to end the service.
            return _failed("HANDLER_ERROR", error)
        return self._succeeded(result)

    def stop(self) -> None:
        self.context.cancel()
        if self._stop_task is not None:
            self._stop_task()

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
        if encoded is None:
            return Succeeded(None)
        if len(encoded[1]) > self._result_limit:
            message = f"the result has {len(encoded[1])} bytes; at most {self._result_limit} are kept"
            return Failed(Failure("RESULT_TOO_LARGE", message), permanent=True)
        return Succeeded(Payload(*encoded))


def _failed(reason: str, error: BaseException, *, permanent: bool = False) -> Failed:
    name = type(error).__name__
    try:
        text = f"{name}: {error}" if str(error) else name
    except BaseException:  # noqa: BLE001 - the error is a user's class
        # An exception that can't say what it is, is named.
        text = name
    return Failed(Failure(reason, text[:_MESSAGE_LENGTH].encode(errors="replace").decode()), permanent)


class ThreadRunner:
    """Runs each attempt on a thread of its own, kept for the next one. `results` answers what the jobs returned that a
    job depended on, by name; `result_limit` and `output_limit` are bytes.

    Waking a thread costs more than many a handler does. So a start wakes one thread, if none is on its way, and a
    thread that takes an attempt wakes the next one only while others wait: all run at once if they take any time, and
    where they don't, one thread does several.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        reporting: Reporting,
        *,
        results: Callable[[Job], Mapping[str, Payload | None]] = _none,
        result_limit: int,
        output_limit: int = 16 << 20,
    ) -> None:
        self._handlers = handlers
        self._reporting = reporting
        self._results = results
        self._result_limit = result_limit
        self._output_limit = output_limit
        self._attempts: dict[Lease, Attempt] = {}
        self._lock = threading.Lock()
        self._waiting: deque[Attempt] = deque()
        self._idle: list[_Worker] = []
        # How many threads have been woken and have not looked yet.
        self._coming = 0
        self._closed = False

    def start(self, job: Job) -> None:
        lease = Lease(job.seq, job.fence)
        timeout = job.spec.timeout
        deadline = None
        if timeout is not None:
            assert job.start_time is not None
            deadline = datetime.fromtimestamp((job.start_time + timeout) / SECOND, UTC)
        context = JobContext(
            job_id=job.id,
            attempt=job.attempt,
            kind=job.spec.kind,
            queue=job.spec.queue,
            labels=MappingProxyType(dict(job.spec.labels)),
            deadline=deadline,
            announce=partial(self._reporting.told, lease),
            output_limit=self._output_limit,
            load_results=partial(self._results, job),
        )
        attempt = Attempt(job, self._handlers[job.spec.kind], context, self._result_limit)
        self._attempts[lease] = attempt
        with self._lock:
            self._waiting.append(attempt)
        self._wake()

    def stop(self, lease: Lease) -> None:
        attempt = self._attempts.get(lease)
        if attempt is not None:
            attempt.stop()

    def take(self, lease: Lease) -> Told:
        attempt = self._attempts.get(lease)
        return _NOTHING if attempt is None else _take(attempt.context)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.wake(coming=False)

    def _wake(self) -> None:
        """See to it that a thread is coming for what waits."""
        with self._lock:
            if not self._waiting or self._coming >= _COMING:
                return
            self._coming += 1
            worker = self._idle.pop() if self._idle else None
        if worker is not None:
            worker.wake(coming=True)
        else:
            threading.Thread(target=self._work, args=(_Worker(),), name="slotd-job", daemon=True).start()

    def _work(self, worker: "_Worker") -> None:
        while True:
            with self._lock:
                self._coming -= worker.coming
                worker.coming = False
                attempt = self._waiting.popleft() if self._waiting else None
                if attempt is None:
                    if self._closed:
                        return
                    self._idle.append(worker)
            if attempt is not None:
                self._wake()
                self._run(attempt)
            elif not self._sleep(worker):
                return

    def _run(self, attempt: Attempt) -> None:
        outcome = attempt.run()
        told = _take(attempt.context)
        del self._attempts[attempt.lease]
        self._reporting.finished(Finish(attempt.lease, outcome, told.progress, told.output))

    def _sleep(self, worker: "_Worker") -> bool:
        """Until the worker is woken; False when it has had nothing to do for long."""
        if worker.sleep(_IDLE_SECONDS):
            return True
        with self._lock:
            if worker in self._idle:
                self._idle.remove(worker)
                return False
        # It is being woken just now.
        return worker.sleep()


class _Worker:
    """A thread's alarm clock. `coming` is whether the runner counts on it, from its waking until it looks."""

    def __init__(self) -> None:
        self.coming = True
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self, *, coming: bool) -> None:
        self.coming = coming
        self._asleep.release()

    def sleep(self, seconds: float = -1) -> bool:
        """Until it is woken; False after so many seconds."""
        return self._asleep.acquire(timeout=seconds)


def _take(context: JobContext) -> Told:
    progress, output = context.take()
    return Told(None if progress is None else Progress(*progress), output)
