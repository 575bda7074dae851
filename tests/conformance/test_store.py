"""What every store does. It is written to in transactions and read in snapshots; see `store/base.py`."""

from typing import Any

import pytest

from slotd_server.domain import moves
from slotd_server.domain.commands import Lease
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import Job, Payload, Progress
from slotd_server.domain.queue import BUILT_IN, NOTHING, ZERO, Count, Counters, Defaults, Draft, Queue
from slotd_server.domain.states import State
from slotd_server.store.base import Request, Store, Wanted
from tests.conformance.recording import NOW, WHY, OpenStore, change, fail, new, start, stored


class TestTransactions:
    def test_within_one_everything_sees_what_it_has_changed(self, store: Store) -> None:
        tx = store.begin()
        job = new(tx)
        assert tx.job(job.id) == job
        assert tx.queued() == {("default", "work"): 1}
        assert tx.waiting("default") == 1
        (claimed,) = tx.claimable([Wanted("default", "work", 5)])
        running = start(tx, store, claimed)
        assert tx.held(Lease(running.seq, running.fence)) == running
        assert tx.claimable([Wanted("default", "work", 5)]) == []
        assert tx.counters()["default", "work"] == ZERO._replace(running=1, submitted=1)
        over = fail(tx, running)
        assert tx.held(Lease(running.seq, running.fence)) is None
        assert tx.matching(EVERYTHING, 0, 5) == [over]
        tx.commit()
        assert stored(store) == [over]

    def test_outside_nothing_is_seen_before_the_commit(self, store: Store) -> None:
        tx = store.begin()
        new(tx)
        tx.due(NOW, 5)
        assert stored(store) == []
        tx.commit()
        assert len(stored(store)) == 1

    def test_a_rollback_is_as_if_nothing_had_happened(self, store: Store) -> None:
        tx = store.begin()
        kept = start(tx, store, new(tx))
        tx.commit()
        tx = store.begin()
        new(tx)
        fail(tx, kept)
        tx.append_output(kept, b"words")
        tx.remember("r", Request(b"f", kept.id))
        tx.put_queue(Queue("q", 5))
        tx.due(NOW, 5)
        tx.rollback()
        tx = store.begin()
        assert tx.revision == 2
        assert tx.job(kept.id) == kept
        assert tx.held(Lease(kept.seq, kept.fence)) == kept
        assert (tx.request("r"), tx.queue("q"), tx.queues()) == (None, None, {})
        assert tx.counters()["default", "work"].submitted == 1
        tx.rollback()
        with store.snapshot() as snapshot:
            assert snapshot.output(kept, 0, 10) == b""
            assert len(snapshot.events(0, 10)) == 2

    def test_an_empty_one_does_no_harm(self, store: Store) -> None:
        store.begin().commit()
        store.begin().rollback()
        assert store.begin().revision == 0

    def test_revisions_have_no_gaps_also_after_a_rollback(self, store: Store) -> None:
        for end in ("commit", "rollback", "commit"):
            tx = store.begin()
            new(tx)
            new(tx)
            getattr(tx, end)()
        with store.snapshot() as snapshot:
            assert [event.revision for event in snapshot.events(0, 10)] == [1, 2, 3, 4]
            assert snapshot.revision == 4


