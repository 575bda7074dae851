"""Claims, dependencies, groups and keys in a spec."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

import slotd
from slotd.v1 import job_pb2

ID = "01980000-0000-7000-8000-000000000001"
Claim = job_pb2.ResourceClaim
Dependency = job_pb2.Dependency

SUCCEEDED = job_pb2.DEPENDENCY_CONDITION_SUCCEEDED
ENDED = job_pb2.DEPENDENCY_CONDITION_ENDED


def test_a_name_is_an_exclusive_claim() -> None:
    room = Claim(name="room", mode=job_pb2.RESOURCE_MODE_EXCLUSIVE)
    assert slotd.exclusive("room") == room
    assert list(slotd.spec("echo", resources="room").resources) == [room]
    assert list(slotd.spec("echo", resources=["room", slotd.shared("repo/*")]).resources) == [
        room,
        Claim(name="repo/*", mode=job_pb2.RESOURCE_MODE_SHARED),
    ]
    assert list(slotd.spec("echo", resources=room).resources) == [room]
    assert list(slotd.spec("echo", resources=[]).resources) == []


@pytest.mark.parametrize(
    ("depends_on", "expected"),
    [
        (ID, Dependency(job_id=ID, condition=SUCCEEDED)),
        (ID.upper().replace("8000", "ABCD"), Dependency(job_id=ID.replace("8000", "ABCD"), condition=SUCCEEDED)),
        (job_pb2.Job(id="any"), Dependency(job_id="any", condition=SUCCEEDED)),
        ("cut", Dependency(ref="cut", condition=SUCCEEDED)),
        (ID + "0", Dependency(ref=ID + "0", condition=SUCCEEDED)),
        (slotd.after("cut", ended=True), Dependency(ref="cut", condition=ENDED)),
        (
            slotd.after(job_pb2.Job(id="a"), wait_for_retry=True),
            Dependency(job_id="a", condition=SUCCEEDED, wait_for_retry=True),
        ),
        (slotd.after_group("g"), Dependency(group="g", condition=SUCCEEDED)),
        (
            slotd.after_group("g", ended=True, wait_for_retry=True),
            Dependency(group="g", condition=ENDED, wait_for_retry=True),
        ),
        (Dependency(ref=ID), Dependency(ref=ID)),
    ],
)
def test_what_a_job_may_depend_on(depends_on: str | job_pb2.Job | Dependency, expected: Dependency) -> None:
    assert list(slotd.spec("echo", depends_on=depends_on).depends_on) == [expected]
    assert list(slotd.spec("echo", depends_on=(depends_on, "more")).depends_on)[:1] == [expected]


@pytest.mark.parametrize("nobody", ["", job_pb2.Job()])
def test_a_dependency_on_nobody_is_refused(nobody: str | job_pb2.Job) -> None:
    with pytest.raises(ValueError, match="id is empty"):
        slotd.spec("echo", depends_on=nobody)


def test_group_and_keys() -> None:
    made = slotd.spec(
        "echo", group="g", concurrency_key="tenant", unique_key="u", unique_period=60, unique_conflict="refuse"
    )
    assert made == job_pb2.JobSpec(
        kind="echo",
        group="g",
        concurrency_key="tenant",
        unique_key="u",
        unique_period=Duration(seconds=60),
        unique_conflict=job_pb2.UNIQUE_CONFLICT_REFUSE,
    )


@pytest.mark.parametrize("conflict", ["replace", "REPLACE", "UNIQUE_CONFLICT_REPLACE", job_pb2.UNIQUE_CONFLICT_REPLACE])
def test_a_conflict_by_value_or_name(conflict: str | job_pb2.UniqueConflict.ValueType) -> None:
    assert slotd.spec("echo", unique_conflict=conflict).unique_conflict == job_pb2.UNIQUE_CONFLICT_REPLACE


def test_a_conflict_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no such unique_conflict: 'win'; there are RETURN_EXISTING, REFUSE, REPLACE"):
        slotd.spec("echo", unique_conflict="win")
