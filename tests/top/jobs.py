"""Jobs, events and a clock for tests of the view."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd.progress import TERMINAL_STATES
from slotd.top.state import State

EPOCH = 1_900_000_000


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        """The same as a date."""
        return datetime.fromtimestamp(EPOCH, UTC) + timedelta(seconds=self.seconds)


def state_at(clock: Clock) -> State:
    """A view that knows nothing yet."""
    return State("there:1", now=clock.now, clock=clock)


def stamp(seconds: float) -> Timestamp:
    """So many seconds after the clock's zero."""
    whole, part = divmod(seconds, 1)
    return Timestamp(seconds=EPOCH + int(whole), nanos=round(part * 1e9))


def job(
    name: str,
    state: v1.JobState.ValueType = v1.JOB_STATE_RUNNING,
    *,
    created: float = 0.0,
    started: float | None = 0.0,
    ended: float | None = None,
    kind: str = "work",
    queue: str = "default",
    worker: str = "",
    revision: int = 1,
) -> v1.Job:
    """A job with one attempt, or with none where it never started."""
    made = v1.Job(id=name, state=state, revision=revision, create_time=stamp(created))
    made.spec.kind, made.spec.queue = kind, queue
    made.spec.retry.max_attempts = 3
    if started is not None:
        made.attempt = 1
        made.start_time.CopyFrom(stamp(started))
        made.attempts.add(number=1, start_time=stamp(started), server="here", worker=worker)
    if ended is not None:
        made.end_time.CopyFrom(stamp(ended))
        if made.attempts:
            made.attempts[-1].end_time.CopyFrom(stamp(ended))
    if state in TERMINAL_STATES and ended is None:
        raise ValueError("when did it end?")
    return made


def changed(
    job: v1.Job, previous: v1.JobState.ValueType, kind: v1.EventType.ValueType = v1.EVENT_TYPE_CHANGED
) -> v1.JobEvent:
    """What the stream tells of a job that was in the state `previous`."""
    return v1.JobEvent(type=kind, job=job, previous_state=previous, revision=job.revision)


def told(*events: v1.JobEvent, revision: int = 1, synced: bool = False) -> v1.StreamResponse:
    """A message of the stream."""
    return v1.StreamResponse(events=events, revision=revision, synced=synced)
