"""Jobs, events and the answers to submissions as bytes of `slotd.v1`, put together by hand: this is on the path of
every job and of every event.

protobuf takes about a microsecond for each message within a message, and a job has a dozen; most of these are alike in
many jobs (specs, the times and attempts of one transaction), so their bytes are made once, by protobuf, and remembered.
The order of fields is free, and a test compares all of this with what protobuf's own constructors make.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from slotd import v1
from slotd_server.domain.events import Event
from slotd_server.domain.job import SECOND, Attempt, Failure, Job, Payload, Progress
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Dependency, Ties, Unique

Fields: TypeAlias = dict[str, Any]
"""A message's fields by name, as its constructor takes them; None is a field that is not set."""

CODES: Mapping[str, int] = {
    "HANDLER_ERROR": code_pb2.UNKNOWN,
    "PERMANENT_ERROR": code_pb2.FAILED_PRECONDITION,
    "TIMEOUT": code_pb2.DEADLINE_EXCEEDED,
    "QUEUE_TIMEOUT": code_pb2.DEADLINE_EXCEEDED,
    "CANCELLED": code_pb2.CANCELLED,
    "SERVER_LOST": code_pb2.ABORTED,
    "SERVER_STOPPED": code_pb2.ABORTED,
    "WORKER_LOST": code_pb2.ABORTED,
    "WORKER_STOPPED": code_pb2.ABORTED,
    "PROCESS_DIED": code_pb2.ABORTED,
    "PROCESS_NOT_STARTED": code_pb2.RESOURCE_EXHAUSTED,
    "HANDLER_NOT_LOADED": code_pb2.FAILED_PRECONDITION,
    "COMMAND_FAILED": code_pb2.UNKNOWN,
    "COMMAND_NOT_FOUND": code_pb2.NOT_FOUND,
    "COMMAND_NOT_ALLOWED": code_pb2.PERMISSION_DENIED,
    "SNOOZED": code_pb2.UNAVAILABLE,
    "DEPENDENCY_FAILED": code_pb2.FAILED_PRECONDITION,
    "PAYLOAD_INVALID": code_pb2.INVALID_ARGUMENT,
    "RESULT_TOO_LARGE": code_pb2.RESOURCE_EXHAUSTED,
    "RESULT_INVALID": code_pb2.INTERNAL,
}
"""The google.rpc.Code of each reason that a Failure may have; of any other it is UNKNOWN."""


def _varint(value: int) -> bytes:
    """A number as protobuf has it; a negative one is an int64's."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


_SHORT = [_varint(length) for length in range(4096)]


def _length(value: int) -> bytes:
    return _SHORT[value] if value < 4096 else _varint(value)


def _tags(kind: type[Message]) -> dict[str, bytes]:
    """What stands before each field's value; only varints and what has a length are encoded here."""
    return {
        field.name: _varint(
            field.number << 3 | (2 if field.type in (field.TYPE_MESSAGE, field.TYPE_STRING, field.TYPE_BYTES) else 0)
        )
        for field in kind.DESCRIPTOR.fields
    }


def _framed(message: Message) -> bytes:
    data = message.SerializeToString()
    return _length(len(data)) + data


_JOB = _tags(v1.Job)
_ID = _JOB["id"]
_SPEC = _JOB["spec"]
_ATTEMPT_NUMBER = _JOB["attempt"]
_CREATE_TIME = _JOB["create_time"]
_SCHEDULE_TIME = _JOB["schedule_time"]
_START_TIME = _JOB["start_time"]
_END_TIME = _JOB["end_time"]
_EXPIRE_TIME = _JOB["expire_time"]
_PROGRESS = _JOB["progress"]
_RESULT = _JOB["result"]
_ERROR = _JOB["error"]
_BLOCKED_BY = _JOB["blocked_by"]
_ATTEMPTS = _JOB["attempts"]
_OUTPUT_SIZE = _JOB["output_size"]
_REVISION = _JOB["revision"]
_CANCEL_REQUESTED = _JOB["cancel_requested"] + b"\1"
_OUTPUT_TRUNCATED = _JOB["output_truncated"] + b"\1"
_STATES = {state: _JOB["state"] + _varint(state) for state in State}
_SCHEDULE = _JOB["schedule"]
_FIRE_TIME = _JOB["fire_time"]
_TRACEPARENT = _JOB["traceparent"]
_PAYLOAD = _tags(v1.JobSpec)["payload"]
_DEPENDS_ON = _tags(v1.JobSpec)["depends_on"]
_CONTENT_TYPE = _tags(v1.Payload)["content_type"]
_DATA = _tags(v1.Payload)["data"]

