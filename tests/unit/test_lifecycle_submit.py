"""Submitting: what holds for a new job, what is refused, and what repeats."""

from collections.abc import Callable

import pytest

from slotd_server.change import Limits
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import NotFound, QueueFull, RequestIdReused
from slotd_server.domain.events import EventType
from slotd_server.domain.job import SECOND, Payload, RetryPolicy
from slotd_server.domain.queue import NOTHING, Defaults
from slotd_server.domain.states import State
from tests.unit.driver import START, Driver, draft

MakeDriver = Callable[..., Driver]


def test_a_job_waits_and_is_started_in_the_same_change(driver: Driver) -> None:
    committed = driver.apply(ask.Submit((draft(),)))
    ((job,),) = committed.answers
    assert (job.state, job.revision, job.seq, job.attempt) == (State.QUEUED, 1, 1, 0)
    assert [(event.type, event.job.state) for event in committed.events] == [
        (EventType.CREATED, State.QUEUED),
        (EventType.CHANGED, State.RUNNING),
    ]
    assert [one.id for one in committed.started] == [job.id]
    assert driver.get(job).attempts[0].server == driver.store.owner


def test_with_nothing_said_the_service_s_own_defaults_hold(driver: Driver) -> None:
    spec = driver.submit().spec
    assert spec.retry == RetryPolicy(3, SECOND, 600 * SECOND, 2.0, 0.1)
    assert (spec.queue, spec.priority, spec.timeout, spec.queue_timeout, spec.retention) == (
        "default",
        0,
        None,
        None,
        None,
    )


def test_the_job_s_word_counts_more_than_the_handler_s_than_the_queue_s(make_driver: MakeDriver) -> None:
    driver = make_driver(kinds={"work": Defaults(priority=5, timeout=7 * SECOND)})
    driver.queue(defaults=Defaults(priority=1, timeout=1 * SECOND, jitter=0.5))
    spec = driver.submit(priority=9).spec
    assert (spec.priority, spec.timeout, spec.retry.jitter) == (9, 7 * SECOND, 0.5)


def test_the_handler_s_queue_holds_and_its_settings_with_it(make_driver: MakeDriver) -> None:
    driver = make_driver(kinds={"work": Defaults(queue="slow")})
    driver.queue("slow", defaults=Defaults(max_attempts=7))
    spec = driver.submit().spec
    assert (spec.queue, spec.retry.max_attempts) == ("slow", 7)
    assert driver.submit(queue="fast").spec.retry.max_attempts == 3


def test_a_batch_is_taken_in_order(driver: Driver) -> None:
    jobs = driver.answer(ask.Submit(tuple(draft(labels={"n": str(n)}) for n in range(5))))
    assert [dict(job.spec.labels)["n"] for job in jobs] == ["0", "1", "2", "3", "4"]
    assert [job.seq for job in jobs] == [1, 2, 3, 4, 5]
    assert [job.state for job in driver.jobs()] == [State.RUNNING] * 2 + [State.QUEUED] * 3


@pytest.mark.parametrize(("late", "state"), [(1, State.SCHEDULED), (0, State.RUNNING), (-1, State.RUNNING)])
def test_a_job_for_later_waits_for_its_time(driver: Driver, late: int, state: State) -> None:
    job = driver.submit(schedule_time=START + late)
    assert driver.get(job).state is state


def test_unknown_kinds_wait_until_a_server_knows_them(make_driver: MakeDriver, tmp_path: object) -> None:
    driver = make_driver(path=f"{tmp_path}/jobs.db", kinds={"work": NOTHING})
    unknown, known = driver.submit("new"), driver.submit("work")
    assert driver.get(unknown).state is State.QUEUED
    assert driver.get(known).state is State.RUNNING
    driver.kinds = {"new": NOTHING}
    driver.restart()
    driver.apply()
    assert driver.get(unknown).state is State.RUNNING