class TestJobs:
    def test_every_field_comes_back_as_it_was(self, store: Store) -> None:
        tx = store.begin()
        job = new(
            tx,
            payload=Payload("application/octet-stream", bytes(range(256))),
            labels=(("a", "ü"), ("b", '"')),
            priority=-7,
            request_id="r",
        )
        running = start(tx, store, job)
        told = change(tx, running, running.evolve(progress=Progress(3, 1 << 62, "…"), output_size=5), minor=True)
        over = moves.leave(told, NOW + 1, WHY, lingering=True)
        whole = change(tx, told, moves.end(over, NOW + 1, State.FAILED, WHY, Payload("x", b""), NOW))
        tx.commit()
        assert stored(store) == [whole]
        with store.snapshot() as snapshot:
            assert snapshot.job(whole.id) == whole
            assert [event.job for event in snapshot.events(0, 10)] == [job, running, told, whole]
            assert [event.minor for event in snapshot.events(0, 10)] == [False, False, True, False]
            assert [event.last for event in snapshot.events(0, 10)] == [0, 1, 2, 3]

    def test_without_their_data_when_that_is_enough(self, store: Store) -> None:
        tx = store.begin()
        new(tx, payload=Payload("x", b"large"))
        tx.commit()
        (basic,) = stored(store, whole=False)
        assert basic.spec.payload == Payload("x", b"")
        with store.snapshot() as snapshot:
            assert snapshot.events(0, 5, whole=False)[0].job.spec.payload == Payload("x", b"")

    def test_held_is_for_the_owner_at_that_claim_alone(self, store: Store) -> None:
        tx = store.begin()
        mine = start(tx, store, new(tx))
        waiting = new(tx)
        tx.commit()
        tx = store.begin()
        assert tx.held(Lease(mine.seq, mine.fence)) == mine
        assert tx.held(Lease(mine.seq, mine.fence + 1)) is None
        assert tx.held(Lease(waiting.seq, 0)) is None
        assert tx.held(Lease(999, 1)) is None
        lingering = change(tx, mine, moves.wait(moves.leave(mine, NOW, WHY, lingering=True), NOW))
        assert tx.held(Lease(mine.seq, mine.fence)) == lingering
        tx.keep(lingering.evolve(lingering=False, owner=""))
        assert tx.held(Lease(mine.seq, mine.fence)) is None
        tx.commit()

    def test_claimable_is_by_priority_then_by_age_up_to_each_limit(self, store: Store) -> None:
        tx = store.begin()
        made = [
            new(tx, queue=queue, priority=priority)
            for queue, priority in zip("ababab", (0, 0, 5, 9, 0, 0), strict=True)
        ]
        tx.commit()
        tx = store.begin()
        late = new(tx, queue="a", priority=5)

        def claimable(*wanted: Wanted) -> list[int]:
            return [job.seq for job in tx.claimable(list(wanted))]

        assert claimable(Wanted("a", "work", 2), Wanted("b", "work", 1)) == [4, 3, late.seq]
        assert claimable(Wanted("a", "work", 9)) == [3, late.seq, 1, 5]
        assert claimable(Wanted("a", "other", 9)) == []
        assert claimable(Wanted("a", "work", 1), Wanted("b", "work", 9)) == [4, 3, 2, 6]
        start(tx, store, made[2])
        assert claimable(Wanted("a", "work", 1)) == [late.seq]
        tx.rollback()

    def test_due_ones_in_the_order_of_their_times(self, store: Store) -> None:
        tx = store.begin()
        for due in (30, 10, None, 20):
            new(tx, due_time=due)
        tx.commit()
        tx = store.begin()
        new(tx, due_time=15)
        assert tx.next_due() == 10
        assert [job.due_time for job in tx.due(20, 10)] == [10, 15, 20]
        assert [job.due_time for job in tx.due(99, 2)] == [10, 15]
        assert tx.due(9, 10) == []
        tx.commit()

    def test_orphans_are_what_owners_that_are_gone_had(self, reopen: OpenStore) -> None:
        store = reopen()
        tx = store.begin()
        waiting, running, other = new(tx), start(tx, store, new(tx)), start(tx, store, new(tx))
        ended = fail(tx, start(tx, store, new(tx)))
        zombies = []
        for at in (None, NOW + 5):
            job = start(tx, store, new(tx))
            zombies.append(change(tx, job, moves.wait(moves.leave(job, NOW, WHY, lingering=True), NOW, at)))
        job = start(tx, store, new(tx))
        over = moves.leave(job, NOW, WHY, lingering=True)
        zombies.append(change(tx, job, moves.end(over, NOW, State.FAILED, WHY, None, None)))
        tx.commit()
        tx = store.begin()
        assert tx.orphans(10) == []
        tx.rollback()
        store.close()
        store = reopen()
        tx = store.begin()
        for member in tx.members():
            # Where there may be others, one that had jobs is gone when its lease is over, not before.
            if member.id != store.owner:
                assert tx.orphans(10) == []
                assert tx.bury(member.id, member.renewals)
        assert {job.seq for job in tx.orphans(10)} == {running.seq, other.seq, *(job.seq for job in zombies)}
        assert len(tx.orphans(2)) == 2
        assert tx.held(Lease(running.seq, running.fence)) is None, "another owner's"
        assert {waiting.seq, ended.seq} & {job.seq for job in tx.orphans(10)} == set()
        tx.rollback()
        store.close()

    def test_a_job_that_is_gone_takes_its_output_along(self, store: Store) -> None:
        tx = store.begin()
        job = start(tx, store, new(tx))
        tx.append_output(job, b"words")
        job = fail(tx, job.evolve(output_size=5))
        tx.commit()
        tx = store.begin()
        change(tx, job, job, EventType.DELETED)
        assert tx.job(job.id) is None
        tx.commit()
        with store.snapshot() as snapshot:
            assert (snapshot.job(job.id), snapshot.output(job, 0, 10)) == (None, b"")
            assert snapshot.events(0, 10)[-1].type is EventType.DELETED


