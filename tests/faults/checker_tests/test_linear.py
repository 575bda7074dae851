"""The search for an order of a job's calls: what it allows and what not."""

import math
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.checker import linear
from tests.faults.checker.linear import STOPPING, Answered, Freedom, Job, Operation, Seen, Undecided, What, explain
from tests.faults.checker.states import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED

CREATED = Operation(What.CREATE, 0, 1, Seen(1, QUEUED))


NO_FREEDOM = Freedom()


def _is_good(*operations: Operation, freedom: Freedom = NO_FREEDOM) -> bool:
    return not explain([CREATED, *operations], freedom)


def test_the_service_takes_a_job_on_between_two_reads() -> None:
    assert _is_good(
        Operation(What.READ, 2, 3, Seen(1, QUEUED)),
        Operation(What.READ, 4, 5, Seen(2, RUNNING)),
        Operation(What.READ, 6, 7, Seen(9, SUCCEEDED)),
        Operation(What.READ, 8, 9, Seen(9, SUCCEEDED)),
    )


def test_reads_do_not_go_back() -> None:
    assert not _is_good(
        Operation(What.READ, 2, 3, Seen(5, RUNNING)),
        Operation(What.READ, 4, 5, Seen(1, QUEUED)),
    )


def test_reads_at_the_same_time_come_in_either_order() -> None:
    assert _is_good(
        Operation(What.READ, 2, 9, Seen(5, RUNNING)),
        Operation(What.READ, 3, 9, Seen(1, QUEUED)),
    )


def test_one_revision_is_one_state() -> None:
    assert not _is_good(
        Operation(What.READ, 2, 3, Seen(5, RUNNING)),
        Operation(What.READ, 4, 5, Seen(5, SUCCEEDED)),
    )


def test_what_has_ended_stays() -> None:
    assert not _is_good(
        Operation(What.READ, 2, 3, Seen(5, SUCCEEDED)),
        Operation(What.READ, 4, 5, Seen(6, RUNNING)),
    )


def test_nothing_is_cancelled_unless_somebody_asks() -> None:
    cancelled = Operation(What.READ, 4, 5, Seen(6, CANCELLED))
    assert not _is_good(cancelled)
    assert _is_good(Operation(What.CANCEL, 2, math.inf, Answered.UNKNOWN), cancelled)
    assert not _is_good(Operation(What.CANCEL, 6, math.inf, Answered.UNKNOWN), cancelled)
    assert _is_good(cancelled, freedom=Freedom(cancel=True))


def test_a_call_without_an_answer_may_take_effect_much_later_or_never() -> None:
    deleted = Operation(What.DELETE, 2, math.inf, Answered.UNKNOWN)
    ended = Operation(What.READ, 4, 5, Seen(6, SUCCEEDED))
    gone = Operation(What.READ, 6, 7, Answered.GONE)
    assert _is_good(deleted, ended)
    assert _is_good(deleted, ended, gone)
    assert not _is_good(ended, gone)
    assert not _is_good(deleted, gone, ended._replace(at=8, until=9))


def test_a_running_job_that_is_cancelled_stops() -> None:
    cancel = Operation(What.CANCEL, 4, 5, Seen(3, STOPPING))
    runs = Operation(What.READ, 2, 3, Seen(2, RUNNING))
    assert _is_good(runs, cancel, Operation(What.READ, 6, 7, Seen(4, CANCELLED)))
    assert not _is_good(runs, cancel, Operation(What.READ, 6, 7, Seen(4, SUCCEEDED)))


def test_a_cancel_has_to_do_something() -> None:
    assert not _is_good(Operation(What.CANCEL, 2, 3, Seen(1, QUEUED)))
    assert not _is_good(Operation(What.CANCEL, 2, 3, Seen(2, RUNNING)))


def test_a_refused_cancel_says_that_the_job_has_ended() -> None:
    refused = Operation(What.CANCEL, 2, 3, Answered.REFUSED)
    assert _is_good(refused, Operation(What.READ, 4, 5, Seen(7, FAILED)))
    assert not _is_good(refused, Operation(What.READ, 4, 5, Seen(7, RUNNING)))


def test_a_retried_job_waits_again() -> None:
    failed = Operation(What.READ, 2, 3, Seen(4, FAILED))
    runs = Operation(What.READ, 6, 7, Seen(6, RUNNING))
    assert _is_good(failed, Operation(What.RETRY, 4, 5, Seen(5, QUEUED)), runs)
    assert not _is_good(failed, runs)
    assert not _is_good(failed, Operation(What.RETRY, 4, 5, Seen(4, FAILED)))
    assert not _is_good(failed._replace(answer=Seen(4, SUCCEEDED)), Operation(What.RETRY, 4, 5, Seen(5, QUEUED)))


def test_a_repeated_submission_answers_the_job_as_it_is() -> None:
    again = Operation(What.CREATE, 4, 5, Seen(2, RUNNING))
    assert _is_good(again)
    assert not _is_good(Operation(What.READ, 2, 3, Seen(3, SUCCEEDED)), again)
    assert not _is_good(Operation(What.CREATE, 4, 5, Answered.NOT_MADE))
    assert _is_good(Operation(What.CREATE, 0, 5, Answered.NOT_MADE))


