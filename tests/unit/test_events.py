"""The event log as the event loop sees it."""

import asyncio

import pytest

from slotd_server.domain.errors import CursorExpired, Draining, StoreUnavailable
from slotd_server.domain.events import Event, EventType
from slotd_server.domain.job import Job
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import TERMINAL, State
from slotd_server.events import Batch, EventLog, latest

SPEC = Draft("work").resolve(BUILT_IN)
NOBODY: frozenset[str] = frozenset()


def event(revision: int, job: int = 1, state: State = State.QUEUED, previous: State | None = None) -> Event:
    kind = EventType.CREATED if previous is None else EventType.CHANGED
    return Event(revision, kind, Job(job, f"job-{job}", SPEC, state, revision, 0), previous, 0)


class Stored:
    """A store that holds all events from `first` on, and counts who asks."""

    def __init__(self, *events: Event, first: int = 1) -> None:
        self.events = list(events)
        self.first = first
        self.asked = 0

    async def __call__(self, after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Event]:
        self.asked += 1
        if after < self.first - 1:
            raise CursorExpired
        return [one for one in self.events if one.revision > after and (not job_ids or one.job.id in job_ids)][:limit]


def revisions(batch: Batch) -> list[int]:
    return [one.revision for one in batch.events]


class TestReading:
    async def test_the_newest_come_from_memory(self) -> None:
        stored = Stored()
        log = EventLog(0, stored)
        log.publish([event(1), event(2, 2), event(3)])
        assert revisions(await log.read(0, 10)) == [1, 2, 3]
        assert revisions(await log.read(1, 1)) == [2]
        assert await log.read(3, 10) == Batch([], 3)
        assert stored.asked == 0

    async def test_older_ones_come_from_the_store(self) -> None:
        past = [event(number) for number in range(1, 6)]
        stored = Stored(*past)
        log = EventLog(5, stored)
        stored.events.append(event(6))
        log.publish([event(6)])
        assert revisions(await log.read(2, 2)) == [3, 4]
        assert revisions(await log.read(4, 10)) == [5, 6]
        assert stored.asked == 2
        assert revisions(await log.read(5, 10)) == [6]
        assert stored.asked == 2

    async def test_memory_is_bounded_by_number(self) -> None:
        stored = Stored()
        log = EventLog(0, stored, keep=10)
        for number in range(1, 101):
            stored.events.append(event(number, job=number % 7))
            log.publish([stored.events[-1]])
            if number % 10 == 5:
                await log.read(number, 1, frozenset({"job-1"}))
                assert sum(map(len, log._by_job.values())) == len(log._events)
        assert len(log._events) <= 20
        assert sum(map(len, log._by_job.values())) <= len(log._events)
        position, seen = 0, []
        while position < 100:
            batch = await log.read(position, 8)
            seen += revisions(batch)
            position = batch.upto
        assert seen == list(range(1, 101))

    async def test_memory_is_bounded_by_size(self) -> None:
        log = EventLog(0, Stored(), keep_bytes=10_000)
        for number in range(1, 101):
            log.publish([event(number)])
        assert len(log._events) * 1024 <= 20_000

    async def test_of_named_jobs(self) -> None:
        log = EventLog(0, Stored())
        log.publish([event(number, job=number % 3) for number in range(1, 10)])
        mine = frozenset({"job-0", "job-1"})
        first = await log.read(0, 4, mine)
        assert (revisions(first), first.upto) == ([1, 3, 4, 6], 6)
        rest = await log.read(first.upto, 4, mine)
        assert (revisions(rest), rest.upto) == ([7, 9], 9)
        assert await log.read(0, 4, frozenset({"job-7"})) == Batch([], 9)

    @pytest.mark.parametrize("asked_each", [1, 3, 7, 25, 60])
    async def test_of_a_named_job_whenever_somebody_asks(self, asked_each: int) -> None:
        """Between two that ask, none, some or all of what is remembered may have been forgotten."""
        log = EventLog(0, Stored(), keep=10)
        for number in range(1, 121):
            log.publish([event(number, job=number % 3)])
            if number % asked_each == 0:
                oldest = log._events[0].revision
                expected = [one for one in range(oldest, number + 1) if one % 3 == 2]
                assert revisions(await log.read(oldest - 1, 100, frozenset({"job-2"}))) == expected

    async def test_what_is_no_longer_kept_is_no_silent_gap(self) -> None:
        log = EventLog(50, Stored(first=20))
        with pytest.raises(CursorExpired):
            await log.read(3, 10)

    async def test_a_store_that_is_ahead_of_the_loop_is_no_gap_and_no_duplicate(self) -> None:
        stored = Stored(event(1), event(2), event(3))
        log = EventLog(2, stored)
        batch = await log.read(0, 10)
        assert (revisions(batch), batch.upto) == ([1, 2, 3], 3)
        log.publish([event(3), event(4)])
        assert revisions(await log.read(batch.upto, 10)) == [4]


