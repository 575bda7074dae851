"""Domain values ↔ messages of `slotd.v1`. No checks here: `validate.py` has made them before.

Messages are built in one constructor call from nested dicts, which is quicker than building the parts as messages and
copying them in; jobs and events, of which there are many, in `encode.py`.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd_server.domain.events import EVERYTHING, Event, JobFilter
from slotd_server.domain.job import SECOND, Job, Payload
from slotd_server.domain.queue import NOTHING, Counters, Defaults, Draft, Queue
from slotd_server.domain.states import State
from slotd_server.rpc import encode
from slotd_server.slots import LedgerView

OCTET_STREAM = "application/octet-stream"
"""The content type of a payload that comes without one."""

_NO_STATE = cast("State", 0)
"""Stands in a filter for JOB_STATE_UNSPECIFIED, which no job is in."""


# Times


def microseconds(message: Timestamp | Duration) -> int:
    """A time or a duration; what is finer than a microsecond is dropped."""
    return message.seconds * SECOND + message.nanos // 1000


def _optional(message: Timestamp | Duration | None) -> int | None:
    return None if message is None else message.seconds * SECOND + message.nanos // 1000


# What comes in


def draft_from(request: v1.SubmitRequest) -> Draft:
    """The job that is asked for. Its fingerprint is there only where a request_id is."""
    spec = request.spec
    given = {field.name: value for field, value in spec.ListFields()}
    payload = given.get("payload")
    schedule_time = given.get("schedule_time")
    labels = given.get("labels")
    return Draft(
        kind=spec.kind,
        payload=None if payload is None else Payload(payload.content_type or OCTET_STREAM, payload.data),
        labels=tuple(sorted(labels.items())) if labels else (),
        schedule_time=None if schedule_time is None else microseconds(schedule_time),
        asked=NOTHING if _ASKED.isdisjoint(given) else _defaults(given),
        request_id=request.request_id,
        fingerprint=_fingerprint(spec) if request.request_id else b"",
    )


_ASKED = frozenset({"queue", "priority", "timeout", "queue_timeout", "retention", "retry"})


def _fingerprint(spec: v1.JobSpec) -> bytes:
    return blake2b(spec.SerializeToString(deterministic=True), digest_size=16).digest()


def _defaults(given: Mapping[str, Any]) -> Defaults:
    """The choices in a JobSpec or QueueDefaults, from the fields that are set; they have the same names in both."""
    retry = {field.name: value for field, value in given["retry"].ListFields()} if "retry" in given else {}
    return Defaults(
        queue=given.get("queue"),
        priority=given.get("priority"),
        timeout=_optional(given.get("timeout")),
        queue_timeout=_optional(given.get("queue_timeout")),
        retention=_optional(given.get("retention")),
        max_attempts=retry.get("max_attempts"),
        initial_backoff=_optional(retry.get("initial_backoff")),
        max_backoff=_optional(retry.get("max_backoff")),
        multiplier=retry.get("multiplier"),
        jitter=retry.get("jitter"),
    )


def filter_from(message: v1.JobFilter) -> JobFilter:
    """EVERYTHING where nothing is set."""
    if not message.ByteSize():
        return EVERYTHING
    return JobFilter(
        job_ids=frozenset(message.job_ids),
        queues=frozenset(message.queues),
        kinds=frozenset(message.kinds),
        states=frozenset(State(state) if state else _NO_STATE for state in message.states),
        labels=frozenset(message.labels.items()),
    )


def queue_from(message: v1.Queue) -> Queue:
    """The settings of a queue; one that is not set is as of a queue that was never changed."""
    given = {field.name: value for field, value in message.ListFields()}
    defaults = given.get("defaults")
    return Queue(
        name=message.name,
        slots=given.get("slots"),
        paused=message.paused,
        max_queued=given.get("max_queued"),
        defaults=NOTHING
        if defaults is None
        else _defaults({field.name: value for field, value in defaults.ListFields()}),
    )


# Jobs and events


def job_message(job: Job, view: int = v1.JOB_VIEW_FULL) -> v1.Job:
    """The job as one who asks with `view` sees it: without the data of payload and result unless FULL."""
    return v1.Job.FromString(encode.job(job, view == v1.JOB_VIEW_FULL))


def event_message(event: Event, view: int = v1.JOB_VIEW_BASIC) -> v1.JobEvent:
    """The event, with its job as of `job_message`."""
    return v1.JobEvent.FromString(encode.event(event, view == v1.JOB_VIEW_FULL))


# Queues, counters and slots


def queue_message(queue: Queue, counters: Counters) -> v1.Queue:
    """A queue with its counters."""
    defaults = queue.defaults
    fields: encode.Fields = {
        "name": queue.name,
        "slots": queue.slots,
        "paused": queue.paused,
        "max_queued": queue.max_queued,
        "counters": counters_message(counters),
    }
    if defaults != NOTHING:
        retry = (
            defaults.max_attempts,
            defaults.initial_backoff,
            defaults.max_backoff,
            defaults.multiplier,
            defaults.jitter,
        )
        fields["defaults"] = {
            "priority": defaults.priority,
            "timeout": encode.time_fields(defaults.timeout),
            "retry": None if retry == (None,) * 5 else encode.retry_fields(*retry),
            "queue_timeout": encode.time_fields(defaults.queue_timeout),
            "retention": encode.time_fields(defaults.retention),
        }
    return v1.Queue(**fields)


def counters_message(counters: Counters) -> v1.Counters:
    """Counters with the sum that the domain leaves out."""
    return v1.Counters(completed=counters.completed, **counters._asdict())


def sums(counters: Iterable[tuple[str, Counters]]) -> dict[str, Counters]:
    """Adds up by name, in the order of the names."""
    found: dict[str, Counters] = {}
    for name, some in counters:
        before = found.get(name)
        found[name] = some if before is None else before.plus(some)
    return dict(sorted(found.items()))


def slots_message(view: LedgerView) -> v1.ListSlotsResponse:
    """The whole ledger."""
    fields: encode.Fields = {
        "slots": view.size,
        "free": view.free,
        "running": view.running,
        "zombie": view.zombie,
        "holders": [
            {
                "job_id": holder.job_id,
                "attempt": holder.attempt,
                "kind": holder.kind,
                "queue": holder.queue,
                "start_time": encode.time_fields(holder.since),
                "zombie": holder.zombie,
            }
            for holder in view.holders
        ],
        "queues": [
            {"queue": part.queue, "slots": part.limit, "running": part.running, "zombie": part.zombie}
            for part in view.queues
        ],
        "revision": view.revision,
        "limit": view.limit,
    }
    return v1.ListSlotsResponse(**fields)
