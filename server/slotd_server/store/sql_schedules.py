"""How schedules are kept in SQL. What a firing changes lies apart from what somebody has set, which holds the jobs'
payload and can be long."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from slotd_server.domain.job import Job
from slotd_server.domain.schedule import Schedule, due_time
from slotd_server.domain.states import WAITING, State
from slotd_server.store.rows import read_job, read_schedule, schedule_text, settings_text
from slotd_server.store.sql_read import JOB, Dialect, Insert

_PUT_SCHEDULES = Insert(
    "schedules", 3, "ON CONFLICT (name) DO UPDATE SET due_time = excluded.due_time, state = excluded.state"
)
_PUT_SETTINGS = """INSERT INTO schedule_settings VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET settings = excluded.settings"""
_SELECT = "SELECT name, state, settings FROM schedules JOIN schedule_settings USING (name)"

_UNENDED = ",".join(f"{state:d}" for state in sorted({*WAITING, State.RUNNING}))


class SqlSchedules(ABC):
    """The part of `base.Transaction` that is about schedules. What it writes is written at once."""

    dialect: Dialect
    _ids: dict[str, Job | None]

    @abstractmethod
    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]: ...

    @abstractmethod
    def _write(self, sql: str, values: Sequence[Any] = ()) -> None: ...

    @abstractmethod
    def _insert(self, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None: ...

    def schedule(self, name: str) -> Schedule | None:
        rows = self._run(f"{_SELECT} WHERE name = ?", (name,))
        return read_schedule(rows[0]) if rows else None

    def schedules(self, after: str, limit: int) -> list[Schedule]:
        rows = self._run(f"{_SELECT} WHERE name > ? ORDER BY name LIMIT ?", (after, limit))
        return [read_schedule(row) for row in rows]

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        rows = self._run(f"{_SELECT} WHERE due_time <= ? ORDER BY due_time, name LIMIT ?", (now, limit))
        return [read_schedule(row) for row in rows]

    def put_schedule(self, schedule: Schedule) -> None:
        self.advance_schedules([schedule])
        self._write(_PUT_SETTINGS, (schedule.name, settings_text(schedule.settings)))

    def advance_schedules(self, schedules: Sequence[Schedule]) -> None:
        self._insert(_PUT_SCHEDULES, [(one.name, due_time(one), schedule_text(one)) for one in schedules])

    def delete_schedule(self, name: str) -> None:
        for table in ("schedules", "schedule_settings"):
            self._write(f"DELETE FROM {table} WHERE name = ?", (name,))

    def unended(self, job_ids: Sequence[str]) -> list[Job]:
        # Jobs that are staged need not be written for this.
        jobs = {job_id: self._ids[job_id] for job_id in job_ids if job_id in self._ids}
        others = [job_id for job_id in job_ids if job_id not in jobs]
        if others:
            wanted, ids = self.dialect.among("id", others)
            rows = self._run(
                f"SELECT {JOB} FROM jobs JOIN specs USING (seq) WHERE {wanted} AND state IN ({_UNENDED})", ids
            )
            jobs |= {job.id: job for job in map(read_job, rows)}
        found = [jobs.get(job_id) for job_id in job_ids]
        return [job for job in found if job is not None and not job.state.terminal]
