"""What a handler can read of the jobs that its own depended on."""

from collections.abc import Callable, Iterator

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import Payload
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.ties import Dependency
from slotd_server.reads import Reads
from tests.unit.driver import DONE, HOPELESS, Driver, draft

MakeDriver = Callable[..., Driver]


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    """Slots enough."""
    return make_driver(20)


@pytest.fixture
def reads(driver: Driver) -> Iterator[Reads]:
    reads = Reads(driver.store, threads=1)
    yield reads
    reads.close()


def number(value: int) -> Payload:
    return Payload("application/json", str(value).encode())


def test_by_ref_and_else_by_id(driver: Driver, reads: Reads) -> None:
    before = driver.submit()
    first, job = driver.batch(draft(ref="a"), draft(depends_on=["a", before]))
    driver.finish(before, Succeeded(number(1)))
    driver.finish(first, Succeeded(number(2)))
    assert reads.results(driver.get(job)) == {"a": number(2), before.id: number(1)}


def test_without_dependencies_there_are_none(driver: Driver, reads: Reads) -> None:
    for job in (driver.submit(), driver.submit(key="k")):
        assert reads.results(driver.get(job)) == {}


@pytest.mark.parametrize("how", ["returned nothing", "failed", "was cancelled"])
def test_there_is_nothing_of_one_that_gave_none(driver: Driver, reads: Reads, how: str) -> None:
    first = driver.submit()
    job = driver.submit(depends_on=[Dependency(job_id=first.id, success=False)])
    if how == "was cancelled":
        driver.answer(ask.Cancel(first.id))
    driver.finish(first, HOPELESS if how == "failed" else DONE)
    assert reads.results(driver.get(job)) == {first.id: None}


def test_of_a_group_each_job_by_id(driver: Driver, reads: Reads) -> None:
    *members, job = driver.batch(*[draft(group="g")] * 3, draft(depends_on=[Dependency(group="g")]))
    for value, member in enumerate(members):
        driver.finish(member, Succeeded(number(value)))
    assert reads.results(driver.get(job)) == {member.id: number(value) for value, member in enumerate(members)}


def test_of_a_group_those_that_have_been_deleted_are_missing(driver: Driver, reads: Reads) -> None:
    first, second, job = driver.batch(*[draft(group="g")] * 2, draft(depends_on=[Dependency(group="g")]))
    driver.finish(first, Succeeded(number(1)))
    driver.finish(second, Succeeded(number(2)))
    driver.answer(ask.Delete(first.id))
    assert reads.results(driver.get(job)) == {second.id: number(2)}


def test_as_they_are_when_they_are_asked_for(driver: Driver, reads: Reads) -> None:
    first = driver.submit()
    job = driver.submit(depends_on=[Dependency(job_id=first.id, success=False)])
    driver.finish(first, HOPELESS)
    driver.answer(ask.Retry(first.id))
    assert reads.results(driver.get(job)) == {first.id: None}
    driver.finish(first, Succeeded(number(1)))
    assert reads.results(driver.get(job)) == {first.id: number(1)}


def test_for_a_repeated_attempt_too(make_driver: MakeDriver, tmp_path: object) -> None:
    driver = make_driver(5, path=f"{tmp_path}/jobs.db")
    first, job = driver.batch(draft(ref="a"), draft(depends_on=["a"]))
    driver.finish(first, Succeeded(number(1)))
    driver.restart()
    driver.apply()
    reads = Reads(driver.store, threads=1)
    assert reads.results(driver.get(job)) == {"a": number(1)}
    reads.close()