def test_a_deleted_job_stays_deleted() -> None:
    deleted = Operation(What.DELETE, 2, 3, Answered.DONE)
    assert _is_good(deleted, Operation(What.CREATE, 4, 5, Answered.GONE))
    assert not _is_good(deleted, Operation(What.CREATE, 4, 5, Seen(9, QUEUED)))
    assert not _is_good(deleted, Operation(What.DELETE, 4, 5, Answered.DONE))


def test_only_a_job_of_a_schedule_comes_by_itself() -> None:
    runs = Operation(What.READ, 2, 3, Seen(5, RUNNING))
    assert not explain([runs], Freedom(create=True))
    assert explain([runs], NO_FREEDOM)
    gone = Operation(What.DELETE, 0, 1, Answered.DONE)
    assert explain([gone, runs], Freedom(create=True))


def _forced(at: int, until: float) -> list[Operation]:
    """A Delete with force that was answered OK."""
    return [Operation(what, at, until, Answered.DONE) for what in (What.FORCE, What.FORCE_DELETE)]


def test_two_that_force_a_running_job_away_both_find_it_gone() -> None:
    runs = Operation(What.READ, 2, 3, Seen(2, RUNNING))
    stops = Operation(What.READ, 6, 7, Seen(3, STOPPING))
    assert _is_good(runs, *_forced(4, 20), stops, *_forced(8, 21), Operation(What.READ, 22, 23, Answered.GONE))
    assert _is_good(runs, Operation(What.CANCEL, 4, 5, Seen(3, STOPPING)), *_forced(6, 20), stops, *_forced(8, 21))


def test_who_forces_away_what_is_gone_is_not_answered_that_it_did() -> None:
    runs = Operation(What.READ, 2, 3, Seen(2, RUNNING))
    assert not _is_good(runs, *_forced(4, 10), *_forced(11, 20))
    # Nor while the first has not heard of it yet.
    gone = Operation(What.READ, 5, 6, Answered.GONE)
    assert _is_good(runs, *_forced(4, 10), gone)
    assert not _is_good(runs, *_forced(4, 10), gone, *_forced(7, 20))


def test_of_two_that_force_away_what_does_not_run_one_comes_too_late() -> None:
    ended = Operation(What.READ, 2, 3, Seen(4, SUCCEEDED))
    assert _is_good(ended, *_forced(4, 20))
    assert _is_good(*_forced(4, 20), Operation(What.FORCE_DELETE, 4, 20, Answered.GONE))
    assert not _is_good(ended, *_forced(4, 20), *_forced(4, 20))


def test_what_was_forced_away_is_gone() -> None:
    assert not _is_good(*_forced(4, 20), Operation(What.READ, 21, 22, Seen(9, CANCELLED)))


def test_the_search_gives_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "_STEPS_LIMIT", 2)
    reads = [Operation(What.READ, 2 + number, 9, Seen(2 + number, RUNNING)) for number in range(4)]
    with pytest.raises(Undecided):
        _is_good(*reads)


def test_thousands_of_calls_on_one_job_take_no_time() -> None:
    unknown = [Operation(What.CANCEL, 2, math.inf, Answered.UNKNOWN) for _ in range(20)]
    reads = [Operation(What.READ, 30 + number, 40 + number, Seen(2 + number // 2, RUNNING)) for number in range(2000)]
    assert _is_good(*unknown, *reads)
    assert not _is_good(*unknown, *reads, Operation(What.READ, 5000, 5001, Seen(2, RUNNING)))


_ANSWERS = st.one_of(
    st.sampled_from(Answered),
    st.builds(Seen, st.integers(1, 4), st.sampled_from((QUEUED, RUNNING, STOPPING, SUCCEEDED, FAILED, CANCELLED))),
)
_TIMES = st.tuples(st.integers(0, 8), st.integers(1, 6))


@st.composite
def _operations(draw: st.DrawFn) -> list[Operation]:
    found = [CREATED]
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(_TIMES)
        answer = draw(_ANSWERS)
        until = math.inf if answer is Answered.UNKNOWN else at + length
        found.append(Operation(draw(st.sampled_from(What)), at, until, answer))
    return found


@settings(max_examples=300, deadline=None)
@given(operations=_operations())
def test_the_search_finds_an_order_where_there_is_one(operations: list[Operation]) -> None:
    assert (not explain(operations, NO_FREEDOM)) == _has_order(operations)


def _has_order(operations: list[Operation]) -> bool:
    """By trying all of them."""
    must = [one for one in operations if one.until < math.inf]
    may = [one for one in operations if one.until == math.inf]
    chosen = [[*must, *some] for count in range(len(may) + 1) for some in combinations(may, count)]
    return any(_goes(order) for some in chosen for order in permutations(some))


def _goes(order: tuple[Operation, ...]) -> bool:
    if any(later.until < earlier.at for earlier, later in combinations(order, 2)):
        return False
    states = [linear._START]
    for one in order:
        states = [after for state in states for after in Job(NO_FREEDOM).after(state, one)]
    return bool(states)
