"""A naive model of what lets a job go on, or makes it wait: dependencies, keys, claims; and of unique keys, groups and
what is kept. Every question is answered anew by looking at all jobs as the events tell them; what is remembered is only
what the jobs as they are no longer show."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import combinations

from slotd_server.domain.job import Job
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Dependency, Ties

SHOWN = 20
"""How many of the things that it waits for a job names."""

_NO_TIES = Ties()
_KEPT = (State.SUCCEEDED, State.CANCELLED)


class Verdict(Enum):
    """What has become of a dependency."""

    OPEN = 1
    MET = 2
    FAILED = 3


def ties(job: Job) -> Ties:
    """Those of the job; a job without any has empty ones."""
    return job.spec.ties or _NO_TIES


def conflict(one: Claim, other: Claim) -> bool:
    """Whether two claims of different jobs can't be held at the same time."""
    return (_covers(one.name, other.name) or _covers(other.name, one.name)) and (one.exclusive or other.exclusive)


def _covers(wide: str, name: str) -> bool:
    return wide in ("*", name) or (wide.endswith("/*") and name.startswith(wide[:-1]))


def contested(job: Job, other: Job) -> tuple[str, ...]:
    """The names of the job's claims that conflict with the other's."""
    theirs = ties(other).resources
    return tuple(claim.name for claim in ties(job).resources if any(conflict(claim, one) for one in theirs))


def stays_queued(before: Job, job: Job) -> bool:
    """Whether Update left it where it was, with all that it holds."""
    return before.state is job.state is State.QUEUED and before.spec.queue == job.spec.queue


def in_line_for(job: Job) -> str:
    """At which gate a BLOCKED job waits: "attempts", "jobs", "groups", "keys" or "resources"; "" for any other."""
    return job.blocked_by[0].partition("/")[0] if job.state is State.BLOCKED else ""