class TestOtherServers:
    async def test_what_they_did_before_is_read_first_and_all_told_in_order(self) -> None:
        stored = Stored(*(event(number) for number in range(1, 6)))
        log = EventLog(0, stored)
        told: list[Event] = []
        log.others = told.extend
        log.publish([event(1)])
        log.publish([event(4), event(5)])
        assert log.revision == 1
        assert await log.wait(1, NOBODY, None)
        assert revisions(await log.read(0, 10)) == [1, 2, 3, 4, 5]
        assert [one.revision for one in told] == [2, 3, 4, 5]
        assert stored.asked == 1

    async def test_what_comes_meanwhile_is_told_once(self) -> None:
        stored = Stored(*(event(number) for number in range(1, 4)))
        log = EventLog(0, stored)
        log.heard(2)
        log.publish([event(1), event(2)])
        log.publish([event(3)])
        log.heard(3)
        await asyncio.sleep(0)
        assert revisions(await log.read(0, 10)) == [1, 2, 3]

    async def test_they_are_read_once_for_all_who_wait(self) -> None:
        stored = Stored()
        log = EventLog(0, stored)
        waits = [asyncio.ensure_future(log.wait(0, NOBODY, None)) for _ in range(20)]
        await asyncio.sleep(0)
        stored.events += [event(1), event(2)]
        log.heard(2)
        assert all(await asyncio.gather(*waits))
        assert stored.asked == 1

    async def test_a_store_that_is_away_is_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("slotd_server.events._RETRY_SECONDS", 0)
        stored = Stored(event(1))
        away = [StoreUnavailable(), StoreUnavailable()]

        async def read(after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Event]:
            if away:
                raise away.pop()
            return await stored(after, limit, job_ids, whole)

        log = EventLog(0, read)
        log.heard(1)
        assert await log.wait(0, NOBODY, None)
        assert revisions(await log.read(0, 10)) == [1]

    async def test_where_the_store_no_longer_has_them_the_log_goes_on_behind(self) -> None:
        stored = Stored(*(event(number) for number in range(8, 11)), first=8)
        log = EventLog(2, stored)
        missed: list[bool] = []
        log.missed = lambda: missed.append(True)
        log.publish([event(3)])
        waiting = asyncio.ensure_future(log.wait(3, frozenset({"job-1"}), None))
        await asyncio.sleep(0)
        log.heard(10)
        assert await waiting
        assert (log.revision, missed) == (10, [True])
        with pytest.raises(CursorExpired):
            await log.read(3, 10)
        log.publish([event(11)])
        assert revisions(await log.read(10, 10)) == [11]


class TestWaiting:
    async def test_it_returns_at_once_where_there_is_something(self) -> None:
        log = EventLog(0, Stored())
        log.publish([event(1)])
        assert await log.wait(0, NOBODY, None)
        assert await log.wait(0, frozenset({"job-1"}), None)

    async def test_everyone_who_waits_is_woken(self) -> None:
        log = EventLog(0, Stored())
        waits = [asyncio.ensure_future(log.wait(0, NOBODY, None)) for _ in range(50)]
        await asyncio.sleep(0)
        log.publish([event(1)])
        assert await asyncio.gather(*waits) == [True] * 50

    async def test_one_who_waits_for_a_job_is_not_woken_by_another(self) -> None:
        log = EventLog(0, Stored())
        wait = asyncio.ensure_future(log.wait(0, frozenset({"job-2"}), None))
        await asyncio.sleep(0)
        log.publish([event(1, job=1)])
        await asyncio.sleep(0)
        assert not wait.done()
        log.publish([event(2, job=2)])
        assert await wait

    async def test_a_timeout_is_no_event(self) -> None:
        log = EventLog(0, Stored())
        assert not await log.wait(0, NOBODY, 0)

    async def test_being_cancelled_is_not_a_timeout(self) -> None:
        log = EventLog(0, Stored())
        wait = asyncio.ensure_future(log.wait(0, NOBODY, 60))
        await asyncio.sleep(0)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait

    async def test_nobody_who_has_gone_is_remembered(self) -> None:
        log = EventLog(0, Stored())
        waits = [asyncio.ensure_future(log.wait(0, ids, 60)) for ids in (NOBODY, frozenset({"a", "b"}))]
        await asyncio.sleep(0)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        assert not log._waiting
        assert not log._waiting_for

    async def test_the_end_wakes_everyone_with_draining(self) -> None:
        log = EventLog(0, Stored())
        waits = [asyncio.ensure_future(log.wait(0, ids, None)) for ids in (NOBODY, frozenset({"a"}))]
        await asyncio.sleep(0)
        log.end()
        for wait in waits:
            with pytest.raises(Draining):
                await wait
        with pytest.raises(Draining):
            await log.wait(0, NOBODY, None)

    async def test_waiting_for_one_job(self) -> None:
        log = EventLog(0, Stored())
        wait = asyncio.ensure_future(log.wait_for("job-1", 0))
        await asyncio.sleep(0)
        log.publish([event(1)])
        await wait


