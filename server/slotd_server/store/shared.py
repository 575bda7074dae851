"""What is there once more where several servers share a store. A change locks the one row of `head` before it looks at
anything, and holds it to its end: all that a server may keep in memory of the store alone is then as true as the
`version` in that row says."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from slotd_server.domain.commands import Lease
from slotd_server.domain.errors import StoreBroken, StoreUnavailable
from slotd_server.domain.events import Event
from slotd_server.domain.job import Job, rank_below
from slotd_server.domain.queue import Counters, Held
from slotd_server.domain.server import Contact, Member, News, Status
from slotd_server.domain.states import State
from slotd_server.store.base import ANYTHING, Expected, Request
from slotd_server.store.rows import Row, read_job, read_member, read_queue, status_text
from slotd_server.store.sql_read import JOB, UP_TO, Dialect, Insert
from slotd_server.store.sql_write import Memory, SqlTransaction, place

_OVERDUE = 1_000_000
"""Microseconds by which something must be late before other servers than the one that brought it attend to it."""

# What earlier changes of other servers may have changed. No row comes where there was none since.
_STALE = "(SELECT version FROM head) <> ?"
_REFRESH = (
    f"SELECT queue, kind, {', '.join(Counters._fields)} FROM counters WHERE {_STALE}",
    f"SELECT name, settings FROM queues WHERE {_STALE}",
    f"SELECT queue, turn FROM keys WHERE key = '' AND {_STALE}",
    f"SELECT 1 WHERE {_STALE} AND EXISTS (SELECT 1 FROM unsettled)",
    f"SELECT owner, queue, running, zombie FROM held WHERE {_STALE}",
)

PUT_HEAD = "UPDATE head SET revision = ?, oldest = ?, version = version + 1"
_PUT_HELD = Insert(
    "held", 4, "ON CONFLICT (owner, queue) DO UPDATE SET running = excluded.running, zombie = excluded.zombie"
)

_NOBODYS = "NOT EXISTS (SELECT 1 FROM servers WHERE boot = jobs.owner)"

_HAD = ("state = 4", "state <> 4 AND owner <> ''")
"""Jobs that some server has, in the terms of the indexes jobs_running and jobs_lingering."""


class SharedDialect(Dialect, Protocol):
    """What databases say differently when they are shared."""

    now: str
    """The time by the store's clock, in microseconds since the epoch."""

    lock: str
    """Behind a query: its rows are this transaction's until it ends,"""

    pass_over: str
    """and those that another one has are left out."""


class Seen(NamedTuple):
    """The newest head that a server has seen, on whichever of its connections."""

    version: int
    revision: int
    boot: str


class SharedMemory(Memory):
    """What a server keeps in memory of a store that it shares: true as of `version`. `uncertain` as in
    `base.Transaction`."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.version = -1
        self.seen = Seen(-1, 0, owner)
        self._seen_lock = threading.Lock()
        self.held: dict[str, dict[str, Held]] = {}
        self.uncertain = False
        # Whether others had changed something when this server looked last.
        self.crowded = True

    @property
    def boot(self) -> str:
        """The epoch of the log: see `boots`."""
        return self.seen.boot

    def saw(self, version: int, revision: int, boot: str) -> None:
        """The head was so. From any thread."""
        with self._seen_lock:
            if version > self.seen.version:
                self.seen = Seen(version, revision, boot)


class Run(Protocol):
    """Runs statements, each for all of its rows, in one go."""

    def __call__(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]: ...


def refuse_the_past(revision: int, seen: Seen, reached: int | None) -> None:
    """Another epoch has begun since `seen`; that one came as far as `reached`, None where it is not known. Raises
    StoreBroken where more than that had been seen. (`seen` may have moved on since: other threads look too.)"""
    if reached is None or reached < seen.revision:
        raise gone_back(revision, seen.revision)


def gone_back(revision: int, before: int) -> StoreBroken:
    """The error for a store that lacks what this server has seen in it."""
    return StoreBroken(f"the store is at revision {revision}, and was at {before} before: what came between is lost")


def unknown() -> Status:
    """Of a server that tells nothing of itself."""
    return Status("", "", "", 0, 0, 0, False, {})


def join(run: Run, dialect: SharedDialect, memory: SharedMemory, status: Status, lease: int) -> None:
    """Make this server known, in a transaction of the caller's, with a lease of so many microseconds."""
    (((revision,),),) = run((f"SELECT revision FROM head {dialect.lock}", ()))
    run(
        ("INSERT INTO boots (id, start) VALUES (?, ?)", (memory.owner, revision)),
        (_register(dialect), (memory.owner, status_text(status), lease)),
        ("UPDATE head SET boot = ?, version = version + 1", (memory.owner,)),
    )


