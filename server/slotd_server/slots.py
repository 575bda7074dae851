"""The ledger of slots: reserve, hold, release. Nothing else counts capacity."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Held

_NONE = Held()
_NO_ZOMBIES: Counter[str] = Counter()
_NOWHERE: Mapping[str, Held] = MappingProxyType({})


class Holder(NamedTuple):
    """Who holds a slot, and since when (microseconds since the epoch)."""

    job_id: str
    attempt: int
    kind: str
    queue: str
    since: int
    zombie: bool


class QueueSlots(NamedTuple):
    """What one queue holds on all servers; `limit` None where it has none."""

    queue: str
    limit: int | None
    running: int
    zombie: int


class LedgerView(NamedTuple):
    """The ledger at one revision. `size` is the limit, or what is held where that is more, so that
    free + running + zombie = size also while a pool that was made smaller lets its surplus finish."""

    revision: int
    limit: int
    size: int
    free: int
    running: int
    zombie: int
    holders: tuple[Holder, ...]
    queues: tuple[QueueSlots, ...]


class Ledger:
    """This server's slots, by lease. Not safe for threads: it is used in the lifecycle's critical section alone.

    Changes count from the moment they are made; `rollback` takes back those since the last `commit`, so that a
    transaction that fails leaves the ledger as the store has it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._holders: dict[Lease, Holder] = {}
        self._by_queue: Counter[str] = Counter()
        self._zombies = 0
        # What each slot was, and the limit, before the changes since the last commit.
        self._undo: list[tuple[Lease, Holder | None]] = []
        self._committed_limit = limit

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def free(self) -> int:
        """Slots that a job could have now; 0 while more are held than the limit allows."""
        return max(self._limit - len(self._holders), 0)

    @property
    def leases(self) -> frozenset[Lease]:
        """By which slots are held, zombies included."""
        return frozenset(self._holders)

    @property
    def zombies(self) -> int:
        return self._zombies

    def is_zombie(self, lease: Lease) -> bool:
        return self._holders[lease].zombie

    def held(self, queue: str) -> int:
        """Slots held by jobs of `queue`, zombies included."""
        return self._by_queue[queue]

    def touched(self) -> dict[str, Held]:
        """The slots of each queue whose holders have changed since the last `commit`."""
        queues = {holder.queue for _, holder in self._undo if holder is not None}
        queues |= {self._holders[lease].queue for lease, _ in self._undo if lease in self._holders}
        return self._of(queues)

    def by_queue(self) -> dict[str, Held]:
        """The slots that each queue holds, if any."""
        return self._of(set(+self._by_queue))

    def _of(self, queues: Iterable[str]) -> dict[str, Held]:
        zombies = self._zombies_by_queue() if self._zombies else _NO_ZOMBIES
        return {queue: Held(self._by_queue[queue] - zombies[queue], zombies[queue]) for queue in queues}

    def resize(self, limit: int) -> None:
        self._limit = limit

    def reserve(self, lease: Lease, job: Job) -> None:
        """Give a free slot to `job`. The caller has asked `free`; there is no other way to a slot."""
        assert len(self._holders) < self._limit
        assert lease not in self._holders
        self._set(lease, Holder(job.id, job.attempt, job.spec.kind, job.spec.queue, job.start_time or 0, False))

    def release(self, lease: Lease) -> bool:
        """Free the slot of `lease`; False where it holds none, so that a second release does nothing."""
        if lease not in self._holders:
            return False
        self._set(lease, None)
        return True

    def turn_zombie(self, lease: Lease) -> None:
        """The attempt is over, its function is not: the slot stays held."""
        self._set(lease, self._holders[lease]._replace(zombie=True))

    def commit(self) -> None:
        self._undo.clear()
        self._committed_limit = self._limit

    def rollback(self) -> None:
        while self._undo:
            self._put(*self._undo.pop())
        self._limit = self._committed_limit

    def view(
        self, revision: int, limits: Mapping[str, int | None], elsewhere: Mapping[str, Held] = _NOWHERE
    ) -> LedgerView:
        """The whole ledger; `limits` are the queues that have one, `elsewhere` what queues hold on other servers."""
        held = len(self._holders)
        size = max(self._limit, held)
        limited = {name for name, limit in limits.items() if limit is not None}
        zombies = self._zombies_by_queue()
        return LedgerView(
            revision=revision,
            limit=self._limit,
            size=size,
            free=size - held,
            running=held - self._zombies,
            zombie=self._zombies,
            holders=tuple(sorted(self._holders.values(), key=lambda holder: (holder.since, holder.job_id))),
            queues=tuple(
                QueueSlots(
                    name,
                    limits.get(name),
                    self._by_queue[name] - zombies[name] + elsewhere.get(name, _NONE).running,
                    zombies[name] + elsewhere.get(name, _NONE).zombie,
                )
                for name in sorted(limited | elsewhere.keys() | set(+self._by_queue))
            ),
        )

    def _zombies_by_queue(self) -> Counter[str]:
        return Counter(holder.queue for holder in self._holders.values() if holder.zombie)

    def _set(self, lease: Lease, holder: Holder | None) -> None:
        self._undo.append((lease, self._holders.get(lease)))
        self._put(lease, holder)

    def _put(self, lease: Lease, holder: Holder | None) -> None:
        before = self._holders.pop(lease, None)
        if before is not None:
            self._by_queue[before.queue] -= 1
            self._zombies -= before.zombie
        if holder is not None:
            self._holders[lease] = holder
            self._by_queue[holder.queue] += 1
            self._zombies += holder.zombie