class TestLatest:
    def test_the_newest_of_each_job_in_revision_order(self) -> None:
        told = latest(
            [
                event(1, 1),
                event(2, 2),
                event(3, 1, State.RUNNING, State.QUEUED),
                event(4, 2, State.RUNNING, State.QUEUED),
                event(5, 1, State.RUNNING, State.RUNNING),
            ]
        )
        assert [(one.revision, one.job.id) for one in told] == [(4, "job-2"), (5, "job-1")]

    def test_that_a_job_is_new_is_told_by_its_next(self) -> None:
        (one,) = latest([event(1), event(2, 1, State.RUNNING, State.QUEUED)])
        assert (one.type, one.previous_state, one.job.state) == (EventType.CREATED, None, State.RUNNING)

    def test_the_state_before_is_that_before_all_that_was_skipped(self) -> None:
        (one,) = latest([event(2, 1, State.RUNNING, State.QUEUED), event(3, 1, State.SCHEDULED, State.RUNNING)])
        assert (one.type, one.previous_state) == (EventType.CHANGED, State.QUEUED)

    def test_the_end_is_never_skipped(self) -> None:
        """Not even of a job that is retried, fails and is retried again before anybody has looked."""
        life = [
            event(1, 1, State.FAILED, State.RUNNING),
            event(2, 1, State.QUEUED, State.FAILED),
            event(3, 1, State.RUNNING, State.QUEUED),
            event(4, 1, State.FAILED, State.RUNNING),
            event(5, 1, State.QUEUED, State.FAILED),
            event(6, 1, State.CANCELLED, State.QUEUED),
            event(7, 1, State.CANCELLED, State.CANCELLED)._replace(type=EventType.DELETED),
        ]
        told = latest(life)
        assert [one.revision for one in told] == [1, 4, 6, 7]
        assert all(one.job.state in TERMINAL for one in told)

    def test_minor_only_where_all_were(self) -> None:
        minor = event(3, 1, State.RUNNING, State.RUNNING)._replace(minor=True)
        (one,) = latest([event(2, 1, State.RUNNING, State.QUEUED), minor])
        assert not one.minor
        (other,) = latest([minor, minor._replace(revision=4)])
        assert other.minor


class TestWhatIsNotToldYet:
    """While nobody listens, events wait with the writer until somebody pulls them."""

    async def test_whoever_asks_gets_them(self) -> None:
        log, waiting = EventLog(0, Stored()), [event(1)]
        log.pull = lambda: log.publish([waiting.pop()]) if waiting else None
        assert revisions(await log.read(0, 10)) == [1]
        waiting.append(event(2, previous=State.QUEUED))
        assert log.revision == 2

    @pytest.mark.parametrize("job_ids", [NOBODY, frozenset({"job-1"})])
    async def test_what_happens_just_before_somebody_listens_is_not_missed(self, job_ids: frozenset[str]) -> None:
        """The writer saw no listener, so it does not wake the loop; the event came after the waiter had looked."""
        log = EventLog(0, Stored())
        waiting: list[Event] = []

        def pull() -> None:
            if log.listened():
                # Between the look and the registration: to be found by looking again.
                waiting.append(event(1))
            while waiting:
                log.publish([waiting.pop()])

        log.pull = pull
        assert await asyncio.wait_for(log.wait(0, job_ids, None), 5)
        assert not log.listened()
