"""Rules about one job: each event of the log against the one before it."""

from collections.abc import Sequence

from slotd.v1 import EVENT_TYPE_CHANGED
from tests.faults.checker.log import CREATED, DELETED
from tests.faults.checker.records import AttemptCopy, EventCopy, JobCopy, SpecCopy
from tests.faults.checker.states import CANCELLED, FAILED, MOVES, RUNNING, SUCCEEDED, TERMINAL, WAITING, name
from tests.faults.checker.verdicts import Verdicts

_CHANGED = int(EVENT_TYPE_CHANGED)
_KEPT = 32
"""How many of its attempts a job remembers."""


class Life:
    """Notes by the way what somebody must have asked for: `changed` by Update, `retried`, `cancelled` and `deleted`,
    each with the revision at which it showed first; a deletion with the time at which it came, in microseconds."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self.changed: dict[str, int] = {}
        self.retried: dict[str, tuple[int, str]] = {}
        """With the reason for which it had failed."""
        self.cancelled: dict[str, int] = {}
        self.deleted: dict[str, tuple[int, int, int]] = {}
        """With the time, and the time at which it was to vanish by itself (0: never)."""

    def check(self, event: EventCopy, before: JobCopy | None, spec: SpecCopy, known: bool) -> None:
        """`known` says that the job was there once; `before` is None also where it is gone."""
        job = event.job
        if job.revision != event.revision:
            self._verdicts.add("log", f"the copy of {job.id} at revision {event.revision} says {job.revision}")
        if event.type == CREATED:
            self._check_created(event, spec, known)
        elif before is None:
            self._verdicts.add("identity", f"revision {event.revision}: {job.id} is not there")
        elif event.type in (_CHANGED, DELETED):
            if event.previous_state != before.state:
                states = f"{name(before.state)}, not {name(event.previous_state)}"
                self._verdicts.add("path", f"revision {event.revision}: {job.id} was {states}")
            if event.type == DELETED:
                self._check_deleted(event, before)
            else:
                self._check_change(before, job, spec)
        else:
            self._verdicts.add("log", f"revision {event.revision} is of type {event.type}")
        self._check_lease(job)

    def _check_created(self, event: EventCopy, spec: SpecCopy, known: bool) -> None:
        job = event.job
        if not spec.request and not (job.schedule and job.fire):
            self._verdicts.add("unasked", f"revision {event.revision}: {job.id} is of no request and of no schedule")
        if known:
            self._verdicts.add("identity", f"revision {event.revision}: {job.id} is made again")
        if job.state not in WAITING or event.previous_state:
            self._verdicts.add("path", f"revision {event.revision}: {job.id} begins as {name(job.state)}")
        if job.attempt or job.attempts:
            self._verdicts.add("attempt", f"revision {event.revision}: {job.id} begins with attempts")

    def _check_deleted(self, event: EventCopy, before: JobCopy) -> None:
        if before.state not in TERMINAL or event.job.state != before.state:
            what = f"{event.job.id} was deleted while {name(before.state)}"
            self._verdicts.add("path", f"revision {event.revision}: {what}")
        self.deleted.setdefault(before.id, (event.revision, event.time, before.expire))

    def _check_change(self, before: JobCopy, job: JobCopy, spec: SpecCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        if job.spec != before.spec:
            self.changed.setdefault(job.id, job.revision)
        if before.state in TERMINAL:
            self._check_again(before, job)
        elif job.state == before.state:
            self._check_note(before, job)
        elif job.state in MOVES[before.state]:
            self._check_move(before, job, spec)
        elif {before.state, job.state} <= WAITING:
            self.changed.setdefault(job.id, job.revision)
        else:
            self._verdicts.add("path", f"{where} went from {name(before.state)} to {name(job.state)}")
        if job.state == RUNNING != before.state:
            self._check_start(before, job, spec)
        elif before.state == RUNNING != job.state:
            self._check_leaving(before, job, spec)
        elif job.attempts != before.attempts:
            self._verdicts.add("attempt", f"{where} has other attempts than before: {job.attempts}")
        if (job.cancel_requested and not before.cancel_requested) or (job.state == CANCELLED != before.state):
            self.cancelled.setdefault(job.id, job.revision)

    def _check_again(self, before: JobCopy, job: JobCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        if job.state not in MOVES[before.state]:
            self._verdicts.add("terminal", f"{where} was {name(before.state)} and is {name(job.state)}")
            return
        self.retried.setdefault(job.id, (job.revision, before.reason))
        if job.attempt:
            self._verdicts.add("attempt", f"{where} begins again with attempt {job.attempt}")

    def _check_note(self, before: JobCopy, job: JobCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        if job.attempt != before.attempt:
            self._verdicts.add("attempt", f"{where} had attempt {before.attempt} and has {job.attempt}")
        if before.cancel_requested and not job.cancel_requested:
            self._verdicts.add("path", f"{where} is not to be cancelled any more")
        same = job.blocked_by == before.blocked_by and job.state != RUNNING
        if same and job.spec == before.spec:
            self.changed.setdefault(job.id, job.revision)

    def _check_move(self, before: JobCopy, job: JobCopy, spec: SpecCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        if before.state == RUNNING and before.cancel_requested != (job.state == CANCELLED):
            asked = "was" if before.cancel_requested else "was not"
            self._verdicts.add("path", f"{where} {asked} to be cancelled and became {name(job.state)}")
        if job.state in TERMINAL and bool(job.reason) != (job.state != SUCCEEDED):
            self._verdicts.add("path", f"{where} is {name(job.state)} because of {job.reason!r}")
        if job.cancel_requested and job.state != RUNNING:
            self._verdicts.add("path", f"{where} is {name(job.state)} and still to be cancelled")

    def _check_start(self, before: JobCopy, job: JobCopy, spec: SpecCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        if job.attempt != before.attempt + 1 or job.attempt > spec.max_attempts:
            what = f"attempt {job.attempt} of {spec.max_attempts} after attempt {before.attempt}"
            self._verdicts.add("attempt", f"{where} started {what}")
        if _ids(job.attempts[:-1]) != _ids(before.attempts)[-(_KEPT - 1) :]:
            self._verdicts.add("attempt", f"{where} forgot an earlier attempt")

    def _check_leaving(self, before: JobCopy, job: JobCopy, spec: SpecCopy) -> None:
        where = f"revision {job.revision}: {job.id}"
        counted = job.attempt == before.attempt
        if not counted and (job.attempt != before.attempt - 1 or job.state not in WAITING):
            self._verdicts.add("attempt", f"{where} left attempt {before.attempt} as {job.attempt}")
        if counted and job.state in WAITING and before.attempt >= spec.max_attempts:
            self._verdicts.add("attempt", f"{where} goes on after the last of {spec.max_attempts} attempts")
        same = _ids(job.attempts) == _ids(before.attempts) and job.attempts[:-1] == before.attempts[:-1]
        if not same:
            self._verdicts.add("attempt", f"{where} has another attempt than the one that ran")
        elif job.state == FAILED and job.attempts and not job.attempts[-1].reason:
            self._verdicts.add("attempt", f"{where} FAILED, and its attempt did not")

    def _check_lease(self, job: JobCopy) -> None:
        live = [one for one in job.attempts if not one.ended]
        where = f"revision {job.revision}: {job.id}"
        if job.state != RUNNING:
            if live:
                self._verdicts.add("lease", f"{where} is {name(job.state)}, and attempt {live[0].number} is live")
        elif len(live) != 1 or live[0] is not job.attempts[-1] or live[0].number != job.attempt or not live[0].server:
            self._verdicts.add("lease", f"{where} runs attempt {job.attempt} with live attempts {live}")


def _ids(attempts: Sequence[AttemptCopy]) -> list[tuple[int, str]]:
    return [(one.number, one.server) for one in attempts]
