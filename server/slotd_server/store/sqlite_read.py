"""Snapshots of SQLite: what readers see, and how a filter is said in SQL."""

import sqlite3
from typing import Any

from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.store.rows import read_job

JOB = "seq, id, spec, request_id, payload_type, payload, snapshot, result_type, result"
"""The columns that `read_job` takes."""

_BASIC_JOB = "seq, id, spec, request_id, payload_type, NULL, snapshot, result_type, NULL"


def conditions(job_filter: JobFilter) -> tuple[str, list[Any]]:
    """A filter as an SQL condition on `jobs JOIN specs`, and its values."""
    terms = ["1"]
    values: list[Any] = []
    for column, wanted in (
        ("id", job_filter.job_ids),
        ("queue", job_filter.queues),
        ("kind", job_filter.kinds),
        ("state", job_filter.states),
    ):
        if wanted:
            terms.append(f"{column} IN ({','.join('?' * len(wanted))})")
            values += sorted(wanted)
    if job_filter.states and State.SUCCEEDED not in job_filter.states:
        # Says to the planner what the values don't: that the partial index will do.
        terms.append(f"state <> {State.SUCCEEDED:d}")
    for label in sorted(job_filter.labels):
        terms.append("EXISTS (SELECT 1 FROM json_each(spec, '$[3]') WHERE value ->> 0 = ? AND value ->> 1 = ?)")
        values += label
    return " AND ".join(terms), values


class SqliteSnapshot:
    """See `base.Snapshot`. Lives in the read transaction that its connection has open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        first, last = connection.execute("SELECT MIN(revision), MAX(revision) FROM events").fetchone()
        self.revision: int = last or 0
        self.horizon: int = (first or 1) - 1

    def job(self, job_id: str) -> Job | None:
        row = self._connection.execute(
            f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE id = ?", (job_id,)
        ).fetchone()
        return None if row is None else read_job(row)

    def jobs(
        self,
        job_filter: JobFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
        whole: bool = True,
    ) -> list[Job]:
        where, values = conditions(job_filter)
        if after is not None:
            where += " AND seq < ?" if newest_first else " AND seq > ?"
            values.append(after)
        rows = self._connection.execute(
            f"""SELECT {JOB if whole else _BASIC_JOB} FROM jobs JOIN specs USING (seq) WHERE {where}
            ORDER BY seq {"DESC" if newest_first else "ASC"} LIMIT ?""",
            [*values, limit],
        )
        return [read_job(row) for row in rows]

    def count(self, job_filter: JobFilter) -> int:
        where, values = conditions(job_filter)
        join = "JOIN specs USING (seq)" if job_filter.labels or job_filter.job_ids else ""
        (number,) = self._connection.execute(f"SELECT COUNT(*) FROM jobs {join} WHERE {where}", values).fetchone()
        return int(number)

    def events(
        self,
        after: int,
        limit: int,
        *,
        upto: int | None = None,
        job_ids: frozenset[str] = frozenset(),
        whole: bool = True,
    ) -> list[Event]:
        where = "revision > ?"
        values: list[Any] = [after]
        if upto is not None:
            where += " AND revision <= ?"
            values.append(upto)
        if job_ids:
            marks = ",".join("?" * len(job_ids))
            where += f" AND seq IN (SELECT seq FROM specs WHERE id IN ({marks}))"
            values += sorted(job_ids)
        rows = self._connection.execute(
            f"""SELECT revision, type, previous_state, time, minor, {JOB if whole else _BASIC_JOB}
            FROM events JOIN specs USING (seq) WHERE {where} ORDER BY revision LIMIT ?""",
            [*values, limit],
        )
        return [
            Event(
                revision,
                EventType(kind),
                read_job(job),
                None if previous is None else State(previous),
                time,
                bool(minor),
            )
            for revision, kind, previous, time, minor, *job in rows
        ]

    def output(self, job: Job, offset: int, limit: int) -> bytes:
        pieces = []
        room = limit
        for start, data in self._connection.execute(
            """SELECT start, data FROM outputs WHERE seq = ?
            AND start >= (SELECT COALESCE(MAX(start), 0) FROM outputs WHERE seq = ? AND start <= ?) ORDER BY start""",
            (job.seq, job.seq, offset),
        ):
            piece = data[max(offset - start, 0) :][:room]
            pieces.append(piece)
            room -= len(piece)
            if room == 0:
                break
        return b"".join(pieces)
