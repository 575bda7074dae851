"""Handlers on threads of this process, each kept for the next attempt. A thread can't be killed: a function that does
not stop when it is asked to keeps its own, and the worker's slot."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Final, NamedTuple

from slotd.attempts import Attempt, Failed
from slotd.context import JobContext, Told
from slotd.handlers import Handler
from slotd.isolation.base import NOTHING, Assigned, Lease, Limits, Listener

IDLE_SECONDS: Final = 30.0
"""How long a thread stays that has nothing to do."""


class _Call(NamedTuple):
    lease: Lease
    attempt: Attempt
    listener: Listener


class Threads:
    """Runs what it is given, at once; how many that are is not its business. No method blocks; any thread may call."""

    def __init__(self, handlers: Mapping[str, Handler], *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._handlers = handlers
        self._idle_seconds = idle_seconds
        self._attempts: dict[Lease, Attempt] = {}
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()
        self._lock = threading.Lock()
        # Threads that wait, without those that what is in the queue is meant for.
        self._idle = 0
        self._closed = False

    def start(self, assigned: Assigned, listener: Listener, limits: Limits) -> None:
        """Call the handler; `listener.finished` is called when it has really returned."""
        lease = assigned.lease
        left = assigned.time_left
        context = JobContext(
            job_id=lease.job_id,
            attempt=assigned.attempt,
            kind=assigned.kind,
            queue=assigned.queue,
            labels=MappingProxyType(dict(assigned.labels)),
            deadline=None if left is None else datetime.now(UTC) + timedelta(seconds=left),
            announce=lambda: listener.told(lease),
            traceparent=assigned.traceparent,
            output_limit=limits.output,
            load_results=assigned.load_results,
        )
        attempt = Attempt(self._handlers[assigned.kind], context, assigned.payload, limits.result)
        self._attempts[lease] = attempt
        try:
            self._call(_Call(lease, attempt, listener))
        except RuntimeError as error:
            # The system has no more threads: that costs this attempt, and the next one may have more luck.
            del self._attempts[lease]
            listener.finished(lease, Failed("HANDLER_ERROR", f"no thread: {error}"), NOTHING)

    def stop(self, lease: Lease) -> None:
        """Ask an attempt to end. Does nothing where it has."""
        attempt = self._attempts.get(lease)
        if attempt is not None:
            attempt.stop()

    def take(self, lease: Lease) -> Told:
        """What the attempt has told since the last call; nothing where it has ended."""
        attempt = self._attempts.get(lease)
        return NOTHING if attempt is None else attempt.context.take()

    def close(self) -> None:
        """Let the threads go that wait. What runs, runs on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._waiting.put(None)

    def _call(self, call: _Call) -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._work, name="slotd-job", daemon=True).start()
        self._waiting.put(call)

    def _work(self) -> None:
        while (call := self._next()) is not None:
            outcome = call.attempt.run()
            told = call.attempt.context.take()
            del self._attempts[call.lease]
            # Waiting before it is said: else what comes for the free slot would start one thread more.
            with self._lock:
                waits = not self._closed
                self._idle += waits
            call.listener.finished(call.lease, outcome, told)
            # Not to be kept alive by a thread that waits: it may hold much.
            del call, outcome, told
            if not waits:
                return

    def _next(self) -> _Call | None:
        """The next call; None when the thread is to go."""
        while True:
            try:
                return self._waiting.get(timeout=self._idle_seconds)
            except Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return None
                # Something is about to come.
