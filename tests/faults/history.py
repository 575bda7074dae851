"""What clients asked and were told, what a subscriber saw, and what must hold between the two, whenever the service
died.

A subscriber that asks for progress too sees one event for each revision: a gap anywhere shows.
"""

import threading
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from google.rpc import error_details_pb2

from slotd.v1 import (
    EVENT_TYPE_CHANGED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    JOB_STATE_BLOCKED,
    JOB_STATE_CANCELLED,
    JOB_STATE_FAILED,
    JOB_STATE_QUEUED,
    JOB_STATE_RUNNING,
    JOB_STATE_SCHEDULED,
    JOB_STATE_SUCCEEDED,
    Counters,
    Job,
    JobEvent,
    JobSpec,
    JobState,
    SubmitRequest,
)

State: TypeAlias = "JobState.ValueType"

WAITING: frozenset[State] = frozenset({JOB_STATE_SCHEDULED, JOB_STATE_BLOCKED, JOB_STATE_QUEUED})
TERMINAL: frozenset[State] = frozenset({JOB_STATE_SUCCEEDED, JOB_STATE_FAILED, JOB_STATE_CANCELLED})

KEEPS_FEW = "keeps-few"
"""The queue whose ended jobs vanish by themselves."""

STATE_NAMES = {
    JOB_STATE_SCHEDULED: "scheduled",
    JOB_STATE_BLOCKED: "blocked",
    JOB_STATE_QUEUED: "queued",
    JOB_STATE_RUNNING: "running",
    JOB_STATE_SUCCEEDED: "succeeded",
    JOB_STATE_FAILED: "failed",
    JOB_STATE_CANCELLED: "cancelled",
}

_ALLOWED: dict[State, frozenset[State]] = {
    JOB_STATE_SCHEDULED: frozenset({JOB_STATE_QUEUED, JOB_STATE_BLOCKED, JOB_STATE_CANCELLED, JOB_STATE_FAILED}),
    JOB_STATE_BLOCKED: frozenset({JOB_STATE_QUEUED, JOB_STATE_CANCELLED, JOB_STATE_FAILED}),
    JOB_STATE_QUEUED: frozenset({JOB_STATE_RUNNING, JOB_STATE_CANCELLED, JOB_STATE_FAILED}),
    JOB_STATE_RUNNING: WAITING | TERMINAL,
    JOB_STATE_SUCCEEDED: frozenset(),
    JOB_STATE_FAILED: WAITING,
    JOB_STATE_CANCELLED: WAITING,
}


@dataclass
class Submission:
    """One Submit or SubmitBatch. `jobs` is the answer; None as long as none has come. One that was `refused` has made
    nothing."""

    requests: Sequence[SubmitRequest]
    jobs: list[Job] | None = None
    refused: bool = False


