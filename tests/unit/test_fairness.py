"""Who starts when more want to than can: counted in starts, never in time."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from slotd_server.domain import commands as ask
from slotd_server.domain.job import Job
from slotd_server.domain.ties import Claim
from tests.unit.driver import DONE, Driver, draft

MakeDriver = Callable[..., Driver]


def starts(driver: Driver, number: int) -> Iterator[Job]:
    """The next so many jobs that start, one at a time, each in the slot of the one before."""
    for _ in range(number):
        for job in list(driver.running.values()):
            yield from driver.finish(job).started


def submit_many(driver: Driver, number: int, **fields: object) -> None:
    """Submit so many alike, in batches as large as they may be."""
    for start in range(0, number, 1000):
        one = draft(**fields)  # type: ignore[arg-type]
        driver.answer(ask.Submit((one,) * min(1000, number - start)))


def test_a_claim_on_everything_starts_after_exactly_those_before_it(make_driver: MakeDriver) -> None:
    driver = make_driver(100)
    before = [driver.submit(resources=[name]) for name in "abc"]
    everything = driver.submit(resources=["*"])
    started = set()
    for number, job in enumerate(before):
        # A steady flow: for each that ends, ten more come, and slots are free for all of them.
        started |= {driver.submit(resources=[f"{number}/{one}"]).id for one in range(10)} & running(driver)
        started |= {one.id for one in driver.finish(job).started}
    assert started == {everything.id}
    assert len(driver.finish(everything).started) == 30


def test_a_writer_is_not_starved_by_readers_that_overlap(make_driver: MakeDriver) -> None:
    driver = make_driver(10)
    read = Claim("table", exclusive=False)
    readers = [driver.submit(resources=[read])]
    writer = driver.submit(resources=["table"])
    for _ in range(50):
        # There is always a reader that runs or waits; only those before the writer run.
        readers.append(driver.submit(resources=[read]))
    assert running(driver) == {readers[0].id}
    assert [job.id for job in driver.finish(readers[0]).started] == [writer.id]
    assert [job.id for job in driver.finish(writer).started] == [reader.id for reader in readers[1:11]]


def test_claims_on_different_things_never_wait_for_each_other(make_driver: MakeDriver) -> None:
    driver = make_driver(200)
    driver.submit(resources=["a/*"])
    driver.submit(resources=["a/b"])
    others = {driver.submit(resources=[f"b/{number}", Claim("c", exclusive=False)]).id for number in range(100)}
    assert others < running(driver)


@pytest.mark.parametrize("per_key", [None, 3], ids=["all of them queued", "most of them blocked"])
def test_ten_thousand_jobs_of_one_tenant_hold_up_another_s_one_by_one_start(
    make_driver: MakeDriver, per_key: int | None
) -> None:
    driver = make_driver(1)
    driver.queue(slots_per_key=per_key)
    submit_many(driver, 10_000, key="many")
    list(starts(driver, 20))
    one = driver.submit(key="one")
    assert one.id in [job.id for job in starts(driver, 2)]


def test_tenants_share_the_starts_evenly_however_much_each_has_waiting(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    for key, number in (("a", 1000), ("b", 300), ("c", 100)):
        submit_many(driver, number, key=key)
    shares = Counter(key_of(job) for job in starts(driver, 299))
    shares["a"] += 1  # Which got the slot while it was alone.
    assert shares == {"a": 100, "b": 100, "c": 100}


def test_a_tenant_that_comes_late_gets_no_more_than_its_share(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    submit_many(driver, 300, key="a")
    list(starts(driver, 100))
    submit_many(driver, 300, key="b")
    shares = Counter(key_of(job) for job in starts(driver, 100))
    assert abs(shares["a"] - shares["b"]) <= 1


def test_tenants_of_which_one_submits_all_the_time_share_evenly_too(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    submit_many(driver, 200, key="a")
    shares: Counter[str] = Counter()
    for _ in range(100):
        # One of b waits at any time, never two.
        driver.submit(key="b")
        shares.update(key_of(job) for job in starts(driver, 2))
    assert abs(shares["a"] - shares["b"]) <= 2


def test_a_queue_that_has_seen_many_turns_is_not_behind_one_that_has_seen_none(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    submit_many(driver, 100, key="a", queue="turning")
    list(starts(driver, 50))
    submit_many(driver, 100, queue="plain")
    assert {job.spec.queue for job in starts(driver, 40)} == {"turning"}, "they were submitted first"


def test_the_lowest_priority_has_one_start_in_ten_under_a_steady_flow_of_higher_ones(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    submit_many(driver, 30, priority=-5)
    driver.submit(priority=5)
    started = []
    for _ in range(100):
        driver.submit(priority=5)
        started += [job.spec.priority for job in starts(driver, 1)]
    assert started.count(-5) == 10
    assert max(gaps(started, -5)) == 10


def test_several_lower_priorities_take_it_in_turn(make_driver: MakeDriver) -> None:
    driver = make_driver(1)
    for priority in (9, 3, 2, 1):
        submit_many(driver, 400, priority=priority)
    started = [job.spec.priority for job in starts(driver, 300)]
    assert Counter(started) == {9: 270, 3: 10, 2: 10, 1: 10}
    for priority in (3, 2, 1):
        assert max(gaps(started, priority)) == 30


@pytest.mark.parametrize("slots", [1, 3, 20])
def test_the_share_of_lower_priorities_does_not_depend_on_how_many_start_at_once(
    make_driver: MakeDriver, slots: int
) -> None:
    driver = make_driver(slots)
    submit_many(driver, 1000, priority=1)
    submit_many(driver, 1000, priority=0)
    started: list[Job] = []
    while len(started) < 300:
        started += driver.apply(*[ask.Finish(lease, DONE) for lease in driver.running]).started
    assert abs(sum(job.spec.priority == 0 for job in started) - len(started) / 10) <= 1


def running(driver: Driver) -> set[str]:
    """The ids of those that run."""
    return {job.id for job in driver.running.values()}


def key_of(job: Job) -> str:
    assert job.spec.ties is not None
    return job.spec.ties.key


def gaps(started: list[int], priority: int) -> list[int]:
    """How many starts it took from one of this priority to the next, from the beginning on."""
    places = [place for place, one in enumerate(started, 1) if one == priority]
    return [later - earlier for earlier, later in zip([0, *places], places, strict=False)]
