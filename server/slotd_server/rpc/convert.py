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
from slotd_server.domain.job import SECOND, Failure, Job, Payload, Progress
from slotd_server.domain.outcome import Failed, Outcome, Released, Snoozed, Succeeded
from slotd_server.domain.queue import NOTHING, Counters, Defaults, Draft, Queue, Rate
from slotd_server.domain.schedule import Overlap, Schedule, Settings, upcoming
from slotd_server.domain.server import Member
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Claim, Conflict, Dependency, Ties, Unique
from slotd_server.domain.worker import Claimed, Worker, WorkerStatus
from slotd_server.rpc import encode
from slotd_server.slots import LedgerView, PoolSlots

OCTET_STREAM = "application/octet-stream"
"""The content type of a payload that comes without one."""

_NEXT_FIRINGS = 5

_PROGRESS = 1024
_MESSAGE = 4096
"""Characters that are kept of what a worker says of its progress, and of a failure."""

_NO_STATE = cast("State", 0)
"""Stands in a filter for JOB_STATE_UNSPECIFIED, which no job is in."""

NO_STATES = frozenset({_NO_STATE})
"""In a filter: jobs in no state at all, which is none."""


# Times


def microseconds(message: Timestamp | Duration) -> int:
    """A time or a duration; what is finer than a microsecond is dropped."""
    return message.seconds * SECOND + message.nanos // 1000


def _optional(message: Timestamp | Duration | None) -> int | None:
    return None if message is None else message.seconds * SECOND + message.nanos // 1000


# What comes in


def draft_from(request: v1.SubmitRequest, traceparent: str = "") -> Draft:
    """The job that is asked for, in that trace. Its fingerprint is there only where a request_id is, and is of the
    content alone: who asks again does so in another span."""
    spec = request.spec
    given = {field.name: value for field, value in spec.ListFields()}
    payload = given.get("payload")
    schedule_time = given.get("schedule_time")
    labels = given.get("labels")
    request_id = request.request_id
    ref = request.ref
    return Draft(
        kind=given.get("kind", ""),
        payload=None if payload is None else Payload(payload.content_type or OCTET_STREAM, payload.data),
        labels=tuple(sorted(labels.items())) if labels else (),
        schedule_time=None if schedule_time is None else microseconds(schedule_time),
        asked=NOTHING if _ASKED.isdisjoint(given) else _defaults(given),
        request_id=request_id,
        fingerprint=_fingerprint(spec, ref) if request_id else b"",
        ties=None if _TIED.isdisjoint(given) else _ties(spec),
        ref=ref,
        traceparent=traceparent,
    )


_ASKED = frozenset({"queue", "priority", "timeout", "queue_timeout", "retention", "retry"})
_TIED = frozenset({"resources", "depends_on", "group", "concurrency_key", "unique_key"})


def _fingerprint(spec: v1.JobSpec, ref: str) -> bytes:
    # Without a ref as it was before there were any: the store remembers it for longer than a server lives.
    content = v1.SubmitRequest(spec=spec, ref=ref) if ref else spec
    return blake2b(content.SerializeToString(deterministic=True), digest_size=16).digest()


def trigger_fingerprint(schedule: str) -> bytes:
    """Of a request to fire: no request to submit has the same."""
    return blake2b(schedule.encode(), digest_size=16, person=b"Trigger").digest()


def _ties(spec: v1.JobSpec) -> Ties:
    return Ties(
        resources=tuple([Claim(one.name, one.mode != v1.RESOURCE_MODE_SHARED) for one in spec.resources]),
        depends_on=tuple([_dependency(one) for one in spec.depends_on]),
        group=spec.group,
        key=spec.concurrency_key,
        unique=_unique(spec) if spec.unique_key else None,
    )


def _dependency(message: v1.Dependency) -> Dependency:
    return Dependency(
        job_id=message.job_id,
        ref=message.ref,
        group=message.group,
        success=message.condition != v1.DEPENDENCY_CONDITION_ENDED,
        patient=message.wait_for_retry,
    )


def _unique(spec: v1.JobSpec) -> Unique:
    period = microseconds(spec.unique_period) if spec.HasField("unique_period") else None
    return Unique(spec.unique_key, period, Conflict(spec.unique_conflict or Conflict.RETURN_EXISTING))


def changed_from(spec: v1.JobSpec) -> Changed:
    """The new values of a job; what is not set is empty."""
    return Changed(
        queue=spec.queue,
        priority=spec.priority,
        labels=tuple(sorted(spec.labels.items())),
        schedule_time=microseconds(spec.schedule_time) if spec.HasField("schedule_time") else None,
    )


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
        groups=frozenset(message.groups),
        schedules=frozenset(message.schedules),
        depends_on=frozenset(message.depends_on),
    )


