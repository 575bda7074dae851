"""Subscribers that record what they are told, for the checker (tests/faults/checker); see tests/faults/recorder.py.

subscriber = RecordingSubscriber(recorder, "sub-1", addresses)     # goes on by cursor, on whatever server
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import grpc

from slotd.v1 import (
    DELIVERY_EVERY,
    EVENT_TYPE_SNAPSHOT,
    JOB_VIEW_BASIC,
    JOB_VIEW_FULL,
    Delivery,
    JobFilter,
    JobServiceStub,
    StreamRequest,
    StreamResponse,
)
from tests.faults.checker import records
from tests.faults.checker.records import MODULUS, basic, event_digest, message_digest
from tests.faults.recorder import Recorder, error_reason, now


class Sums(NamedTuple):
    """What is recorded of a message that is not recorded in full, and where to go on from."""

    cursor: str
    revision: int
    synced: bool
    snapshot: bool
    events: int
    sum: int
    revisions: tuple[int, ...]


# Many subscribers that ask alike get the same bytes, of which the same is to be said.
@functools.lru_cache(maxsize=1024)
def summed(data: bytes) -> Sums:
    """What is recorded of an encoded StreamResponse."""
    message = StreamResponse.FromString(data)
    snapshot = _is_snapshot(message)
    total = 0
    for event in message.events:
        total += event_digest(message_digest(basic(event.job)), event.type, event.previous_state)
    revisions = tuple(event.revision for event in message.events)
    if revisions and not snapshot and revisions == tuple(range(revisions[0], revisions[-1] + 1)):
        revisions = (revisions[0], revisions[-1])
    told = (message.cursor, message.revision, message.synced, snapshot, len(message.events))
    return Sums(*told, total % MODULUS, revisions)


def _summed_stream(channel: grpc.Channel) -> Callable[[StreamRequest], Any]:
    """JobService.Stream, whose answers are summed up as they come."""
    return channel.unary_stream(
        "/slotd.v1.JobService/Stream",
        request_serializer=StreamRequest.SerializeToString,
        response_deserializer=summed,
    )


def _is_snapshot(message: StreamResponse) -> bool:
    return any(event.type == EVENT_TYPE_SNAPSHOT for event in message.events)


class RecordingSubscriber:
    """Reads a stream in a thread of its own and goes on by cursor when it is cut, on the next of `addresses`.

    With `log` it is the one whose events are the log: it must begin before the first job, `cursor` being that of an
    empty store. Where it is not `full` it records sums in place of events, which is enough to compare with the log.
    Without a cursor it gets a snapshot first. It ends by `close`, or when the service ends the stream with OK; any
    other error than UNAVAILABLE ends it too, and `join` raises it. Between two tries it waits for `pause` seconds.
    """

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        addresses: Callable[[], Sequence[str]],
        *,
        cursor: str = "",
        after: int | None = None,
        exact: bool = True,
        log: bool = False,
        full: bool = True,
        include_progress: bool = True,
        delivery: Delivery.ValueType = DELIVERY_EVERY,
        filter: JobFilter | None = None,
        whole: bool = False,
        pause: float = 0.2,
    ) -> None:
        self.cursor = cursor
        self.revision = after
        self.failure: BaseException | None = None
        self._recorder = recorder
        self._name = name
        self._addresses = addresses
        self._exact = exact
        self._log = log
        self._full = full
        self._request = StreamRequest(
            filter=filter,
            delivery=delivery,
            include_progress=include_progress,
            view=JOB_VIEW_FULL if whole else JOB_VIEW_BASIC,
        )
        self._pause = pause
        self._turn = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._call: Any = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> "RecordingSubscriber":
        """Begins to read."""
        self._thread.start()
        return self

    def wait_revision(self, revision: int, patience: float = 60.0) -> None:
        """Until it has been told everything up to `revision`. Raises what ended it, or TimeoutError where it is told
        nothing for so many seconds."""
        with self._changed:
            while not self._told(revision) and self._thread.is_alive() and self._goes_on(self.revision, patience):
                continue
        if self.failure is not None:
            raise self.failure
        if not self._told(revision):
            raise TimeoutError(f"{self._name} was told up to {self.revision}, not {revision}")

    def close(self, timeout: float = 60.0) -> None:
        """Hangs up, and waits for its end. Raises what ended it before."""
        self._closing.set()
        with self._changed:
            if self._call is not None:
                self._call.cancel()
        self.join(timeout)

    def join(self, timeout: float = 60.0) -> None:
        """Waits until it has ended. Raises what ended it, or TimeoutError."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._name} goes on")
        if self.failure is not None:
            raise self.failure

    def _goes_on(self, seen: int | None, patience: float) -> bool:
        """Waits for so long. → whether it has been told more than what it had `seen`, or has ended."""
        return self._changed.wait_for(lambda: self.revision != seen or not self._thread.is_alive(), patience)

    def _told(self, revision: int) -> bool:
        return self.revision is not None and self.revision >= revision

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                if self._read_one():
                    return
                self._closing.wait(self._pause)
        except BaseException as error:  # noqa: BLE001 - raised by `join`
            self.failure = error
        finally:
            with self._changed:
                self._changed.notify_all()

    def _read_one(self) -> bool:
        """One stream, until it ends. → whether that was the last."""
        addresses = self._addresses()
        if not addresses:
            return False
        self._turn += 1
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(addresses[self._turn % len(addresses)], options) as channel:
            number = self._subscribe()
            code, why = "OK", ""
            try:
                self._read(number, channel)
            except grpc.RpcError as error:
                code, why = error.code().name, error_reason(error)
                if code not in ("UNAVAILABLE", "CANCELLED"):
                    raise
            finally:
                self._recorder.write(records.Ended(number, now(), code, why))
        return code == "OK"

    def _subscribe(self) -> int:
        number = self._recorder.next_stream()
        wanted = self._request.filter
        self._request.cursor = self.cursor
        self._recorder.write(
            records.Subscribe(
                subscriber=self._name,
                number=number,
                at=now(),
                after=self.revision if self.cursor else None,
                exact=self._exact,
                log=self._log,
                full=self._full,
                include_progress=self._request.include_progress,
                delivery=self._request.delivery,
                job_ids=tuple(wanted.job_ids),
                queues=tuple(wanted.queues),
                kinds=tuple(wanted.kinds),
                states=tuple(wanted.states),
                labels=dict(wanted.labels),
                groups=tuple(wanted.groups),
                schedules=tuple(wanted.schedules),
            )
        )
        return number

    def _read(self, number: int, channel: grpc.Channel) -> None:
        stream = JobServiceStub(channel).Stream if self._full else _summed_stream(channel)
        with self._changed:
            if self._closing.is_set():
                return
            self._call = stream(self._request)
        for message in self._call:
            self._recorder.write(self._record(number, message))
            with self._changed:
                if message.cursor:
                    self.cursor, self.revision, self._exact = message.cursor, message.revision, True
                self._changed.notify_all()

    def _record(self, number: int, message: StreamResponse | Sums) -> records.Message:
        told = (number, now(), message.revision, message.synced)
        if isinstance(message, Sums):
            return records.Message(
                *told, message.snapshot, count=message.events, sum=message.sum, revisions=message.revisions
            )
        return records.Message(*told, _is_snapshot(message), self._recorder.events(message.events))
