"""Rates and durations of the last minute."""

import pytest

from slotd.top.window import SECONDS, LastMinute
from tests.top.jobs import Clock


def test_ends_are_counted_in_the_second_in_which_they_came() -> None:
    clock = Clock()
    minute = LastMinute(clock)
    minute.ended("a")
    minute.ended("b")
    clock.seconds = 2.9
    minute.ended("a")
    clock.seconds = 3.0
    assert minute.ends()[-3:] == [2, 0, 1]
    assert len(minute.ends()) == SECONDS


def test_the_present_second_counts_once_it_is_over() -> None:
    clock = Clock()
    minute = LastMinute(clock)
    minute.ended("a")
    assert (sum(minute.ends()), minute.rate()) == (0, 0.0)
    clock.seconds = 1.0
    assert (sum(minute.ends()), minute.rate()) == (1, 1.0)


def test_a_rate_is_the_mean_of_ten_seconds_and_of_those_since_the_beginning() -> None:
    clock = Clock()
    minute = LastMinute(clock)
    for second in range(20):
        clock.seconds = second
        for _ in range(second + 1):
            minute.ended("a" if second % 2 else "b")
        if second == 3:
            assert minute.rate() == pytest.approx((1 + 2 + 3) / 3)
    clock.seconds = 20
    assert minute.rate() == pytest.approx(sum(range(11, 21)) / 10)
    assert minute.rate("a") == pytest.approx(sum(range(12, 21, 2)) / 10)
    assert minute.rate("nobody") == 0.0


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    clock = Clock()
    minute = LastMinute(clock)
    minute.ended("a")
    minute.waited(1.0)
    minute.ran(1.0)
    clock.seconds = SECONDS
    assert sum(minute.ends()) == 1
    assert minute.waits().p50 is not None
    clock.seconds = SECONDS + 1
    assert sum(minute.ends()) == 0
    assert minute.waits().p50 is minute.runs().p99 is None


def test_quantiles_are_right_within_five_in_a_hundred() -> None:
    clock = Clock()
    minute = LastMinute(clock)
    for number in range(1, 1001):
        clock.seconds = number / 50
        minute.ran(number / 10)
    assert minute.runs().p50 == pytest.approx(50.0, rel=0.05)
    assert minute.runs().p99 == pytest.approx(99.0, rel=0.05)
    assert minute.waits().p50 is None


def test_a_clock_that_went_back_gives_no_negative_durations() -> None:
    minute = LastMinute(Clock())
    minute.waited(-5.0)
    assert minute.waits().p99 == pytest.approx(0.0, abs=0.001)
