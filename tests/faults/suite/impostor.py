"""A worker of which no server may believe a word: it speaks of claims that are not its own, or not any more."""

import queue
from collections.abc import Callable, Iterator, Sequence

import grpc

from slotd.v1 import (
    STOP_REASON_LOST,
    Failed,
    Finish,
    Hello,
    Lease,
    Payload,
    Released,
    Report,
    Succeeded,
    WorkerKind,
    WorkerServiceStub,
    WorkRequest,
    WorkResponse,
)
from tests.faults.process import PATIENCE
from tests.faults.suite.crew import WORKER_LEASE
from tests.faults.worker_recorder import WorkerRecorder

FORGED = b'"forged"'
"""What it says that others' jobs have returned."""

TRUE = b'"true"'
"""What it says of its own."""


class Impostor:
    """Connects under `worker_id` as one that runs jobs of `kind`, one at a time, and says that it holds all of
    `stolen`. What it does by right goes to `notes`."""

    def __init__(
        self, wire: grpc.Channel, notes: WorkerRecorder, worker_id: str, kind: str, stolen: Sequence[Lease]
    ) -> None:
        self._notes = notes
        self._stolen = stolen
        self._requests: queue.SimpleQueue[WorkRequest | None] = queue.SimpleQueue()
        hello = Hello(worker_id=worker_id, name="impostor", kinds=[WorkerKind(kind=kind)])
        notes.said(WorkRequest(hello=hello))
        hello.held.extend(stolen)
        self._requests.put(WorkRequest(hello=hello))
        self._call = WorkerServiceStub(wire).Work(self._speak(), timeout=PATIENCE)
        self._heard = WorkResponse()

    def meddle(self) -> None:
        """Reports on what it does not hold, and finishes it. Raises AssertionError where it is believed."""
        welcome = self._hear(lambda heard: heard.HasField("welcome")).welcome
        assert not welcome.held, f"it was believed to hold {welcome.held}"
        self._notes.heard(WorkResponse(welcome=welcome))
        self._lie(self._stolen)

    def work(self, submit: Callable[[], None]) -> None:
        """Does one job, which `submit` asks for, by its second claim; speaks of other claims of it while it has that,
        and of its own once more when that is settled. Raises AssertionError where it is believed."""
        self._notes.said(WorkRequest(slots=1))
        self._requests.put(WorkRequest(slots=1))
        submit()
        own = self._assigned()
        back = WorkRequest(finishes=[Finish(lease=own, released=Released())])
        self._notes.said(back)
        self._requests.put(back)
        own = self._assigned()
        self._lie([Lease(job_id=own.job_id, fence=own.fence + more) for more in (-1, 1)])
        finish = Finish(lease=own, succeeded=Succeeded(result=_json(TRUE)))
        # Not to be given the next one: it could not say who has what, if another were to be told of it.
        self._notes.said(WorkRequest(slots=0, finishes=[finish]))
        self._requests.put(WorkRequest(slots=0, finishes=[finish, finish]))
        self._hear(lambda heard: own in heard.settled)
        self._notes.heard(WorkResponse(settled=[own]))
        self._lie([own])

    def leave(self) -> None:
        """For good; hears the end."""
        self._notes.said(WorkRequest(leave=True))
        self._requests.put(WorkRequest(leave=True))
        for _ in self._call:
            continue
        self._requests.put(None)

    def _assigned(self) -> Lease:
        """The lease of the next job that comes."""
        (assignment,) = self._hear(lambda heard: heard.assignments).assignments
        self._notes.heard(WorkResponse(assignments=[assignment]))
        return assignment.lease

    def _lie(self, leases: Sequence[Lease]) -> None:
        """It hears of each that it is not its own, and may forget it."""
        if not leases:
            return
        reports = [Report(lease=lease, output=b"a lie") for lease in leases]
        done = [Finish(lease=lease, succeeded=Succeeded(result=_json(FORGED))) for lease in leases]
        failed = [Finish(lease=lease, failed=Failed(permanent=True)) for lease in leases]
        self._requests.put(WorkRequest(reports=reports, finishes=[*done, *failed]))
        self._hear(
            lambda heard: (
                all(list(heard.settled).count(lease) == 2 for lease in leases)
                and all(any(stop.lease == lease for stop in heard.stops) for lease in leases)
                and all(stop.reason == STOP_REASON_LOST for stop in heard.stops)
            )
        )

    def _hear(self, there: Callable[[WorkResponse], object]) -> WorkResponse:
        """Listens until all that was heard since the last call has what is wanted, and returns all that. Raises
        grpc.RpcError where it never comes."""
        while not there(self._heard):
            self._heard.MergeFrom(next(self._call))
        heard, self._heard = self._heard, WorkResponse()
        return heard

    def _speak(self) -> Iterator[WorkRequest]:
        while True:
            try:
                request = self._requests.get(timeout=WORKER_LEASE / 4)
            except queue.Empty:
                yield WorkRequest()
                continue
            if request is None:
                return
            yield request


def _json(data: bytes) -> Payload:
    return Payload(content_type="application/json", data=data)
