"""Reading the store from the event loop: each query runs on a reader thread, on a snapshot of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from slotd_server.domain.errors import CursorExpired, NotFound
from slotd_server.domain.events import Event, JobFilter
from slotd_server.domain.job import Job, Payload
from slotd_server.store.base import Snapshot, Store

T = TypeVar("T")

_MOST_RESULTS = 10_000
"""How many jobs of a group a handler sees the results of at most."""


class Reads:
    """`threads` queries run at once; more wait."""

    def __init__(self, store: Store, threads: int = 4) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="slotd-read")

    async def __call__(self, query: Callable[[Snapshot], T]) -> T:
        """What `query` returns. It sees all that was committed before this call."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, query)

    async def events(self, after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Event]:
        """See `events.Read`."""

        def query(snapshot: Snapshot) -> list[Event]:
            if after < snapshot.horizon:
                raise CursorExpired
            return snapshot.events(after, limit, job_ids=job_ids, whole=whole)

        return await self(query)

    def results(self, job: Job) -> dict[str, Payload | None]:
        """What the jobs returned that `job` depended on, a group's jobs among them: by ref where it has one, else by
        job id; None where there is nothing. From any thread."""
        with self._store.snapshot() as snapshot:
            return _results(snapshot, job)

    def close(self) -> None:
        self._executor.shutdown()

    def _run(self, query: Callable[[Snapshot], T]) -> T:
        with self._store.snapshot() as snapshot:
            return query(snapshot)


def results_of(snapshot: Snapshot, job_id: str) -> dict[str, Payload | None]:
    """As `Reads.results`, of the job with this id. Raises NotFound."""
    job = snapshot.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return _results(snapshot, job)


def _results(snapshot: Snapshot, job: Job) -> dict[str, Payload | None]:
    found: dict[str, Payload | None] = {}
    for one in () if job.spec.ties is None else job.spec.ties.depends_on:
        if one.group:
            members = snapshot.jobs(JobFilter(groups=frozenset({one.group})), _MOST_RESULTS)
            found |= {other.id: other.result for other in members}
        else:
            other = snapshot.job(one.job_id)
            found[one.ref or one.job_id] = None if other is None else other.result
    return found
