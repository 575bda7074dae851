"""Building the services' requests; what both clients, sync and aio, send."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias, TypedDict, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from slotd.enums import enum_value
from slotd.jobspec import RetryPolicy, Span, SpecFields, duration, spec, timestamp
from slotd.ties import JobRef, job_id
from slotd.v1 import job_pb2, job_service_pb2, queue_service_pb2

BATCH_JOBS: Final = 1_000
BATCH_BYTES: Final = 16 * 1024 * 1024

T = TypeVar("T")

# A state: the enum's value, or its name with or without the prefix, in any case.
State: TypeAlias = job_pb2.JobState.ValueType | str
View: TypeAlias = job_pb2.JobView.ValueType | None
Delivery: TypeAlias = job_service_pb2.Delivery.ValueType | None
# A job to submit: its spec, or a request with an id or a ref of its own.
ToSubmit: TypeAlias = job_pb2.JobSpec | job_service_pb2.SubmitRequest


class Keep(enum.Enum):
    """The type of KEEP: None already means "back to the default" where it is used."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class FilterFields(TypedDict, total=False):
    """Which jobs: those that match every field given; within a field any one value will do, but of labels all count."""

    job_ids: Iterable[JobRef] | JobRef | None
    queues: Iterable[str] | str | None
    kinds: Iterable[str] | str | None
    states: Iterable[State] | State | None
    labels: Mapping[str, str] | None
    groups: Iterable[str] | str | None
    schedules: Iterable[str] | str | None
    depends_on: Iterable[JobRef] | JobRef | None


def job_filter(base: job_pb2.JobFilter | None, fields: FilterFields) -> job_pb2.JobFilter:
    """Returns a filter of the fields, on top of `base`.

    Raises ValueError for a field that is given but empty: on the wire it would match all jobs instead of none; and
    for a state that there is not. Raises TypeError for a field that there is not.
    """
    unknown = fields.keys() - FilterFields.__annotations__.keys()
    if unknown:
        raise TypeError(f"no such field of a filter: {', '.join(sorted(unknown))}")
    made = job_pb2.JobFilter()
    if base is not None:
        made.CopyFrom(base)
    job_ids = fields.get("job_ids")
    if job_ids is not None:
        made.job_ids.extend(_some("job_ids", _ids(job_ids)))
    queues = fields.get("queues")
    if queues is not None:
        made.queues.extend(_some("queues", [queues] if isinstance(queues, str) else list(queues)))
    kinds = fields.get("kinds")
    if kinds is not None:
        made.kinds.extend(_some("kinds", [kinds] if isinstance(kinds, str) else list(kinds)))
    states = fields.get("states")
    if states is not None:
        each_state = [states] if isinstance(states, (str, int)) else states
        made.states.extend(_some("states", [job_state(one) for one in each_state]))
    made.labels.update(fields.get("labels") or {})
    groups = fields.get("groups")
    if groups is not None:
        made.groups.extend(_some("groups", [groups] if isinstance(groups, str) else list(groups)))
    schedules = fields.get("schedules")
    if schedules is not None:
        made.schedules.extend(_some("schedules", [schedules] if isinstance(schedules, str) else list(schedules)))
    depends_on = fields.get("depends_on")
    if depends_on is not None:
        made.depends_on.extend(_some("depends_on", _ids(depends_on)))
    return made


def _ids(jobs: Iterable[JobRef] | JobRef) -> list[str]:
    return [job_id(one) for one in ([jobs] if isinstance(jobs, (str, job_pb2.Job)) else jobs)]


def job_state(state: State) -> job_pb2.JobState.ValueType:
    """A state by value or name: `running`, `RUNNING` and `JOB_STATE_RUNNING` are the same. Raises ValueError."""
    return enum_value(job_pb2.JobState, "JOB_STATE_", "state", state)


def submit(
    kind: str | job_pb2.JobSpec,
    payload: object,
    request_id: str | None,
    validate_only: bool,
    fields: SpecFields,
) -> job_service_pb2.SubmitRequest:
    """A Submit for a kind and its fields, or for a whole spec. Raises ValueError, and TypeError for both at once."""
    if isinstance(kind, str):
        whole = spec(kind, payload, **fields)
    elif payload is not None or fields:
        raise TypeError("a JobSpec says everything: give no payload and no fields beside it")
    else:
        whole = kind
    return job_service_pb2.SubmitRequest(
        spec=whole, request_id=request_id or new_request_id(), validate_only=validate_only
    )


def submit_batch(
    jobs: Iterable[ToSubmit] | Mapping[str, ToSubmit], validate_only: bool
) -> job_service_pb2.SubmitBatchRequest:
    """A SubmitBatch of specs, or of requests with ids of their own; the keys of a mapping are the refs."""
    batch = job_service_pb2.SubmitBatchRequest()
    for ref, one in jobs.items() if isinstance(jobs, Mapping) else (("", one) for one in jobs):
        if isinstance(one, job_pb2.JobSpec):
            batch.requests.add(spec=one, request_id=new_request_id(), validate_only=validate_only, ref=ref)
        else:
            batch.requests.append(with_request_id(one))
            batch.requests[-1].ref = ref or one.ref
    return batch


def new_request_id() -> str:
    """An id that no other request has."""
    return uuid.uuid4().hex


def with_request_id(request: job_service_pb2.SubmitRequest) -> job_service_pb2.SubmitRequest:
    """Returns the request with an id, a new one where it has none: without, repeating it could make a second job."""
    if request.request_id:
        return request
    identified = job_service_pb2.SubmitRequest(request_id=new_request_id())
    identified.MergeFrom(request)
    return identified


