"""What must hold between jobs that are tied to each other, worked out from all jobs as they are at one revision."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from slotd.v1 import (
    DEPENDENCY_CONDITION_ENDED,
    JOB_STATE_BLOCKED,
    JOB_STATE_FAILED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SCHEDULED,
    JOB_STATE_SUCCEEDED,
    RESOURCE_MODE_SHARED,
    Dependency,
    Job,
    ResourceClaim,
)
from tests.faults.history import TERMINAL, reason

_HOLDING = (JOB_STATE_QUEUED, JOB_STATE_RUNNING)


class Ties:
    """`created` is the revision at which each job was made; nothing runs on from an earlier server."""

    def __init__(self, jobs: Mapping[str, Job], created: Mapping[str, int], slots_per_key: int) -> None:
        self._jobs = jobs
        self._created = created
        self._slots_per_key = slots_per_key

    def check(self) -> None:
        """Raises AssertionError where a job waits for nothing, or does not wait for something."""
        for job in self._jobs.values():
            if job.state not in TERMINAL:
                self._check_dependencies(job)
            if job.state == JOB_STATE_BLOCKED:
                assert job.blocked_by, f"BLOCKED, and nobody says why: {job}"
                for name in job.blocked_by:
                    self._check_block(job, name)
            if job.state == JOB_STATE_FAILED and reason(job) == "DEPENDENCY_FAILED":
                names = [_target(one) for one in job.spec.depends_on]
                assert any(name in job.error.message for name in names), f"it blames another: {job}"
        self._check_claims()
        self._check_keys()
        self._check_unique_keys()

    def _check_dependencies(self, job: Job) -> None:
        for one in job.spec.depends_on:
            if one.group or one.condition == DEPENDENCY_CONDITION_ENDED:
                # These may have been met once, and look otherwise now: by a retry, or a job that has joined the group.
                continue
            other = self._jobs.get(one.job_id)
            assert other is not None, f"{job.id} depends on what is gone: {one}"
            failed = other.state in TERMINAL and other.state != JOB_STATE_SUCCEEDED
            assert one.wait_for_retry or not failed, f"{other.id} has failed, and {job.id} has not"
            waits = job.state == JOB_STATE_SCHEDULED or _target(one) in job.blocked_by
            assert waits or other.state == JOB_STATE_SUCCEEDED, f"{job.id} did not wait for {other.id}"

    def _check_block(self, job: Job, name: str) -> None:
        kind, _, rest = name.partition("/")
        if kind in ("jobs", "groups"):
            (edge,) = [one for one in job.spec.depends_on if _target(one) == name]
            others = [one for one in self._jobs.values() if (one.id if kind == "jobs" else one.spec.group) == rest]
            left = [one for one in others if one.state not in TERMINAL]
            failed = [one for one in others if one.state != JOB_STATE_SUCCEEDED]
            assert left or (edge.wait_for_retry and failed), (
                f"{job.id} is BLOCKED on {name}, which has ended or is gone"
            )
        elif kind == "keys":
            assert rest == job.spec.concurrency_key
            assert self._with_key(job) >= self._slots_per_key, f"{job.id} waits for a slot of its key that is free"
        else:
            assert kind == "resources", f"{job.id} is BLOCKED on {name}, and nothing runs"
            mine = [claim for claim in job.spec.resources if claim.name == rest]
            assert any(_conflict(mine, other) for other in self._ahead(job)), f"nobody holds {name}, and {job.id} waits"

    def _ahead(self, job: Job) -> Iterator[Job]:
        for other in self._jobs.values():
            earlier = _in_line(other) and self._created[other.id] < self._created[job.id]
            if other.id != job.id and (other.state in _HOLDING or earlier):
                yield other

    def _check_claims(self) -> None:
        holders = [job for job in self._jobs.values() if job.state in _HOLDING and job.spec.resources]
        for one, other in combinations(holders, 2):
            assert not _conflict(one.spec.resources, other), f"{one.id} and {other.id} hold what only one may"

    def _check_keys(self) -> None:
        for job in self._jobs.values():
            if job.spec.concurrency_key and job.state in _HOLDING:
                assert self._with_key(job) <= self._slots_per_key, f"too many of key {job.spec.concurrency_key}"

    def _check_unique_keys(self) -> None:
        keys = [job.spec.unique_key for job in self._jobs.values() if job.state not in TERMINAL and job.spec.unique_key]
        assert len(keys) == len(set(keys)), f"two that have not ended have one unique key: {sorted(keys)}"

    def _with_key(self, job: Job) -> int:
        """How many of its key are past the gate for keys."""
        return sum(
            (other.state in _HOLDING or _in_line(other))
            and (other.spec.queue, other.spec.concurrency_key) == (job.spec.queue, job.spec.concurrency_key)
            for other in self._jobs.values()
        )


def _target(dependency: Dependency) -> str:
    return f"groups/{dependency.group}" if dependency.group else f"jobs/{dependency.job_id}"


def _in_line(job: Job) -> bool:
    """Whether it waits for its claims."""
    return job.state == JOB_STATE_BLOCKED and job.blocked_by[0].startswith("resources/")


def _conflict(mine: Iterable[ResourceClaim], other: Job) -> bool:
    return any(
        not one.mode == two.mode == RESOURCE_MODE_SHARED
        for one in mine
        for two in other.spec.resources
        if _covers(one.name, two.name) or _covers(two.name, one.name)
    )


def _covers(wide: str, name: str) -> bool:
    return wide in ("*", name) or (wide.endswith("/*") and name.startswith(wide[:-1]))
