"""The error table: each exception's code, reason and details, and what does not reach the wire."""

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import capture_logs

from slotd_server.domain import errors as domain
from slotd_server.rpc import errors
from tests.unit.rpc.samples import JOB_ID

KINDS: tuple[type[Message], ...] = (
    error_details_pb2.BadRequest,
    error_details_pb2.ErrorInfo,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.QuotaFailure,
    error_details_pb2.ResourceInfo,
    error_details_pb2.RetryInfo,
)


def unpacked(wire: errors.Wire) -> dict[str, Message]:
    """The details by the name of their type."""
    status = status_pb2.Status.FromString(wire.details)
    assert status.code == wire.code.value[0]
    assert status.message == wire.message
    found: dict[str, Message] = {}
    for packed in status.details:
        kind = next(kind for kind in KINDS if packed.type_url.endswith(f"/{kind.DESCRIPTOR.full_name}"))
        found[kind.DESCRIPTOR.name] = kind.FromString(packed.value)
    return found


def info(wire: errors.Wire) -> error_details_pb2.ErrorInfo:
    found = unpacked(wire)["ErrorInfo"]
    assert isinstance(found, error_details_pb2.ErrorInfo)
    assert found.domain == "slotd"
    return found


OTHER_ID = JOB_ID.replace("0", "9")

RETRY = {"RetryInfo"}
QUOTA = {"RetryInfo", "QuotaFailure"}

TABLE: list[tuple[Exception, str, str, set[str], dict[str, str]]] = [
    (domain.InvalidArgument(("id", "is required")), "INVALID_ARGUMENT", "INVALID_ARGUMENT", {"BadRequest"}, {}),
    (
        domain.InvalidArgument(("spec.kind", "unknown"), reason="UNKNOWN_KIND"),
        "INVALID_ARGUMENT",
        "UNKNOWN_KIND",
        {"BadRequest"},
        {},
    ),
    (domain.NotFound("job", JOB_ID), "NOT_FOUND", "JOB_NOT_FOUND", {"ResourceInfo"}, {}),
    (domain.NotFound("queue", "mail"), "NOT_FOUND", "QUEUE_NOT_FOUND", {"ResourceInfo"}, {}),
    (domain.NotFound("worker", "w1"), "NOT_FOUND", "WORKER_NOT_FOUND", {"ResourceInfo"}, {}),
    (domain.WorkerReplaced(), "ABORTED", "WORKER_REPLACED", set(), {}),
    (domain.WorkerSilent(), "UNAVAILABLE", "WORKER_SILENT", {"RetryInfo"}, {}),
    (
        domain.WorkerElsewhere("w1", "10.0.0.7:7433"),
        "FAILED_PRECONDITION",
        "WORKER_ELSEWHERE",
        {"PreconditionFailure"},
        {},
    ),
    (
        domain.RequestIdReused("r", JOB_ID),
        "ALREADY_EXISTS",
        "REQUEST_ID_REUSED",
        {"ResourceInfo"},
        {"job_id": JOB_ID},
    ),
    (
        domain.WrongState(JOB_ID, "RUNNING", "a terminal job"),
        "FAILED_PRECONDITION",
        "WRONG_STATE",
        {"PreconditionFailure"},
        {"job_id": JOB_ID, "state": "RUNNING"},
    ),
    (domain.QueueFull("mail", 5), "RESOURCE_EXHAUSTED", "QUEUE_FULL", QUOTA, {"queue": "mail"}),
    (
        domain.TooLarge("spec.payload.data", 9, 5),
        "RESOURCE_EXHAUSTED",
        "TOO_LARGE",
        QUOTA,
        {"field": "spec.payload.data"},
    ),
    (domain.TooManyStreams(5), "RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS", QUOTA, {}),
    (domain.StoreFull(), "RESOURCE_EXHAUSTED", "STORE_FULL", QUOTA, {}),
    (domain.StoreUnavailable("/var/secret.db"), "UNAVAILABLE", "STORE_UNAVAILABLE", RETRY, {}),
    (domain.StoreBroken("/var/secret.db"), "UNAVAILABLE", "STORE_UNAVAILABLE", RETRY, {}),
    (domain.Draining(), "UNAVAILABLE", "DRAINING", RETRY, {}),
    (domain.CursorExpired(), "OUT_OF_RANGE", "CURSOR_EXPIRED", set(), {}),
    (domain.CursorAhead(), "OUT_OF_RANGE", "CURSOR_AHEAD", set(), {}),
    (domain.OffsetOutOfRange(9, 5), "OUT_OF_RANGE", "OFFSET_OUT_OF_RANGE", set(), {}),
    (domain.NotFound("group", "nightly"), "NOT_FOUND", "GROUP_NOT_FOUND", {"ResourceInfo"}, {}),
    (domain.NotFound("schedule", "nightly"), "NOT_FOUND", "SCHEDULE_NOT_FOUND", {"ResourceInfo"}, {}),
    (
        domain.InvalidArgument(("requests[0].spec.depends_on[0].ref", "a → a"), reason="DEPENDENCY_CYCLE"),
        "INVALID_ARGUMENT",
        "DEPENDENCY_CYCLE",
        {"BadRequest"},
        {},
    ),
    (
        domain.UniqueKeyTaken("k", JOB_ID),
        "ALREADY_EXISTS",
        "UNIQUE_KEY_TAKEN",
        {"ResourceInfo"},
        {"job_id": JOB_ID},
    ),
    (domain.RevisionMismatch("job", JOB_ID, 9, 7), "ABORTED", "REVISION_MISMATCH", {"ResourceInfo"}, {}),
    (domain.RevisionMismatch("schedule", "nightly", 9, 7), "ABORTED", "REVISION_MISMATCH", {"ResourceInfo"}, {}),
    (
        domain.Awaited(JOB_ID, OTHER_ID),
        "FAILED_PRECONDITION",
        "AWAITED",
        {"PreconditionFailure"},
        {"job_id": JOB_ID},
    ),
    (
        domain.DependencyFailed(JOB_ID, f"jobs/{OTHER_ID}"),
        "FAILED_PRECONDITION",
        "DEPENDENCY_FAILED",
        {"PreconditionFailure"},
        {"job_id": JOB_ID, "target": f"jobs/{OTHER_ID}"},
    ),
    (
        domain.DependencyCycle(JOB_ID, f"groups/g → jobs/{JOB_ID} → groups/g"),
        "FAILED_PRECONDITION",
        "DEPENDENCY_CYCLE",
        {"PreconditionFailure"},
        {"job_id": JOB_ID},
    ),
    (
        domain.ScheduleExists("nightly"),
        "ALREADY_EXISTS",
        "SCHEDULE_EXISTS",
        {"ResourceInfo"},
        {"schedule": "nightly"},
    ),
    (
        domain.ScheduleOverlap("nightly", JOB_ID),
        "FAILED_PRECONDITION",
        "SCHEDULE_OVERLAP",
        {"PreconditionFailure"},
        {"schedule": "nightly"},
    ),
    (ValueError("/var/secret.db"), "INTERNAL", "INTERNAL", set(), {}),
]


