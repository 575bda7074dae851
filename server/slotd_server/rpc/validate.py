"""What requests must look like, as tables: a rule for each field of each message. All that is wrong is told at once."""

from collections.abc import Collection, Mapping
from operator import attrgetter

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from slotd import v1
from slotd_server.domain.errors import InvalidArgument
from slotd_server.rpc.rules import (
    LONGEST,
    Fields,
    Rule,
    Violations,
    absent,
    at_least,
    at_most_bytes,
    between,
    duration,
    each,
    every,
    first,
    job_id,
    labels,
    lasting,
    media_type,
    multiplier,
    name,
    one_of,
    paths,
    positive_duration,
    reason,
    request_id,
    resource,
    short_text,
    spaced,
    text_of,
    timestamp,
    unlike,
)

BATCH_JOBS = 1000

_MOST_OUTPUT = 1 << 20
"""Bytes of output that a worker sends at once."""

OLDEST_FIRST = "create_time"
NEWEST_FIRST = "create_time desc"
"""What a list may be ordered by; newest first where nothing is said."""

CHANGES = ("priority", "schedule_time", "labels", "queue")
"""What may be changed of the spec of a waiting job."""

SETTINGS = ("slots", "paused", "max_queued", "defaults", "slots_per_key", "rate_limit", "retain_count")
"""What may be changed of a queue."""

SCHEDULE_SETTINGS = (
    "spec",
    "cron",
    "interval",
    "time_zone",
    "overlap",
    "catch_up_window",
    "jitter",
    "start_time",
    "end_time",
    "paused",
)
"""What may be changed of a schedule."""

_view = one_of(v1.JobView.DESCRIPTOR)
_page_size = at_least(0)

_RETRY = Fields(
    v1.RetryPolicy,
    {
        "max_attempts": between(1, 10_000),
        "initial_backoff": duration,
        "max_backoff": duration,
        "multiplier": multiplier,
        "jitter": between(0, 1),
    },
)
_PAYLOAD = Fields(v1.Payload, {"content_type": media_type, "data": None})
_CLAIM = Fields(v1.ResourceClaim, {"name": resource, "mode": one_of(v1.ResourceMode.DESCRIPTOR)}, required=["name"])


def _depends_on(ref: Rule) -> Rule:
    dependency = Fields(
        v1.Dependency,
        {
            "job_id": job_id,
            "ref": ref,
            "group": name,
            "condition": one_of(v1.DependencyCondition.DESCRIPTOR),
            "wait_for_retry": None,
        },
        either=["job_id", "ref", "group"],
    )
    return first(each(dependency, 1000), unlike("target", attrgetter("job_id", "ref", "group")))


_SPEC_RULES: Mapping[str, Rule | None] = {
    "kind": name,
    "payload": _PAYLOAD,
    "queue": name,
    "priority": between(-1000, 1000),
    "labels": labels,
    "resources": first(each(_CLAIM, 64), unlike("name", attrgetter("name"))),
    "depends_on": _depends_on(ref=absent("names a job of the same SubmitBatch; this is Submit")),
    "schedule_time": timestamp,
    "timeout": positive_duration,
    "retry": _RETRY,
    "queue_timeout": positive_duration,
    "retention": positive_duration,
    "group": name,
    "concurrency_key": short_text,
    "unique_key": short_text,
    "unique_period": positive_duration,
    "unique_conflict": one_of(v1.UniqueConflict.DESCRIPTOR),
}
_BESIDE = {"unique_period": "unique_key", "unique_conflict": "unique_key"}


def _submit(spec_rules: Mapping[str, Rule | None]) -> Fields:
    spec = Fields(v1.JobSpec, spec_rules, required=["kind"], beside=_BESIDE)
    rules: Mapping[str, Rule | None] = {"spec": spec, "request_id": request_id, "validate_only": None, "ref": name}
    return Fields(v1.SubmitRequest, rules, required=["spec"])


