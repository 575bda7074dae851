"""What the service refuses, as exceptions."""

from __future__ import annotations

import pickle
from datetime import timedelta

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

import slotd
from tests.client.scripted import CURSOR_EXPIRED, NOT_CONNECTED, FakeService, Refusal, background, refusal


def refused(error: Refusal) -> slotd.Error:
    """What `get` raises when the service answers so."""
    service = FakeService()
    result = background(lambda: service.client.get("a"))
    service.refuse("Get", error)
    raised = result.exception(10)
    assert isinstance(raised, slotd.Error)
    assert isinstance(raised.__cause__, grpc.RpcError)
    return raised


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.CANCELLED, slotd.Cancelled),
        (grpc.StatusCode.UNKNOWN, slotd.Unknown),
        (grpc.StatusCode.INVALID_ARGUMENT, slotd.InvalidArgument),
        (grpc.StatusCode.DEADLINE_EXCEEDED, slotd.DeadlineExceeded),
        (grpc.StatusCode.NOT_FOUND, slotd.NotFound),
        (grpc.StatusCode.ALREADY_EXISTS, slotd.AlreadyExists),
        (grpc.StatusCode.PERMISSION_DENIED, slotd.PermissionDenied),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, slotd.ResourceExhausted),
        (grpc.StatusCode.FAILED_PRECONDITION, slotd.FailedPrecondition),
        (grpc.StatusCode.ABORTED, slotd.Aborted),
        (grpc.StatusCode.OUT_OF_RANGE, slotd.OutOfRange),
        (grpc.StatusCode.UNIMPLEMENTED, slotd.Unimplemented),
        (grpc.StatusCode.INTERNAL, slotd.Internal),
        (grpc.StatusCode.UNAVAILABLE, slotd.Unavailable),
        (grpc.StatusCode.DATA_LOSS, slotd.DataLoss),
        (grpc.StatusCode.UNAUTHENTICATED, slotd.Unauthenticated),
    ],
)
def test_each_code_has_its_exception(code: grpc.StatusCode, kind: type[slotd.Error]) -> None:
    raised = refused(Refusal(code, "words"))
    assert type(raised) is kind
    assert (raised.code, raised.message, raised.reason, raised.metadata, raised.details) == (code, "words", "", {}, ())
    assert str(raised) == f"words ({code.name})"
    assert raised.retry_after is None


def test_reason_metadata_and_details() -> None:
    resource = error_details_pb2.ResourceInfo(resource_type="job", resource_name="a")
    raised = refused(
        refusal(grpc.StatusCode.NOT_FOUND, "no job a", resource, reason="JOB_NOT_FOUND", metadata={"job_id": "a"})
    )
    assert isinstance(raised, slotd.NotFound)
    assert raised.reason == "JOB_NOT_FOUND"
    assert raised.metadata == {"job_id": "a"}
    assert raised.detail(error_details_pb2.ResourceInfo) == resource
    assert raised.detail(error_details_pb2.Help) is None
    assert raised.resource_name == "a"
    assert str(raised) == "no job a (JOB_NOT_FOUND)"


def test_field_violations() -> None:
    violation = error_details_pb2.BadRequest.FieldViolation
    details = error_details_pb2.BadRequest(
        field_violations=[
            violation(field="spec.kind", description="is unknown"),
            violation(field="spec.queue", description="is long"),
            violation(field="spec.queue", description="is odd"),
        ]
    )
    raised = refused(refusal(grpc.StatusCode.INVALID_ARGUMENT, "bad", details, reason="INVALID"))
    assert isinstance(raised, slotd.InvalidArgument)
    assert raised.field_violations == {"spec.kind": "is unknown", "spec.queue": "is long; is odd"}
    assert slotd.InvalidArgument("bad").field_violations == {}


