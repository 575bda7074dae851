"""What is known of the jobs to claim next is the beginning of the line, and never more."""

import pytest

from slotd_server.domain.job import Job, Payload, RetryPolicy, Spec
from slotd_server.domain.states import State
from slotd_server.store import sqlite_ahead
from slotd_server.store.sqlite_ahead import Ahead

PAIR = ("q", "k")


def job(seq: int, *, priority: int = 0, size: int = 0, state: State = State.QUEUED) -> Job:
    payload = Payload("text/plain", bytes(size)) if size else None
    spec = Spec("k", "q", priority, (), None, None, RetryPolicy(1, 0, 0, 1.0, 0.0), None, None, None, payload)
    return Job(seq, str(seq), spec, state, seq, 0)


def seqs(found: list[Job] | None) -> list[int] | None:
    return None if found is None else [one.seq for one in found]


def test_nothing_is_known_of_what_nobody_asked_for() -> None:
    assert Ahead().first(PAIR, 1, ()) is None


def test_beyond_the_last_that_is_known_the_store_has_to_be_asked() -> None:
    ahead = Ahead()
    ahead.learn(PAIR, [job(1), job(2), job(3)], whole=False)
    assert seqs(ahead.first(PAIR, 3, ())) == [1, 2, 3]
    assert seqs(ahead.first(PAIR, 2, {1})) == [2, 3]
    assert ahead.first(PAIR, 3, {1}) is None
    # One that is submitted now stands behind others that are not known.
    ahead.committed([(9, job(9))])
    assert ahead.first(PAIR, 4, ()) is None
    # One of a higher priority does not.
    ahead.committed([(10, job(10, priority=1))])
    assert seqs(ahead.first(PAIR, 4, ())) == [10, 1, 2, 3]


def test_where_all_are_known_all_that_comes_is_known_too() -> None:
    ahead = Ahead()
    ahead.learn(PAIR, [job(1)], whole=True)
    ahead.committed([(2, job(2)), (1, job(1, state=State.RUNNING)), (3, job(3)), (3, None)])
    assert seqs(ahead.first(PAIR, 5, ())) == [2]


@pytest.mark.parametrize(("jobs", "size"), [(600, 0), (5, 1 << 20)])
def test_no_more_is_kept_than_may_be(jobs: int, size: int) -> None:
    ahead = Ahead()
    ahead.learn(PAIR, [], whole=True)
    ahead.committed([(seq, job(seq, size=size)) for seq in range(jobs)])
    kept = sqlite_ahead._MOST_BYTES // size if size else sqlite_ahead._MOST_JOBS
    assert seqs(ahead.first(PAIR, kept, ())) == list(range(kept))
    # It is no longer the whole line.
    assert ahead.first(PAIR, kept + 1, ()) is None


def test_after_a_failed_transaction_nothing_is_known() -> None:
    ahead = Ahead()
    ahead.learn(PAIR, [job(1)], whole=True)
    ahead.clear()
    assert ahead.first(PAIR, 1, ()) is None
