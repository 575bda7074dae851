"""Which runner gets which job, and what the dispatcher asks of those that can end what they run."""

from slotd_server.dispatch import Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.commands import Lease
from slotd_server.domain.job import SECOND, Failure, Job
from slotd_server.domain.outcome import Failed
from slotd_server.domain.states import State
from slotd_server.domain.worker import Standing
from slotd_server.execution.base import Reporting
from slotd_server.execution.remote import RemoteRunner
from slotd_server.execution.routes import Routes
from tests.unit.driver import Driver, lease
from tests.unit.scripted import Box, ScriptedRunner


class Executioner(ScriptedRunner):
    """Ends by force what it runs, and keeps why."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[tuple[Lease, Failure]] = []

    def end(self, lease: Lease, failure: Failure) -> bool:
        self.ended.append((lease, failure))
        return True


class Forced(Box):
    """A box in which jobs of kind `other` can be ended by force."""

    def __init__(self) -> None:
        super().__init__(Driver(2), Pacing(cancel_grace=5 * SECOND))
        self.forcing = Executioner()
        nobody = Reporting(lambda _: None, lambda _: None)
        remote = RemoteRunner(nobody, lambda _: Standing.NONE, lambda _: None)
        self.dispatcher.start(Routes(remote, self.runner, {"other": self.forcing, "another": self.forcing}))

    async def run(self, kind: str, **fields: object) -> Job:
        job = await self.submit(kind, **fields)
        await self.settle()
        return self.driver.get(job)

    async def close(self) -> None:
        await self.dispatcher.stop()
        self.driver.close()


async def test_each_job_goes_to_the_runner_of_its_kind_and_so_does_all_that_concerns_it() -> None:
    box = Forced()
    work, other = await box.run("work"), await box.run("other")
    assert (box.runner.started, box.forcing.started) == ([work], [other])
    for job in (work, other):
        await box.call(ask.Cancel(job.id))
    assert (box.runner.stopped, box.forcing.stopped) == ([lease(work)], [lease(other)])
    await box.close()


async def test_what_can_be_ended_is_never_a_zombie() -> None:
    """Its end is told when it is there, and the slot goes from running to free."""
    box = Forced()
    job = await box.run("other", timeout=3 * SECOND, max_attempts=1)
    await box.advance(3 * SECOND)
    ((ended, failure),) = box.forcing.ended
    assert (ended, failure.reason) == (lease(job), "TIMEOUT")
    assert (box.driver.get(job).state, box.driver.slots().zombie) == (State.RUNNING, 0)
    await box.finish(job, Failed(failure))
    assert (box.driver.get(job).state, box.driver.slots().free) == (State.FAILED, 2)
    await box.close()


async def test_what_can_t_be_ended_is_one() -> None:
    box = Forced()
    job = await box.run("work", timeout=3 * SECOND, max_attempts=1)
    await box.advance(3 * SECOND)
    assert box.forcing.ended == []
    assert (box.driver.get(job).state, box.driver.slots().zombie) == (State.FAILED, 1)
    await box.close()


async def test_a_cancel_has_its_grace_before_force() -> None:
    box = Forced()
    job = await box.run("other")
    await box.call(ask.Cancel(job.id))
    await box.advance(4 * SECOND)
    assert box.forcing.ended == []
    await box.advance(SECOND)
    assert [one for one, _ in box.forcing.ended] == [lease(job)]
    await box.finish(job, Failed(Failure("CANCELLED", "")))
    assert box.driver.get(job).state is State.CANCELLED
    await box.close()