_EVENT = _tags(v1.JobEvent)
_EVENT_REVISION = _EVENT["revision"]
_EVENT_TYPE = _EVENT["type"]
_EVENT_JOB = _EVENT["job"]
_EVENT_TIME = _EVENT["time"]
_SUBMITTED_JOB = _tags(v1.SubmitResponse)["job"]
_CURSOR = _tags(v1.SubmitResponse)["cursor"]
_PREVIOUS_STATES = {state: _EVENT["previous_state"] + _varint(state) for state in State}


def event(happened: Event, whole: bool) -> bytes:
    """A v1.JobEvent, with its job as of `job`."""
    body = job(happened.job, whole)
    parts = [
        _EVENT_REVISION,
        _varint(happened.revision),
        _EVENT_TYPE,
        _SHORT[happened.type],
        _EVENT_JOB,
        _length(len(body)),
        body,
    ]
    # What a snapshot shows happened at no known time.
    if happened.time:
        parts += _EVENT_TIME, _time(happened.time)
    if happened.previous_state is not None:
        parts.append(_PREVIOUS_STATES[happened.previous_state])
    return b"".join(parts)


def submitted(jobs: Iterable[Job], cursor: str, *, whole: bool = True) -> bytes:
    """A v1.SubmitBatchResponse or, with one job, a v1.SubmitResponse: their fields have the same numbers."""
    parts: list[bytes] = []
    for one in jobs:
        body = job(one, whole)
        parts += _SUBMITTED_JOB, _length(len(body)), body
    if cursor:
        data = cursor.encode()
        parts += _CURSOR, _length(len(data)), data
    return b"".join(parts)


def job(value: Job, whole: bool) -> bytes:
    """A v1.Job, without the data of its payload and result unless `whole`."""
    identity = value.id.encode()
    spec = value.spec
    body = _spec(spec[:-2])
    tied = spec.ties
    if tied is not None:
        body += ties(tied)
    payload = spec.payload
    if payload is not None:
        body += _PAYLOAD + _payload(payload, whole)
    parts = [
        _ID,
        _length(len(identity)),
        identity,
        _SPEC,
        _length(len(body)),
        body,
        _STATES[value.state],
        _CREATE_TIME,
        _time(value.create_time),
        _REVISION,
        _varint(value.revision),
    ]
    if value.schedule_time is not None:
        parts += _SCHEDULE_TIME, _time(value.schedule_time)
    if value.attempt:
        parts += _ATTEMPT_NUMBER, _varint(value.attempt)
    if value.start_time is not None:
        parts += _START_TIME, _time(value.start_time)
    for one in value.attempts:
        parts += _ATTEMPTS, _attempt(one)
    if value.end_time is not None:
        parts += _END_TIME, _time(value.end_time)
    if value.expire_time is not None:
        parts += _EXPIRE_TIME, _time(value.expire_time)
    if value.progress is not None:
        parts += _PROGRESS, _progress(value.progress)
    if value.result is not None:
        parts += _RESULT, _payload(value.result, whole)
    if value.failure is not None:
        parts += _ERROR, _failure(value.failure)
    if value.cancel_requested:
        parts.append(_CANCEL_REQUESTED)
    for name in value.blocked_by:
        parts += _BLOCKED_BY, _length(len(name.encode())), name.encode()
    if value.output_size:
        parts += _OUTPUT_SIZE, _varint(value.output_size)
    if value.output_truncated:
        parts.append(_OUTPUT_TRUNCATED)
    if tied is not None and tied.schedule:
        parts += _SCHEDULE, _length(len(tied.schedule.encode())), tied.schedule.encode()
        if tied.fire_time is not None:
            parts += _FIRE_TIME, _time(tied.fire_time)
    if value.traceparent:
        parts += _TRACEPARENT, _SHORT[len(value.traceparent)], value.traceparent.encode()
    return b"".join(parts)


def ties(value: Ties) -> bytes:
    """The fields of a v1.JobSpec that say what it is tied to."""
    # Jobs of one kind mostly claim alike, but each depends on jobs of its own.
    parts = [_bonds(value.resources, value.group, value.key, value.unique)]
    for one in value.depends_on:
        parts += _DEPENDS_ON, _dependency(one)
    return b"".join(parts)


