"""A job's moves, as values: each makes another job and leaves the one before as it was."""

from typing import Any

import pytest

from slotd_server.domain import moves
from slotd_server.domain.job import SECOND, Failure, Job, Payload
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State

NOW = 1_000 * SECOND
WHY = Failure("HANDLER_ERROR", "it broke")


def job(**fields: Any) -> Job:
    asked = BUILT_IN._replace(**{name: fields.pop(name) for name in ("queue_timeout", "retention") if name in fields})
    made = Job(1, "one", Draft("work").resolve(asked), State.QUEUED, 1, NOW)
    return made.evolve(**fields)


def test_a_move_leaves_the_job_before_as_it_was() -> None:
    before = job()
    copy = before.evolve()
    after = moves.end(moves.leave(moves.start(before, NOW, "me"), NOW, None), NOW, State.SUCCEEDED, None, None, None)
    assert before == copy
    assert after.state is State.SUCCEEDED


def test_a_job_is_immutable_all_the_way_down() -> None:
    running = moves.start(job(), NOW, "me")
    with pytest.raises(AttributeError):
        running.state = State.FAILED  # type: ignore[misc]
    with pytest.raises(AttributeError):
        running.attempts[0].number = 7  # type: ignore[misc]
    # Only what is immutable, whole and deep, has a hash.
    hash((running.spec, running.attempts, running.blocked_by, running.progress, running.failure, running.result))


@pytest.mark.parametrize(
    ("at", "lingering", "state", "schedule", "due"),
    [
        (None, False, State.QUEUED, None, None),
        (NOW, False, State.QUEUED, None, None),
        (NOW + 1, False, State.SCHEDULED, NOW + 1, NOW + 1),
        (None, True, State.BLOCKED, None, None),
        (NOW + 1, True, State.SCHEDULED, NOW + 1, NOW + 1),
    ],
)
def test_what_a_job_waits_for(
    at: int | None, lingering: bool, state: State, schedule: int | None, due: int | None
) -> None:
    over = moves.leave(moves.start(job(), NOW, "me"), NOW, WHY, lingering=lingering)
    waiting = moves.wait(over, NOW, at)
    assert (waiting.state, waiting.schedule_time, waiting.due_time) == (state, schedule, due)
    assert waiting.blocked_by == (("attempts/1",) if state is State.BLOCKED else ())


@pytest.mark.parametrize(("at", "due"), [(None, NOW + 9), (NOW - 5, NOW + 9), (NOW, NOW + 9)])
def test_the_queue_timeout_runs_from_when_it_could_have_started(at: int | None, due: int) -> None:
    assert moves.wait(job(queue_timeout=9), NOW, at).due_time == due


def test_starting_numbers_the_attempt_and_the_claim() -> None:
    first = moves.start(job(fence=4, attempt=1, due_time=NOW + 5), NOW, "me")
    assert (first.attempt, first.fence, first.owner, first.due_time) == (2, 5, "me", None)
    assert (first.attempts[-1].number, first.attempts[-1].server, first.attempts[-1].end_time) == (2, "me", None)


def test_an_attempt_that_does_not_count_gives_its_number_back() -> None:
    running = moves.start(job(), NOW, "me")
    assert moves.leave(running, NOW, WHY).attempt == 1
    assert moves.leave(running, NOW, WHY, counted=False).attempt == 0


@pytest.mark.parametrize("default", [None, 5])
@pytest.mark.parametrize("own", [None, 0, 7])
def test_to_succeed_is_to_leave_and_to_end(own: int | None, default: int | None) -> None:
    earlier = moves.leave(moves.start(job(retention=own), NOW, "me"), NOW, WHY)
    running = moves.start(earlier, NOW, "me", "a worker").evolve(cancel_requested=True, blocked_by=("something",))
    result = Payload("text/plain", b"done")
    left = moves.leave(running, NOW + 3, None)
    ended = moves.end(left, NOW + 3, State.SUCCEEDED, None, result, default)
    assert moves.succeed(running, NOW + 3, result, default) == ended


@pytest.mark.parametrize(
    ("state", "own", "default", "expire"),
    [
        (State.SUCCEEDED, None, None, None),
        (State.SUCCEEDED, None, 5, NOW + 5),
        (State.SUCCEEDED, 7, 5, NOW + 7),
        (State.CANCELLED, None, 5, NOW + 5),
        (State.FAILED, None, 5, None),
        (State.FAILED, 7, 5, NOW + 7),
        (State.SUCCEEDED, 0, 5, NOW),
    ],
)
def test_how_long_a_job_stays(state: State, own: int | None, default: int | None, expire: int | None) -> None:
    over = moves.end(job(retention=own), NOW, state, None, None, default)
    assert (over.expire_time, over.due_time) == (expire, expire)


def test_again_forgets_the_run_before_but_not_its_attempts() -> None:
    failed = moves.end(moves.leave(moves.start(job(), NOW, "me"), NOW, WHY), NOW, State.FAILED, WHY, None, 5)
    again = moves.again(failed.evolve(result=Payload("x", b"")), NOW + 1)
    assert (again.state, again.attempt, again.start_time, again.end_time) == (State.QUEUED, 0, None, None)
    assert (again.failure, again.result, again.expire_time, again.due_time) == (None, None, None, None)
    assert (len(again.attempts), again.fence) == (1, 1)
