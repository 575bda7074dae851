"""A toy of the service, in memory, on two servers with a worker each: what it does is right, unless it is told to have
a bug."""

from random import Random

import msgspec

from slotd.v1 import EVENT_TYPE_CHANGED, EVENT_TYPE_CREATED, EVENT_TYPE_DELETED
from tests.faults.checker.records import Asked, AttemptCopy, Claim, Dependency, EventCopy, JobCopy, SpecCopy, digest
from tests.faults.checker.states import (
    BLOCKED,
    CANCELLED,
    FAILED,
    QUEUED,
    RUNNING,
    SCHEDULED,
    SUCCEEDED,
    TERMINAL,
    WAITING,
)

SLOTS = 2
"""Of each server, and of each worker."""

NARROW = "narrow"
"""A queue with one slot over all servers."""

KEYED = "keyed"
"""A queue with one slot for each key."""

BUGS = {
    "claims are not looked at": "claims",
    "slots of the server are not looked at": "server-slots",
    "slots of the queue are not looked at": "queue-slots",
    "slots of the key are not looked at": "key-slots",
    "unique keys are not looked at": "unique",
    "dependencies are not looked at": "dependency",
    "request ids are forgotten": "request",
    "a claim is made twice": "lease",
    "a late finish overwrites": "path",
    "a terminal job moves on": "terminal",
    "a deleted job comes back": "identity",
    "the last commits are lost with a server": "lost",
    "reads are of yesterday": "stale",
    "cancel is answered and not done": "linearizability",
    "delete is answered and not done": "linearizability",
    "a forced delete of what is gone is answered": "linearizability",
    "attempts are not counted": "attempt",
    "what waits is cancelled by itself": "unasked",
    "a batch is taken by halves": "batch",
    "a schedule fires twice for one time": "firing",
}
"""What may be wrong with it, and the kind of verdict that must come of it."""


class Refused(Exception):
    """What a call is refused with: code, and reason."""


class Stopping(Exception):
    """What is asked for has to wait until a job has stopped."""