class EventLog:
    """Events as a subscriber gets them, each checked against all before it. One thread adds; any may read.

    Only the jobs that were `retried` may begin again, or go along with one that was; only those `deleted`, or of the
    queue that keeps few, vanish; only those `updated` may have another priority; and only kinds that are `uncounted`,
    those that snooze, give an attempt's number back. `lost` counts the attempts that died with their server, `open` the
    jobs that are not terminal.
    """

    def __init__(
        self,
        retried: set[str],
        deleted: set[str],
        updated: Container[str] = frozenset(),
        uncounted: Container[str] = ("sleepy",),
    ) -> None:
        self.events: list[JobEvent] = []
        self.lost = 0
        self.open = 0
        self._view: dict[str, Job] = {}
        self._retried = retried
        self._deleted = deleted
        self._updated = updated
        self._uncounted = uncounted

    def view(self, revision: int) -> dict[str, Job]:
        """The jobs by id, as the events up to `revision` make them."""
        jobs: dict[str, Job] = {}
        for event in self.events[:revision]:
            if event.type == EVENT_TYPE_DELETED:
                del jobs[event.job.id]
            else:
                jobs[event.job.id] = event.job
        return jobs

    def add(self, event: JobEvent) -> None:
        """Raises AssertionError where the event can't follow those before it."""
        job = event.job
        assert event.revision == len(self.events) + 1, f"revision {event.revision} after {len(self.events)}"
        assert job.revision == event.revision, event
        before = self._view.get(job.id)
        if event.type == EVENT_TYPE_CREATED:
            assert before is None, f"{job.id} was created twice"
            assert job.state in WAITING, event
        else:
            assert before is not None, f"{job.id} is not there: {event}"
            assert event.previous_state == before.state, event
            if event.type == EVENT_TYPE_DELETED:
                assert before.state in TERMINAL, event
                assert job.id in self._deleted or job.spec.queue == KEEPS_FEW, f"nobody deleted {job.id}"
            else:
                assert event.type == EVENT_TYPE_CHANGED, event
                self._check_move(before, job)
        self.events.append(event)
        was_open = before is not None and before.state not in TERMINAL
        self.open += (job.state not in TERMINAL) - was_open
        if event.type == EVENT_TYPE_DELETED:
            del self._view[job.id]
        else:
            self._view[job.id] = job

    def _check_move(self, before: Job, after: Job) -> None:
        self._check_spec(before, after)
        if before.state == after.state:
            assert after.attempt == before.attempt, after
            return
        assert after.state in _ALLOWED[before.state], (before, after)
        if before.state in TERMINAL:
            assert before.id in self._retried or self._goes_along(before), f"nobody retried {before.id}"
            assert after.attempt == 0, after
        elif after.state == JOB_STATE_RUNNING:
            assert after.attempt == before.attempt + 1, (before, after)
            assert after.attempt <= after.spec.retry.max_attempts, after
        if before.state == JOB_STATE_RUNNING and after.state in WAITING and after.attempt != before.attempt:
            assert after.attempt == before.attempt - 1, (before, after)
            assert after.spec.kind in self._uncounted, f"an attempt was not counted: {after}"
        elif before.state == JOB_STATE_RUNNING and reason(after) == "SERVER_LOST":
            self.lost += 1
            left = after.attempt < after.spec.retry.max_attempts
            assert after.attempt == before.attempt, (before, after)
            # What it gave up on the way, another may have by now.
            again = (JOB_STATE_QUEUED, JOB_STATE_BLOCKED)
            assert after.state in (again if left else (JOB_STATE_FAILED,)), (before, after)

    def _check_spec(self, before: Job, after: Job) -> None:
        # Update may also let it go on at once: what it waited for has just become free.
        if before.id in self._updated and {before.state, after.state} <= WAITING:
            asked = JobSpec()
            asked.CopyFrom(before.spec)
            asked.priority = after.spec.priority
            assert after.spec == asked, after
        else:
            assert after.spec == before.spec, after

    def _goes_along(self, job: Job) -> bool:
        """Whether it failed because of a job that has just been retried."""
        waited_for = {one.job_id for one in job.spec.depends_on}
        groups = {one.group for one in job.spec.depends_on if one.group}
        again = [one for one in self._view.values() if one.id in waited_for or one.spec.group in groups]
        return reason(job) == "DEPENDENCY_FAILED" and any(one.state in WAITING for one in again)


def reason(job: Job) -> str:
    """Why its last attempt failed; empty where it didn't."""
    info = error_details_pb2.ErrorInfo()
    for detail in job.error.details:
        if detail.Unpack(info):
            return info.reason
    return ""


def counted(events: Iterable[JobEvent]) -> Counters:
    """The counters that these events, from the first one on, add up to."""
    counts: Counter[str] = Counter()
    before: dict[str, Job] = {}
    for event in events:
        job = event.job
        earlier = before.get(job.id)
        if event.type == EVENT_TYPE_CREATED:
            counts["submitted"] += 1
        else:
            assert earlier is not None
            counts[STATE_NAMES[earlier.state]] -= 1
        if event.type == EVENT_TYPE_DELETED:
            counts["deleted"] += 1
            del before[job.id]
            continue
        counts[STATE_NAMES[job.state]] += 1
        before[job.id] = job
        if earlier is None or earlier.state == job.state:
            continue
        if job.state in TERMINAL:
            counts[f"total_{STATE_NAMES[job.state]}"] += 1
            counts["completed"] += 1
        if job.state == JOB_STATE_RUNNING:
            counts["started"] += 1
        elif earlier.state == JOB_STATE_RUNNING and job.state in WAITING and job.attempt == earlier.attempt:
            counts["retried"] += 1
    return Counters(**{name: number for name, number in counts.items() if number})


