"""The state machine with all that makes jobs wait for each other: claims, dependencies, groups, keys, rates, unique
keys; and with what changes many jobs, or waiting ones."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from slotd_server.domain import commands as ask
from slotd_server.domain.errors import RevisionMismatch, ScheduleExists
from slotd_server.domain.events import JobFilter
from slotd_server.domain.job import SECOND
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.queue import Draft, Queue, Rate
from slotd_server.domain.schedule import Overlap, Schedule, Settings
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed, Claim, Conflict, Dependency, Ties, Unique
from tests.machine.machine import QUEUES, TALLY, Service, a_filter, a_queue, an_outcome, drafts
from tests.machine.orchestration import in_line_for, ties
from tests.machine.schedules import CRONS
from tests.unit.driver import DONE, draft

GROUPS = ("g1", "g2")

a_claim = st.builds(
    Claim, st.sampled_from(["a", "a/b", "a/b/c", "a/*", "c", "*"]), st.sampled_from([True, True, False])
)
some_claims = st.lists(a_claim, min_size=1, max_size=2, unique_by=lambda claim: claim.name).map(tuple)
a_priority = st.integers(-1, 2)
a_unique = st.builds(
    Unique, st.sampled_from(["u1", "u2"]), st.sampled_from([None, None, 30 * SECOND]), st.sampled_from(Conflict)
)


a_schedule = st.sampled_from(["s1", "s2"])
some_settings = st.builds(
    lambda when, draft, overlap, window: Settings(draft, **when, overlap=overlap, catch_up_window=window * SECOND),
    st.sampled_from([{"interval": 120 * SECOND}, {"interval": 600 * SECOND}, *({"cron": cron} for cron in CRONS)]),
    drafts(),
    st.sampled_from(Overlap),
    st.sampled_from([0, 300, 3600]),
)


class Orchestrated(Service):
    """All that `Service` does, and more."""

    @initialize(slots=st.integers(0, 3), claims=some_claims, key=st.sampled_from(["", "k1"]))
    def begin(self, slots: int, claims: tuple[Claim, ...], key: str) -> None:
        super().begin(slots)
        self.scheduled: set[str] = set()
        self._do(ask.UpdateQueue(Queue("default", slots_per_key=1), frozenset({"slots_per_key"})))
        first = draft(resources=claims, group="g1", ref="first")
        second = draft(depends_on=["first"], key=key, group="g2", ref="second")
        third = draft(resources=claims, depends_on=[Dependency(group="g1")], key=key)
        self._do(ask.Submit((first, second, third), batch=True))

    # What is submitted.

    @rule(claims=st.lists(some_claims, min_size=1, max_size=4), one=drafts())
    def submit_claims(self, claims: list[tuple[Claim, ...]], one: Draft) -> None:
        self._do(ask.Submit(tuple(one._replace(ties=Ties(resources=some)) for some in claims)))

    @rule(keys=st.lists(st.sampled_from(["k1", "k1", "k2"]), min_size=1, max_size=5), priority=a_priority)
    def submit_keys(self, keys: list[str], priority: int) -> None:
        self._do(ask.Submit(tuple(draft(key=key, priority=priority) for key in keys)))

    @rule(one=drafts(), uniques=st.lists(a_unique, min_size=1, max_size=3), cancel=st.booleans())
    def submit_unique(self, one: Draft, uniques: list[Unique], cancel: bool) -> None:
        for unique in uniques:
            owner = self.model.orchestration.owner(unique.key, self.driver.clock.now())
            if cancel and owner is not None:
                self._do(ask.Cancel(owner.id))
            self._do(ask.Submit((one._replace(ties=Ties(unique=unique)),)))

    @rule(kinds=st.lists(st.booleans(), min_size=2, max_size=4), group=st.sampled_from(["", "g2"]), retry=st.booleans())
    def break_chain(self, kinds: list[bool], group: str, retry: bool) -> None:
        """Each depends on the one before, for its success or just its end; the first is cancelled."""
        chain = [draft(ref="0", group=group)]
        for place, success in enumerate(kinds):
            edge = Dependency(ref=str(place), success=success)
            chain.append(draft(depends_on=[edge], ref=str(place + 1), group=group))
        (jobs, *_) = self._do(ask.Submit(tuple(chain), batch=True), claim=False)
        if isinstance(jobs, tuple):
            self._do(ask.Cancel(jobs[0].id), claim=False)
            self._do(ask.Retry(jobs[0].id, dependents=retry))

    @rule(data=st.data(), number=st.integers(1, 4))
    def submit_tied(self, data: st.DataObject, number: int) -> None:
        """A graph: of new jobs, of those that are there, of groups; and it may be none that can be."""
        batch = tuple(self._tied(data, place, number) for place in range(number))
        self._do(ask.Submit(batch, batch=True))

    @rule(data=st.data(), delay=st.integers(1, 30))
    def submit_tied_for_later(self, data: st.DataObject, delay: int) -> None:
        one = self._tied(data, 0, 1)
        self._do(ask.Submit((one._replace(schedule_time=self.driver.clock.now() + delay * SECOND),), batch=True))

    def _tied(self, data: st.DataObject, place: int, number: int) -> Draft:
        one = data.draw(drafts())
        edges = data.draw(st.lists(self._edges(place, number), max_size=3, unique_by=lambda edge: edge[:3]))
        asked: dict[str, Any] = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "resources": some_claims,
                    "group": st.sampled_from(GROUPS),
                    "key": st.sampled_from(["k1", "k2"]),
                    "unique": a_unique,
                },
            )
        )
        return one._replace(ties=Ties(depends_on=tuple(edges), **asked), ref=f"job-{place}")

    def _edges(self, place: int, number: int) -> st.SearchStrategy[Dependency]:
        """What a new job may depend on; rarely on one that comes later in its batch, or on none."""
        known = list(self.model.jobs)[-12:]
        group = st.sampled_from(GROUPS).map(lambda name: {"group": name})
        targets = [*[st.sampled_from(known).map(lambda job_id: {"job_id": job_id})] * 3] if known else []
        targets += [group, st.integers(0, number - 1).map(lambda other: {"ref": f"job-{other}"})]
        if place:
            targets += [st.integers(0, place - 1).map(lambda other: {"ref": f"job-{other}"})] * 3
        how = st.fixed_dictionaries({"success": st.booleans(), "patient": st.sampled_from([False, False, True])})
        return st.builds(lambda target, conditions: Dependency(**target, **conditions), st.one_of(targets), how)

    @rule(first=some_claims, others=st.lists(some_claims, min_size=2, max_size=4))
    def let_go_of_claims(self, first: tuple[Claim, ...], others: list[tuple[Claim, ...]]) -> None:
        """One holds claims that others want, and lets go of them again."""
        holder, *waiting = (draft(resources=claims, priority=2) for claims in [first, *others])
        (jobs, *_) = self._do(ask.Submit((holder,)))
        self._do(ask.Submit(tuple(waiting)), claim=False)
        if isinstance(jobs, tuple):
            self._do(*[ask.Finish(lease, DONE) for lease in self.driver.running if lease.seq == jobs[0].seq])
            self._do(ask.Cancel(jobs[0].id))

    @rule(number=st.integers(2, 3), success=st.booleans(), outcomes=st.lists(an_outcome, min_size=3, max_size=3))
    def run_group(self, number: int, success: bool, outcomes: list[Outcome]) -> None:
        """A group of its own with a job that waits for it; those of its jobs that have a slot return one by one."""
        group = f"group-{self.model.revision}"
        callback = draft(depends_on=[Dependency(group=group, success=success)])
        (jobs, *_) = self._do(ask.Submit((*[draft(group=group, priority=2)] * number, callback), batch=True))
        if isinstance(jobs, tuple):
            for job, outcome in zip(jobs, outcomes, strict=False):
                self._do(*[ask.Finish(lease, outcome) for lease in self.driver.running if lease.seq == job.seq])

    @rule(number=st.integers(8, 16), keys=st.lists(st.sampled_from(["", "k1", "k2"]), min_size=1, max_size=3))
    def steady_flow(self, number: int, keys: list[str]) -> None:
        """For each that returns another comes, of a high priority."""
        for _ in range(number):
            returned = [ask.Finish(lease, DONE) for lease in self.driver.running]
            self._do(*returned, ask.Submit(tuple(draft(key=key, priority=2) for key in keys)))

    # What changes waiting jobs, or many.

    @precondition(lambda self: self.model.jobs)
    @rule(
        data=st.data(),
        queue=a_queue,
        priority=a_priority,
        delay=st.sampled_from([None, -5, 5, 60]),
        fields=st.frozensets(st.sampled_from(["queue", "priority", "schedule_time", "labels"]), min_size=1, max_size=2),
        known=st.sampled_from(["right", "right", "any", "stale"]),
    )
    def update(
        self, data: st.DataObject, queue: str, priority: int, delay: int | None, fields: frozenset[str], known: str
    ) -> None:
        waiting = [job for job in self.model.jobs.values() if job.state.waiting]
        job = self.model.jobs[self._some_job(data)] if not waiting else data.draw(st.sampled_from(waiting))
        time = None if delay is None else self.driver.clock.now() + delay * SECOND
        revision = {"right": job.revision, "any": 0, "stale": job.revision + 1}[known]
        self._do(ask.Update(job.id, Changed(queue, priority, (("team", "red"),), time), fields, revision))

    @precondition(lambda self: self._ended())
    @rule(data=st.data(), dependents=st.booleans())
    def retry(self, data: st.DataObject, dependents: bool) -> None:
        self._do(ask.Retry(data.draw(st.sampled_from(self._ended())), dependents))

    def _ended(self) -> list[str]:
        return [job.id for job in self.model.jobs.values() if job.state in (State.FAILED, State.CANCELLED)]

    @rule(
        action=st.sampled_from(["cancel", "retry", "retry", "delete"]),
        job_filter=a_filter,
        limit=st.integers(1, 4),
        force=st.booleans(),
    )
    def do_to_many(self, action: Any, job_filter: JobFilter, limit: int, force: bool) -> None:
        step = ask.Step(0, None)
        while True:
            (step, *_) = self._do(ask.Bulk(action, job_filter, step.after, limit, force))
            if step.after is None:
                return

    @rule(
        name=a_queue,
        per_key=st.sampled_from([None, 0, 1, 1, 2]),
        rate=st.sampled_from([None, None, Rate(1), Rate(0.5, 2), Rate(0.2, 3)]),
        keep=st.sampled_from([None, 0, 1, 3]),
        fields=st.frozensets(st.sampled_from(["slots_per_key", "rate", "retain_count"]), min_size=1, max_size=1),
    )
    def set_limits(
        self, name: str, per_key: int | None, rate: Rate | None, keep: int | None, fields: frozenset[str]
    ) -> None:
        queue = Queue(name, slots_per_key=per_key, rate=rate, retain_count=keep)
        self._do(ask.UpdateQueue(queue, fields))

    @rule(rate=st.sampled_from([Rate(1), Rate(0.5, 2), Rate(0.2, 3)]), number=st.integers(2, 4))
    def restart_with_rate(self, rate: Rate, number: int) -> None:
        """What has started counts against the rate of the next server."""
        self._do(ask.UpdateQueue(Queue("default", rate=rate), frozenset({"rate"})))
        self._do(ask.Submit((draft(priority=2),) * number))
        self._restart(number)

    @precondition(lambda self: self.driver.running)
    @rule(data=st.data(), returned=st.integers(0, 3), claims=some_claims)
    def many_tied_at_once(self, data: st.DataObject, returned: int, claims: tuple[Claim, ...]) -> None:
        """Who lets go, who comes and who leaves the line, in one change."""
        commands: list[ask.Command] = [ask.Submit((draft(resources=claims, key="k1"),))]
        for lease in list(self.driver.running)[:returned]:
            commands.append(ask.Finish(lease, data.draw(an_outcome)))
        blocked = [job.id for job in self.model.jobs.values() if job.state is State.BLOCKED]
        if blocked:
            commands.append(ask.Cancel(data.draw(st.sampled_from(blocked))))
        if self._ended():
            commands.append(ask.Retry(data.draw(st.sampled_from(self._ended()))))
        self._do(*data.draw(st.permutations(commands)))

    # Schedules.

    @rule(data=st.data(), name=a_schedule, settings=some_settings, start=st.sampled_from([None, None, -100, 100]))
    def create_schedule(self, data: st.DataObject, name: str, settings: Settings, start: int | None) -> None:
        now = self.driver.clock.now()
        if start is not None:
            settings = settings._replace(start_time=now + start * SECOND, end_time=now + (start + 2000) * SECOND)
        (answer, *_) = self._do(ask.CreateSchedule(Schedule(name, settings, 0, 0)))
        assert isinstance(answer, ScheduleExists) == (name in self.scheduled)
        self.scheduled.add(name)

    @precondition(lambda self: self.scheduled)
    @rule(
        data=st.data(),
        settings=some_settings,
        fields=st.sampled_from([{"paused"}, {"paused"}, {"interval"}, {"cron"}, {"overlap"}, {"draft"}]),
        stale=st.sampled_from([0, 0, 0, 1]),
    )
    def update_schedule(self, data: st.DataObject, settings: Settings, fields: set[str], stale: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.scheduled)))
        if not all(getattr(settings, field) for field in fields & {"cron", "interval"}):
            return
        (schedule, *_) = self._do(ask.GetSchedule(name))
        revision = schedule.revision + stale
        settings = settings._replace(paused=not schedule.settings.paused)
        (answer, *_) = self._do(ask.UpdateSchedule(name, settings, frozenset(fields), revision))
        assert isinstance(answer, RevisionMismatch) == bool(stale)

    @precondition(lambda self: self.scheduled)
    @rule(data=st.data(), delete=st.sampled_from([False, False, True]))
    def trigger_or_delete_schedule(self, data: st.DataObject, delete: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.scheduled)))
        if delete:
            self.scheduled.discard(name)
        self._do(ask.DeleteSchedule(name) if delete else ask.TriggerSchedule(name))

    # How it looks on.

    def _looks(self) -> list[ask.Command]:
        return [*super()._looks(), *map(ask.GetGroup, GROUPS)]

    def _untimely(self) -> list[ask.Command]:
        one = draft(resources=["*"], key="k1", group="g1", unique=Unique("u1"))
        return [
            ask.Submit((one,)),
            ask.UpdateQueue(
                Queue("default", slots_per_key=7, retain_count=0), frozenset({"slots_per_key", "retain_count"})
            ),
            *[ask.Cancel(job.id) for job in self.model.jobs.values() if job.state is State.BLOCKED],
        ]

    def _compare(self) -> None:
        super()._compare()
        self._compare_lines()
        (schedules,) = self.driver.lifecycle.look([ask.ListSchedules("", 10)])
        full = {name for name in QUEUES if self.model.queue(name).max_queued is not None}
        self.model.schedules.compare(schedules, self.driver.clock.now(), full)
        TALLY["blocked seen"] += sum(job.state is State.BLOCKED for job in self.model.jobs.values())

    def _compare_lines(self) -> None:
        """What the store keeps of who holds and who waits is what the model sees, and nothing is left behind there."""
        rules, jobs = self.model.orchestration, self.model.jobs.values()
        claiming = {job.seq: rules.holds(job) for job in jobs if ties(job).resources and rules.is_in_line(job)}
        assert dict(self.driver.rows("SELECT DISTINCT seq, held FROM claims")) == claiming
        waiting = {seq for seq, held in claiming.items() if not held}
        assert {seq for (seq,) in self.driver.rows("SELECT seq FROM behind")} == waiting
        keyed = [(job.spec.queue, ties(job).key) for job in jobs if ties(job).key and rules.has_key_slot(job)]
        active = self.driver.rows("SELECT queue, key, active FROM keys WHERE active <> 0")
        assert {(queue, key): number for queue, key, number in active} == {one: keyed.count(one) for one in keyed}
        lines = {(job.spec.queue, ties(job).key, job.seq) for job in jobs if in_line_for(job) == "keys"}
        assert set(self.driver.rows("SELECT queue, key, seq FROM key_waits")) == lines
        tied = {job.seq: job.state.terminal for job in jobs if ties(job).depends_on}
        assert dict(self.driver.rows("SELECT DISTINCT seq, 1 - live FROM edges")) == tied
        assert not self.driver.rows("SELECT * FROM unsettled")
        assert {name for (name,) in self.driver.rows("SELECT name FROM groups")} <= {ties(job).group for job in jobs}
        assert {queue for (queue,) in self.driver.rows("SELECT queue FROM retained")} <= {*QUEUES}