class TestOutput:
    def test_from_any_offset_over_all_pieces(self, store: Store) -> None:
        text = b"one two three four"
        tx = store.begin()
        job = start(tx, store, new(tx))
        tx.commit()
        for piece in (b"one ", b"two three ", b"four"):
            tx = store.begin()
            tx.append_output(job, piece)
            job = change(tx, job, job.evolve(output_size=job.output_size + len(piece)), minor=True)
            tx.commit()
        with store.snapshot() as snapshot:
            for offset in range(len(text) + 2):
                for limit in (1, 3, 7, 100):
                    assert snapshot.output(job, offset, limit) == text[offset : offset + limit]


class TestRequests:
    def test_remembered_and_forgotten(self, store: Store) -> None:
        tx = store.begin()
        job = new(tx)
        tx.remember("r", Request(b"\x00f", job.id))
        assert tx.request("r") == Request(b"\x00f", job.id)
        tx.commit()
        tx = store.begin()
        tx.forget("r", NOW + 10)
        tx.trim(1000, 0, NOW + 9, 10)
        assert tx.request("r") is not None
        tx.commit()
        tx = store.begin()
        tx.trim(1000, 0, NOW + 10, 10)
        assert tx.request("r") is None
        tx.commit()

    def test_one_of_a_job_that_was_there_before(self, store: Store) -> None:
        """A change may do no more than remember it."""
        tx = store.begin()
        job = new(tx)
        tx.commit()
        tx = store.begin()
        tx.remember("r", Request(b"f", job.id))
        tx.forget("r", NOW + 10)
        tx.commit()
        tx = store.begin()
        assert tx.request("r") == Request(b"f", job.id)
        tx.trim(1000, 0, NOW + 10, 10)
        assert tx.request("r") is None
        tx.commit()


class TestQueues:
    def test_settings_and_counters_stay(self, reopen: OpenStore) -> None:
        store = reopen()
        queue = Queue("q", 3, True, 7, Defaults("q", 1, 2, 3, 4, 5, 6, 7, 8.5, 0.9))
        tx = store.begin()
        tx.put_queue(queue)
        tx.put_queue(Queue("free"))
        tx.count("q", "work", [(Count.STARTED, 2), (Count.STARTED, 3)])
        tx.commit()
        store.close()
        store = reopen()
        tx = store.begin()
        assert tx.queues() == {"q": queue, "free": Queue("free", None, False, None, NOTHING)}
        assert tx.queue("q") == queue
        assert tx.queue("none") is None
        assert tx.counters() == {("q", "work"): Counters(started=5)}
        tx.rollback()
        store.close()


