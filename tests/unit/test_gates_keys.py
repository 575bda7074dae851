"""Concurrency keys: so many of each run at once, and the others wait in the key's own line."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import State
from tests.unit.driver import BROKEN, START, Driver, draft

MakeDriver = Callable[..., Driver]


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """Slots enough, and two of each key in the default queue."""
    driver = make_driver(50)
    driver.queue(slots_per_key=2)
    return driver


def keyed(driver: Driver, keys: str, **fields: object) -> list[Job]:
    """A job for each letter."""
    return [driver.submit(key=key, **fields) for key in keys]  # type: ignore[arg-type]


def test_so_many_of_each_key_and_the_others_wait_for_it(driver: Driver) -> None:
    jobs = keyed(driver, "aaaabbb")
    assert driver.states(jobs) == "RRBBRRB"
    assert driver.get(jobs[2]).blocked_by == ("keys/a",)
    driver.finish(jobs[1])
    assert driver.states(jobs) == "RSRBRRB"


def test_without_a_key_or_a_limit_nobody_waits(driver: Driver) -> None:
    assert driver.states([driver.submit() for _ in range(5)]) == "RRRRR"
    assert driver.states(keyed(driver, "aaaaa", queue="unlimited")) == "RRRRR"


def test_each_queue_counts_its_own(driver: Driver) -> None:
    driver.queue("q", slots_per_key=1)
    assert driver.states(keyed(driver, "aa") + keyed(driver, "aa", queue="q")) == "RRRB"


def test_they_are_let_go_by_priority_and_then_by_age(driver: Driver) -> None:
    jobs = keyed(driver, "aa") + [driver.submit(key="a", priority=priority) for priority in (0, 5, 0, 5)]
    order = []
    for _ in range(4):
        before = driver.states(jobs)
        driver.finish(next(job for job in jobs if driver.get(job).state is State.RUNNING))
        after = driver.states(jobs)
        order.append(next(n for n in range(6) if before[n] == "B" and after[n] == "R"))
    assert order == [3, 5, 2, 4]


def test_priority_can_be_changed_while_one_waits(driver: Driver) -> None:
    jobs = keyed(driver, "aaaa")
    driver.update(jobs[3], priority=1)
    driver.finish(jobs[0])
    assert driver.states(jobs) == "SRBR"


def test_a_higher_limit_lets_more_go_at_once(driver: Driver) -> None:
    jobs = keyed(driver, "aaaaaabbb")
    driver.queue(slots_per_key=4)
    assert driver.states(jobs) == "RRRRBBRRR"
    driver.queue(slots_per_key=None)
    assert driver.states(jobs) == "RRRRRRRRR"


def test_a_lower_one_takes_nothing_away(driver: Driver) -> None:
    jobs = keyed(driver, "aaaa")
    driver.queue(slots_per_key=1)
    assert driver.states(jobs) == "RRBB"
    driver.finish(jobs[0])
    assert driver.states(jobs) == "SRBB"
    driver.finish(jobs[1])
    assert driver.states(jobs) == "SSRB"


def test_a_new_limit_counts_those_that_were_there_before(make_driver: MakeDriver) -> None:
    driver = make_driver(9)
    jobs = keyed(driver, "aaa")
    driver.queue(slots_per_key=2)
    jobs += keyed(driver, "a")
    assert driver.states(jobs) == "RRRB"
    driver.finish(jobs[0])
    assert driver.states(jobs) == "SRRB"
    driver.finish(jobs[1])
    assert driver.states(jobs) == "SSRR"


def test_no_slots_at_all_hold_all_of_them_back(driver: Driver) -> None:
    driver.queue(slots_per_key=0)
    jobs = [*keyed(driver, "ab"), driver.submit()]
    assert driver.states(jobs) == "BBR"
    driver.queue(slots_per_key=1)
    assert driver.states(jobs) == "RRR"


def test_one_that_waits_for_a_slot_of_the_pool_has_its_key_s_already(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    driver.queue(slots_per_key=1)
    assert driver.states(keyed(driver, "aab")) == "QBQ"


def test_a_zombie_keeps_its_slot(driver: Driver) -> None:
    jobs = keyed(driver, "aaa", max_attempts=1)
    driver.overrun(jobs[0])
    assert driver.states(jobs) == "FRB"
    driver.finish(jobs[0])
    assert driver.states(jobs) == "FRR"


def test_backoff_gives_it_back(driver: Driver) -> None:
    jobs = keyed(driver, "aaa", jitter=0.0)
    driver.finish(jobs[0], BROKEN)
    assert driver.states(jobs) == "SRR"
    driver.pass_time(SECOND)
    assert driver.get(jobs[0]).blocked_by == ("keys/a",)
    driver.finish(jobs[1])
    assert driver.states(jobs) == "RSR"


@pytest.mark.parametrize("leaves", ["cancel", "timeout", "later", "queue"])
def test_whoever_leaves_the_line_holds_up_nobody(driver: Driver, leaves: str) -> None:
    holders = keyed(driver, "aa")
    gone, job = keyed(driver, "a", queue_timeout=SECOND if leaves == "timeout" else None) + keyed(driver, "a")
    if leaves == "cancel":
        driver.answer(ask.Cancel(gone.id))
    elif leaves == "timeout":
        driver.pass_time(SECOND)
    elif leaves == "later":
        driver.update(gone, schedule_time=START + 100 * SECOND)
    else:
        driver.update(gone, queue="unlimited")
    assert driver.get(job).state is State.BLOCKED
    driver.finish(holders[0])
    assert driver.get(job).state is State.RUNNING


def test_a_move_to_another_queue_gives_the_slot_to_the_next(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    driver.queue(slots_per_key=1)
    jobs = keyed(driver, "aa")
    driver.update(jobs[0], queue="q")
    assert driver.states(jobs) == "QQ"


def test_one_that_waits_for_its_claims_has_a_slot_and_one_behind_it_does_not(driver: Driver) -> None:
    """The key's slots come before claims, so that those who wait for claims can be told from those who wait here."""
    holder = driver.submit(resources=["r"])
    jobs = [driver.submit(key="a", resources=["r"]) for _ in range(3)]
    assert [driver.get(job).blocked_by for job in jobs] == [("resources/r",), ("resources/r",), ("keys/a",)]
    driver.finish(holder)
    assert driver.states(jobs) == "RBB"
    driver.finish(jobs[0])
    assert driver.get(jobs[2]).blocked_by == ("resources/r",)


