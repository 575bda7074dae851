"""What workers say and hear, recorded for the checker: by a worker of slotd, from outside, or by whoever plays one."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from slotd.v1 import STOP_REASON_LOST, Lease, WorkRequest, WorkResponse
from slotd.worker.functions import KindFunctions
from slotd.worker.session import Session
from tests.faults.checker import records
from tests.faults.checker.records import digest
from tests.faults.recorder import Recorder, now


class WorkerRecorder:
    """Notes for one worker, which runs in this process with so many slots. Any thread may call."""

    def __init__(self, recorder: Recorder, worker: str, slots: int) -> None:
        self._recorder = recorder
        self._worker = worker
        self._pid = os.getpid()
        recorder.write(records.Joined(worker, self._pid, now(), slots))

    def said(self, request: WorkRequest) -> None:
        """It is about to send this."""
        self._recorder.write(
            records.Said(
                self._worker,
                self._pid,
                now(),
                request.HasField("hello"),
                _leases(request.hello.held),
                request.slots if request.HasField("slots") else None,
                tuple(
                    records.Outcome(
                        one.lease.job_id,
                        one.lease.fence,
                        one.WhichOneof("outcome") or "",
                        digest(one.succeeded.result.data) if one.succeeded.result.data else 0,
                    )
                    for one in request.finishes
                ),
                request.leave,
            )
        )

    def heard(self, response: WorkResponse) -> None:
        """It has got this, and done nothing about it. Of a mere sign of life there is no note."""
        if not response.ByteSize():
            return
        welcome = response.welcome
        self._recorder.write(
            records.Heard(
                self._worker,
                self._pid,
                now(),
                welcome.server,
                welcome.lease.ToNanoseconds(),
                _leases(welcome.held),
                tuple(
                    records.Assigned(one.lease.job_id, one.lease.fence, one.job.attempt) for one in response.assignments
                ),
                _leases(one.lease for one in response.stops if one.reason == STOP_REASON_LOST),
                _leases(response.settled),
            )
        )

    def launched(self, job_id: str, fence: int, attempt: int) -> None:
        """It is about to call the function."""
        self._recorder.write(records.Launched(self._worker, self._pid, now(), job_id, fence, attempt))


def record(path: Path) -> None:
    """The worker of this process is recorded from now on, from before it begins."""
    recorder = Recorder(path, "worker")
    notes: list[WorkerRecorder] = []
    begin, received, next_request, start = (
        Session.__init__,
        Session.received,
        Session.next_request,
        KindFunctions.start,
    )

    def noted_begin(self: Session, hello: Any, slots: int, *arguments: Any, **named: Any) -> None:
        notes.append(WorkerRecorder(recorder, hello.worker_id, slots))
        begin(self, hello, slots, *arguments, **named)

    def noted_received(self: Session, message: WorkResponse, time: float) -> None:
        notes[0].heard(message)
        received(self, message, time)

    def noted_next_request(self: Session, time: float) -> WorkRequest | None:
        request = next_request(self, time)
        if request is not None:
            notes[0].said(request)
        return request

    def noted_start(self: KindFunctions, lease: Any, assignment: Any, limits: Any) -> None:
        notes[0].launched(lease.job_id, lease.fence, assignment.job.attempt)
        start(self, lease, assignment, limits)

    for owner, name, noted in (
        (Session, "__init__", noted_begin),
        (Session, "received", noted_received),
        (Session, "next_request", noted_next_request),
        (KindFunctions, "start", noted_start),
    ):
        setattr(owner, name, noted)


def _leases(leases: Iterable[Lease]) -> tuple[records.Lease, ...]:
    return tuple(records.Lease(one.job_id, one.fence) for one in leases)
