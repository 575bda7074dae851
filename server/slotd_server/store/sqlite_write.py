"""Transactions on SQLite. All that a transaction changes is staged in memory and written by few statements of many
rows: each statement lets go of the interpreter's lock, and among busy handlers getting it back can take
milliseconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job, rank_below
from slotd_server.domain.queue import ZERO, Counters, Queue
from slotd_server.domain.states import State
from slotd_server.store.base import Request, Wanted
from slotd_server.store.rows import payload_columns, queue_text, read_job, snapshot_bytes, spec_text
from slotd_server.store.sqlite_errors import meaning
from slotd_server.store.sqlite_read import JOB, conditions
from slotd_server.store.sqlite_schedules import SqliteSchedules
from slotd_server.store.sqlite_ties import SqliteTies

if TYPE_CHECKING:
    from slotd_server.store.sqlite import SqliteStore

_ROWS = 64
"""How many rows one statement writes; a statement is compiled once for each number of rows up to this."""

_AHEAD = 32
"""How many more jobs are read than are to be claimed now."""

_PUT_JOBS = (
    "INSERT INTO jobs VALUES",
    11,
    """ON CONFLICT (seq) DO UPDATE SET queue = excluded.queue, rank = excluded.rank, state = excluded.state,
    owner = excluded.owner, due_time = excluded.due_time, revision = excluded.revision, snapshot = excluded.snapshot,
    result_type = excluded.result_type, result = excluded.result""",
)
_ADD_SPECS = ("INSERT INTO specs VALUES", 7, "")
_ADD_EVENTS = ("INSERT INTO events VALUES", 10, "")
_ADD_OUTPUTS = ("INSERT INTO outputs VALUES", 3, "")
_ADD_REQUESTS = ("INSERT INTO requests VALUES", 4, "")
_PUT_QUEUES = ("INSERT OR REPLACE INTO queues VALUES", 2, "")
_PUT_COUNTERS = ("INSERT OR REPLACE INTO counters VALUES", 2 + len(Counters._fields), "")

_CLAIMABLE = f"""SELECT {JOB} FROM
    (SELECT * FROM jobs WHERE state = 3 AND queue = ? AND kind = ? ORDER BY rank, seq LIMIT ?) JOIN specs USING (seq)"""

_NEXT_DUE = """SELECT
    (SELECT due_time FROM jobs WHERE due_time IS NOT NULL ORDER BY due_time LIMIT 1),
    (SELECT due_time FROM schedules WHERE due_time IS NOT NULL ORDER BY due_time LIMIT 1)"""


@lru_cache(maxsize=1024)
def _for_rows(head: str, width: int, tail: str, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"{head} {','.join([row] * rows)} {tail}"


def _place(job: Job) -> tuple[int, int]:
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
        line.sort(key=_place, reverse=True)
        heads.append((-line[-1].spec.priority, line[-1].seq, queue))
    heapify(heads)
    while heads:
        *_, queue = heappop(heads)
        line = lines[queue]
        yield line.pop()
        if line:
            heappush(heads, (-line[-1].spec.priority, line[-1].seq, queue))


class SqliteTransaction(SqliteTies, SqliteSchedules):
    """One atomic change; see `base.Transaction`. Nothing but this object knows of it until `commit` returns."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__()
        self._store = store
        self._connection = store.writer
        self.revision = store.revision
        self._open = False
        self._size = 0
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
        self._live: dict[int, Job | None] = {}
        self.oldest = store.oldest

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

    def held(self, lease: Lease) -> Job | None:
        job = self._live[lease.seq] if lease.seq in self._live else self._store.live.get(lease.seq)
        return job if job is not None and job.fence == lease.fence else None

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
            if job is not None and job.state is State.QUEUED and (job.spec.queue, job.spec.kind) in left
        ]
        if len(wanted) == 1:
            jobs.sort(key=_place)
            return jobs[: wanted[0].limit]
        chosen = []
        for job in _in_turn(jobs):
            pair = (job.spec.queue, job.spec.kind)
            if left[pair] > 0:
                left[pair] -= 1
                chosen.append(job)
        return chosen

    def _first(self, queue: str, kind: str, limit: int) -> list[Job]:
        """The first QUEUED jobs that this transaction has not touched."""
        ahead = self._store.ahead
        known = ahead.first((queue, kind), limit, self._jobs)
        if known is not None:
            return known
        more = limit + len(self._jobs) - len(self._new) + _AHEAD
        rows = self._run(_CLAIMABLE, (queue, kind, more))
        jobs = [read_job(row) for row in rows if row[0] not in self._jobs]
        ahead.learn((queue, kind), jobs, whole=len(rows) < more)
        return jobs[:limit]

    def due(self, now: int, limit: int) -> list[Job]:
        self._flush_jobs()
        rows = self._run("SELECT seq FROM jobs WHERE due_time <= ? ORDER BY due_time LIMIT ?", (now, limit))
        return self._by_seq([seq for (seq,) in rows])

    def next_due(self) -> int | None:
        self._flush_jobs()
        (times,) = self._run(_NEXT_DUE)
        return min((time for time in times if time is not None), default=None)

    def orphans(self, limit: int) -> list[Job]:
        self._flush_jobs()
        rows: list[Any] = []
        # In the terms of the indexes jobs_running and jobs_lingering.
        for condition in ("state = 4", "state <> 4 AND owner <> ''"):
            rows += self._run(
                f"SELECT seq FROM jobs WHERE {condition} AND owner <> ? LIMIT ?", (self._store.owner, limit - len(rows))
            )
        return self._by_seq([seq for (seq,) in rows])

    def first_below(self, queue: str, kind: str, priority: int) -> Job | None:
        if len(self._store.priorities) < 2:
            return None
        self._flush_jobs()
        rows = self._run(
            """SELECT seq FROM jobs WHERE state = 3 AND queue = ? AND kind = ? AND rank >= ?
            ORDER BY rank, seq LIMIT 1""",
            (queue, kind, rank_below(priority)),
        )
        return self.by_seq(rows[0][0]) if rows else None

    def matching(
        self, job_filter: JobFilter, after: int | None, limit: int, *, newest_first: bool = False
    ) -> list[Job]:
        self._flush_jobs()
        where, values = conditions(job_filter)
        if after is None:
            after = 1 << 62 if newest_first else 0
        rows = self._run(
            f"""SELECT seq FROM jobs JOIN specs USING (seq) WHERE {where} AND seq {"<" if newest_first else ">"} ?
            ORDER BY seq {"DESC" if newest_first else "ASC"} LIMIT ?""",
            [*values, after, limit],
        )
        return self._by_seq([seq for (seq,) in rows])

    def record(self, event: Event) -> None:
        job = event.job
        snapshot = snapshot_bytes(job)
        self._events.append(
            (
                event.revision,
                job.seq,
                int(event.type),
                event.previous_state,
                event.time,
                event.minor,
                event.last,
                snapshot,
                *payload_columns(job.result),
            )
        )
        if event.type is EventType.DELETED:
            self._gone[job.seq] = event.revision
            self._stage(job.seq, job.id, None)
        else:
            if event.type is EventType.CREATED:
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
        self._begin()
        self._run("UPDATE requests SET expire_time = ? WHERE request_id = ?", (expire_time, request_id))

    def queue(self, name: str) -> Queue | None:
        return self._queues.get(name) or self._store.queues.get(name)

    def queues(self) -> Mapping[str, Queue]:
        return self._store.queues | self._queues if self._queues else self._store.queues

    def put_queue(self, queue: Queue) -> None:
        self._queues[queue.name] = queue

    def count(self, queue: str, kind: str, *changes: tuple[int, int]) -> None:
        pair = (queue, kind)
        numbers = self._counters.get(pair)
        if numbers is None:
            numbers = self._counters[pair] = [*self._store.counters.get(pair, ZERO)]
        for position, change in changes:
            numbers[position] += change

    def counters(self) -> Mapping[tuple[str, str], Counters]:
        return self._store.counters | {pair: Counters._make(numbers) for pair, numbers in self._counters.items()}

    def waiting(self, queue: str) -> int:
        return sum(numbers.waiting for (name, _), numbers in self.counters().items() if name == queue)

    def ended(self, queue: str) -> int:
        return sum(
            numbers.succeeded + numbers.cancelled for (name, _), numbers in self.counters().items() if name == queue
        )

    def trim(self, keep: int, older_than: int, now: int, limit: int) -> bool:
        self._begin()
        rows = self._run(
            "SELECT revision, seq, type, time FROM events WHERE revision < ? ORDER BY revision LIMIT ?",
            (self._store.revision, limit),
        )
        # From the oldest on without a gap, though the clock may have been set back between two of them.
        gone = list(takewhile(lambda row: row[0] <= self.revision - keep or row[3] < older_than, rows))
        if gone:
            # Nothing tells of a deleted job any more: what never changed of it may go as well.
            self._delete("specs", [seq for _, seq, kind, _ in gone if kind == EventType.DELETED])
            self._run("DELETE FROM events WHERE revision <= ?", (gone[-1][0],))
            self.oldest = gone[-1][0] + 1
        requests = self._run(
            """DELETE FROM requests WHERE request_id IN
            (SELECT request_id FROM requests WHERE expire_time <= ? ORDER BY expire_time LIMIT ?) RETURNING 1""",
            (now, limit),
        )
        return len(gone) == limit or len(requests) == limit

    def commit(self) -> None:
        self._flush_jobs()
        self._flush_rest()
        self._flush_ties()
        if not self._open:
            return
        self._run("COMMIT")
        self._open = False
        self._publish()
        self._store.wrote(self._size)

    def rollback(self) -> None:
        self._open = False
        # SQLite may have rolled back by itself already, as it does when the disk is full.
        if self._connection.in_transaction:
            self._run("ROLLBACK")
        # It may have been learnt in this transaction, without what that had changed.
        self._store.ahead.clear()

    def _publish(self) -> None:
        store = self._store
        store.revision = self.revision
        store.oldest = self.oldest
        self._publish_ties()
        store.queues = store.queues | self._queues
        store.counters.update((pair, Counters._make(numbers)) for pair, numbers in self._counters.items())
        store.ahead.committed(self._jobs.items())
        store.priorities |= {job.spec.priority for job in self._jobs.values() if job is not None}
        for seq, job in self._live.items():
            if job is None:
                store.live.pop(seq, None)
            else:
                store.live[seq] = job

    def _stage(self, seq: int, job_id: str, job: Job | None) -> None:
        self._jobs[seq] = job
        self._ids[job_id] = job
        mine = job is not None and job.owner == self._store.owner and (job.state is State.RUNNING or job.lingering)
        if mine or seq in self._store.live or seq in self._live:
            self._live[seq] = job if mine else None

    def _begin(self) -> None:
        if not self._open:
            self._run("BEGIN IMMEDIATE")
            self._open = True

    def _flush_jobs(self) -> None:
        """Write the staged jobs, so that queries see them."""
        if not (self._snapshots or self._gone or self._requests):
            return
        self._begin()
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
                        int(job.state),
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
                self._run("UPDATE specs SET gone = ? WHERE seq = ?", (revision, seq))
            self._gone.clear()
        requests = [(key, request.fingerprint, request.job_id, None) for key, request in self._requests.items()]
        self._insert(_ADD_REQUESTS, requests)
        self._requests.clear()
        self._snapshots.clear()
        self._new.clear()

    def _flush_rest(self) -> None:
        if not (self._events or self._outputs or self._queues or self._counters):
            return
        self._begin()
        self._insert(_ADD_EVENTS, self._events)
        self._insert(_ADD_OUTPUTS, self._outputs)
        self._insert(_PUT_QUEUES, [(queue.name, queue_text(queue)) for queue in self._queues.values()])
        self._insert(_PUT_COUNTERS, [(*pair, *numbers) for pair, numbers in self._counters.items()])

    def _insert(self, statement: tuple[str, int, str], rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            self._run(_for_rows(*statement, len(chunk)), [value for row in chunk for value in row])
            # A rough measure for checkpoints: some bytes for a row, and the blob that is last in the long ones.
            self._size += 512 * len(chunk) + sum([len(row[-1]) for row in chunk if isinstance(row[-1], bytes)])

    def _delete(self, table: str, seqs: Iterable[int]) -> None:
        rows = list(seqs)
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            self._run(f"DELETE FROM {table} WHERE seq IN ({','.join('?' * len(chunk))})", chunk)

    def _by_seq(self, seqs: list[int]) -> list[Job]:
        """Those of the jobs that are there, in this order, as they are in this transaction."""
        found: dict[int, Job] = {}
        missing = []
        for seq in seqs:
            job = self._jobs[seq] if seq in self._jobs else self._store.live.get(seq)
            if job is not None:
                found[seq] = job
            elif seq not in self._jobs:
                missing.append(seq)
        for start in range(0, len(missing), _ROWS):
            chunk = missing[start : start + _ROWS]
            marks = ",".join("?" * len(chunk))
            for row in self._run(f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE seq IN ({marks})", chunk):
                found[row[0]] = read_job(row)
        return [found[seq] for seq in seqs if seq in found]

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise meaning(error) from error