@pytest.mark.parametrize(("error", "code", "reason", "kinds", "metadata"), TABLE)
def test_each_error_has_its_code_and_details(
    error: Exception, code: str, reason: str, kinds: set[str], metadata: dict[str, str]
) -> None:
    wire = errors.status(error)
    assert wire.code is grpc.StatusCode[code]
    assert unpacked(wire).keys() == kinds | {"ErrorInfo"}
    assert info(wire).reason == reason
    assert dict(info(wire).metadata) == metadata
    assert b"secret" not in wire.details
    assert "secret" not in wire.message


def test_every_error_of_a_call_is_in_the_table() -> None:
    tested = {type(error) for error, *_ in TABLE}
    assert set(domain.ServiceError.__subclasses__()) <= tested


def test_details_say_what_is_wrong_where() -> None:
    bad = unpacked(errors.status(domain.InvalidArgument(("a", "x"), ("b[3].c", "y"))))["BadRequest"]
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [(one.field, one.description) for one in bad.field_violations] == [("a", "x"), ("b[3].c", "y")]


def test_half_a_character_that_a_caller_has_sent_is_not_sent_back() -> None:
    wire = errors.status(domain.InvalidArgument(("\ud800", "is no field")))
    assert wire.message == "?: is no field"
    assert info(wire).reason == "INVALID_ARGUMENT"


