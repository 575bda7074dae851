"""The ledger by itself."""

import pytest

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Attempt, Job
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State
from slotd_server.domain.worker import Worker
from slotd_server.slots import Ledger, Pool, QueueSlots


def running(seq: int, queue: str = "default", since: int = 0) -> Job:
    spec = Draft("work").resolve(BUILT_IN._replace(queue=queue))
    job = Job(seq, f"job-{seq}", spec, State.RUNNING, seq, 0, fence=1)
    return job.evolve(attempt=1, start_time=since, attempts=(Attempt(1, since, None, None, "here"),))


def held(ledger: Ledger, *jobs: Job) -> Ledger:
    for job in jobs:
        ledger.reserve(Lease(job.seq, 1), job)
    return ledger


def test_reserve_hold_release() -> None:
    ledger = Ledger(2)
    assert ledger.free == 2
    held(ledger, running(1))
    assert (ledger.free, ledger.held("default"), ledger.held("other")) == (1, 1, 0)
    assert ledger.release(Lease(1, 1))
    assert ledger.free == 2


def test_a_second_release_frees_nothing() -> None:
    ledger = held(Ledger(2), running(1), running(2))
    assert ledger.release(Lease(1, 1))
    assert not ledger.release(Lease(1, 1))
    assert not ledger.release(Lease(2, 7)), "another claim of the same job"
    assert ledger.free == 1


def test_no_slot_is_given_that_is_not_there() -> None:
    ledger = held(Ledger(1), running(1))
    with pytest.raises(AssertionError):
        held(ledger, running(2))


def test_a_zombie_holds_its_slot() -> None:
    ledger = held(Ledger(2), running(1, since=10), running(2, since=20))
    ledger.turn_zombie(Lease(1, 1))
    view = ledger.view(7, {})
    assert (view.revision, view.free, view.running, view.zombie) == (7, 0, 1, 1)
    assert [(one.job_id, one.zombie) for one in view.holders] == [("job-1", True), ("job-2", False)]


def test_shrinking_below_what_runs() -> None:
    ledger = held(Ledger(3), running(1), running(2), running(3))
    ledger.resize(1)
    view = ledger.view(1, {})
    assert (view.limit, view.size, view.free, view.running) == (1, 3, 0, 3)
    ledger.release(Lease(1, 1))
    ledger.release(Lease(2, 1))
    assert ledger.free == 0
    ledger.release(Lease(3, 1))
    assert ledger.free == 1


def test_no_slots_at_all_is_a_pause() -> None:
    ledger = Ledger(0)
    assert ledger.free == 0
    assert ledger.view(0, {}).size == 0


def test_each_queue_has_its_part() -> None:
    ledger = held(Ledger(5), running(1, "a"), running(2, "a"), running(3, "b"))
    ledger.turn_zombie(Lease(2, 1))
    view = ledger.view(1, {"a": 4, "idle": 2, "default": None})
    assert view.queues == (QueueSlots("a", 4, 1, 1), QueueSlots("b", None, 1, 0), QueueSlots("idle", 2, 0, 0))


def test_holders_are_listed_by_how_long_they_hold() -> None:
    ledger = held(Ledger(5), running(1, since=30), running(2, since=10), running(3, since=20))
    assert [one.since for one in ledger.view(1, {}).holders] == [10, 20, 30]


def test_rollback_takes_back_all_since_the_last_commit() -> None:
    ledger = held(Ledger(3), running(1), running(2, "b"))
    ledger.commit()
    before = ledger.view(1, {})
    ledger.release(Lease(1, 1))
    held(ledger, running(3, "c"))
    ledger.turn_zombie(Lease(2, 1))
    ledger.resize(9)
    ledger.turn_zombie(Lease(3, 1))
    ledger.release(Lease(3, 1))
    ledger.rollback()
    after = ledger.view(1, {})
    assert after._replace(holders=tuple(sorted(after.holders))) == before
    assert (ledger.free, ledger.held("c")) == (1, 0)


def test_what_is_committed_stays() -> None:
    ledger = held(Ledger(3), running(1))
    ledger.commit()
    ledger.rollback()
    assert ledger.held("default") == 1


def test_the_free_slots_can_be_asked_for_while_a_pool_is_dropped() -> None:
    """By another thread, at the worst moment: between two pools."""

    class Meanwhile(Pool):
        @property
        def limit(self) -> int:
            if "leaving" in ledger.pools:
                ledger.drop_pool("leaving")
            return 3

    ledger = Ledger(2)
    ledger.put_pool(Meanwhile(Worker("staying"), {}, 3))
    ledger.put_pool(Pool(Worker("leaving"), {}, 4))
    # A hint: of one that has just gone, or not.
    assert ledger.free in (2 + 3, 2 + 3 + 4)
    assert ledger.free == 2 + 3