def test_deleting_and_ending_leave_nothing_behind(driver: Driver) -> None:
    jobs = keyed(driver, "abcabcabc")
    while driver.running:
        driver.finish(next(iter(driver.running.values())))
    for job in jobs:
        driver.answer(ask.Delete(job.id))
    assert driver.everything()["key_waits"] == []
    assert all(active == 0 for _, _, active, _ in driver.everything()["keys"])


def test_it_is_the_same_after_a_restart(make_driver: MakeDriver, tmp_path: object) -> None:
    driver = make_driver(9, path=f"{tmp_path}/jobs.db")
    driver.queue(slots_per_key=1)
    jobs = keyed(driver, "aab")
    driver.restart()
    driver.apply()
    assert driver.states(jobs) == "RBR"
    driver.finish(jobs[0])
    assert driver.states(jobs) == "SRR"


def test_ten_thousand_that_wait_are_let_go_in_several_changes(make_driver: MakeDriver) -> None:
    driver = make_driver(0)
    driver.queue(slots_per_key=1)
    for _ in range(5):
        driver.batch(*[draft(key="a")] * 2000)
    committed = driver.queue(slots_per_key=None)
    while committed.agenda.due is not None and committed.agenda.due <= driver.clock.now():
        assert len(committed.events) <= 1001
        committed = driver.apply()
    assert (driver.counters().queued, driver.counters().blocked) == (10_000, 0)
