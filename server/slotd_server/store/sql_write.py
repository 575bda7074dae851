"""Transactions in SQL, as far as SQLite and PostgreSQL say it alike. All that a transaction changes is staged in memory
and written by few statements of many rows: each statement lets go of the interpreter's lock, and among busy handlers
getting it back can take milliseconds; over a network each has its price too."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import takewhile
from typing import Any

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import CREATED, DELETED, Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.queue import ZERO, Counters, Queue
from slotd_server.domain.states import QUEUED
from slotd_server.store.base import Request, Wanted
from slotd_server.store.rows import payload_columns, queue_text, read_job, snapshot_bytes, spec_text
from slotd_server.store.sql_read import JOB, Insert, conditions
from slotd_server.store.sql_schedules import SqlSchedules
from slotd_server.store.sql_ties import SqlTies

_PUT_JOBS = Insert(
    "jobs",
    11,
    """ON CONFLICT (seq) DO UPDATE SET queue = excluded.queue, rank = excluded.rank, state = excluded.state,
    owner = excluded.owner, due_time = excluded.due_time, revision = excluded.revision, snapshot = excluded.snapshot,
    result_type = excluded.result_type, result = excluded.result""",
)
_ADD_SPECS = Insert("specs", 7)
_ADD_EVENTS = Insert("events", 10)
_ADD_OUTPUTS = Insert("outputs", 3)
_ADD_REQUESTS = Insert("requests", 4)
_PUT_QUEUES = Insert("queues", 2, "ON CONFLICT (name) DO UPDATE SET settings = excluded.settings")
_PUT_COUNTERS = Insert(
    "counters",
    2 + len(Counters._fields),
    f"""ON CONFLICT (queue, kind) DO UPDATE SET
    {", ".join(f"{field} = excluded.{field}" for field in Counters._fields)}""",
)

_NEXT_DUE = """SELECT
    (SELECT due_time FROM jobs WHERE due_time IS NOT NULL ORDER BY due_time LIMIT 1),
    (SELECT due_time FROM schedules WHERE due_time IS NOT NULL ORDER BY due_time LIMIT 1)"""

_EXPIRED_REQUESTS = """DELETE FROM requests WHERE request_id IN
    (SELECT request_id FROM requests WHERE expire_time <= ? ORDER BY expire_time LIMIT ?) RETURNING 1"""


_READ = 64
"""How many jobs one statement reads."""


class Memory:
    """What a server keeps in memory of the store, as of the last commit that it knows of."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.revision = 0
        self.oldest = 1
        self.queues: dict[str, Queue] = {}
        self.counters: dict[tuple[str, str], Counters] = {}
        self.turns: dict[str, int] = {}
        self.unsettled = False


def place(job: Job) -> tuple[int, int]:
    """Among the jobs of its queue."""
    return job.rank, job.seq


def _in_turn(jobs: Iterable[Job]) -> Iterator[Job]:
    """In the order in which they are claimed: in a queue by rank and seq, and among the first of each queue by priority
    and seq, as turns of different queues have nothing to do with each other."""
    lines: dict[str, list[Job]] = {}
    for job in jobs:
        lines.setdefault(job.spec.queue, []).append(job)
    heads = []
    for queue, line in lines.items():
        line.sort(key=place, reverse=True)
        heads.append((-line[-1].spec.priority, line[-1].seq, queue))
    heapify(heads)
    while heads:
        *_, queue = heappop(heads)
        line = lines[queue]
        yield line.pop()
        if line:
            heappush(heads, (-line[-1].spec.priority, line[-1].seq, queue))


