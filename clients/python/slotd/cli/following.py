"""Following a stream: the same events as a live display, as plain lines, or as JSON lines."""

from collections.abc import Callable

from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd.cli import documents, text
from slotd.cli.session import Session
from slotd.streams import EventStream

Show = Callable[[v1.JobEvent, str], None]


def follow(events: EventStream, show: Show) -> v1.JobEvent | None:
    """Hand each event to `show` with the cursor after it, until the stream ends; answers the last one."""
    last: v1.JobEvent | None = None
    for event in events:
        last = event
        show(event, events.cursor)
    return last


def as_json(session: Session) -> Show:
    """A JSON object a line: the event, and `cursor` where there is one."""

    def show(event: v1.JobEvent, cursor: str) -> None:
        found = documents.document(event)
        if cursor:
            found["cursor"] = cursor
        session.print(documents.line(found))

    return show


def as_lines(session: Session) -> Show:
    """A line of words per event."""

    def show(event: v1.JobEvent, _: str) -> None:
        session.print(event_line(event))

    return show


def event_line(event: v1.JobEvent) -> str:
    """`TIME  ID  STATE  KIND  …`: columns of fixed width first, so that lines of one stream stand below each other."""
    job = event.job
    state = text.state_name(job.state)
    if event.type in (v1.EVENT_TYPE_DELETED, v1.EVENT_TYPE_LEFT_FILTER):
        state = text.event_name(event.type)
    elif job.cancel_requested and job.state == v1.JOB_STATE_RUNNING:
        state = "CANCELLING"
    words = [text.utc(_since(event)), job.id, state.ljust(11), text.printable(job.spec.kind)]
    if job.attempt > 1:
        words.append(f"attempt {text.attempts(job)}")
    if job.spec.group:
        words.append(f"group {text.printable(job.spec.group)}")
    if job.schedule:
        words.append(f"schedule {text.printable(job.schedule)}")
    if waits := text.waits_for(job):
        words.append(waits)
    elif job.state != v1.JOB_STATE_SUCCEEDED and job.HasField("error"):
        words.append(text.error_line(job.error))
    elif told := text.progress(job):
        words.append(told)
    return "  ".join(words).rstrip()


def _since(event: v1.JobEvent) -> Timestamp:
    """When it happened; of a job that was there when the stream began, the last time that it tells of itself."""
    if event.HasField("time"):
        return event.time
    job = event.job
    for name in ("end_time", "start_time"):
        if job.HasField(name):
            time: Timestamp = getattr(job, name)
            return time
    return job.create_time
