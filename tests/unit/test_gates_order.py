"""Who is started next where keys take turns and lower priorities have their share, and how many start in a time."""

from collections import Counter
from collections.abc import Callable
from itertools import groupby

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import StoreFull
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Rate
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, Driver, draft

MakeDriver = Callable[..., Driver]


def one_by_one(driver: Driver, number: int = 10_000) -> list[Job]:
    """The next jobs, in the order in which they start where one runs at a time."""
    started: list[Job] = []
    driver.apply(ask.UpdateSlots(1))
    while driver.running and len(started) < number:
        (job,) = driver.running.values()
        started.append(job)
        driver.finish(job)
    return started


def keys(jobs: list[Job]) -> str:
    return "".join(job.spec.ties.key if job.spec.ties else "-" for job in jobs)


def submit(driver: Driver, letters: str, **fields: object) -> None:
    """A job for each letter, its key; one without a key for a dash."""
    for letter in letters:
        driver.submit(key="" if letter == "-" else letter, **fields)  # type: ignore[arg-type]


class TestTurns:
    def test_keys_take_turns_however_many_jobs_each_has(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        submit(driver, "aaaaaabbbc")
        assert keys(one_by_one(driver)) == "abcababaaa"

    def test_a_late_one_is_next_and_does_not_make_up_for_what_it_missed(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        submit(driver, "aaaaaaaa")
        assert keys(one_by_one(driver, 4)) == "aaaa"
        submit(driver, "bbb")
        assert keys(one_by_one(driver))[:6] == "abab" + "ab"

    def test_jobs_without_a_key_wait_for_no_more_than_the_keys_before_them(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        submit(driver, "aaaa-")
        assert keys(one_by_one(driver)).index("-") <= 1

    def test_without_keys_it_is_the_order_of_submission(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = [driver.submit() for _ in range(5)]
        assert [job.seq for job in one_by_one(driver)] == [job.seq for job in jobs]

    def test_priority_counts_more_than_turns(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        submit(driver, "bb")
        submit(driver, "aaa", priority=1)
        assert keys(one_by_one(driver)) == "aaabb"

    def test_each_queue_has_turns_of_its_own(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        submit(driver, "a" * 20)
        assert len(one_by_one(driver, 15)) == 15
        driver.apply(ask.UpdateSlots(0), claim=False)
        submit(driver, "---", queue="other")
        left = [job.spec.queue for job in one_by_one(driver)]
        assert left == ["default"] * 5 + ["other"] * 3, "what one queue has been through counts in another"

    def test_a_retried_job_gets_a_new_turn(self, make_driver: MakeDriver) -> None:
        driver = make_driver(1)
        failing = driver.submit(key="a", initial_backoff=0)
        submit(driver, "bab")
        driver.finish(failing, BROKEN)
        order = one_by_one(driver)
        assert (keys(order), order[-1].seq) == ("baba", failing.seq)

    def test_they_go_on_where_they_were_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(0, path=f"{tmp_path}/jobs.db")
        submit(driver, "aaaaaa")
        assert keys(one_by_one(driver, 3)) == "aaa"
        driver.restart(slots=0)
        submit(driver, "bb")
        assert keys(one_by_one(driver)) == "babaa"

    def test_what_is_over_is_forgotten(self, make_driver: MakeDriver) -> None:
        """A tenant of long ago costs nothing, and neither do ten thousand of them."""
        driver = make_driver(0)
        for number in range(300):
            driver.submit(key=f"tenant-{number}")
        one_by_one(driver)
        submit(driver, "zzzz")
        one_by_one(driver)
        for number in range(300):
            driver.submit(key=f"tenant-{number}")
        one_by_one(driver)
        assert len(driver.everything()["keys"]) <= 302


class TestPriorities:
    def test_one_start_in_ten_goes_to_a_lower_one_in_its_turn(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        for priority in [9] * 60 + [0] * 5 + [5] * 5:
            driver.submit(priority=priority)
        order = [job.spec.priority for job in one_by_one(driver, 60)]
        assert [(priority, len(list(run))) for priority, run in groupby(order)] == [
            *[(9, 9), (5, 1), (9, 9), (0, 1)] * 3,
        ]

    def test_all_are_started_in_the_end_and_each_once(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = driver.batch(*[draft(priority=number % 7 - 3) for number in range(100)])
        assert Counter(job.seq for job in one_by_one(driver)) == Counter(job.seq for job in jobs)

    @pytest.mark.parametrize("slots", [1, 3, 8, 40])
    def test_the_lowest_moves_under_a_steady_flow(self, make_driver: MakeDriver, slots: int) -> None:
        driver = make_driver(0)
        lowest = driver.submit(priority=-1000)
        driver.submit(priority=0)
        starts = 0
        driver.batch(*[draft(priority=1000)] * slots)
        driver.apply(ask.UpdateSlots(slots))
        while driver.get(lowest).start_time is None:
            job = next(iter(driver.running.values()))
            driver.apply(ask.Finish(driver.lease(job), BROKEN), *[ask.Submit((draft(priority=1000),))] * 2)
            starts += 1
            assert starts < 20 + slots, "it starves"

    def test_a_failed_change_uses_up_nobody_s_turn(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        for priority in [1] * 30 + [0] * 3:
            driver.submit(priority=priority)
        order = [job.spec.priority for job in one_by_one(driver, 8)]
        (running,) = driver.running.values()
        for _ in range(4):
            driver.store.fail_commits = 1
            with pytest.raises(StoreFull):
                driver.lifecycle.apply([ask.Finish(driver.lease(running), BROKEN)])
        order += [job.spec.priority for job in one_by_one(driver, 12)]
        assert [place for place, priority in enumerate(order) if priority == 0] == [9, 19]


class TestRates:
    def test_a_burst_and_then_so_many_in_a_time(self, make_driver: MakeDriver) -> None:
        driver = make_driver(50)
        driver.queue(rate=Rate(2, burst=3))
        driver.batch(*[draft()] * 20)
        started = [len(driver.running)]
        for _ in range(8):
            driver.pass_time(SECOND // 4)
            started.append(len(driver.running))
        assert started == [3, 3, 4, 4, 5, 5, 6, 6, 7]

    def test_it_says_when_the_next_may_start(self, make_driver: MakeDriver) -> None:
        driver = make_driver(50)
        driver.queue(rate=Rate(0.1))
        committed = driver.apply(ask.Submit((draft(),) * 3))
        assert len(committed.started) == 1
        assert committed.agenda.due == driver.clock.now() + 10 * SECOND

    def test_unused_starts_are_saved_up_to_the_burst(self, make_driver: MakeDriver) -> None:
        driver = make_driver(50)
        driver.queue(rate=Rate(1, burst=4))
        driver.pass_time(3600 * SECOND)
        driver.batch(*[draft()] * 9)
        assert len(driver.running) == 4

    def test_over_a_long_time_it_is_exact(self, make_driver: MakeDriver) -> None:
        driver = make_driver(500)
        driver.queue(rate=Rate(7))
        driver.batch(*[draft()] * 500)
        committed, end = driver.apply(), driver.clock.now() + 60 * SECOND
        while committed.agenda.due is not None and committed.agenda.due <= end:
            committed = driver.pass_time(committed.agenda.due - driver.clock.now())
        assert driver.counters().started == 1 + 7 * 60

    def test_each_queue_has_its_own_and_the_others_go_on(self, make_driver: MakeDriver) -> None:
        driver = make_driver(50)
        driver.queue("slow", rate=Rate(0.001))
        driver.batch(*[draft(queue="slow", priority=9)] * 5, *[draft()] * 5)
        assert Counter(job.spec.queue for job in driver.running.values()) == {"slow": 1, "default": 5}

    def test_it_holds_over_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(5, path=f"{tmp_path}/jobs.db")
        driver.queue(rate=Rate(1))
        driver.finish(driver.submit())
        waiting = driver.submit()
        driver.restart()
        assert driver.apply().started == []
        driver.pass_time(SECOND)
        assert driver.get(waiting).state is State.RUNNING

    def test_a_failed_change_uses_up_nothing(self, make_driver: MakeDriver) -> None:
        driver = make_driver(5)
        driver.queue(rate=Rate(1))
        driver.store.fail_commits = 1
        with pytest.raises(StoreFull):
            driver.submit()
        assert driver.get(driver.submit()).state is State.RUNNING

    def test_a_clock_set_back_holds_nobody_up_for_longer_than_a_burst(self, make_driver: MakeDriver) -> None:
        driver = make_driver(5)
        driver.queue(rate=Rate(1, burst=2))
        driver.submit()
        driver.clock.step(-1_000_000 * SECOND)
        waiting = driver.submit()
        driver.pass_time(2 * SECOND)
        assert driver.get(waiting).state is State.RUNNING

    def test_none_is_no_limit(self, make_driver: MakeDriver) -> None:
        driver = make_driver(50)
        driver.queue(rate=Rate(0.001))
        driver.batch(*[draft()] * 10)
        driver.queue(rate=None)
        assert len(driver.running) == 10
