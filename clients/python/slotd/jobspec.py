"""Building a JobSpec from Python's own values: durations, times, retry policies, payloads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypedDict

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from slotd.payload import encode
from slotd.ties import Conflict, DependsOn, Resource, claims, conflict_policy, dependencies
from slotd.v1 import job_pb2

# A length of time: seconds, or a timedelta.
Span: TypeAlias = float | timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """When and how often a failed attempt is followed by another; what is None comes from handler, queue or service.

    Attributes:
        max_attempts: attempts in all, the first one included; 1 never retries.
        initial_backoff: the wait before the second attempt.
        max_backoff: no wait is longer than this.
        multiplier: each wait is the one before times this; 1 or more.
        jitter: each wait is changed at random by up to this share of itself; 0 to 1.
    """

    max_attempts: int | None = None
    initial_backoff: Span | None = None
    max_backoff: Span | None = None
    multiplier: float | None = None
    jitter: float | None = None

    def to_message(self) -> job_pb2.RetryPolicy:
        """The message for the wire. Raises ValueError for a length of time that is no number."""
        message = job_pb2.RetryPolicy(jitter=self.jitter)
        if self.max_attempts is not None:
            message.max_attempts = self.max_attempts
        if self.initial_backoff is not None:
            message.initial_backoff.CopyFrom(duration(self.initial_backoff))
        if self.max_backoff is not None:
            message.max_backoff.CopyFrom(duration(self.max_backoff))
        if self.multiplier is not None:
            message.multiplier = self.multiplier
        return message


class SpecFields(TypedDict, total=False):
    """What may be said of a job beside its kind and payload; `spec` tells what each means."""

    queue: str | None
    priority: int | None
    labels: Mapping[str, str] | None
    schedule_time: datetime | Timestamp | None
    timeout: Span | None
    retry: RetryPolicy | job_pb2.RetryPolicy | None
    max_attempts: int | None
    queue_timeout: Span | None
    retention: Span | None
    resources: Iterable[Resource] | Resource | None
    depends_on: Iterable[DependsOn] | DependsOn | None
    group: str | None
    concurrency_key: str | None
    unique_key: str | None
    unique_period: Span | None
    unique_conflict: Conflict | None
    content_type: str | None


def spec(
    kind: str,
    payload: object = None,
    *,
    queue: str | None = None,
    priority: int | None = None,
    labels: Mapping[str, str] | None = None,
    schedule_time: datetime | Timestamp | None = None,
    timeout: Span | None = None,
    retry: RetryPolicy | job_pb2.RetryPolicy | None = None,
    max_attempts: int | None = None,
    queue_timeout: Span | None = None,
    retention: Span | None = None,
    resources: Iterable[Resource] | Resource | None = None,
    depends_on: Iterable[DependsOn] | DependsOn | None = None,
    group: str | None = None,
    concurrency_key: str | None = None,
    unique_key: str | None = None,
    unique_period: Span | None = None,
    unique_conflict: Conflict | None = None,
    content_type: str | None = None,
) -> job_pb2.JobSpec:
    """Builds a job's spec. What is left out comes from the handler's declaration, then the queue, then the service.

    Args:
        kind: which handler runs it.
        payload: the handler's argument: a Payload, or a value for `slotd.encode` (JSON unless bytes or a message).
        queue: the queue it waits in.
        priority: higher ones go first; -1,000 to 1,000.
        labels: free words for filters.
        schedule_time: not before this time; a datetime with a time zone.
        timeout: the longest that one attempt may take.
        retry: what follows a failed attempt.
        max_attempts: short for, and stronger than, `retry`'s max_attempts.
        queue_timeout: the longest that it may wait for its first start.
        retention: how long it is kept once it has ended.
        resources: what it holds while it runs: names, or claims by `slotd.exclusive` and `slotd.shared`.
        depends_on: what has to succeed first: jobs, ids, refs of a batch (see `submit_batch`), or dependencies by
            `slotd.after` and `slotd.after_group`.
        group: the group that it belongs to.
        concurrency_key: whose job it is: of one key so many run at once as the queue's `slots_per_key` says.
        unique_key: only one job that has not ended has it.
        unique_period: the key stays taken for so long from the job's submission, even if it ends before.
        unique_conflict: what to do when the key is taken: `return_existing` (the default), `refuse` or `replace`.
        content_type: what the payload is to be written as; see `slotd.codec.encode_value`.

    Raises ValueError for a value that has no form on the wire; whether the service takes it is the service's to say.
    """
    message = job_pb2.JobSpec(
        kind=kind,
        payload=encode(payload, content_type),
        queue=queue or "",
        priority=priority,
        labels=labels,
        resources=claims(resources) if resources is not None else None,
        depends_on=dependencies(depends_on) if depends_on is not None else None,
        group=group or "",
        concurrency_key=concurrency_key or "",
        unique_key=unique_key or "",
        unique_conflict=conflict_policy(unique_conflict or job_pb2.UNIQUE_CONFLICT_UNSPECIFIED),
    )
    if schedule_time is not None:
        message.schedule_time.CopyFrom(timestamp(schedule_time))
    if timeout is not None:
        message.timeout.CopyFrom(duration(timeout))
    if retry is not None:
        message.retry.CopyFrom(retry.to_message() if isinstance(retry, RetryPolicy) else retry)
    if max_attempts is not None:
        message.retry.max_attempts = max_attempts
    if queue_timeout is not None:
        message.queue_timeout.CopyFrom(duration(queue_timeout))
    if retention is not None:
        message.retention.CopyFrom(duration(retention))
    if unique_period is not None:
        message.unique_period.CopyFrom(duration(unique_period))
    return message


def seconds(span: Span) -> float:
    """A length of time in seconds."""
    return span.total_seconds() if isinstance(span, timedelta) else float(span)


def duration(span: Span) -> Duration:
    """A length of time for the wire, to the microsecond. Raises ValueError for NaN, infinity and absurd lengths."""
    message = Duration()
    try:
        message.FromTimedelta(span if isinstance(span, timedelta) else timedelta(seconds=_finite(span)))
    except OverflowError as error:
        raise ValueError(f"a length of time out of range: {span}") from error
    return message


def timestamp(time: datetime | Timestamp) -> Timestamp:
    """A time for the wire. Raises ValueError for a datetime without a time zone, which could mean any."""
    if isinstance(time, Timestamp):
        return time
    if time.tzinfo is None or time.utcoffset() is None:
        raise ValueError(
            "a datetime needs a time zone: datetime.now(timezone.utc), or time.astimezone() for local time"
        )
    message = Timestamp()
    message.FromDatetime(time)
    return message


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"a length of time is a number of seconds, not {number}")
    return number
