"""Schedules: when jobs are made by themselves. Times and durations in microseconds, times since the epoch."""

from collections.abc import Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from slotd_server.domain import cron
from slotd_server.domain.job import SECOND
from slotd_server.domain.queue import Draft

RECENT = 10
"""How many of the jobs that it made a schedule remembers."""

_LAST = 253_370_764_799 * SECOND
"""The end of the year 9998: timestamps, and dates in every time zone, go a little further."""


class Overlap(IntEnum):
    """What a firing does while an earlier job of the schedule has not ended. As `slotd.v1.OverlapPolicy`."""

    SKIP = 1
    QUEUE_ONE = 2
    ALLOW = 3
    CANCEL_OLD = 4


class Settings(NamedTuple):
    """What somebody has set. Exactly one of `cron` and `interval` is there; None means unset."""

    draft: Draft
    cron: str = ""
    interval: int | None = None
    time_zone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up_window: int = 3600 * SECOND
    jitter: int = 0
    start_time: int | None = None
    end_time: int | None = None
    paused: bool = False


class Schedule(NamedTuple):
    """A schedule as it is. `next_time` is the nominal time of the next firing, None where it never fires again or is
    paused; `recent` are the newest jobs, newest first, `lasting` older ones that had not ended when it made the newest;
    `revision` counts its changes."""

    name: str
    settings: Settings
    create_time: int
    update_time: int
    next_time: int | None = None
    last_time: int | None = None
    recent: tuple[str, ...] = ()
    fired: int = 0
    skipped: int = 0
    revision: int = 0
    lasting: tuple[str, ...] = ()


def check(settings: Settings) -> Sequence[tuple[str, str]]:
    """What can't be about the times that are set, as (field of v1.Schedule, what is wrong with it)."""
    wrong = []
    fault = cron.fault(settings.cron) if settings.cron else None
    if fault is not None:
        wrong.append(("cron", fault))
    if not cron.is_zone(settings.time_zone):
        wrong.append(("time_zone", "not the name of an IANA time zone"))
    if settings.start_time is not None and settings.end_time is not None and settings.end_time < settings.start_time:
        wrong.append(("end_time", "before start_time"))
    if not wrong and settings.cron and next_after(settings, 0, 0) is None:
        bounded = settings.start_time is not None or settings.end_time is not None
        wrong.append(("cron", "never fires between start_time and end_time" if bounded else "never fires"))
    return wrong


def next_after(settings: Settings, anchor: int, after: int) -> int | None:
    """The first nominal time after `after`. Intervals are counted from `anchor` where there is no start_time."""
    if settings.start_time is not None:
        after = max(after, settings.start_time - 1)
    if after >= _end(settings):
        return None
    if settings.interval is None:
        time = cron.next_firing(settings.cron, settings.time_zone, after)
    else:
        origin = anchor if settings.start_time is None else settings.start_time
        # The anchor is when it was made, and no firing; start_time is one.
        after = max(after, origin - (settings.start_time is not None))
        time = origin + ((after - origin) // settings.interval + 1) * settings.interval
    return None if time is None or time > _end(settings) else time


def due_time(schedule: Schedule) -> int | None:
    """When it fires next: `next_time`, put off by the jitter."""
    return None if schedule.next_time is None else _put_off(schedule, schedule.next_time)


def upcoming(schedule: Schedule, count: int) -> list[int]:
    """When it fires the next `count` times, or fewer where it ends before."""
    times: list[int] = []
    nominal = schedule.next_time
    while nominal is not None and len(times) < count:
        times.append(_put_off(schedule, nominal))
        nominal = next_after(schedule.settings, schedule.create_time, nominal)
    return times


def jittered(name: str, nominal: int, jitter: int) -> int:
    """The nominal time, put off by up to `jitter`: always by the same for the same schedule and time."""
    digest = blake2b(f"{name}\0{nominal}".encode(), digest_size=8).digest()
    return nominal + int.from_bytes(digest) % (jitter + 1)


def missed(schedule: Schedule, before: int) -> tuple[int, int | None]:
    """How many firings were due before `before`, and the nominal time of the first that was not."""
    due = due_time(schedule)
    if due is None or due >= before:
        return 0, schedule.next_time
    assert schedule.next_time is not None
    number, last = _passed(schedule.settings, schedule.next_time, before)
    if _put_off(schedule, last) >= before:
        return number - 1, last
    return number, next_after(schedule.settings, schedule.create_time, last)


def _put_off(schedule: Schedule, nominal: int) -> int:
    settings = schedule.settings
    if not settings.jitter:
        return nominal
    # Not up to the next one, so that firings keep their order, nor past the end.
    following = next_after(settings, schedule.create_time, nominal)
    latest = _end(settings) if following is None else following - 1
    return jittered(schedule.name, nominal, min(settings.jitter, latest - nominal))


def _passed(settings: Settings, first: int, before: int) -> tuple[int, int]:
    """How many nominal times there are from `first`, which is one, to before `before`, and the last of them."""
    before = min(before, _end(settings) + 1)
    if settings.interval is None:
        return (
            cron.count_firings(settings.cron, settings.time_zone, first, before),
            cron.last_firing(settings.cron, settings.time_zone, first, before),
        )
    more = (before - 1 - first) // settings.interval
    return more + 1, first + more * settings.interval


def _end(settings: Settings) -> int:
    return _LAST if settings.end_time is None else min(settings.end_time, _LAST)
