"""Jobs and queues as rows: which parts are text (JSON arrays, in the order of the fields), and back."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from slotd_server.domain.job import Attempt, Failure, Job, Payload, Progress, RetryPolicy, Spec
from slotd_server.domain.queue import Defaults, Queue
from slotd_server.domain.states import State

Row: TypeAlias = Sequence[Any]

# What changes of a job lies between its spec and its result. A field that a later version adds goes last among these,
# so that a shorter text of an earlier version still fits.
_FIRST = Job._fields.index("state")
_LAST = Job._fields.index("result")
_PROGRESS, _FAILURE, _ATTEMPTS, _BLOCKED_BY = (
    Job._fields.index(name) - _FIRST for name in ("progress", "failure", "attempts", "blocked_by")
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


def snapshot_text(job: Job) -> str:
    """All that changes of a job but its result."""
    return _encode(job[_FIRST:_LAST])


def spec_text(spec: Spec) -> str:
    """A spec without its payload."""
    return _encode(spec[:-1])


def payload_columns(payload: Payload | None) -> tuple[str | None, bytes | None]:
    return (None, None) if payload is None else (payload.content_type, payload.data)


def read_payload(content_type: str | None, data: bytes | None) -> Payload | None:
    return None if content_type is None else Payload(content_type, data or b"")


def read_job(row: Row) -> Job:
    """A job from (seq, id, spec, request_id, payload_type, payload, snapshot, result_type, result)."""
    seq, job_id, spec, request_id, payload_type, payload, snapshot, result_type, result = row
    fields = _decode(snapshot)
    fields[0] = State(fields[0])
    if fields[_PROGRESS] is not None:
        fields[_PROGRESS] = Progress(*fields[_PROGRESS])
    if fields[_FAILURE] is not None:
        fields[_FAILURE] = Failure(*fields[_FAILURE])
    fields[_ATTEMPTS] = tuple(
        [
            Attempt(number, start, end, failure and Failure(*failure), server)
            for number, start, end, failure, server in fields[_ATTEMPTS]
        ]
    )
    fields[_BLOCKED_BY] = tuple(fields[_BLOCKED_BY])
    job = Job(seq, job_id, read_spec(spec, read_payload(payload_type, payload)), *fields)
    if result_type is None and request_id is None:
        return job
    return job._replace(result=read_payload(result_type, result), request_id=request_id or "")


def read_spec(text: str, payload: Payload | None) -> Spec:
    return Spec._make((*_spec_fields(text), payload))


@lru_cache(maxsize=1024)
def _spec_fields(text: str) -> tuple[Any, ...]:
    """All of a spec but its payload. Jobs of one kind mostly have the same text."""
    kind, queue, priority, labels, schedule_time, timeout, retry, queue_timeout, retention = _decode(text)
    pairs = tuple([(key, value) for key, value in labels])
    return kind, queue, priority, pairs, schedule_time, timeout, RetryPolicy(*retry), queue_timeout, retention


def queue_text(queue: Queue) -> str:
    """A queue's settings without its name."""
    return _encode(queue[1:])


def read_queue(name: str, text: str) -> Queue:
    slots, paused, max_queued, defaults = _decode(text)
    return Queue(name, slots, paused, max_queued, Defaults(*defaults))
