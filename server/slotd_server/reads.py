"""Reading the store from the event loop: each query runs on a reader thread, on a snapshot of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from slotd_server.domain.errors import CursorExpired
from slotd_server.domain.events import Event
from slotd_server.store.base import Snapshot, Store

T = TypeVar("T")


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

    def close(self) -> None:
        self._executor.shutdown()

    def _run(self, query: Callable[[Snapshot], T]) -> T:
        with self._store.snapshot() as snapshot:
            return query(snapshot)
