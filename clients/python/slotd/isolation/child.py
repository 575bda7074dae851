"""A child process that runs handlers, one at a time: `python -m slotd.isolation.child`, started by `children.py`.

Handlers run in its main thread, where signals and whatever else wants that thread work as in a program of their own.
Another one hears meanwhile what the service says. When the service is gone, so is the child.
"""

import argparse
import faulthandler
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType

import grpc

from slotd import logs, trace_export
from slotd.attempts import Attempt, Failed, Outcome
from slotd.context import JobContext, Told
from slotd.handlers import Handler, load, registered
from slotd.isolation import wire
from slotd.isolation.base import Lease
from slotd.isolation.orphans import end_with
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2, worker_service_pb2_grpc

_PIECE_BYTES = 1 << 20
"""The most output in one message."""

_TRACES_SECONDS = 0.5
"""How long it may take in the end to send off what is left of the spans; a child that takes long to end is killed."""

Send = Callable[[worker_service_pb2.WorkRequest], None]


class Teller:
    """Sends what an attempt tells, in pieces: the next one when the last has been taken."""

    def __init__(self, lease: Lease, send: Send) -> None:
        self._lease = lease
        self._send = send
        self._changed = threading.Condition()
        self._take: Callable[[], Told] = lambda: Told(None, b"")
        self._new = False
        self._untaken = False
        self._progress: tuple[int, int, str] | None = None
        self._output = b""

    def listen(self, take: Callable[[], Told]) -> None:
        """From where to take what is told."""
        self._take = take

    def announce(self) -> None:
        """There is something to take."""
        with self._changed:
            self._new = True
            self._report()

    def taken(self) -> None:
        """The last piece has been taken."""
        with self._changed:
            self._untaken = False
            self._report()
            self._changed.notify_all()

    def finish(self, outcome: Outcome) -> worker_service_pb2.Finish:
        """The last that is said of the attempt. Waits until there is but one piece of output left."""
        with self._changed:
            self._collect()
            if len(self._output) > _PIECE_BYTES:
                self._report()
            self._changed.wait_for(lambda: len(self._output) <= _PIECE_BYTES)
            finish = wire.finish_message(self._lease, outcome, Told(self._progress, self._output))
            self._progress, self._output = None, b""
            return finish

    def _collect(self) -> None:
        progress, output = self._take()
        self._new = False
        self._progress = progress or self._progress
        self._output += output

    def _report(self) -> None:
        if self._untaken:
            return
        if self._new and not self._output:
            self._collect()
        if self._progress is None and not self._output:
            return
        piece, self._output = self._output[:_PIECE_BYTES], self._output[_PIECE_BYTES:]
        report = wire.report_message(self._lease, Told(self._progress, piece))
        self._progress = None
        self._untaken = True
        self._send(worker_service_pb2.WorkRequest(reports=[report]))


class Work:
    """One assignment: the attempt, and who tells of it. `broken` says why the handler can't be called."""

    def __init__(
        self,
        assignment: worker_service_pb2.Assignment,
        handlers: Mapping[str, Handler],
        broken: Failed | None,
        limits: worker_service_pb2.Welcome,
        send: Send,
        load_results: Callable[[str], Mapping[str, Encoded | None]],
    ) -> None:
        job = assignment.job
        self.lease = wire.lease_of(assignment.lease)
        self.teller = Teller(self.lease, send)
        self.attempt: Attempt | None = None
        handler = handlers.get(job.spec.kind)
        self._broken = broken or Failed("HANDLER_NOT_LOADED", f"no module has registered the kind {job.spec.kind}")
        if broken is not None or handler is None:
            return
        has_end = assignment.HasField("time_left")
        time_left = assignment.time_left.ToTimedelta() if has_end else timedelta()
        context = JobContext(
            job_id=job.id,
            attempt=job.attempt,
            kind=job.spec.kind,
            queue=job.spec.queue,
            labels=MappingProxyType(dict(job.spec.labels)),
            deadline=datetime.now(UTC) + time_left if has_end else None,
            announce=self.teller.announce,
            traceparent=job.traceparent,
            output_limit=limits.max_output_bytes,
            load_results=partial(load_results, job.id),
        )
        self.teller.listen(context.take)
        payload = wire.payload_of(job.spec)
        self.attempt = Attempt(handler, context, payload, limits.max_result_bytes, has_span=True)

    def run(self) -> Outcome:
        """Call the handler."""
        return self._broken if self.attempt is None else self.attempt.run()

    def stop(self) -> None:
        """Ask the handler to end."""
        if self.attempt is not None:
            self.attempt.stop()