def queue_from(message: v1.Queue) -> Queue:
    """The settings of a queue; one that is not set is as of a queue that was never changed."""
    given = {field.name: value for field, value in message.ListFields()}
    defaults = given.get("defaults")
    rate = given.get("rate_limit")
    return Queue(
        name=message.name,
        slots=given.get("slots"),
        paused=message.paused,
        max_queued=given.get("max_queued"),
        defaults=NOTHING
        if defaults is None
        else _defaults({field.name: value for field, value in defaults.ListFields()}),
        slots_per_key=given.get("slots_per_key"),
        rate=None if rate is None else Rate(rate.starts_per_second, rate.burst or 1),
        retain_count=given.get("retain_count"),
    )


def settings_from(message: v1.Schedule) -> Settings:
    """The settings of a schedule; one that is not set is as `Settings` has it."""
    given = {field.name: value for field, value in message.ListFields()}
    chosen: dict[str, Any] = {name: given[name] for name in ("cron", "time_zone", "paused") if name in given}
    for name in ("interval", "catch_up_window", "jitter", "start_time", "end_time"):
        if name in given:
            chosen[name] = microseconds(given[name])
    if "overlap" in given:
        chosen["overlap"] = Overlap(message.overlap)
    return Settings(draft_from(v1.SubmitRequest(spec=message.spec)), **chosen)


# Workers


def claimed_from(lease: v1.Lease) -> Claimed:
    """By which a worker speaks of an attempt."""
    return Claimed(lease.job_id, lease.fence)


def declared_from(kind: v1.WorkerKind) -> Defaults:
    """What a worker's handler declares."""
    given = {field.name: value for field, value in kind.defaults.ListFields()}
    return _defaults(given | {"queue": kind.queue or None})


def progress_from(message: v1.Progress) -> Progress:
    """How far a worker's attempt has come."""
    return Progress(message.done, message.total, message.message[:_PROGRESS])


def outcome_from(finish: v1.Finish, max_result: int) -> Outcome:
    """How the attempt ended; a result above `max_result` bytes is a failure."""
    match finish.WhichOneof("outcome"):
        case "succeeded":
            return _succeeded(finish.succeeded, max_result)
        case "failed":
            failed = finish.failed
            return Failed(Failure(failed.reason or "HANDLER_ERROR", failed.message[:_MESSAGE]), failed.permanent)
        case "snoozed":
            return Snoozed(microseconds(finish.snoozed.delay))
        case _:
            return Released()


def _succeeded(message: v1.Succeeded, max_result: int) -> Outcome:
    if not message.HasField("result"):
        return Succeeded(None)
    result = message.result
    if len(result.data) > max_result:
        told = f"the result has {len(result.data)} bytes; at most {max_result} are kept"
        return Failed(Failure("RESULT_TOO_LARGE", told), permanent=True)
    return Succeeded(Payload(result.content_type or OCTET_STREAM, result.data))


def lease_message(claimed: Claimed) -> v1.Lease:
    """The other way round."""
    return v1.Lease(job_id=claimed.job_id, fence=claimed.fence)


def assignment_message(job: Job, now: int) -> v1.Assignment:
    """A job for a worker, at the time `now`."""
    left = None
    if job.spec.timeout is not None and job.start_time is not None:
        left = duration_message(max(job.start_time + job.spec.timeout - now, 0))
    return v1.Assignment(lease=v1.Lease(job_id=job.id, fence=job.fence), job=job_message(job), time_left=left)


