"""One job in full, for a reader: what was asked for, how it went, what came out."""

from datetime import datetime
from typing import Literal

from rich.console import Console

from slotd import v1
from slotd.cli import documents, tables, text

_ATTEMPTS = (
    tables.Column("ATTEMPT", right=True),
    tables.Column("STARTED", whole=True),
    tables.Column("TOOK", right=True, whole=True),
    tables.Column("ERROR"),
)

_TIMES: dict[str, Literal["create_time", "schedule_time", "start_time", "end_time", "expire_time"]] = {
    "submitted": "create_time",
    "scheduled": "schedule_time",
    "started": "start_time",
    "ended": "end_time",
    "expires": "expire_time",
}


def show(console: Console, job: v1.Job, now: datetime) -> None:
    """Write all that there is to say about the job."""
    spec = job.spec
    tables.fields(
        console,
        [
            ("id", job.id),
            ("kind", text.printable(spec.kind)),
            ("queue", text.printable(spec.queue)),
            ("state", text.state_name(job.state)),
            ("cancel", "requested" if job.cancel_requested and job.state not in text.TERMINAL else ""),
            ("blocked by", text.printable(", ".join(job.blocked_by))),
            ("schedule", _schedule(job)),
            ("attempt", text.attempts(job)),
            ("progress", text.progress(job)),
            *(
                (title, text.when(getattr(job, name), now) if job.HasField(name) else "")
                for title, name in _TIMES.items()
            ),
            ("took", text.run_time(job, now)),
            *asked_for(spec),
            ("result", content(job.result) if job.HasField("result") else ""),
            ("error", text.error_line(job.error, 2000) if job.HasField("error") else ""),
            ("output", _output(job)),
        ],
    )
    if len(job.attempts) > 1 or (job.attempts and job.attempts[0].HasField("error")):
        console.file.write("\n")
        tables.draw(console, _ATTEMPTS, (_attempt(attempt, now) for attempt in job.attempts))


def asked_for(spec: v1.JobSpec) -> list[tuple[str, str]]:
    """What a spec says beside its kind and queue, names and values; values are empty where it says nothing."""
    return [
        ("priority", str(spec.priority) if spec.priority else ""),
        ("labels", text.printable(", ".join(f"{key}={spec.labels[key]}" for key in sorted(spec.labels)))),
        ("depends on", ", ".join(text.dependency(one) for one in spec.depends_on)),
        ("resources", ", ".join(text.claim(one) for one in spec.resources)),
        ("group", text.printable(spec.group)),
        ("key", text.printable(spec.concurrency_key)),
        ("unique key", text.printable(spec.unique_key)),
        ("timeout", text.span(spec.timeout) if spec.HasField("timeout") else ""),
        ("queue timeout", text.span(spec.queue_timeout) if spec.HasField("queue_timeout") else ""),
        ("retention", text.span(spec.retention) if spec.HasField("retention") else ""),
        ("payload", content(spec.payload) if spec.HasField("payload") else ""),
    ]


def content(payload: v1.Payload) -> str:
    """A payload on one line: JSON and text as they are, the rest by its type and size."""
    found = documents.payload(payload)
    form = payload.content_type or "application/octet-stream"
    if "data" in found:
        return f"{text.printable(form)}, {text.size(len(payload.data))}"
    if "value" not in found:
        return f"{text.printable(form)}, no data"
    return text.brief(documents.line(found["value"]), 2000)


def _schedule(job: v1.Job) -> str:
    if not job.HasField("fire_time"):
        return text.printable(job.schedule)
    return f"{text.printable(job.schedule)}, for {text.local(job.fire_time)}"


def _output(job: v1.Job) -> str:
    if not job.output_size:
        return ""
    return text.size(job.output_size) + (", truncated" if job.output_truncated else "") + f": slotd output {job.id}"


def _attempt(attempt: v1.Attempt, now: datetime) -> tables.Row:
    end = text.moment(attempt.end_time) if attempt.HasField("end_time") else now
    return (
        str(attempt.number),
        text.local(attempt.start_time),
        text.length(end - text.moment(attempt.start_time)),
        text.error_line(attempt.error) if attempt.HasField("error") else "",
    )