class Memory:
    """What handlers may take beyond what the process has when it begins with the first, in bytes; 0 is without limit.

    It is RLIMIT_DATA, what only this process has and can write, and not RLIMIT_AS: that would count every file that is
    mapped too, and what allocators reserve for threads that hardly allocate.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._base = 0
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_DATA)

    def __enter__(self) -> None:
        # Only while a handler runs: what it left must not keep it from being told of.
        if self._limit:
            self._base = self._base or _data_bytes()
            resource.setrlimit(resource.RLIMIT_DATA, (self._base + self._limit, self._hard))

    def __exit__(self, *_: object) -> None:
        if self._limit:
            resource.setrlimit(resource.RLIMIT_DATA, (self._soft, self._hard))

    @property
    def spent(self) -> bool:
        """Whether the handlers so far have kept so much that the next one would have less than half of it."""
        return self._limit > 0 and (_data_bytes() - self._base) * 2 > self._limit


class Child:
    """The connection to the service, and what came over it. `broken` says why no handler can be called."""

    def __init__(
        self, stub: worker_service_pb2_grpc.WorkerServiceStub, handlers: Mapping[str, Handler], broken: Failed | None
    ) -> None:
        self._stub = stub
        self._handlers = handlers
        self._broken = broken
        self._outbox: SimpleQueue[worker_service_pb2.WorkRequest | None] = SimpleQueue()
        self._inbox: SimpleQueue[Work | None] = SimpleQueue()
        self._works: dict[Lease, Work] = {}

    def run(self, hello: worker_service_pb2.Hello, memory: Memory, idle_seconds: float) -> None:
        """Run what comes until the service ends the connection."""
        self._outbox.put(worker_service_pb2.WorkRequest(hello=hello, slots=1))
        threading.Thread(target=self._listen, name="slotd-listen", daemon=True).start()
        while (work := self._next(idle_seconds)) is not None:
            with memory:
                outcome = work.run()
            request = worker_service_pb2.WorkRequest(finishes=[work.teller.finish(outcome)])
            del self._works[work.lease]
            if memory.spent or self._broken is not None:
                # A new process has what this one has not.
                request.slots = 0
            self._outbox.put(request)
        self._outbox.put(None)

    def _next(self, idle_seconds: float) -> Work | None:
        try:
            return self._inbox.get(timeout=idle_seconds)
        except Empty:
            # Something may be on its way just now; the service knows, and ends the connection otherwise.
            self._outbox.put(worker_service_pb2.WorkRequest(slots=0))
            return self._inbox.get()

    def _listen(self) -> None:
        try:
            for response in self._stub.Work(iter(self._outbox.get, None)):
                self._heard(response)
        except grpc.RpcError:
            # The service is gone, or takes this process for gone: nobody wants what it does, nor what it has started.
            os.killpg(0, signal.SIGKILL)
        self._inbox.put(None)

    def _heard(self, response: worker_service_pb2.WorkResponse) -> None:
        for assignment in response.assignments:
            # Each comes with its own welcome, which has the limits of the service that it is from.
            limits = response.welcome
            work = Work(assignment, self._handlers, self._broken, limits, self._outbox.put, self._results)
            self._works[work.lease] = work
            self._inbox.put(work)
        for stop in response.stops:
            if (stopped := self._works.get(wire.lease_of(stop.lease))) is not None:
                stopped.stop()
        for lease in response.taken:
            if (taken := self._works.get(wire.lease_of(lease))) is not None:
                taken.teller.taken()

    def _results(self, job_id: str) -> Mapping[str, Encoded | None]:
        try:
            return wire.results_of(self._stub.ReadResults(worker_service_pb2.ReadResultsRequest(job_id=job_id)))
        except grpc.RpcError as error:
            raise OSError(f"the results of other jobs can't be read: {error.details()}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Load the modules, dial, and run what comes."""
    parser = argparse.ArgumentParser(prog="python -m slotd.isolation.child")
    parser.add_argument("--address", required=True)
    parser.add_argument("--id", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--idle", type=float, required=True)
    parser.add_argument("--traces", action="store_true")
    parser.add_argument("--log-level")
    parser.add_argument("--log-format", default="text")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args(arguments)
    if options.log_level is not None:
        logs.configure(options.log_level, options.log_format)
    end_with(options.parent)
    # Where it died of a fault in C, its last lines say where.
    faulthandler.enable(all_threads=False)
    if isinstance(sys.stdout, TextIOWrapper):
        # It goes to the service's log, where lines should not wait.
        sys.stdout.reconfigure(line_buffering=True)
    broken = _load(options.modules)
    if options.traces:
        trace_export.start()
    handlers = registered()
    kinds = [worker_service_pb2.WorkerKind(kind=kind) for kind in handlers]
    hello = worker_service_pb2.Hello(worker_id=options.id, name=str(os.getpid()), kinds=kinds)
    channel_options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_http_proxy", 0),
    ]
    with grpc.insecure_channel(options.address, channel_options) as channel:
        child = Child(worker_service_pb2_grpc.WorkerServiceStub(channel), handlers, broken)
        child.run(hello, Memory(options.memory), options.idle)
    trace_export.shutdown(_TRACES_SECONDS)


def _load(modules: Sequence[str]) -> Failed | None:
    """Why they can't be loaded, where they can't."""
    for module in modules:
        try:
            load(module)
        except BaseException as error:  # noqa: BLE001 - whatever a module does at its import: the attempt tells of it
            return Failed("HANDLER_NOT_LOADED", f"cannot load {module}: {type(error).__name__}: {error}")
    return None


def _data_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
