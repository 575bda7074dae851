"""The least that is durable: the bare server, where each Submit waits until one row of its own is synced to the disk,
in SQLite, by a thread that commits all that waits. No checks, no events, no jobs: from the bare server it differs by
the price of durability alone, and slotd from it by slotd's own.

`python -m bench.least --store PATH --ready-file PATH`; ends on SIGTERM.
"""

import argparse
import asyncio
import os
import signal
import sqlite3
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bench.bare import Jobs, serve
from slotd import v1

_MOST_ROWS = 1_000
_CHECKPOINT_ROWS = 50_000


class DurableJobs(Jobs):
    """Answers as the bare server does, but Submit when its row is durable. Made on the event loop."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._inbox: SimpleQueue[tuple[str, asyncio.Future[None]]] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    async def submit(self, request: v1.SubmitRequest, context: Any) -> v1.SubmitResponse:
        durable = self._loop.create_future()
        self._inbox.put((str(request.spec), durable))
        await durable
        return await super().submit(request, context)

    def _work(self) -> None:
        try:
            self._write()
        finally:
            # Else all who wait for it would wait for ever.
            os.kill(os.getpid(), signal.SIGTERM)

    def _write(self) -> None:
        store = sqlite3.connect(self._path, isolation_level=None)
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        # As slotd does: now and then, and not each 1,000 pages.
        store.execute("PRAGMA wal_autocheckpoint = 0")
        store.execute("CREATE TABLE jobs (seq INTEGER PRIMARY KEY, spec TEXT NOT NULL)")
        written = 0
        while True:
            work = self._take()
            store.execute("BEGIN IMMEDIATE")
            rows = ", ".join(["(?)"] * len(work))
            store.execute(f"INSERT INTO jobs (spec) VALUES {rows}", [spec for spec, _ in work])
            store.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, [durable for _, durable in work])
            written += len(work)
            if written >= _CHECKPOINT_ROWS:
                written = 0
                store.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _take(self) -> list[tuple[str, asyncio.Future[None]]]:
        """All that waits, once there is something."""
        work = [self._inbox.get()]
        try:
            while len(work) < _MOST_ROWS:
                work.append(self._inbox.get_nowait())
        except Empty:
            pass
        return work


def _answer(waiting: list[asyncio.Future[None]]) -> None:
    for durable in waiting:
        if not durable.done():
            durable.set_result(None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.least")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(lambda: DurableJobs(arguments.store), arguments.ready_file.write_text))
