"""Snapshots of SQLite: what readers see, and how a filter is said in SQL."""

import sqlite3
from typing import Any

from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.store.rows import read_job

JOB = "seq, id, spec, request_id, payload_type, payload, snapshot, result_type, result"
"""The columns that `read_job` takes."""

REVISIONS = "SELECT (SELECT MIN(revision) FROM events), (SELECT MAX(revision) FROM events)"
"""The oldest and the newest. Asked for together, without subqueries, they would take a scan."""

# A server's revisions end where the next one's begin.
_UP_TO = """SELECT COALESCE((SELECT later.start FROM boots AS later WHERE later.number > boots.number
    ORDER BY later.number LIMIT 1), ?) FROM boots WHERE id = ?"""

_BASIC_JOB = "seq, id, spec, request_id, payload_type, NULL, snapshot, result_type, NULL"


# From a job's newest event back to `after`, by what each says of the one before.
_CHAINS = """WITH RECURSIVE
    heads (revision) AS (
        SELECT COALESCE(jobs.revision, specs.gone) FROM specs LEFT JOIN jobs USING (seq) WHERE id IN ({marks})
    ),
    chain (revision, last) AS (
        SELECT revision, last FROM heads JOIN events USING (revision) WHERE revision > ?
        UNION ALL
        SELECT events.revision, events.last FROM chain JOIN events ON events.revision = chain.last WHERE chain.last > ?
    )"""

_COMMON = (State.QUEUED, State.RUNNING, State.SUCCEEDED)
"""The states that the index by state leaves out."""


_LABELS = "COALESCE((SELECT labels FROM relabelled WHERE relabelled.seq = jobs.seq), spec -> '$[3]')"

_FEW = 10_000
"""QUEUED jobs that may be sorted for a list."""


def conditions(job_filter: JobFilter) -> tuple[str, list[Any]]:
    """A filter as an SQL condition on `jobs JOIN specs`, and its values."""
    terms = ["1"]
    values: list[Any] = []
    for column, wanted in (
        ("id", job_filter.job_ids),
        ("queue", job_filter.queues),
        ("kind", job_filter.kinds),
    ):
        if wanted:
            terms.append(f"{column} IN ({','.join('?' * len(wanted))})")
            values += sorted(wanted)
    if job_filter.states:
        # As literals, so that the planner sees which partial index will do.
        states = job_filter.states
        terms.append(
            f"state IN ({','.join(f'{state:d}' for state in sorted(states))})"
            if len(states) > 1
            else f"state = {min(states):d}"
        )
        if states.isdisjoint(_COMMON):
            terms += [f"state <> {state:d}" for state in _COMMON]
    for kind, names in (("groups", job_filter.groups), ("schedules", job_filter.schedules)):
        if names:
            terms.append(f"seq IN (SELECT seq FROM members WHERE name IN ({','.join('?' * len(names))}))")
            values += sorted(f"{kind}/{name}" for name in names)
    for label in sorted(job_filter.labels):
        terms.append(f"EXISTS (SELECT 1 FROM json_each({_LABELS}) WHERE value ->> 0 = ? AND value ->> 1 = ?)")
        values += label
    return " AND ".join(terms), values


class SqliteSnapshot:
    """See `base.Snapshot`. Lives in the read transaction that its connection has open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        first, last = connection.execute(REVISIONS).fetchone()
        self.revision: int = last or 0
        self.horizon: int = (first or 1) - 1

    def reached(self, boot: str, revision: int) -> bool:
        rows = self._connection.execute(_UP_TO, (self.revision, boot)).fetchall()
        return bool(rows) and revision <= rows[0][0]

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
        # The unary plus makes the planner look into the index of the few that are QUEUED, and sort; where they are
        # many, some are soon met in order of seq.
        few = job_filter.states == {State.QUEUED} and self._queued() <= _FEW
        rows = self._connection.execute(
            f"""SELECT {JOB if whole else _BASIC_JOB} FROM jobs JOIN specs USING (seq) WHERE {where}
            ORDER BY {"+" if few else ""}seq {"DESC" if newest_first else "ASC"} LIMIT ?""",
            [*values, limit],
        )
        return [read_job(row) for row in rows]

    def _queued(self) -> int:
        (number,) = self._connection.execute("SELECT COALESCE(SUM(queued), 0) FROM counters").fetchone()
        return int(number)

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
        job_ids: frozenset[str] = frozenset(),
        whole: bool = True,
    ) -> list[Event]:
        with_jobs = ""
        values: list[Any] = [after, limit]
        source = "events"
        if job_ids:
            marks = ",".join("?" * len(job_ids))
            with_jobs = _CHAINS.format(marks=marks)
            source = "chain JOIN events USING (revision)"
            values = [*sorted(job_ids), after, after, after, limit]
        rows = self._connection.execute(
            f"""{with_jobs}
            SELECT revision, type, previous_state, time, minor, events.last, {JOB if whole else _BASIC_JOB}
            FROM {source} JOIN specs USING (seq) WHERE revision > ? ORDER BY revision LIMIT ?""",
            values,
        )
        return [
            Event(
                revision,
                EventType(kind),
                read_job(job),
                None if previous is None else State(previous),
                time,
                bool(minor),
                last,
            )
            for revision, kind, previous, time, minor, last, *job in rows
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
