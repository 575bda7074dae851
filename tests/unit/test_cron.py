"""Cron expressions where clocks are set, against the plainest reading there is: every minute is looked at."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotd_server.domain import cron
from slotd_server.domain.job import SECOND

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
CAIRO = "Africa/Cairo"
"""Its clocks go from 0:00 to 1:00, and back from 24:00 to 23:00."""

# A little before clocks are set, or not.
EVENINGS = [
    (NEW_YORK, "2026-03-07T22:00"),
    (NEW_YORK, "2026-10-31T22:00"),
    (LORD_HOWE, "2026-10-03T22:00"),
    (LORD_HOWE, "2026-04-04T22:00"),
    (CAIRO, "2026-04-23T22:00"),
    (CAIRO, "2026-10-29T20:00"),
    ("UTC", "2026-03-07T22:00"),
]


def at(local: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def next_day(day: str) -> str:
    return (datetime.fromisoformat(day) + timedelta(days=1)).isoformat()


def firings(expression: str, zone: str, start: int, end: int) -> Iterator[int]:
    time = cron.next_firing(expression, zone, start - 1)
    while time is not None and time < end:
        yield time
        time = cron.next_firing(expression, zone, time)


def shown(expression: str, zone: str, day: str) -> list[str]:
    """When it fires on this day: hours and minutes, and the offset from UTC."""
    times = firings(expression, zone, at(day, zone), at(next_day(day), zone))
    return [f"{datetime.fromtimestamp(time // SECOND, ZoneInfo(zone)):%H:%M%z}" for time in times]


@pytest.mark.parametrize(
    ("expression", "zone", "day", "times"),
    [
        # 2:00 to 3:00 is left out.
        ("30 2 * * *", NEW_YORK, "2026-03-08", ["03:00-0400"]),
        ("0 30 2 * * *", NEW_YORK, "2026-03-08", ["03:00-0400"]),
        ("*/20 2,3 * * *", NEW_YORK, "2026-03-08", ["03:00-0400", "03:20-0400", "03:40-0400"]),
        ("30 1,2,3 * * *", NEW_YORK, "2026-03-08", ["01:30-0500", "03:00-0400", "03:30-0400"]),
        (
            "30 0-4 * * *",
            NEW_YORK,
            "2026-03-08",
            ["00:30-0500", "01:30-0500", "03:00-0400", "03:30-0400", "04:30-0400"],
        ),
        # 1:00 to 2:00 comes twice.
        ("30 1 * * *", NEW_YORK, "2026-11-01", ["01:30-0400"]),
        ("0 30 1 * * *", NEW_YORK, "2026-11-01", ["01:30-0400"]),
        ("*/30 1,2 * * *", NEW_YORK, "2026-11-01", ["01:00-0400", "01:30-0400", "02:00-0500", "02:30-0500"]),
        # 2:00 to 2:30 is left out, 1:30 to 2:00 comes twice.
        ("0,15,45 2 * * *", LORD_HOWE, "2026-10-04", ["02:30+1100", "02:45+1100"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-04", ["02:30+1100"]),
        ("15,45 1 * * *", LORD_HOWE, "2026-04-05", ["01:15+1100", "01:45+1100"]),
        ("0 2 * * *", LORD_HOWE, "2026-04-05", ["02:00+1030"]),
    ],
)
def test_each_time_of_day_fires_once_on_days_when_clocks_are_set(
    expression: str, zone: str, day: str, times: list[str]
) -> None:
    assert shown(expression, zone, day) == times


@pytest.mark.parametrize(
    ("expression", "zone", "day", "number"),
    [
        ("0 * * * *", NEW_YORK, "2026-11-01", 25),
        ("0 * * * *", NEW_YORK, "2026-03-08", 23),
        ("*/10 * * * *", NEW_YORK, "2026-11-01", 25 * 6),
        ("*/10 0-23 * * *", NEW_YORK, "2026-11-01", 25 * 6),
        ("*/15 * * * *", LORD_HOWE, "2026-04-05", 98),
        ("*/15 * * * *", LORD_HOWE, "2026-10-04", 94),
    ],
)
def test_what_fires_in_every_hour_goes_on_through_the_repeated_one(
    expression: str, zone: str, day: str, number: int
) -> None:
    times = list(firings(expression, zone, at(day, zone), at(next_day(day), zone)))
    assert len(times) == number
    gaps = {later - earlier for earlier, later in pairwise(times)}
    assert len(gaps) == 1, "it keeps its pace"


def plainly(expression: str, zone: str, start: int, end: int) -> list[int]:
    """The same, by looking at each minute: what do the clocks show, what did they skip, have they shown it before?"""
    seconds, minutes, hours = times_of_day(expression)
    every_hour = len(hours) == 24
    found: set[int] = set()
    for second in range(start // SECOND, end // SECOND, 60):
        here = datetime.fromtimestamp(second, ZoneInfo(zone))
        before = datetime.fromtimestamp(second - 60, ZoneInfo(zone))
        if here.hour in hours and here.minute in minutes and (every_hour or not here.fold):
            found |= {second + one for one in seconds}
        skipped = here.replace(tzinfo=None) - before.replace(tzinfo=None) - timedelta(minutes=1)
        for back in range(1, int(skipped.total_seconds()) // 60 + 1):
            time = here.replace(tzinfo=None) - timedelta(minutes=back)
            if time.hour in hours and time.minute in minutes and not every_hour:
                found.add(second)
    return [second * SECOND for second in sorted(found)]


def times_of_day(expression: str) -> list[set[int]]:
    """The seconds, minutes and hours of an expression that is made of lists and stars."""
    parts = expression.split()[:3]
    return [
        set(range(size)) if part == "*" else {int(one) for one in part.split(",")}
        for part, size in zip(parts, (60, 60, 24), strict=True)
    ]


def lists(size: int) -> st.SearchStrategy[str]:
    some = st.sets(st.integers(0, size - 1), min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))
    return st.one_of(some, st.just("*"))


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.sampled_from(["0", "59", "0,30"]),
    minutes=lists(60),
    hours=st.one_of(st.sampled_from(["*", "0", "1", "2", "1,2", "23,0", "0,1,2,3"]), lists(24)),
    evening=st.sampled_from(EVENINGS),
)
def test_it_is_what_one_sees_who_watches_the_clocks(
    seconds: str, minutes: str, hours: str, evening: tuple[str, str]
) -> None:
    expression = f"{seconds} {minutes} {hours} * * *"
    zone, local = evening
    start = at(local, zone)
    end = start + 8 * 3600 * SECOND
    expected = plainly(expression, zone, start, end)
    assert list(firings(expression, zone, start, end)) == expected
    middle = start + 4 * 3607 * SECOND
    for low, high in ((start, end), (middle, end), (start, middle)):
        within = [time for time in expected if low <= time < high]
        assert cron.count_firings(expression, zone, low, high) == len(within)
        if within:
            assert cron.last_firing(expression, zone, within[0], high) == within[-1]


def test_six_fields_begin_with_seconds() -> None:
    start = at("2026-01-01T00:00:00")
    assert cron.next_firing("*/7 * * * * *", "UTC", start) == start + 7 * SECOND
    assert cron.next_firing("15 0 12 * * *", "UTC", start) == at("2026-01-01T12:00:15")


def test_a_part_of_a_second_does_not_let_it_fire_twice() -> None:
    start = at("2026-01-01T00:01:00")
    assert cron.next_firing("* * * * *", "UTC", start - 1) == start
    assert cron.next_firing("* * * * *", "UTC", start) == start + 60 * SECOND
    assert cron.next_firing("* * * * *", "UTC", start + 1) == start + 60 * SECOND


@pytest.mark.parametrize("expression", ["0 0 */30 * MON#2", "0 0 */31 2,4 FRI#5"])
def test_what_never_fires_says_so_soon(expression: str) -> None:
    assert cron.fault(expression) is None
    assert cron.next_firing(expression, NEW_YORK, at("2026-01-01")) is None


def test_the_end_of_time_is_no_error() -> None:
    assert cron.next_firing("0 0 29 2 *", "Pacific/Kiritimati", at("9998-12-31")) is None


@pytest.mark.parametrize(
    ("expression", "zone"),
    [("*/3 * * * *", "UTC"), ("*/5 * * * *", NEW_YORK), ("0 9-17 * * MON-FRI", NEW_YORK), ("15 2 L * *", LORD_HOWE)],
)
def test_days_are_counted_as_one_by_one(expression: str, zone: str) -> None:
    start, end = at("2026-03-01T03:21:07"), at("2026-04-10T22:10:00")
    assert cron.count_firings(expression, zone, start, end) == sum(1 for _ in firings(expression, zone, start, end))


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("", "needs five fields"),
        ("* * * *", "needs five fields"),
        ("* * * * * * *", "needs five fields"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * 31 4 *", "bad day-of-month"),
        ("* * 30 2 *", "bad day-of-month"),
        ("* * * 13 *", "bad month"),
        ("* * * * FUN", "bad day-of-week"),
        ("60 * * * * *", "bad second"),
        ("@daily", "needs five fields"),
        ("*/0 * * * *", "bad minute"),
        ("1/" + "9" * 5000 + " * * * *", "longer than 256 characters"),
    ],
)
def test_a_bad_expression_is_told_by_its_field(expression: str, what: str) -> None:
    assert (cron.fault(expression) or "").startswith(what)


@given(st.text("0123456789*/,-#LWMONJAN ²?@\n", max_size=40))
def test_whatever_is_written_is_taken_or_refused(text: str) -> None:
    if cron.fault(text) is None:
        cron.next_firing(text, "UTC", 0)


@pytest.mark.parametrize("zone", ["", "UTC", NEW_YORK, "Asia/Kolkata", "Etc/GMT+5"])
def test_a_time_zone(zone: str) -> None:
    assert cron.is_zone(zone)


@pytest.mark.parametrize(
    "zone", ["Mars/Phobos", "America", "../UTC", "/etc/localtime", "Europe/Berlin\0", "x" * 5000, " ", "\ud800"]
)
def test_what_is_no_time_zone(zone: str) -> None:
    assert not cron.is_zone(zone)
