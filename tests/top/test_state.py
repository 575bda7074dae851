"""What the view knows after what it was told."""

from datetime import timedelta

import pytest

from slotd import v1
from slotd.top.state import ENDED_KEPT, Answers, Link, State
from tests.top.jobs import Clock, changed, job, stamp, state_at, told

QUEUED, RUNNING = v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING
SUCCEEDED, FAILED, CANCELLED = v1.JOB_STATE_SUCCEEDED, v1.JOB_STATE_FAILED, v1.JOB_STATE_CANCELLED


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def state(clock: Clock) -> State:
    """One that is live: what it is told from here on has just happened."""
    made = state_at(clock)
    made.begin([], [])
    made.apply(told(synced=True))
    return made


def test_it_begins_with_the_jobs_that_run_and_the_last_that_ended(clock: Clock) -> None:
    state = state_at(clock)
    ended = [job(f"e{at}", SUCCEEDED, ended=at) for at in (3, 1, 2)]
    state.begin([job("a"), job("b")], ended)
    assert list(state.running) == ["a", "b"]
    assert list(state.ended) == ["e1", "e2", "e3"]


def test_beginning_anew_forgets_what_is_gone(state: State) -> None:
    state.apply(told(changed(job("gone"), QUEUED), revision=900))
    state.begin([job("here")], [])
    assert list(state.running) == ["here"]
    # The store may be an older one than before.
    assert state.revision == 0


def test_a_job_goes_from_running_to_ended_and_back_again(state: State) -> None:
    state.apply(told(changed(job("a"), QUEUED)))
    assert list(state.running) == ["a"]
    state.apply(told(changed(job("a", FAILED, ended=1), RUNNING)))
    assert (list(state.running), list(state.ended)) == ([], ["a"])
    state.apply(told(changed(job("a", QUEUED), FAILED)))
    assert (list(state.running), list(state.ended)) == ([], [])


def test_progress_replaces_a_job_where_it_stands(state: State) -> None:
    state.apply(told(changed(job("a"), QUEUED), changed(job("b"), QUEUED)))
    state.apply(told(changed(job("a", revision=7), RUNNING)))
    assert [(one.id, one.revision) for one in state.running.values()] == [("a", 7), ("b", 1)]


def test_a_job_that_is_deleted_is_nowhere(state: State) -> None:
    state.apply(told(changed(job("a"), QUEUED), changed(job("b", FAILED, ended=1), RUNNING)))
    for one in (job("a"), job("b", FAILED, ended=1)):
        state.apply(told(changed(one, one.state, v1.EVENT_TYPE_DELETED)))
    assert not state.running
    assert not state.ended


def test_a_job_that_waits_is_not_kept(state: State) -> None:
    state.apply(told(*(changed(job(f"w{at}", QUEUED, started=None), QUEUED) for at in range(1000))))
    assert not state.running
    assert not state.ended


def test_only_the_last_ended_jobs_are_kept(state: State) -> None:
    for at in range(ENDED_KEPT + 5):
        state.apply(told(changed(job(f"j{at}", SUCCEEDED, ended=at), RUNNING)))
    assert len(state.ended) == ENDED_KEPT
    assert next(iter(state.ended)) == "j5"


def test_a_change_of_a_job_that_ended_long_ago_is_no_end(state: State, clock: Clock) -> None:
    state.apply(told(changed(job("old", FAILED, ended=1), FAILED)))
    clock.seconds += 1
    assert not state.ended
    assert state.minute.rate() == 0.0


def test_ends_and_durations_are_counted(state: State, clock: Clock) -> None:
    state.apply(told(changed(job("a", created=90, started=95), QUEUED)))
    state.apply(told(changed(job("a", SUCCEEDED, created=90, started=95, ended=98, queue="q"), RUNNING)))
    clock.seconds += 1
    assert state.minute.rate("q") == 1.0
    assert state.minute.waits().p50 == pytest.approx(5, rel=0.05)
    assert state.minute.runs().p50 == pytest.approx(3, rel=0.05)