def leave(run: Run, owner: str) -> None:
    """Say that this server is gone, in a transaction of the caller's, unless it still has jobs: others see to those."""
    has = " OR ".join(f"EXISTS (SELECT 1 FROM jobs WHERE {condition} AND owner = ?)" for condition in _HAD)
    gone = "NOT EXISTS (SELECT 1 FROM servers WHERE boot = ?)"
    run(
        (f"DELETE FROM servers WHERE boot = ? AND NOT ({has})", (owner, owner, owner)),
        (f"DELETE FROM held WHERE owner = ? AND {gone}", (owner, owner)),
    )


def renew(run: Run, dialect: SharedDialect, owner: str, status: Status) -> Contact:
    """Renew this server's lease, if it is still there, and look around."""
    late = f"{dialect.now} - {_OVERDUE}"
    _, members, ((revision, work, overdue),) = run(
        (
            f"UPDATE servers SET renewals = renewals + 1, renew_time = {dialect.now}, status = ? WHERE boot = ?",
            (status_text(status), owner),
        ),
        ("SELECT * FROM servers", ()),
        (
            # Of QUEUED jobs the counters: at the front of that index lies all that has just been claimed.
            f"""SELECT revision, EXISTS (SELECT 1 FROM counters WHERE queued > 0),
            EXISTS (SELECT 1 FROM jobs WHERE due_time < {late})
            OR EXISTS (SELECT 1 FROM schedules WHERE due_time < {late}) OR EXISTS (SELECT 1 FROM unsettled)
            OR {" OR ".join(f"EXISTS (SELECT 1 FROM jobs WHERE {one} AND {_NOBODYS})" for one in _HAD)} FROM head""",
            (),
        ),
    )
    return Contact(tuple(map(read_member, members)), News(revision, bool(work), bool(overdue)))


def _register(dialect: SharedDialect) -> str:
    return f"INSERT INTO servers VALUES (?, ?, {dialect.now}, {dialect.now}, {dialect.now}, ?) ON CONFLICT DO NOTHING"


def _wanted(expected: Expected, dialect: SharedDialect) -> list[tuple[str, Sequence[Any]]]:
    """The statements that read it."""
    jobs = f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE"
    statements: list[tuple[str, Sequence[Any]]] = []
    for select, column, values in (
        (jobs, "seq", {lease.seq for lease in expected.leases}),
        (jobs, "id", set(expected.job_ids)),
        ("SELECT request_id, fingerprint, job_id FROM requests WHERE", "request_id", set(expected.request_ids)),
    ):
        if values:
            condition, found = dialect.among(column, sorted(values))
            statements.append((f"{select} {condition}", found))
    return statements


