"""Transactions on SQLite: what this one server alone can do, and how it is said to SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Job, rank_below
from slotd_server.domain.queue import Held
from slotd_server.domain.server import Member
from slotd_server.domain.states import RUNNING
from slotd_server.store.rows import read_job
from slotd_server.store.sql_read import JOB, Insert
from slotd_server.store.sql_write import SqlTransaction
from slotd_server.store.sqlite_errors import meaning
from slotd_server.store.sqlite_read import SqliteDialect

if TYPE_CHECKING:
    from slotd_server.store.sqlite import SqliteStore

_ROWS = 64
"""How many rows one statement writes; a statement is compiled once for each number of rows up to this."""

_AHEAD = 32
"""How many more jobs are read than are to be claimed now."""

_CLAIMABLE = f"""SELECT {JOB} FROM
    (SELECT * FROM jobs WHERE state = 3 AND queue = ? AND kind = ? ORDER BY rank, seq LIMIT ?) JOIN specs USING (seq)"""

_NOTHING: Mapping[str, Held] = MappingProxyType({})


@lru_cache(maxsize=1024)
def _for_rows(statement: Insert, rows: int) -> str:
    row = f"({','.join('?' * statement.width)})"
    return f"INSERT INTO {statement.table} VALUES {','.join([row] * rows)} {statement.conflict}"


class SqliteTransaction(SqlTransaction):
    """One atomic change, which begins in the file with its first write."""

    dialect = SqliteDialect()
    uncertain = False

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self._store = store
        self._connection = store.writer
        self._open = False
        self._size = 0

    def held(self, lease: Lease) -> Job | None:
        seq, fence = lease
        job = self._jobs[seq] if seq in self._jobs else self._store.live.get(seq)
        return job if job is not None and job.fence == fence and self._is_live(job) else None

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

    def orphans(self, limit: int) -> list[Job]:
        self._flush_jobs()
        rows: list[Any] = []
        # In the terms of the indexes jobs_running and jobs_lingering.
        for condition in ("state = 4", "state <> 4 AND owner <> ''"):
            rows += self._run(
                f"SELECT seq FROM jobs WHERE {condition} AND owner <> ? LIMIT ?", (self._store.owner, limit - len(rows))
            )
        return self._by_seq([seq for (seq,) in rows])

    # Other servers: there are none.

    def mine(self) -> list[Job]:
        return [job for job in (self._store.live | self._jobs).values() if job is not None and self._is_live(job)]

    def _is_live(self, job: Job) -> bool:
        """Whether its function runs here."""
        return job.owner == self._store.owner and (job.state is RUNNING or job.lingering)

    def bury(self, server: str, renewals: int) -> bool:  # noqa: ARG002 - nobody to bury
        return False

    def members(self) -> list[Member]:
        return []

    def elsewhere(self) -> Mapping[str, Held]:
        return _NOTHING

    def put_held(self, slots: Mapping[str, Held]) -> None:
        """Nobody else asks."""

    def announce(self, *, work: bool) -> None:
        """Nobody else listens."""

    def commit(self) -> None:
        self._flush()
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

    def _first(self, queue: str, kind: str, limit: int) -> list[Job]:
        ahead = self._store.ahead
        known = ahead.first((queue, kind), limit, self._jobs)
        if known is not None:
            return known
        more = limit + len(self._jobs) - len(self._new) + _AHEAD
        rows = self._run(_CLAIMABLE, (queue, kind, more))
        jobs = [read_job(row) for row in rows if row[0] not in self._jobs]
        ahead.learn((queue, kind), jobs, whole=len(rows) < more)
        return jobs[:limit]

    def _known(self, seq: int) -> Job | None:
        return self._store.live.get(seq)

    def _publish(self) -> None:
        super()._publish()
        store = self._store
        store.ahead.committed(self._jobs.items())
        live = store.live
        for seq, job in self._jobs.items():
            if job is not None and self._is_live(job):
                live[seq] = job
            else:
                live.pop(seq, None)
            if job is not None:
                store.priorities.add(job.spec.priority)

    def _insert(self, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            self._write(_for_rows(statement, len(chunk)), list(chain.from_iterable(chunk)))
            # A rough measure for checkpoints: some bytes for a row, and the blob that is last in the long ones.
            self._size += 512 * len(chunk) + sum([len(row[-1]) for row in chunk if isinstance(row[-1], bytes)])

    def _delete(self, table: str, seqs: Collection[int]) -> None:
        rows = list(seqs)
        for start in range(0, len(rows), _ROWS):
            wanted, values = self.dialect.among("seq", rows[start : start + _ROWS])
            self._write(f"DELETE FROM {table} WHERE {wanted}", values)

    def _write(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._take(sql, values)

    def _take(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self._open:
            self._run("BEGIN IMMEDIATE")
            self._open = True
        return self._run(sql, values)

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise meaning(error) from error
