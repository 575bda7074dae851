"""Races 10 and 11 of the parents: jobs that were accepted and never ran, stops that hung, waiters left behind."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotd_server import dispatch
from slotd_server.dispatch import Dispatcher, Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import Draining, StoreUnavailable
from slotd_server.domain.states import State
from slotd_server.events import EventLog
from slotd_server.writer import Writer
from tests.races.interleaving import Mutant, caught
from tests.unit.driver import Driver, draft
from tests.unit.scripted import PATIENCE, Box, scripted

MakeDriver = Callable[..., Driver]
Patch = pytest.MonkeyPatch


def stop_leaves_what_waits(patch: Patch) -> None:
    async def stop(self: Dispatcher) -> None:
        self._stopped = True
        self._writer._over = True
        await asyncio.to_thread(self._writer.stop)

    patch.setattr(Dispatcher, "stop", stop)


def draining_forgets_to_refuse(patch: Patch) -> None:
    """What comes after the last look is taken, and nobody looks again."""

    def call(self: Dispatcher, command: ask.Command) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        self._inbox.put((command, future))
        return future

    patch.setattr(Dispatcher, "call", call)


@pytest.mark.parametrize("mutant", [None, stop_leaves_what_waits, draining_forgets_to_refuse])
async def test_10_a_job_is_either_refused_or_will_run(
    make_driver: MakeDriver, monkeypatch: Patch, tmp_path: Path, mutant: Mutant | None
) -> None:
    """Submits before the drain, between it and the stop, and after the stop, while the writer is busy elsewhere."""
    if mutant:
        mutant(monkeypatch)
        monkeypatch.setattr(dispatch, "_PUT_BACK_SECONDS", 0.1)
    driver = make_driver(1, path=str(tmp_path / "jobs.db"))
    accepted: list[asyncio.Future[Any]] = []
    refused = 0

    def submit() -> int:
        try:
            accepted.append(box.dispatcher.call(ask.Submit((draft(),))))
        except (Draining, StoreUnavailable):
            return 1
        return 0

    async with scripted(driver) as box:
        await box.gate.shut(box.dispatcher)
        refused += submit()
        drain = asyncio.ensure_future(box.dispatcher.drain(0))
        await asyncio.sleep(0)
        refused += submit()
        stop = asyncio.ensure_future(box.dispatcher.stop())
        await asyncio.sleep(0)
        refused += submit()
        box.gate.open()
        await asyncio.wait_for(asyncio.gather(stop, drain, return_exceptions=True), PATIENCE)
        refused += submit()
        await asyncio.sleep(0)
        with caught(mutant):
            assert all(future.done() for future in accepted), "accepted, and never heard of again"
            assert (len(accepted), refused) == (1, 3)
    for future in accepted:
        future.cancel()
    if mutant:
        return
    driver.restart()
    driver.apply()
    assert [job.state for job in driver.jobs()] == [State.RUNNING]
    assert [job.id for job in driver.jobs()] == [job.id for future in accepted for job in future.result()]


def join_whatever_it_is(patch: Patch) -> None:
    patch.setattr(Writer, "stop", lambda self: self._thread.join())


@pytest.mark.parametrize("mutant", [None, join_whatever_it_is])
async def test_11_stopping_what_never_started(driver: Driver, monkeypatch: Patch, mutant: Mutant | None) -> None:
    if mutant:
        mutant(monkeypatch)
    box = Box(driver, Pacing())

    async def end() -> None:
        try:
            await asyncio.wait_for(box.dispatcher.drain(PATIENCE / 2), PATIENCE)
            await asyncio.wait_for(asyncio.gather(box.dispatcher.stop(), box.dispatcher.stop()), PATIENCE)
        except (RuntimeError, TimeoutError) as error:
            raise AssertionError("it does not stop") from error

    with caught(mutant):
        await end()


def waiters_stay(patch: Patch) -> None:
    patch.setattr(EventLog, "_discard", lambda *_: None)


@pytest.mark.parametrize("mutant", [None, waiters_stay])
async def test_11_nobody_waits_for_a_deleted_job(driver: Driver, monkeypatch: Patch, mutant: Mutant | None) -> None:
    """They are woken by the deletion; those who had given up before are not remembered either."""
    if mutant:
        mutant(monkeypatch)

    async def nothing(after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Any]:
        return []

    log = EventLog(0, nothing)
    job = driver.submit()
    driver.finish(job)
    log.publish(driver.events())
    of_it = frozenset({job.id, "another"})
    assert not await log.wait(log.revision, of_it, 0)
    waits = [asyncio.ensure_future(log.wait(log.revision, of_it, None)) for _ in range(5)]
    await asyncio.sleep(0)
    log.publish(driver.apply(ask.Delete(job.id)).events)
    assert await asyncio.wait_for(asyncio.gather(*waits), PATIENCE) == [True] * 5
    with caught(mutant):
        assert not log._waiting_for
        assert not log._waiting
