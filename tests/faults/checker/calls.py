"""Rules about what clients asked and were told."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern
from typing import NamedTuple

from tests.faults.checker.errors import HistoryError
from tests.faults.checker.frontier import Frontier
from tests.faults.checker.life import Life
from tests.faults.checker.linear import STOPPING, Answered, Freedom, Operation, Seen, Undecided, What, explain
from tests.faults.checker.log import Log
from tests.faults.checker.records import OUTCOME_UNKNOWN, Answer, Asked, Call, Error, JobCopy
from tests.faults.checker.states import RUNNING
from tests.faults.checker.verdicts import Verdicts

_SUBMITS = ("Submit", "SubmitBatch")
_WHAT = {
    "Submit": What.CREATE,
    "SubmitBatch": What.CREATE,
    "Get": What.READ,
    "Wait": What.READ,
    "List": What.READ,
    "Cancel": What.CANCEL,
    "Delete": What.DELETE,
    "Retry": What.RETRY,
    "Update": What.UPDATE,
}
_CANCEL_MANY = ("BulkCancel", "CancelGroup", "BulkDelete")
_RETRY_MANY = ("BulkRetry",)
_DELETE_MANY = ("Purge", "BulkDelete")

_NEW_ALONE = ("QUEUE_FULL", "UNIQUE_KEY_TAKEN", "DEPENDENCY_CYCLE")
"""Reasons for which only what would be a new job is refused."""


class _Shown(NamedTuple):
    """What is kept of a job in an answer."""

    id: str
    revision: int
    state: int
    digest: int
    payload: int


@dataclass(slots=True)
class _Made:
    """A call, and what became of it: `jobs` where it was answered, else `code`; neither where nobody knows."""

    call: Call
    until: float = math.inf
    jobs: tuple[_Shown, ...] | None = None
    page: bool = False
    code: str = ""
    reason: str = ""

    @property
    def known(self) -> bool:
        return self.jobs is not None or bool(self.code)

    @property
    def label(self) -> str:
        return f"{self.call.method} {self.call.client}/{self.call.number}"


@dataclass(slots=True)
class _Request:
    """All about one request_id: what was asked, what it was answered, which jobs of the log have it."""

    asked: Asked
    answered: set[str] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    open: bool = False
    """Whether some call with it was answered, or may have happened."""
    batches: set[tuple[str, ...]] = field(default_factory=set)


class Calls:
    """Calls and answers as they were recorded; then, with the whole log, what is wrong about them."""

    def __init__(self, verdicts: Verdicts, frontier: Frontier) -> None:
        self._verdicts = verdicts
        self._frontier = frontier
        self._open: dict[tuple[str, int], _Made] = {}
        self._all: list[_Made] = []
        self._requests: dict[str, _Request] = {}
        self._first: dict[tuple[str, str], int] = {}
        """When a method was called first, by method and job; with no job: for whichever."""
        self._unique_keys: set[str] = set()

    def __len__(self) -> int:
        return len(self._all)

    def call(self, call: Call) -> None:
        """A client is about to call."""
        name = (call.client, call.number)
        if name in self._open:
            raise HistoryError(f"two calls are number {call.number} of client {call.client}")
        made = self._open[name] = _Made(call)
        self._all.append(made)
        for one in call.asked:
            request = self._requests.setdefault(one.request_id, _Request(one))
            request.batches.add(tuple(each.request_id for each in call.asked))
            if one.unique_key:
                self._unique_keys.add(one.unique_key)
        many = "force Delete" if call.force else "Retry dependents" if call.dependents else call.method
        for method in {many, call.method}:
            for job_id in ("", *call.ids):
                self._first[method, job_id] = min(call.at, self._first.get((method, job_id), call.at))

    def answer(self, answer: Answer) -> None:
        """It was answered."""
        made = self._take(answer)
        made.until, made.page = answer.at, answer.page
        made.jobs = tuple(map(_shown, answer.jobs))
        self._frontier.see_all(answer.at, answer.jobs)

    def error(self, error: Error) -> None:
        """It ended with an error, which says that it has not happened, or nothing."""
        made = self._take(error)
        if error.code not in OUTCOME_UNKNOWN and error.reason:
            made.until, made.code, made.reason = error.at, error.code, error.reason

    def _take(self, end: Answer | Error) -> _Made:
        made = self._open.get((end.client, end.number))
        if made is None or made.known or end.at < made.call.at:
            raise HistoryError(f"an answer to no call: number {end.number} of client {end.client}")
        return made

    def check(self, log: Log, life: Life, vanishing: set[str]) -> None:
        """Everything but linearizability. `vanishing` are queues whose ended jobs are deleted by themselves."""
        for made in self._all:
            if made.jobs is not None:
                self._check_copies(log, made)
            if made.code == "NOT_FOUND" or (made.call.method == "Delete" and made.jobs is not None):
                there = [job_id for job_id in made.call.ids if log.is_there(job_id)]
                if there:
                    self._verdicts.add("lost", f"{made.label} said that {there[0]} is gone, and it is there")
        self._check_requests(log)
        self._check_asked(log, life, vanishing)

    def check_linearizable(self, log: Log, life: Life, vanishing: set[str]) -> int:
        """Each job's calls, one job after the other. → how many jobs had calls."""
        by_job: dict[str, list[Operation]] = {}
        for made in self._all:
            for job_id, operation in self._operations(made):
                by_job.setdefault(job_id, []).append(operation)
        for job_id, operations in by_job.items():
            try:
                trouble = explain(operations, self._freedom(log, life, job_id, vanishing))
            except Undecided:
                self._verdicts.add("undecided", f"{len(operations)} calls on {job_id}")
            else:
                if trouble:
                    self._verdicts.add("linearizability", f"{job_id}: {trouble}")
        return len(by_job)

    def _check_copies(self, log: Log, made: _Made) -> None:
        assert made.jobs is not None
        known = self._frontier.before(made.call.at)
        for job in made.jobs:
            if job.revision > log.revision or job.id not in log.numbers:
                self._verdicts.add("lost", f"{made.label} answered {job.id} at revision {job.revision}: not in the log")
            elif log.digests[job.revision] != job.digest:
                self._verdicts.add("copy", f"{made.label} answered another {job.id} than revision {job.revision} has")
            elif 0 < log.after[job.revision] <= known:
                what = f"revision {job.revision} of {job.id}; {log.after[job.revision]} had been seen"
                self._verdicts.add("stale", f"{made.label} answered {what}")
            number = log.numbers.get(job.id)
            request = None if number is None else self._requests.get(log.spec(log.created[number]).request)
            if request is not None and job.payload not in (0, request.asked.payload):
                self._verdicts.add("content", f"{made.label} answered {job.id} with another payload than was asked")
        if made.page and made.jobs:
            self._check_page(log, made, made.jobs)

    def _check_page(self, log: Log, made: _Made, jobs: tuple[_Shown, ...]) -> None:
        revisions = [job.revision for job in jobs if job.revision <= log.revision]
        first = max(revisions, default=0)
        ends = [log.after[revision] for revision in revisions if log.after[revision]]
        if min(ends, default=math.inf) <= first:
            what = f"revision {first}, and what ended with revision {min(ends)}"
            self._verdicts.add("page", f"{made.label} answered {what}")

    def _check_requests(self, log: Log) -> None:
        for job_id, spec, revision in log.makings():
            request = self._requests.get(spec.request)
            if request is not None:
                request.made.append(job_id)
                if spec.kind != request.asked.kind:
                    self._verdicts.add("content", f"{job_id} is {spec.kind}, asked was {request.asked.kind}")
            elif spec.request:
                self._verdicts.add("unasked", f"revision {revision}: nobody asked for {job_id} ({spec.request})")
        for made in self._all:
            if made.call.method in _SUBMITS:
                self._check_submission(log, made)
        for name, request in self._requests.items():
            jobs = {*request.made, *request.answered}
            if len(jobs) > 1 or len(request.made) > 1:
                self._verdicts.add("request", f"{name} made or was answered {' '.join(sorted(jobs))}")
            if request.made and not request.open:
                self._verdicts.add("refused", f"{name} was refused each time, and there is {request.made[0]}")
        self._check_batches()

    def _check_submission(self, log: Log, made: _Made) -> None:
        for place, one in enumerate(made.call.asked):
            request = self._requests[one.request_id]
            request.open |= made.jobs is not None or not made.known or made.code == "NOT_FOUND"
            if made.jobs is None:
                continue
            if place >= len(made.jobs):
                self._verdicts.add("batch", f"{made.label} was answered {len(made.jobs)} jobs")
                return
            job = made.jobs[place]
            request.answered.add(job.id)
            number = log.numbers.get(job.id)
            if number is not None:
                spec = log.spec(log.created[number])
                if spec.request != one.request_id and not (one.unique_key and spec.unique_key == one.unique_key):
                    self._verdicts.add("request", f"{made.label}: {one.request_id} was answered {spec.request}'s job")

    def _check_batches(self) -> None:
        batches = {batch for request in self._requests.values() for batch in request.batches if len(batch) > 1}
        for batch in sorted(batches):
            requests = [self._requests[name] for name in batch]
            if any(len(one.batches) > 1 for one in requests):
                continue
            # One with a unique key may have been answered another's job.
            there = Counter(bool(one.made) for one in requests if not one.asked.unique_key)
            if there[True] and there[False]:
                what = f"{there[True]} of {there.total()} jobs of the batch {batch[0]} … {batch[-1]} are there"
                self._verdicts.add("batch", what)

    def _check_asked(self, log: Log, life: Life, vanishing: set[str]) -> None:
        for job_id, revision in life.changed.items():
            self._check_cause(job_id, revision, "changed", ["Update"], [])
        for job_id, (revision, why) in life.retried.items():
            many = ["Retry dependents", *_RETRY_MANY] if why == "DEPENDENCY_FAILED" else _RETRY_MANY
            self._check_cause(job_id, revision, "retried", ["Retry"], many)
        for job_id, revision in life.cancelled.items():
            spec = log.spec(revision)
            replaced = spec.unique_key in self._unique_keys
            # Those that a schedule made have no request; it may cancel them.
            if spec.request and not replaced:
                self._check_cause(job_id, revision, "cancelled", ["Cancel", "force Delete"], _CANCEL_MANY)
        for job_id, (revision, time, expire) in life.deleted.items():
            if not 0 < expire <= time and log.spec(revision).queue not in vanishing:
                self._check_cause(job_id, revision, "deleted", ["Delete"], _DELETE_MANY)

    def _check_cause(self, job_id: str, revision: int, what: str, one: Iterable[str], many: Iterable[str]) -> None:
        times = [self._first.get((method, job_id)) for method in one]
        times += [self._first.get((method, "")) for method in many]
        asked = [time for time in times if time is not None]
        if not asked:
            self._verdicts.add("unasked", f"revision {revision}: {job_id} was {what}, and nobody asked for it")
        elif self._frontier.before(min(asked)) >= revision:
            self._verdicts.add("unasked", f"revision {revision}: {job_id} was {what} before anybody asked for it")

    def _freedom(self, log: Log, life: Life, job_id: str, vanishing: set[str]) -> Freedom:
        number = log.numbers.get(job_id)
        if number is None:
            return Freedom()
        spec = log.spec(log.last[number])
        _, time, expire = life.deleted.get(job_id, (0, 0, 0))
        return Freedom(
            create=not spec.request,
            cancel=not spec.request or spec.unique_key in self._unique_keys or self._any(_CANCEL_MANY),
            retry=self._any(("Retry dependents", *_RETRY_MANY)),
            delete=0 < expire <= time or spec.queue in vanishing or self._any(_DELETE_MANY),
        )

    def _any(self, methods: Iterable[str]) -> bool:
        return any((method, "") in self._first for method in methods)

    def _operations(self, made: _Made) -> Iterable[tuple[str, Operation]]:
        call = made.call
        what = _WHAT.get(call.method)
        if what is None:
            return
        if made.jobs is not None and call.method != "Delete":
            for job in made.jobs:
                yield job.id, Operation(what, call.at, made.until, Seen(job.revision, job.state), made.label)
            return
        outcome = _outcome(made)
        if call.force:
            what = What.FORCE_DELETE
            for job_id in call.ids:
                # The job is cancelled first, and seen like that.
                yield job_id, Operation(What.CANCEL, call.at, math.inf, Answered.UNKNOWN, made.label)
                if outcome is Answered.DONE:
                    yield job_id, Operation(What.FORCE, call.at, made.until, outcome, made.label)
        if outcome is not None:
            for job_id in call.ids or self._asked_for(made):
                yield job_id, Operation(what, call.at, made.until, outcome, made.label)

    def _asked_for(self, made: _Made) -> Iterable[str]:
        """Which jobs a submission without an answer is about: only the log knows."""
        if len(made.call.asked) > 1 and made.known:
            # What was refused may have been another of the batch.
            return []
        return [job_id for one in made.call.asked for job_id in self._requests[one.request_id].made[:1]]


def _shown(job: JobCopy) -> _Shown:
    state = STOPPING if job.state == RUNNING and job.cancel_requested else job.state
    # The same ids come again and again.
    return _Shown(intern(job.id), job.revision, state, job.digest, job.payload)


def _outcome(made: _Made) -> Answered | None:
    """What an answer without jobs says; None where it says nothing but that nothing was done."""
    if made.jobs is not None:
        return Answered.DONE
    if not made.known:
        return Answered.UNKNOWN
    if made.code == "NOT_FOUND":
        return Answered.GONE
    if made.call.method in _SUBMITS and made.reason in _NEW_ALONE:
        return Answered.NOT_MADE
    if made.code == "FAILED_PRECONDITION":
        return Answered.REFUSED
    return None