class Orchestration:
    """`jobs` and `queues` are the model's own and change under it; `lingers` says of a job id whether a function of
    that job outlives its attempt."""

    def __init__(self, jobs: Mapping[str, Job], queues: Mapping[str, Queue], lingers: Callable[[str], bool]) -> None:
        self._jobs = jobs
        self._queues = queues
        self._lingers = lingers
        self.forming: frozenset[str] = frozenset()
        """Groups to which a batch adds that is being taken: nothing is decided of them yet."""
        self._met: set[tuple[str, int]] = set()
        # Who took a unique key last. One that was replaced has lost it, though its period may not be over.
        self._takers: dict[str, str] = {}
        # At which revision a job ended, and the queues in which one has ended in this change.
        self._ends: dict[str, int] = {}
        self._ended: set[str] = set()

    def on(self, jobs: Mapping[str, Job]) -> "Orchestration":
        """The same as it is now, on jobs of its own: as they are now, or might be."""
        other = Orchestration(jobs, self._queues, self._lingers)
        other._met, other._takers = set(self._met), dict(self._takers)
        return other

    # Who holds what.

    def holds(self, job: Job) -> bool:
        """Whether it holds its claims."""
        return job.state in (State.QUEUED, State.RUNNING) or self._lingers(job.id)

    def is_in_line(self, job: Job) -> bool:
        """Whether it holds its claims, or has come as far as to wait for them."""
        return self.holds(job) or in_line_for(job) == "resources"

    def has_key_slot(self, job: Job) -> bool:
        """Whether it counts among those of its key."""
        return self.is_in_line(job)

    def ahead(self, job: Job) -> list[Job]:
        """Those that the job has to wait for because of its claims, in order of submission."""
        return [
            other
            for other in self._others(job)
            if (self.holds(other) or (in_line_for(other) == "resources" and other.seq < job.seq))
            and contested(job, other)
        ]

    # What becomes of dependencies.

    def verdict(self, edge: Dependency) -> Verdict:
        """What has become of what the edge leads to, as things are now."""
        targets = self._targets(edge)
        if not targets and not edge.group:
            return Verdict.FAILED
        if not all(job.state.terminal for job in targets):
            return Verdict.OPEN
        if not edge.success or all(job.state is State.SUCCEEDED for job in targets):
            return Verdict.MET
        return Verdict.OPEN if edge.patient else Verdict.FAILED

    def unmet(self, job: Job) -> list[Dependency]:
        """What the job still waits for, in the order of its spec. An edge that was met once stays met."""
        return [edge for at, edge in enumerate(ties(job).depends_on) if (job.id, at) not in self._met]

    def failed(self, job: Job) -> list[str]:
        """What the job can no longer wait for."""
        return [edge.target for edge in self.unmet(job) if self.verdict(edge) is Verdict.FAILED]

    def look_at_edges(self) -> None:
        """Note which edges are met by now, of all jobs that have not ended."""
        for job in self._jobs.values():
            if not job.state.terminal:
                self._look_at_edges(job)

    def moved(self, before: Job | None, job: Job) -> None:
        """Note who has a unique key, and which edges of a new job, or of one that goes on, are met. What becomes of
        the others meanwhile counts as it is when the change has ended."""
        unique = ties(job).unique
        if unique is not None and (before is None or (before.state.terminal and not job.state.terminal)):
            self._takers[unique.key] = job.id
        if job.state in _KEPT:
            self._ends[job.id] = job.revision
            self._ended.add(job.spec.queue)
        if before is None or job.state is State.QUEUED:
            self._look_at_edges(job, self.forming)

    def _look_at_edges(self, job: Job, besides: frozenset[str] = frozenset()) -> None:
        for at, edge in enumerate(ties(job).depends_on):
            if edge.group not in besides and self.verdict(edge) is Verdict.MET:
                self._met.add((job.id, at))

    def dependents(self, job: Job) -> list[Job]:
        """Those that have not ended and depend on the job."""
        return [
            other
            for other in self._others(job)
            if not other.state.terminal and any(edge.job_id == job.id for edge in ties(other).depends_on)
        ]

    def failed_because_of(self, job: Job) -> set[str]:
        """The ids of those that have FAILED because of the job, and because of those."""
        found = {job.id}
        while more := {other.id for other in self._jobs.values() if self._is_blamed_on(other, found)} - found:
            found |= more
        return found - {job.id}

    def _is_blamed_on(self, job: Job, culprits: set[str]) -> bool:
        if job.state is not State.FAILED or job.failure is None or job.failure.reason != "DEPENDENCY_FAILED":
            return False
        return any(
            edge.job_id in culprits or any(member.id in culprits for member in self.group(edge.group))
            for edge in self.unmet(job)
        )

    def closes_circle(self, job: Job) -> bool:
        """Whether the job waits, by way of others, for itself."""
        seen: set[str] = set()
        left = list(self._awaited(job))
        while left:
            other = left.pop()
            if other.id == job.id:
                return True
            if other.id not in seen:
                seen.add(other.id)
                left += self._awaited(other)
        return False

    def _awaited(self, job: Job) -> Iterator[Job]:
        for edge in self.unmet(job):
            targets = self._targets(edge)
            yield from (target for target in targets if not target.state.terminal)

    def _targets(self, edge: Dependency) -> list[Job]:
        if edge.group:
            return self.group(edge.group)
        return [self._jobs[edge.job_id]] if edge.job_id in self._jobs else []

    # Groups and unique keys.

    def group(self, name: str) -> list[Job]:
        """Its jobs."""
        return [job for job in self._jobs.values() if name and ties(job).group == name]

    def owner(self, key: str, now: int) -> Job | None:
        """The job that has the unique key: the last that took it, until it has ended and its period is over."""
        job = self._jobs.get(self._takers.get(key, ""))
        if job is None:
            return None
        unique = ties(job).unique
        assert unique is not None
        past = unique.period is None or now >= job.create_time + unique.period
        return None if job.state.terminal and past else job

    # What each event may be, and what must be so when a change has ended.

    def check_move(self, before: Job | None, job: Job) -> None:
        """Whether the rules let a job become what it becomes next; the others are as they were."""
        if job.failure is not None and job.failure.reason == "DEPENDENCY_FAILED" and job.state is State.FAILED:
            failed = self.failed(job)
            assert failed, "it failed because of a dependency, and none has failed"
            assert any(target in job.failure.message for target in failed), "it blames what has not failed"
        if self._goes_past_key_gate(before, job):
            self._check_key(job)
        if job.state is State.QUEUED:
            assert not self._lingers(job.id), "it is QUEUED beside its own zombie"
            assert all(self.verdict(edge) is Verdict.MET for edge in self.unmet(job)), "QUEUED before its dependencies"
            assert not self.ahead(job), "it took its claims past one that conflicts"

    def is_past(self, job: Job, now: int) -> bool:
        """Whether an ended job need not be kept any longer: because of its age, or of how many its queue keeps."""
        keep = self._queues.get(job.spec.queue, Queue(job.spec.queue)).retain_count
        by_age = job.expire_time is not None and job.expire_time <= now
        return by_age or (keep is not None and job in self._ended_in(job.spec.queue)[keep:])

    def check_settled(self, now: int) -> None:
        """Whether all went on that might, and nobody else."""
        for job in self._jobs.values():
            if job.state.waiting:
                self._check_waiting(job, now)
                assert not self.closes_circle(job), "it waits for itself"
        holders = [job for job in self._jobs.values() if ties(job).resources and self.holds(job)]
        for one, other in combinations(holders, 2):
            assert not contested(one, other), "two hold claims that conflict"
        taken = [unique.key for job in self._jobs.values() if not job.state.terminal and (unique := ties(job).unique)]
        assert len(taken) == len(set(taken)), "two have the same unique key"
        for queue in self._queues.values():
            self._check_kept(queue)
        self._ended.clear()

    def _goes_past_key_gate(self, before: Job | None, job: Job) -> bool:
        if not ties(job).key or not self.has_key_slot(job) or self._lingers(job.id) or job.state is State.RUNNING:
            return False
        # One that ran and goes on at once has given its place back.
        return before is None or not (in_line_for(before) == "resources" or stays_queued(before, job))

    def _check_key(self, job: Job) -> None:
        limit = self._slots_per_key(job)
        if limit is None:
            return
        same = self._of_same_key(job)
        assert sum(map(self.has_key_slot, same)) < limit, "more of a key go on than have a slot"
        waiting = [other for other in same if in_line_for(other) == "keys"]
        assert all(_key_order(job) <= _key_order(other) for other in waiting), "overtaken in the line of a key"

    def _check_waiting(self, job: Job, now: int) -> None:
        if job.state is State.SCHEDULED:
            assert job.schedule_time is not None
            assert job.schedule_time > now, "its time has come, and nobody told it"
            assert not self.failed(job), "what it depends on has failed, and it still waits"
        elif self._lingers(job.id):
            assert job.blocked_by == (f"attempts/{job.attempts[-1].number}",)
        elif unmet := self.unmet(job):
            assert not self.failed(job), "what it depends on has failed, and it still waits"
            assert job.blocked_by == tuple(edge.target for edge in unmet[:SHOWN])
        elif in_line_for(job) == "keys":
            limit = self._slots_per_key(job)
            assert job.blocked_by == (f"keys/{ties(job).key}",)
            assert limit is not None, "it waits for a slot of its key, which has no limit"
            assert sum(map(self.has_key_slot, self._of_same_key(job))) >= limit, "a slot of its key was left lying"
        elif in_line_for(job) == "resources":
            behind = [tuple(f"resources/{name}" for name in contested(job, other)) for other in self.ahead(job)]
            assert behind, "it waits for claims that nobody holds"
            assert job.blocked_by in [names[:SHOWN] for names in behind], "it waits behind nobody"
        else:
            assert job.state is State.QUEUED, "it waits for nothing"

    def _check_kept(self, queue: Queue) -> None:
        if queue.retain_count is None or queue.name not in self._ended:
            return
        surplus = self._ended_in(queue.name)[queue.retain_count :]
        assert all(self.dependents(job) or self._lingers(job.id) for job in surplus), "more are kept than wanted"

    def _ended_in(self, queue: str) -> list[Job]:
        """Its jobs that SUCCEEDED or were CANCELLED, the newest end first."""
        ended = [job for job in self._jobs.values() if job.spec.queue == queue and job.state in _KEPT]
        return sorted(ended, key=lambda job: -self._ends[job.id])

    def _slots_per_key(self, job: Job) -> int | None:
        return self._queues.get(job.spec.queue, Queue(job.spec.queue)).slots_per_key

    def _of_same_key(self, job: Job) -> list[Job]:
        return [
            other
            for other in self._others(job)
            if other.spec.queue == job.spec.queue and ties(other).key == ties(job).key
        ]

    def _others(self, job: Job) -> list[Job]:
        return [other for other in self._jobs.values() if other.id != job.id]


def _key_order(job: Job) -> tuple[int, int]:
    return -job.spec.priority, job.seq
