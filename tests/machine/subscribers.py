"""Subscribers that keep a table of the jobs they asked for by nothing but the events they get."""

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from slotd_server.domain.errors import CursorExpired
from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.states import TERMINAL
from slotd_server.events import EventLog, latest
from slotd_server.store.base import Store

T = TypeVar("T")


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("it had to wait")


def stored_log(store: Store, keep: int) -> EventLog:
    """An event log that remembers few events and reads the rest from the store at once."""

    async def read(after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Event]:
        with store.snapshot() as snapshot:
            if after < snapshot.horizon:
                raise CursorExpired
            return snapshot.events(after, limit, job_ids=job_ids, whole=whole)

    with store.snapshot() as snapshot:
        return EventLog(snapshot.revision, read, keep=keep)


class Subscriber:
    """Reads on from `after` in chunks. Its `table` is what it thinks there is; it starts with what there was."""

    def __init__(self, job_filter: JobFilter, after: int, jobs: dict[str, Job], chunk: int, *, newest: bool) -> None:
        self.filter = job_filter
        self.after = after
        self.table = {job_id: job for job_id, job in jobs.items() if job_filter.matches(job)}
        self.expired = 0
        self._chunk = chunk
        self._newest = newest

    def catch_up(self, log: EventLog, store: Store) -> None:
        """Read on, to the end; begin anew where what it needs is no longer kept."""
        while self.after < log.revision:
            try:
                batch = now(log.read(self.after, self._chunk, self.filter.job_ids))
            except CursorExpired:
                self.expired += 1
                with store.snapshot() as snapshot:
                    self.after = snapshot.revision
                    self.table = {job.id: job for job in snapshot.jobs(self.filter, 1_000_000)}
                continue
            assert batch.upto > self.after
            revisions = [event.revision for event in batch.events]
            assert revisions == sorted(set(revisions))
            assert all(self.after < revision <= batch.upto for revision in revisions)
            told = latest(batch.events) if self._newest else batch.events
            if self._newest:
                self._nothing_final_skipped(batch.events, told)
            for event in told:
                self._see(event)
            self.after = batch.upto

    def _see(self, event: Event) -> None:
        seen = self.filter.view(event)
        if seen is None:
            assert event.job.id not in self.table, "it left the filter, and nobody said so"
            return
        job_id = seen.job.id
        if seen.type is EventType.CREATED:
            assert job_id not in self.table
        if seen.type in (EventType.DELETED, EventType.LEFT_FILTER):
            assert job_id in self.table or self._newest
            self.table.pop(job_id, None)
        else:
            self.table[job_id] = seen.job

    @staticmethod
    def _nothing_final_skipped(events: Sequence[Event], told: Sequence[Event]) -> None:
        def ends(event: Event) -> bool:
            gone = event.type is EventType.DELETED
            return gone or (event.job.state in TERMINAL and event.previous_state not in TERMINAL)

        assert {event.revision for event in events if ends(event)} <= {event.revision for event in told}, (
            "the newest state was told, but not that a job had ended"
        )