class TestRequestId:
    def test_the_same_content_answers_the_first_job(self, driver: Driver) -> None:
        first = driver.submit(request_id="r", content=b"a")
        driver.finish(first)
        again = driver.answer(ask.Submit((draft(request_id="r", content=b"a"),)))
        assert again == (driver.get(first),)
        assert driver.counters().submitted == 1

    def test_other_content_is_refused_with_the_first_job_s_id(self, driver: Driver) -> None:
        first = driver.submit(request_id="r", content=b"a")
        before = driver.everything()
        with pytest.raises(RequestIdReused) as refused:
            driver.submit(request_id="r", content=b"b")
        assert refused.value.job_id == first.id
        assert driver.everything() == before

    def test_two_at_the_same_time_make_one_job(self, driver: Driver) -> None:
        one = ask.Submit((draft(request_id="r", content=b"a"),))
        (first,), (second,) = driver.apply(one, one).answers
        assert first.id == second.id
        assert len(driver.jobs()) == 1

    def test_in_a_batch_only_the_new_ones_are_made(self, driver: Driver) -> None:
        first = driver.submit(request_id="r", content=b"a")
        jobs = driver.answer(ask.Submit((draft(), draft(request_id="r", content=b"a"), draft(request_id="s"))))
        assert jobs[1].id == first.id
        assert len(driver.jobs()) == 3

    def test_it_is_remembered_over_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(path=f"{tmp_path}/jobs.db")
        first = driver.submit(request_id="r")
        driver.restart()
        assert driver.submit(request_id="r").id == first.id

    def test_it_outlives_a_deleted_job_for_a_day(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(request_age=86_400 * SECOND))
        first = driver.submit(request_id="r")
        driver.finish(first)
        driver.answer(ask.Delete(first.id))
        with pytest.raises(NotFound):
            driver.submit(request_id="r")
        driver.pass_time(86_400 * SECOND)
        driver.pass_time(61 * SECOND)
        assert driver.submit(request_id="r").id != first.id

    def test_it_is_kept_for_as_long_as_the_job(self, make_driver: MakeDriver) -> None:
        driver = make_driver(limits=Limits(request_age=0, retention=None))
        first = driver.submit(request_id="r")
        driver.finish(first)
        driver.pass_time(1_000_000 * SECOND)
        assert driver.submit(request_id="r").id == first.id


class TestValidateOnly:
    def test_it_answers_what_would_be_and_changes_nothing(self, driver: Driver) -> None:
        before = driver.everything()
        payload = Payload("text/plain", b"x")
        (job,) = driver.answer(ask.Submit((draft(payload=payload, priority=3, request_id="r"),), validate_only=True))
        assert (job.id, job.state, job.spec.priority, job.spec.payload) == ("", State.QUEUED, 3, payload)
        assert driver.everything() == before
        assert driver.submit(request_id="r", content=b"other").id

    def test_it_is_refused_as_the_real_one_would_be(self, driver: Driver) -> None:
        driver.queue(max_queued=0, paused=True)
        with pytest.raises(QueueFull):
            driver.answer(ask.Submit((draft(),), validate_only=True))


class TestMaxQueued:
    def test_as_many_wait_and_no_more(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue(max_queued=2)
        driver.submit()
        driver.submit()
        before = driver.everything()
        with pytest.raises(QueueFull, match="2 waiting"):
            driver.submit()
        assert driver.everything() == before

    def test_many_in_one_change_are_each_counted(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue(max_queued=3)
        answers = driver.apply(*[ask.Submit((draft(),))] * 8).answers
        assert [isinstance(answer, QueueFull) for answer in answers] == [False] * 3 + [True] * 5
        assert driver.counters().waiting == 3

    def test_a_batch_goes_in_whole_or_not_at_all(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue(max_queued=3)
        driver.queue("free")
        with pytest.raises(QueueFull):
            driver.answer(ask.Submit((draft(queue="free"), draft(), draft(), draft(), draft())))
        assert driver.jobs() == []
        assert len(driver.answer(ask.Submit((draft(), draft(), draft())))) == 3

    def test_what_can_start_does_not_wait(self, driver: Driver) -> None:
        driver.queue(max_queued=1)
        answers = driver.apply(*[ask.Submit((draft(),))] * 5).answers
        # Two are started at once, one waits.
        assert [isinstance(answer, QueueFull) for answer in answers] == [False, False, False, True, True]

    def test_scheduled_and_blocked_jobs_wait_too(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        driver.queue(max_queued=2)
        zombie = driver.submit(initial_backoff=0)
        driver.overrun(zombie)
        driver.submit(schedule_time=START + SECOND)
        assert [job.state for job in driver.jobs()] == [State.BLOCKED, State.SCHEDULED]
        with pytest.raises(QueueFull):
            driver.submit()

    def test_each_queue_has_its_own(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue("full", max_queued=0)
        driver.submit()
        with pytest.raises(QueueFull):
            driver.submit(queue="full")

    def test_a_repeated_request_is_answered_by_a_full_queue(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        driver.queue(max_queued=1)
        first = driver.submit(request_id="r")
        assert driver.submit(request_id="r").id == first.id

    def test_retry_by_hand_needs_room_but_a_job_s_own_retry_never_does(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        driver.queue(max_queued=1)
        cancelled = driver.submit(schedule_time=START + SECOND)
        driver.answer(ask.Cancel(cancelled.id))
        runs = driver.submit(initial_backoff=0)
        driver.submit()
        with pytest.raises(QueueFull):
            driver.answer(ask.Retry(cancelled.id))
        driver.report(runs)
        driver.apply(ask.GiveBack(driver.lease(runs)), claim=False)
        assert driver.counters().waiting == 2