class TestSnapshots:
    def test_one_sees_the_same_for_as_long_as_it_is_open(self, store: Store) -> None:
        tx = store.begin()
        job = new(tx)
        tx.commit()
        with store.snapshot() as snapshot:
            before = (snapshot.revision, snapshot.jobs(EVERYTHING, 10), snapshot.events(0, 10))
            tx = store.begin()
            start(tx, store, job)
            new(tx)
            tx.commit()
            assert (snapshot.revision, snapshot.jobs(EVERYTHING, 10), snapshot.events(0, 10)) == before
            with store.snapshot() as later:
                assert later.revision == 3
                assert len(later.jobs(EVERYTHING, 10)) == 2

    def test_an_empty_store(self, store: Store) -> None:
        with store.snapshot() as snapshot:
            assert (snapshot.revision, snapshot.horizon) == (0, 0)
            assert (snapshot.jobs(EVERYTHING, 5), snapshot.events(0, 5), snapshot.job("none")) == ([], [], None)

    @pytest.mark.parametrize(
        ("job_filter", "found"),
        [
            (EVERYTHING, [1, 2, 3, 4]),
            (JobFilter(job_ids=frozenset({"job-1", "job-3", "none"})), [1, 3]),
            (JobFilter(queues=frozenset({"b"})), [2, 4]),
            (JobFilter(kinds=frozenset({"other"})), [3]),
            (JobFilter(states=frozenset({State.SCHEDULED})), [4]),
            (JobFilter(states=frozenset({State.QUEUED, State.RUNNING})), [1, 2, 3]),
            (JobFilter(states=frozenset({State.SUCCEEDED})), []),
            (JobFilter(labels=frozenset({("team", "blue")})), [1, 2]),
            (JobFilter(labels=frozenset({("team", "blue"), ("size", "big")})), [2]),
            (JobFilter(queues=frozenset({"b"}), labels=frozenset({("team", "blue")})), [2]),
        ],
    )
    def test_filters(self, store: Store, job_filter: JobFilter, found: list[int]) -> None:
        tx = store.begin()
        new(tx, queue="a", labels=(("team", "blue"),))
        new(tx, queue="b", labels=(("size", "big"), ("team", "blue")))
        new(tx, kind="other", queue="a", labels=(("blue", "team"),))
        new(tx, queue="b", state=State.SCHEDULED)
        tx.commit()
        with store.snapshot() as snapshot:
            jobs = snapshot.jobs(job_filter, 10)
            assert [job.seq for job in jobs] == found
            assert all(job_filter.matches(job) for job in jobs)
            assert snapshot.count(job_filter) == len(found)
            assert [job.seq for job in snapshot.jobs(job_filter, 10, newest_first=True)] == found[::-1]

    def test_pages_both_ways(self, store: Store) -> None:
        tx = store.begin()
        for _ in range(7):
            new(tx)
        tx.commit()
        with store.snapshot() as snapshot:
            for newest_first in (False, True):
                seen: list[int] = []
                while page := snapshot.jobs(EVERYTHING, 3, after=seen[-1] if seen else None, newest_first=newest_first):
                    seen += [job.seq for job in page]
                assert seen == sorted(range(1, 8), reverse=newest_first)

    def test_events_between_two_revisions_of_some_jobs(self, store: Store) -> None:
        tx = store.begin()
        first, second = new(tx), new(tx)
        start(tx, store, first)
        start(tx, store, second)
        tx.commit()
        with store.snapshot() as snapshot:

            def revisions(*arguments: Any, **options: Any) -> list[int]:
                return [event.revision for event in snapshot.events(*arguments, **options)]

            assert revisions(0, 10) == [1, 2, 3, 4]
            assert revisions(1, 2) == [2, 3]
            assert revisions(0, 10, job_ids=frozenset({second.id})) == [2, 4]
            assert revisions(4, 10) == []
            assert snapshot.events(3, 1)[0].previous_state is State.QUEUED