# Parts, each behind its length.


def time_fields(value: int | None) -> Fields | None:
    """A Timestamp or a Duration of so many microseconds; both have the same fields."""
    if value is None:
        return None
    seconds, rest = divmod(value, SECOND)
    return {"seconds": seconds, "nanos": rest * 1000}


@lru_cache(maxsize=4096)
def _time(value: int) -> bytes:
    seconds, rest = divmod(value, SECOND)
    data = b"\x08" + _varint(seconds) + b"\x10" + _varint(rest * 1000)
    return _SHORT[len(data)] + data


def _payload(payload: Payload, whole: bool) -> bytes:
    kind = payload.content_type.encode()
    body = _CONTENT_TYPE + _length(len(kind)) + kind
    data = payload.data
    if not whole or not data:
        return _length(len(body)) + body
    prefix = _DATA + _length(len(data))
    return b"".join((_length(len(body) + len(prefix) + len(data)), body, prefix, data))


def _progress(progress: Progress) -> bytes:
    return _framed(v1.Progress(done=progress.done, total=progress.total, message=progress.message))


@lru_cache(maxsize=1024)
def _spec(spec: tuple[Any, ...]) -> bytes:
    """A spec without its ties and its payload and, unlike the others, without its length."""
    kind, queue, priority, labels, schedule_time, timeout, retry, queue_timeout, retention = spec
    fields: Fields = {
        "kind": kind,
        "queue": queue,
        "priority": priority,
        "labels": dict(labels),
        "schedule_time": time_fields(schedule_time),
        "timeout": time_fields(timeout),
        "retry": retry_fields(*retry),
        "queue_timeout": time_fields(queue_timeout),
        "retention": time_fields(retention),
    }
    return v1.JobSpec(**fields).SerializeToString()


@lru_cache(maxsize=1024)
def _bonds(resources: tuple[Claim, ...], group: str, key: str, unique: Unique | None) -> bytes:
    """Ties without dependencies, and again without their length."""
    fields: Fields = {
        "resources": [
            {
                "name": claim.name,
                "mode": v1.RESOURCE_MODE_EXCLUSIVE if claim.exclusive else v1.RESOURCE_MODE_SHARED,
            }
            for claim in resources
        ],
        "group": group,
        "concurrency_key": key,
    }
    if unique is not None:
        fields["unique_key"] = unique.key
        fields["unique_period"] = time_fields(unique.period)
        fields["unique_conflict"] = int(unique.conflict)
    return v1.JobSpec(**fields).SerializeToString()


@lru_cache(maxsize=4096)
def _dependency(dependency: Dependency) -> bytes:
    succeeded, ended = v1.DEPENDENCY_CONDITION_SUCCEEDED, v1.DEPENDENCY_CONDITION_ENDED
    return _framed(
        v1.Dependency(
            job_id=dependency.job_id,
            ref=dependency.ref,
            group=dependency.group,
            condition=succeeded if dependency.success else ended,
            wait_for_retry=dependency.patient,
        )
    )


def retry_fields(
    max_attempts: int | None,
    initial_backoff: int | None,
    max_backoff: int | None,
    multiplier: float | None,
    jitter: float | None,
) -> Fields:
    """A RetryPolicy; None is a field that is not set."""
    return {
        "max_attempts": max_attempts,
        "initial_backoff": time_fields(initial_backoff),
        "max_backoff": time_fields(max_backoff),
        "multiplier": multiplier,
        "jitter": jitter,
    }


@lru_cache(maxsize=4096)
def _attempt(attempt: Attempt) -> bytes:
    fields: Fields = {
        "number": attempt.number,
        "start_time": time_fields(attempt.start_time),
        "end_time": time_fields(attempt.end_time),
        "error": None if attempt.failure is None else failure_message(attempt.failure),
        "server": attempt.server,
        "worker": attempt.worker,
    }
    return _framed(v1.Attempt(**fields))


@lru_cache(maxsize=256)
def _failure(failure: Failure) -> bytes:
    return _framed(failure_message(failure))


def failure_message(failure: Failure) -> status_pb2.Status:
    """Why an attempt did not succeed, with the reason in an ErrorInfo."""
    info = AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason=failure.reason, domain="slotd"))
    code = CODES.get(failure.reason, code_pb2.UNKNOWN)
    return status_pb2.Status(code=code, message=failure.message, details=[info])
