"""Races 2 and 9 of the parents: what was read was torn, shared, or taken too late."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import force_setattr

from slotd_server.change import Change, Changes
from slotd_server.domain import commands as ask
from slotd_server.domain.events import EVERYTHING
from slotd_server.domain.job import Job, Payload
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.queue import TOTALS, Count
from slotd_server.domain.states import TERMINAL, State
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.sqlite_read import SqliteSnapshot
from tests.races.interleaving import Mutant, caught, watched
from tests.races.old_ways import Apart, CopyAfterUnlock
from tests.unit.driver import BROKEN, Driver, draft

MakeDriver = Callable[..., Driver]
Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("old", [None, CopyAfterUnlock])
def test_2_an_answer_is_the_copy_taken_with_the_change(
    make_driver: MakeDriver, monkeypatch: Patch, old: type[Apart] | None
) -> None:
    """Right after the lock is let go, and before the caller has the answer, somebody cancels the job."""
    driver = make_driver(0)
    if old:
        driver.use(old)

    def cancel() -> None:
        (job,) = driver.jobs()
        with driver.store.snapshot():
            super(CopyAfterUnlock if old else type(driver.lifecycle), driver.lifecycle).apply([ask.Cancel(job.id)])

    with watched(driver, monkeypatch) as lock:
        if isinstance(driver.lifecycle, Apart):
            driver.lifecycle.between = cancel
        else:
            lock.released = cancel
        committed = driver.lifecycle.apply([ask.Submit((draft(),))])
    ((answer,),) = committed.answers
    assert driver.get(answer).state is State.CANCELLED
    with caught(old):
        assert answer == committed.events[0].job, "the answer is not what this change has made"


def copies_are_shared(patch: Patch) -> None:
    """What was handed out first is kept up to date in place."""
    first: dict[int, Job] = {}
    record = Change._record

    def share(self: Change, *arguments: Any) -> Job:
        job = record(self, *arguments)
        shared = first.setdefault(job.seq, job)
        for name in Job.__struct_fields__:
            force_setattr(shared, name, getattr(job, name))
        return job

    patch.setattr(Change, "_record", share)


@pytest.mark.parametrize("mutant", [None, copies_are_shared])
def test_2_a_running_copy_never_reads_succeeded(driver: Driver, monkeypatch: Patch, mutant: Mutant | None) -> None:
    if mutant:
        mutant(monkeypatch)
    committed = driver.apply(ask.Submit((draft(),)))
    created, running = (event.job for event in committed.events)
    driver.finish(running, Succeeded(Payload("text/plain", b"42")))
    with caught(mutant):
        assert (created.state, created.attempts, created.revision) == (State.QUEUED, (), 1)
        assert (running.state, running.result, running.end_time) == (State.RUNNING, None, None)
        assert running.attempts[0].end_time is None


@contextmanager
def looks_twice(store: SqliteStore) -> Iterator[SqliteSnapshot]:
    """A snapshot whose every query sees what is there by then."""
    connection = store._connect()
    yield SqliteSnapshot(connection)
    connection.close()


@pytest.mark.parametrize("mutant", [None, looks_twice])
def test_2_no_read_is_torn(driver: Driver, monkeypatch: Patch, mutant: Mutant | None) -> None:
    """Between two questions of one reader, the job ends."""
    if mutant:
        monkeypatch.setattr(SqliteStore, "snapshot", mutant)
    job = driver.submit(max_attempts=1)
    with driver.store.snapshot() as snapshot:
        before = snapshot.revision
        driver.finish(job, BROKEN)
        seen = snapshot.job(job.id)
        assert seen is not None
        with caught(mutant):
            assert seen.revision <= before
            assert (seen.state, seen.failure, seen.end_time) == (State.RUNNING, None, None)
            assert snapshot.events(before, 10) == []
            assert snapshot.jobs(EVERYTHING, 10) == [seen]


def busy_drops_before_success_rises(patch: Patch) -> None:
    """That a job has ended is counted one change later than that it no longer runs."""
    ends = {state - 1 for state in TERMINAL} | {state - 1 + TOTALS for state in TERMINAL}
    late: list[tuple[Job, Changes]] = []
    count, trim = Change._count, Change.trim

    def half(self: Change, job: Job, changes: Changes) -> None:
        count(self, job, [one for one in changes if one[0] not in ends])
        if now := tuple(one for one in changes if one[0] in ends):
            late.append((job, now))

    def other_half(self: Change) -> None:
        trim(self)
        if not self.events:
            for job, changes in late:
                count(self, job, changes)
            late.clear()

    patch.setattr(Change, "_count", half)
    patch.setattr(Change, "trim", other_half)


def submitted_is_counted_after_it_can_be_finished(patch: Patch) -> None:
    late: list[Job] = []
    count, trim = Change._count, Change.trim

    def without(self: Change, job: Job, changes: Changes) -> None:
        late.extend(job for one in changes if one[0] == Count.SUBMITTED)
        count(self, job, [one for one in changes if one[0] != Count.SUBMITTED])

    def then(self: Change) -> None:
        trim(self)
        if not self.events:
            for job in late:
                count(self, job, [(Count.SUBMITTED, 1)])
            late.clear()

    patch.setattr(Change, "_count", without)
    patch.setattr(Change, "trim", then)


@pytest.mark.parametrize(
    "mutant", [None, busy_drops_before_success_rises, submitted_is_counted_after_it_can_be_finished]
)
def test_9_counters_add_up_at_every_revision(driver: Driver, monkeypatch: Patch, mutant: Mutant | None) -> None:
    if mutant:
        mutant(monkeypatch)

    def life() -> None:
        for number in range(6):
            job = driver.submit(max_attempts=1)
            add_up(driver)
            driver.finish(job, BROKEN if number % 2 else Succeeded(None))
            add_up(driver)
            if number == 3:
                driver.answer(ask.Delete(job.id))
                add_up(driver)

    with caught(mutant):
        life()


def add_up(driver: Driver) -> None:
    """As somebody sees it who asks from outside."""
    (slots, stats) = driver.apply(ask.ListSlots(), ask.ListQueues(), claim=False).answers
    for counters in stats.counters.values():
        assert counters.submitted == sum(counters[: len(State)]) + counters.deleted
        assert counters.completed == counters.succeeded + counters.failed + counters.cancelled + counters.deleted
        assert counters.running == slots.running