class TestTrimming:
    def fill(self, store: Store) -> None:
        tx = store.begin()
        for time in (10, 20, 30, 40, 50):
            revision = tx.next_revision()
            job = Job(revision, f"job-{revision}", Draft("work").resolve(BUILT_IN), State.QUEUED, revision, time)
            tx.record(Event(revision, EventType.CREATED, job, None, time))
        tx.commit()

    def left(self, store: Store) -> list[int]:
        with store.snapshot() as snapshot:
            revisions = [event.revision for event in snapshot.events(0, 100)]
            assert snapshot.horizon == revisions[0] - 1
            return revisions

    def trim(self, store: Store, keep: int, older_than: int, limit: int = 100) -> bool:
        tx = store.begin()
        more = tx.trim(keep, older_than, NOW, limit)
        tx.commit()
        return more

    def test_by_number(self, store: Store) -> None:
        self.fill(store)
        assert not self.trim(store, 3, 0)
        assert self.left(store) == [3, 4, 5]

    def test_by_age(self, store: Store) -> None:
        self.fill(store)
        assert not self.trim(store, 100, 30)
        assert self.left(store) == [3, 4, 5]

    def test_the_newest_always_stays(self, store: Store) -> None:
        self.fill(store)
        self.trim(store, 0, 1_000)
        assert self.left(store) == [5]
        with store.snapshot() as snapshot:
            assert (snapshot.revision, len(snapshot.jobs(EVERYTHING, 10))) == (5, 5)

    def test_in_steps(self, store: Store) -> None:
        self.fill(store)
        assert self.trim(store, 1, 0, limit=2)
        assert self.left(store) == [3, 4, 5]
        assert self.trim(store, 1, 0, limit=2)
        assert not self.trim(store, 1, 0, limit=2)
        assert self.left(store) == [5]

    def test_with_nothing_too_old_nothing_goes(self, store: Store) -> None:
        self.fill(store)
        assert not self.trim(store, 100, 0)
        assert self.left(store) == [1, 2, 3, 4, 5]

    def test_an_event_that_seems_old_among_newer_ones_takes_none_of_them_along(self, store: Store) -> None:
        """The clock was set back for a while."""
        tx = store.begin()
        for time in (50, 10, 60):
            revision = tx.next_revision()
            job = Job(revision, f"job-{revision}", Draft("work").resolve(BUILT_IN), State.QUEUED, revision, time)
            tx.record(Event(revision, EventType.CREATED, job, None, time))
        tx.commit()
        self.trim(store, 100, 30)
        assert self.left(store) == [1, 2, 3]


def test_how_far_each_server_came(reopen: OpenStore) -> None:
    owners = []
    for number in range(3):
        store = reopen()
        owners.append(store.owner)
        with store.snapshot() as snapshot:
            assert snapshot.reached(store.owner, number)
            assert not snapshot.reached(store.owner, number + 1)
        tx = store.begin()
        new(tx)
        tx.commit()
        with store.snapshot() as snapshot:
            assert [snapshot.reached(owner, number + 1) for owner in owners] == [False] * number + [True]
            assert [snapshot.reached(owner, at + 1) for at, owner in enumerate(owners)] == [True] * (number + 1)
            assert not snapshot.reached("nobody", 0)
        store.close()


def test_a_store_that_is_closed_and_opened_has_all_of_it(reopen: OpenStore) -> None:
    store = reopen()
    identity = store.id
    tx = store.begin()
    job = start(tx, store, new(tx, payload=Payload("x", b"y")))
    tx.append_output(job, b"words")
    tx.remember("r", Request(b"f", job.id))
    tx.commit()
    store.close()
    store = reopen()
    assert store.id == identity
    tx = store.begin()
    assert tx.revision == 2
    assert tx.request("r") == Request(b"f", job.id)
    assert tx.job(job.id) == job
    tx.rollback()
    with store.snapshot() as snapshot:
        assert snapshot.output(job, 0, 10) == b"words"
        assert snapshot.revision == 2
    store.close()
