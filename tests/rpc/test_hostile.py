"""Requests that no well-meaning client sends. Each gets its documented code, and none changes anything."""

import base64
import random
from collections.abc import Callable, Iterator

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest

from slotd import spec, v1
from slotd.v1 import job_service_pb2, queue_service_pb2, schedule_service_pb2
from tests.rpc.wire import JOBS, QUEUES, SCHEDULES, failure, outcome, refusal, send
from tests.service import Endpoint, starting

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
MIB = 1 << 20

METHODS = [
    path + method.name
    for path, module in ((JOBS, job_service_pb2), (QUEUES, queue_service_pb2), (SCHEDULES, schedule_service_pb2))
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.fixture(scope="module")
def at() -> Iterator[Endpoint]:
    """A service with a few jobs in it."""
    with starting() as start:
        at = start().at
        at.client.update_queue("paused", paused=True)
        for _ in range(3):
            at.client.submit("idle", queue="paused")
        yield at


@pytest.fixture(autouse=True)
def _nothing_changes(at: Endpoint) -> Iterator[None]:
    """Nothing may be different after the test."""

    def everything() -> tuple[object, ...]:
        stats = at.queues.GetStats(v1.GetStatsRequest())
        jobs = at.jobs.List(v1.ListRequest(view=v1.JOB_VIEW_FULL)).jobs
        queues = at.queues.ListQueues(v1.ListQueuesRequest())
        schedules = v1.ScheduleServiceStub(at.channel).List(v1.ScheduleServiceListRequest())
        return stats, jobs, queues, schedules, at.queues.ListSlots(v1.ListSlotsRequest())

    before = everything()
    yield
    assert everything() == before


@pytest.mark.parametrize("path", METHODS)
def test_bytes_that_are_no_message(at: Endpoint, path: str) -> None:
    for data in (b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x7f", b"\x0b" * 5000, b"\x07"):
        refused = refusal(lambda: send(at, path, data))  # noqa: B023 - called at once
        assert refused[:3] == (INVALID, "MALFORMED_MESSAGE", {"BadRequest"})


def test_random_bytes_break_nothing(at: Endpoint) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    changing = ("UpdateQueue", "UpdateSlots", "Purge", "BulkCancel", "BulkRetry", "BulkDelete")
    paths = [path for path in METHODS if path.rpartition("/")[2] not in changing]
    valid = v1.SubmitRequest(
        spec=spec("idle", [1], labels={"a": "b"}, timeout=5), validate_only=True
    ).SerializeToString()
    for _ in range(150):
        data = bytearray(valid)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        # Still nothing but a question, should it be a message, whichever end it swallows.
        mutated = b"\x18\x01" + bytes(data) + b"\x18\x01"
        path = chance.choice(
            [path for path in paths if not path.endswith(("Submit", "Stream"))] + [JOBS + "Submit"] * 20
        )
        answers = {None, INVALID, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED}
        assert outcome(lambda: send(at, path, mutated)) in answers, (path, mutated)  # noqa: B023 - called at once


def field(number: int, data: bytes) -> bytes:
    """A field with a length, by hand."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def test_text_that_is_not_utf8(at: Endpoint) -> None:
    for data in (field(1, field(1, b"id\xffle")), field(2, b"\xc0\x80"), field(1, field(5, field(1, b"\xed\xa0\x80")))):
        refused = refusal(lambda: send(at, JOBS + "Submit", data))  # noqa: B023 - called at once
        assert refused[:2] == (INVALID, "MALFORMED_MESSAGE")


def test_fields_that_nobody_knows_are_passed_over(at: Endpoint) -> None:
    request = v1.SubmitRequest(spec=spec("idle"), validate_only=True).SerializeToString()
    # Field 1,000, a varint.
    answer = send(at, JOBS + "Submit", request + b"\xc0\x3e\x01")
    assert isinstance(answer, bytes)
    assert v1.SubmitResponse.FromString(answer).job.spec.kind == "idle"


def test_a_million_dependencies_are_refused_unread(at: Endpoint) -> None:
    many = v1.SubmitRequest(spec=spec("idle", depends_on=[v1.Dependency(ref="a")] * 1000))
    batch = v1.SubmitBatchRequest(requests=[many] * 1000)
    refused = refusal(lambda: at.jobs.SubmitBatch(batch))
    assert refused[:3] == (INVALID, "INVALID_ARGUMENT", {"BadRequest"})
    (violation,) = refused.detail(BadRequest).field_violations
    assert (violation.field, "1,000,000" in violation.description) == ("requests", True)


def submit(**fields: object) -> v1.SubmitRequest:
    """A job that would be taken but for `fields`."""
    return v1.SubmitRequest(spec=v1.JobSpec(**({"kind": "idle"} | fields)))  # type: ignore[arg-type]


def retry(**fields: object) -> v1.SubmitRequest:
    return submit(retry=v1.RetryPolicy(**fields))  # type: ignore[arg-type]


CENTURIES = Duration(seconds=315_576_000_000)

SPECS: dict[str, tuple[v1.SubmitRequest, str]] = {
    "no spec": (v1.SubmitRequest(), "spec"),
    "no kind": (submit(kind=""), "spec.kind"),
    "long kind": (submit(kind="k" * 129), "spec.kind"),
    "kind with a line end": (submit(kind="idle\n"), "spec.kind"),
    "kind with a NUL": (submit(kind="idle\0"), "spec.kind"),
    "queue of another alphabet": (submit(queue="ｑ"), "spec.queue"),
    "priority": (submit(priority=-1001), "spec.priority"),
    "a hundred labels": (submit(labels={str(number): "" for number in range(100)}), "spec.labels"),
    "empty label": (submit(labels={"": "x"}), "spec.labels['']"),
    "long label": (submit(labels={"a": "x" * 256}), "spec.labels['a']"),
    "huge label": (submit(labels={"x" * MIB: "x"}), f"spec.labels['{'x' * 60}…']"),
    "label with a NUL": (submit(labels={"a": "\0"}), "spec.labels['a']"),
    "negative timeout": (submit(timeout=Duration(seconds=-1)), "spec.timeout"),
    "no timeout at all": (submit(timeout=Duration()), "spec.timeout"),
    "timeout of centuries": (submit(timeout=CENTURIES), "spec.timeout"),
    "mixed signs": (submit(retention=Duration(seconds=1, nanos=-1)), "spec.retention"),
    "nanos": (submit(queue_timeout=Duration(nanos=1_000_000_000)), "spec.queue_timeout"),
    "time before time": (submit(schedule_time=Timestamp(seconds=-(1 << 62))), "spec.schedule_time"),
    "time after time": (submit(schedule_time=Timestamp(seconds=1 << 62)), "spec.schedule_time"),
    "negative nanos": (submit(schedule_time=Timestamp(nanos=-1)), "spec.schedule_time"),
    "jitter NaN": (retry(jitter=float("nan")), "spec.retry.jitter"),
    "jitter": (retry(jitter=1.01), "spec.retry.jitter"),
    "multiplier NaN": (retry(multiplier=float("nan")), "spec.retry.multiplier"),
    "multiplier infinite": (retry(multiplier=float("inf")), "spec.retry.multiplier"),
    "multiplier": (retry(multiplier=0.5), "spec.retry.multiplier"),
    "attempts": (retry(max_attempts=-1), "spec.retry.max_attempts"),
    "many attempts": (retry(max_attempts=1 << 30), "spec.retry.max_attempts"),
    "backoff": (retry(initial_backoff=Duration(seconds=-5)), "spec.retry.initial_backoff"),
    "content type": (submit(payload=v1.Payload(content_type="json")), "spec.payload.content_type"),
    "content type with a line end": (
        submit(payload=v1.Payload(content_type="a/b\r\nx: y")),
        "spec.payload.content_type",
    ),
    "request id": (v1.SubmitRequest(spec=v1.JobSpec(kind="idle"), request_id="a\nb"), "request_id"),
}


@pytest.mark.parametrize("name", SPECS)
def test_specs_that_can_not_be(at: Endpoint, name: str) -> None:
    request, wrong = SPECS[name]
    for call, prefix in (
        (lambda: at.jobs.Submit(request), ""),
        (lambda: at.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=[submit(), request])), "requests[1]."),
    ):
        refused = refusal(call)
        assert refused[:3] == (INVALID, "INVALID_ARGUMENT", {"BadRequest"})
        (violation,) = refused.detail(BadRequest).field_violations
        assert violation.field == prefix + wrong


def queue(**fields: object) -> Callable[[Endpoint], object]:
    return lambda at: at.queues.UpdateQueue(v1.UpdateQueueRequest(queue=v1.Queue(**fields)))  # type: ignore[arg-type]


OTHERS: dict[str, Callable[[Endpoint], object]] = {
    "enum of the future: view": lambda at: at.jobs.List(v1.ListRequest(view=17)),  # type: ignore[arg-type]
    "enum of the future: state": lambda at: at.jobs.List(v1.ListRequest(filter=v1.JobFilter(states=[99]))),  # type: ignore[list-item]
    "enum of the future: delivery": lambda at: at.jobs.Stream(v1.StreamRequest(delivery=-1)),  # type: ignore[arg-type]
    "page size": lambda at: at.jobs.List(v1.ListRequest(page_size=-1)),
    "order": lambda at: at.jobs.List(v1.ListRequest(order_by="priority; DROP TABLE jobs")),
    "too many ids": lambda at: at.jobs.List(v1.ListRequest(filter=v1.JobFilter(job_ids=["x"] * 1001))),
    "offset": lambda at: at.jobs.ReadOutput(v1.ReadOutputRequest(id=first(at), offset=-1)),
    "wait for less than nothing": lambda at: at.jobs.Wait(v1.WaitRequest(id=first(at), timeout=Duration(seconds=-1))),
    "purge without a filter": lambda at: at.jobs.Purge(v1.PurgeRequest()),
    "empty batch": lambda at: at.jobs.SubmitBatch(v1.SubmitBatchRequest()),
    "batch of 1,001": lambda at: at.jobs.SubmitBatch(v1.SubmitBatchRequest(requests=[submit()] * 1001)),
    "batch of millions of nothings": lambda at: at.jobs.SubmitBatch(
        v1.SubmitBatchRequest(requests=[v1.SubmitRequest()] * 1_000_000)
    ),
    "batch of a hundred thousand wrongs": lambda at: at.jobs.SubmitBatch(
        v1.SubmitBatchRequest(requests=[submit(kind="\n" * 50, queue="\n" * 50)] * 1000)
    ),
    "batch that half asks": lambda at: at.jobs.SubmitBatch(
        v1.SubmitBatchRequest(requests=[submit(), v1.SubmitRequest(spec=spec("idle"), validate_only=True)])
    ),
    "batch with one id twice": lambda at: at.jobs.SubmitBatch(
        v1.SubmitBatchRequest(requests=[v1.SubmitRequest(spec=spec("idle"), request_id="x")] * 2)
    ),
    "no slots given": lambda at: at.queues.UpdateSlots(v1.UpdateSlotsRequest()),
    "slots below none": lambda at: at.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=-1)),
    "slots without end": lambda at: at.queues.UpdateSlots(v1.UpdateSlotsRequest(slots=10_001)),
    "queue without a name": queue(slots=1),
    "queue with slots below none": queue(name="q", slots=-1),
    "queue that may hold less than nothing": queue(name="q", max_queued=-1),
    "queue defaults": queue(name="q", defaults=v1.QueueDefaults(retry=v1.RetryPolicy(jitter=float("nan")))),
    "mask": lambda at: at.queues.UpdateQueue(
        v1.UpdateQueueRequest(queue=v1.Queue(name="q"), update_mask=FieldMask(paths=["counters"]))
    ),
}


def first(at: Endpoint) -> str:
    return at.jobs.List(v1.ListRequest(page_size=1)).jobs[0].id


@pytest.mark.parametrize("name", OTHERS)
def test_requests_that_can_not_be(at: Endpoint, name: str) -> None:
    refused = refusal(lambda: OTHERS[name](at))
    assert refused[:3] == (INVALID, "INVALID_ARGUMENT", {"BadRequest"})
    # Whatever is wrong in however many places fits into trailing metadata.
    assert len(refused.status.SerializeToString()) < 4096


@pytest.mark.parametrize(
    "call",
    [
        lambda at: at.jobs.Submit(submit(payload=v1.Payload(data=b"x" * 10 * MIB))),
        lambda at: at.jobs.SubmitBatch(
            v1.SubmitBatchRequest(requests=[submit(payload=v1.Payload(data=b"x" * MIB))] * 17)
        ),
    ],
    ids=["a payload of 10 MiB", "a batch of 17 MiB"],
)
def test_what_is_too_large(at: Endpoint, call: Callable[[Endpoint], object]) -> None:
    assert refusal(lambda: call(at))[:3] == (EXHAUSTED, "TOO_LARGE", {"RetryInfo", "QuotaFailure"})


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_that_is_too_large_for_grpc_is_refused_by_it(at: Endpoint, compression: grpc.Compression) -> None:
    request = submit(payload=v1.Payload(data=bytes(40 * MIB)))
    assert failure(lambda: at.jobs.Submit(request, compression=compression)).code() == EXHAUSTED


def tokens(at: Endpoint) -> dict[str, v1.ListRequest]:
    page = at.jobs.List(v1.ListRequest(page_size=1))
    token = page.next_page_token
    queues = at.queues.ListQueues(v1.ListQueuesRequest(page_size=1))
    forged = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    forged[1] ^= 1
    return {
        "of another filter": v1.ListRequest(page_token=token, filter=v1.JobFilter(kinds=["idle"])),
        "of another order": v1.ListRequest(page_token=token, order_by="create_time"),
        "of another view": v1.ListRequest(page_token=token, view=v1.JOB_VIEW_FULL),
        "of another method": v1.ListRequest(page_token=queues.next_page_token or "AgAA"),
        "of another store": v1.ListRequest(page_token=base64.urlsafe_b64encode(forged).decode().rstrip("=")),
        "a cursor": v1.ListRequest(page_token=page.cursor),
        "cut short": v1.ListRequest(page_token=token[:-1]),
        "longer": v1.ListRequest(page_token=token + "AAAA"),
        "with padding": v1.ListRequest(page_token=token + "="),
        "no base64": v1.ListRequest(page_token="%%%"),
        "huge": v1.ListRequest(page_token="A" * MIB),
    }


@pytest.mark.parametrize(
    "name",
    [
        "of another filter", "of another order", "of another view", "of another method", "of another store", "a cursor",
        "cut short", "longer", "with padding", "no base64", "huge",
    ],
)  # fmt: skip
def test_page_tokens_that_are_none(at: Endpoint, name: str) -> None:
    refused = refusal(lambda: at.jobs.List(tokens(at)[name]))
    assert refused[:3] == (INVALID, "INVALID_ARGUMENT", {"BadRequest"})
    (violation,) = refused.detail(BadRequest).field_violations
    assert violation.field == "page_token"


def test_a_page_of_queues_takes_no_other_token(at: Endpoint) -> None:
    token = at.jobs.List(v1.ListRequest(page_size=1)).next_page_token
    assert refusal(lambda: at.queues.ListQueues(v1.ListQueuesRequest(page_token=token))).code == INVALID
