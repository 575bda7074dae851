"""What a server tells of itself: to the others on its store, and to callers who ask what kinds there are."""

from collections.abc import Callable, Iterator, Mapping

import slotd
from slotd_server.domain.queue import Defaults
from slotd_server.domain.server import Status
from slotd_server.domain.worker import WorkerStatus
from slotd_server.slots import Ledger, PoolSlots


def _nothing() -> None:
    """Nobody else is there to tell."""


class Known(Mapping[str, Defaults]):
    """The kinds that somebody runs: this server, one of its workers, or, in `elsewhere`, another server."""

    def __init__(self, ledger: Ledger, elsewhere: Mapping[str, Defaults]) -> None:
        self._ledger = ledger
        self._elsewhere = elsewhere

    def __getitem__(self, kind: str) -> Defaults:
        return self._ledger.kinds[kind] if kind in self._ledger.kinds else self._elsewhere[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._ledger.kinds or kind in self._elsewhere

    def __iter__(self) -> Iterator[str]:
        return iter({**self._elsewhere, **self._ledger.kinds})

    def __len__(self) -> int:
        return len(self._elsewhere.keys() | self._ledger.kinds.keys())


class Presence:
    """What this server tells of itself; `changed` is called when others should know at once."""

    def __init__(self, name: str, ledger: Ledger) -> None:
        self.address = ""
        self.changed: Callable[[], None] = _nothing
        self._draining = False
        self._name = name
        self._ledger = ledger

    def drain(self) -> None:
        """It starts nothing any more."""
        self._draining = True
        self.changed()

    def status(self) -> Status:
        """As it is now. From any thread: of the slots, a rough count."""
        pools = self._ledger.pool_slots()
        return Status(
            self._name,
            self.address,
            slotd.__version__,
            sum(part.size for part in pools),
            sum(part.running for part in pools),
            sum(part.zombie for part in pools),
            self._draining,
            dict(sorted(self._ledger.kinds.items())),
            tuple([_worker_status(part) for part in pools if part.pool.worker is not None]),
        )


def _worker_status(part: PoolSlots) -> WorkerStatus:
    pool = part.pool
    assert pool.worker is not None
    return WorkerStatus(
        pool.worker, tuple(sorted(pool.kinds)), part.size, part.running, part.zombie, pool.draining, pool.connected
    )
