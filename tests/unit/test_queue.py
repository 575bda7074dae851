"""Layers of choices, and counters that add up."""

from slotd_server.domain.queue import BUILT_IN, NOTHING, ZERO, Count, Counters, Defaults, Draft
from slotd_server.domain.states import State


def test_the_upper_layer_s_word_counts_and_nothing_is_nothing() -> None:
    upper, lower = Defaults(priority=0, timeout=5), Defaults(priority=9, timeout=7, jitter=0.0)
    assert upper.over(lower) == Defaults(priority=0, timeout=5, jitter=0.0)
    assert NOTHING.over(lower) == lower
    assert lower.over(NOTHING) == lower


def test_zero_is_a_choice() -> None:
    assert Draft("work", asked=Defaults(initial_backoff=0)).resolve(BUILT_IN).retry.initial_backoff == 0


def test_every_field_of_a_draft_arrives() -> None:
    asked = Defaults("q", 1, 2, 3, 4, 5, 6, 7, 8.0, 0.9)
    spec = Draft("work", labels=(("a", "b"),), schedule_time=11, asked=asked).resolve(BUILT_IN)
    assert (spec.queue, spec.priority, spec.timeout, spec.queue_timeout, spec.retention) == ("q", 1, 2, 3, 4)
    assert spec.retry == (5, 6, 7, 8.0, 0.9)
    assert (spec.kind, spec.labels, spec.schedule_time) == ("work", (("a", "b"),), 11)


def test_positions_are_where_the_names_are() -> None:
    for state in State:
        assert Counters._fields[state - 1] == state.name.lower()
        if state.terminal:
            assert Counters._fields[state - 1 + 3] == f"total_{state.name.lower()}"
    for count in Count:
        assert Counters._fields[count] == count.name.lower()


def test_sums() -> None:
    counters = Counters(*range(1, 15))
    assert counters.waiting == 1 + 2 + 3
    assert counters.completed == 8 + 9 + 10
    assert counters.plus(counters) == Counters(*range(2, 30, 2))
    assert ZERO.plus(counters) == counters
