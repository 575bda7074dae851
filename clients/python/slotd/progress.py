"""How far a reader has come, over all the calls that it takes: what to ask for next, and what is new of the answer.

Both clients drive these; nothing here does input or output.
"""

from __future__ import annotations

from collections import deque

from slotd.errors import Error
from slotd.jobspec import duration
from slotd.outage import Outage
from slotd.v1 import job_pb2, job_service_pb2

TERMINAL_STATES = frozenset({job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED})

# One Wait asks for this many seconds; its call is given some more to answer.
_WAIT_SECONDS = 20.0
_WAIT_MARGIN = 10.0


class EventProgress:
    """How far a stream of events has come: what to ask for next, what to hand out, and the position after that.

    Once the service has sent a cursor, a cut stream goes on from the last one, without gap or duplicate. Before that,
    within the first snapshot, there is nothing to go on from: the snapshot is asked for again, and of it only those
    jobs are handed out that are new or of a higher revision than before. Jobs that were handed out before the cut and
    are missing from the snapshot that came through are listed in `vanished`.
    """

    def __init__(self, request: job_service_pb2.StreamRequest) -> None:
        self._request = request
        self._received = request.cursor
        self._told: dict[str, int] = {}
        self._present: set[str] = set()
        self._pending: deque[job_service_pb2.JobEvent] = deque()
        self._settling: job_service_pb2.StreamResponse | None = None
        self.cursor = request.cursor
        self.revision = 0
        self.synced = False
        self.vanished: frozenset[str] = frozenset()

    def request(self) -> job_service_pb2.StreamRequest:
        """What the next call asks for."""
        self._present.clear()
        request = job_service_pb2.StreamRequest()
        request.CopyFrom(self._request)
        request.cursor = self._received
        return request

    def receive(self, message: job_service_pb2.StreamResponse) -> job_service_pb2.StreamResponse:
        """Takes in a message; returns it without the events that were handed out before."""
        if not self._received:
            message = self._without_repeats(message)
        if message.cursor:
            self._received = message.cursor
        if message.synced and self._told:
            self.vanished = frozenset(self._told.keys() - self._present)
        if self._received:
            self._told.clear()
            self._present.clear()
        return message

    def queue(self, message: job_service_pb2.StreamResponse) -> None:
        """Lines up a received message's events for `next_event`; there must be none waiting."""
        self._pending.extend(message.events)
        self._settling = message
        if not self._pending:
            self.settle(message)

    def next_event(self) -> job_service_pb2.JobEvent | None:
        """The next event in line; None when a message is needed."""
        if not self._pending:
            return None
        event = self._pending.popleft()
        if not self._pending and self._settling is not None:
            self.settle(self._settling)
        return event

    def settle(self, message: job_service_pb2.StreamResponse) -> None:
        """All events of this message have been handed out: the position moves behind it."""
        self._settling = None
        self.cursor = message.cursor or self.cursor
        self.revision = max(self.revision, message.revision)
        self.synced = self.synced or message.synced

    def _without_repeats(self, message: job_service_pb2.StreamResponse) -> job_service_pb2.StreamResponse:
        fresh = []
        for event in message.events:
            if event.type == job_service_pb2.EVENT_TYPE_SNAPSHOT:
                self._present.add(event.job.id)
                if event.job.revision <= self._told.get(event.job.id, -1):
                    continue
                self._told[event.job.id] = event.job.revision
            fresh.append(event)
        if len(fresh) == len(message.events):
            return message
        trimmed = job_service_pb2.StreamResponse()
        trimmed.CopyFrom(message)
        del trimmed.events[:]
        trimmed.events.extend(fresh)
        return trimmed


class OutputProgress:
    """How far a job's output has been read."""

    def __init__(self, request: job_service_pb2.ReadOutputRequest) -> None:
        self._request = request
        self.offset = request.offset
        self.truncated = False
        self.ended = False

    def request(self) -> job_service_pb2.ReadOutputRequest:
        """What the next call asks for."""
        request = job_service_pb2.ReadOutputRequest()
        request.CopyFrom(self._request)
        request.offset = self.offset
        return request

    def receive(self, message: job_service_pb2.ReadOutputResponse) -> bytes:
        """Takes in a message; returns its bytes, less those that were handed out before."""
        data = message.data[max(0, self.offset - message.offset) :]
        self.offset = max(self.offset, message.offset + len(message.data))
        self.truncated = self.truncated or message.truncated
        self.ended = self.ended or message.eof
        return data


class WaitProgress:
    """A wait of any length as a row of bounded Waits, none of which hangs for ever on a service that has gone."""

    def __init__(
        self, job_id: str, view: job_pb2.JobView.ValueType | None, timeout: float | None, outage: Outage
    ) -> None:
        self._job_id = job_id
        self._view = view or job_pb2.JOB_VIEW_UNSPECIFIED
        self._outage = outage
        self._end = None if timeout is None else outage.clock() + timeout

    def request(self) -> tuple[job_service_pb2.WaitRequest, float]:
        """The next Wait, and the timeout of its call in seconds."""
        slice_seconds = min(_WAIT_SECONDS, self._left())
        request = job_service_pb2.WaitRequest(id=self._job_id, timeout=duration(slice_seconds), view=self._view)
        return request, slice_seconds + _WAIT_MARGIN

    def answered(self, job: job_pb2.Job) -> bool:
        """Says whether this is the answer: the job is terminal, or the time is over."""
        self._outage.answered()
        return job.state in TERMINAL_STATES or self._left() <= 0

    def failed(self, error: Error) -> float | None:
        """Returns seconds to wait before the next Wait; None when the error is the caller's to know."""
        left = self._left()
        delay = self._outage.failed(error)
        if delay is None or left <= 0:
            return None
        return min(delay, left)

    def _left(self) -> float:
        return float("inf") if self._end is None else max(0.0, self._end - self._outage.clock())


class EventPosition:
    """What a stream of events tells of where it is."""

    _progress: EventProgress

    @property
    def cursor(self) -> str:
        """The position after what has been handed out; empty before there is one. `stream(cursor=…)` goes on there.

        It moves when the last event of a message has been handed out: to go on from it never skips one.
        """
        return self._progress.cursor

    @property
    def revision(self) -> int:
        """The revision up to which everything that matches has been handed out; 0 before there is one."""
        return self._progress.revision

    @property
    def synced(self) -> bool:
        """The first snapshot, or what had happened since the cursor, has been handed out whole."""
        return self._progress.synced

    @property
    def vanished(self) -> frozenset[str]:
        """Ids of jobs handed out by a snapshot that was cut, and missing from the one that came through."""
        return self._progress.vanished


class OutputPosition:
    """What a stream of output tells of where it is."""

    _progress: OutputProgress

    @property
    def offset(self) -> int:
        """The byte after what has been handed out."""
        return self._progress.offset

    @property
    def truncated(self) -> bool:
        """The job wrote more than is kept; known at the end."""
        return self._progress.truncated