class SqlTransaction(SqlTies, SqlSchedules):
    """One atomic change; see `base.Transaction`. Nothing but this object knows of it until `commit` returns."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.revision = memory.revision
        self.oldest = memory.oldest
        self._jobs: dict[int, Job | None] = {}
        self._ids: dict[str, Job | None] = {}
        self._snapshots: dict[int, bytes] = {}
        self._new: list[Job] = []
        self._events: list[tuple[Any, ...]] = []
        self._gone: dict[int, int] = {}
        self._outputs: list[tuple[int, int, bytes]] = []
        self._requests: dict[str, Request] = {}
        self._queues: dict[str, Queue] = {}
        self._counters: dict[tuple[str, str], list[int]] = {}

    def next_revision(self) -> int:
        self.revision += 1
        return self.revision

    def job(self, job_id: str) -> Job | None:
        if job_id in self._ids:
            return self._ids[job_id]
        rows = self._run(f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE id = ?", (job_id,))
        return read_job(rows[0]) if rows else None

    def by_seq(self, seq: int) -> Job | None:
        found = self._by_seq([seq])
        return found[0] if found else None

    @abstractmethod
    def held(self, lease: Lease) -> Job | None: ...

    def queued(self) -> Mapping[tuple[str, str], int]:
        return {pair: numbers.queued for pair, numbers in self.counters().items() if numbers.queued}

    def claimable(self, wanted: Sequence[Wanted]) -> list[Job]:
        left = {(queue, kind): limit for queue, kind, limit in wanted}
        jobs = [job for queue, kind, limit in wanted for job in self._first(queue, kind, limit)]
        # What is staged is merged in here and not written first: a job that is submitted, or put back, and claimed in
        # the same transaction is one row written once.
        jobs += [
            job
            for job in self._jobs.values()
            if job is not None and job.state is QUEUED and (job.spec.queue, job.spec.kind) in left
        ]
        if len(wanted) == 1:
            jobs.sort(key=place)
            return jobs[: wanted[0].limit]
        chosen = []
        for job in _in_turn(jobs):
            pair = (job.spec.queue, job.spec.kind)
            if left[pair] > 0:
                left[pair] -= 1
                chosen.append(job)
        return chosen

    @abstractmethod
    def _first(self, queue: str, kind: str, limit: int) -> list[Job]:
        """The first QUEUED jobs that this transaction has not touched, at least so many."""

    def due(self, now: int, limit: int) -> list[Job]:
        self._flush_jobs()
        rows = self._run("SELECT seq FROM jobs WHERE due_time <= ? ORDER BY due_time LIMIT ?", (now, limit))
        return self._by_seq([seq for (seq,) in rows])

    def next_due(self) -> int | None:
        self._flush_jobs()
        (times,) = self._run(_NEXT_DUE)
        return min((time for time in times if time is not None), default=None)

    def matching(
        self, job_filter: JobFilter, after: int | None, limit: int, *, newest_first: bool = False
    ) -> list[Job]:
        self._flush_jobs()
        where, values = conditions(job_filter, self.dialect)
        if after is None:
            after = 1 << 62 if newest_first else 0
        rows = self._run(
            f"""SELECT seq FROM jobs JOIN specs USING (seq) WHERE {where} AND seq {"<" if newest_first else ">"} ?
            ORDER BY seq {"DESC" if newest_first else "ASC"} LIMIT ?""",
            [*values, after, limit],
        )
        return self._by_seq([seq for (seq,) in rows])

    def record(self, event: Event) -> None:
        revision, kind, job, previous, time, minor, last = event
        snapshot = snapshot_bytes(job)
        # A plus makes a plain number of what is one: SQLite's module is slow with anything else.
        self._events.append(
            (
                revision,
                job.seq,
                +kind,
                None if previous is None else +previous,
                time,
                +minor,
                last,
                snapshot,
                *payload_columns(job.result),
            )
        )
        if kind is DELETED:
            self._gone[job.seq] = revision
            self._stage(job.seq, job.id, None)
        else:
            if kind is CREATED:
                self._new.append(job)
            self._stage(job.seq, job.id, job)
            self._snapshots[job.seq] = snapshot

    def keep(self, job: Job) -> None:
        self._stage(job.seq, job.id, job)
        self._snapshots[job.seq] = snapshot_bytes(job)

    def append_output(self, job: Job, data: bytes) -> None:
        self._outputs.append((job.seq, job.output_size, data))

    def request(self, request_id: str) -> Request | None:
        if request_id in self._requests:
            return self._requests[request_id]
        rows = self._run("SELECT fingerprint, job_id FROM requests WHERE request_id = ?", (request_id,))
        return Request(*rows[0]) if rows else None

    def remember(self, request_id: str, request: Request) -> None:
        self._requests[request_id] = request

    def forget(self, request_id: str, expire_time: int) -> None:
        self._flush_jobs()
        self._write("UPDATE requests SET expire_time = ? WHERE request_id = ?", (expire_time, request_id))

    def queue(self, name: str) -> Queue | None:
        return self._queues.get(name) or self._memory.queues.get(name)

    def queues(self) -> Mapping[str, Queue]:
        return self._memory.queues | self._queues if self._queues else self._memory.queues

    def put_queue(self, queue: Queue) -> None:
        self._queues[queue.name] = queue

    def count(self, queue: str, kind: str, changes: Iterable[tuple[int, int]]) -> None:
        pair = (queue, kind)
        numbers = self._counters.get(pair)
        if numbers is None:
            numbers = self._counters[pair] = [*self._memory.counters.get(pair, ZERO)]
        for position, change in changes:
            numbers[position] += change

    def counters(self) -> Mapping[tuple[str, str], Counters]:
        return self._memory.counters | {pair: Counters._make(numbers) for pair, numbers in self._counters.items()}

    def waiting(self, queue: str) -> int:
        return sum(numbers.waiting for (name, _), numbers in self.counters().items() if name == queue)

    def ended(self, queue: str) -> int:
        return sum(
            numbers.succeeded + numbers.cancelled for (name, _), numbers in self.counters().items() if name == queue
        )

    def trim(self, keep: int, older_than: int, now: int, limit: int) -> bool:
        rows = self._run(
            "SELECT revision, seq, type, time FROM events WHERE revision < ? ORDER BY revision LIMIT ?",
            (self._memory.revision, limit),
        )
        # From the oldest on without a gap, though the clock may have been set back between two of them.
        gone = list(takewhile(lambda row: row[0] <= self.revision - keep or row[3] < older_than, rows))
        if gone:
            # Nothing tells of a deleted job any more: what never changed of it may go as well.
            self._delete("specs", [seq for _, seq, kind, _ in gone if kind == EventType.DELETED])
            self._write("DELETE FROM events WHERE revision <= ?", (gone[-1][0],))
            self.oldest = gone[-1][0] + 1
        requests = self._take(_EXPIRED_REQUESTS, (now, limit))
        return len(gone) == limit or len(requests) == limit

    def _flush(self) -> None:
        """Write all that is staged."""
        self._flush_jobs()
        self._flush_rest()
        self._flush_ties()

    def _publish(self) -> None:
        """It is committed: the memory is as the store is."""
        memory = self._memory
        memory.revision = self.revision
        memory.oldest = self.oldest
        self._publish_ties()
        if self._queues:
            memory.queues = memory.queues | self._queues
        memory.counters.update((pair, Counters._make(numbers)) for pair, numbers in self._counters.items())

    def _stage(self, seq: int, job_id: str, job: Job | None) -> None:
        self._jobs[seq] = job
        self._ids[job_id] = job

    def _flush_jobs(self) -> None:
        """Write the staged jobs, so that queries see them."""
        if not (self._snapshots or self._gone or self._requests):
            return
        specs = [
            (job.seq, job.id, spec_text(job.spec), job.request_id or None, *payload_columns(job.spec.payload), None)
            for job in self._new
        ]
        self._insert(_ADD_SPECS, specs)
        rows = []
        for seq, snapshot in self._snapshots.items():
            job = self._jobs[seq]
            if job is not None:
                spec = job.spec
                rows.append(
                    (
                        seq,
                        spec.queue,
                        spec.kind,
                        job.rank,
                        +job.state,
                        job.owner,
                        job.due_time,
                        job.revision,
                        snapshot,
                        *payload_columns(job.result),
                    )
                )
        self._insert(_PUT_JOBS, rows)
        if self._gone:
            self._delete("jobs", self._gone)
            self._delete("outputs", self._gone)
            self._outputs = [row for row in self._outputs if row[0] not in self._gone]
            for seq, revision in self._gone.items():
                self._write("UPDATE specs SET gone = ? WHERE seq = ?", (revision, seq))
            self._gone.clear()
        requests = [(key, request.fingerprint, request.job_id, None) for key, request in self._requests.items()]
        self._insert(_ADD_REQUESTS, requests)
        self._requests.clear()
        self._snapshots.clear()
        self._new.clear()

    def _flush_rest(self) -> None:
        self._insert(_ADD_EVENTS, self._events)
        self._insert(_ADD_OUTPUTS, self._outputs)
        self._insert(_PUT_QUEUES, [(queue.name, queue_text(queue)) for queue in self._queues.values()])
        self._insert(_PUT_COUNTERS, [(*pair, *numbers) for pair, numbers in self._counters.items()])

    def _by_seq(self, seqs: Sequence[int]) -> list[Job]:
        """Those of the jobs that are there, in this order, as they are in this transaction."""
        found: dict[int, Job] = {}
        missing = []
        for seq in seqs:
            job = self._jobs[seq] if seq in self._jobs else self._known(seq)
            if job is not None:
                found[seq] = job
            elif seq not in self._jobs:
                missing.append(seq)
        for start in range(0, len(missing), _READ):
            wanted, values = self.dialect.among("seq", missing[start : start + _READ])
            for row in self._run(f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE {wanted}", values):
                found[row[0]] = read_job(row)
        return [found[seq] for seq in seqs if seq in found]

    @abstractmethod
    def _known(self, seq: int) -> Job | None:
        """A job that need not be read from the store, though this transaction has not touched it."""

    @abstractmethod
    def _delete(self, table: str, seqs: Collection[int]) -> None:
        """Delete the rows of these jobs."""