class SharedTransaction(SqlTransaction):
    """One atomic change, alone in the store from its beginning on."""

    dialect: SharedDialect

    def __init__(self, memory: SharedMemory, status: Status, lease: int, expected: Expected = ANYTHING) -> None:
        """Begins. `status` and `lease` are for the case that others thought this server gone.

        Raises StoreUnavailable, and StoreBroken where the store has gone back to what it was before.
        """
        self._shared = memory
        self._wrote = False
        self._work = False
        read = self._begin(memory, _wanted(expected, self.dialect))
        super().__init__(memory)
        self.uncertain = memory.uncertain
        if not self._is_member:
            self.uncertain = True
            self._write(_register(self.dialect), (memory.owner, status_text(status), lease))
        # What this transaction has read and not changed.
        self._read: dict[int, Job] = {}
        self._read_ids: dict[str, Job | None] = {}
        self._read_requests: dict[str, Request | None] = {}
        # What some of them still wait for.
        self._unmet: dict[int, list[str]] = {}
        self._take_in(expected, read)
        # Jobs that the store has as QUEUED, and this transaction no longer.
        self._taken: set[int] = set()
        self._held = {owner: queues for owner, queues in memory.held.items() if owner != memory.owner}
        self._elsewhere: Mapping[str, Held] | None = None
        self._mine: dict[str, Held] = {}

    def _begin(self, memory: SharedMemory, wanted: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Row]]:
        """→ what was `wanted`."""
        # Where nobody else is at work there is nothing to learn, and most often it was so the last time too.
        refresh = [(statement, (memory.version,)) for statement in _REFRESH]
        head, member, *rest = self._start(
            (f"SELECT revision, oldest, version, boot FROM head {self.dialect.lock}", ()),
            ("SELECT 1 FROM servers WHERE boot = ?", (memory.owner,)),
            *wanted,
            *(refresh if memory.crowded else ()),
        )
        read, news = rest[: len(wanted)], rest[len(wanted) :]
        self._is_member = bool(member)
        ((revision, oldest, found, boot),) = head
        seen = memory.seen
        if revision < seen.revision or found < seen.version:
            raise gone_back(revision, seen.revision)
        if boot != seen.boot:
            (reached,) = self._together((UP_TO, (revision, seen.boot)))
            refuse_the_past(revision, seen, reached[0][0] if reached else None)
        memory.saw(found, revision, boot)
        self.boot = boot
        memory.crowded = found != memory.version
        if memory.crowded:
            counters, queues, turns, unsettled, held = news or self._together(*refresh)
            memory.revision, memory.oldest, memory.version = revision, oldest, found
            memory.counters = {(queue, kind): Counters(*numbers) for queue, kind, *numbers in counters}
            memory.queues = {name: read_queue(settings) for name, settings in queues}
            memory.turns = {queue: turn for queue, turn in turns}  # noqa: C416 - rows are sequences of anything
            memory.unsettled = bool(unsettled)
            memory.held = {}
            for owner, queue, running, zombie in held:
                memory.held.setdefault(owner, {})[queue] = Held(running, zombie)
        return read

    def _take_in(self, expected: Expected, read: Sequence[Sequence[Row]]) -> None:
        rest = iter(read)
        jobs = [read_job(row) for wanted in (expected.leases, expected.job_ids) if wanted for row in next(rest)]
        self._read |= {job.seq: job for job in jobs}
        self._read_ids |= dict.fromkeys(expected.job_ids) | {job.id: job for job in jobs}
        self._read_requests |= dict.fromkeys(expected.request_ids)
        for request_id, *request in next(rest, ()):
            self._read_requests[request_id] = Request(*request)

    def job(self, job_id: str) -> Job | None:
        if job_id in self._ids:
            return self._ids[job_id]
        if job_id not in self._read_ids:
            found = self._read_ids[job_id] = super().job(job_id)
            if found is not None:
                self._read[found.seq] = found
        return self._read_ids[job_id]

    def dependents(self, target: str, after: int, limit: int, *, live: bool = True) -> list[Job]:
        found = super().dependents(target, after, limit, live=live)
        # What else they wait for is asked of each of them next.
        if len(found) > 1:
            wanted, seqs = self.dialect.among("seq", [job.seq for job in found])
            self._unmet |= {job.seq: [] for job in found}
            for seq, other in self._run(
                f"SELECT seq, target FROM edges WHERE met = 0 AND {wanted} ORDER BY seq, position", seqs
            ):
                self._unmet[seq].append(other)
        return found

    def unmet(self, seq: int, limit: int) -> list[str]:
        known = self._unmet.get(seq)
        return super().unmet(seq, limit) if known is None else known[:limit]

    def meet(self, target: str, seq: int) -> None:
        super().meet(target, seq)
        if seq in self._unmet:
            self._unmet[seq] = [other for other in self._unmet[seq] if other != target]

    def request(self, request_id: str) -> Request | None:
        if request_id not in self._requests and request_id in self._read_requests:
            return self._read_requests[request_id]
        return super().request(request_id)

    def remember(self, request_id: str, request: Request) -> None:
        super().remember(request_id, request)
        # From here on it may be written, and no longer among what is staged.
        self._read_requests.pop(request_id, None)

    def held(self, lease: Lease) -> Job | None:
        job = self.by_seq(lease.seq)
        return job if job is not None and job.fence == lease.fence and self._is_mine(job) else None

    def mine(self) -> list[Job]:
        return self._had("owner = ?", (self._shared.owner,), None)

    def orphans(self, limit: int) -> list[Job]:
        return self._had(_NOBODYS, (), limit)

    def _had(self, condition: str, values: Sequence[Any], limit: int | None) -> list[Job]:
        """Jobs that servers have, so many at most."""
        self._flush_jobs()
        most = 1 << 31 if limit is None else limit
        rows: list[Row] = []
        for had in _HAD:
            rows += self._run(
                f"SELECT seq FROM jobs WHERE {had} AND {condition} ORDER BY seq LIMIT ?", (*values, most - len(rows))
            )
        return self._by_seq([seq for (seq,) in rows])

    def first_below(self, queue: str, kind: str, priority: int) -> Job | None:
        rank = rank_below(priority)
        staged = [
            job
            for job in self._jobs.values()
            if job is not None
            and job.state is State.QUEUED
            and (job.spec.queue, job.spec.kind) == (queue, kind)
            and job.rank >= rank
        ]
        return min([*staged, *self._queued(queue, kind, 1, "rank >= ?", rank)], key=place, default=None)

    def _first(self, queue: str, kind: str, limit: int) -> list[Job]:
        return self._queued(queue, kind, limit, "TRUE")

    def _queued(self, queue: str, kind: str, limit: int, condition: str, *values: int) -> list[Job]:
        """The first QUEUED jobs that this transaction has not touched, and that no other has locked."""
        touched = [seq for seq, job in self._jobs.items() if job is not None and job.state is State.QUEUED]
        touched += self._taken
        if touched:
            among, seqs = self.dialect.among("seq", touched)
            condition = f"{condition} AND NOT ({among})"
            values = (*values, *seqs)
        rows = self._run(
            f"""SELECT {JOB} FROM (
                SELECT * FROM jobs WHERE state = 3 AND queue = ? AND kind = ? AND {condition}
                ORDER BY rank, seq LIMIT ? {self.dialect.pass_over}
            ) AS first JOIN specs USING (seq)""",
            (queue, kind, *values, limit),
        )
        return [read_job(row) for row in rows]

    def record(self, event: Event) -> None:
        if event.previous_state is State.QUEUED:
            self._taken.add(event.job.seq)
        super().record(event)

    def bury(self, server: str, renewals: int) -> bool:
        if not self._take("DELETE FROM servers WHERE boot = ? AND renewals = ? RETURNING 1", (server, renewals)):
            return False
        self._write("DELETE FROM held WHERE owner = ?", (server,))
        self._held.pop(server, None)
        self._elsewhere = None
        return True

    def members(self) -> list[Member]:
        return [read_member(row) for row in self._run("SELECT * FROM servers")]

    def elsewhere(self) -> Mapping[str, Held]:
        if self._elsewhere is None:
            sums: dict[str, Held] = {}
            for queues in self._held.values():
                for queue, held in queues.items():
                    before = sums.get(queue, Held())
                    sums[queue] = Held(before.running + held.running, before.zombie + held.zombie)
            self._elsewhere = sums
        return self._elsewhere

    def put_held(self, slots: Mapping[str, Held]) -> None:
        if self.uncertain:
            # What the store says that this server holds may not be so either.
            self._mine = dict.fromkeys(self._shared.held.get(self._shared.owner, {}), Held())
        self._mine.update(slots)

    def announce(self, *, work: bool) -> None:
        self._work = work

    def commit(self) -> None:
        owner = self._shared.owner
        self._flush()
        self._insert(_PUT_HELD, [(owner, queue, *held) for queue, held in self._mine.items()])
        if not self._wrote:
            self._end()
            self._shared.uncertain = False
            return
        self._put_head()
        self._notify(News(self.revision, self._work))
        try:
            self._commit()
        except StoreUnavailable:
            # It may have gone through.
            self._shared.uncertain = True
            raise
        self._publish()

    def _publish(self) -> None:
        super()._publish()
        memory = self._shared
        memory.version += 1
        memory.saw(memory.version, self.revision, self.boot)
        memory.held = {**self._held, memory.owner: memory.held.get(memory.owner, {}) | self._mine}
        memory.uncertain = False

    def _known(self, seq: int) -> Job | None:
        return self._read.get(seq)

    def _by_seq(self, seqs: Sequence[int]) -> list[Job]:
        found = super()._by_seq(seqs)
        self._read.update((job.seq, job) for job in found if job.seq not in self._jobs)
        return found

    def _is_mine(self, job: Job) -> bool:
        return job.owner == self._shared.owner and (job.state is State.RUNNING or job.lingering)

    def _together(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        """Run these, in one go where that is cheaper."""
        return [self._run(*statement) for statement in statements]

    @abstractmethod
    def _start(self, *statements: tuple[str, Sequence[Any]]) -> list[list[Row]]:
        """Begin, and run these."""

    def _put_head(self) -> None:
        self._write(PUT_HEAD, (self.revision, self.oldest))

    @abstractmethod
    def _notify(self, news: News) -> None:
        """Tell all servers, with the commit."""

    @abstractmethod
    def _commit(self) -> None:
        """Raises StoreUnavailable where it may have gone through or not."""

    @abstractmethod
    def _end(self) -> None:
        """Let go; nothing was changed."""
