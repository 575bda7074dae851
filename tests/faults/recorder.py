"""Clients, handlers and servers that record what they see, for the checker (tests/faults/checker).

    recorder = Recorder(folder / "clients.jsonl", "clients")
    client = RecordingClient(recorder, "client-1", endpoint.jobs)      # asks like the stub itself
    run(folder / "handlers.jsonl")                                     # in a module of handlers: `@recorded`

A line is written with one write to a file opened for appending, before a call and after its answer: a process that is
killed loses the end of one line at most, and what it had asked is known to the checker as "may have happened".
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import grpc
import msgspec
from google.rpc import status_pb2

from slotd import JobContext
from slotd.v1 import (
    CancelRequest,
    DeleteRequest,
    GetRequest,
    Job,
    JobEvent,
    JobServiceStub,
    JobSpec,
    ListRequest,
    ListResponse,
    ListServersRequest,
    ListServersResponse,
    ListSlotsRequest,
    ListSlotsResponse,
    QueueServiceStub,
    RetryRequest,
    SubmitBatchRequest,
    SubmitRequest,
    UpdateRequest,
    WaitRequest,
)
from tests.faults.checker import records
from tests.faults.checker.capture import REQUEST_LABEL, asked, event_copy, job_copy, reason, spec_copy
from tests.faults.checker.records import (
    FORMAT,
    EventCopy,
    JobCopy,
    Line,
)

A = TypeVar("A")
Handler: TypeAlias = Callable[[JobContext, Any], Any]

_CLOCK = Path("/proc/sys/kernel/random/boot_id")
_DETAILS = "grpc-status-details-bin"


class Recorder:
    """A file of records. Any thread may write; other processes too, each with a Recorder of its own on the file."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._lock = threading.Lock()
        self._specs: set[int] = set()
        self._streams = 0
        clock = _CLOCK.read_text().strip()
        self.write(records.Recorder(FORMAT, name, os.getpid(), clock, now(), time.time_ns() // 1000))

    def write(self, record: Line) -> None:
        """Adds a line. Raises OSError."""
        line = msgspec.json.encode(record) + b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes of a record were written")

    def copies(self, jobs: Iterable[Job]) -> tuple[JobCopy, ...]:
        """The jobs as records have them; specs that are new to the file are written first."""
        return tuple([self._known(job_copy(job), job.spec) for job in jobs])

    def events(self, events: Iterable[JobEvent]) -> tuple[EventCopy, ...]:
        """The events likewise."""
        copies = [(event_copy(event), event.job.spec) for event in events]
        for copy, spec in copies:
            self._known(copy.job, spec)
        return tuple([copy for copy, _ in copies])

    def next_stream(self) -> int:
        """A number for a stream that nobody else on this file has."""
        with self._lock:
            self._streams += 1
            return os.getpid() << 32 | self._streams

    def close(self) -> None:
        os.close(self._file)

    def _known(self, copy: JobCopy, spec: JobSpec) -> JobCopy:
        if copy.spec not in self._specs:
            self.write(spec_copy(copy.spec, spec))
            self._specs.add(copy.spec)
        return copy


class RecordingClient:
    """Calls as the stub does, and records each. One thread at a time; `name` is this client's alone.

    A SubmitRequest needs a request_id; its spec gets that as label `request`, by which the job is found again. Calls
    raise grpc.RpcError.
    """

    def __init__(self, recorder: Recorder, name: str, jobs: JobServiceStub, timeout: float = 30.0) -> None:
        self._recorder = recorder
        self._name = name
        self._jobs = jobs
        self._timeout = timeout
        self._number = 0

    def move_to(self, jobs: JobServiceStub) -> None:
        """Ask another server from now on."""
        self._jobs = jobs

    def submit(self, request: SubmitRequest) -> Job:
        request = labelled(request)
        return self._call("Submit", lambda: self._jobs.Submit(request, timeout=self._timeout), [], [request]).job

    def submit_batch(self, requests: Sequence[SubmitRequest]) -> list[Job]:
        requests = [labelled(one) for one in requests]
        batch = SubmitBatchRequest(requests=requests)
        answer = self._call("SubmitBatch", lambda: self._jobs.SubmitBatch(batch, timeout=self._timeout), [], requests)
        return list(answer.jobs)

    def get(self, job_id: str) -> Job:
        return self._call("Get", lambda: self._jobs.Get(GetRequest(id=job_id), timeout=self._timeout), [job_id]).job

    def wait(self, job_id: str, seconds: float | None = None) -> Job:
        request = WaitRequest(id=job_id)
        if seconds is not None:
            request.timeout.FromMilliseconds(int(seconds * 1000))
        return self._call("Wait", lambda: self._jobs.Wait(request, timeout=self._timeout), [job_id]).job

    def cancel(self, job_id: str) -> Job:
        request = CancelRequest(id=job_id)
        return self._call("Cancel", lambda: self._jobs.Cancel(request, timeout=self._timeout), [job_id]).job

    def retry(self, job_id: str, *, dependents: bool = False) -> Job:
        request = RetryRequest(id=job_id, dependents=dependents)
        return self._call(
            "Retry", lambda: self._jobs.Retry(request, timeout=self._timeout), [job_id], dependents=dependents
        ).job

    def delete(self, job_id: str, *, force: bool = False) -> None:
        request = DeleteRequest(id=job_id, force=force)
        self._call("Delete", lambda: self._jobs.Delete(request, timeout=self._timeout), [job_id], force=force)

    def update(self, request: UpdateRequest) -> Job:
        return self._call("Update", lambda: self._jobs.Update(request, timeout=self._timeout), [request.id]).job

    def list(self, request: ListRequest) -> ListResponse:
        """One page."""
        return self._call("List", lambda: self._jobs.List(request, timeout=self._timeout), page=True)

    def call(self, method: str, request: Any) -> Any:
        """Any other method that changes many jobs at once: Purge, BulkCancel, BulkRetry, BulkDelete, CancelGroup."""
        return self._call(method, lambda: getattr(self._jobs, method)(request, timeout=self._timeout))

    def _call(
        self,
        method: str,
        send: Callable[[], A],
        ids: Sequence[str] = (),
        requests: Sequence[SubmitRequest] = (),
        *,
        page: bool = False,
        force: bool = False,
        dependents: bool = False,
    ) -> A:
        self._number += 1
        number = self._number
        questions = tuple(asked(one) for one in requests)
        write = self._recorder.write
        write(records.Call(self._name, number, method, now(), tuple(ids), questions, force, dependents))
        try:
            answer = send()
        except grpc.RpcError as error:
            write(records.Error(self._name, number, now(), error.code().name, error_reason(error)))
            raise
        at = now()
        write(records.Answer(self._name, number, at, self._recorder.copies(_jobs(answer)), page))
        return answer


class RecordingServer:
    """What a server says of itself and the others."""

    def __init__(self, recorder: Recorder, pid: int, queues: QueueServiceStub, timeout: float = 30.0) -> None:
        self._recorder = recorder
        self._pid = pid
        self._queues = queues
        self._timeout = timeout
        self.id = ""

    def up(self) -> str:
        """Notes which server the process is. → its boot id. Raises grpc.RpcError."""
        self._recorder.write(records.Up(self._own_id(), self._pid, now()))
        return self.id

    def servers(self) -> ListServersResponse:
        """Notes what it says of all servers. Raises grpc.RpcError."""
        answer = self._queues.ListServers(ListServersRequest(), timeout=self._timeout)
        copies = tuple(
            records.ServerCopy(one.id, one.name, one.slots, one.running, one.zombie, one.draining, one.local)
            for one in answer.servers
        )
        self._recorder.write(records.Servers(now(), copies))
        return answer

    def _own_id(self) -> str:
        if not self.id:
            (self.id,) = (one.id for one in self.servers().servers if one.local)
        return self.id

    def ledger(self) -> ListSlotsResponse:
        """Notes who holds its slots. Raises grpc.RpcError."""
        answer = self._queues.ListSlots(ListSlotsRequest(), timeout=self._timeout)
        self._recorder.write(
            records.LedgerCopy(
                server=self._own_id(),
                revision=answer.revision,
                slots=answer.slots,
                free=answer.free,
                running=answer.running,
                zombie=answer.zombie,
                at=now(),
                limit=answer.limit,
                holders=tuple(
                    records.Holder(one.job_id, one.attempt, one.zombie, one.worker) for one in answer.holders
                ),
                pools=tuple(
                    records.PoolCopy(one.worker, one.slots, one.free, one.running, one.zombie) for one in answer.pools
                ),
            )
        )
        return answer


class RunRecorder:
    """Handlers' side: which functions began and ended, in this process. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._recorder = Recorder(path, "handlers")
        self._pid = os.getpid()

    def note_start(self, job_id: str, attempt: int, kind: str) -> None:
        self._recorder.write(records.Started(self._pid, now(), job_id, attempt, kind))

    def note_end(self, job_id: str, attempt: int, *, ok: bool = True) -> None:
        self._recorder.write(records.Returned(self._pid, now(), job_id, attempt, ok))

    def recorded(self, function: Handler) -> Handler:
        """Decorates a handler (below `@job`): its calls are noted."""

        @functools.wraps(function)
        def call(ctx: JobContext, payload: Any) -> Any:
            self.note_start(ctx.job_id, ctx.attempt, ctx.kind)
            ok = False
            try:
                result = function(ctx, payload)
                ok = True
                return result
            finally:
                self.note_end(ctx.job_id, ctx.attempt, ok=ok)

        return call


def now() -> int:
    """The time that records have: nanoseconds of the machine's monotonic clock."""
    return time.monotonic_ns()


def labelled(request: SubmitRequest) -> SubmitRequest:
    """The request, with its request_id as a label of its job too."""
    assert request.request_id, "a recorded submission needs a request_id"
    copy = SubmitRequest()
    copy.CopyFrom(request)
    copy.spec.labels[REQUEST_LABEL] = request.request_id
    return copy


def error_reason(error: grpc.RpcError) -> str:
    """The reason that the service gave for refusing a call; empty where the error is gRPC's own."""
    trailing = cast(Iterable[tuple[str, bytes]], error.trailing_metadata() or ())
    for key, value in trailing:
        if key == _DETAILS:
            return reason(status_pb2.Status.FromString(value))
    return ""


def _jobs(answer: Any) -> Iterable[Job]:
    fields = answer.DESCRIPTOR.fields_by_name
    if "jobs" in fields:
        return list(answer.jobs)
    return [answer.job] if "job" in fields else []
