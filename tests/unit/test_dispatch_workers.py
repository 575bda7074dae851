"""The dispatcher and the attempts that workers run: what it says of them and when, and what it leaves to them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from slotd_server.dispatch import Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.outcome import Outcome, Succeeded
from slotd_server.domain.queue import NOTHING
from slotd_server.domain.states import State
from slotd_server.domain.worker import Claimed, Standing, Worker
from slotd_server.execution.base import Reporting, Told
from slotd_server.execution.remote import Assign, RemoteRunner, Saying, Settled, Stop, Taken
from slotd_server.execution.routes import Routes
from tests.unit.driver import Driver, lease
from tests.unit.scripted import PATIENCE, Box
from tests.unit.test_remote import Wire

DONE: Outcome = Succeeded(None)
MANY = 1_000
SOON = Pacing(cancel_grace=5 * SECOND, report_interval=0)


class Far(Box):
    """A box with one worker, of two slots, on a wire."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, SOON)
        reporting = Reporting(self.dispatcher.finished, self.dispatcher.told)
        self.remote = RemoteRunner(reporting, driver.ledger.standing, lambda _: None)
        self.wire = Wire()

    def begin(self, afield: list[Job]) -> None:
        self.dispatcher.start(Routes(self.remote, self.runner, {}), afield)

    async def enlist(self, *has: Job) -> None:
        claimed = tuple(claim(job) for job in has)
        await self.call(ask.Enlist(Worker("w1"), {"far": NOTHING}, claimed, 1))
        self.remote.attach("w1", self.wire)
        self.dispatcher.tell(ask.Resize("w1", 1, 2))
        await self.settle()

    async def give(self, **fields: object) -> Job:
        """A job that the worker has been given."""
        job = await self.submit("far", **fields)
        await self.settle()
        return self.driver.get(job)

    def report(self, job: Job, output: bytes) -> None:
        self.remote.reported("w1", claim(job), Told(None, output), None)

    def said(self) -> list[Saying]:
        """What the worker has heard, but for its jobs."""
        return [one for one in self.wire.said if not isinstance(one, Assign)]


def claim(job: Job) -> Claimed:
    return Claimed(job.id, job.fence)


@asynccontextmanager
async def started(driver: Driver, afield: list[Job] | None = None) -> AsyncIterator[Far]:
    box = Far(driver)
    box.begin(afield or [])
    try:
        yield box
    finally:
        await box.dispatcher.stop()


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    with closing(Driver(1, path=str(tmp_path / "jobs.db"))) as one:
        yield one


async def test_what_a_worker_reports_is_called_taken_once_it_is_kept(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give()
        driver.store.fail_commits = MANY
        box.report(job, b"abc")
        await box.settle()
        assert (box.said(), driver.output(job)) == ([], b"")
        driver.store.fail_commits = 0
        await box.advance(SECOND)
        assert (box.said(), driver.output(job)) == ([Taken(claim(job))], b"abc")


async def test_its_end_is_settled_once_it_is_kept(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give()
        driver.store.fail_commits = MANY
        box.remote.finished("w1", claim(job), DONE, Told(None, b""), None)
        await box.settle()
        assert box.said() == []
        driver.store.fail_commits = 0
        await box.advance(SECOND)
        assert (box.said(), driver.get(job).state) == ([Settled(claim(job))], State.SUCCEEDED)


async def test_an_attempt_that_takes_too_long_is_over_and_its_worker_is_told(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give(timeout=3 * SECOND)
        await box.advance(3 * SECOND)
        assert box.said() == [Stop(claim(job), Standing.ZOMBIE)]


async def test_a_cancelled_attempt_has_its_grace(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give()
        await box.call(ask.Cancel(job.id))
        assert box.said() == [Stop(claim(job), Standing.RUNNING)]
        await box.advance(5 * SECOND)
        assert driver.get(job).state is State.CANCELLED
        assert box.said()[1:] == [Stop(claim(job), Standing.ZOMBIE)]


async def test_when_the_server_stops_workers_keep_what_they_have(driver: Driver) -> None:
    """It neither waits for them nor puts their jobs back."""
    async with started(driver) as box:
        await box.enlist()
        far = await box.give()
        here = await box.submit()
        await box.settle()
        drain = asyncio.ensure_future(box.dispatcher.drain(PATIENCE))
        await box.settle()
        assert not drain.done()
        await box.finish(driver.get(here))
        await asyncio.wait_for(drain, PATIENCE)
        assert driver.get(far).state is State.RUNNING
        await asyncio.wait_for(box.dispatcher.drain(0), PATIENCE)
        assert driver.get(far).state is State.RUNNING


async def test_at_the_end_of_the_drain_only_its_own_are_put_back(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        far, here = await box.give(), await box.submit()
        await box.settle()
        await asyncio.wait_for(box.dispatcher.drain(0), PATIENCE)
        assert (driver.get(far).state, driver.get(here).state) == (State.RUNNING, State.QUEUED)


async def test_the_next_server_goes_on_with_the_time_that_is_left(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give(timeout=10 * SECOND)
    driver.clock.advance(6 * SECOND)
    afield = driver.restart().taken_over
    async with started(driver, afield) as box:
        await box.enlist(job)
        await box.advance(3 * SECOND)
        assert box.said() == []
        await box.advance(SECOND)
        assert box.said() == [Stop(claim(job), Standing.ZOMBIE)]


async def test_a_cancel_outlives_the_server_that_heard_it(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give()
        await box.call(ask.Cancel(job.id))
    afield = driver.restart().taken_over
    async with started(driver, afield) as box:
        await box.enlist(job)
        assert box.said() == [Stop(claim(job), Standing.RUNNING)]
        await box.advance(5 * SECOND)
        assert driver.get(job).state is State.CANCELLED


async def test_one_that_is_gone_is_forgotten(driver: Driver) -> None:
    async with started(driver) as box:
        await box.enlist()
        job = await box.give()
        box.dispatcher.tell(ask.Dismiss("w1", lost=True))
        await box.settle()
        assert driver.get(job).state is State.QUEUED
        box.remote.finished("w1", claim(job), DONE, Told(None, b""), None)
        assert box.said()[-1] == Settled(claim(job))
        await box.settle()
        assert driver.get(job).state is State.QUEUED
        assert lease(job) not in driver.ledger.leases
