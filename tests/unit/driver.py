"""A deterministic harness for the heart: a clock that is set by hand, seeded ids and jitter, a store, and a lifecycle
that is called directly. What it starts is kept until the test ends it, as a scripted runner would."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slotd_server.change import Change, Limits, Rules
from slotd_server.domain import commands as ask
from slotd_server.domain.errors import ServiceError, StoreFull
from slotd_server.domain.events import EVERYTHING, Event, JobFilter
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Failure, Job, Payload, Progress
from slotd_server.domain.outcome import Failed, Outcome, Snoozed, Succeeded
from slotd_server.domain.queue import NOTHING, Counters, Defaults, Draft, Queue
from slotd_server.domain.ties import Changed, Claim, Dependency, Ties, Unique
from slotd_server.lifecycle import Committed, Lifecycle
from slotd_server.requests import Stats
from slotd_server.slots import Ledger, LedgerView
from slotd_server.store.base import ANYTHING, Expected, Request
from slotd_server.store.sqlite import SqliteStore
from slotd_server.store.sqlite_write import SqliteTransaction

START = 1_700_000_000 * SECOND
"""When every test begins: microseconds since the epoch."""

DONE = Succeeded(None)
BROKEN = Failed(Failure("HANDLER_ERROR", "it broke"))
HOPELESS = Failed(Failure("PERMANENT_ERROR", "it never will"), permanent=True)
TIMEOUT = Failure("TIMEOUT", "it took too long")
_TABLES = (
    *("jobs", "specs", "events", "outputs", "requests", "queues", "counters"),
    *("edges", "claims", "behind", "keys", "key_waits", "rates", "members", "groups", "uniques", "unsettled"),
    *("retained", "relabelled", "schedules", "schedule_settings"),
)
"""All but what a store knows of itself."""

KINDS: Mapping[str, Defaults] = {"work": NOTHING, "other": NOTHING}


class FakeClock:
    """Time that passes when a test says so. Both readings in microseconds."""

    def __init__(self) -> None:
        self._now = START
        self._monotonic = 0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> int:
        return self._monotonic

    def advance(self, micros: int) -> None:
        """Time passes."""
        self._now += micros
        self._monotonic += micros

    def step(self, micros: int) -> None:
        """Somebody sets the time of day, back too; no time passes."""
        self._now += micros


class FullableStore(SqliteStore):
    """A store whose next `fail_commits` commits write all, then find the disk full."""

    fail_commits = 0

    def begin(self, expected: Expected = ANYTHING) -> SqliteTransaction:
        return FullableTransaction(self)


class FullableTransaction(SqliteTransaction):
    """Fails where the disk is really found full: after statements have run, before the commit."""

    def commit(self) -> None:
        store = self._store
        assert isinstance(store, FullableStore)
        if store.fail_commits:
            store.fail_commits -= 1
            self._flush_jobs()
            self._flush_rest()
            self._flush_ties()
            raise StoreFull
        super().commit()


class Steps(Lifecycle):
    """The lifecycle, with a note of how many events there were after each command of the last change."""

    boundaries: list[int]

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        self.boundaries = []
        return super().apply(commands, claim=claim)

    def _perform(self, change: Change, command: ask.Command) -> Any:  # type: ignore[override]
        answer = super()._perform(change, command)
        self.boundaries.append(len(change.events))
        return answer


class Driver:
    """One server in a box. `running` are the attempts whose functions have not returned, zombies included."""

    def __init__(
        self,
        slots: int = 2,
        *,
        path: str = ":memory:",
        kinds: Mapping[str, Defaults] = KINDS,
        limits: Limits | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = FakeClock()
        self.random = random.Random(seed)
        self.kinds = kinds
        self.limits = limits or Limits()
        self._path = path
        self._ids = IdSource(self.random.getrandbits)
        self._boot(slots)

    def _boot(self, slots: int) -> None:
        self.store = self._open()
        self.ledger = Ledger(slots, self.kinds)
        self.rules = Rules(self.store.owner, self.limits, self._ids, self.random.random)
        self.use(Steps)
        self.running: dict[ask.Lease, Job] = {}
        self.stopping: list[ask.Lease] = []

    def _open(self) -> FullableStore:
        store = FullableStore(self._path)
        # No test here cuts the power; the faults have tests of their own.
        store.writer.execute("PRAGMA synchronous = OFF")
        return store

    def use(self, lifecycle: type["Steps"]) -> None:
        """Go on with another lifecycle: one that does something in the wrong order."""
        self.lifecycle = lifecycle(self.store, self.ledger, self.rules, self.clock)

    def restart(self, slots: int | None = None) -> Committed:
        """The server goes without a word and another comes: on the same file, with another boot id. It recovers."""
        assert self._path != ":memory:"
        size = self.ledger.limit if slots is None else slots
        gone = self.store.owner
        self.close()
        self._boot(size)
        return self.apply(self._recovery(gone), claim=False)

    def _recovery(self, gone: str) -> ask.Command:
        """What gives back the jobs of the server that is gone."""
        return ask.Recover(10_000)

    def close(self) -> None:
        self.store.close()

    def apply(self, *commands: ask.Command, claim: bool = True) -> Committed:
        """One change, and what the dispatcher would make of it."""
        committed = self.lifecycle.apply(commands, claim=claim)
        for command in commands:
            if isinstance(command, ask.Finish):
                self.running.pop(command.lease, None)
        for job in (*committed.started, *committed.taken_over):
            self.running[lease(job)] = job
        for over in committed.dropped:
            self.running.pop(over, None)
        self.stopping += committed.stopping
        return committed

    def answer(self, command: ask.Command, *, claim: bool = True) -> Any:
        """One command's answer. Raises the ServiceError that it is refused with."""
        (answer,) = self.apply(command, claim=claim).answers
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    def submit(self, kind: str = "work", *, claim: bool = True, **fields: Any) -> Job:
        """Submit one job; `fields` as in `draft`."""
        (job,) = self.answer(ask.Submit((draft(kind, **fields),)), claim=claim)
        assert isinstance(job, Job)
        return job

    def batch(self, *drafts: Draft) -> tuple[Job, ...]:
        """Submit these together, as they were when that was done."""
        jobs = self.answer(ask.Submit(drafts, batch=True))
        assert isinstance(jobs, tuple)
        return jobs

    def update(self, job: Job, *, revision: int = 0, **values: Any) -> Job:
        """Set these fields (of `Changed`) of a waiting job."""
        spec = job.spec
        changed = Changed(spec.queue, spec.priority, spec.labels, spec.schedule_time)._replace(**values)
        updated = self.answer(ask.Update(job.id, changed, frozenset(values), revision))
        assert isinstance(updated, Job)
        return updated

    def finish(self, job: Job, outcome: Outcome = DONE, **told: Any) -> Committed:
        """The function of the job's newest attempt returns."""
        return self.apply(ask.Finish(self.lease(job), outcome, **told))

    def overrun(self, job: Job, failure: Failure = TIMEOUT) -> Committed:
        return self.apply(ask.Overrun(self.lease(job), failure))

    def report(self, job: Job, progress: Progress | None = None, output: bytes = b"") -> Committed:
        return self.apply(ask.Report(self.lease(job), progress, output))

    def lease(self, job: Job) -> ask.Lease:
        """That of the newest attempt of `job` whose function has not returned."""
        return max(one for one in self.running if one.seq == job.seq)

    def pass_time(self, micros: int) -> Committed:
        self.clock.advance(micros)
        return self.apply()

    def get(self, job: Job | str) -> Job:
        """The job as it is now."""
        found = self.find(job)
        assert found is not None
        return found

    def states(self, jobs: Iterable[Job]) -> str:
        """The first letters of the states in which these are now."""
        return "".join(self.get(job).state.name[0] for job in jobs)

    def find(self, job: Job | str) -> Job | None:
        with self.store.snapshot() as snapshot:
            return snapshot.job(job if isinstance(job, str) else job.id)

    def request(self, request_id: str) -> Request | None:
        """What the store remembers of the id."""
        tx = self.store.begin()
        try:
            return tx.request(request_id)
        finally:
            tx.rollback()

    def jobs(self, job_filter: JobFilter = EVERYTHING) -> list[Job]:
        with self.store.snapshot() as snapshot:
            return snapshot.jobs(job_filter, 1_000_000)

    def events(self, after: int = 0) -> list[Event]:
        with self.store.snapshot() as snapshot:
            return snapshot.events(after, 1_000_000)

    def output(self, job: Job, offset: int = 0, limit: int = 1 << 30) -> bytes:
        with self.store.snapshot() as snapshot:
            return snapshot.output(job, offset, limit)

    @property
    def revision(self) -> int:
        with self.store.snapshot() as snapshot:
            return snapshot.revision

    def slots(self) -> LedgerView:
        """The ledger, without starting anything."""
        view = self.answer(ask.ListSlots(), claim=False)
        assert isinstance(view, LedgerView)
        return view

    def stats(self) -> Stats:
        stats = self.answer(ask.ListQueues(), claim=False)
        assert isinstance(stats, Stats)
        return stats

    def counters(self) -> Counters:
        """Of all queues and kinds together."""
        total = Counters()
        for counters in self.stats().counters.values():
            total = total.plus(counters)
        return total

    def queue(self, name: str = "default", **settings: Any) -> Committed:
        """Set these fields of a queue."""
        return self.apply(ask.UpdateQueue(Queue(name, **settings), frozenset(settings)))

    def everything(self) -> dict[str, Any]:
        """All that a change can change, to compare."""
        held = {name: self.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in _TABLES}
        view = self.ledger.view(0, {})
        return held | self._remembered() | {"ledger": view._replace(holders=tuple(sorted(view.holders)))}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the store's tables say, behind its back."""
        return self.store.writer.execute(sql).fetchall()

    def _remembered(self) -> dict[str, Any]:
        """What the store keeps in memory."""
        return {
            "live": dict(self.store.live),
            "counters in memory": dict(self.store.counters),
            "queues in memory": dict(self.store.queues),
            "turns in memory": dict(self.store.turns),
            "unsettled in memory": self.store.unsettled,
            "priorities in memory": set(self.store.priorities),
            "revision": self.store.revision,
        }


