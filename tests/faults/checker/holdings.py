"""Rules between jobs: what they hold of slots, keys, claims, unique keys and schedules' times, revision by revision."""

from array import array
from collections import Counter
from typing import NamedTuple

from tests.faults.checker.log import CREATED, DELETED
from tests.faults.checker.records import EventCopy, JobCopy, Limit, SpecCopy
from tests.faults.checker.resources import Claims
from tests.faults.checker.states import BLOCKED, QUEUED, RUNNING, SCHEDULED, SUCCEEDED, TERMINAL
from tests.faults.checker.verdicts import Verdicts


class _Held(NamedTuple):
    """What a job holds at one revision; empty where it holds none."""

    server: str
    queue: str
    key: tuple[str, str] | None
    claims: bool


_NOTHING = _Held("", "", None, False)


class _Peaks:
    """How many hold something, and the most that ever did."""

    def __init__(self) -> None:
        self.now: Counter[object] = Counter()
        self.most: dict[object, tuple[int, int]] = {}
        """With the revision at which there were so many first."""

    def change(self, before: object, after: object, revision: int) -> None:
        if before == after:
            return
        if before:
            self.now[before] -= 1
        if after:
            self.now[after] += 1
            if self.now[after] > self.most.get(after, (0, 0))[0]:
                self.most[after] = self.now[after], revision


class Holdings:
    """Fed with the log. A zombie counts as long as it shows: while its job is BLOCKED on it."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._held: dict[str, _Held] = {}
        self._claims = Claims()
        self._unique: dict[str, str] = {}
        self._fired: dict[tuple[str, int], str] = {}
        self._ended: set[str] = set()
        self._succeeded: set[str] = set()
        self._running: Counter[str] = Counter()
        self.ran: dict[str, tuple[array[int], array[int]]] = {}
        """By server: from which revisions on how many of its jobs were RUNNING, those of its workers aside."""
        self.servers = _Peaks()
        self.queues = _Peaks()
        self.keys = _Peaks()

    def add(self, event: EventCopy, before: JobCopy | None, spec: SpecCopy) -> None:
        """The next event."""
        job = event.job
        gone = event.type == DELETED
        self._check_unique(job, spec, gone)
        if event.type == CREATED and job.schedule:
            self._check_fired(job)
        if spec.depends_on and not gone:
            self._check_dependencies(before, job, spec)
        if job.state in TERMINAL:
            self._ended.add(job.id)
            if job.state == SUCCEEDED:
                self._succeeded.add(job.id)
        self._count_running(before, job)
        was = self._held.get(job.id, _NOTHING)
        held = _NOTHING if gone else _held(job, spec)
        if was == held:
            return
        revision = event.revision
        self.servers.change(was.server, held.server, revision)
        self.queues.change(was.queue, held.queue, revision)
        self.keys.change(was.key, held.key, revision)
        if held.claims and not was.claims:
            conflict = self._claims.conflict(job.id, spec.resources)
            if conflict is not None:
                other, name = conflict
                self._verdicts.add("claims", f"revision {revision}: {job.id} has {name}, which {other} holds")
            self._claims.hold(job.id, spec.resources)
        elif was.claims and not held.claims:
            self._claims.release(job.id)
        if held == _NOTHING:
            del self._held[job.id]
        else:
            self._held[job.id] = held

    def _count_running(self, before: JobCopy | None, job: JobCopy) -> None:
        ran = before is not None and before.state == RUNNING
        if ran == (job.state == RUNNING) or not job.attempts or job.attempts[-1].worker:
            return
        server = job.attempts[-1].server
        self._running[server] += -1 if ran else 1
        revisions, counts = self.ran.setdefault(server, (array("L"), array("l")))
        revisions.append(job.revision)
        counts.append(self._running[server])

    def check_limits(self, limits: list[Limit], told: dict[str, int]) -> None:
        """What was held at most against `limits`; and servers without one against what they told of their pools."""
        declared = {limit.server: limit.slots for limit in limits if limit.server}
        for server, slots in (told | declared).items():
            self._check_most("server-slots", f"server {server}", self.servers.most.get(server), slots)
        for limit in limits:
            if limit.queue:
                self._check_most("queue-slots", f"queue {limit.queue}", self.queues.most.get(limit.queue), limit.slots)
                for key, most in self.keys.most.items():
                    if isinstance(key, tuple) and key[0] == limit.queue:
                        self._check_most("key-slots", f"key {key[1]} of queue {key[0]}", most, limit.slots_per_key)

    def _check_most(self, kind: str, who: str, most: tuple[int, int] | None, limit: int) -> None:
        if most is not None and 0 <= limit < most[0]:
            self._verdicts.add(kind, f"revision {most[1]}: {most[0]} hold slots of {who}, which has {limit}")

    def _check_unique(self, job: JobCopy, spec: SpecCopy, gone: bool) -> None:
        key = spec.unique_key
        if not key:
            return
        other = self._unique.get(key)
        if job.state in TERMINAL or gone:
            if other == job.id:
                del self._unique[key]
        elif other in (None, job.id):
            self._unique[key] = job.id
        else:
            self._verdicts.add("unique", f"revision {job.revision}: {job.id} has {key}, and so has {other}")

    def _check_fired(self, job: JobCopy) -> None:
        other = self._fired.setdefault((job.schedule, job.fire), job.id)
        if other != job.id:
            what = f"{job.schedule} made {other} and {job.id} for one time"
            self._verdicts.add("firing", f"revision {job.revision}: {what}")

    def _check_dependencies(self, before: JobCopy | None, job: JobCopy, spec: SpecCopy) -> None:
        if not _is_past_dependencies(job) or (before is not None and _is_past_dependencies(before)):
            return
        for one in spec.depends_on:
            met = self._ended if one.ended else self._succeeded
            if one.job_id and one.job_id not in met:
                self._verdicts.add("dependency", f"revision {job.revision}: {job.id} did not wait for {one.job_id}")


def _held(job: JobCopy, spec: SpecCopy) -> _Held:
    waits_for = job.blocked_by[0] if job.state == BLOCKED and job.blocked_by else ""
    lingers = waits_for.startswith("attempts/")
    runs = job.state == RUNNING or lingers
    goes_on = runs or job.state == QUEUED
    if not goes_on and not waits_for.startswith("resources/"):
        return _NOTHING
    # Those of workers are held by what the workers themselves have noted.
    server = job.attempts[-1].server if runs and job.attempts and not job.attempts[-1].worker else ""
    return _Held(
        server,
        spec.queue if runs else "",
        (spec.queue, spec.key) if spec.key else None,
        goes_on and bool(spec.resources),
    )


def _is_past_dependencies(job: JobCopy) -> bool:
    if job.state == BLOCKED:
        return bool(job.blocked_by) and job.blocked_by[0].startswith(("keys/", "resources/"))
    return job.state not in TERMINAL and job.state != SCHEDULED
