"""The tables of what requests must look like: for each rule what it just takes, and what it just refuses."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd_server.domain.errors import InvalidArgument
from slotd_server.rpc import rules, validate
from slotd_server.rpc.submissions import Submissions
from tests.unit.rpc.samples import JOB_ID

KINDS = {"noop": None, "thumbnail": None, "thumbnails": None, "a/b.c_d-e": None, "0" * 128: None, "Z": None}
SUBMISSIONS = Submissions(KINDS, max_payload=100, max_batch=1_000_000)

Make = Callable[[Any], Message]


def spec(field: str) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {"kind": "noop"} | {field: value}
        return v1.SubmitRequest(spec=v1.JobSpec(**given))

    return make


def retry(field: str) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {field: value}
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", retry=v1.RetryPolicy(**given)))

    return make


def submit(field: str) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {field: value}
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop"), **given)

    return make


def content_type(value: str) -> v1.SubmitRequest:
    return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", payload=v1.Payload(content_type=value)))


def of(kind: Callable[..., Message], field: str, **others: Any) -> Make:
    return lambda value: kind(**{field: value}, **others)


def filtered(field: str) -> Make:
    def make(value: Any) -> v1.ListRequest:
        given: dict[str, Any] = {field: value}
        return v1.ListRequest(filter=v1.JobFilter(**given))

    return make


def queue(field: str) -> Make:
    def make(value: Any) -> v1.UpdateQueueRequest:
        given: dict[str, Any] = {"name": "mail"} | {field: value}
        return v1.UpdateQueueRequest(queue=v1.Queue(**given))

    return make


def rate(field: str) -> Make:
    def make(value: Any) -> v1.UpdateQueueRequest:
        given: dict[str, Any] = {"starts_per_second": 1} | {field: value}
        return v1.UpdateQueueRequest(queue=v1.Queue(name="mail", rate_limit=v1.RateLimit(**given)))

    return make


def dependency(field: str, **others: Any) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {field: value} | others
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", depends_on=[v1.Dependency(**given)]))

    return make


def claim(field: str) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {"name": "disk"} | {field: value}
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", resources=[v1.ResourceClaim(**given)]))

    return make


def unique(field: str) -> Make:
    def make(value: Any) -> v1.SubmitRequest:
        given: dict[str, Any] = {field: value}
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", unique_key="k", **given))

    return make


def change(field: str) -> Make:
    def make(value: Any) -> v1.UpdateRequest:
        given: dict[str, Any] = {} if value is None else {field: value}
        return v1.UpdateRequest(id=JOB_ID, spec=v1.JobSpec(**given), update_mask=FieldMask(paths=[field]))

    return make


def schedule(field: str) -> Make:
    def make(value: Any) -> v1.ScheduleServiceCreateRequest:
        given: dict[str, Any] = {"name": "nightly", "spec": v1.JobSpec(kind="noop")}
        given |= {"interval": Duration(seconds=1)} if field != "cron" else {}
        return v1.ScheduleServiceCreateRequest(schedule=v1.Schedule(**given | {field: value}))

    return make


def of_schedule(field: str) -> Make:
    """With a field of its spec."""

    def make(value: Any) -> Message:
        given: dict[str, Any] = {"kind": "noop"} | {field: value}
        return schedule("spec")(v1.JobSpec(**given))

    return make


def reschedule(*paths: str) -> Make:
    """With what is set, and a mask of `paths`."""
    return lambda value: v1.ScheduleServiceUpdateRequest(
        schedule=v1.Schedule(name="nightly", **value), update_mask=FieldMask(paths=paths)
    )


def default(field: str) -> Make:
    def make(value: Any) -> v1.UpdateQueueRequest:
        given: dict[str, Any] = {field: value}
        return v1.UpdateQueueRequest(queue=v1.Queue(name="mail", defaults=v1.QueueDefaults(**given)))

    return make


def check(request: Message) -> None:
    if isinstance(request, v1.SubmitRequest):
        SUBMISSIONS.check(request)
    elif isinstance(request, v1.SubmitBatchRequest):
        SUBMISSIONS.check_batch(request)
    elif isinstance(request, v1.ScheduleServiceCreateRequest | v1.ScheduleServiceUpdateRequest):
        SUBMISSIONS.check_schedule(request)
    else:
        validate.check(request)


LONG = rules.LONGEST
POSITIVE = (
    [Duration(nanos=1_000), Duration(seconds=LONG, nanos=999_999_999)],
    [
        Duration(),
        Duration(nanos=999),
        Duration(seconds=-1),
        Duration(nanos=-1),
        Duration(seconds=LONG + 1),
        Duration(seconds=1, nanos=-1),
        Duration(nanos=1_000_000_000),
        Duration(seconds=2**63 - 1),
    ],
)
NOT_NEGATIVE = ([Duration(), Duration(nanos=1), *POSITIVE[0]], POSITIVE[1][2:])
NAMES = (
    ["Z", "a/b.c_d-e", "0" * 128],
    ["0" * 129, ".a", "/a", "-a", "_a", "a b", "a\n", "ä", "a\0", "a:b", "*"],
)
IDS = (
    [JOB_ID],
    [JOB_ID.upper(), JOB_ID[:-1], JOB_ID + "0", JOB_ID.replace("-", ""), "{" + JOB_ID + "}", "x", JOB_ID + "\n"],
)
LABELS: tuple[list[Mapping[str, str]], list[Mapping[str, str]]] = (
    [{}, {str(number): "x" for number in range(64)}, {"ä" * 63: "€" * 255}, {"k": ""}],
    [
        {str(number): "x" for number in range(65)},
        {"k" * 64: "v"},
        {"k": "v" * 256},
        {"": "v"},
        {"k\0": "v"},
        {"k": "\0"},
    ],
)
TEXTS = (["", "k", "a b\n€" * 51], ["k" * 256, "k\0"])
CLAIMS = [v1.ResourceClaim(name=str(number)) for number in range(65)]
DEPENDENCIES = [v1.Dependency(group=f"g{number}") for number in range(1001)]
TIMES = (
    [Timestamp(), Timestamp(seconds=-62_135_596_800), Timestamp(seconds=253_402_300_799, nanos=999_999_999)],
    [
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=253_402_300_800),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
    ],
)
SPEC = v1.JobSpec(kind="noop")
EVERY = Duration(seconds=1)
PRIORITIES = ([-1000, 0, 1000], [-1001, 1001])
VIEWS = ([0, 1, 2], [3, -1])

RULES: list[tuple[str, Make, list[Any], list[Any]]] = [
    ("spec.kind", spec("kind"), NAMES[0], ["", *NAMES[1]]),
    ("spec.queue", spec("queue"), ["", *NAMES[0]], NAMES[1]),
    ("spec.priority", spec("priority"), *PRIORITIES),
    ("spec.labels", spec("labels"), *LABELS),
    ("spec.schedule_time", spec("schedule_time"), *TIMES),
    ("spec.timeout", spec("timeout"), *POSITIVE),
    ("spec.queue_timeout", spec("queue_timeout"), *POSITIVE),
    ("spec.retention", spec("retention"), *POSITIVE),
    ("spec.retry.max_attempts", retry("max_attempts"), [0, 1, 10_000], [-1, 10_001]),
    ("spec.retry.initial_backoff", retry("initial_backoff"), *NOT_NEGATIVE),
    ("spec.retry.max_backoff", retry("max_backoff"), *NOT_NEGATIVE),
    ("spec.retry.multiplier", retry("multiplier"), [0, 1, 1e300], [0.99, -1, float("inf"), float("nan")]),
    ("spec.retry.jitter", retry("jitter"), [0, 0.5, 1], [-0.01, 1.01, float("nan")]),
    (
        "spec.payload.content_type",
        content_type,
        [
            "",
            "text/plain",
            "application/vnd.api+json",
            'text/plain; charset=utf-8;x="a b"',
            "a/" + "b" * 253,
        ],
        ["text", "text/", "/plain", "text/plain;", "text/plain; x", "a/b\n", "a/ b", "ä/b", "a/" + "b" * 254, "a/b/c"],
    ),
    ("spec.resources", spec("resources"), [[], CLAIMS[:64]], [CLAIMS]),
    (
        "spec.resources[1]",
        spec("resources"),
        [],
        [[*CLAIMS[:1], v1.ResourceClaim(name="0", mode=v1.RESOURCE_MODE_SHARED)]],
    ),
    (
        "spec.resources[0].name",
        claim("name"),
        ["*", "repo", "repo/*", "a/b/*", "0" * 128 + "/*", *NAMES[0]],
        ["", "**", "/*", "repo*", "*/repo", "repo/*/x", "repo/* ", "0" * 129 + "/*", *NAMES[1][:-1]],
    ),
    ("spec.resources[0].mode", claim("mode"), [0, 1, 2], [3, -1]),
    ("spec.depends_on", spec("depends_on"), [[], DEPENDENCIES[:1000]], [DEPENDENCIES]),
    (
        "spec.depends_on[1]",
        spec("depends_on"),
        [[v1.Dependency(group=JOB_ID), v1.Dependency(job_id=JOB_ID)]],
        [
            [v1.Dependency(group="a"), v1.Dependency(group="a", condition=v1.DEPENDENCY_CONDITION_ENDED)],
            [v1.Dependency(job_id=JOB_ID)] * 2,
        ],
    ),
    (
        "spec.depends_on[0]",
        spec("depends_on"),
        [[v1.Dependency(group="a")]],
        [
            [v1.Dependency()],
            [v1.Dependency(wait_for_retry=True)],
            [v1.Dependency(job_id=JOB_ID, group="a")],
        ],
    ),
    ("spec.depends_on[0].job_id", dependency("job_id"), IDS[0], IDS[1]),
    ("spec.depends_on[0].group", dependency("group"), NAMES[0], NAMES[1]),
    ("spec.depends_on[0].ref", dependency("ref"), [], ["a"]),
    ("spec.depends_on[0].condition", dependency("condition", group="a"), [0, 1, 2], [3, -1]),
    ("spec.group", spec("group"), ["", *NAMES[0]], NAMES[1]),
    ("spec.concurrency_key", spec("concurrency_key"), *TEXTS),
    ("spec.unique_key", spec("unique_key"), *TEXTS),
    ("spec.unique_period", unique("unique_period"), *POSITIVE),
    ("spec.unique_period", spec("unique_period"), [], POSITIVE[0]),
    ("spec.unique_conflict", unique("unique_conflict"), [0, 1, 2, 3], [4, -1]),
    ("spec.unique_conflict", spec("unique_conflict"), [0], [1]),
    ("ref", submit("ref"), ["", *NAMES[0]], NAMES[1]),
    ("request_id", submit("request_id"), ["", "x", "ä" * 128, "a b"], ["x" * 129, "a\nb", "a\0", "\x7f"]),
    ("id", of(v1.GetRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.WaitRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.ReadOutputRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.CancelRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.RetryRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.DeleteRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.UpdateRequest, "id", update_mask=FieldMask(paths=["labels"])), IDS[0], ["", *IDS[1]]),
    ("spec.priority", change("priority"), PRIORITIES[0], [*PRIORITIES[1], None]),
    ("spec.queue", change("queue"), NAMES[0], [*NAMES[1], None]),
    ("spec.labels", change("labels"), *LABELS),
    ("spec.schedule_time", change("schedule_time"), [*TIMES[0], None], TIMES[1]),
    (
        "revision",
        of(v1.UpdateRequest, "revision", id=JOB_ID, update_mask=FieldMask(paths=["labels"])),
        [0, 2**63 - 1],
        [-1],
    ),
    ("update_mask", of(v1.UpdateRequest, "update_mask", id=JOB_ID), [], [None]),
    ("update_mask.paths", of(v1.UpdateRequest, "update_mask", id=JOB_ID), [], [FieldMask()]),
    (
        "update_mask.paths[0]",
        lambda value: v1.UpdateRequest(id=JOB_ID, update_mask=FieldMask(paths=[value])),
        ["labels", "schedule_time"],
        ["*", "kind", "spec.labels", ""],
    ),
    ("view", of(v1.GetRequest, "view", id=JOB_ID), *VIEWS),
    ("view", of(v1.WaitRequest, "view", id=JOB_ID), *VIEWS),
    ("view", of(v1.ListRequest, "view"), *VIEWS),
    ("view", of(v1.StreamRequest, "view"), *VIEWS),
    ("delivery", of(v1.StreamRequest, "delivery"), [0, 1, 2], [3, -1]),
    ("timeout", of(v1.WaitRequest, "timeout", id=JOB_ID), *NOT_NEGATIVE),
    ("offset", of(v1.ReadOutputRequest, "offset", id=JOB_ID), [0, 2**63 - 1], [-1]),
    ("page_size", of(v1.ListRequest, "page_size"), [0, 1, 2**31 - 1], [-1]),
    ("page_size", of(v1.ListQueuesRequest, "page_size"), [0, 1, 2**31 - 1], [-1]),
    (
        "order_by",
        of(v1.ListRequest, "order_by"),
        ["", "create_time", "create_time desc", " create_time  desc "],
        ["create_time asc", "end_time", "create_time,id", "CREATE_TIME", "x" * 1000],
    ),
    ("filter.job_ids", filtered("job_ids"), [[], [JOB_ID] * 1000], [[JOB_ID] * 1001]),
    ("filter.job_ids[1]", filtered("job_ids"), [], [[JOB_ID, name] for name in IDS[1]]),
    ("filter.queues", filtered("queues"), [[], ["a"] * 100], [["a"] * 101]),
    ("filter.queues[0]", filtered("queues"), [], [[name] for name in NAMES[1]]),
    ("filter.kinds", filtered("kinds"), [[], ["a"] * 100], [["a"] * 101]),
    ("filter.kinds[0]", filtered("kinds"), [], [[name] for name in NAMES[1]]),
    ("filter.states", filtered("states"), [[], [0], list(range(8)), [1] * 100], [[1] * 101]),
    ("filter.states[0]", filtered("states"), [], [[8], [-1]]),
    ("filter.labels", filtered("labels"), *LABELS),
    ("filter.groups", filtered("groups"), [[], ["a"] * 100], [["a"] * 101]),
    ("filter.groups[0]", filtered("groups"), [], [[name] for name in NAMES[1]]),
    ("filter.schedules", filtered("schedules"), [[], ["a"] * 100], [["a"] * 101]),
    ("filter.schedules[0]", filtered("schedules"), [], [[name] for name in NAMES[1]]),
    ("filter.depends_on", filtered("depends_on"), [[], [JOB_ID] * 100], [[JOB_ID] * 101]),
    ("filter.depends_on[0]", filtered("depends_on"), [], [[name] for name in IDS[1]]),
    ("name", of(v1.GetGroupRequest, "name"), NAMES[0], ["", *NAMES[1]]),
    ("name", of(v1.CancelGroupRequest, "name"), NAMES[0], ["", *NAMES[1]]),
    ("name", of(v1.GetQueueRequest, "name"), NAMES[0], ["", *NAMES[1]]),
    ("queue.name", queue("name"), NAMES[0], ["", *NAMES[1]]),
    ("queue.slots", queue("slots"), [0, 2**31 - 1], [-1]),
    ("queue.max_queued", queue("max_queued"), [0, 2**63 - 1], [-1]),
    ("queue.slots_per_key", queue("slots_per_key"), [1, 2**31 - 1], [0, -1]),
    ("queue.retain_count", queue("retain_count"), [0, 2**63 - 1], [-1]),
    (
        "queue.rate_limit.starts_per_second",
        rate("starts_per_second"),
        [1e-9, 0.1, 1_000_000],
        [0, -1, 1_000_001, float("nan"), float("inf")],
    ),
    ("queue.rate_limit.burst", rate("burst"), [0, 1, 1_000_000], [-1, 1_000_001]),
    ("queue.defaults.priority", default("priority"), *PRIORITIES),
    ("queue.defaults.timeout", default("timeout"), *POSITIVE),
    ("queue.defaults.queue_timeout", default("queue_timeout"), *POSITIVE),
    ("queue.defaults.retention", default("retention"), *POSITIVE),
    (
        "queue.defaults.retry.max_attempts",
        lambda value: default("retry")(v1.RetryPolicy(max_attempts=value)),
        [1],
        [-1],
    ),
    (
        "update_mask.paths[0]",
        lambda value: v1.UpdateQueueRequest(queue=v1.Queue(name="mail"), update_mask=FieldMask(paths=value)),
        [[], list(validate.SETTINGS), ["*"]],
        [["name"], ["counters"], ["defaults.timeout"], [""], ["**"]],
    ),
    (
        "update_mask.paths",
        lambda value: v1.UpdateQueueRequest(queue=v1.Queue(name="mail"), update_mask=FieldMask(paths=value)),
        [["slots"] * 100],
        [["slots"] * 101],
    ),
    ("slots", of(v1.UpdateSlotsRequest, "slots"), [0, 10_000], [None, -1, 10_001]),
    ("spec", of(v1.SubmitRequest, "spec"), [v1.JobSpec(kind="noop")], [None]),
    ("filter", of(v1.PurgeRequest, "filter"), [v1.JobFilter()], [None]),
    ("filter", of(v1.BulkCancelRequest, "filter"), [v1.JobFilter()], [None]),
    ("filter", of(v1.BulkRetryRequest, "filter"), [v1.JobFilter()], [None]),
    ("filter", of(v1.BulkDeleteRequest, "filter"), [v1.JobFilter()], [None]),
    ("queue", of(v1.UpdateQueueRequest, "queue"), [v1.Queue(name="a")], [None]),
    (
        "requests",
        of(v1.SubmitBatchRequest, "requests"),
        [[v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))] * number for number in (1, 1000)],
        [[], [v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))] * 1001],
    ),
    ("schedule", of(v1.ScheduleServiceCreateRequest, "schedule"), [], [None]),
    ("schedule", of(v1.ScheduleServiceUpdateRequest, "schedule"), [], [None]),
    ("schedule.name", schedule("name"), NAMES[0], ["", *NAMES[1]]),
    ("schedule.spec", schedule("spec"), [SPEC], [None]),
    ("schedule.spec.kind", of_schedule("kind"), NAMES[0], ["", *NAMES[1]]),
    ("schedule.spec.schedule_time", of_schedule("schedule_time"), [], [Timestamp()]),
    ("schedule.spec.depends_on", of_schedule("depends_on"), [[]], [[v1.Dependency(group="a")]]),
    ("schedule.spec.unique_key", of_schedule("unique_key"), [""], ["k"]),
    ("schedule.spec.group", of_schedule("group"), NAMES[0], NAMES[1]),
    ("schedule.spec.resources", of_schedule("resources"), [CLAIMS[:64]], [CLAIMS]),
    ("schedule.cron", schedule("cron"), ["* * * * *", "x" * 255], ["x" * 256, "x\0"]),
    ("schedule.time_zone", schedule("time_zone"), *TEXTS),
    (
        "schedule.interval",
        schedule("interval"),
        [EVERY, Duration(seconds=1, nanos=1), Duration(seconds=LONG)],
        [Duration(), Duration(nanos=999_999_999), Duration(seconds=-1), Duration(seconds=LONG, nanos=1)],
    ),
    ("schedule.overlap", schedule("overlap"), [0, 1, 2, 3, 4], [5, -1]),
    ("schedule.catch_up_window", schedule("catch_up_window"), *NOT_NEGATIVE),
    (
        "schedule.jitter",
        schedule("jitter"),
        [Duration(), Duration(seconds=86_400)],
        [Duration(seconds=86_400, nanos=1), Duration(nanos=-1)],
    ),
    ("schedule.start_time", schedule("start_time"), *TIMES),
    ("schedule.end_time", schedule("end_time"), *TIMES),
    ("schedule.revision", schedule("revision"), [0, 5], [-1]),
    (
        "schedule",
        lambda value: v1.ScheduleServiceCreateRequest(schedule=v1.Schedule(name="nightly", spec=SPEC, **value)),
        [{"cron": "x"}, {"interval": EVERY}],
        [{}, {"cron": "x", "interval": EVERY}],
    ),
    # Without a mask, what is set counts; of cron and interval one has to be there if either counts.
    ("schedule", reschedule(), [{}, {"cron": "x"}, {"interval": EVERY}], [{"cron": "x", "interval": EVERY}]),
    ("schedule", reschedule("cron"), [{"cron": "x"}, {"cron": "x", "interval": EVERY}], [{}, {"interval": EVERY}]),
    ("schedule", reschedule("interval", "cron"), [{"cron": "x"}], [{}, {"cron": "x", "interval": EVERY}]),
    ("schedule", reschedule("*"), [{"spec": SPEC, "cron": "x"}], [{"spec": SPEC}]),
    ("schedule.spec", reschedule("spec"), [{"spec": SPEC}], [{}]),
    ("schedule.spec", reschedule("*"), [], [{"cron": "x"}]),
    ("schedule.spec.kind", reschedule("paused"), [{}], [{"spec": v1.JobSpec()}]),
    (
        "update_mask.paths[0]",
        lambda value: v1.ScheduleServiceUpdateRequest(
            schedule=v1.Schedule(name="nightly", cron="x", spec=SPEC), update_mask=FieldMask(paths=[value])
        ),
        [path for path in validate.SCHEDULE_SETTINGS if path != "interval"],
        ["name", "spec.kind", "revision", ""],
    ),
    *(
        ("name", of(kind, "name"), NAMES[0], ["", *NAMES[1]])
        for kind in (
            v1.ScheduleServiceGetRequest,
            v1.ScheduleServiceDeleteRequest,
            v1.ScheduleServicePauseRequest,
            v1.ScheduleServiceResumeRequest,
            v1.ScheduleServiceTriggerRequest,
        )
    ),
    ("request_id", of(v1.ScheduleServiceTriggerRequest, "request_id", name="a"), ["", "x"], ["x" * 129, "a\nb"]),
    ("page_size", of(v1.ScheduleServiceListRequest, "page_size"), [0, 2**31 - 1], [-1]),
]


@pytest.mark.parametrize(("field", "make", "fine", "wrong"), RULES, ids=[field for field, *_ in RULES])
def test_a_rule_takes_what_is_fine_and_names_what_is_not(
    field: str, make: Make, fine: list[Any], wrong: list[Any]
) -> None:
    for value in fine:
        check(make(value))
    for value in wrong:
        with pytest.raises(InvalidArgument) as refused:
            check(make(value))
        (violation,) = refused.value.violations
        # A label is named by its key.
        assert violation[0].partition("[" if field.endswith("labels") else "\0")[0] == field
        assert violation[1]
        assert refused.value.reason == "INVALID_ARGUMENT"


def test_requests_that_can_only_be_fine() -> None:
    for request in (
        v1.ListRequest(),
        v1.StreamRequest(),
        v1.ListQueuesRequest(),
        v1.ListSlotsRequest(),
        v1.ListServersRequest(),
        v1.GetStatsRequest(),
        v1.ScheduleServiceListRequest(),
    ):
        validate.check(request)