def duration_message(micros: int) -> Duration:
    """A duration."""
    return Duration(seconds=micros // SECOND, nanos=micros % SECOND * 1000)


def worker_message(status: WorkerStatus, server: Member) -> v1.Worker:
    """A worker, and the server that it is connected to."""
    fields: encode.Fields = status._asdict()
    worker: Worker = fields.pop("worker")
    start_time = encode.time_fields(worker.start_time or None)
    return v1.Worker(
        server=server.id,
        **fields,
        **worker._asdict() | {"start_time": start_time},
    )


# Jobs and events


def job_message(job: Job, view: int = v1.JOB_VIEW_FULL) -> v1.Job:
    """The job as one who asks with `view` sees it: without the data of payload and result unless FULL."""
    return v1.Job.FromString(encode.job(job, view == v1.JOB_VIEW_FULL))


def event_message(event: Event, view: int = v1.JOB_VIEW_BASIC) -> v1.JobEvent:
    """The event, with its job as of `job_message`."""
    return v1.JobEvent.FromString(encode.event(event, view == v1.JOB_VIEW_FULL))


# Queues, counters, slots and servers


def queue_message(queue: Queue, counters: Counters) -> v1.Queue:
    """A queue with its counters."""
    fields: encode.Fields = {
        "name": queue.name,
        "slots": queue.slots,
        "paused": queue.paused,
        "max_queued": queue.max_queued,
        "counters": counters_message(counters),
        "defaults": None if queue.defaults == NOTHING else _default_fields(queue.defaults),
        "slots_per_key": queue.slots_per_key,
        "rate_limit": None
        if queue.rate is None
        else {"starts_per_second": queue.rate.per_second, "burst": queue.rate.burst},
        "retain_count": queue.retain_count,
    }
    return v1.Queue(**fields)


def _default_fields(defaults: Defaults) -> encode.Fields:
    """The choices as fields of QueueDefaults, or of a JobSpec but for its queue."""
    retry = (
        defaults.max_attempts,
        defaults.initial_backoff,
        defaults.max_backoff,
        defaults.multiplier,
        defaults.jitter,
    )
    return {
        "priority": defaults.priority,
        "timeout": encode.time_fields(defaults.timeout),
        "retry": None if retry == (None,) * 5 else encode.retry_fields(*retry),
        "queue_timeout": encode.time_fields(defaults.queue_timeout),
        "retention": encode.time_fields(defaults.retention),
    }


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
                "worker": holder.pool,
            }
            for holder in view.holders
        ],
        "queues": [
            {"queue": part.queue, "slots": part.limit, "running": part.running, "zombie": part.zombie}
            for part in view.queues
        ],
        "revision": view.revision,
        "limit": view.limit,
        "pools": [_pool_fields(part) for part in view.pools],
    }
    return v1.ListSlotsResponse(**fields)


def _pool_fields(part: PoolSlots) -> encode.Fields:
    worker = part.pool.worker
    return {
        "worker": "" if worker is None else worker.id,
        "name": "" if worker is None else worker.name,
        "slots": part.size,
        "free": part.free,
        "running": part.running,
        "zombie": part.zombie,
        "limit": part.pool.limit,
    }


def server_message(member: Member, local: str) -> v1.Server:
    """A server, as the one with the boot id `local` tells of it."""
    status = member.status
    fields: encode.Fields = {
        "id": member.id,
        "start_time": encode.time_fields(member.start_time),
        "renew_time": encode.time_fields(member.renew_time),
        "lease": encode.time_fields(member.lease),
        "local": member.id == local,
        **status._asdict()
        | {"kinds": sorted(status.kinds), "workers": sum(worker.connected for worker in status.workers)},
    }
    return v1.Server(**fields)


# Groups and schedules


def group_message(name: str, counters: Counters) -> v1.Group:
    """A group by the states of its jobs."""
    ended = counters.succeeded + counters.failed + counters.cancelled
    jobs = counters.waiting + counters.running + ended
    fields: encode.Fields = {state.name.lower(): counters[state - 1] for state in State}
    return v1.Group(name=name, jobs=jobs, progress=v1.Progress(done=ended, total=jobs), **fields)


def schedule_message(schedule: Schedule) -> v1.Schedule:
    """A schedule, with the firings that come next."""
    settings = schedule.settings
    fields: encode.Fields = {
        "name": schedule.name,
        "spec": _asked_message(settings.draft),
        "cron": settings.cron,
        "interval": encode.time_fields(settings.interval),
        "time_zone": settings.time_zone,
        "overlap": int(settings.overlap),
        "catch_up_window": encode.time_fields(settings.catch_up_window),
        "jitter": encode.time_fields(settings.jitter or None),
        "start_time": encode.time_fields(settings.start_time),
        "end_time": encode.time_fields(settings.end_time),
        "paused": settings.paused,
        "create_time": encode.time_fields(schedule.create_time),
        "update_time": encode.time_fields(schedule.update_time),
        "last_fire_time": encode.time_fields(schedule.last_time),
        "next_fire_times": [encode.time_fields(time) for time in upcoming(schedule, _NEXT_FIRINGS)],
        "recent_job_ids": schedule.recent,
        "fire_count": schedule.fired,
        "skip_count": schedule.skipped,
        "revision": schedule.revision,
    }
    return v1.Schedule(**fields)


def _asked_message(draft: Draft) -> v1.JobSpec:
    """A spec as it was asked for: what was left out is still to be filled in."""
    fields: encode.Fields = {
        "kind": draft.kind,
        "payload": None if draft.payload is None else draft.payload._asdict(),
        "queue": draft.asked.queue,
        "labels": dict(draft.labels),
        "schedule_time": encode.time_fields(draft.schedule_time),
        **_default_fields(draft.asked),
    }
    message = v1.JobSpec(**fields)
    if draft.ties is not None:
        message.MergeFromString(encode.ties(draft.ties))
    return message