def test_quota_and_precondition() -> None:
    quota = error_details_pb2.QuotaFailure(
        violations=[error_details_pb2.QuotaFailure.Violation(subject="queues/q", description="8 of 8 wait")]
    )
    retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))
    raised = refused(refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", quota, retry, reason="QUEUE_FULL"))
    assert isinstance(raised, slotd.ResourceExhausted)
    assert raised.quota_violations == {"queues/q": "8 of 8 wait"}
    assert raised.retry_after == timedelta(seconds=1.5).total_seconds()
    state = error_details_pb2.PreconditionFailure(
        violations=[error_details_pb2.PreconditionFailure.Violation(type="STATE", subject="a", description="RUNNING")]
    )
    stuck = refused(refusal(grpc.StatusCode.FAILED_PRECONDITION, "runs", state, reason="NOT_TERMINAL"))
    assert isinstance(stuck, slotd.FailedPrecondition)
    assert stuck.violations == {"a": "RUNNING"}


@pytest.mark.parametrize(
    "error",
    [
        refusal(grpc.StatusCode.ALREADY_EXISTS, reason="REQUEST_ID_USED", metadata={"job_id": "a"}),
        refusal(grpc.StatusCode.ALREADY_EXISTS, "no", error_details_pb2.ResourceInfo(resource_name="a"), reason="X"),
        refusal(grpc.StatusCode.ALREADY_EXISTS, "no", error_details_pb2.ResourceInfo(resource_name="jobs/a")),
    ],
)
def test_already_exists_names_the_first_job(error: Refusal) -> None:
    raised = refused(error)
    assert isinstance(raised, slotd.AlreadyExists)
    assert raised.job_id == "a"


@pytest.mark.parametrize(
    ("code", "reason", "kind", "base"),
    [
        (grpc.StatusCode.ALREADY_EXISTS, "UNIQUE_KEY_TAKEN", slotd.UniqueKeyTaken, slotd.AlreadyExists),
        (grpc.StatusCode.ALREADY_EXISTS, "SCHEDULE_EXISTS", slotd.ScheduleExists, slotd.AlreadyExists),
        (grpc.StatusCode.ABORTED, "REVISION_MISMATCH", slotd.RevisionMismatch, slotd.Aborted),
        (grpc.StatusCode.FAILED_PRECONDITION, "AWAITED", slotd.Awaited, slotd.FailedPrecondition),
        (grpc.StatusCode.FAILED_PRECONDITION, "DEPENDENCY_FAILED", slotd.DependencyFailed, slotd.FailedPrecondition),
        (grpc.StatusCode.FAILED_PRECONDITION, "SCHEDULE_OVERLAP", slotd.ScheduleOverlap, slotd.FailedPrecondition),
        (grpc.StatusCode.INVALID_ARGUMENT, "DEPENDENCY_CYCLE", slotd.DependencyCycle, slotd.InvalidArgument),
    ],
)
def test_some_reasons_have_an_exception_of_their_own(
    code: grpc.StatusCode, reason: str, kind: type[slotd.Error], base: type[slotd.Error]
) -> None:
    raised = refused(refusal(code, "words", reason=reason))
    assert type(raised) is kind
    assert isinstance(raised, base)
    assert (raised.code, raised.reason) == (code, reason)
    # The code says what a caller may do; a reason that does not go with it changes nothing of that.
    assert type(refused(refusal(grpc.StatusCode.INTERNAL, "words", reason=reason))) is slotd.Internal


@pytest.mark.parametrize("reason", ["JOB_NOT_FOUND", "QUEUE_NOT_FOUND", "GROUP_NOT_FOUND", "SCHEDULE_NOT_FOUND"])
def test_not_found_says_what_by_its_reason(reason: str) -> None:
    raised = refused(refusal(grpc.StatusCode.NOT_FOUND, "no such thing", reason=reason))
    assert type(raised) is slotd.NotFound
    assert raised.reason == reason


def test_a_schedule_that_exists_is_no_job() -> None:
    info = error_details_pb2.ResourceInfo(resource_type="schedule", resource_name="nightly")
    raised = refused(refusal(grpc.StatusCode.ALREADY_EXISTS, "there is one", info, reason="SCHEDULE_EXISTS"))
    assert isinstance(raised, slotd.ScheduleExists)
    assert raised.job_id == ""


def test_an_expired_cursor_is_its_own_kind() -> None:
    raised = refused(CURSOR_EXPIRED)
    assert type(raised) is slotd.CursorExpired
    assert isinstance(raised, slotd.OutOfRange)
    other = refused(refusal(grpc.StatusCode.OUT_OF_RANGE, reason="OFFSET_OUT_OF_RANGE"))
    assert type(other) is slotd.OutOfRange


def test_no_service_there_says_where() -> None:
    raised = refused(NOT_CONNECTED)
    assert isinstance(raised, slotd.Unavailable)
    assert not raised.connected
    assert raised.message == "no service at service:1"
    away = refused(refusal(grpc.StatusCode.UNAVAILABLE, "draining", reason="DRAINING"))
    assert isinstance(away, slotd.Unavailable)
    assert away.connected
    assert away.message == "draining"


def test_details_of_unknown_types_stay_packed_and_mangled_ones_do_no_harm() -> None:
    unknown = Packed(type_url="type.googleapis.com/some.Other", value=b"x")
    mangled = Packed(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")
    status = status_pb2.Status(details=[unknown, mangled])
    raised = refused(
        Refusal(grpc.StatusCode.INTERNAL, "odd", (("grpc-status-details-bin", status.SerializeToString()),))
    )
    assert raised.details == (unknown, mangled)
    assert raised.reason == ""
    broken = refused(Refusal(grpc.StatusCode.INTERNAL, "odd", (("grpc-status-details-bin", b"\xff"),)))
    assert broken.details == ()


def test_an_error_survives_pickling() -> None:
    raised = refused(refusal(grpc.StatusCode.NOT_FOUND, "no job", reason="JOB_NOT_FOUND"))
    again = pickle.loads(pickle.dumps(raised))
    assert type(again) is slotd.NotFound
    assert (again.message, again.reason, again.code) == ("no job", "JOB_NOT_FOUND", grpc.StatusCode.NOT_FOUND)
