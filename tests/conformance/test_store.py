"""What every store does. It is written to in transactions and read in snapshots; see `store/base.py`."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from slotd_server.domain import moves
from slotd_server.domain.commands import Lease
from slotd_server.domain.events import EVERYTHING, Event, EventType, JobFilter
from slotd_server.domain.job import Failure, Job, Payload, Progress
from slotd_server.domain.queue import BUILT_IN, NOTHING, ZERO, Count, Counters, Defaults, Draft, Queue
from slotd_server.domain.schedule import Overlap, Schedule, Settings, due_time
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Claim, Conflict, Dependency, Line, Links, Ties, Unique
from slotd_server.store.base import Request, Store, Transaction, Unsettled, Wanted

NOW = 1_700_000_000_000_000
WHY = Failure("HANDLER_ERROR", "it broke — ü")
OpenStore = Callable[[], Store]


def new(tx: Transaction, kind: str = "work", queue: str = "default", **fields: Any) -> Job:
    """A job as it is first recorded; `fields` are those of Job, of Ties, and labels, payload and priority."""
    labels = fields.pop("labels", ())
    payload = fields.pop("payload", None)
    ties = Ties(**{name: fields.pop(name) for name in Ties._fields if name in fields})
    draft = Draft(kind, payload, labels, ties=None if ties == Ties() else ties)
    spec = draft.resolve(BUILT_IN._replace(queue=queue, priority=fields.pop("priority", 0)))
    revision = tx.next_revision()
    job = Job(revision, f"job-{revision}", spec, State.QUEUED, revision, NOW).evolve(**fields)
    tx.record(Event(revision, EventType.CREATED, job, None, NOW))
    tx.count(queue, kind, (Count.SUBMITTED, 1), (job.state - 1, 1))
    return job


def change(tx: Transaction, before: Job, after: Job, kind: EventType = EventType.CHANGED, minor: bool = False) -> Job:
    job = after.evolve(revision=tx.next_revision())
    tx.record(Event(job.revision, kind, job, before.state, NOW, minor, before.revision))
    tx.count(job.spec.queue, job.spec.kind, (before.state - 1, -1), (job.state - 1, 1))
    return job


def start(tx: Transaction, store: Store, job: Job) -> Job:
    return change(tx, job, moves.start(job, NOW, store.owner))


def fail(tx: Transaction, job: Job) -> Job:
    over = moves.leave(job, NOW, WHY)
    return change(tx, job, moves.end(over, NOW, State.FAILED, WHY, None, None))


def stored(store: Store, job_filter: JobFilter = EVERYTHING, **options: Any) -> list[Job]:
    with store.snapshot() as snapshot:
        return snapshot.jobs(job_filter, 1000, **options)


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


class TestTies:
    """What a store keeps of how jobs are tied to each other."""

    def test_they_come_back_with_the_job(self, store: Store) -> None:
        tx = store.begin()
        ties = Ties(
            resources=(Claim("a/*"), Claim("ü", exclusive=False)),
            depends_on=(Dependency("7", "ref", success=False), Dependency(group="g", patient=True)),
            group="h",
            key="k",
            unique=Unique("u", 5, Conflict.REPLACE),
            schedule="s",
            fire_time=NOW,
        )
        job = new(tx, **ties._asdict())
        changed = Changed("q", 3, (("a", "b"),), NOW, 9, "default", ())
        links = Links(4, Line.HOLDING, Line.WAITING, True, changed)
        after = change(tx, job, job.changed_by(changed).evolve(links=links, blocked_by=("keys/k",)))
        tx.commit()
        assert stored(store) == [after]
        assert after.spec.ties == ties
        assert (after.spec.queue, after.spec.priority, after.spec.labels) == ("q", 3, (("a", "b"),))

    def test_all_of_them_is_as_it_was_after_a_rollback_and_after_a_restart(self, reopen: OpenStore) -> None:
        def everything(tx: Transaction) -> list[Any]:
            return [
                tx.unmet(2, 9),
                [job.seq for job in tx.dependents("jobs/x", 0, 9)],
                tx.ahead(9, [Claim("a")]),
                tx.key_active("default", "k"),
                tx.first_for_key("default", "k"),
                tx.turn("default"),
                tx.arrival("default"),
                [*tx.group("g")],
                tx.is_group_awaited("g"),
                tx.unique("u"),
                [job.seq for job in tx.retained("default", 0, 9)],
                tx.schedule("s"),
                tx.next_due(),
            ]

        def fill(tx: Transaction, name: str, more: int) -> None:
            job = new(tx, depends_on=(Dependency(name), Dependency("y")), key="k")
            tx.add_edges(job, frozenset())
            tx.hold(job.seq, [Claim("a")], waited=False)
            tx.add_active("default", "k", more)
            tx.wait_for_key(job, "k")
            tx.put_turn("default", more)
            tx.put_arrival("default", NOW + more)
            tx.count_group("g", [(2, more)])
            tx.await_group("g")
            tx.join("groups/g", job.seq)
            tx.take_unique("u", job.seq)
            tx.retain("default", job)
            tx.leave_unsettled([Unsettled("jobs/x", job.seq)])
            tx.put_schedule(Schedule("s", Settings(Draft("work"), interval=more), NOW, NOW, next_time=NOW + more))

        store = reopen()
        tx = store.begin()
        new(tx)
        fill(tx, "x", 1)
        before = everything(tx)
        tx.commit()
        tx = store.begin()
        fill(tx, "x", 5)
        assert everything(tx) != before
        tx.rollback()
        for _ in range(2):
            tx = store.begin()
            assert everything(tx) == before
            assert tx.unsettled(9) == [Unsettled("jobs/x", 2)]
            tx.rollback()
            store.close()
            store = reopen()
        store.close()


class TestEdges:
    def job(self, tx: Transaction, *targets: str, met: tuple[str, ...] = ()) -> Job:
        job = new(tx, depends_on=tuple(Dependency(target) for target in targets))
        tx.add_edges(job, frozenset(f"jobs/{target}" for target in met))
        return job

    def dependents(self, tx: Transaction, target: str, **options: Any) -> list[int]:
        return [job.seq for job in tx.dependents(target, options.pop("after", 0), options.pop("limit", 9), **options)]

    def test_what_is_unmet_in_the_order_of_the_spec(self, store: Store) -> None:
        tx = store.begin()
        job = self.job(tx, "z", "b", "y", "a", met=("b",))
        assert tx.unmet(job.seq, 9) == ["jobs/z", "jobs/y", "jobs/a"]
        assert tx.unmet(job.seq, 2) == ["jobs/z", "jobs/y"]
        tx.meet("jobs/z", job.seq)
        assert tx.unmet(job.seq, 9) == ["jobs/y", "jobs/a"]
        assert tx.unmet(99, 9) == []
        tx.commit()

    def test_who_depends_on_something_in_order_and_from_anywhere_on(self, store: Store) -> None:
        tx = store.begin()
        jobs = [self.job(tx, "a", "b"), self.job(tx, "b"), self.job(tx, "a", met=("a",)), self.job(tx, "a")]
        assert self.dependents(tx, "jobs/a") == [1, 4]
        assert self.dependents(tx, "jobs/a", after=1) == [4]
        assert self.dependents(tx, "jobs/a", limit=1) == [1]
        tx.meet("jobs/a", jobs[0].seq)
        assert self.dependents(tx, "jobs/a") == [4]
        assert self.dependents(tx, "jobs/b") == [1, 2]
        tx.commit()

    def test_those_that_have_ended_are_told_apart(self, store: Store) -> None:
        tx = store.begin()
        ended, waiting = self.job(tx, "a"), self.job(tx, "a")
        tx.set_live(ended.seq, False)
        assert self.dependents(tx, "jobs/a") == [waiting.seq]
        assert self.dependents(tx, "jobs/a", live=False) == [ended.seq]
        tx.set_live(ended.seq, True)
        assert self.dependents(tx, "jobs/a") == [ended.seq, waiting.seq]
        tx.commit()

    def test_a_job_is_depended_on_though_the_edge_is_met(self, store: Store) -> None:
        tx = store.begin()
        job = self.job(tx, "a", met=("a",))
        found = tx.dependent("jobs/a")
        assert found is not None
        assert found.seq == job.seq
        tx.set_live(job.seq, False)
        assert tx.dependent("jobs/a") is None
        tx.commit()

    def test_those_of_a_job_that_is_gone_are_gone(self, store: Store) -> None:
        tx = store.begin()
        job = self.job(tx, "a")
        tx.forget_edges(job)
        assert (tx.unmet(job.seq, 9), self.dependents(tx, "jobs/a"), tx.dependent("jobs/a")) == ([], [], None)
        tx.commit()

    def test_what_a_group_waits_for(self, store: Store) -> None:
        tx = store.begin()
        for targets, met in ((("a", "b"), ("b",)), (("a", "c"), ())):
            tx.join("groups/g", self.job(tx, *targets, met=met).seq)
        ended = self.job(tx, "d")
        tx.join("groups/g", ended.seq)
        tx.set_live(ended.seq, False)
        self.job(tx, "e")
        assert sorted(tx.waits_of_group("g")) == ["jobs/a", "jobs/c"]
        tx.commit()


class TestClaims:
    def test_the_latest_that_conflicts_and_holds_or_came_before(self, store: Store) -> None:
        tx = store.begin()
        tx.hold(3, [Claim("a"), Claim("x")], waited=False)
        tx.hold(9, [Claim("a/b", exclusive=False)], waited=False)
        tx.wait_behind(5, [Claim("a/*")], 9, already=False)
        cases: list[tuple[int, Claim, int | None]] = [
            (7, Claim("a"), 3),
            (7, Claim("b"), None),
            (7, Claim("a/c"), 5),
            (4, Claim("a/c"), None),
            (7, Claim("a/b"), 9),
            (7, Claim("a/b", exclusive=False), 5),
            (4, Claim("a/b", exclusive=False), None),
            (7, Claim("a/*"), 9),
            (7, Claim("*"), 9),
            (7, Claim("*", exclusive=False), 5),
            (4, Claim("*", exclusive=False), 3),
            (7, Claim("a/b/*"), 5),
            (7, Claim("x/*"), None),
        ]
        for seq, claim, expected in cases:
            assert tx.ahead(seq, [claim]) == expected, (seq, claim)
        assert tx.ahead(7, [Claim("b"), Claim("a"), Claim("c")]) == 3
        assert tx.ahead(7, []) is None
        tx.commit()

    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_what_looking_at_all_of_them_says(self, store: Store, seed: int) -> None:
        random = Random(seed)
        names = ("a", "b", "a/b", "a/b/c", "a/*", "a/b/*", "*", "ab")

        def some() -> list[Claim]:
            return [Claim(random.choice(names), random.random() < 0.5) for _ in range(random.randint(1, 3))]

        line: dict[int, tuple[bool, list[Claim]]] = {}
        tx = store.begin()
        for seq in random.sample(range(1, 200), 60):
            held, claims = random.random() < 0.5, some()
            line[seq] = (held, claims)
            if held:
                tx.hold(seq, claims, waited=False)
            else:
                tx.wait_behind(seq, claims, 1, already=False)
            if random.random() < 0.3:
                gone = random.choice([*line])
                tx.leave_line(gone)
                del line[gone]
            asking, wanted = random.randint(1, 200), some()
            naive = [
                other
                for other, (holds, theirs) in line.items()
                if (holds or other < asking) and any(one.conflicts(two) for one in wanted for two in theirs)
            ]
            assert tx.ahead(asking, wanted) == max(naive, default=None)
        tx.commit()

    def test_who_waited_behind_the_one_that_leaves(self, store: Store) -> None:
        tx = store.begin()
        tx.hold(1, [Claim("a")], waited=False)
        for seq in (5, 3, 4):
            tx.wait_behind(seq, [Claim("a")], 1, already=False)
        tx.wait_behind(4, [Claim("a")], 3, already=True)
        assert tx.leave_line(1) == [3, 5]
        assert tx.leave_line(1) == [3, 5], "they still wait: nobody has looked at them"
        tx.hold(3, [Claim("a")], waited=True)
        assert tx.leave_line(1) == [5]
        assert tx.leave_line(3) == [4]
        tx.commit()


class TestKeys:
    def test_how_many_have_a_slot(self, store: Store) -> None:
        tx = store.begin()
        tx.add_active("q", "k", 1)
        tx.add_active("q", "k", 1)
        tx.add_active("q", "other", 1)
        tx.add_active("q", "k", -1)
        assert [tx.key_active("q", key) for key in ("k", "other", "none")] == [1, 1, 0]
        assert tx.key_active("p", "k") == 0
        tx.commit()

    def test_the_line_goes_by_priority_and_then_by_age(self, store: Store) -> None:
        tx = store.begin()
        jobs = [new(tx, priority=priority) for priority in (0, 5, -5, 5)]
        for job in (*jobs, jobs[0]):
            tx.wait_for_key(job, "k")
        order = []
        while (first := tx.first_for_key("default", "k")) is not None:
            order.append(first)
            tx.leave_key_line(jobs[first - 1], "k")
        assert order == [2, 4, 1, 3]
        tx.commit()

    def test_all_that_wait_in_a_queue(self, store: Store) -> None:
        tx = store.begin()
        jobs = [new(tx, priority=priority) for priority in (0, 5, 0)]
        elsewhere = new(tx, queue="q")
        for job, key in zip((*jobs, elsewhere), "aaba", strict=True):
            tx.wait_for_key(job, key)
        assert tx.keys_waited_for("default") == [2, 1, 3]
        tx.commit()

    def test_turns_go_on_from_the_key_s_last_and_not_before_what_was_started(self, store: Store) -> None:
        tx = store.begin()
        assert (tx.turn("q"), [tx.next_turn("q", "k") for _ in range(3)]) == (0, [1, 2, 3])
        assert tx.next_turn("q", "other") == 1
        assert tx.next_turn("p", "k") == 1
        tx.put_turn("q", 7)
        assert (tx.turn("q"), tx.turn("p")) == (7, 0)
        assert [tx.next_turn("q", "k") for _ in range(2)] == [7, 8]
        tx.commit()
        tx = store.begin()
        assert (tx.turn("q"), tx.next_turn("q", "k")) == (7, 9)
        tx.rollback()

    def test_arrivals(self, store: Store) -> None:
        tx = store.begin()
        assert tx.arrival("q") == 0
        tx.put_arrival("q", NOW)
        tx.put_arrival("q", NOW + 1)
        assert (tx.arrival("q"), tx.arrival("p")) == (NOW + 1, 0)
        tx.commit()


class TestGroups:
    def test_they_count_by_state(self, store: Store) -> None:
        tx = store.begin()
        tx.count_group("g", [(State.QUEUED - 1, 1), (Count.SUBMITTED, 1)])
        tx.count_group("g", [(State.QUEUED - 1, 1)])
        tx.count_group("g", [(State.QUEUED - 1, -1), (State.RUNNING - 1, 1)])
        assert [*tx.group("g")] == [0, 0, 1, 1, 0, 0, 0]
        assert [*tx.group("none")] == [0] * 7
        tx.commit()
        tx = store.begin()
        assert [*tx.group("g")] == [0, 0, 1, 1, 0, 0, 0]
        tx.count_group("g", [(State.QUEUED - 1, -1), (State.RUNNING - 1, -1)])
        tx.commit()
        tx = store.begin()
        assert not any(tx.group("g"))
        tx.rollback()

    def test_whether_anybody_waits_for_one(self, store: Store) -> None:
        tx = store.begin()
        tx.count_group("g", [(State.QUEUED - 1, 1)])
        assert not tx.is_group_awaited("g")
        tx.await_group("g")
        assert (tx.is_group_awaited("g"), [*tx.group("g")]) == (True, [0, 0, 1, 0, 0, 0, 0])
        tx.commit()
        assert store.begin().is_group_awaited("g")

    def test_members_are_found_by_filter(self, store: Store) -> None:
        tx = store.begin()
        jobs = [new(tx, group=group, schedule=schedule) for group, schedule in (("g", "s"), ("h", ""), ("g", "t"))]
        for job in jobs:
            assert job.spec.ties is not None
            tx.join(f"groups/{job.spec.ties.group}", job.seq)
            tx.join(f"schedules/{job.spec.ties.schedule}", job.seq)
        assert [job.seq for job in tx.matching(JobFilter(groups=frozenset({"g"})), 0, 9)] == [1, 3]
        tx.commit()
        for job_filter, found in (
            (JobFilter(groups=frozenset({"g"})), [1, 3]),
            (JobFilter(groups=frozenset({"g", "h"})), [1, 2, 3]),
            (JobFilter(schedules=frozenset({"s"})), [1]),
            (JobFilter(groups=frozenset({"g"}), schedules=frozenset({"t"})), [3]),
            (JobFilter(groups=frozenset({"s"})), []),
        ):
            assert [job.seq for job in stored(store, job_filter)] == found
            assert [job.seq for job in jobs if job_filter.matches(job)] == found
            with store.snapshot() as snapshot:
                assert snapshot.count(job_filter) == len(found)
        tx = store.begin()
        tx.leave("groups/g", 1)
        tx.commit()
        assert [job.seq for job in stored(store, JobFilter(groups=frozenset({"g"})))] == [3]


class TestUnique:
    def test_whoever_took_it_last_has_it(self, store: Store) -> None:
        tx = store.begin()
        first, second = new(tx), new(tx)
        assert tx.unique("u") is None
        tx.take_unique("u", first.seq)
        assert tx.unique("u") == first
        tx.take_unique("u", second.seq)
        tx.free_unique("u", first.seq)
        assert tx.unique("u") == second
        tx.free_unique("u", second.seq)
        assert tx.unique("u") is None
        tx.commit()

    def test_it_answers_the_job_as_it_is(self, store: Store) -> None:
        tx = store.begin()
        job = new(tx)
        tx.take_unique("u", job.seq)
        tx.commit()
        tx = store.begin()
        job = start(tx, store, job)
        assert tx.unique("u") == job
        tx.commit()


class TestUnsettled:
    def test_it_is_left_and_taken_up_once(self, store: Store) -> None:
        tx = store.begin()
        assert tx.unsettled(9) == []
        items = [Unsettled("jobs/a", 3), Unsettled("", 7), Unsettled("", 5)]
        tx.leave_unsettled(items)
        tx.leave_unsettled(items[:1])
        tx.commit()
        tx = store.begin()
        assert sorted(tx.unsettled(9)) == sorted(items)
        tx.rollback()
        tx = store.begin()
        first = tx.unsettled(1)
        tx.commit()
        tx = store.begin()
        assert sorted([*first, *tx.unsettled(9)]) == sorted(items)
        tx.commit()
        assert store.begin().unsettled(9) == []


class TestRetained:
    def ended(self, tx: Transaction, store: Store, queue: str = "default", state: State = State.SUCCEEDED) -> Job:
        job = start(tx, store, new(tx, queue=queue))
        return change(tx, job, moves.end(moves.leave(job, NOW, None), NOW, state, None, None, None))

    def seqs(self, tx: Transaction, after: int = 0, limit: int = 9) -> list[int]:
        return [job.seq for job in tx.retained("default", after, limit)]

    def test_in_the_order_in_which_they_ended(self, store: Store) -> None:
        tx = store.begin()
        jobs = [self.ended(tx, store) for _ in range(3)]
        for job in jobs:
            tx.retain("default", job)
        tx.retain("q", self.ended(tx, store, "q"))
        expected = [job.seq for job in jobs]
        assert self.seqs(tx) == expected
        assert self.seqs(tx, limit=2) == expected[:2]
        assert self.seqs(tx, after=jobs[0].revision) == expected[1:]
        tx.release_retained("default", jobs[1].revision)
        assert self.seqs(tx) == [expected[0], expected[2]]
        assert (tx.ended("default"), tx.ended("q"), tx.ended("none")) == (3, 1, 0)
        tx.commit()

    def test_all_that_have_ended_well_at_once_or_none(self, store: Store) -> None:
        tx = store.begin()
        succeeded, cancelled = self.ended(tx, store), self.ended(tx, store, state=State.CANCELLED)
        self.ended(tx, store, state=State.FAILED)
        self.ended(tx, store, "q")
        new(tx)
        tx.retain_all("default", wanted=True)
        assert self.seqs(tx) == [succeeded.seq, cancelled.seq]
        tx.retain_all("default", wanted=False)
        assert self.seqs(tx) == []
        tx.commit()


def test_labels_that_were_changed_are_the_ones_that_are_found(store: Store) -> None:
    tx = store.begin()
    job = new(tx, labels=(("a", "1"),))
    changed = Changed("default", 0, (("a", "2"),), None)
    after = change(tx, job, job.changed_by(changed))
    tx.relabel(after)
    tx.commit()
    for value, found in (("1", []), ("2", [after])):
        assert stored(store, JobFilter(labels=frozenset({("a", value)}))) == found
    tx = store.begin()
    tx.forget_labels(after)
    tx.commit()


def test_the_first_of_a_lower_priority(store: Store) -> None:
    tx = store.begin()
    for priority, turn in ((5, 0), (5, 3), (0, 2), (0, 1), (-1000, 0)):
        new(tx, priority=priority, links=Links(turn=turn))
    new(tx, queue="q", priority=1)
    tx.commit()
    tx = store.begin()

    def below(priority: int, kind: str = "work") -> int | None:
        job = tx.first_below("default", kind, priority)
        return None if job is None else job.seq

    assert [below(priority) for priority in (1000, 5, 1, 0, -999, -1000)] == [1, 4, 4, 5, 5, None]
    assert below(5, "other") is None
    tx.rollback()


def test_turns_count_among_jobs_of_one_priority_and_one_queue(store: Store) -> None:
    tx = store.begin()
    for queue, priority, turn in (("a", 0, 9), ("a", 0, 2), ("a", 1, 50), ("b", 0, 1), ("a", 0, 2)):
        new(tx, queue=queue, priority=priority, links=Links(turn=turn))
    tx.commit()
    tx = store.begin()
    wanted = [Wanted("a", "work", 9), Wanted("b", "work", 9)]
    # Of two queues the older head goes first, whatever turns they are at.
    assert [job.seq for job in tx.claimable(wanted)] == [3, 2, 4, 5, 1]
    assert [job.seq for job in tx.claimable(wanted[:1])] == [3, 2, 5, 1]
    tx.rollback()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_claimable_is_so_after_any_change(store: Store, seed: int) -> None:
    """Also where a store remembers what it has read: against looking at all jobs."""
    random = Random(seed)
    pairs = [(queue, kind) for queue in "ab" for kind in ("work", "other")]
    jobs: dict[int, Job] = {}
    for _ in range(60):
        tx = store.begin()
        kept = dict(jobs)
        for _ in range(random.randint(1, 6)):
            waiting = [job for job in jobs.values() if job.state is State.QUEUED]
            if not waiting or random.random() < 0.5:
                queue, kind = random.choice(pairs)
                job = new(tx, kind, queue, priority=random.randint(0, 2), links=Links(turn=random.randint(0, 3)))
            else:
                job = random.choice(waiting)
                act = random.randint(0, 3)
                if act == 0:
                    job = start(tx, store, job)
                elif act == 1:
                    job = fail(tx, start(tx, store, job))
                elif act == 2:
                    changed = Changed(job.spec.queue, random.randint(0, 2), (), None)
                    job = change(tx, job, job.changed_by(changed))
                else:
                    job = change(tx, job, job.evolve(state=State.SCHEDULED))
            jobs[job.seq] = job
            wanted = [Wanted(*pair, random.randint(1, 4)) for pair in random.sample(pairs, random.randint(1, 4))]
            for one in wanted:
                line = [
                    job
                    for job in jobs.values()
                    if job.state is State.QUEUED and (job.spec.queue, job.spec.kind) == (one.queue, one.kind)
                ]
                line.sort(key=lambda job: (-job.spec.priority, job.links.turn, job.seq))
                assert tx.claimable([one]) == line[: one.limit]
            assert len(tx.claimable(wanted)) == sum(len(tx.claimable([one])) for one in wanted)
        if random.random() < 0.2:
            tx.rollback()
            jobs = kept
        else:
            tx.commit()


class TestSchedules:
    def schedule(self, name: str, next_time: int | None, **fields: Any) -> Schedule:
        draft = Draft("work", Payload("x", b"\x00\xff"), (("a", "ü"),), ties=Ties(group="g"), asked=Defaults("q", 3))
        settings = Settings(draft, cron="0 4 * * *", time_zone="Europe/Berlin", overlap=Overlap.ALLOW, jitter=0)
        return Schedule(name, settings, NOW, NOW + 1, next_time, revision=1)._replace(**fields)

    def test_every_field_comes_back_as_it_was(self, store: Store) -> None:
        tx = store.begin()
        schedule = self.schedule("s", NOW + 5, last_time=NOW, recent=("a", "b"), fired=3, skipped=4, lasting=("c",))
        tx.put_schedule(schedule)
        assert tx.schedule("s") == schedule
        tx.commit()
        tx = store.begin()
        assert (tx.schedule("s"), tx.schedule("none")) == (schedule, None)
        tx.rollback()

    def test_they_go_on_and_are_deleted(self, store: Store) -> None:
        tx = store.begin()
        schedule = self.schedule("s", NOW)
        tx.put_schedule(schedule)
        tx.commit()
        tx = store.begin()
        moved = schedule._replace(next_time=NOW + 9, fired=1, recent=("a",), revision=2)
        tx.advance_schedules([moved])
        assert tx.schedule("s") == moved
        tx.commit()
        tx = store.begin()
        tx.delete_schedule("s")
        assert (tx.schedule("s"), tx.next_due(), tx.schedules("", 9)) == (None, None, [])
        tx.commit()

    def test_pages_by_name(self, store: Store) -> None:
        tx = store.begin()
        for name in ("c", "a", "b"):
            tx.put_schedule(self.schedule(name, None))
        assert [one.name for one in tx.schedules("", 2)] == ["a", "b"]
        assert [one.name for one in tx.schedules("b", 2)] == ["c"]
        tx.commit()

    def test_those_that_are_due_in_the_order_of_their_times(self, store: Store) -> None:
        tx = store.begin()
        for name, time in (("a", 30), ("b", 10), ("c", None), ("d", 20)):
            schedule = self.schedule(name, None if time is None else NOW + time)
            tx.put_schedule(schedule)
            assert due_time(schedule) == schedule.next_time
        assert [one.name for one in tx.due_schedules(NOW + 20, 9)] == ["b", "d"]
        assert [one.name for one in tx.due_schedules(NOW + 99, 2)] == ["b", "d"]
        assert tx.due_schedules(NOW + 9, 9) == []
        assert tx.next_due() == NOW + 10
        new(tx, due_time=NOW + 5)
        assert tx.next_due() == NOW + 5
        tx.commit()

    def test_which_jobs_have_not_ended(self, store: Store) -> None:
        tx = store.begin()
        jobs = [new(tx), start(tx, store, new(tx)), fail(tx, start(tx, store, new(tx))), new(tx)]
        ids = [job.id for job in reversed(jobs)]
        assert tx.unended([*ids, "none"]) == [jobs[3], jobs[1], jobs[0]]
        tx.commit()
        tx = store.begin()
        over = fail(tx, jobs[1])
        assert tx.unended([over.id, jobs[0].id]) == [jobs[0]]
        tx.rollback()


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


class TestQueues:
    def test_settings_and_counters_stay(self, reopen: OpenStore) -> None:
        store = reopen()
        queue = Queue("q", 3, True, 7, Defaults("q", 1, 2, 3, 4, 5, 6, 7, 8.5, 0.9))
        tx = store.begin()
        tx.put_queue(queue)
        tx.put_queue(Queue("free"))
        tx.count("q", "work", (Count.STARTED, 2), (Count.STARTED, 3))
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
