"""What one who asks with a filter sees of an event."""

import pytest

from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State

SPEC = Draft("work", labels=(("size", "big"), ("team", "blue"))).resolve(BUILT_IN)
JOB = Job(1, "one", SPEC, State.RUNNING, 5, 0)
RUNNING_ONLY = JobFilter(states=frozenset({State.RUNNING}))


def event(state: State, previous: State | None, kind: EventType = EventType.CHANGED) -> Event:
    return Event(5, kind, JOB.evolve(state=state), previous, 0)


@pytest.mark.parametrize(
    ("job_filter", "matches"),
    [
        (EVERYTHING, True),
        (JobFilter(job_ids=frozenset({"one", "two"})), True),
        (JobFilter(job_ids=frozenset({"two"})), False),
        (JobFilter(queues=frozenset({"default"})), True),
        (JobFilter(queues=frozenset({"other"})), False),
        (JobFilter(kinds=frozenset({"work", "play"})), True),
        (JobFilter(kinds=frozenset({"play"})), False),
        (RUNNING_ONLY, True),
        (JobFilter(states=frozenset({State.QUEUED})), False),
        (JobFilter(labels=frozenset({("team", "blue")})), True),
        (JobFilter(labels=frozenset({("team", "blue"), ("size", "big")})), True),
        (JobFilter(labels=frozenset({("team", "blue"), ("size", "small")})), False),
        (JobFilter(kinds=frozenset({"work"}), queues=frozenset({"other"})), False),
    ],
)
def test_every_field_that_is_set_must_match(job_filter: JobFilter, matches: bool) -> None:
    assert job_filter.matches(JOB) is matches


@pytest.mark.parametrize(
    ("previous", "state", "kind", "seen"),
    [
        (None, State.QUEUED, EventType.CREATED, None),
        (State.QUEUED, State.RUNNING, EventType.CHANGED, EventType.CHANGED),
        (State.RUNNING, State.RUNNING, EventType.CHANGED, EventType.CHANGED),
        (State.RUNNING, State.FAILED, EventType.CHANGED, EventType.LEFT_FILTER),
        (State.FAILED, State.QUEUED, EventType.CHANGED, None),
        (State.FAILED, State.FAILED, EventType.DELETED, None),
    ],
)
def test_a_filter_on_states_tells_when_a_job_comes_and_leaves(
    previous: State | None, state: State, kind: EventType, seen: EventType | None
) -> None:
    view = RUNNING_ONLY.view(event(state, previous, kind))
    assert (None if view is None else view.type) is seen
    if view is not None:
        assert (view.revision, view.job.state, view.previous_state) == (5, state, previous)


def test_a_deletion_is_told_as_one() -> None:
    done = JobFilter(states=frozenset({State.SUCCEEDED}))
    view = done.view(event(State.SUCCEEDED, State.SUCCEEDED, EventType.DELETED))
    assert view is not None
    assert view.type is EventType.DELETED


def test_other_filters_never_change_their_mind() -> None:
    other = JobFilter(queues=frozenset({"other"}))
    assert other.view(event(State.FAILED, State.RUNNING)) is None
