"""Races 4 and 5 of the parents: one was woken where many could run, and late ones overtook."""

from collections.abc import Callable, Sequence

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.queue import Queue
from slotd_server.domain.ties import Claim
from tests.machine.mutants import newest_first, one_woken_for_each_change
from tests.races.interleaving import Mutant, caught
from tests.races.old_ways import OneWokenPerEnd, WhoeverFits
from tests.unit.driver import DONE, Driver, Steps, draft, shared

MakeDriver = Callable[..., Driver]

_DISJOINT = [f"repo/{number}" for number in range(8)]


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


@pytest.mark.parametrize("old", [None, OneWokenPerEnd])
@pytest.mark.parametrize(
    ("held", "waiting"),
    [("*", _DISJOINT), ("repo/*", _DISJOINT), ("repo/0", [shared("repo/0")] * 8)],
    ids=["everything", "all below", "readers"],
)
def test_4_one_completion_wakes_every_job_that_it_lets_run(
    make_driver: MakeDriver, held: str, waiting: Sequence[str | Claim], old: type[Steps] | None
) -> None:
    """The parents' eight disjoint tasks behind `__all__` ran one after another."""
    driver = make_driver(20)
    if old:
        driver.use(old)
    driver.submit(resources=[held])
    jobs = driver.batch(*[draft(resources=[claim]) for claim in waiting])
    assert len(driver.running) == 1
    most = 0
    while driver.running:
        driver.finish(next(iter(driver.running.values())))
        most = max(most, len(driver.running))
    assert all(driver.get(job).state.terminal for job in jobs)
    with caught(old):
        assert most == 8, f"eight could run at once, and {most} did"


@pytest.mark.parametrize("old", [None, WhoeverFits])
@pytest.mark.parametrize("wide", ["*", "repo/*"])
def test_5_a_wide_claim_is_not_overtaken_by_a_steady_flow_of_narrow_ones(
    make_driver: MakeDriver, wide: str, old: type[Steps] | None
) -> None:
    driver = make_driver(20)
    if old:
        driver.use(old)
    before = [driver.submit(resources=["repo/0"]), driver.submit(resources=["repo/1"])]
    waiting = driver.submit(resources=[wide])
    later = 0
    while driver.get(waiting).start_time is None and later < 143:
        driver.submit(resources=[f"repo/{later % 5}"])
        later += 1
        driver.finish(next(iter(driver.running.values())))
    with caught(old):
        assert later == len(before), f"it waited through {later} later ones"