SUBMIT = _submit(_SPEC_RULES)
_SUBMIT_IN_BATCH = _submit({**_SPEC_RULES, "depends_on": _depends_on(ref=name)})
_FILTER = Fields(
    v1.JobFilter,
    {
        "job_ids": each(job_id, 1000),
        "queues": each(name, 100),
        "kinds": each(name, 100),
        "states": each(one_of(v1.JobState.DESCRIPTOR), 100),
        "labels": labels,
        "groups": each(name, 100),
        "schedules": each(name, 100),
        "depends_on": each(job_id, 100),
    },
)
_DEFAULTS = Fields(
    v1.QueueDefaults,
    {
        "priority": between(-1000, 1000),
        "timeout": positive_duration,
        "retry": _RETRY,
        "queue_timeout": positive_duration,
        "retention": positive_duration,
    },
)
_RATE_LIMIT = Fields(
    v1.RateLimit,
    # One start in thirty years stands for any number above 0.
    {"starts_per_second": between(1e-9, 1_000_000), "burst": between(0, 1_000_000)},
    required=["starts_per_second"],
)
_QUEUE = Fields(
    v1.Queue,
    {
        "name": name,
        "slots": at_least(0),
        "paused": None,
        "max_queued": at_least(0),
        "defaults": _DEFAULTS,
        "counters": None,
        "slots_per_key": at_least(1),
        "rate_limit": _RATE_LIMIT,
        "retain_count": at_least(0),
    },
    required=["name"],
)
_SCHEDULE_RULES: Mapping[str, Rule | None] = {
    "name": name,
    "spec": Fields(
        v1.JobSpec,
        {**_SPEC_RULES, **dict.fromkeys(("schedule_time", "depends_on", "unique_key"), absent("is not for schedules"))},
        required=["kind"],
        beside=_BESIDE,
    ),
    "cron": short_text,
    "interval": lasting(1, LONGEST),
    "time_zone": short_text,
    "overlap": one_of(v1.OverlapPolicy.DESCRIPTOR),
    "catch_up_window": duration,
    "jitter": lasting(0, 86_400),
    "start_time": timestamp,
    "end_time": timestamp,
    "paused": None,
    # What is output only does not count, so that what an answer holds may be sent back; but see UpdateSchedule.
    "create_time": None,
    "update_time": None,
    "last_fire_time": None,
    "next_fire_times": None,
    "recent_job_ids": None,
    "fire_count": None,
    "skip_count": None,
    "revision": at_least(0),
}
_NEW_SCHEDULE = Fields(v1.Schedule, _SCHEDULE_RULES, required=["name", "spec"], either=["cron", "interval"])
_SCHEDULE = Fields(v1.Schedule, _SCHEDULE_RULES, required=["name"])


def named(mask: FieldMask, message: Message, choices: Collection[str]) -> frozenset[str]:
    """The fields of `message` that an update changes: those that `mask` names or, where it is empty, that are set."""
    if "*" in mask.paths:
        return frozenset(choices)
    if mask.paths:
        return frozenset(mask.paths)
    return frozenset(field.name for field, _ in message.ListFields()).intersection(choices)


def _without_value(request: v1.UpdateRequest) -> Violations:
    """What has no value that it could go back to."""
    given = {field.name for field, _ in request.spec.ListFields()}
    missing = [path for path in ("priority", "queue") if path in request.update_mask.paths and path not in given]
    return [(f"spec.{path}", "must be set where update_mask names it") for path in missing]


def _without_firings(request: v1.ScheduleServiceUpdateRequest) -> Violations:
    """A schedule must keep its spec, and either cron or interval."""
    schedule = request.schedule
    fields = named(request.update_mask, schedule, SCHEDULE_SETTINGS)
    given = fields.intersection(field.name for field, _ in schedule.ListFields())
    found = []
    if "spec" in fields - given:
        found.append(("schedule.spec", "must be set where update_mask names it"))
    if fields & {"cron", "interval"} and len(given & {"cron", "interval"}) != 1:
        found.append(("schedule", "must have exactly one of cron, interval where update_mask names either"))
    return found


_PROGRESS = Fields(v1.Progress, {"done": at_least(0), "total": at_least(0), "message": None})
_DECLARED = Fields(v1.WorkerKind, {"kind": name, "queue": name, "defaults": _DEFAULTS}, required=["kind"])
_LEASE = Fields(v1.Lease, {"job_id": job_id, "fence": at_least(1)}, required=["job_id", "fence"])
_TOLD: Mapping[str, Rule | None] = {
    "lease": _LEASE,
    "progress": _PROGRESS,
    "output": at_most_bytes(_MOST_OUTPUT),
    "output_offset": at_least(0),
}
_WORK = Fields(
    v1.WorkRequest,
    {
        "hello": Fields(
            v1.Hello,
            {
                "worker_id": name,
                "name": short_text,
                "kinds": first(each(_DECLARED, 1000), unlike("kind", attrgetter("kind"))),
                "held": each(_LEASE, 10_000),
                "client": short_text,
            },
            required=["worker_id", "kinds"],
        ),
        "slots": between(0, 10_000),
        "leave": None,
        "reports": each(Fields(v1.Report, {**_TOLD}, required=["lease"]), 10_000),
        "finishes": each(
            Fields(
                v1.Finish,
                {
                    **_TOLD,
                    "succeeded": Fields(v1.Succeeded, {"result": _PAYLOAD}),
                    "failed": Fields(v1.Failed, {"reason": reason, "message": None, "permanent": None}),
                    "snoozed": Fields(v1.Snoozed, {"delay": duration}),
                    "released": None,
                },
                required=["lease"],
                either=["succeeded", "failed", "snoozed", "released"],
            ),
            10_000,
        ),
    },
)


