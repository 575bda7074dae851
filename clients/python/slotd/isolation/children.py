"""Handlers in child processes, one attempt at a time each. A child that has done one is kept for the next."""

import contextlib
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from slotd import logs, trace_export
from slotd.attempts import Failed, Outcome
from slotd.context import Told
from slotd.handlers import Handler
from slotd.isolation import wire
from slotd.isolation.base import CLOSE_SECONDS, CLOSED, ENDED, NOTHING, Assigned, Lease, Limits, Listener
from slotd.isolation.groups import Group, described
from slotd.isolation.link import Link
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2

_STDERR = 2


@dataclass(eq=False)
class _Run:
    """An attempt that runs. `told` is what its child has told and nobody has taken; `killed` is what it ends with, once
    it is to be ended by force."""

    assigned: Assigned
    listener: Listener
    told: Told = NOTHING
    killed: Failed | None = None


@dataclass(eq=False)
class _Child:
    """A child process, from before it is started until it is gone. `memory` is its limit in bytes, None for none. It
    serves one `run` at a time. One that is `leaving` gets no other. `settled` is the last one that it has done."""

    children: "Children"
    memory: int | None
    run: _Run | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outbox: SimpleQueue[worker_service_pb2.WorkResponse | None] = field(default_factory=SimpleQueue)
    group: Group | None = None
    connected: bool = False
    leaving: bool = False
    settled: Lease | None = None

    def heard(self, request: worker_service_pb2.WorkRequest) -> None:
        """It has said something."""
        self.children._heard(self, request)

    def hung_up(self) -> None:
        """It says nothing more."""
        self.children._hung_up(self)


