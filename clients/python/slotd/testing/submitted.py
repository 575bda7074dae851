"""Assertions on what was submitted."""

from collections.abc import Mapping
from typing import Any, Protocol

from slotd.client import Client
from slotd.testing.described import described, listed, payload_of
from slotd.v1 import JOB_VIEW_FULL, Job


class HasClient(Protocol):
    """A `slotd.testing.Service`, or anything else with a client."""

    @property
    def client(self) -> Client: ...


class _Anything:
    def __repr__(self) -> str:
        return "anything"


ANYTHING: Any = _Anything()
"""Any payload at all."""


def assert_submitted(
    service: HasClient | Client,
    kind: str,
    *,
    payload: object = ANYTHING,
    queue: str | None = None,
    labels: Mapping[str, str] | None = None,
    count: int | None = None,
) -> list[Job]:
    """Asserts that jobs like this were submitted, and returns them, the oldest first. Deleted ones don't count.

    Args:
        service: where.
        kind: of the jobs.
        payload: what it decodes to; a function is asked whether it is right, `unittest.mock.ANY` and its like work too.
        queue: the one in which they are.
        labels: which they have, among others.
        count: how many there are; without, at least one.

    Raises AssertionError, which tells what was submitted instead.
    """
    __tracebackhide__ = True
    jobs = _all(service)
    found = [job for job in jobs if _matches(job, kind, payload, queue, labels)]
    if found if count is None else len(found) == count:
        return found
    number = "no job" if not found else f"{len(found)} job{'s' if len(found) > 1 else ''}"
    wanted = "" if count is None else f", not {count}"
    heading = f"{number} like {_wish(kind, payload, queue, labels)} submitted{wanted}; there were"
    raise AssertionError(listed(heading, map(described, jobs)))


def assert_not_submitted(
    service: HasClient | Client,
    kind: str,
    *,
    payload: object = ANYTHING,
    queue: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Asserts that no jobs like this were submitted; the arguments are those of `assert_submitted`."""
    __tracebackhide__ = True
    assert_submitted(service, kind, payload=payload, queue=queue, labels=labels, count=0)


def _all(service: HasClient | Client) -> list[Job]:
    client = service if isinstance(service, Client) else service.client
    return list(client.list(view=JOB_VIEW_FULL, order_by="create_time", page_size=1000))


def _matches(job: Job, kind: str, payload: object, queue: str | None, labels: Mapping[str, str] | None) -> bool:
    return (
        job.spec.kind == kind
        and queue in (None, job.spec.queue)
        and (labels or {}).items() <= job.spec.labels.items()
        and (payload is ANYTHING or _right(payload, payload_of(job)))
    )


def _right(wanted: object, payload: object) -> bool:
    return bool(wanted(payload) if callable(wanted) else wanted == payload)


def _wish(kind: str, payload: object, queue: str | None, labels: Mapping[str, str] | None) -> str:
    where = f" in {queue}" if queue else ""
    return f"{kind}({payload!r}){where}{f' {dict(labels)}' if labels else ''}"
