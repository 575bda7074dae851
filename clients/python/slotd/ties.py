"""What ties a job to others: which job is meant, what it claims, and what it depends on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from slotd.enums import enum_value
from slotd.v1 import job_pb2

# A job: its id, or the message.
JobRef: TypeAlias = str | job_pb2.Job
# A claim: the resource's name alone is an exclusive one.
Resource: TypeAlias = str | job_pb2.ResourceClaim
# What has to end first: a job, its id, its ref in the same batch, or the whole message.
DependsOn: TypeAlias = JobRef | job_pb2.Dependency
# What to do when a unique key is taken: the enum's value, or its name with or without the prefix, in any case.
Conflict: TypeAlias = job_pb2.UniqueConflict.ValueType | str

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def job_id(job: JobRef) -> str:
    """The id of a job. Raises ValueError for an empty one."""
    found = job if isinstance(job, str) else job.id
    if not found:
        raise ValueError("a job's id is empty")
    return found


def exclusive(name: str) -> job_pb2.ResourceClaim:
    """A claim that is held alone. A final `/*` claims all below the name, `*` everything."""
    return job_pb2.ResourceClaim(name=name, mode=job_pb2.RESOURCE_MODE_EXCLUSIVE)


def shared(name: str) -> job_pb2.ResourceClaim:
    """A claim that is held together with other shared ones. A final `/*` claims all below the name, `*` everything."""
    return job_pb2.ResourceClaim(name=name, mode=job_pb2.RESOURCE_MODE_SHARED)


def after(job: JobRef, *, ended: bool = False, wait_for_retry: bool = False) -> job_pb2.Dependency:
    """A dependency on a job: a message, an id, or the ref of another job in the same batch.

    Text in the form of a UUID is an id, any other a ref.

    Args:
        job: what has to succeed first.
        ended: it is enough that it ends, however.
        wait_for_retry: go on waiting where it fails; else this job fails too, with reason DEPENDENCY_FAILED.

    Raises ValueError for an empty id.
    """
    target = job_id(job)
    condition = _condition(ended)
    if isinstance(job, str) and not _UUID.fullmatch(job):
        return job_pb2.Dependency(ref=target, condition=condition, wait_for_retry=wait_for_retry)
    return job_pb2.Dependency(job_id=target, condition=condition, wait_for_retry=wait_for_retry)


def after_group(name: str, *, ended: bool = False, wait_for_retry: bool = False) -> job_pb2.Dependency:
    """A dependency on all jobs of a group, which has some or gets some in the same batch; otherwise as `after`."""
    return job_pb2.Dependency(group=name, condition=_condition(ended), wait_for_retry=wait_for_retry)


def claims(resources: Iterable[Resource] | Resource) -> Sequence[job_pb2.ResourceClaim]:
    """One claim or several as messages."""
    each = [resources] if isinstance(resources, (str, job_pb2.ResourceClaim)) else resources
    return [exclusive(one) if isinstance(one, str) else one for one in each]


def dependencies(depends_on: Iterable[DependsOn] | DependsOn) -> Sequence[job_pb2.Dependency]:
    """One dependency or several as messages. Raises ValueError for an empty id."""
    each = [depends_on] if isinstance(depends_on, (str, job_pb2.Job, job_pb2.Dependency)) else depends_on
    return [one if isinstance(one, job_pb2.Dependency) else after(one) for one in each]


def conflict_policy(conflict: Conflict) -> job_pb2.UniqueConflict.ValueType:
    """By value or name: `refuse`, `REFUSE` and `UNIQUE_CONFLICT_REFUSE` are the same. Raises ValueError."""
    return enum_value(job_pb2.UniqueConflict, "UNIQUE_CONFLICT_", "unique_conflict", conflict)


def _condition(ended: bool) -> job_pb2.DependencyCondition.ValueType:
    return job_pb2.DEPENDENCY_CONDITION_ENDED if ended else job_pb2.DEPENDENCY_CONDITION_SUCCEEDED
