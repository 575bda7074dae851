"""One change in the making: how a transaction records a move, ends an attempt, meets what is due and claims what may
run. What the commands ask for is in `requests.py` and `reports.py`, which are written in these terms."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from slotd_server.domain import moves
from slotd_server.domain.commands import Lease
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Failure, Job, Payload
from slotd_server.domain.queue import BUILT_IN, DEFAULT_QUEUE, NOTHING, TOTALS, Count, Defaults, Queue
from slotd_server.domain.states import MOVES, TERMINAL, State
from slotd_server.slots import Ledger
from slotd_server.store.base import Transaction, Wanted

_STEP = 500
"""How many jobs, or events, one transaction handles at most of what is due or to be trimmed."""

_TRIM_SLACK = 500
"""Trimming begins when so many events are too many,"""

_TRIM_INTERVAL = 60 * SECOND
"""and goes by age this often."""


class Limits(NamedTuple):
    """What is kept and for how long: bytes, events, microseconds. `retention` None keeps terminal jobs for ever."""

    retention: int | None = 7 * 86_400 * SECOND
    output: int = 16 << 20
    events: int = 1_000_000
    events_age: int = 7 * 86_400 * SECOND
    request_age: int = 86_400 * SECOND


class Rules(NamedTuple):
    """What every change goes by. `kinds` are those that this server has handlers for, with what the handlers declare;
    `random` yields numbers in [0, 1) for jitter."""

    owner: str
    kinds: Mapping[str, Defaults]
    limits: Limits
    ids: IdSource
    random: Callable[[], float]


class Agenda(NamedTuple):
    """When, by the clock, to look again at what is due (None: nothing is), and at what is too old."""

    due: int | None = 0
    trim: int = 0


class Change:
    """What one transaction has done so far. Where it is not `claiming` it starts nothing."""

    def __init__(
        self, rules: Rules, ledger: Ledger, tx: Transaction, now: int, agenda: Agenda, *, claiming: bool
    ) -> None:
        self.rules = rules
        self.ledger = ledger
        self.tx = tx
        self.now = now
        self.agenda = agenda
        self.claiming = claiming
        self.events: list[Event] = []
        self.started: list[Job] = []
        self.stopping: list[Lease] = []

    def queue(self, name: str) -> Queue:
        return self.tx.queue(name) or Queue(name)

    def defaults(self, kind: str, queue: str | None) -> Defaults:
        """What a job gets where it leaves a field out: the handler's word, then the queue's, then the service's."""
        declared = self.rules.kinds.get(kind, NOTHING)
        name = queue or declared.queue or DEFAULT_QUEUE
        return _layered(declared, self.queue(name).defaults, name)

    def has_room(self, queue: str, more: int = 1) -> bool:
        """Whether `more` jobs may wait in the queue. What already could run does not wait: it is claimed first."""
        limit = self.queue(queue).max_queued
        if limit is None or self.tx.waiting(queue) + more <= limit:
            return True
        self.claim()
        return self.tx.waiting(queue) + more <= limit

    def create(self, job: Job) -> Job:
        """Record a new job."""
        self._count(job, (Count.SUBMITTED, 1), (job.state - 1, 1))
        return self._record(job, EventType.CREATED, None)

    def move(self, before: Job, after: Job) -> Job:
        """Record a transition."""
        # A KeyError here is a move that `domain/states.py` does not know.
        self._count(before, *_MOVED[before.state, after.state])
        return self._record(after, EventType.CHANGED, before.state)

    def note(self, before: Job, after: Job, *, minor: bool) -> Job:
        """Record what changed without a transition; `minor` where it is progress or output alone."""
        return self._record(after, EventType.CHANGED, before.state, minor)

    def remove(self, job: Job) -> Job:
        """Record that a terminal job is gone."""
        assert job.state in TERMINAL
        self._count(job, (job.state - 1, -1), (Count.DELETED, 1))
        if job.request_id:
            self.tx.forget(job.request_id, max(self.now, job.create_time + self.rules.limits.request_age))
        return self._record(job.evolve(due_time=None), EventType.DELETED, job.state)

    def end(self, before: Job, after: Job, state: State, failure: Failure | None, result: Payload | None = None) -> Job:
        """Make `after`, which comes of `before`, terminal."""
        return self.move(before, moves.end(after, self.now, state, failure, result, self.rules.limits.retention))

    def fail(
        self, before: Job, failure: Failure, *, permanent: bool = False, lingering: bool = False, at_once: bool = False
    ) -> Job:
        """End a running attempt that failed: CANCELLED where that was asked for, else another attempt while there is
        one, after its backoff or, where it was not the handler's fault, at once; else FAILED."""
        if before.cancel_requested:
            return self.cancel_running(before, lingering=lingering)
        after = moves.leave(before, self.now, failure, lingering=lingering)
        retry = before.spec.retry
        if permanent or before.attempt >= retry.max_attempts:
            return self.end(before, after, State.FAILED, failure)
        self._count(before, (Count.RETRIED, 1))
        wait = 0 if at_once else retry.backoff(before.attempt, self.rules.random)
        return self.move(before, moves.wait(after, self.now, self.now + wait))

    def cancel_running(self, before: Job, *, lingering: bool = False) -> Job:
        """End a running attempt, and the job with it, because somebody asked for that."""
        failure = Failure("CANCELLED", "cancelled while it ran")
        after = moves.leave(before, self.now, failure, lingering=lingering)
        return self.end(before, after, State.CANCELLED, failure)

    def fall_due(self) -> None:
        """Carry out what was to happen by now: times that came, queue timeouts, the ends of retentions."""
        if self.agenda.due is None or self.agenda.due > self.now:
            return
        for job in self.tx.due(self.now, _STEP):
            if job.state in TERMINAL:
                self.remove(job)
            elif job.state is State.SCHEDULED:
                self.move(job, moves.wait(job, self.now, job.schedule_time))
            else:
                failure = Failure("QUEUE_TIMEOUT", "it did not start within its queue timeout")
                self.end(job, job, State.FAILED, failure)
        self.agenda = self.agenda._replace(due=self.tx.next_due())

    def claim(self) -> None:
        """Start what may run: each job gets its slot in the same step that decides to start it."""
        if not self.claiming or not self.ledger.free:
            return
        wanted = []
        for (name, kind), queued in self.tx.queued().items():
            room = min(self._room(name), queued)
            if room > 0 and kind in self.rules.kinds:
                wanted.append(Wanted(name, kind, room))
        if not wanted:
            return
        for job in self.tx.claimable(wanted):
            if not self.ledger.free:
                break
            if self._room(job.spec.queue) > 0:
                after = moves.start(job, self.now, self.rules.owner)
                self.ledger.reserve(Lease(after.seq, after.fence), after)
                self.started.append(self.move(job, after))

    def trim(self) -> None:
        """Let go of some of the events that are no longer kept, if there are enough, or it is time to look."""
        limits = self.rules.limits
        if self.now < self.agenda.trim and self.tx.revision - self.tx.oldest < limits.events + _TRIM_SLACK:
            return
        more = self.tx.trim(limits.events, self.now - limits.events_age, self.now, _STEP + 2 * len(self.events))
        self.agenda = self.agenda._replace(trim=self.now if more else self.now + _TRIM_INTERVAL)

    def _room(self, queue: str) -> int:
        settings = self.queue(queue)
        if settings.paused:
            return 0
        if settings.slots is None:
            return self.ledger.free
        return min(self.ledger.free, settings.slots - self.ledger.held(queue))

    def _record(self, job: Job, kind: EventType, previous: State | None, minor: bool = False) -> Job:
        # One value is the snapshot, the stored row and the event: no reader can ever see them differ.
        last = job.revision
        job = job.evolve(revision=self.tx.next_revision())
        event = Event(job.revision, kind, job, previous, self.now, minor, last)
        self.tx.record(event)
        self.events.append(event)
        due = self.agenda.due
        if job.due_time is not None and (due is None or job.due_time < due):
            self.agenda = self.agenda._replace(due=job.due_time)
        return job

    def _count(self, job: Job, *changes: tuple[int, int]) -> None:
        self.tx.count(job.spec.queue, job.spec.kind, *changes)


@lru_cache(maxsize=1024)
def _layered(declared: Defaults, queue: Defaults, name: str) -> Defaults:
    return declared._replace(queue=name).over(queue.over(BUILT_IN))


def _counted(before: State, after: State) -> tuple[tuple[int, int], ...]:
    """What a move does to the counters."""
    changes = [(before - 1, -1), (after - 1, 1)]
    if after in TERMINAL:
        changes.append((after - 1 + TOTALS, 1))
    if after is State.RUNNING:
        changes.append((Count.STARTED, 1))
    return tuple(changes)


_MOVED = {(before, after): _counted(before, after) for before, afters in MOVES.items() for after in afters}
