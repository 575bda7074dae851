"""Attempts in the words of WorkerService and back, for both ends of the connection between a service and a child."""

from collections.abc import Iterable, Mapping

from slotd.attempts import Failed, Outcome, Snoozed, Succeeded
from slotd.context import Told
from slotd.isolation.base import Assigned, Lease, Limits
from slotd.jobspec import duration
from slotd.results import Encoded
from slotd.v1 import job_pb2, worker_service_pb2


def lease_message(lease: Lease) -> worker_service_pb2.Lease:
    """A lease as it is sent."""
    return worker_service_pb2.Lease(job_id=lease.job_id, fence=lease.fence)


def lease_of(message: worker_service_pb2.Lease) -> Lease:
    """A lease that was sent."""
    return Lease(message.job_id, message.fence)


def limits_message(limits: Limits) -> worker_service_pb2.Welcome:
    """What is kept of an attempt, as its child gets it. There is no lease: the system tells each end at once that the
    other is gone."""
    return worker_service_pb2.Welcome(max_result_bytes=limits.result, max_output_bytes=limits.output)


def assignment_message(assigned: Assigned) -> worker_service_pb2.Assignment:
    """An attempt as its child gets it."""
    spec = job_pb2.JobSpec(
        kind=assigned.kind, queue=assigned.queue, labels=assigned.labels, payload=_payload(assigned.payload)
    )
    job = job_pb2.Job(id=assigned.lease.job_id, spec=spec, attempt=assigned.attempt, traceparent=assigned.traceparent)
    return worker_service_pb2.Assignment(
        lease=lease_message(assigned.lease),
        job=job,
        time_left=None if assigned.time_left is None else duration(assigned.time_left),
    )


def payload_of(message: job_pb2.JobSpec) -> Encoded | None:
    """The payload that a job was sent with."""
    return (message.payload.content_type, message.payload.data) if message.HasField("payload") else None


def report_message(lease: Lease, told: Told) -> worker_service_pb2.Report:
    """What an attempt has told, as it is sent."""
    return worker_service_pb2.Report(lease=lease_message(lease), progress=_progress(told), output=told.output)


def finish_message(lease: Lease, outcome: Outcome, told: Told) -> worker_service_pb2.Finish:
    """How an attempt ended, and the last that it told, as they are sent."""
    finish = worker_service_pb2.Finish(lease=lease_message(lease), progress=_progress(told), output=told.output)
    match outcome:
        case Succeeded(result):
            finish.succeeded.CopyFrom(worker_service_pb2.Succeeded(result=_payload(result)))
        case Failed(reason, message, permanent):
            finish.failed.CopyFrom(worker_service_pb2.Failed(reason=reason, message=message, permanent=permanent))
        case Snoozed(seconds):
            finish.snoozed.CopyFrom(worker_service_pb2.Snoozed(delay=duration(seconds)))
    return finish


def told_of(message: worker_service_pb2.Report | worker_service_pb2.Finish) -> Told:
    """What an attempt has told."""
    progress = message.progress
    known = (progress.done, progress.total, progress.message) if message.HasField("progress") else None
    return Told(known, message.output)


def outcome_of(message: worker_service_pb2.Finish) -> Outcome:
    """How an attempt ended."""
    match message.WhichOneof("outcome"):
        case "succeeded":
            result = message.succeeded.result
            has_result = message.succeeded.HasField("result")
            return Succeeded((result.content_type, result.data) if has_result else None)
        case "failed":
            failed = message.failed
            return Failed(failed.reason, failed.message, failed.permanent)
        case "snoozed":
            return Snoozed(message.snoozed.delay.ToTimedelta().total_seconds())
        case _:
            return Failed("HANDLER_ERROR", "the handler's process did not say how it ended")


def results_messages(results: Mapping[str, Encoded | None]) -> Iterable[worker_service_pb2.ReadResultsResponse]:
    """What other jobs have returned, as it is sent: a message each."""
    for name, result in results.items():
        yield worker_service_pb2.ReadResultsResponse(name=name, result=_payload(result))


def results_of(messages: Iterable[worker_service_pb2.ReadResultsResponse]) -> Mapping[str, Encoded | None]:
    """What other jobs have returned, by name."""
    return {
        one.name: (one.result.content_type, one.result.data) if one.HasField("result") else None for one in messages
    }


def _payload(encoded: Encoded | None) -> job_pb2.Payload | None:
    return None if encoded is None else job_pb2.Payload(content_type=encoded[0], data=encoded[1])


def _progress(told: Told) -> job_pb2.Progress | None:
    if told.progress is None:
        return None
    done, total, message = told.progress
    return job_pb2.Progress(done=done, total=total, message=message)
