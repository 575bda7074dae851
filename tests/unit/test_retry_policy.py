"""How long a failed attempt is followed by nothing: every field of the policy has its effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotd_server.domain.job import SECOND, RetryPolicy

PLAIN = RetryPolicy(max_attempts=10, initial_backoff=SECOND, max_backoff=60 * SECOND, multiplier=2.0, jitter=0.0)


def middle() -> float:
    """The random number at which jitter changes nothing."""
    return 0.5


def test_backoff_grows_by_the_multiplier_up_to_the_cap() -> None:
    waits = [PLAIN.backoff(attempt, middle) // SECOND for attempt in range(1, 10)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (PLAIN._replace(initial_backoff=3 * SECOND), 12),
        (PLAIN._replace(max_backoff=3 * SECOND), 3),
        (PLAIN._replace(multiplier=3.0), 9),
        (PLAIN._replace(multiplier=1.0), 1),
        (PLAIN._replace(initial_backoff=0), 0),
        (PLAIN._replace(initial_backoff=90 * SECOND), 60),
    ],
)
def test_each_field_counts(changed: RetryPolicy, expected: int) -> None:
    assert changed.backoff(3, middle) == expected * SECOND


@pytest.mark.parametrize(("number", "expected"), [(0.0, 800_000), (0.5, 1_000_000), (0.75, 1_100_000)])
def test_jitter_is_a_share_both_ways(number: float, expected: int) -> None:
    assert PLAIN._replace(jitter=0.2).backoff(1, lambda: number) == expected


def test_the_cap_holds_after_jitter_too() -> None:
    assert PLAIN._replace(jitter=1.0).backoff(9, lambda: 0.999) == 60 * SECOND


@given(
    attempt=st.integers(1, 10_000),
    initial=st.integers(0, 3_200_000_000 * SECOND),
    most=st.integers(0, 3_200_000_000 * SECOND),
    multiplier=st.floats(1, 1000),
    jitter=st.floats(0, 1),
    number=st.floats(0, 1, exclude_max=True),
)
def test_bounds_hold_for_any_policy(
    attempt: int, initial: int, most: int, multiplier: float, jitter: float, number: float
) -> None:
    wait = RetryPolicy(10_000, initial, most, multiplier, jitter).backoff(attempt, lambda: number)
    assert 0 <= wait <= most
    if jitter == 0 and initial <= most:
        # Floats hold these numbers of microseconds to within some parts in 10**16.
        assert wait >= initial * (1 - 1e-12)
