"""When a schedule fires: intervals, bounds, jitter, and what was missed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotd_server.domain.job import SECOND
from slotd_server.domain.queue import Draft
from slotd_server.domain.schedule import (
    Schedule,
    Settings,
    check,
    due_time,
    jittered,
    missed,
    next_after,
    upcoming,
)

MADE = 1_700_000_000 * SECOND + 123
"""When the schedules are made: not on a whole second."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DRAFT = Draft("work")


def schedule(name: str = "nightly", *, after: int = MADE, **fields: Any) -> Schedule:
    """As it is at `after`."""
    settings = Settings(DRAFT, **fields)
    return Schedule(name, settings, MADE, MADE, next_after(settings, MADE, after))


def nominal(settings: Settings, after: int, count: int) -> list[int]:
    times: list[int] = []
    time = next_after(settings, MADE, after)
    while time is not None and len(times) < count:
        times.append(time)
        time = next_after(settings, MADE, time)
    return times


def test_an_interval_counts_from_when_it_was_made() -> None:
    settings = Settings(DRAFT, interval=7 * SECOND)
    assert nominal(settings, MADE, 3) == [MADE + 7 * SECOND, MADE + 14 * SECOND, MADE + 21 * SECOND]


def test_or_from_its_start() -> None:
    start = MADE + HOUR
    settings = Settings(DRAFT, interval=MINUTE, start_time=start)
    assert nominal(settings, MADE, 2) == [start, start + MINUTE]
    past = settings._replace(start_time=MADE - 90 * SECOND)
    assert nominal(past, MADE, 2) == [MADE + 30 * SECOND, MADE + 90 * SECOND]


def test_an_interval_does_not_drift() -> None:
    settings = Settings(DRAFT, interval=7 * SECOND)
    for late in (0, 1, 3 * SECOND, 7 * SECOND - 1):
        assert next_after(settings, MADE, MADE + 7_000_000 * SECOND + late) == MADE + 7_000_007 * SECOND


def test_a_clock_that_is_set_back_before_it_was_made_fires_nothing_early() -> None:
    assert next_after(Settings(DRAFT, interval=MINUTE), MADE, MADE - DAY) == MADE + MINUTE


def test_nothing_fires_before_its_start_or_after_its_end() -> None:
    settings = Settings(DRAFT, cron="0 * * * *", start_time=MADE + DAY, end_time=MADE + DAY + 2 * HOUR)
    times = nominal(settings, MADE, 10)
    assert len(times) == 2
    assert MADE + DAY <= times[0] < times[1] <= MADE + DAY + 2 * HOUR
    assert nominal(Settings(DRAFT, interval=HOUR, end_time=MADE + 2 * HOUR), MADE, 10) == [MADE + HOUR, MADE + 2 * HOUR]
    assert nominal(Settings(DRAFT, interval=HOUR, end_time=MADE + 2 * HOUR - 1), MADE, 10) == [MADE + HOUR]


def test_an_interval_longer_than_time_itself_never_comes_round() -> None:
    assert next_after(Settings(DRAFT, interval=10_000 * 366 * DAY), MADE, MADE) is None


class TestJitter:
    def test_it_is_the_same_each_time_and_within_bounds(self) -> None:
        puts_off = [jittered("a", MADE + number, HOUR) - MADE - number for number in range(1000)]
        assert puts_off == [jittered("a", MADE + number, HOUR) - MADE - number for number in range(1000)]
        assert 0 <= min(puts_off) < HOUR // 50
        assert HOUR - HOUR // 50 < max(puts_off) <= HOUR

    def test_schedules_and_times_differ(self) -> None:
        assert len({jittered(name, MADE, HOUR) for name in ("a", "b", "c", "a.b")}) == 4
        assert len({jittered("a", MADE + day * DAY, HOUR) - day * DAY for day in range(20)}) == 20

    def test_it_does_not_depend_on_the_process(self) -> None:
        assert jittered("nightly", 1_700_000_000_000_000, HOUR) == 1_700_002_723_376_620

    def test_without_any_nothing_is_put_off(self) -> None:
        assert jittered("a", MADE, 0) == MADE

    def test_firings_keep_their_order_however_long_it_is(self) -> None:
        one = schedule(interval=MINUTE, jitter=DAY)
        times = upcoming(one, 100)
        assert all(MADE + n * MINUTE <= time < MADE + (n + 1) * MINUTE for n, time in enumerate(times, 1))

    def test_nothing_is_put_off_past_the_end(self) -> None:
        one = schedule(cron="0 * * * *", jitter=DAY, end_time=MADE + 3 * HOUR)
        assert max(upcoming(one, 10)) <= MADE + 3 * HOUR