def test_details_name_the_resource() -> None:
    for error, kind, name in (
        (domain.NotFound("job", JOB_ID), "slotd.v1.Job", JOB_ID),
        (domain.NotFound("queue", "mail"), "slotd.v1.Queue", "mail"),
        (domain.NotFound("group", "nightly"), "slotd.v1.Group", "nightly"),
        (domain.NotFound("schedule", "nightly"), "slotd.v1.Schedule", "nightly"),
        (domain.RequestIdReused("r", JOB_ID), "slotd.v1.Job", JOB_ID),
        (domain.UniqueKeyTaken("k", JOB_ID), "slotd.v1.Job", JOB_ID),
        (domain.RevisionMismatch("job", JOB_ID, 9, 7), "slotd.v1.Job", JOB_ID),
        (domain.RevisionMismatch("schedule", "nightly", 9, 7), "slotd.v1.Schedule", "nightly"),
        (domain.ScheduleExists("nightly"), "slotd.v1.Schedule", "nightly"),
    ):
        resource = unpacked(errors.status(error))["ResourceInfo"]
        assert isinstance(resource, error_details_pb2.ResourceInfo)
        assert (resource.resource_type, resource.resource_name) == (kind, name)


@pytest.mark.parametrize(
    ("error", "kind", "subject"),
    [
        (domain.WrongState(JOB_ID, "RUNNING", "a terminal job"), "JOB_STATE_RUNNING", JOB_ID),
        (domain.WorkerElsewhere("w1", "10.0.0.7:7433"), "WORKER_ELSEWHERE", "w1"),
        (domain.Awaited(JOB_ID, OTHER_ID), "AWAITED", JOB_ID),
        (domain.DependencyCycle(JOB_ID, "groups/g → groups/g"), "DEPENDENCY_CYCLE", JOB_ID),
        (domain.DependencyFailed(JOB_ID, "groups/nightly"), "DEPENDENCY_FAILED", "groups/nightly"),
        (domain.ScheduleOverlap("nightly", JOB_ID), "SCHEDULE_OVERLAP", "nightly"),
    ],
)
def test_details_name_what_stands_in_the_way(error: Exception, kind: str, subject: str) -> None:
    failure = unpacked(errors.status(error))["PreconditionFailure"]
    assert isinstance(failure, error_details_pb2.PreconditionFailure)
    (violation,) = failure.violations
    assert (violation.type, violation.subject) == (kind, subject)
    assert violation.description == str(error)


@pytest.mark.parametrize(
    ("error", "seconds"), [(domain.QueueFull("q", 1), 1), (domain.StoreFull(), 5), (domain.Draining(), 1)]
)
def test_details_say_when_to_try_again(error: Exception, seconds: int) -> None:
    retry = unpacked(errors.status(error))["RetryInfo"]
    assert isinstance(retry, error_details_pb2.RetryInfo)
    assert retry.retry_delay.seconds == seconds


def test_an_unknown_error_is_logged_with_its_stack_and_no_more() -> None:
    def fails(payload: bytes) -> None:
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason") as failed:
        fails("secret"[::-1].encode())
    with capture_logs() as logs:
        wire = errors.status(failed.value)
    (entry,) = logs
    assert (entry["event"], entry["log_level"]) == ("a call failed", "error")
    assert "in fails" in entry["exception"]
    assert "the reason" in entry["exception"]
    assert "terces" not in str(entry)
    assert "reason" not in wire.message


@pytest.mark.parametrize(
    "error",
    [
        domain.InvalidArgument(*((f"field[{number}]", "ü" * 500) for number in range(1000))),
        domain.InvalidArgument(("x" * 100_000, "y" * 100_000)),
        domain.NotFound("queue", "\n" * 100_000),
        domain.RequestIdReused("ü" * 128, JOB_ID),
        domain.QueueFull("€" * 5_000, 5),
        domain.UniqueKeyTaken("€" * 255, JOB_ID),
        domain.DependencyCycle(JOB_ID, " → ".join([f"jobs/{JOB_ID}"] * 17)),
    ],
)
def test_no_error_outgrows_the_metadata(error: Exception) -> None:
    wire = errors.status(error)
    # Percent-encoded text takes three bytes for each byte, base64 four for three; 8 KiB is gRPC's bound.
    assert 3 * len(wire.message.encode()) + len(wire.details) * 4 / 3 < 7 * 1024


def test_violations_that_are_left_out_are_counted() -> None:
    bad = unpacked(errors.status(domain.InvalidArgument(*(("f", "y" * 100),) * 100)))["BadRequest"]
    assert isinstance(bad, error_details_pb2.BadRequest)
    kept = len(bad.field_violations) - 1
    assert 10 < kept < 30
    assert bad.field_violations[-1].description == f"{100 - kept} more violations are left out"
