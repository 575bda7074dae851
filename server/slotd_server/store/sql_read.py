"""What readers see, and how a filter is said in SQL, as far as SQLite and PostgreSQL say it alike. Statements are
written with `?` for a value."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.store.rows import Row, read_job

Term: TypeAlias = tuple[str, list[Any]]
"""A condition, and its values."""


class Insert(NamedTuple):
    """A statement that adds rows of so many columns, whatever their number; `conflict` is the end of it."""

    table: str
    width: int
    conflict: str = ""


class Dialect(Protocol):
    """What they say differently."""

    def among(self, column: str, values: Sequence[Any]) -> Term:
        """The column has one of these values."""

    def labelled(self, name: str, value: str) -> Term:
        """The job, of `jobs JOIN specs`, has this label now."""


JOB = "seq, id, spec, request_id, payload_type, payload, snapshot, result_type, result"
"""The columns that `read_job` takes."""

# A server's revisions end where the next one's begin.
UP_TO = """SELECT COALESCE((SELECT later.start FROM boots AS later WHERE later.number > boots.number
    ORDER BY later.number LIMIT 1), ?) FROM boots WHERE id = ?"""
"""How far a boot came: up to the next one's start, or to this revision."""

_BASIC_JOB = "seq, id, spec, request_id, payload_type, NULL, snapshot, result_type, NULL"

# From a job's newest event back to `after`, by what each says of the one before.
_CHAINS = """WITH RECURSIVE
    heads (revision) AS (
        SELECT COALESCE(jobs.revision, specs.gone) FROM specs LEFT JOIN jobs USING (seq) WHERE {wanted}
    ),
    chain (revision, last) AS (
        SELECT revision, last FROM heads JOIN events USING (revision) WHERE revision > ?
        UNION ALL
        SELECT events.revision, events.last FROM chain JOIN events ON events.revision = chain.last WHERE chain.last > ?
    )"""

_OUTPUT = """SELECT start, data FROM outputs WHERE seq = ? AND start < ?
    AND start >= (SELECT COALESCE(MAX(start), 0) FROM outputs WHERE seq = ? AND start <= ?) ORDER BY start"""

_COMMON = (State.QUEUED, State.RUNNING, State.SUCCEEDED)
"""The states that the index by state leaves out."""

_FEW = 10_000
"""QUEUED jobs that may be sorted for a list."""


def conditions(job_filter: JobFilter, dialect: Dialect) -> Term:
    """A filter as a condition on `jobs JOIN specs`."""
    terms: list[Term] = [("TRUE", [])]
    for column, wanted in (
        ("id", job_filter.job_ids),
        ("queue", job_filter.queues),
        ("kind", job_filter.kinds),
    ):
        if wanted:
            terms.append(dialect.among(column, sorted(wanted)))
    if job_filter.states:
        # As literals, so that the planner sees which partial index will do.
        states = job_filter.states
        several = f"state IN ({','.join(f'{state:d}' for state in sorted(states))})"
        terms.append((several if len(states) > 1 else f"state = {min(states):d}", []))
        if states.isdisjoint(_COMMON):
            terms += [(f"state <> {state:d}", []) for state in _COMMON]
    for kind, names in (("groups", job_filter.groups), ("schedules", job_filter.schedules)):
        if names:
            sql, values = dialect.among("name", sorted(f"{kind}/{name}" for name in names))
            terms.append((f"seq IN (SELECT seq FROM members WHERE {sql})", values))
    if job_filter.depends_on:
        sql, values = dialect.among("target", sorted(f"jobs/{job_id}" for job_id in job_filter.depends_on))
        terms.append((f"seq IN (SELECT seq FROM edges WHERE {sql})", values))
    terms += [dialect.labelled(*label) for label in sorted(job_filter.labels)]
    return " AND ".join(sql for sql, _ in terms), [value for _, values in terms for value in values]


class SqlSnapshot(ABC):
    """See `base.Snapshot`. Lives in a read transaction."""

    dialect: Dialect
    revision: int
    horizon: int

    @abstractmethod
    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows."""

    def reached(self, boot: str, revision: int) -> bool:
        upto = self.upto(boot)
        return upto is not None and revision <= upto

    def upto(self, boot: str) -> int | None:
        """The last revision of that boot; None where there is no such boot."""
        rows = self._run(UP_TO, (self.revision, boot))
        return rows[0][0] if rows else None

    def job(self, job_id: str) -> Job | None:
        rows = self._run(f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE id = ?", (job_id,))
        return read_job(rows[0]) if rows else None

    def jobs(
        self,
        job_filter: JobFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
        whole: bool = True,
    ) -> list[Job]:
        where, values = conditions(job_filter, self.dialect)
        if after is not None:
            where += " AND seq < ?" if newest_first else " AND seq > ?"
            values.append(after)
        # The addition makes the planner look into the index of the few that are QUEUED, and sort; where they are many,
        # some are soon met in order of seq.
        few = job_filter.states == {State.QUEUED} and self._queued() <= _FEW
        rows = self._run(
            f"""SELECT {JOB if whole else _BASIC_JOB} FROM jobs JOIN specs USING (seq) WHERE {where}
            ORDER BY {"seq + 0" if few else "seq"} {"DESC" if newest_first else "ASC"} LIMIT ?""",
            [*values, limit],
        )
        return [read_job(row) for row in rows]

    def _queued(self) -> int:
        ((number,),) = self._run("SELECT COALESCE(SUM(queued), 0) FROM counters")
        return int(number)

    def count(self, job_filter: JobFilter) -> int:
        where, values = conditions(job_filter, self.dialect)
        join = "JOIN specs USING (seq)" if job_filter.labels or job_filter.job_ids else ""
        ((number,),) = self._run(f"SELECT COUNT(*) FROM jobs {join} WHERE {where}", values)
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
            wanted, ids = self.dialect.among("id", sorted(job_ids))
            with_jobs = _CHAINS.format(wanted=wanted)
            source = "chain JOIN events USING (revision)"
            values = [*ids, after, after, after, limit]
        rows = self._run(
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
        for start, data in self._run(_OUTPUT, (job.seq, offset + limit, job.seq, offset)):
            piece = data[max(offset - start, 0) :][:room]
            pieces.append(piece)
            room -= len(piece)
            if room == 0:
                break
        return b"".join(pieces)
