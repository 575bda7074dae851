"""Jobs as a lifecycle would record them."""

from collections.abc import Callable
from typing import Any

from slotd_server.domain import moves
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import Failure, Job
from slotd_server.domain.queue import BUILT_IN, Count, Draft
from slotd_server.domain.states import State
from slotd_server.domain.ties import Ties
from slotd_server.store.base import Store, Transaction

NOW = 1_700_000_000_000_000
WHY = Failure("HANDLER_ERROR", "it broke — ü")
OpenStore = Callable[[], Store]


def new(tx: Transaction, kind: str = "work", queue: str = "default", **fields: Any) -> Job:
    """A job as it is first recorded; `fields` are those of Job, of Ties, and labels, payload and priority."""
    labels = fields.pop("labels", ())
    payload = fields.pop("payload", None)
    ties = Ties(**{name: fields.pop(name) for name in Ties._fields if name in fields})
    draft = Draft(kind, payload, labels, ties=None if ties == Ties() else ties)
    spec = draft.resolve(BUILT_IN._replace(queue=queue, priority=fields.pop("priority", 0)))
    revision = tx.next_revision()
    job = Job(revision, f"job-{revision}", spec, State.QUEUED, revision, NOW).evolve(**fields)
    tx.record(Event(revision, EventType.CREATED, job, None, NOW))
    tx.count(queue, kind, [(Count.SUBMITTED, 1), (job.state - 1, 1)])
    return job


def change(tx: Transaction, before: Job, after: Job, kind: EventType = EventType.CHANGED, minor: bool = False) -> Job:
    job = after.evolve(revision=tx.next_revision())
    tx.record(Event(job.revision, kind, job, before.state, NOW, minor, before.revision))
    tx.count(job.spec.queue, job.spec.kind, [(before.state - 1, -1), (job.state - 1, 1)])
    return job


def start(tx: Transaction, store: Store, job: Job) -> Job:
    return change(tx, job, moves.start(job, NOW, store.owner))


def fail(tx: Transaction, job: Job) -> Job:
    over = moves.leave(job, NOW, WHY)
    return change(tx, job, moves.end(over, NOW, State.FAILED, WHY, None, None))


def stored(store: Store, job_filter: JobFilter = EVERYTHING, **options: Any) -> list[Job]:
    with store.snapshot() as snapshot:
        return snapshot.jobs(job_filter, 1000, **options)
