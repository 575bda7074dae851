"""What is submitted, with its neighbours, its kinds and its limits."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from slotd import v1
from slotd_server.domain.errors import InvalidArgument, TooLarge
from slotd_server.rpc import rules
from slotd_server.rpc.submissions import Submissions

KINDS = {"noop": None, "thumbnail": None, "thumbnails": None}
SUBMISSIONS = Submissions(KINDS, max_payload=100, max_batch=1_000_000)


def request(**spec: Any) -> v1.SubmitRequest:
    return v1.SubmitRequest(spec=v1.JobSpec(**{"kind": "noop"} | spec))


def test_all_that_is_wrong_is_named_at_once() -> None:
    wrong = v1.SubmitRequest(
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
        SUBMISSIONS.check(wrong)
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


def with_payload(size: int) -> v1.SubmitRequest:
    return v1.SubmitRequest(spec=v1.JobSpec(kind="noop", payload=v1.Payload(data=bytes(size))))


def test_where_kinds_may_wait_for_somebody_any_will_do_that_is_a_name() -> None:
    anything = Submissions(None)
    new = request(kind="not-there-yet")
    anything.check(new)
    anything.check_batch(v1.SubmitBatchRequest(requests=[new, new]))
    schedule = v1.Schedule(name="nightly", spec=new.spec, interval=Duration(seconds=60))
    anything.check_schedule(v1.ScheduleServiceCreateRequest(schedule=schedule))
    with pytest.raises(InvalidArgument) as refused:
        anything.check(request(kind="no name!", priority=5_000))
    assert [field for field, _ in refused.value.violations] == ["spec.kind", "spec.priority"]


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
    Submissions(KINDS, max_batch=batch.ByteSize()).check_batch(batch)
    with pytest.raises(TooLarge) as refused:
        Submissions(KINDS, max_batch=batch.ByteSize() - 1).check_batch(batch)
    assert refused.value.subject == "requests"


def in_batch(*requests: v1.SubmitRequest) -> list[str]:
    """The fields that are wrong."""
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))
    return [field for field, _ in refused.value.violations]


def test_a_batch_names_the_request() -> None:
    fine, bad = request(), request(priority=5000)
    assert in_batch(fine, bad, fine, bad) == ["requests[1].spec.priority", "requests[3].spec.priority"]
    unknown = request(kind="xyz")
    assert in_batch(fine, unknown, unknown) == ["requests[1].spec.kind", "requests[2].spec.kind"]
    assert in_batch(v1.SubmitRequest()) == ["requests[0].spec"]


def test_a_batch_is_of_one_mind() -> None:
    def one(request_id: str = "", validate_only: bool = False) -> v1.SubmitRequest:
        return v1.SubmitRequest(spec=v1.JobSpec(kind="noop"), request_id=request_id, validate_only=validate_only)

    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[one("a"), one("b"), one(), one()]))
    assert in_batch(one("a"), one("b"), one("a"), one("a")) == ["requests[2].request_id", "requests[3].request_id"]
    assert in_batch(one(), one(), one("", True)) == ["requests[2].validate_only"]
    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[one("", True), one("", True)]))


def named(ref: str, *awaited: str, group: str = "") -> v1.SubmitRequest:
    """A request of a batch that waits for others, by their refs, or for groups, as `groups/NAME`."""
    depends_on = [
        v1.Dependency(group=name.removeprefix("groups/")) if name.startswith("groups/") else v1.Dependency(ref=name)
        for name in awaited
    ]
    return v1.SubmitRequest(ref=ref, spec=v1.JobSpec(kind="noop", group=group, depends_on=depends_on))


def test_refs_are_for_batches() -> None:
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check(request(depends_on=[v1.Dependency(group="a"), v1.Dependency(ref="a")], priority=5000))
    assert [field for field, _ in refused.value.violations] == ["spec.priority", "spec.depends_on[1].ref"]
    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=[named("a", "b"), named("b")]))
    # A name that nobody uses does no harm.
    SUBMISSIONS.check(named("a"))


def test_refs_name_one_request_each() -> None:
    assert in_batch(named("a"), named(""), named("a"), named("")) == ["requests[2].ref"]
    assert in_batch(named("a", "b"), named("c", "a", "d")) == [
        "requests[0].spec.depends_on[0].ref",
        "requests[1].spec.depends_on[1].ref",
    ]
    assert in_batch(named("a", "b")) == ["requests[0].spec.depends_on[0].ref"]


def test_a_batch_has_so_many_dependencies() -> None:
    def batch(*counts: int) -> v1.SubmitBatchRequest:
        several = [[v1.Dependency(group=f"g{number}") for number in range(count)] for count in counts]
        return v1.SubmitBatchRequest(requests=[request(depends_on=depends_on) for depends_on in several])

    SUBMISSIONS.check_batch(batch(*[1000] * 10))
    assert in_batch(*batch(*[1000] * 10, 1).requests) == ["requests"]


def test_a_schedule_must_fit_too() -> None:
    def create(**spec: Any) -> v1.ScheduleServiceCreateRequest:
        schedule = v1.Schedule(name="nightly", cron="0 3 * * *", spec=request(**spec).spec)
        return v1.ScheduleServiceCreateRequest(schedule=schedule)

    SUBMISSIONS.check_schedule(create(payload=v1.Payload(data=bytes(100))))
    with pytest.raises(TooLarge) as large:
        SUBMISSIONS.check_schedule(create(payload=v1.Payload(data=bytes(101))))
    assert large.value.subject == "schedule.spec.payload.data"
    with pytest.raises(InvalidArgument) as unknown:
        SUBMISSIONS.check_schedule(create(kind="xyz"))
    assert unknown.value.reason == "UNKNOWN_KIND"
    assert [field for field, _ in unknown.value.violations] == ["schedule.spec.kind"]
    # An update without a spec leaves it as it is.
    SUBMISSIONS.check_schedule(v1.ScheduleServiceUpdateRequest(schedule=v1.Schedule(name="nightly", paused=True)))


def test_many_mistakes_are_told_up_to_a_number() -> None:
    assert len(in_batch(*[request(priority=5000)] * 1000)) == rules.MOST_VIOLATIONS
    assert len(in_batch(*[request(kind="xyz")] * 1000)) == rules.MOST_VIOLATIONS
    assert len(in_batch(*[named("a")] * 1000)) == rules.MOST_VIOLATIONS
    strangers = [v1.Dependency(ref=f"r{number}") for number in range(10)]
    assert len(in_batch(*[request(depends_on=strangers)] * 1000)) == rules.MOST_VIOLATIONS
