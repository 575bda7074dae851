"""Jobs, specs and events as records have them."""

from google.rpc import error_details_pb2, status_pb2

from slotd.v1 import DEPENDENCY_CONDITION_ENDED, RESOURCE_MODE_SHARED, Attempt, Job, JobEvent, JobSpec, SubmitRequest
from tests.faults.checker.records import (
    Asked,
    AttemptCopy,
    Claim,
    Dependency,
    EventCopy,
    JobCopy,
    SpecCopy,
    basic,
    digest,
    message_digest,
)

REQUEST_LABEL = "request"
"""The label that names a job's request_id, which the job itself does not tell."""


def job_copy(job: Job) -> JobCopy:
    """The job, and what is needed to compare it with all other copies."""
    shown = basic(job)
    return JobCopy(
        id=job.id,
        revision=job.revision,
        state=job.state,
        digest=message_digest(shown),
        spec=message_digest(shown.spec),
        attempt=job.attempt,
        cancel_requested=job.cancel_requested,
        blocked_by=tuple(job.blocked_by),
        attempts=tuple(_attempt_copy(one) for one in job.attempts),
        reason=reason(job.error),
        payload=_data(job.spec.payload.data),
        result=_data(job.result.data),
        expire=job.expire_time.ToMicroseconds() if job.HasField("expire_time") else 0,
        schedule=job.schedule,
        fire=job.fire_time.ToMicroseconds() if job.HasField("fire_time") else 0,
    )


def spec_copy(number: int, spec: JobSpec) -> SpecCopy:
    """The spec whose digest is `number`."""
    return SpecCopy(
        digest=number,
        kind=spec.kind,
        queue=spec.queue,
        request=spec.labels.get(REQUEST_LABEL, ""),
        labels=dict(spec.labels),
        resources=tuple(Claim(one.name, one.mode == RESOURCE_MODE_SHARED) for one in spec.resources),
        depends_on=tuple(
            Dependency(one.job_id, one.group, one.condition == DEPENDENCY_CONDITION_ENDED) for one in spec.depends_on
        ),
        group=spec.group,
        key=spec.concurrency_key,
        unique_key=spec.unique_key,
        max_attempts=spec.retry.max_attempts,
    )


def event_copy(event: JobEvent) -> EventCopy:
    """The event, with its job."""
    return EventCopy(event.revision, event.type, job_copy(event.job), event.previous_state, event.time.ToMicroseconds())


def asked(request: SubmitRequest) -> Asked:
    """What a request asks for."""
    spec = request.spec
    return Asked(request.request_id, spec.kind, _data(spec.payload.data), spec.unique_key)


def reason(status: status_pb2.Status) -> str:
    """The reason in a status's ErrorInfo; empty where it has none."""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return ""


def _attempt_copy(attempt: Attempt) -> AttemptCopy:
    over = attempt.HasField("end_time")
    return AttemptCopy(attempt.number, attempt.server, over, reason(attempt.error), attempt.worker)


def _data(data: bytes) -> int:
    return digest(data) if data else 0
