"""What every store does for jobs that are tied to each other: dependencies, claims, keys, groups and the like."""

from random import Random
from typing import Any

import pytest

from slotd_server.domain import moves
from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Count, Draft
from slotd_server.domain.schedule import Schedule, Settings
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Claim, Conflict, Dependency, Line, Links, Ties, Unique
from slotd_server.store.base import Store, Transaction, Unsettled, Wanted
from tests.conformance.recording import NOW, OpenStore, change, fail, new, start, stored


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


class TestDependents:
    def test_they_are_found_by_what_they_depend_on(self, store: Store) -> None:
        tx = store.begin()
        first = new(tx)
        second = new(tx, depends_on=(Dependency(first.id),))
        third = new(tx, depends_on=(Dependency(first.id), Dependency(second.id)))
        for job in (second, third):
            tx.add_edges(job, frozenset())
        tx.meet("jobs/" + first.id, third.seq)
        tx.commit()
        for wanted, found in (([first], [2, 3]), ([second], [3]), ([first, second], [2, 3]), ([third], [])):
            job_filter = JobFilter(depends_on=frozenset(job.id for job in wanted))
            assert [job.seq for job in stored(store, job_filter)] == found
            assert [job.seq for job in (first, second, third) if job_filter.matches(job)] == found
            with store.snapshot() as snapshot:
                assert snapshot.count(job_filter) == len(found)


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