def lease(job: Job) -> ask.Lease:
    """That of the job's present attempt."""
    return ask.Lease(job.seq, job.fence)


def draft(
    kind: str = "work",
    *,
    labels: Mapping[str, str] | None = None,
    payload: Payload | None = None,
    schedule_time: int | None = None,
    request_id: str = "",
    content: bytes = b"",
    resources: Iterable[str | Claim] = (),
    depends_on: Iterable[Job | str | Dependency] = (),
    group: str = "",
    key: str = "",
    unique: Unique | None = None,
    ref: str = "",
    **asked: Any,
) -> Draft:
    """A job as somebody may ask for it; `asked` are fields of Defaults, `content` stands behind the request_id. Text
    in `resources` is an exclusive claim, in `depends_on` a ref."""
    ties = Ties(
        resources=tuple(Claim(one) if isinstance(one, str) else one for one in resources),
        depends_on=tuple(_dependency(one) for one in depends_on),
        group=group,
        key=key,
        unique=unique,
    )
    return Draft(
        kind,
        payload,
        tuple(sorted((labels or {}).items())),
        schedule_time,
        Defaults(**asked) if asked else NOTHING,
        request_id,
        content,
        ties if ties != Ties() else None,
        ref,
    )


def _dependency(on: Job | str | Dependency) -> Dependency:
    if isinstance(on, Dependency):
        return on
    return Dependency(ref=on) if isinstance(on, str) else Dependency(job_id=on.id)


def shared(name: str) -> Claim:
    return Claim(name, exclusive=False)


def ended(job: Job | str) -> Dependency:
    """On the job's end, however it ends."""
    return _dependency(job)._replace(success=False)


def patient(job: Job | str) -> Dependency:
    """On its success, after retries too."""
    return _dependency(job)._replace(patient=True)


def snooze(seconds: float) -> Snoozed:
    return Snoozed(round(seconds * SECOND))