class Children:
    """Runs the handlers of `modules` in child processes that load the same; `handlers` are what these register here.

    There are never more children than have run at once. One that has had nothing to do for `idle_seconds` ends. With
    `kill_grace`, in seconds, a process that is ended by force may end in good order. The limits are bytes, for attempts
    that come without limits of their own.
    """

    def __init__(
        self,
        modules: Sequence[str],
        handlers: Mapping[str, Handler],
        *,
        result_limit: int = 1 << 20,
        output_limit: int = 16 << 20,
        idle_seconds: float = 60,
        kill_grace: float = 1,
    ) -> None:
        self._modules = modules
        self._handlers = handlers
        self._idle_seconds = idle_seconds
        self._kill_grace = kill_grace
        self._limits = Limits(result_limit, output_limit)
        self._link = Link(self._expected, self._results)
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._children: dict[str, _Child] = {}
        self._running: dict[Lease, _Child] = {}
        # The one used last comes first, so that those that are not needed grow old.
        self._idle: list[_Child] = []
        self._closed = False

    def start(self, assigned: Assigned, listener: Listener) -> None:
        """As of Processes."""
        child = self._assign(_Run(assigned, listener))
        if child is None:
            listener.finished(assigned.lease, CLOSED, NOTHING)
            return
        # With each its own limits: a worker's children outlive its connections, and the next service may have others.
        message = worker_service_pb2.WorkResponse(
            welcome=wire.limits_message(assigned.limits or self._limits),
            assignments=[wire.assignment_message(assigned)],
        )
        if child.settled is not None:
            message.settled.append(wire.lease_message(child.settled))
        child.outbox.put(message)
        if child.settled is None:
            self._spawn(child)

    def stop(self, lease: Lease) -> None:
        """As of Processes."""
        with self._lock:
            child = self._running.get(lease)
        if child is not None:
            stop = worker_service_pb2.Stop(
                lease=wire.lease_message(lease), reason=worker_service_pb2.STOP_REASON_CANCELLED
            )
            child.outbox.put(worker_service_pb2.WorkResponse(stops=[stop]))

    def kill(self, lease: Lease, outcome: Failed) -> bool:
        """As of Processes."""
        with self._lock:
            child = self._running.get(lease)
            if child is None:
                return False
            self._doom(child, outcome)
        return True

    def take(self, lease: Lease) -> Told:
        """As of Processes."""
        with self._lock:
            child = self._running.get(lease)
            if child is None or child.run is None or child.run.told is NOTHING:
                return NOTHING
            told, child.run.told = child.run.told, NOTHING
        child.outbox.put(worker_service_pb2.WorkResponse(taken=[wire.lease_message(lease)]))
        return told

    def close(self) -> None:
        """As of Processes."""
        with self._lock:
            self._closed = True
            for child in self._children.values():
                if child.run is None:
                    self._dismiss(child)
                else:
                    self._doom(child, ENDED)
            self._idle.clear()
            self._empty.wait_for(lambda: not self._children, self._kill_grace + CLOSE_SECONDS)
        self._link.close()

    def _assign(self, run: _Run) -> _Child | None:
        """The child that is to run it, an idle one or a new one; None where nothing is started any more."""
        with self._lock:
            if self._closed:
                return None
            child = self._pick(self._handlers[run.assigned.kind].memory)
            child.run = run
            self._children[child.id] = child
            self._running[run.assigned.lease] = child
            return child

    def _pick(self, memory: int | None) -> _Child:
        """An idle child with this limit, else a new one, in whose place another idle one goes."""
        for child in reversed(self._idle):
            if child.memory == memory:
                self._idle.remove(child)
                return child
        if self._idle:
            self._dismiss(self._idle.pop(0))
        return _Child(self, memory)

    def _dismiss(self, child: _Child) -> None:
        """Let an idle child end, and see to it that it does."""
        child.leaving = True
        child.outbox.put(None)
        if child.group is not None:
            child.group.end_within(self._kill_grace)

    def _doom(self, child: _Child, outcome: Failed) -> None:
        """End a child, and the attempt that it runs with this outcome."""
        child.leaving = True
        assert child.run is not None
        if child.run.killed is None:
            child.run.killed = outcome
            if child.group is not None:
                child.group.terminate(self._kill_grace)

    def _spawn(self, child: _Child) -> None:
        # A thread of its own, so that nobody waits for the start; it lives as long as the child, whose parent it is.
        try:
            threading.Thread(target=self._keep, args=(child,), name="slotd-child", daemon=True).start()
        except RuntimeError as error:
            self._gone(child, Failed("PROCESS_NOT_STARTED", str(error)))

    def _keep(self, child: _Child) -> None:
        """Start a child, and wait until it is gone."""
        try:
            group = Group(self._arguments(child), stdin=subprocess.DEVNULL, stdout=_STDERR)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            self._gone(child, Failed("PROCESS_NOT_STARTED", f"the process could not be started: {error}"))
            return
        with self._lock:
            child.group = group
            if child.run is not None and child.run.killed is not None:
                group.terminate(self._kill_grace)
        status = group.wait()
        self._gone(child, Failed("PROCESS_DIED", _obituary(child, status)))

    def _arguments(self, child: _Child) -> list[str]:
        with self._lock:
            peers = len(self._children)
        address = self._link.open(peers)
        # -P: as for the service itself, the present folder is searched for handlers alone.
        command = [sys.executable, "-P", "-m", "slotd.isolation.child"]
        return [
            *command,
            f"--address={address}",
            f"--id={child.id}",
            f"--parent={os.getpid()}",
            f"--memory={child.memory or 0}",
            f"--idle={self._idle_seconds}",
            *(["--traces"] if trace_export.started() else []),
            *logs.inherited(),
            "--",
            *self._modules,
        ]

    def _gone(self, child: _Child, outcome: Failed) -> None:
        """A child is not there any more, or never came to be."""
        with self._lock:
            del self._children[child.id]
            with contextlib.suppress(ValueError):
                self._idle.remove(child)
            child.leaving = True
            run, child.run = child.run, None
            if run is not None:
                del self._running[run.assigned.lease]
            self._empty.notify_all()
        child.outbox.put(None)
        if run is not None:
            run.listener.finished(run.assigned.lease, run.killed or outcome, run.told)

    def _expected(self, worker_id: str) -> _Child | None:
        with self._lock:
            child = self._children.get(worker_id)
            if child is None or child.connected:
                return None
            child.connected = True
            return child

    def _results(self, job_id: str) -> Mapping[str, Encoded | None]:
        with self._lock:
            runs = [child.run for lease, child in self._running.items() if lease.job_id == job_id]
        for run in runs:
            if run is not None:
                return run.assigned.load_results()
        raise KeyError(job_id)

    def _heard(self, child: _Child, request: worker_service_pb2.WorkRequest) -> None:
        if request.HasField("slots") and request.slots == 0:
            self._leave(child)
        for report in request.reports:
            self._reported(child, wire.lease_of(report.lease), wire.told_of(report))
        for finish in request.finishes:
            self._finished(child, wire.lease_of(finish.lease), wire.outcome_of(finish), wire.told_of(finish))

    def _leave(self, child: _Child) -> None:
        """A child takes nothing more; what it may have been given meanwhile, it still does."""
        with self._lock:
            child.leaving = True
            if child in self._idle:
                self._idle.remove(child)
                self._dismiss(child)

    def _reported(self, child: _Child, lease: Lease, told: Told) -> None:
        with self._lock:
            run = child.run
            if run is None or run.assigned.lease != lease:
                return
            # It waits until this has been taken; so what it tells is bounded here.
            run.told = told
        run.listener.told(lease)

    def _finished(self, child: _Child, lease: Lease, outcome: Outcome, told: Told) -> None:
        with self._lock:
            run = child.run
            if run is None or run.assigned.lease != lease:
                return
            run.told = Told(told.progress or run.told.progress, run.told.output + told.output)
            if run.killed is not None:
                # The rest of its group may still be at work: it is over when the process is gone.
                child.outbox.put(None)
                return
            child.run = None
            del self._running[lease]
            if child.leaving:
                self._dismiss(child)
            else:
                child.settled = lease
                self._idle.append(child)
        run.listener.finished(lease, outcome, run.told)

    def _hung_up(self, child: _Child) -> None:
        """Without its connection a child is of no use; mostly it is just ending."""
        with self._lock:
            child.leaving = True
            if child in self._idle:
                self._idle.remove(child)
            if child.group is not None:
                child.group.end_within(self._kill_grace)


def _obituary(child: _Child, status: int) -> str:
    assert child.group is not None
    if child.group.overdue:
        return "the process lost its connection to the service"
    when = "" if child.connected else " while it started"
    return f"the process ended with {described(status)}{when}"