def test_the_times_shown_are_those_at_which_it_fires() -> None:
    one = schedule(cron="*/20 * * * *", jitter=5 * MINUTE)
    shown = upcoming(one, 5)
    for time in shown:
        assert due_time(one) == time
        assert one.next_time is not None
        one = one._replace(next_time=next_after(one.settings, MADE, one.next_time))


def test_fewer_are_shown_where_it_ends_and_none_while_there_is_no_next() -> None:
    one = schedule(interval=HOUR, end_time=MADE + 2 * HOUR)
    assert upcoming(one, 5) == [MADE + HOUR, MADE + 2 * HOUR]
    assert upcoming(one._replace(next_time=None), 5) == []
    assert due_time(one._replace(next_time=None)) is None


class TestMissed:
    @given(
        fields=st.sampled_from(
            [
                {"interval": 7 * SECOND},
                {"interval": HOUR, "jitter": HOUR // 2},
                {"cron": "*/5 * * * *"},
                {"cron": "*/5 * * * *", "jitter": 4 * MINUTE},
                {"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "jitter": HOUR},
                {"cron": "0 0 1 1 *", "jitter": DAY},
                {"interval": MINUTE, "end_time": MADE + HOUR},
            ]
        ),
        before=st.integers(MADE, MADE + 3 * DAY),
    )
    def test_they_are_counted_as_one_by_one(self, fields: dict[str, Any], before: int) -> None:
        one = schedule(**fields)
        walked, number = one, 0
        while (due := due_time(walked)) is not None and due < before:
            assert walked.next_time is not None
            walked = walked._replace(next_time=next_after(one.settings, MADE, walked.next_time))
            number += 1
        assert missed(one, before) == (number, walked.next_time)

    @pytest.mark.parametrize(
        ("fields", "number"),
        [
            ({"interval": SECOND}, 365 * 86_400),
            ({"interval": SECOND, "jitter": DAY}, 365 * 86_400),
            ({"cron": "* * * * * *"}, 365 * 86_400),
            ({"cron": "* * * * *", "jitter": MINUTE}, 365 * 1440),
        ],
    )
    def test_a_year_of_them_is_no_work(self, fields: dict[str, Any], number: int, monkeypatch: Any) -> None:
        steps = 0
        step = next_after

        def counted(*arguments: Any) -> int | None:
            nonlocal steps
            steps += 1
            return step(*arguments)

        monkeypatch.setattr("slotd_server.domain.schedule.next_after", counted)
        skipped, following = missed(schedule(**fields), MADE + 365 * DAY)
        assert abs(skipped - number) <= 1
        assert following is not None
        assert abs(following - MADE - 365 * DAY) <= MINUTE
        assert steps < 10

    def test_nothing_is_missed_of_what_is_paused(self) -> None:
        assert missed(schedule(interval=HOUR)._replace(next_time=None), MADE + DAY) == (0, None)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"cron": "*/5 * * * *", "time_zone": "Asia/Tokyo"}, []),
        ({"interval": HOUR, "time_zone": ""}, []),
        ({"interval": HOUR, "start_time": MADE, "end_time": MADE}, []),
        ({"cron": "*/5 25 * * *"}, [("cron", "bad hour")]),
        ({"cron": "0 0 30 FEB *"}, [("cron", "bad day-of-month")]),
        ({"cron": "0 0 */30 * MON#2"}, [("cron", "never fires")]),
        ({"cron": "0 0 * * *", "time_zone": "Moon"}, [("time_zone", "not the name of an IANA time zone")]),
        ({"interval": HOUR, "start_time": MADE, "end_time": MADE - 1}, [("end_time", "before start_time")]),
        (
            {"cron": "0 0 1 1 *", "start_time": MADE, "end_time": MADE + DAY},
            [("cron", "never fires between start_time and end_time")],
        ),
        (
            {"cron": "x * * * *", "time_zone": "Moon", "start_time": 2, "end_time": 1},
            [
                ("cron", "bad minute"),
                ("time_zone", "not the name of an IANA time zone"),
                ("end_time", "before start_time"),
            ],
        ),
    ],
)
def test_what_can_not_be_is_told_by_its_field(fields: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert list(check(Settings(DRAFT, **fields))) == wrong
