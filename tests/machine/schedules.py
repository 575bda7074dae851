"""A naive model of schedules: all their times are counted one by one, and each of them either made a job or was skipped
for a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import DEFAULT_QUEUE
from slotd_server.domain.schedule import Overlap, Schedule, Settings
from tests.machine.orchestration import ties

CRONS = {"*/5 * * * *": (300, 0), "30 */4 * * * *": (240, 30)}
"""What the machine uses, as seconds between firings, and from midnight UTC to the first."""

_PUNCTUAL = 10 * SECOND
"""What is late by no more than this is never missed."""

_TIMES = {"cron", "interval", "start_time", "end_time", "paused"}


@dataclass
class _Known:
    settings: Settings
    create_time: int
    next_time: int | None
    last_time: int = 0
    fired: int = 0
    skipped: int = 0
    triggered: int = 0
    fire_times: set[int] = field(default_factory=set)
    # Those of an earlier schedule of that name are none of its own.
    jobs: set[str] = field(default_factory=set)


class Schedules:
    """`jobs` are the model's own and change under it."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        self._known: dict[str, _Known] = {}

    def created(self, name: str, settings: Settings, now: int) -> None:
        """There is a new schedule."""
        assert name not in self._known, "two have the same name"
        self._known[name] = _Known(settings, now, _next_after(settings, now, now))

    def updated(self, name: str, settings: Settings, fields: Iterable[str], now: int) -> None:
        """The fields of a schedule are these from now on. Setting cron unsets interval, and the other way round."""
        known = self._known[name]
        changes = {one: getattr(settings, one) for one in fields}
        if changes.get("cron"):
            changes["interval"] = None
        elif changes.get("interval"):
            changes["cron"] = ""
        before, known.settings = known.settings, known.settings._replace(**changes)
        if any(getattr(before, one) != getattr(known.settings, one) for one in _TIMES):
            known.next_time = _next_after(known.settings, known.create_time, max(now, known.last_time))

    def deleted(self, name: str) -> None:
        """The schedule is gone."""
        del self._known[name]

    def triggered(self, name: str) -> None:
        """Somebody had it fire."""
        self._known[name].triggered += 1

    def made(self, job: Job, now: int, *, triggered: bool) -> None:
        """It has made a job."""
        known = self._known[ties(job).schedule]
        time = ties(job).fire_time
        assert time is not None
        if triggered:
            assert time == now
        else:
            assert known.next_time is not None
            assert known.next_time <= time <= now, "it fired out of time"
            assert time not in known.fire_times, "it fired twice for the same time"
            assert now - time <= max(known.settings.catch_up_window, _PUNCTUAL), "it fired for what was missed"
            assert time in _times(known.settings, known.create_time, known.next_time - 1, now), "not one of its times"
            known.fire_times.add(time)
        known.last_time = time
        known.fired += 1
        unended = self._unended(known)
        known.jobs.add(job.id)
        if known.settings.overlap is Overlap.SKIP:
            assert not unended, "it made a job beside an earlier one"
        elif known.settings.overlap is Overlap.QUEUE_ONE:
            assert sum(not _is_first(one, unended) for one in unended) == 0, "one waits already"

    def compare(self, stored: Sequence[Schedule], now: int, full: set[str]) -> None:
        """What is stored against the count of times, now that all that was due has fired. `full` are the queues that
        take no more jobs."""
        assert {schedule.name for schedule in stored} == set(self._known)
        for schedule in stored:
            known = self._known[schedule.name]
            assert schedule.settings == known.settings
            assert schedule.fired == known.fired
            passed = self._pass(known, now)
            skipped = schedule.skipped - known.skipped
            known.skipped = schedule.skipped
            made = [time for time in passed if time in known.fire_times]
            assert len(passed) == len(made) + skipped, "a firing is neither made nor skipped"
            missed = [time for time in passed if now - time > max(known.settings.catch_up_window, _PUNCTUAL)]
            if skipped > len(missed) and (known.settings.draft.asked.queue or DEFAULT_QUEUE) not in full:
                assert known.settings.overlap in (Overlap.SKIP, Overlap.QUEUE_ONE), "it skipped for no reason"
                assert self._unended(known), "it skipped beside no earlier job"
            assert schedule.next_time == known.next_time, "it does not fire when it should"

    def _pass(self, known: _Known, now: int) -> list[int]:
        """The times that have come since it was last looked at."""
        if known.next_time is None or known.next_time > now:
            return []
        passed = _times(known.settings, known.create_time, known.next_time - 1, now)
        known.next_time = _next_after(known.settings, known.create_time, passed[-1])
        return passed

    def _unended(self, known: _Known) -> list[Job]:
        return [job for job in self._jobs.values() if job.id in known.jobs and not job.state.terminal]


def _is_first(job: Job, others: Sequence[Job]) -> bool:
    return not {edge.job_id for edge in ties(job).depends_on} & {other.id for other in others}


def _times(settings: Settings, create_time: int, after: int, upto: int) -> list[int]:
    found = []
    time = _next_after(settings, create_time, after)
    while time is not None and time <= upto:
        found.append(time)
        time = _next_after(settings, create_time, time)
    return found


def _next_after(settings: Settings, create_time: int, after: int) -> int | None:
    if settings.paused:
        return None
    if settings.interval is not None:
        step, time = settings.interval, create_time + settings.interval
        if settings.start_time is not None:
            time = settings.start_time
    else:
        seconds, offset = CRONS[settings.cron]
        step = seconds * SECOND
        time = offset * SECOND + max(after, settings.start_time or 0) // step * step - step
    while time <= after or time < (settings.start_time or 0):
        time += step
    return None if settings.end_time is not None and time > settings.end_time else time
