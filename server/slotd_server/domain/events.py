"""What happened to a job, and which jobs somebody asks for."""

from enum import IntEnum
from typing import NamedTuple

from slotd_server.domain.job import Job
from slotd_server.domain.states import State


class EventType(IntEnum):
    """Numbered as in `slotd.v1.EventType`."""

    SNAPSHOT = 1
    CREATED = 2
    CHANGED = 3
    DELETED = 4
    LEFT_FILTER = 5


SNAPSHOT, CREATED, CHANGED, DELETED, LEFT_FILTER = EventType
"""As with the states: for what every job goes through."""


class Event(NamedTuple):
    """One committed change of one job. Revisions have no gaps: each event has one of its own.

    `job` is the copy taken with the change; `minor` says that only progress or output moved. `last` is the revision of
    the job's event before, 0 where there is none.
    """

    revision: int
    type: EventType
    job: Job
    previous_state: State | None
    time: int
    minor: bool = False
    last: int = 0


class JobFilter(NamedTuple):
    """Which jobs: every field that is not empty must match; within one any value will do, but of labels all.
    `depends_on` are the ids of jobs that it itself depends on."""

    job_ids: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset()
    labels: frozenset[tuple[str, str]] = frozenset()
    groups: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    depends_on: frozenset[str] = frozenset()

    def matches(self, job: Job, state: State | None = None) -> bool:
        """Whether `job` matches, as if it were in `state` where one is given."""
        return (
            (not self.job_ids or job.id in self.job_ids)
            and (not self.queues or job.spec.queue in self.queues)
            and (not self.kinds or job.spec.kind in self.kinds)
            and (not self.states or (job.state if state is None else state) in self.states)
            and (not self.labels or self.labels.issubset(job.spec.labels))
            and (not self.groups or (job.spec.ties is not None and job.spec.ties.group in self.groups))
            and (not self.schedules or (job.spec.ties is not None and job.spec.ties.schedule in self.schedules))
            and (not self.depends_on or any(edge.job_id in self.depends_on for edge in job.edges.values()))
        )

    def view(self, event: Event) -> Event | None:
        """`event` as one who asks with this filter sees it: itself, LEFT_FILTER, or nothing."""
        if self.matches(event.job):
            return event
        if event.previous_state is None or not self.matches(_before(event), event.previous_state):
            return None
        if event.type is EventType.DELETED:
            return event
        return event._replace(type=EventType.LEFT_FILTER)


def _before(event: Event) -> Job:
    """The job as a filter would have found it before the event, but for its state: Update changes more than that."""
    changed = event.job.links.changed
    if changed is None or changed.revision != event.revision:
        return event.job
    spec = event.job.spec._replace(queue=changed.queue_before, labels=changed.labels_before)
    return event.job.evolve(spec=spec)


EVERYTHING = JobFilter()
