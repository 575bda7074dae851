"""The tables of what requests must look like: for each rule what it just takes, and what it just refuses."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd_server.domain.errors import InvalidArgument, NotImplementedYet, TooLarge
from slotd_server.rpc import rules, validate
from tests.unit.rpc.samples import JOB_ID

KINDS = {"noop": None, "thumbnail": None, "thumbnails": None, "a/b.c_d-e": None, "0" * 128: None, "Z": None}
SUBMISSIONS = validate.Submissions(KINDS, max_payload=100, max_batch=1_000_000)

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
PRIORITIES = ([-1000, 0, 1000], [-1001, 1001])
VIEWS = ([0, 1, 2], [3, -1])

RULES: list[tuple[str, Make, list[Any], list[Any]]] = [
    ("spec.kind", spec("kind"), NAMES[0], ["", *NAMES[1]]),
    ("spec.queue", spec("queue"), ["", *NAMES[0]], NAMES[1]),
    ("spec.priority", spec("priority"), *PRIORITIES),
    ("spec.labels", spec("labels"), *LABELS),
    (
        "spec.schedule_time",
        spec("schedule_time"),
        [
            Timestamp(),
            Timestamp(seconds=-62_135_596_800),
            Timestamp(seconds=253_402_300_799, nanos=999_999_999),
        ],
        [
            Timestamp(seconds=-62_135_596_801),
            Timestamp(seconds=253_402_300_800),
            Timestamp(nanos=-1),
            Timestamp(nanos=1_000_000_000),
        ],
    ),
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
    ("request_id", submit("request_id"), ["", "x", "ä" * 128, "a b"], ["x" * 129, "a\nb", "a\0", "\x7f"]),
    ("id", of(v1.GetRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.WaitRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.ReadOutputRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.CancelRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.RetryRequest, "id"), IDS[0], ["", *IDS[1]]),
    ("id", of(v1.DeleteRequest, "id"), IDS[0], ["", *IDS[1]]),
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
    ("name", of(v1.GetQueueRequest, "name"), NAMES[0], ["", *NAMES[1]]),
    ("queue.name", queue("name"), NAMES[0], ["", *NAMES[1]]),
    ("queue.slots", queue("slots"), [0, 2**31 - 1], [-1]),
    ("queue.max_queued", queue("max_queued"), [0, 2**63 - 1], [-1]),
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
        [[], ["slots", "paused", "max_queued", "defaults"], ["*"]],
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
    ("queue", of(v1.UpdateQueueRequest, "queue"), [v1.Queue(name="a")], [None]),
    (
        "requests",
        of(v1.SubmitBatchRequest, "requests"),
        [[v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))] * number for number in (1, 1000)],
        [[], [v1.SubmitRequest(spec=v1.JobSpec(kind="noop"))] * 1001],
    ),
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
        v1.GetStatsRequest(),
    ):
        validate.check(request)


def test_all_that_is_wrong_is_named_at_once() -> None:
    request = v1.SubmitRequest(
        spec=v1.JobSpec(
            queue=".",
            labels={"": "x", "k" * 100: "v"},
            timeout=Duration(seconds=-1),
            retry=v1.RetryPolicy(max_attempts=-1, jitter=2),
            payload=v1.Payload(content_type="x"),
        ),
        request_id="\n",
    )
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check(request)
    assert {field for field, _ in refused.value.violations} == {
        "spec.kind",
        "spec.queue",
        "spec.labels['']",
        f"spec.labels['{'k' * 60}…']",
        "spec.timeout",
        "spec.retry.max_attempts",
        "spec.retry.jitter",
        "spec.payload.content_type",
        "request_id",
    }


def test_an_unknown_kind_is_told_what_it_may_have_meant() -> None:
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check(v1.SubmitRequest(spec=v1.JobSpec(kind="thumbnial")))
    assert refused.value.reason == "UNKNOWN_KIND"
    ((field, wrong),) = refused.value.violations
    assert field == "spec.kind"
    assert "'thumbnail' or 'thumbnails'" in wrong
    with pytest.raises(InvalidArgument, match=r"no handler is registered for 'xyz'$"):
        SUBMISSIONS.check(v1.SubmitRequest(spec=v1.JobSpec(kind="xyz")))


def test_an_unknown_kind_is_one_wrong_among_others() -> None:
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check(v1.SubmitRequest(spec=v1.JobSpec(kind="xyz", priority=5000)))
    assert refused.value.reason == "INVALID_ARGUMENT"
    assert [field for field, _ in refused.value.violations] == ["spec.priority", "spec.kind"]


@pytest.mark.parametrize("field", ["resources", "depends_on"])
def test_what_is_not_served_says_so(field: str) -> None:
    part: dict[str, Any] = {field: [v1.ResourceClaim(name="x") if field == "resources" else v1.Dependency(job_id="x")]}
    request = v1.SubmitRequest(spec=v1.JobSpec(kind="noop", **part))
    with pytest.raises(NotImplementedYet) as refused:
        SUBMISSIONS.check(request)
    assert refused.value.field == f"spec.{field}"
    with pytest.raises(NotImplementedYet) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[request]))
    assert refused.value.field == f"requests[0].spec.{field}"


def with_payload(size: int) -> v1.SubmitRequest:
    return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", payload=v1.Payload(data=bytes(size))))


def test_a_payload_has_a_limit() -> None:
    SUBMISSIONS.check(with_payload(100))
    with pytest.raises(TooLarge) as refused:
        SUBMISSIONS.check(with_payload(101))
    assert refused.value.subject == "spec.payload.data"
    with pytest.raises(TooLarge) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[with_payload(100), with_payload(101)]))
    assert refused.value.subject == "requests[1].spec.payload.data"


def test_a_batch_has_a_limit() -> None:
    batch = v1.SubmitBatchRequest(requests=[with_payload(100)] * 2)
    validate.Submissions(KINDS, max_batch=batch.ByteSize()).check_batch(batch)
    with pytest.raises(TooLarge) as refused:
        validate.Submissions(KINDS, max_batch=batch.ByteSize() - 1).check_batch(batch)
    assert refused.value.subject == "requests"


def in_batch(*requests: v1.SubmitRequest) -> list[str]:
    """The fields that are wrong."""
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))
    return [field for field, _ in refused.value.violations]


def test_a_batch_names_the_request() -> None:
    fine, bad = submit("request_id")(""), spec("priority")(5000)
    assert isinstance(fine, v1.SubmitRequest)
    assert isinstance(bad, v1.SubmitRequest)
    assert in_batch(fine, bad, fine, bad) == ["requests[1].spec.priority", "requests[3].spec.priority"]
    unknown = v1.SubmitRequest(spec=v1.JobSpec(kind="xyz"))
    assert in_batch(fine, unknown, unknown) == ["requests[1].spec.kind", "requests[2].spec.kind"]
    assert in_batch(v1.SubmitRequest()) == ["requests[0].spec"]


def test_a_batch_is_of_one_mind() -> None:
    def one(request_id: str = "", validate_only: bool = False) -> v1.SubmitRequest:
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop"), request_id=request_id, validate_only=validate_only)

    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[one("a"), one("b"), one(), one()]))
    assert in_batch(one("a"), one("b"), one("a"), one("a")) == ["requests[2].request_id", "requests[3].request_id"]
    assert in_batch(one(), one(), one("", True)) == ["requests[2].validate_only"]
    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[one("", True), one("", True)]))


def test_many_mistakes_are_told_up_to_a_number() -> None:
    bad = spec("priority")(5000)
    assert isinstance(bad, v1.SubmitRequest)
    assert len(in_batch(*[bad] * 1000)) == rules.MOST_VIOLATIONS
    assert len(in_batch(*[v1.SubmitRequest(spec=v1.JobSpec(kind="xyz"))] * 1000)) == rules.MOST_VIOLATIONS