def get(job: JobRef, view: View) -> job_service_pb2.GetRequest:
    """A Get."""
    return job_service_pb2.GetRequest(id=job_id(job), view=view or job_pb2.JOB_VIEW_UNSPECIFIED)


def update(
    job: JobRef,
    *,
    priority: int | Literal[Keep.KEEP] = KEEP,
    schedule_time: datetime | Timestamp | Literal[Keep.KEEP] | None = KEEP,
    labels: Mapping[str, str] | Literal[Keep.KEEP] = KEEP,
    queue: str | Literal[Keep.KEEP] = KEEP,
    revision: int = 0,
) -> job_service_pb2.UpdateRequest:
    """An Update whose mask names what is not KEEP."""
    given = {"priority": priority, "schedule_time": schedule_time, "labels": labels, "queue": queue}
    changed = job_pb2.JobSpec(
        priority=None if priority is KEEP else priority,
        schedule_time=None if schedule_time is KEEP or schedule_time is None else timestamp(schedule_time),
        labels=None if labels is KEEP else labels,
        queue="" if queue is KEEP else queue,
    )
    return job_service_pb2.UpdateRequest(id=job_id(job), spec=changed, update_mask=_mask(given), revision=revision)


def list_jobs(
    base: job_pb2.JobFilter | None, fields: FilterFields, page_size: int, page_token: str, view: View, order_by: str
) -> job_service_pb2.ListRequest:
    """A List; the filter as of `job_filter`."""
    return job_service_pb2.ListRequest(
        filter=job_filter(base, fields),
        page_size=page_size,
        page_token=page_token,
        view=view or job_pb2.JOB_VIEW_UNSPECIFIED,
        order_by=order_by,
    )


def stream(
    base: job_pb2.JobFilter | None,
    fields: FilterFields,
    cursor: str,
    delivery: Delivery,
    view: View,
    include_progress: bool,
) -> job_service_pb2.StreamRequest:
    """A Stream; the filter as of `job_filter`."""
    return job_service_pb2.StreamRequest(
        filter=job_filter(base, fields),
        cursor=cursor,
        delivery=delivery or job_service_pb2.DELIVERY_UNSPECIFIED,
        view=view or job_pb2.JOB_VIEW_UNSPECIFIED,
        include_progress=include_progress,
    )


def next_list(
    request: job_service_pb2.ListRequest, response: job_service_pb2.ListResponse
) -> job_service_pb2.ListRequest | None:
    """The request for the page after this one; None after the last."""
    if not response.next_page_token:
        return None
    following = job_service_pb2.ListRequest()
    following.CopyFrom(request)
    following.page_token = response.next_page_token
    return following


def queue_defaults(
    *,
    priority: int | None = None,
    timeout: Span | None = None,
    retry: RetryPolicy | job_pb2.RetryPolicy | None = None,
    queue_timeout: Span | None = None,
    retention: Span | None = None,
) -> queue_service_pb2.QueueDefaults:
    """What jobs of a queue get where neither they nor their handler say; the fields mean what they mean in `spec`."""
    return queue_service_pb2.QueueDefaults(
        priority=priority,
        timeout=duration(timeout) if timeout is not None else None,
        retry=retry.to_message() if isinstance(retry, RetryPolicy) else retry,
        queue_timeout=duration(queue_timeout) if queue_timeout is not None else None,
        retention=duration(retention) if retention is not None else None,
    )


def update_queue(
    name: str,
    *,
    slots: int | Literal[Keep.KEEP] | None = KEEP,
    paused: bool | Literal[Keep.KEEP] | None = KEEP,
    max_queued: int | Literal[Keep.KEEP] | None = KEEP,
    defaults: queue_service_pb2.QueueDefaults | Literal[Keep.KEEP] | None = KEEP,
    slots_per_key: int | Literal[Keep.KEEP] | None = KEEP,
    rate_limit: queue_service_pb2.RateLimit | float | Literal[Keep.KEEP] | None = KEEP,
    retain_count: int | Literal[Keep.KEEP] | None = KEEP,
) -> queue_service_pb2.UpdateQueueRequest:
    """An UpdateQueue whose mask names what is not KEEP; None leaves a named field unset, so that it goes back."""
    given = {
        "slots": slots,
        "paused": paused,
        "max_queued": max_queued,
        "defaults": defaults,
        "slots_per_key": slots_per_key,
        "rate_limit": rate_limit,
        "retain_count": retain_count,
    }
    if isinstance(rate_limit, (int, float)):
        rate_limit = queue_service_pb2.RateLimit(starts_per_second=rate_limit)
    queue = queue_service_pb2.Queue(
        name=name,
        slots=None if slots is KEEP else slots,
        paused=None if paused is KEEP else paused,
        max_queued=None if max_queued is KEEP else max_queued,
        defaults=None if defaults is KEEP else defaults,
        slots_per_key=None if slots_per_key is KEEP else slots_per_key,
        rate_limit=None if rate_limit is KEEP else rate_limit,
        retain_count=None if retain_count is KEEP else retain_count,
    )
    return queue_service_pb2.UpdateQueueRequest(queue=queue, update_mask=_mask(given))


def _mask(given: Mapping[str, object]) -> FieldMask:
    return FieldMask(paths=[field for field, value in given.items() if value is not KEEP])


def _some(field: str, values: list[T]) -> list[T]:
    if not values:
        raise ValueError(f"{field} is empty: leave it out to match all jobs")
    return values
