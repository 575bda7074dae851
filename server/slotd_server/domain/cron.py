"""Cron expressions in time zones. Times in microseconds since the epoch; firings are on whole seconds.

Expressions go by the wall clock. What falls into the hour that is left out when clocks go forward fires right after it,
once; what falls into the hour that comes twice when they go back fires in its first pass. Only an expression that holds
in every hour is about the time that passes: it fires in both passes, and for an hour that there is not, not at all.
"""

from collections import deque
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from slotd_server.domain.job import SECOND

LONGEST = 256
"""Characters in an expression: lists can be long, but not without end."""

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_HOURS = 24


def fault(expression: str) -> str | None:
    """What is wrong with an expression."""
    if len(expression) > LONGEST:
        return f"longer than {LONGEST} characters"
    if len(expression.split()) not in (5, 6):
        return "needs five fields (minute, hour, day of month, month, day of week), or six with seconds first"
    try:
        _pattern(expression)
    except CronSimError as error:
        return str(error).lower()
    return None


def is_zone(name: str) -> bool:
    """Whether there is such a time zone; "" is UTC."""
    try:
        _zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # The name is a path for zoneinfo: "America" is a folder, "../x" refused, a very long one an OSError.
        return False
    return True


def next_firing(expression: str, zone: str, after: int) -> int | None:
    """The first firing after `after`; None where there is none for 50 years, or before the year 10,000."""
    second = next(_firings(expression, zone, after // SECOND), None)
    return None if second is None else second * SECOND


def count_firings(expression: str, zone: str, start: int, end: int) -> int:
    """How many firings there are from `start` to before `end`, counted by the days in between."""
    pattern = _pattern(expression)
    time_zone = _zone(zone)
    low, high = -(-start // SECOND), -(-end // SECOND)
    number = 0
    while low < high:
        here = datetime.fromtimestamp(low, time_zone)
        wall = here.replace(tzinfo=UTC)
        midnight = (wall + timedelta(days=1)).replace(hour=0, minute=0, second=0, tzinfo=time_zone, fold=0)
        stop = min(high, int(midnight.timestamp()))
        if here.fold or _offset(low - 1, time_zone) != _offset(stop, time_zone):
            # A day on which the clocks are set, which are few, is counted one by one.
            number += sum(1 for _ in _firings_between(expression, zone, low, stop))
        elif wall.month in pattern.months and pattern.match_day(wall):
            begin = (wall.hour * 60 + wall.minute) * 60 + wall.second
            number += _times_before(pattern, begin + stop - low) - _times_before(pattern, begin)
        low = stop
    return number


def last_firing(expression: str, zone: str, first: int, before: int) -> int:
    """The last firing before `before`, where `first` is one of them."""
    stop, back = -(-before // SECOND), 1
    while True:
        # Twice as far back each time, until there is one.
        start = max(stop - back, first // SECOND)
        found = deque(_firings_between(expression, zone, start, stop), maxlen=1)
        if found:
            return found[0] * SECOND
        back *= 2


def _times_before(pattern: CronSim, second: int) -> int:
    """How many times of day match before so many seconds of the day."""
    hour, rest = divmod(second, 3600)
    minute, last = divmod(rest, 60)
    number = sum(1 for one in pattern.hours if one < hour) * len(pattern.minutes) * len(pattern.seconds)
    if hour in pattern.hours:
        number += sum(1 for one in pattern.minutes if one < minute) * len(pattern.seconds)
        if minute in pattern.minutes:
            number += sum(1 for one in pattern.seconds if one < last)
    return number


def _firings_between(expression: str, zone: str, start: int, stop: int) -> Iterator[int]:
    return takewhile(lambda second: second < stop, _firings(expression, zone, start - 1))


def _firings(expression: str, zone: str, after: int) -> Iterator[int]:
    """All firings after `after`, in seconds since the epoch."""
    # Threads share what is parsed: only copies of it move.
    pattern = copy(_pattern(expression))
    time_zone = _zone(zone)
    every_hour = len(pattern.hours) == _HOURS
    wall = datetime.fromtimestamp(after, time_zone).replace(tzinfo=UTC, fold=0)
    first, second = _readings(wall, time_zone)
    # Labelled UTC, it steps through what clocks may show and knows nothing of their being set. From before the repeated
    # time on, if this is in it: what lies behind in the first pass is still to come in the second.
    pattern.dt = wall - timedelta(seconds=max(second - first, 0))
    again: list[int] = []
    for time in _steps(pattern):
        first, second = _readings(time, time_zone)
        if first > second:
            found = [] if every_hour else [_set_forward(second, first, time_zone)]
        elif first < second and every_hour:
            found = [first]
            again.append(second)
        else:
            found = [*again, first]
            again.clear()
        for one in found:
            if one > after:
                yield one
                after = one


def _steps(pattern: CronSim) -> Iterator[datetime]:
    try:
        yield from pattern
    except OverflowError:
        # Past the year 9999.
        return


def _readings(wall: datetime, zone: tzinfo) -> tuple[int, int]:
    """The moment at which clocks in the zone show this: for the first and the second time, which mostly are the same.
    Where they skip it, the first reading, by the offset that holds until then, is the later one."""
    local = wall.replace(tzinfo=zone)
    return int(local.timestamp()), int(local.replace(fold=1).timestamp())


def _set_forward(low: int, high: int, zone: tzinfo) -> int:
    """The moment between the two at which the clocks are set."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(second: int, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(second, zone).utcoffset()


@lru_cache(maxsize=4096)
def _pattern(expression: str) -> CronSim:
    return CronSim(expression, _SOME_TIME)


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    return UTC if name in ("", "UTC") else ZoneInfo(name)
