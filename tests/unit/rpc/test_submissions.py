"""What is submitted, with its neighbours, its kinds and its limits."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

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


CYCLES: list[tuple[list[v1.SubmitRequest], str, str]] = [
    ([named("a", "a")], "requests[0].spec.depends_on[0].ref", "a → a"),
    ([named("a", "b"), named("b", "a")], "requests[0].spec.depends_on[0].ref", "a → b → a"),
    (
        [named("x"), named("c", "x", "a"), named("a", "b"), named("b", "x", "c")],
        "requests[1].spec.depends_on[1].ref",
        "c → a → b → c",
    ),
    ([named("a", "groups/g", group="g")], "requests[0].spec.depends_on[0].group", "a → groups/g → a"),
    (
        [named("a", "groups/other", "groups/g"), named("", "a", group="g")],
        "requests[0].spec.depends_on[1].group",
        "a → groups/g → requests[1] → a",
    ),
    (
        [named("", "groups/h", group="g"), named("", "groups/g", group="h")],
        "requests[0].spec.depends_on[0].group",
        "requests[0] → groups/h → requests[1] → groups/g → requests[0]",
    ),
]


@pytest.mark.parametrize(("requests", "field", "path"), CYCLES, ids=[path for *_, path in CYCLES])
def test_jobs_that_would_wait_for_each_other_are_refused(
    requests: list[v1.SubmitRequest], field: str, path: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))
    assert refused.value.reason == "DEPENDENCY_CYCLE"
    assert refused.value.violations == ((field, f"closes a cycle: {path}"),)


@pytest.mark.parametrize(
    "requests",
    [
        [named("d", "b", "c"), named("b", "a"), named("c", "a"), named("a")],
        [named("a", group="g"), named("b", "a", group="g"), named("", "groups/g", "a")],
        [named("a", "groups/elsewhere", group="g"), named("", "groups/g", group="h")],
    ],
    ids=["a diamond", "a callback", "groups in a row"],
)
def test_jobs_that_wait_without_a_cycle_are_taken(requests: list[v1.SubmitRequest]) -> None:
    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_may_be_as_long_as_a_batch(backwards: bool) -> None:
    chain = [named(f"n{number}", f"n{number + 1}") for number in range(999)]
    requests = [*chain, named("n999")]
    SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests[::-1] if backwards else requests))
    requests = [*chain, named("n999", "n0")]
    with pytest.raises(InvalidArgument) as refused:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests[::-1] if backwards else requests))
    ((_, wrong),) = refused.value.violations
    path = wrong.removeprefix("closes a cycle: ").split(" → ")
    # Told from the first request on, without its middle.
    assert (path[0], path[-1], len(path)) == ("n999" if backwards else "n0",) * 2 + (17,)
    assert path[8] == "(985 more)"


@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 12), max_size=3)), min_size=1, max_size=9))
def test_what_can_be_ordered_is_taken(shape: list[tuple[int, set[int]]]) -> None:
    """Each request is in a group, or in none for 0, and waits for requests by number, or for groups beyond those."""
    names = [*(f"r{number}" for number in range(len(shape))), *(f"groups/g{number}" for number in range(1, 4))]
    requests = [
        named(f"r{number}", *(names[one] for one in awaited if one < len(names)), group=f"g{group}" if group else "")
        for number, (group, awaited) in enumerate(shape)
    ]
    awaited_by = {one.ref: [d.ref or f"groups/{d.group}" for d in one.spec.depends_on] for one in requests}
    for one in requests:
        if one.spec.group:
            awaited_by.setdefault(f"groups/{one.spec.group}", []).append(one.ref)
    try:
        TopologicalSorter(awaited_by).prepare()
    except CycleError:
        with pytest.raises(InvalidArgument) as refused:
            SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))
        assert refused.value.reason == "DEPENDENCY_CYCLE"
        ((_, wrong),) = refused.value.violations
        path = wrong.removeprefix("closes a cycle: ").split(" → ")
        assert path[0] == path[-1]
        assert all(later in awaited_by[earlier] for earlier, later in pairwise(path))
    else:
        SUBMISSIONS.check_batch(v1.SubmitBatchRequest(requests=requests))


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
