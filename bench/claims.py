"""How long a claim takes, measured inside the server's own code, without a wire.

`python -m bench.claims ROUNDS STORE …` prints, for each store, the samples in microseconds, as JSON. Each store holds
more jobs in the queue that is claimed from than the one before. They are measured in turn, a few claims at a time, so
that what else the machine does weighs on all of them.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.heart import KIND, QUEUE, Heart, lease_of
from slotd_server.domain import commands as ask
from slotd_server.domain.queue import Draft, Queue
from slotd_server.store.base import Wanted

PLAIN = Draft(KIND)
"""A job without ties."""

_CLAIMS = 10
"""How many of each kind are measured in a row on one store."""


class Samples(TypedDict):
    """Microseconds: of finding the next job, and of ending one and starting the next as one durable change."""

    claim: list[float]
    change: list[float]


class Backlog:
    """One store with its jobs, and one slot, which is always taken. Before each claim a job like `draft` is submitted,
    so that there is one even where none waited, and as many wait afterwards as before."""

    def __init__(self, path: str | Path, draft: Draft = PLAIN) -> None:
        self.samples = Samples(claim=[], change=[])
        self._heart = Heart(path, 1)
        self._submit = ask.Submit((draft,))
        # Every job that waits may be claimed from here on; the first one takes the slot.
        unpause = ask.UpdateQueue(Queue(QUEUE), frozenset({"paused"}))
        self._running = lease_of(self._heart.apply(unpause, self._submit))

    def measure(self) -> None:
        """Take some samples."""
        for _ in range(_CLAIMS):
            self._heart.apply(self._submit)
            self._look()
            self._change()

    def close(self) -> None:
        self._heart.close()

    def _look(self) -> None:
        """Find the job whose turn it is, and let it wait on."""
        began = time.perf_counter()
        tx = self._heart.store.begin()
        found = tx.claimable([Wanted(QUEUE, KIND, 1)]) if tx.queued() else []
        self.samples["claim"].append((time.perf_counter() - began) * 1e6)
        tx.rollback()
        assert len(found) == 1

    def _change(self) -> None:
        began = time.perf_counter()
        committed = self._heart.finish(self._running)
        self.samples["change"].append((time.perf_counter() - began) * 1e6)
        self._running = lease_of(committed)


def in_turn(backlogs: Sequence[Backlog], rounds: int) -> list[Samples]:
    """Measure all of them, round by round, and close them."""
    for backlog in backlogs:
        # The first ones fill the caches.
        backlog.measure()
        backlog.samples = Samples(claim=[], change=[])
    for number in range(rounds):
        # There and back, so that none is always the one that comes after the largest.
        for backlog in backlogs if number % 2 else reversed(backlogs):
            backlog.measure()
    for backlog in backlogs:
        backlog.close()
    return [backlog.samples for backlog in backlogs]


if __name__ == "__main__":
    print(json.dumps(in_turn([Backlog(path) for path in sys.argv[2:]], int(sys.argv[1]))))