_REQUESTS: Mapping[type[Message], Rule] = {
    fields.kind: fields
    for fields in (
        SUBMIT,
        Fields(v1.SubmitBatchRequest, {"requests": each(_SUBMIT_IN_BATCH, BATCH_JOBS)}, required=["requests"]),
        Fields(v1.GetRequest, {"id": job_id, "view": _view}, required=["id"]),
        Fields(
            v1.ListRequest,
            {
                "filter": _FILTER,
                "page_size": _page_size,
                "page_token": None,
                "view": _view,
                "order_by": text_of(NEWEST_FIRST, OLDEST_FIRST),
            },
        ),
        Fields(v1.WaitRequest, {"id": job_id, "timeout": duration, "view": _view}, required=["id"]),
        Fields(
            v1.StreamRequest,
            {
                "filter": _FILTER,
                "cursor": None,
                "delivery": one_of(v1.Delivery.DESCRIPTOR),
                "view": _view,
                "include_progress": None,
            },
        ),
        Fields(v1.ReadOutputRequest, {"id": job_id, "offset": at_least(0), "follow": None}, required=["id"]),
        Fields(v1.CancelRequest, {"id": job_id}, required=["id"]),
        Fields(v1.RetryRequest, {"id": job_id, "dependents": None}, required=["id"]),
        Fields(v1.DeleteRequest, {"id": job_id, "force": None}, required=["id"]),
        Fields(v1.PurgeRequest, {"filter": _FILTER, "validate_only": None}, required=["filter"]),
        Fields(v1.BulkCancelRequest, {"filter": _FILTER, "validate_only": None}, required=["filter"]),
        Fields(v1.BulkRetryRequest, {"filter": _FILTER, "validate_only": None}, required=["filter"]),
        Fields(v1.BulkDeleteRequest, {"filter": _FILTER, "validate_only": None, "force": None}, required=["filter"]),
        Fields(v1.GetGroupRequest, {"name": name}, required=["name"]),
        Fields(v1.CancelGroupRequest, {"name": name, "validate_only": None}, required=["name"]),
        Fields(v1.GetQueueRequest, {"name": name}, required=["name"]),
        Fields(v1.ListQueuesRequest, {"page_size": _page_size, "page_token": None}),
        Fields(v1.UpdateQueueRequest, {"queue": _QUEUE, "update_mask": paths(*SETTINGS, "*")}, required=["queue"]),
        Fields(v1.ListSlotsRequest, {}),
        Fields(v1.UpdateSlotsRequest, {"slots": between(0, 10_000)}, required=["slots"]),
        Fields(v1.GetStatsRequest, {}),
        Fields(v1.ListServersRequest, {}),
        Fields(
            v1.ScheduleServiceCreateRequest, {"schedule": _NEW_SCHEDULE, "validate_only": None}, required=["schedule"]
        ),
        Fields(v1.ScheduleServiceGetRequest, {"name": name}, required=["name"]),
        Fields(v1.ScheduleServiceListRequest, {"page_size": _page_size, "page_token": None}),
        Fields(v1.ScheduleServiceDeleteRequest, {"name": name}, required=["name"]),
        _WORK,
        Fields(v1.ReadResultsRequest, {"job_id": job_id}, required=["job_id"]),
        Fields(v1.ListWorkersRequest, {}),
        Fields(v1.DrainWorkerRequest, {"worker_id": name}, required=["worker_id"]),
        Fields(v1.ScheduleServicePauseRequest, {"name": name}, required=["name"]),
        Fields(v1.ScheduleServiceResumeRequest, {"name": name}, required=["name"]),
        Fields(v1.ScheduleServiceTriggerRequest, {"name": name, "request_id": request_id}, required=["name"]),
    )
} | {
    v1.UpdateRequest: every(
        Fields(
            v1.UpdateRequest,
            {
                "id": job_id,
                "spec": Fields(
                    v1.JobSpec, {field: _SPEC_RULES[field] if field in CHANGES else None for field in _SPEC_RULES}
                ),
                "update_mask": paths(*CHANGES, least=1),
                "revision": at_least(0),
            },
            required=["id", "update_mask"],
        ),
        _without_value,
    ),
    v1.ScheduleServiceUpdateRequest: every(
        Fields(
            v1.ScheduleServiceUpdateRequest,
            {"schedule": _SCHEDULE, "update_mask": paths(*SCHEDULE_SETTINGS, "*")},
            required=["schedule"],
        ),
        _without_firings,
    ),
}
"""The rule of every request."""


def violations(request: Message) -> Violations:
    """All that is wrong with a request."""
    return _REQUESTS[type(request)](request)


def check(request: Message) -> None:
    """Raises InvalidArgument with all that is wrong with a request. What is submitted needs `Submissions` instead."""
    if wrong := violations(request):
        raise InvalidArgument(*wrong)


def stream(request: v1.StreamRequest) -> None:
    """`check`, for Stream."""
    check(request)


def newest_first(order: str) -> bool:
    """What a valid `order_by` says."""
    return spaced(order) != OLDEST_FIRST
