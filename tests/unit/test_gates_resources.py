"""Claims on resources: who may hold what together, who waits behind whom, and who is let go."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import WrongState
from slotd_server.domain.events import EVERYTHING, EventType
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim
from tests.unit.driver import BROKEN, DONE, START, Driver, draft, shared, snooze

MakeDriver = Callable[..., Driver]

A_ZOMBIE = "attempts/1"


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """Slots enough: what waits here waits for a claim."""
    return make_driver(50)


def claim(driver: Driver, *resources: str | Claim, **fields: object) -> Job:
    return driver.submit(resources=resources, **fields)  # type: ignore[arg-type]


class TestConflicts:
    @pytest.mark.parametrize(
        ("first", "second", "together"),
        [
            (Claim("a"), Claim("a"), False),
            (Claim("a"), shared("a"), False),
            (shared("a"), shared("a"), True),
            (Claim("a"), Claim("b"), True),
            (Claim("a/*"), Claim("a/b"), False),
            (Claim("a/*"), Claim("a/b/c"), False),
            (Claim("a/*"), Claim("a/b/*"), False),
            (Claim("a/*"), Claim("a/*"), False),
            (shared("a/*"), shared("a/b"), True),
            (shared("a/*"), Claim("a/b"), False),
            (Claim("a/*"), shared("a/b"), False),
            (Claim("a/*"), Claim("a"), True),
            (Claim("a/*"), Claim("ab"), True),
            (Claim("a/b/*"), Claim("a/c"), True),
            (Claim("a/b/*"), Claim("a/bc"), True),
            (Claim("*"), Claim("a"), False),
            (Claim("*"), Claim("a/b/*"), False),
            (Claim("*"), Claim("*"), False),
            (shared("*"), shared("a/b"), True),
            (shared("*"), Claim("a/b"), False),
            (shared("*"), shared("*"), True),
        ],
    )
    def test_whoever_comes_first(self, make_driver: MakeDriver, first: Claim, second: Claim, together: bool) -> None:
        for one, other in ((first, second), (second, first)):
            driver = make_driver(2)
            jobs = [claim(driver, one), claim(driver, other)]
            assert driver.states(jobs) == ("RR" if together else "RB"), "it depends on who came first"

    def test_a_job_s_own_claims_never_do(self, driver: Driver) -> None:
        job = claim(driver, "a", shared("a"), "a/*", "a/b", "*")
        assert driver.get(job).state is State.RUNNING
        driver.finish(job)
        assert driver.get(claim(driver, "a/b")).state is State.RUNNING

    def test_names_that_look_like_patterns_are_none(self, driver: Driver) -> None:
        jobs = [claim(driver, name) for name in ("a_c", "abc", "a%", "A_c")]
        assert driver.states(jobs) == "RRRR"


class TestBlockedBy:
    def test_it_names_its_own_claims_that_conflict_with_the_last_one_ahead(self, driver: Driver) -> None:
        claim(driver, "a", "b")
        claim(driver, "c")
        job = claim(driver, "d", "c", "a/x", "b", "a")
        assert driver.get(job).blocked_by == ("resources/c",)
        assert driver.get(claim(driver, shared("x"), "b", "d")).blocked_by == ("resources/b", "resources/d")

    def test_it_names_twenty_at_most(self, driver: Driver) -> None:
        claim(driver, "*")
        names = [f"n{number}" for number in range(64)]
        job = claim(driver, *names)
        assert driver.get(job).blocked_by == tuple(f"resources/{name}" for name in names[:20])

    def test_what_it_waits_behind_next_is_an_event_of_its_own(self, driver: Driver) -> None:
        claim(driver, "a")
        last = claim(driver, "b")
        job = claim(driver, "a", "b")
        after = driver.revision
        driver.finish(last)
        event = next(event for event in driver.events(after) if event.job.seq == job.seq)
        assert (event.type, event.previous_state, event.minor) == (EventType.CHANGED, State.BLOCKED, False)
        assert (event.job.state, event.job.blocked_by) == (State.BLOCKED, ("resources/a",))

    def test_nothing_is_left_of_it_when_the_job_goes_on(self, driver: Driver) -> None:
        first, second = claim(driver, "a"), claim(driver, "a")
        driver.finish(first)
        assert driver.get(second).blocked_by == ()


class TestTheLine:
    def test_one_after_the_other_in_order_of_submission(self, driver: Driver) -> None:
        jobs = [claim(driver, "a", priority=priority) for priority in (0, 0, 5, 0)]
        for number in range(4):
            assert driver.states(jobs) == "S" * number + "R" + "B" * (3 - number)
            driver.finish(jobs[number])

    def test_it_is_one_line_over_all_queues_and_kinds(self, driver: Driver) -> None:
        jobs = [claim(driver, "a"), claim(driver, "a", queue="q"), driver.submit("other", resources=["a"])]
        driver.finish(jobs[0])
        assert driver.states(jobs) == "SRB"

    def test_disjoint_ones_never_wait_for_each_other(self, driver: Driver) -> None:
        jobs = driver.batch(*[draft(resources=[f"n{number}"]) for number in range(20)])
        assert driver.states(jobs) == "R" * 20

    def test_one_end_lets_all_go_that_now_may(self, driver: Driver) -> None:
        wide = claim(driver, "*")
        jobs = driver.batch(
            *[draft(resources=[f"n{number}"]) for number in range(5)],
            *[draft(resources=[shared("s")])] * 5,
            *[draft(resources=["n0"])] * 2,
        )
        assert driver.states(jobs) == "B" * 12
        started = driver.finish(wide).started
        assert [job.seq for job in started] == [job.seq for job in jobs[:10]]
        assert driver.states(jobs) == "R" * 10 + "B" * 2

    def test_readers_wait_for_the_writer_before_them(self, driver: Driver) -> None:
        first, writer, second = claim(driver, shared("a")), claim(driver, "a"), claim(driver, shared("a"))
        assert driver.states((first, writer, second)) == "RBB"
        driver.finish(first)
        assert driver.states((first, writer, second)) == "SRB"

    def test_a_wide_claim_is_not_overtaken_by_narrow_ones(self, driver: Driver) -> None:
        held = [claim(driver, f"n{number}") for number in range(3)]
        wide = claim(driver, "*")
        later = [claim(driver, f"m{number}") for number in range(50)]
        assert driver.states(later) == "B" * 50
        for job in held:
            assert driver.get(wide).state is State.BLOCKED
            driver.finish(job)
        assert driver.get(wide).state is State.RUNNING
        driver.finish(wide)
        assert driver.states(later) == "R" * 50

    def test_nothing_is_held_while_waiting_but_the_place_in_the_line(self, driver: Driver) -> None:
        early = claim(driver, "b", schedule_time=START + SECOND)
        holder, both, late = claim(driver, "a"), claim(driver, "a", "b"), claim(driver, "b")
        assert driver.states((holder, both, late)) == "RBB", "nobody has b, but the later one has to let it by"
        driver.pass_time(SECOND)
        assert driver.get(early).state is State.RUNNING
        driver.finish(holder)
        assert driver.get(both).blocked_by == ("resources/b",)

    def test_an_earlier_one_that_comes_back_goes_before_later_ones_that_wait(self, driver: Driver) -> None:
        early = claim(driver, "a", schedule_time=START + SECOND)
        holder, late = claim(driver, "a"), claim(driver, "a")
        driver.pass_time(SECOND)
        assert driver.states((early, holder, late)) == "BRB"
        driver.finish(holder)
        assert driver.states((early, holder, late)) == "RSB"

    def test_two_that_want_the_same_two_things_never_wait_for_each_other(self, driver: Driver) -> None:
        jobs = [claim(driver, *names) for names in (("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"))]
        ran = 0
        while driver.running:
            (job,) = driver.running.values()
            driver.finish(job)
            ran += 1
        assert ran == len(jobs)

    @pytest.mark.parametrize("leaves", ["cancel", "timeout", "update"])
    def test_one_that_leaves_the_line_lets_those_behind_it_go(self, driver: Driver, leaves: str) -> None:
        holder = claim(driver, shared("a"))
        writer = claim(driver, "a", queue_timeout=SECOND if leaves == "timeout" else None)
        reader = claim(driver, shared("a"))
        assert driver.states((holder, writer, reader)) == "RBB"
        if leaves == "cancel":
            driver.answer(ask.Cancel(writer.id))
        elif leaves == "timeout":
            driver.pass_time(SECOND)
        else:
            driver.update(writer, schedule_time=START + SECOND)
        assert driver.get(reader).state is State.RUNNING

    def test_it_is_the_same_after_a_restart(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(0, path=f"{tmp_path}/jobs.db")
        jobs = [claim(driver, name) for name in ("a", "*", "b")]
        assert driver.states(jobs) == "QBB"
        driver.restart(slots=9)
        driver.apply()
        for number in range(3):
            assert driver.states(jobs) == "S" * number + "R" + "B" * (2 - number)
            driver.finish(jobs[number])


class TestHolding:
    def test_from_when_it_is_queued_though_it_has_no_slot(self, make_driver: MakeDriver) -> None:
        driver = make_driver(0)
        jobs = [claim(driver, "a"), claim(driver, "a")]
        assert driver.states(jobs) == "QB"

    def test_not_during_backoff(self, driver: Driver) -> None:
        failing, other = claim(driver, "a"), claim(driver, "a")
        driver.finish(failing, BROKEN)
        assert driver.states((failing, other)) == "SR"
        driver.pass_time(5 * SECOND)
        assert driver.get(failing).blocked_by == ("resources/a",)
        driver.finish(other)
        assert driver.states((failing, other)) == "RS"

    def test_a_retry_at_once_goes_before_later_ones(self, driver: Driver) -> None:
        failing, other = claim(driver, "a", initial_backoff=0), claim(driver, "a")
        driver.finish(failing, BROKEN)
        assert driver.states((failing, other)) == "RB"

    def test_a_snooze_lets_go(self, driver: Driver) -> None:
        sleepy, other = claim(driver, "a"), claim(driver, "a")
        driver.finish(sleepy, snooze(9))
        assert driver.states((sleepy, other)) == "SR"

    def test_not_while_it_waits_for_a_dependency(self, driver: Driver) -> None:
        before = driver.submit()
        after = driver.submit(resources=["a"], depends_on=[before])
        other = claim(driver, "a")
        assert driver.states((after, other)) == "BR"
        driver.finish(before)
        assert driver.get(after).blocked_by == ("resources/a",)

    @pytest.mark.parametrize("backoff", [0, 5 * SECOND])
    def test_a_zombie_keeps_them(self, driver: Driver, backoff: int) -> None:
        zombie = claim(driver, "a", initial_backoff=backoff, jitter=0.0)
        other = claim(driver, "a")
        driver.overrun(zombie)
        assert driver.get(other).state is State.BLOCKED
        if not backoff:
            assert driver.get(zombie).blocked_by == (A_ZOMBIE,)
        driver.finish(zombie)
        # At once it is its own turn again, being the earlier one; in its backoff it has let go.
        assert driver.states((zombie, other)) == ("SR" if backoff else "RB")

    def test_a_zombie_of_a_job_that_has_ended_keeps_them_too(self, driver: Driver) -> None:
        zombie, other = claim(driver, "a", max_attempts=1), claim(driver, "a")
        driver.overrun(zombie)
        assert driver.states((zombie, other)) == "FB"
        driver.finish(zombie)
        assert driver.states((zombie, other)) == "FR"

    def test_a_running_job_that_is_cancelled_keeps_them_until_its_function_returns(self, driver: Driver) -> None:
        running, other = claim(driver, "a"), claim(driver, "a")
        driver.answer(ask.Cancel(running.id))
        assert driver.get(other).state is State.BLOCKED
        driver.finish(running)
        assert driver.states((running, other)) == "CR"

    def test_a_zombie_goes_with_its_server(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(9, path=f"{tmp_path}/jobs.db")
        zombie, other = claim(driver, "a", max_attempts=1), claim(driver, "a")
        driver.overrun(zombie)
        driver.restart()
        driver.apply()
        assert driver.states((zombie, other)) == "FR"

    def test_a_lost_attempt_s_job_is_first_again(self, make_driver: MakeDriver, tmp_path: object) -> None:
        driver = make_driver(9, path=f"{tmp_path}/jobs.db")
        lost, other = claim(driver, "a"), claim(driver, "a")
        driver.restart()
        driver.apply()
        assert driver.states((lost, other)) == "RB"

    def test_given_back_it_is_first_again(self, driver: Driver) -> None:
        running, other = claim(driver, "a"), claim(driver, "a")
        driver.apply(ask.GiveBack(driver.lease(running)), claim=False)
        assert driver.states((running, other)) == "QB"


class TestDelete:
    def test_a_job_whose_zombie_holds_claims_can_t_go_yet(self, driver: Driver) -> None:
        zombie = claim(driver, "a", max_attempts=1)
        driver.overrun(zombie)
        with pytest.raises(WrongState):
            driver.answer(ask.Delete(zombie.id))
        assert driver.answer(ask.Purge(EVERYTHING)) == 0
        driver.finish(zombie)
        driver.answer(ask.Delete(zombie.id))
        assert driver.find(zombie) is None

    def test_nothing_of_it_is_left(self, driver: Driver) -> None:
        before = {name: driver.everything()[name] for name in ("claims", "behind")}
        jobs = [claim(driver, name) for name in ("a/b", "a/*", "*")]
        for job in jobs:
            driver.finish(job, DONE)
            driver.answer(ask.Delete(job.id))
        assert {name: driver.everything()[name] for name in ("claims", "behind")} == before