@dataclass
class History:
    """All of one store's life. The lists are only appended to; `lock` is for choosing from them."""

    submissions: list[Submission] = field(default_factory=list)
    copies: list[Job] = field(default_factory=list)
    """Every job that an answer held, in full: it must be the one that its revision's event has."""
    retried: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    """For which jobs Retry, or Delete, was asked, answered or not."""
    updated: set[str] = field(default_factory=set)
    """For which jobs Update was asked, likewise."""
    gone: set[str] = field(default_factory=set)
    """For which jobs Delete was answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.log = EventLog(self.retried, self.deleted, self.updated)

    def check(self) -> None:
        """All that was acknowledged is in the log, as it was acknowledged; of what was not, nothing is there by
        halves."""
        events = self.log.events
        created: dict[str, list[Job]] = {}
        deleted = set()
        for event in events:
            if event.type == EVENT_TYPE_CREATED and not event.job.schedule:
                created.setdefault(event.job.spec.labels["request"], []).append(event.job)
            elif event.type == EVENT_TYPE_DELETED:
                deleted.add(event.job.id)
        for submission in self.submissions:
            _check_submission(submission, created)
        for copy in self.copies:
            assert copy.revision <= len(events), f"revision {copy.revision} was acknowledged and is gone: {copy}"
            assert events[copy.revision - 1].job == copy
        assert self.gone <= deleted, f"acknowledged as deleted, and there: {self.gone - deleted}"

    def check_trace(self, trace: Path) -> int:
        """Nothing ran that was not claimed, nothing ran twice at the same time, nothing succeeded that did not run to
        its end. Returns how many calls there were."""
        claims: Counter[tuple[str, int]] = Counter()
        succeeded: Counter[str] = Counter()
        states: dict[str, State] = {}
        for event in self.log.events:
            job = event.job
            if states.get(job.id) != job.state:
                claims[job.id, job.attempt] += job.state == JOB_STATE_RUNNING
                succeeded[job.id] += job.state == JOB_STATE_SUCCEEDED
            states[job.id] = job.state
        starts: Counter[tuple[str, int]] = Counter()
        ends: Counter[str] = Counter()
        running: dict[str, str] = {}
        for line in trace.read_text().splitlines():
            process, what, job_id, attempt = line.split()
            if what == "start":
                starts[job_id, int(attempt)] += 1
                # What a dead process had begun is over.
                assert running.get(job_id) != process, f"{job_id} runs twice"
                running[job_id] = process
            else:
                assert running.pop(job_id) == process, f"{job_id} runs in two processes"
                ends[job_id] += 1
        assert starts <= claims, starts - claims
        assert succeeded <= ends, succeeded - ends
        return starts.total()


def _check_submission(submission: Submission, created: dict[str, list[Job]]) -> None:
    there = [created.get(request.request_id, []) for request in submission.requests]
    for request, jobs in zip(submission.requests, there, strict=True):
        assert len(jobs) <= 1, f"request {request.request_id} made {len(jobs)} jobs"
        for job in jobs:
            asked = request.spec
            assert job.spec.kind == asked.kind
            assert job.spec.payload == asked.payload
            assert job.spec.labels == asked.labels
            assert job.spec.retry.max_attempts == asked.retry.max_attempts
            for tie in ("resources", "group", "concurrency_key", "unique_key"):
                assert getattr(job.spec, tie) == getattr(asked, tie)
            assert [one.ref for one in job.spec.depends_on] == [one.ref for one in asked.depends_on]
    whole = sum(len(jobs) for jobs in there)
    if submission.refused:
        assert whole == 0, "refused, and there all the same"
    elif submission.jobs is None:
        assert whole in (0, len(there)), f"{whole} of a batch of {len(there)} are there"
    else:
        for request, answer, jobs in zip(submission.requests, submission.jobs, there, strict=True):
            # Another job may have had the unique key.
            others = [answer] if request.spec.unique_key and answer.spec.unique_key == request.spec.unique_key else []
            assert answer.id in [job.id for job in jobs or others]
