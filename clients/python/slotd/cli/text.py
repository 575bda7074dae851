"""How states, times, durations, sizes and other people's words are written for a reader."""

import re
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from slotd import v1

TERMINAL = frozenset({v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED})

COLOURS = {
    "SCHEDULED": "blue",
    "BLOCKED": "magenta",
    "QUEUED": "cyan",
    "RUNNING": "yellow",
    "SUCCEEDED": "green",
    "FAILED": "bold red",
    "CANCELLED": "bright_black",
}

# Characters that move a terminal's cursor, recolour it, or reorder what it shows; line feed and tab among them.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """One line of text that a terminal shows as it is: control characters are written as escapes."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def brief(text: str, longest: int = 60) -> str:
    """Printable, and cut to `longest` characters."""
    line = printable(text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def state_name(state: v1.JobState.ValueType) -> str:
    """`RUNNING`; the number of a state that this version does not know."""
    if state not in v1.JobState.values():
        return str(state)
    return v1.JobState.Name(state).removeprefix("JOB_STATE_")


def event_name(kind: v1.EventType.ValueType) -> str:
    """`CHANGED`; the number of a type that this version does not know."""
    if kind not in v1.EventType.values():
        return str(kind)
    return v1.EventType.Name(kind).removeprefix("EVENT_TYPE_")


def moment(stamp: Timestamp) -> datetime:
    """An aware datetime in UTC, to the microsecond."""
    return stamp.ToDatetime(tzinfo=UTC)


def utc(stamp: Timestamp) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return moment(stamp).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(stamp: Timestamp) -> str:
    """Local time, to the second, with its offset."""
    return moment(stamp).astimezone().isoformat(sep=" ", timespec="seconds")


def when(stamp: Timestamp, now: datetime) -> str:
    """Local time, and how far away that is."""
    apart = now - moment(stamp)
    away = f"{length(apart)} ago" if apart.total_seconds() >= 0 else f"in {length(-apart)}"
    return f"{local(stamp)} ({away})"


def length(duration: timedelta) -> str:
    """Two units at most: `12ms`, `1.2s`, `3m05s`, `2h10m`, `4d06h`."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def span(duration: Duration) -> str:
    """The length of a protobuf Duration."""
    return length(timedelta(seconds=duration.seconds, microseconds=duration.nanos / 1000))


def age(job: v1.Job, now: datetime) -> str:
    """How long ago it was submitted."""
    return length(now - moment(job.create_time)) if job.HasField("create_time") else ""


def run_time(job: v1.Job, now: datetime) -> str:
    """How long its present or last attempt has taken; empty while it waits."""
    if not job.HasField("start_time"):
        return ""
    if job.state == v1.JOB_STATE_RUNNING:
        return length(now - moment(job.start_time))
    return length(moment(job.end_time) - moment(job.start_time)) if job.HasField("end_time") else ""


def attempts(job: v1.Job) -> str:
    """`2/5`: which attempt of how many; empty before the first."""
    if not job.attempt:
        return ""
    most = job.spec.retry.max_attempts
    return f"{job.attempt}/{most}" if most else str(job.attempt)


def waits_for(job: v1.Job) -> str:
    """`waits for jobs/ID`, and how many others; empty where the job is not BLOCKED."""
    if job.state != v1.JOB_STATE_BLOCKED or not job.blocked_by:
        return ""
    others = len(job.blocked_by) - 1
    return f"waits for {brief(job.blocked_by[0])}" + (f" and {others} more" if others else "")


def dependency(wanted: v1.Dependency) -> str:
    """`jobs/ID (cut, ended)`: what a job depends on, as its blocked_by has it, its ref, and what else is said of it."""
    target = f"groups/{wanted.group}" if wanted.group else f"jobs/{wanted.job_id}"
    remarks = [wanted.ref] if wanted.ref else []
    if wanted.condition == v1.DEPENDENCY_CONDITION_ENDED:
        remarks.append("ended")
    if wanted.wait_for_retry:
        remarks.append("waits for retry")
    return printable(target + (f" ({', '.join(remarks)})" if remarks else ""))


def claim(held: v1.ResourceClaim) -> str:
    """`NAME` or `NAME:shared`."""
    return printable(held.name + (":shared" if held.mode == v1.RESOURCE_MODE_SHARED else ""))


def progress(job: v1.Job) -> str:
    """`3/10 decoding`; empty where it has told nothing."""
    told = job.progress
    count = f"{told.done}/{told.total}" if told.total else (str(told.done) if told.done else "")
    return " ".join(part for part in (count, brief(told.message)) if part)


def error_reason(error: Status) -> str:
    """The reason of an error's ErrorInfo; empty where it has none."""
    for detail in error.details:
        info = ErrorInfo()
        # False where it is another message.
        if detail.Unpack(info):
            return printable(info.reason)
    return ""


def error_line(error: Status, longest: int = 200) -> str:
    """`REASON: message`; empty where there is no error."""
    return ": ".join(part for part in (error_reason(error), brief(error.message, longest)) if part)


def jobs(count: int) -> str:
    """`1 job`, `2 jobs`."""
    return "1 job" if count == 1 else f"{count} jobs"


def size(count: int) -> str:
    """Bytes, in the binary unit that leaves fewest digits."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            break
    return f"{amount:.1f} {unit}"
