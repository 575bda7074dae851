"""What callers ask of schedules, and their firings, each in terms of a Change. A firing makes its job and moves the
schedule on in one transaction: after a crash both have happened, or neither."""

from collections.abc import Sequence
from operator import attrgetter

from slotd_server import requests
from slotd_server.change import Change
from slotd_server.domain.commands import (
    Cancel,
    CreateSchedule,
    DeleteSchedule,
    GetSchedule,
    ListSchedules,
    Submit,
    TriggerSchedule,
    UpdateSchedule,
)
from slotd_server.domain.errors import (
    InvalidArgument,
    NotFound,
    RevisionMismatch,
    ScheduleExists,
    ScheduleOverlap,
    ServiceError,
    StoreFull,
    StoreUnavailable,
)
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Draft
from slotd_server.domain.schedule import RECENT, Overlap, Schedule, Settings, check, due_time, missed, next_after
from slotd_server.domain.ties import Dependency, Ties

_STEP = 100
"""How many firings one change carries out at most."""

_PUNCTUAL = 10 * SECOND
"""What comes late by no more than this has not been missed: nothing happens on the dot, and many may be due at once."""

_when = attrgetter("cron", "interval", "time_zone", "start_time", "end_time", "paused")


def create(change: Change, command: CreateSchedule) -> Schedule:
    """It fires from now on."""
    name, settings = command.schedule.name, command.schedule.settings
    if change.tx.schedule(name) is not None:
        raise ScheduleExists(name)
    _refuse_if_wrong(settings)
    if next_after(settings, change.now, change.now) is None:
        raise InvalidArgument(
            ("schedule.cron" if settings.end_time is None else "schedule.end_time", "never fires again")
        )
    schedule = _from_now_on(change, Schedule(name, settings, change.now, change.now, revision=1))
    return schedule if command.validate_only else _put(change, schedule)


def update(change: Change, command: UpdateSchedule) -> Schedule:
    """Where the times change, they do so from now on; firings that are due already are not taken back."""
    schedule = _find(change, command.name)
    if command.revision not in (0, schedule.revision):
        raise RevisionMismatch("schedule", schedule.name, schedule.revision, command.revision)
    settings = _changed(schedule.settings, command)
    _refuse_if_wrong(settings)
    if settings == schedule.settings:
        return schedule
    if _when(settings) != _when(schedule.settings):
        schedule, _ = _carry_out(change, schedule, _STEP)
        schedule = _from_now_on(change, schedule._replace(settings=settings))
    return _put(change, schedule._replace(settings=settings, update_time=change.now, revision=schedule.revision + 1))


def delete(change: Change, command: DeleteSchedule) -> None:
    """The jobs that it made stay."""
    change.tx.delete_schedule(_find(change, command.name).name)


def get(change: Change, command: GetSchedule) -> Schedule:
    """The schedule as it is at this point of the change."""
    return _find(change, command.name)


def list_schedules(change: Change, command: ListSchedules) -> list[Schedule]:
    """Likewise."""
    return change.tx.schedules(command.after, command.limit)


def trigger(change: Change, command: TriggerSchedule) -> Job:
    """A firing that leaves the times as they are. What refuses it is not counted as skipped: the caller is told."""
    schedule = _find(change, command.name)
    draft = schedule.settings.draft._replace(request_id=command.request_id, fingerprint=command.fingerprint)
    if command.request_id and change.tx.request(command.request_id) is not None:
        (job,) = requests.submit(change, Submit((draft,)))
        return job
    schedule, job = _make(change, schedule, draft, change.now)
    change.tx.advance_schedules([schedule])
    return job


def fall_due(change: Change) -> None:
    """Carry out firings whose time has come, some at a time. After `Change.fall_due`, which looks when that is."""
    if change.agenda.due is None or change.agenda.due > change.now:
        return
    left = _STEP
    after = []
    for schedule in change.tx.due_schedules(change.now, _STEP):
        moved, number = _carry_out(change, schedule, left)
        after.append(moved)
        left -= number
        if left == 0:
            break
    if after:
        change.tx.advance_schedules(after)
        change.agenda = change.agenda._replace(due=change.tx.next_due())


