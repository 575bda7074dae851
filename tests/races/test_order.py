"""Races 4 and 5 of the parents: one was woken where many could run, and late ones overtook."""

from collections.abc import Callable

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.queue import Queue
from tests.machine.mutants import newest_first, one_woken_for_each_change
from tests.races.interleaving import Mutant, caught
from tests.unit.driver import DONE, Driver, draft

MakeDriver = Callable[..., Driver]


@pytest.mark.parametrize("mutant", [None, one_woken_for_each_change])
@pytest.mark.parametrize("cause", ["the pool grows", "a queue goes on", "a queue grows", "many end at once"])
def test_4_whatever_lets_many_run_wakes_them_all(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, cause: str, mutant: Mutant | None
) -> None:
    driver = make_driver(8)
    if cause == "many end at once":
        driver.apply(ask.Submit((draft(),) * 8))
        change: list[ask.Command] = [ask.Finish(lease, DONE) for lease in driver.running]
    elif cause == "the pool grows":
        driver.apply(ask.UpdateSlots(0))
        change = [ask.UpdateSlots(8)]
    elif cause == "a queue goes on":
        driver.queue(paused=True)
        change = [ask.UpdateQueue(Queue("default", paused=False), frozenset({"paused"}))]
    else:
        driver.queue(slots=0)
        change = [ask.UpdateQueue(Queue("default", slots=8), frozenset({"slots"}))]
    driver.apply(ask.Submit((draft(),) * 8))
    if mutant:
        mutant(monkeypatch)
    started = driver.apply(*change).started
    with caught(mutant):
        assert len(started) == 8, "eight could run, and not all do"


@pytest.mark.parametrize("mutant", [None, newest_first])
def test_5_a_steady_flow_of_later_jobs_overtakes_nobody(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch, mutant: Mutant | None
) -> None:
    if mutant:
        mutant(monkeypatch)
    driver = make_driver(1)
    driver.submit()
    waiting = driver.submit()
    waited = 0
    while driver.get(waiting).start_time is None and waited < 143:
        driver.submit()
        (runs,) = driver.running.values()
        driver.finish(runs)
        waited += 1
    with caught(mutant):
        assert waited == 1, f"it waited through {waited} later ones"