def test_a_wait_is_counted_once_also_where_the_start_was_skipped(state: State) -> None:
    state.apply(told(changed(job("a", SUCCEEDED, created=90, started=95, ended=98), QUEUED)))
    assert state.minute.waits().p50 == pytest.approx(5, rel=0.05)
    state.apply(told(changed(job("b", created=0, started=99), QUEUED)))
    for _ in range(10):
        state.apply(told(changed(job("b", created=0, started=99), RUNNING)))
    state.apply(told(changed(job("b", SUCCEEDED, created=0, started=99, ended=100), RUNNING)))
    assert state.minute.waits().p50 == pytest.approx(5, rel=0.05)


def test_a_wait_is_counted_from_when_the_job_was_due(state: State) -> None:
    one = job("a", created=0, started=95)
    one.schedule_time.CopyFrom(stamp(93))
    state.apply(told(changed(one, QUEUED)))
    assert state.minute.waits().p50 == pytest.approx(2, rel=0.05)


def test_a_later_attempt_tells_nothing_of_waiting(state: State) -> None:
    one = job("a", created=0, started=95)
    one.attempts.insert(0, v1.Attempt(number=1, start_time=stamp(1), end_time=stamp(2)))
    state.apply(told(changed(one, QUEUED)))
    assert state.minute.waits().p50 is None


def test_a_job_that_is_cancelled_while_it_waits_has_run_no_longer_than_its_attempt(state: State, clock: Clock) -> None:
    one = job("a", CANCELLED, started=10, ended=20)
    one.end_time.CopyFrom(stamp(90))
    state.apply(told(changed(one, v1.JOB_STATE_SCHEDULED)))
    clock.seconds += 1
    assert state.minute.rate() == 1.0
    assert state.minute.runs().p50 is None


def test_what_happened_while_the_service_was_away_is_not_counted_as_now(state: State, clock: Clock) -> None:
    state.lost("away")
    state.apply(told(changed(job("a", SUCCEEDED, ended=98), RUNNING), synced=True))
    state.apply(told(changed(job("b", SUCCEEDED, ended=99), RUNNING)))
    clock.seconds += 1
    assert list(state.ended) == ["a", "b"]
    assert sum(state.minute.ends()) == 1


def test_it_says_since_when_it_is_away_and_that_it_is_back(clock: Clock) -> None:
    state = state_at(clock)
    assert state.link is Link.CONNECTING
    state.lost("no service there")
    clock.seconds += 5
    state.lost("still none")
    assert (state.link, state.linked_for, state.problem) == (Link.AWAY, 5.0, "still none")
    state.apply(told(revision=8))
    assert (state.link, state.linked_for, state.problem, state.revision) == (Link.LIVE, 0.0, "", 8)


def test_answers_without_places_leave_the_known_ones(state: State) -> None:
    server = v1.Server(id="here", name="host", local=True)
    slots = v1.ListSlotsResponse(revision=12)
    state.answer(Answers([], slots, [server], [v1.Worker(id="w", name="helper")]))
    state.answer(Answers([v1.Queue(name="q")], v1.ListSlotsResponse(revision=11)))
    assert state.server == server
    assert state.workers["w"].name == "helper"
    assert [queue.name for queue in state.queues] == ["q"]
    assert state.revision == 12


def test_it_notices_a_place_that_it_does_not_know(state: State) -> None:
    state.answer(Answers([], v1.ListSlotsResponse(), [v1.Server(id="here")], []))
    state.apply(told(changed(job("a"), QUEUED)))
    assert state.knows_places()
    state.apply(told(changed(job("b", worker="new"), QUEUED)))
    assert not state.knows_places()


def test_its_age_is_told_by_the_clock(clock: Clock) -> None:
    state = state_at(clock)
    clock.seconds += timedelta(minutes=2).total_seconds()
    assert state.age == 120.0