def _carry_out(change: Change, schedule: Schedule, limit: int) -> tuple[Schedule, int]:
    """The schedule without what it has missed, after up to `limit` firings that are due; and how many there were."""
    skipped, following = missed(schedule, change.now - max(schedule.settings.catch_up_window, _PUNCTUAL))
    if skipped:
        schedule = schedule._replace(
            next_time=following, skipped=schedule.skipped + skipped, revision=schedule.revision + 1
        )
    number = 0
    while number < limit and (due := due_time(schedule)) is not None and due <= change.now:
        number += 1
        schedule = _fire(change, schedule)
    return schedule, number


def _fire(change: Change, schedule: Schedule) -> Schedule:
    """The schedule after its next firing, which makes a job unless that is refused."""
    nominal = schedule.next_time
    assert nominal is not None
    moved = schedule._replace(next_time=next_after(schedule.settings, schedule.create_time, nominal))
    try:
        moved, _ = _make(change, moved, schedule.settings.draft, nominal)
    except (StoreFull, StoreUnavailable):
        raise
    except ServiceError:
        # A full queue, or an earlier job: nobody waits for an answer.
        return moved._replace(skipped=moved.skipped + 1, revision=moved.revision + 1)
    return moved


def _make(change: Change, schedule: Schedule, draft: Draft, fire_time: int) -> tuple[Schedule, Job]:
    """The schedule after it made a job, and the job. Raises ScheduleOverlap, and what `requests.submit` raises."""
    overlap = schedule.settings.overlap
    earlier = [] if overlap is Overlap.ALLOW else change.tx.unended((*schedule.recent, *schedule.lasting))
    if not _allows(overlap, earlier):
        raise ScheduleOverlap(schedule.name, earlier[0].id)
    ties = (draft.ties or Ties())._replace(
        schedule=schedule.name,
        fire_time=fire_time,
        depends_on=tuple(Dependency(job_id=one.id, success=False) for one in earlier),
    )
    (job,) = requests.submit(change, Submit((draft._replace(ties=ties),)))
    # Only now: where the new job is refused, the earlier one goes on.
    if overlap is Overlap.CANCEL_OLD:
        for one in earlier:
            requests.cancel(change, Cancel(one.id))
    recent = (job.id, *schedule.recent)[:RECENT]
    after = schedule._replace(
        last_time=fire_time,
        recent=recent,
        lasting=tuple(one.id for one in earlier if one.id not in recent),
        fired=schedule.fired + 1,
        revision=schedule.revision + 1,
    )
    return after, job


def _allows(overlap: Overlap, earlier: Sequence[Job]) -> bool:
    """Whether the policy makes a job while these have not ended."""
    match overlap:
        case Overlap.SKIP:
            return not earlier
        case Overlap.QUEUE_ONE:
            return not _one_waits(earlier)
        case Overlap.ALLOW | Overlap.CANCEL_OLD:
            return True


def _one_waits(jobs: Sequence[Job]) -> bool:
    """Whether one of these waits for another to end."""
    ids = {job.id for job in jobs}
    return any(
        dependency.job_id in ids
        for job in jobs
        if job.state.waiting and job.spec.ties is not None
        for dependency in job.spec.ties.depends_on
    )


def _from_now_on(change: Change, schedule: Schedule) -> Schedule:
    # A time that it fired for is not fired for again, though the clock has been set back since.
    after = max(change.now, schedule.last_time or 0)
    settings = schedule.settings
    return schedule._replace(next_time=None if settings.paused else next_after(settings, schedule.create_time, after))


def _changed(settings: Settings, command: UpdateSchedule) -> Settings:
    changes = {field: getattr(command.settings, field) for field in command.fields}
    # Setting one of them unsets the other.
    if changes.get("cron"):
        changes.setdefault("interval", None)
    elif changes.get("interval") is not None:
        changes.setdefault("cron", "")
    return settings._replace(**changes)


def _refuse_if_wrong(settings: Settings) -> None:
    if bool(settings.cron) == (settings.interval is not None):
        raise InvalidArgument(("schedule.cron", "exactly one of cron and interval has to be set"))
    wrong = check(settings)
    if wrong:
        raise InvalidArgument(*((f"schedule.{field}", what) for field, what in wrong))


def _find(change: Change, name: str) -> Schedule:
    schedule = change.tx.schedule(name)
    if schedule is None:
        raise NotFound("schedule", name)
    return schedule


def _put(change: Change, schedule: Schedule) -> Schedule:
    change.tx.put_schedule(schedule)
    due = due_time(schedule)
    if due is not None and (change.agenda.due is None or due < change.agenda.due):
        change.agenda = change.agenda._replace(due=due)
    return schedule
