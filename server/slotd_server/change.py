"""One change in the making: how a transaction records a move, ends an attempt and meets what is due, and what a move
does to the ties of a job. What may run then is claimed in `claiming.py`, what may go on is let go on in `settling.py`;
what the commands ask for is in `requests.py`, `edits.py`, `schedules.py` and `reports.py`, all written in these
terms."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from heapq import heappush
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from slotd_server import gates
from slotd_server.domain import moves
from slotd_server.domain.commands import Lease
from slotd_server.domain.events import CHANGED, CREATED, Event, EventType
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Failure, Job, Payload
from slotd_server.domain.queue import BUILT_IN, DEFAULT_QUEUE, NOTHING, TOTALS, Count, Defaults, Queue
from slotd_server.domain.server import Member, Status
from slotd_server.domain.states import FAILED, MOVES, QUEUED, RUNNING, TERMINAL, WAITING, State
from slotd_server.domain.ties import UNLINKED, Dependency, Line
from slotd_server.slots import Ledger
from slotd_server.store.base import Transaction, Unsettled

Changes: TypeAlias = Iterable[tuple[int, int]]
"""What is added to counters: (position in domain.queue.Counters, how much)."""

_STEP = 500
"""How many jobs, or events, one transaction handles at most of what is due or to be trimmed."""

_POSTPONED = 60 * SECOND
"""How long a job stays that could not be deleted when its retention was over."""

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


def _nobody() -> Member:
    return Member("", 0, None, 0, None, Status("", "", "", 0, 0, 0, False, {}))


class Rules(NamedTuple):
    """What every change goes by. `elsewhere` are the kinds that other servers have handlers for, with what the handlers
    declare; `random` yields numbers in [0, 1) for jitter; `here` is what this server tells of itself."""

    owner: str
    limits: Limits
    ids: IdSource
    random: Callable[[], float]
    here: Callable[[], Member] = _nobody
    elsewhere: Mapping[str, Defaults] = MappingProxyType({})


class Agenda(NamedTuple):
    """When, by the clock, to look again at what is due (None: nothing is), and at what is too old."""

    due: int | None = 0
    trim: int = 0


class Rotation:
    """How the lower priorities get their share of starts: by (queue, kind), how many starts there were since one of
    them had its turn, and which priority had it. In memory: after a restart the counting begins anew."""

    def __init__(
        self, starts: Mapping[tuple[str, str], int] | None = None, last: Mapping[tuple[str, str], int] | None = None
    ) -> None:
        self.starts = dict(starts or {})
        self.last = dict(last or {})

    def copy(self) -> "Rotation":
        return Rotation(self.starts, self.last)


class Change:
    """What one transaction has done so far. Where it is not `claiming` it starts nothing."""

    def __init__(
        self,
        rules: Rules,
        ledger: Ledger,
        tx: Transaction,
        now: int,
        agenda: Agenda,
        rotation: Rotation,
        *,
        claiming: bool,
    ) -> None:
        self.rules = rules
        self.ledger = ledger
        self.tx = tx
        self.now = now
        self.agenda = agenda
        self.rotation = rotation
        self.claiming = claiming
        self.events: list[Event] = []
        self.started: list[Job] = []
        self.stopping: list[Lease] = []
        # Attempts that a worker runs already, and those that are over without a word from whoever ran them.
        self.taken_over: list[Job] = []
        self.dropped: list[Lease] = []
        # What is to be settled before the change ends: targets that may be decided, seqs of jobs that may pass now (a
        # heap), and queues that may have more ended jobs than they keep.
        self.decided: deque[Unsettled] = deque()
        self.woken: list[int] = []
        self.overfull: set[str] = set()
        # Groups that more jobs of the batch in the making belong to: nothing can be said of them yet.
        self.forming: frozenset[str] = frozenset()

    def queue(self, name: str) -> Queue:
        return self.tx.queue(name) or _unset(name)

    def defaults(self, kind: str, queue: str | None) -> Defaults:
        """What a job gets where it leaves a field out: the handler's word, then the queue's, then the service's."""
        declared = self.ledger.kinds.get(kind) or self.rules.elsewhere.get(kind, NOTHING)
        name = queue or declared.queue or DEFAULT_QUEUE
        return _layered(declared, self.queue(name).defaults, name)

    def create(self, job: Job) -> Job:
        """Record a new job."""
        job = self._tied(job) if job.spec.ties is not None else self._in_turn(job)
        self._count(job, _ADDED[job.state])
        return self._record(job, CREATED, None)

    def move(self, before: Job, after: Job) -> Job:
        """Record a transition. A tied job that is to be QUEUED goes through its gates, and may be BLOCKED instead."""
        if after.spec.ties is not None:
            after = self._through_gates(before, after)
        elif after.state is QUEUED:
            after = self._in_turn(after)
        if after.state is before.state:
            return self._unmoved(before, after)
        # A KeyError here is a move that `domain/states.py` does not know.
        self._count(before, _MOVED[before.state, after.state])
        if before.state in TERMINAL:
            self._uncount_retained(before)
        after = self._record(after, CHANGED, before.state)
        if after.state in TERMINAL:
            self._ended(after)
        return after

    def rearrange(self, before: Job, after: Job) -> Job:
        """Record that a waiting job waits otherwise: with other values in its spec, in another queue or for a time."""
        here = after.spec.queue == before.spec.queue and after.state is State.QUEUED
        if here and before.state is State.QUEUED:
            # What it holds stays its own, and so does its turn.
            pass
        elif after.spec.ties is not None and not after.lingering:
            # In the line for claims it has its place by its number, which nothing changes.
            if not (here and before.links.claims is Line.WAITING):
                after = self._release(after, before)
            if after.state is State.QUEUED:
                after = gates.enter(self.tx, self.queue(after.spec.queue), after)
        elif after.state is State.QUEUED:
            after = self._in_turn(after)
        self._count(before, ((before.state - 1, -1), (Count.SUBMITTED, -1)))
        self._count(after, _ADDED[after.state])
        if after.spec.labels != before.spec.labels:
            self.tx.relabel(after)
        return self._record(after, EventType.CHANGED, before.state)

    def note(self, before: Job, after: Job, *, minor: bool) -> Job:
        """Record what changed without a transition; `minor` where it is progress or output alone."""
        return self._record(after, EventType.CHANGED, before.state, minor)

    def remove(self, job: Job) -> Job:
        """Record that a terminal job is gone."""
        assert job.state in TERMINAL
        self._count(job, ((job.state - 1, -1), (Count.DELETED, 1)))
        if job.spec.ties is not None or job.links != UNLINKED:
            self._untie(job)
        self._uncount_retained(job)
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
        self._count(before, ((Count.RETRIED, 1),))
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
                if self.why_kept(job) is None:
                    self.remove(job)
                else:
                    self.tx.keep(job.evolve(due_time=self.now + _POSTPONED))
            elif job.state is State.SCHEDULED:
                self.move(job, moves.wait(job, self.now, job.schedule_time))
            else:
                failure = Failure("QUEUE_TIMEOUT", "it did not start within its queue timeout")
                self.end(job, job, State.FAILED, failure)
        self.agenda = self.agenda._replace(due=self.tx.next_due())

    def trim(self) -> None:
        """Let go of some of the events that are no longer kept, if there are enough, or it is time to look."""
        limits = self.rules.limits
        if self.now < self.agenda.trim and self.tx.revision - self.tx.oldest < limits.events + _TRIM_SLACK:
            return
        more = self.tx.trim(limits.events, self.now - limits.events_age, self.now, _STEP + 2 * len(self.events))
        self.agenda = self.agenda._replace(trim=self.now if more else self.now + _TRIM_INTERVAL)

    def remind(self, time: int) -> None:
        """Look again at `time` at the latest."""
        due = self.agenda.due
        if due is None or time < due:
            self.agenda = self.agenda._replace(due=time)

    # Ties

    def decide(self, target: str) -> None:
        """Look at those that depend on `target` before the change ends."""
        self.decided.append(Unsettled(target, 0))

    def wake(self, seqs: Iterable[int]) -> None:
        """Look at these jobs again before the change ends."""
        for seq in seqs:
            heappush(self.woken, seq)

    def let_go(self, before: Job, after: Job) -> None:
        """The function of an attempt that was ended before has returned at last: nothing is held for it any more."""
        if before.state is State.BLOCKED:
            self.move(before, moves.unblock(after))
        else:
            self.tx.keep(self._release(after))

    def why_kept(self, job: Job) -> Job | None:
        """Why a terminal job can't be deleted yet: a job that depends on it and has not ended; or itself, where its
        function has not returned and holds what others wait for."""
        if job.lingering and job.links.holding:
            return job
        return self.tx.dependent(f"jobs/{job.id}") if job.links.awaited else None

    def verdict(self, dependency: Dependency) -> bool | None:
        """Whether the dependency is met (True), failed unless somebody retries (False), or open (None)."""
        if dependency.group:
            numbers = self.tx.group(dependency.group)
            if dependency.group in self.forming or any(numbers[state - 1] for state in (*WAITING, State.RUNNING)):
                return None
            return not dependency.success or not any(numbers[state - 1] for state in (State.FAILED, State.CANCELLED))
        job = self.tx.job(dependency.job_id)
        if job is None:
            return False
        if job.state not in TERMINAL:
            return None
        return not dependency.success or job.state is State.SUCCEEDED

    def _in_turn(self, job: Job) -> Job:
        """A job without a key, in a queue where keys take turns: it goes with what was started last."""
        turn = self.tx.turn(job.spec.queue)
        return job.evolve(links=job.links._replace(turn=turn)) if turn != job.links.turn else job

    def _tied(self, job: Job) -> Job:
        """A new job, with its ties kept, and through its gates if it need not wait for its time."""
        ties = job.spec.ties
        assert ties is not None
        if ties.group:
            self.tx.join(f"groups/{ties.group}", job.seq)
        if ties.schedule:
            self.tx.join(f"schedules/{ties.schedule}", job.seq)
        if ties.unique is not None:
            self.tx.take_unique(ties.unique.key, job.seq)
        if ties.depends_on:
            met = frozenset(one.target for one in ties.depends_on if self._await(one, job))
            self.tx.add_edges(job, met)
        return gates.enter(self.tx, self.queue(job.spec.queue), job) if job.state is State.QUEUED else job

    def _await(self, dependency: Dependency, job: Job) -> bool:
        """Whether what a new job depends on is met already; else its end will be noticed."""
        target = dependency.target
        if dependency.group:
            self.tx.await_group(dependency.group)
        else:
            other = self.tx.job(dependency.job_id)
            if other is None:
                # Later in the same batch: it is created as one that is awaited.
                return False
            if not other.links.awaited:
                self.tx.keep(other.evolve(links=other.links._replace(awaited=True)))
        verdict = self.verdict(dependency)
        if verdict is False:
            self.decided.append(Unsettled(target, job.seq - 1))
        return verdict is True

    def _through_gates(self, before: Job, after: Job) -> Job:
        ties = after.spec.ties
        assert ties is not None
        stays = after.lingering or after.state is State.RUNNING
        passing = after.state is State.QUEUED and before.state in (State.QUEUED, State.BLOCKED) and not before.lingering
        if not stays and not passing:
            after = self._release(after)
        if before.state in TERMINAL and ties.depends_on:
            self._revive_edges(after)
        if before.state in TERMINAL and ties.unique is not None:
            self.tx.take_unique(ties.unique.key, after.seq)
        return gates.enter(self.tx, self.queue(after.spec.queue), after) if after.state is State.QUEUED else after

    def _revive_edges(self, job: Job) -> None:
        """A job that had ended waits again: what it depends on may have come about meanwhile, unnoticed."""
        self.tx.set_live(job.seq, True)
        edges = job.edges
        for target in self.tx.unmet(job.seq, len(edges)):
            if self.verdict(edges[target]) is True:
                self.tx.meet(target, job.seq)

    def _release(self, after: Job, before: Job | None = None) -> Job:
        """`after` without all that the job, as it was `before`, holds or stands in line for."""
        if after.spec.ties is None:
            return after
        links, woken = gates.leave(self.tx, before or after)
        self.wake(woken)
        return after.evolve(links=links._replace(changed=after.links.changed))

    def _unmoved(self, before: Job, after: Job) -> Job:
        """A waiting job that goes on waiting, maybe for something else."""
        if after.blocked_by != before.blocked_by:
            return self.note(before, after, minor=False)
        if after != before:
            self.tx.keep(after)
        return after

    def _ended(self, job: Job) -> None:
        """A job has become terminal: those that depend on it may go on, or never will."""
        ties = job.spec.ties
        if job.links.awaited:
            self.decide(f"jobs/{job.id}")
        if ties is not None:
            if ties.depends_on:
                self.tx.set_live(job.seq, False)
                # Nobody may depend any more on what was kept for this one.
                self.overfull |= {name for name, queue in self.tx.queues().items() if queue.retain_count is not None}
            if ties.group and self.tx.is_group_awaited(ties.group):
                self.decide(f"groups/{ties.group}")
        if job.state is not FAILED and self.queue(job.spec.queue).retain_count is not None:
            self.tx.retain(job.spec.queue, job)
            self.overfull.add(job.spec.queue)

    def _untie(self, job: Job) -> None:
        """A terminal job goes, and its ties with it."""
        if job.links.changed is not None:
            self.tx.forget_labels(job)
        ties = job.spec.ties
        if ties is None:
            return
        if ties.depends_on:
            self.tx.forget_edges(job)
        if ties.group:
            self.tx.leave(f"groups/{ties.group}", job.seq)
            if self.tx.is_group_awaited(ties.group):
                # It may have been the one that had failed.
                self.decide(f"groups/{ties.group}")
        if ties.schedule:
            self.tx.leave(f"schedules/{ties.schedule}", job.seq)
        if ties.unique is not None:
            self.tx.free_unique(ties.unique.key, job.seq)

    def _uncount_retained(self, job: Job) -> None:
        if self.queue(job.spec.queue).retain_count is not None:
            self.tx.release_retained(job.spec.queue, job.revision)

    def _record(self, job: Job, kind: EventType, previous: State | None, minor: bool = False) -> Job:
        # One value is the snapshot, the stored row and the event: no reader can ever see them differ.
        last = job.revision
        job = job.evolve(revision=self.tx.next_revision())
        event = Event(job.revision, kind, job, previous, self.now, minor, last)
        self.tx.record(event)
        self.events.append(event)
        if job.due_time is not None:
            self.remind(job.due_time)
        return job

    def _count(self, job: Job, changes: Changes) -> None:
        self.tx.count(job.spec.queue, job.spec.kind, changes)
        if job.spec.ties is not None and job.spec.ties.group:
            self.tx.count_group(job.spec.ties.group, changes)


@lru_cache(maxsize=1024)
def _unset(name: str) -> Queue:
    return Queue(name)


@lru_cache(maxsize=1024)
def _layered(declared: Defaults, queue: Defaults, name: str) -> Defaults:
    return declared._replace(queue=name).over(queue.over(BUILT_IN))


def _counted(before: State, after: State) -> Changes:
    """What a move does to the counters."""
    changes = [(before - 1, -1), (after - 1, 1)]
    if after in TERMINAL:
        changes.append((after - 1 + TOTALS, 1))
    if after is RUNNING:
        changes.append((Count.STARTED, 1))
    return tuple(changes)


_ADDED: Mapping[State, Changes] = {state: ((Count.SUBMITTED, 1), (state - 1, 1)) for state in State}
_MOVED: Mapping[tuple[State, State], Changes] = {
    (before, after): _counted(before, after) for before, afters in MOVES.items() for after in afters
}
