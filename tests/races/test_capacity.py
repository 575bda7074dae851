"""Races 1, 3, 6, 7 and 8 of the parents: more ran, or waited, than were allowed."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from slotd_server import claiming
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import QueueFull
from slotd_server.domain.job import SECOND
from slotd_server.domain.states import State
from slotd_server.slots import Ledger
from tests.machine.mutants import shrinking_forgets_who_runs, timeout_frees_the_slot
from tests.races.interleaving import Meeting, Mutant, caught, watched
from tests.races.old_ways import Apart, CheckThenInsert, CountLate, DecideThenStart, waiting_in_all
from tests.unit.driver import Driver, draft
from tests.unit.scripted import Rooms, on_threads, scripted

MakeDriver = Callable[..., Driver]
Patch = pytest.MonkeyPatch


def meet_before_reserving(driver: Driver, patch: Patch, meeting: Meeting) -> None:
    """The two meet when a start is decided, and not yet counted."""
    if isinstance(driver.lifecycle, Apart):
        driver.lifecycle.between = meeting
        return
    reserve = Ledger.reserve

    def late(*arguments: Any) -> None:
        meeting()
        reserve(*arguments)

    patch.setattr(Ledger, "reserve", late)


@pytest.mark.parametrize("old", [None, CountLate])
def test_1_over_dispatch_between_the_decision_and_the_count(
    make_driver: MakeDriver, monkeypatch: Patch, old: type[Apart] | None
) -> None:
    driver = make_driver(1)
    if old:
        driver.use(old)
    driver.apply()
    driver.apply(ask.UpdateSlots(1))
    with watched(driver, monkeypatch) as lock:
        meeting = Meeting(lock, lambda: driver.apply(ask.Submit((draft(), draft()))))
        meet_before_reserving(driver, monkeypatch, meeting)
        driver.apply(ask.Submit((draft(),)))
        meeting.over()
    running = [job for job in driver.jobs() if job.state is State.RUNNING]
    with caught(old):
        assert len(running) == 1, "three jobs on one slot, and more than one runs"


@pytest.mark.parametrize("old", [None, DecideThenStart])
def test_3_dispatched_twice_while_another_looks_for_work(
    make_driver: MakeDriver, monkeypatch: Patch, old: type[Apart] | None
) -> None:
    driver = make_driver(0)
    driver.apply(ask.Submit((draft(), draft())))
    if old:
        driver.use(old)
    driver.apply(ask.UpdateSlots(2), claim=False)
    started: list[str] = []
    with watched(driver, monkeypatch) as lock:

        def look() -> None:
            started.extend(job.id for job in driver.lifecycle.apply([]).started)

        meeting = Meeting(lock, look)
        meet_before_reserving(driver, monkeypatch, meeting)
        look()
        meeting.over()
    with caught(old):
        assert Counter(started) == Counter(job.id for job in driver.jobs()), "started twice"


@pytest.mark.parametrize("mutant", [None, timeout_frees_the_slot])
async def test_6_a_timeout_frees_no_slot_while_the_function_runs_on(
    make_driver: MakeDriver, monkeypatch: Patch, mutant: Mutant | None
) -> None:
    if mutant:
        mutant(monkeypatch)
    driver = make_driver(2)
    rooms = Rooms()
    async with on_threads(driver, {"work": rooms.enter}) as box:
        await box.call(ask.Submit((draft(timeout=5 * SECOND, max_attempts=1),) * 10))
        for _ in range(5):
            await box.advance(5 * SECOND)
        starts = [event for event in box.events if event.job.state is State.RUNNING]
        rooms.let_out(len(starts))
        with caught(mutant):
            assert len(starts) == 2, "no function has returned, and yet others have started"
        if mutant:
            return
        view = await box.call(ask.ListSlots())
        assert (view.free, view.running, view.zombie) == (0, 0, 2)
        for ran in (4, 6, 8, 10):
            await rooms.until(ran=ran)
            rooms.let_out(2)
        await rooms.until(inside=0)
        assert rooms.most == 2


@pytest.mark.parametrize("mutant", [None, shrinking_forgets_who_runs])
def test_7_a_pool_made_smaller_starts_nothing_until_there_is_room(
    make_driver: MakeDriver, monkeypatch: Patch, mutant: Mutant | None
) -> None:
    if mutant:
        mutant(monkeypatch)
    driver = make_driver(2)
    first = driver.submit()
    driver.apply(ask.UpdateSlots(1))
    driver.submit()
    with caught(mutant):
        assert len(driver.running) == 1, "one slot, and two run"
    if not mutant:
        driver.finish(first)
        assert len(driver.running) == 1


@pytest.mark.parametrize("old", [None, CheckThenInsert])
def test_8_capacity_is_checked_where_it_is_used(
    make_driver: MakeDriver, monkeypatch: Patch, old: type[Apart] | None
) -> None:
    driver = make_driver(0)
    driver.queue(max_queued=1)
    if old:
        driver.use(old)
    answers: list[Any] = []
    with watched(driver, monkeypatch) as lock:

        def submit() -> None:
            answers.extend(driver.lifecycle.apply([ask.Submit((draft(),))]).answers)

        meeting = Meeting(lock, submit)
        if isinstance(driver.lifecycle, Apart):
            driver.lifecycle.between = meeting
        else:
            has_room = claiming.has_room

            def slow(*arguments: Any) -> bool:
                room = has_room(*arguments)
                meeting()
                return room

            monkeypatch.setattr(claiming, "has_room", slow)
        submit()
        meeting.over()
    with caught(old):
        assert waiting_in_all(driver.jobs()) == 1, "more wait than may"
    if not old:
        assert [isinstance(answer, QueueFull) for answer in answers].count(True) == 1


async def test_a_capacity_of_eight_holds_under_a_hundred_callers(make_driver: MakeDriver) -> None:
    """The parents' filled to 69."""
    driver = make_driver(0)
    driver.queue(max_queued=8)
    async with scripted(driver) as box:
        await box.gate.shut(box.dispatcher)
        calls = [box.dispatcher.call(ask.Submit((draft(),))) for _ in range(100)]
        box.gate.open()
        refused = 0
        for call in calls:
            try:
                await call
            except QueueFull:
                refused += 1
        assert (refused, len(driver.jobs())) == (92, 8)
