"""The server's heart alone, without gRPC and handlers: a store, and a lifecycle that is called directly."""

import random
from pathlib import Path

from slotd_server.change import Limits, Rules
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import SystemClock
from slotd_server.domain.ids import IdSource
from slotd_server.domain.outcome import Succeeded
from slotd_server.domain.queue import Defaults
from slotd_server.lifecycle import Committed, Lifecycle
from slotd_server.slots import Ledger
from slotd_server.store.sqlite import SqliteStore

KIND = "noop"
"""The one kind that there is a handler for."""

QUEUE = "backlog"
"""Where its jobs wait, unless they say otherwise."""


class Heart:
    """A store and its lifecycle, with so many slots. Nothing runs what it starts: `finish` says that it has ended."""

    def __init__(self, path: str | Path, slots: int) -> None:
        self.store = SqliteStore(str(path))
        kinds = {KIND: Defaults(queue=QUEUE)}
        rules = Rules(self.store.owner, Limits(), IdSource(random.getrandbits), random.random)
        self._lifecycle = Lifecycle(self.store, Ledger(slots, kinds), rules, SystemClock())

    def apply(self, *commands: ask.Command) -> Committed:
        """One durable change."""
        return self._lifecycle.apply(commands)

    def finish(self, lease: ask.Lease) -> Committed:
        """End a job that runs, and start those that get its slot: one durable change."""
        return self.apply(ask.Finish(lease, Succeeded(None)))

    def close(self) -> None:
        self.store.close()


def lease_of(committed: Committed) -> ask.Lease:
    """The lease of the one job that was started."""
    (job,) = committed.started
    return ask.Lease(job.seq, job.fence)
