"""The ledger of slots: reserve, hold, release. Nothing else counts capacity."""

from collections import Counter
from typing import NamedTuple

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Job


class Holder(NamedTuple):
    """Who holds a slot, and since when (microseconds since the epoch)."""

    job_id: str
    attempt: int
    kind: str
    queue: str
    since: int
    zombie: bool


class QueueSlots(NamedTuple):
    """One queue's part of the ledger; `limit` None where it has none."""

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

    def held(self, queue: str) -> int:
        """Slots held by jobs of `queue`, zombies included."""
        return self._by_queue[queue]

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

    def view(self, revision: int, limits: dict[str, int | None]) -> LedgerView:
        """The whole ledger; `limits` are the queues that have one."""
        held = len(self._holders)
        size = max(self._limit, held)
        names = sorted({name for name, limit in limits.items() if limit is not None} | set(+self._by_queue))
        zombies = Counter(holder.queue for holder in self._holders.values() if holder.zombie)
        return LedgerView(
            revision=revision,
            limit=self._limit,
            size=size,
            free=size - held,
            running=held - self._zombies,
            zombie=self._zombies,
            holders=tuple(sorted(self._holders.values(), key=lambda holder: (holder.since, holder.job_id))),
            queues=tuple(
                QueueSlots(name, limits.get(name), self._by_queue[name] - zombies[name], zombies[name])
                for name in names
            ),
        )

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
