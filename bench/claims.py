"""How long a claim takes, measured inside the server's own code, without a wire.

`python -m bench.claims ROUNDS STORE …` prints, for each store, the samples in microseconds, as JSON. Each store holds
more jobs in the queue that is claimed from than the one before. They are measured in turn, a few claims at a time, so
that what else the machine does weighs on all of them.
"""

import json
import random
import sys
import time
from collections.abc import Sequence

from bench.measurements.backlog import QUEUE
from slotd_server.change import Limits, Rules
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import SystemClock
from slotd_server.domain.ids import IdSource
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.queue import Defaults, Draft, Queue
from slotd_server.lifecycle import Lifecycle
from slotd_server.slots import Ledger
from slotd_server.store.base import Wanted
from slotd_server.store.sqlite import SqliteStore

_KIND = "noop"
_SUBMIT = ask.Submit((Draft(_KIND),))
_CLAIMS = 10
"""How many of each kind are measured in a row on one store."""


class Backlog:
    """One store with its jobs, and one slot, which is always taken. Before each claim one job is submitted, so that
    there is one even where none waited, and as many wait afterwards as before. Samples in microseconds."""

    def __init__(self, path: str) -> None:
        self.claims: list[float] = []
        self.changes: list[float] = []
        self._store = SqliteStore(path)
        rules = Rules(
            self._store.owner, {_KIND: Defaults(queue=QUEUE)}, Limits(), IdSource(random.getrandbits), random.random
        )
        self._lifecycle = Lifecycle(self._store, Ledger(1), rules, SystemClock())
        # Every job that waits may be claimed from here on; the first one takes the slot.
        unpause = ask.UpdateQueue(Queue(QUEUE), frozenset({"paused"}))
        (first,) = self._lifecycle.apply([unpause, _SUBMIT]).started
        self._running = ask.Lease(first.seq, first.fence)

    def measure(self) -> None:
        """Take some samples."""
        for _ in range(_CLAIMS):
            self._lifecycle.apply([_SUBMIT])
            self._look()
            self._change()

    def close(self) -> None:
        self._store.close()

    def _look(self) -> None:
        """Find the job whose turn it is, and let it wait on."""
        began = time.perf_counter()
        tx = self._store.begin()
        found = tx.claimable([Wanted(QUEUE, _KIND, 1)]) if tx.queued() else []
        self.claims.append((time.perf_counter() - began) * 1e6)
        tx.rollback()
        assert len(found) == 1

    def _change(self) -> None:
        """End the job that runs and start the next, as one durable change."""
        began = time.perf_counter()
        (started,) = self._lifecycle.apply([ask.Finish(self._running, Succeeded(None))]).started
        self.changes.append((time.perf_counter() - began) * 1e6)
        self._running = ask.Lease(started.seq, started.fence)


def _main(rounds: int, paths: Sequence[str]) -> None:
    backlogs = [Backlog(path) for path in paths]
    for backlog in backlogs:
        # The first ones fill the caches.
        backlog.measure()
        backlog.claims.clear()
        backlog.changes.clear()
    for number in range(rounds):
        # There and back, so that none is always the one that comes after the largest.
        for backlog in backlogs if number % 2 else reversed(backlogs):
            backlog.measure()
    print(json.dumps([{"claim": backlog.claims, "change": backlog.changes} for backlog in backlogs]))
    for backlog in backlogs:
        backlog.close()


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
