"""Handlers on threads of this process. A thread can't be killed: a function that ignores its end keeps its thread, and
the ledger keeps its slot."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from slotd.attempts import Attempt
from slotd.context import JobContext
from slotd.handlers import Handler
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import SECOND, Failure, Job, Payload
from slotd_server.domain.outcome import Failed
from slotd_server.execution.base import NOTHING, Reporting, Told
from slotd_server.execution.outcomes import outcome_of, told_of

_IDLE_SECONDS = 30
"""How long a thread stays that has nothing to do."""

_NO_LABELS: Mapping[str, str] = MappingProxyType({})


def _none(_: Job) -> Mapping[str, Payload | None]:
    return {}


class ThreadRunner:
    """Runs each attempt on a thread of its own, kept for the next one. `results` answers what the jobs returned that a
    job depended on, by name; `result_limit` and `output_limit` are bytes.

    Waking a thread costs more than many a handler does. So a start wakes one thread, if none is on its way, and a
    thread that takes an attempt wakes the next one only while others wait: all run at once if they take any time, and
    where they don't, one thread does several. Ends are reported together for the same reason, by the thread that finds
    nothing more to run; but none waits for a function: a thread that is about to call one, and knows of nobody who is
    on his way, reports what has ended before.
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
        self._settle = reporting.ended or self._report
        self._results = results
        self._result_limit = result_limit
        self._output_limit = output_limit
        self._attempts: dict[Lease, Attempt] = {}
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Lease, Attempt]] = deque()
        self._ended: list[Finish] = []
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
            labels=MappingProxyType(dict(job.spec.labels)) if job.spec.labels else _NO_LABELS,
            deadline=deadline,
            announce=partial(self._reporting.told, lease),
            traceparent=job.traceparent,
            output_limit=self._output_limit,
            load_results=partial(self._results, job),
        )
        attempt = Attempt(self._handlers[job.spec.kind], context, job.spec.payload, self._result_limit)
        self._attempts[lease] = attempt
        with self._lock:
            self._waiting.append((lease, attempt))
        self._wake()

    def stop(self, lease: Lease) -> None:
        attempt = self._attempts.get(lease)
        if attempt is not None:
            attempt.stop()

    def take(self, lease: Lease) -> Told:
        attempt = self._attempts.get(lease)
        return NOTHING if attempt is None else told_of(attempt.context.take())

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.wake(coming=False)

    def _wake(self) -> None:
        """See to it that a thread is coming for what waits."""
        with self._lock:
            if not self._waiting or self._coming:
                return
            self._coming += 1
            worker = self._idle.pop() if self._idle else None
        if worker is not None:
            worker.wake(coming=True)
            return
        try:
            threading.Thread(target=self._work, args=(_Worker(),), name="slotd-job", daemon=True).start()
        except RuntimeError as error:
            self._nobody_comes(Failed(Failure("HANDLER_ERROR", f"no thread: {error}")))

    def _nobody_comes(self, outcome: Failed) -> None:
        """The system has no more threads: that costs the attempts that wait, and the next ones may have more luck."""
        with self._lock:
            self._coming -= 1
            waiting, self._waiting = self._waiting, deque()
            ended, self._ended = self._ended, []
        for lease, _ in waiting:
            del self._attempts[lease]
            ended.append(Finish(lease, outcome))
        self._report(ended)

    def _work(self, worker: "_Worker") -> None:
        while True:
            ended: list[Finish] = []
            with self._lock:
                self._coming -= worker.coming
                worker.coming = False
                next_one = self._waiting.popleft() if self._waiting else None
                if next_one is None or not (self._waiting or self._coming):
                    # Nobody else comes who would see to these.
                    ended, self._ended = self._ended, ended
                if next_one is None and ended:
                    # It looks again after that: for what is started meanwhile nobody need be woken.
                    worker.coming = True
                    self._coming += 1
                elif next_one is None:
                    if self._closed:
                        return
                    self._idle.append(worker)
            if next_one is not None:
                self._wake()
                self._report(ended)
                finish = self._run(*next_one)
                with self._lock:
                    self._ended.append(finish)
            elif ended:
                worker.context.run(self._settle, ended)
            elif not self._sleep(worker):
                return

    def _run(self, lease: Lease, attempt: Attempt) -> Finish:
        outcome = outcome_of(attempt.run())
        told = told_of(attempt.context.take())
        del self._attempts[lease]
        return Finish(lease, outcome, told.progress, told.output)

    def _report(self, ended: Sequence[Finish]) -> None:
        for finish in ended:
            self._reporting.finished(finish)

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
    """A thread's alarm clock. `coming` is whether the runner counts on it, from its waking until it looks. `context` is
    for what the thread does besides handlers: nothing that these have set and left is seen there."""

    def __init__(self) -> None:
        self.coming = True
        self.context = Context()
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self, *, coming: bool) -> None:
        self.coming = coming
        self._asleep.release()

    def sleep(self, seconds: float = -1) -> bool:
        """Until it is woken; False after so many seconds."""
        return self._asleep.acquire(timeout=seconds)