class Toy:
    """All calls take effect at once. `bug` is one of BUGS, or empty."""

    def __init__(self, chance: Random, bug: str = "") -> None:
        self._chance = chance
        self._bug = bug
        self._number = 0
        self._fired = 0
        self._requests: dict[str, str] = {}
        self.events: list[EventCopy] = []
        self.jobs: dict[str, JobCopy] = {}
        self.specs: dict[int, SpecCopy] = {}
        self.boots = ["boot-1", "boot-2"]
        self.ever_booted = list(self.boots)
        self.workers = ["worker-1", "worker-2"]
        """Of each server."""
        self.ever_joined = list(self.workers)
        self._succeeded: set[str] = set()
        self._past: dict[str, JobCopy] = {}

    @property
    def revision(self) -> int:
        return len(self.events)

    def wrong(self, bug: str) -> bool:
        """Whether it has this bug."""
        assert bug in BUGS
        return self._bug == bug

    # What clients ask. Each raises Refused.

    def submit(self, asked: list[tuple[Asked, SpecCopy]]) -> list[JobCopy]:
        jobs = [self._submit_one(one, spec) for one, spec in asked[: self._taken(len(asked))]]
        self._settle()
        return [self.jobs.get(job.id, job) for job in jobs]

    def get(self, job_id: str) -> JobCopy:
        job = self._find(job_id)
        return self._past.get(job_id, job) if self.wrong("reads are of yesterday") else job

    def cancel(self, job_id: str) -> JobCopy:
        job = self._find(job_id)
        if job.state in (SUCCEEDED, FAILED):
            raise Refused("FAILED_PRECONDITION", "WRONG_STATE")
        if self.wrong("cancel is answered and not done"):
            return job
        if job.state == RUNNING and not job.cancel_requested:
            job = self._change(job, cancel_requested=True)
        elif job.state in WAITING:
            job = self._change(job, state=CANCELLED, reason="CANCELLED", blocked_by=())
        self._settle()
        return job

    def retry(self, job_id: str) -> JobCopy:
        job = self._find(job_id)
        if job.state not in (FAILED, CANCELLED) or self._is_unique_taken(job):
            raise Refused("FAILED_PRECONDITION", "WRONG_STATE")
        return self._enter(job, attempt=0, reason="", result=0)

    def delete(self, job_id: str) -> None:
        job = self._find(job_id)
        if job.state not in TERMINAL or self._is_awaited(job_id):
            raise Refused("FAILED_PRECONDITION", "WRONG_STATE")
        if not self.wrong("delete is answered and not done"):
            self._record(EVENT_TYPE_DELETED, job, job.state)
            del self.jobs[job_id]
            if self.wrong("a deleted job comes back"):
                self._record(EVENT_TYPE_CHANGED, job, job.state)
                self.jobs[job_id] = self.events[-1].job

    def force_delete(self, job_id: str, *, again: bool) -> None:
        """Raises Stopping while the job runs; then it is asked `again`, and what is gone by then is gone."""
        if job_id not in self.jobs and (again or self.wrong("a forced delete of what is gone is answered")):
            return
        if self._find(job_id).state not in TERMINAL and not self._is_awaited(job_id):
            self.cancel(job_id)
        if self.jobs[job_id].state == RUNNING:
            raise Stopping
        self.delete(job_id)

    # What happens by itself.

    def start(self) -> JobCopy | None:
        """The first job that may start does, if one may."""
        for job in list(self.jobs.values()):
            spec = self.specs[job.spec]
            number = self._chance.randrange(len(self.boots))
            boot, worker = self.boots[number], self._chance.choice(("", self.workers[number]))
            if job.state == QUEUED and self._has_slots(worker or boot, spec.queue):
                attempts = (*job.attempts, AttemptCopy(job.attempt + 1, boot, False, "", worker))
                if self.wrong("a claim is made twice"):
                    attempts = (*attempts, AttemptCopy(job.attempt + 2, boot, False, "", worker))
                return self._change(job, state=RUNNING, attempt=job.attempt + 1, attempts=attempts)
        return None

    def running(self) -> list[JobCopy]:
        return [job for job in self.jobs.values() if job.state == RUNNING]

    def lingering(self) -> list[JobCopy]:
        """Jobs that wait for the function of an attempt that is over."""
        return [job for job in self.jobs.values() if lingers(job)]

    def progress(self, job: JobCopy) -> None:
        self._change(job)

    def finish(self, job: JobCopy, reason: str = "") -> JobCopy:
        """The attempt has ended, with this reason where it has failed."""
        spec = self.specs[job.spec]
        if job.cancel_requested:
            ended = self._end(job, CANCELLED, "CANCELLED")
        elif not reason:
            self._succeeded.add(job.id)
            ended = self._end(job, SUCCEEDED, "")
            if self.wrong("a terminal job moves on"):
                ended = self._change(ended, state=FAILED, reason="LATE")
        elif job.attempt >= spec.max_attempts and not self.wrong("attempts are not counted"):
            ended = self._end(job, FAILED, reason)
        else:
            ended = self._enter(job, reason=reason, attempts=_over(job, reason), cancel_requested=False)
        self._settle()
        return ended

    def finish_late(self, job: JobCopy) -> None:
        """A server that was taken for dead comes back with what its attempt has come to; nobody listens."""
        now = self.jobs.get(job.id)
        if now is not None and self.wrong("a late finish overwrites") and now.state in WAITING:
            self._change(now, state=SUCCEEDED, reason="", blocked_by=())

    def overrun(self, job: JobCopy) -> JobCopy:
        """The attempt is over, its function is not, and the next attempt waits for it."""
        name = f"attempts/{job.attempts[-1].number}"
        return self._change(job, state=BLOCKED, blocked_by=(name,), reason="TIMEOUT", attempts=_over(job, "TIMEOUT"))

    def let_go(self, job: JobCopy) -> None:
        """Its function has returned after all."""
        self._enter(job)

    def fall_due(self) -> None:
        for job in list(self.jobs.values()):
            if job.state == SCHEDULED:
                self._enter(job)
                return

    def fire(self) -> None:
        """A schedule makes a job."""
        self._fired += 1
        # Schedules have no unique keys.
        spec = _digested(msgspec.structs.replace(some_spec(self._chance, "", []), labels={}, unique_key=""))
        self.specs[spec.digest] = spec
        for _ in range(2 if self.wrong("a schedule fires twice for one time") else 1):
            self._make(spec, "often", self._fired)
        self._settle()

    def lose(self, number: int) -> list[JobCopy]:
        """A server dies, and another comes in its place. → what ran there."""
        boot = self.boots[number]
        if self.wrong("the last commits are lost with a server"):
            self._forget(self._chance.randint(1, 3))
        self.boots[number] = f"boot-{len(self.ever_booted) + 1}"
        self.ever_booted.append(self.boots[number])
        return self._give_back(boot, "SERVER_LOST")

    def lose_worker(self, number: int) -> list[JobCopy]:
        """A worker dies, and another comes in its place. → what ran there."""
        worker = self.workers[number]
        self.workers[number] = f"worker-{len(self.ever_joined) + 1}"
        self.ever_joined.append(self.workers[number])
        return self._give_back(worker, "WORKER_LOST")

    def _give_back(self, place: str, reason: str) -> list[JobCopy]:
        lost = [job for job in self.running() if place_of(job) == place]
        for job in lost:
            self.finish(self.jobs[job.id], reason)
        for job in self.lingering():
            if place_of(job) == place:
                self.let_go(job)
        return lost

    def meddle(self) -> None:
        """What nobody has asked for."""
        waiting = [job for job in self.jobs.values() if job.state in WAITING]
        if waiting and self.wrong("what waits is cancelled by itself"):
            self._change(self._chance.choice(waiting), state=CANCELLED, reason="CANCELLED", blocked_by=())

    def _taken(self, size: int) -> int:
        return max(size // 2, 1) if self.wrong("a batch is taken by halves") else size

    def _submit_one(self, asked: Asked, spec: SpecCopy) -> JobCopy:
        known = self._requests.get(asked.request_id)
        if known is not None and not self.wrong("request ids are forgotten"):
            return self._find(known)
        self.specs[spec.digest] = spec
        unique = [job for job in self.jobs.values() if self._has_key(job, spec.unique_key)]
        if unique and not self.wrong("unique keys are not looked at"):
            self._requests[asked.request_id] = unique[0].id
            return unique[0]
        job = self._make(spec)
        self._requests[asked.request_id] = job.id
        return job

    def _make(self, spec: SpecCopy, schedule: str = "", fire: int = 0) -> JobCopy:
        self._number += 1
        job = JobCopy(
            id=f"job-{self._number}",
            revision=0,
            state=SCHEDULED,
            digest=0,
            spec=spec.digest,
            schedule=schedule,
            fire=fire,
        )
        state, blocked_by = self._gate(job, spec)
        if self._chance.random() < 0.2:
            state, blocked_by = SCHEDULED, ()
        job = msgspec.structs.replace(job, state=state, blocked_by=blocked_by)
        self._record(EVENT_TYPE_CREATED, job, 0)
        return self.jobs[job.id]

    def _find(self, job_id: str) -> JobCopy:
        job = self.jobs.get(job_id)
        if job is None:
            raise Refused("NOT_FOUND", "JOB_NOT_FOUND")
        return job

    def _is_awaited(self, job_id: str) -> bool:
        return any(job_id in _waits_for(self.specs[one.spec]) for one in self.jobs.values() if one.state in WAITING)

    def _has_key(self, job: JobCopy, key: str) -> bool:
        return bool(key) and job.state not in TERMINAL and self.specs[job.spec].unique_key == key

    def _is_unique_taken(self, job: JobCopy) -> bool:
        key = self.specs[job.spec].unique_key
        return any(self._has_key(other, key) for other in self.jobs.values())

    def _has_slots(self, place: str, queue: str) -> bool:
        holders = [job for job in self.jobs.values() if job.state == RUNNING or lingers(job)]
        mine = sum(place_of(job) == place for job in holders)
        narrow = sum(self.specs[job.spec].queue == NARROW for job in holders)
        server = mine < SLOTS or self.wrong("slots of the server are not looked at")
        return server and (queue != NARROW or not narrow or self.wrong("slots of the queue are not looked at"))

    def _gate(self, job: JobCopy, spec: SpecCopy) -> tuple[int, tuple[str, ...]]:
        """What it waits for: nothing but a slot, or something that is named."""
        unmet = [one for one in _waits_for(spec) if one not in self._succeeded]
        if unmet and not self.wrong("dependencies are not looked at"):
            return BLOCKED, (f"jobs/{unmet[0]}",)
        others = [other for other in self.jobs.values() if other.id != job.id]
        in_line = [other for other in others if other.state in (QUEUED, RUNNING) or _waits_behind(other)]
        keys = [other for other in in_line if self.specs[other.spec].key == spec.key]
        if spec.key and keys and not self.wrong("slots of the key are not looked at"):
            return BLOCKED, (f"keys/{spec.key}",)
        holding = [other for other in others if other.state in (QUEUED, RUNNING) or lingers(other)]
        for claim in spec.resources:
            if any(_conflict(claim, other) for one in holding for other in self.specs[one.spec].resources):
                wrong = self.wrong("claims are not looked at")
                return (QUEUED, ()) if wrong else (BLOCKED, (f"resources/{claim.name}",))
        return QUEUED, ()

    def _settle(self) -> None:
        """Whoever may go on does."""
        for job in list(self.jobs.values()):
            job = self.jobs[job.id]
            if job.state != BLOCKED or lingers(job):
                continue
            spec = self.specs[job.spec]
            failed = [one for one in _waits_for(spec) if self._has_failed(one)]
            state, blocked_by = self._gate(job, spec)
            if failed and state == BLOCKED and blocked_by[0].startswith("jobs/"):
                self._change(job, state=FAILED, blocked_by=(), reason="DEPENDENCY_FAILED")
            elif (state, blocked_by) != (job.state, job.blocked_by):
                self._change(job, state=state, blocked_by=blocked_by)

    def _has_failed(self, job_id: str) -> bool:
        job = self.jobs.get(job_id)
        return job_id not in self._succeeded and (job is None or job.state in (FAILED, CANCELLED))

    def _enter(self, job: JobCopy, **changes: object) -> JobCopy:
        """It waits anew."""
        # Of its own it holds nothing while it is looked at.
        self.jobs[job.id] = msgspec.structs.replace(job, state=SCHEDULED, blocked_by=())
        state, blocked_by = self._gate(job, self.specs[job.spec])
        self.jobs[job.id] = job
        job = self._change(job, state=state, blocked_by=blocked_by, **changes)
        self._settle()
        return job

    def _end(self, job: JobCopy, state: int, reason: str) -> JobCopy:
        return self._change(job, state=state, reason=reason, cancel_requested=False, attempts=_over(job, reason))

    def _change(self, job: JobCopy, **changes: object) -> JobCopy:
        self._record(EVENT_TYPE_CHANGED, msgspec.structs.replace(job, **changes), job.state)
        return self.events[-1].job

    def _record(self, kind: int, job: JobCopy, previous_state: int) -> None:
        self.events.append(event(self.revision + 1, kind, job, previous_state))
        self._past[job.id] = self.jobs.get(job.id, self.events[-1].job)
        self.jobs[job.id] = self.events[-1].job

    def _forget(self, count: int) -> None:
        """The last events have never been."""
        for _ in range(min(count, self.revision)):
            gone = self.events.pop()
            earlier = [one for one in self.events if one.job.id == gone.job.id]
            if not earlier or earlier[-1].type == EVENT_TYPE_DELETED:
                self.jobs.pop(gone.job.id, None)
            else:
                self.jobs[gone.job.id] = earlier[-1].job


def event(revision: int, kind: int, job: JobCopy, previous_state: int) -> EventCopy:
    """An event whose copy has the digest of what it holds."""
    job = msgspec.structs.replace(job, revision=revision, digest=0)
    job = msgspec.structs.replace(job, digest=digest(msgspec.json.encode(job)))
    return EventCopy(revision, kind, job, previous_state, revision)


def lingers(job: JobCopy) -> bool:
    """Whether it waits for the function of its last attempt."""
    return job.state == BLOCKED and job.blocked_by[0].startswith("attempts/")


def place_of(job: JobCopy) -> str:
    """The worker or, where there is none, the server that has the last attempt."""
    return job.attempts[-1].worker or job.attempts[-1].server


def _waits_behind(job: JobCopy) -> bool:
    return job.state == BLOCKED and job.blocked_by[0].startswith(("resources/", "attempts/"))


def _over(job: JobCopy, reason: str) -> tuple[AttemptCopy, ...]:
    last = job.attempts[-1]
    return (*job.attempts[:-1], AttemptCopy(last.number, last.server, True, reason, last.worker))


def _waits_for(spec: SpecCopy) -> list[str]:
    return [one.job_id for one in spec.depends_on]


def _conflict(one: Claim, other: Claim) -> bool:
    wide = one.name.removesuffix("*") if one.name.endswith("*") else ""
    other_wide = other.name.removesuffix("*") if other.name.endswith("*") else ""
    same = one.name == other.name
    covers = (one.name.endswith("*") and other.name.startswith(wide)) or (
        other.name.endswith("*") and one.name.startswith(other_wide)
    )
    return (same or covers) and not (one.shared and other.shared)


def some_spec(chance: Random, request_id: str, earlier: list[str]) -> SpecCopy:
    """A spec as chance wills, for a request with this id."""
    queue = chance.choice(("default", "default", NARROW, KEYED))
    waits_for = chance.sample(earlier, min(len(earlier), chance.choice((0, 0, 0, 1))))
    spec = SpecCopy(
        digest=0,
        kind=chance.choice(("quick", "slow")),
        queue=queue,
        request=request_id,
        labels={"request": request_id},
        resources=tuple(
            Claim(name, chance.random() < 0.4)
            for name in chance.sample(("a", "b", "b/c", "b/*", "*"), chance.choice((0, 0, 1, 2)))
        ),
        depends_on=tuple(Dependency(one) for one in waits_for),
        key=chance.choice(("x", "y")) if queue == KEYED else "",
        unique_key=chance.choice(("", "", "", "only")),
        max_attempts=chance.randint(1, 3),
    )
    return _digested(spec)


def _digested(spec: SpecCopy) -> SpecCopy:
    return msgspec.structs.replace(spec, digest=digest(msgspec.json.encode(spec)))
