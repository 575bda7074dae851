"""Sees every commit, as it is in the database, and knows what must hold at each revision. It goes by the events alone
and by none of the service's own sums."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import MOVES, State
from slotd_server.domain.ties import Conflict
from tests.simulation.runner import Signature


class Violation(BaseException):
    """Something does not hold. No part of the service takes it for an error of its own, and goes on."""


class Commit(NamedTuple):
    """What one change left in the database: its events, all queues' settings, and who (owner by seq) holds a slot for a
    function that outlives its attempt."""

    owner: str
    events: Sequence[Event]
    queues: Mapping[str, Queue]
    lingering: Mapping[int, str]


class Witness:
    """`limit` tells how many slots a server has, `lost` checks that a server may be taken for gone, `note` adds to the
    trace. `began` are the attempts whose functions were called, `lingering` the owners of those that
    outlive their attempts, by seq."""

    def __init__(self, limit: Callable[[str], int], lost: Callable[[str], None], note: Callable[..., None]) -> None:
        self.log: list[Event] = []
        self.jobs: dict[int, Job] = {}
        self.ids: dict[str, int] = {}
        self.requests: dict[str, str] = {}
        self.retried: set[str] = set()
        self.running: dict[int, Job] = {}
        self.began: set[Signature] = set()
        self.queues: Mapping[str, Queue] = {}
        self.lingering: Mapping[int, str] = {}
        self._note = note
        self._limit = limit
        self._lost = lost
        self._fires: set[tuple[str, int | None]] = set()
        self._ended: set[str] = set()
        self._arrivals: dict[str, int] = {}

    @property
    def revision(self) -> int:
        return len(self.log)

    def job(self, job_id: str) -> Job | None:
        """As it is now; None where it is gone. It must have been there once."""
        return self.jobs.get(self.ids[job_id])

    def saw(self, commit: Commit) -> None:
        """Look at each event of a commit. Raises Violation."""
        try:
            self._look(commit)
        except AssertionError as error:
            raise Violation(str(error)) from error

    def _look(self, commit: Commit) -> None:
        self.lingering = commit.lingering
        self.queues = commit.queues
        for event in commit.events:
            assert event.revision == self.revision + 1, "revisions have a gap"
            self.log.append(event)
            before = self.jobs.get(event.job.seq)
            if before is None:
                self._created(event, commit)
            else:
                self._changed(before, event, commit)
            self._fold(event)
            self._note(event.revision, event.type.name, event.job.id, event.job.state.name, commit.owner)

    def holders(self) -> list[Job]:
        """Jobs that hold a slot, of whichever server: they run, or their functions outlive their attempts."""
        lingering = [self.jobs[seq] for seq in self.lingering if seq in self.jobs and seq not in self.running]
        return [*self.running.values(), *lingering]

    def _fold(self, event: Event) -> None:
        job = event.job
        if event.type is EventType.DELETED:
            del self.jobs[job.seq]
        else:
            self.jobs[job.seq] = job
        if job.state.terminal:
            self._ended.add(job.id)
        if job.state is State.RUNNING:
            self.running[job.seq] = job
        else:
            self.running.pop(job.seq, None)

    def _created(self, event: Event, commit: Commit) -> None:
        job = event.job
        assert event.type is EventType.CREATED
        assert event.previous_state is None
        assert job.seq == event.revision
        assert job.id not in self.ids, "a job id is used twice"
        self.ids[job.id] = job.seq
        if job.request_id:
            assert job.request_id not in self.requests, "two jobs for one request_id"
            self.requests[job.request_id] = job.id
        limit = _queue(commit, job).max_queued
        waiting = sum(one.state.waiting for one in self.jobs.values() if one.spec.queue == job.spec.queue)
        assert limit is None or waiting < limit, "more wait than may"
        ties = job.spec.ties
        if ties is not None and ties.schedule:
            fire = (ties.schedule, ties.fire_time)
            assert fire not in self._fires, "a schedule fired twice for one time"
            self._fires.add(fire)
        if ties is not None and ties.unique is not None and ties.unique.conflict is not Conflict.REPLACE:
            others = [one for one in self.jobs.values() if one.spec.ties is not None and not one.state.terminal]
            assert all(one.spec.ties.unique != ties.unique for one in others if one.spec.ties), (
                "a unique key has two jobs"
            )

    def _changed(self, before: Job, event: Event, commit: Commit) -> None:
        job = event.job
        assert event.type is not EventType.CREATED, "a job is created twice"
        assert event.last == before.revision
        assert event.previous_state is before.state
        if event.type is EventType.DELETED:
            assert before.state.terminal
            return
        if job.state is before.state:
            self._noted(before, job, commit)
            return
        assert job.state in MOVES[before.state], f"{before.state.name} became {job.state.name}"
        if before.state.terminal:
            assert job.id in self.retried, "a job that had ended began anew, and nobody asked for it"
        if job.state is State.RUNNING:
            self._started(before, job, event.time, commit)
        if before.state is State.RUNNING:
            self._left(before, job, commit)

    @staticmethod
    def _noted(before: Job, job: Job, commit: Commit) -> None:
        if job.progress != before.progress or job.output_size != before.output_size:
            assert commit.owner == before.owner, "one server writes for an attempt of another"
            assert job.progress is None or job.progress.message == _signature(before)

    def _started(self, before: Job, job: Job, time: int, commit: Commit) -> None:
        assert job.owner == commit.owner, "one server starts a job for another"
        assert job.fence == before.fence + 1
        assert not before.owner, "a job starts while an earlier attempt holds on to it"
        queue = _queue(commit, job)
        holders = self.holders()
        assert not queue.paused, "a job starts in a queue that is paused"
        mine = sum((self.lingering.get(other.seq) or other.owner) == job.owner for other in holders)
        assert mine < self._limit(job.owner), "more run than the server has slots"
        if queue.slots is not None:
            theirs = sum(other.spec.queue == queue.name for other in holders)
            assert theirs < queue.slots, "more run than the queue has slots"
        if queue.rate is not None:
            interval = round(SECOND / queue.rate.per_second)
            arrival = max(self._arrivals.get(queue.name, 0), time) + interval
            assert arrival - time <= queue.rate.burst * interval, "jobs start faster than the queue's rate"
            self._arrivals[queue.name] = arrival
        self._ties_allow(job, queue, holders)

    def _ties_allow(self, job: Job, queue: Queue, holders: Sequence[Job]) -> None:
        ties = job.spec.ties
        if ties is None:
            return
        for dependency in ties.depends_on:
            # It may wait again by now, if somebody asked for that.
            assert dependency.job_id in self._ended, "a job starts before what it depends on has ended"
        tied = [other.spec.ties for other in holders if other.spec.ties is not None and other.seq != job.seq]
        for claim in ties.resources:
            taken = any(claim.conflicts(one) for other in tied for one in other.resources)
            assert not taken, "two jobs have the same resource"
        if ties.key and queue.slots_per_key is not None:
            same = sum(
                other.spec.queue == job.spec.queue and other.spec.ties is not None and other.spec.ties.key == ties.key
                for other in holders
            )
            assert same < queue.slots_per_key, "more run than the key has slots"

    def _left(self, before: Job, job: Job, commit: Commit) -> None:
        reason = "" if job.attempts[-1].failure is None else job.attempts[-1].failure.reason
        if reason == "SERVER_LOST" and commit.owner == before.owner:
            assert Signature(before.owner, Lease(before.seq, before.fence)) not in self.began, "it was started"
        elif reason == "SERVER_LOST" or (before.cancel_requested and commit.owner != before.owner):
            self._lost(before.owner)
        else:
            assert commit.owner == before.owner, "one server ends an attempt of another"
        own = reason == "SERVER_LOST" and commit.owner == before.owner
        counts = not own and reason not in ("SNOOZED", "SERVER_STOPPED")
        assert job.attempt == before.attempt - (not counts and not job.state.terminal), "attempts are counted wrongly"
        if before.cancel_requested:
            assert job.state is State.CANCELLED, "what was to be cancelled went on"
        if job.state is State.SUCCEEDED:
            assert job.result is not None
            assert job.result.data.decode() == _signature(before), "an attempt's end is told by another attempt"


def _queue(commit: Commit, job: Job) -> Queue:
    return commit.queues.get(job.spec.queue) or Queue(job.spec.queue)


def _signature(job: Job) -> str:
    return Signature(job.owner, Lease(job.seq, job.fence)).text
