"""The ledger of slots: reserve, hold, release. Nothing else counts capacity.

Slots are in pools: the server's own, and one for each worker that is connected to it. A job may run in every pool that
takes its kind.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Defaults, Held
from slotd_server.domain.worker import Standing, Worker, runs_on

_NONE = Held()
_NOWHERE: Mapping[str, Held] = MappingProxyType({})
_NO_KINDS: Mapping[str, Defaults] = MappingProxyType({})

HERE = ""
"""The server's own pool."""


class Pool(NamedTuple):
    """A place where jobs run, and what its handlers declare, by kind: a worker, or the server itself where `worker` is
    None. Nothing starts in one that is not connected, or draining. `line` is the number of the worker's connection."""

    worker: Worker | None
    kinds: Mapping[str, Defaults]
    limit: int
    connected: bool = True
    draining: bool = False
    line: int = 0


class Holder(NamedTuple):
    """Who holds a slot, of the pool `pool`, and since when (microseconds since the epoch)."""

    job_id: str
    attempt: int
    kind: str
    queue: str
    since: int
    zombie: bool
    pool: str = HERE


class QueueSlots(NamedTuple):
    """What one queue holds on all servers; `limit` None where it has none."""

    queue: str
    limit: int | None
    running: int
    zombie: int


class PoolSlots(NamedTuple):
    """What one pool has. `size` is its limit, or what is held where that is more."""

    pool: Pool
    size: int
    free: int
    running: int
    zombie: int


class LedgerView(NamedTuple):
    """The ledger at one revision: all pools together, and each, the server's own first. `limit` is that of the server's
    own; `size` is each pool's limit, or what is held where that is more, so that free + running + zombie = size also
    while a pool that was made smaller lets its surplus finish."""

    revision: int
    limit: int
    size: int
    free: int
    running: int
    zombie: int
    holders: tuple[Holder, ...]
    queues: tuple[QueueSlots, ...]
    pools: tuple[PoolSlots, ...]


class Ledger:
    """This server's slots, by lease; `limit` and `kinds` are those of its own pool. Not safe for threads: it is used in
    the lifecycle's critical section alone, but for what says otherwise.

    Changes count from the moment they are made; `rollback` takes back those since the last `commit`, so that a
    transaction that fails leaves the ledger as the store has it.
    """

    def __init__(self, limit: int, kinds: Mapping[str, Defaults] = _NO_KINDS) -> None:
        self._holders: dict[Lease, Holder] = {}
        self._by_queue: Counter[str] = Counter()
        self._by_pool: Counter[str] = Counter()
        self._zombies: Counter[tuple[str, str]] = Counter()
        # What each slot was before the changes since the last commit.
        self._undo: list[tuple[Lease, Holder | None]] = []
        # Never changed in place: what was before the last commit is kept by keeping the mapping.
        self._put_pools({HERE: Pool(None, kinds, limit)})
        self._committed_pools = self._pools

    # Pools

    @property
    def limit(self) -> int:
        """Of the server's own pool."""
        return self._pools[HERE].limit

    @property
    def pools(self) -> Mapping[str, Pool]:
        """By the worker's id, the server's own first. From any thread."""
        return self._pools

    @property
    def kinds(self) -> Mapping[str, Defaults]:
        """The kinds that any pool takes, with what the handlers declare. From any thread."""
        return self._kinds

    def resize(self, limit: int) -> None:
        """Of the server's own pool."""
        self.put_pool(self._pools[HERE]._replace(limit=limit))

    def put_pool(self, pool: Pool) -> None:
        """Add a pool, or change one."""
        self._put_pools({**self._pools, _id(pool): pool})

    def drop_pool(self, worker: str) -> None:
        """The worker is gone. Nothing may be held any more."""
        assert not self._by_pool[worker]
        self._put_pools({key: pool for key, pool in self._pools.items() if key != worker})

    def _put_pools(self, pools: Mapping[str, Pool]) -> None:
        self._pools: Mapping[str, Pool] = pools
        takers: dict[str, list[str]] = {}
        kinds: dict[str, Defaults] = {}
        for key, pool in pools.items():
            for kind, defaults in pool.kinds.items():
                # Where several declare a kind, the first one's word holds: the server's own before any worker's.
                kinds.setdefault(kind, defaults)
                takers.setdefault(kind, []).append(key)
        self._kinds: Mapping[str, Defaults] = kinds
        # The most special first: those that take more kinds stay free for what only they can run.
        self._takers = {kind: sorted(keys, key=lambda key: len(pools[key].kinds)) for kind, keys in takers.items()}

    # Room

    @property
    def free(self) -> int:
        """Slots that a job could have now, in all pools together. From any thread: a hint."""
        return sum([self._room(key) for key in self._pools])

    def room(self, kind: str) -> int:
        """Slots that a job of this kind could have now."""
        takers = self._takers.get(kind, ())
        if len(takers) == 1:
            return self._room(takers[0])
        return sum([self._room(key) for key in takers])

    def choose(self, kind: str) -> str:
        """The pool for a job of this kind, for which there is room: of those that take the fewest kinds the one with
        the most room."""
        takers = self._takers[kind]
        if len(takers) == 1:
            assert self._room(takers[0])
            return takers[0]
        best, most = HERE, 0
        fewest = 0
        for key in takers:
            room = self._room(key)
            number = len(self._pools[key].kinds)
            if most and number > fewest:
                break
            if room > most:
                best, most, fewest = key, room, number
        assert most
        return best

    def _room(self, key: str) -> int:
        """0 while more are held than the limit allows."""
        pool = self._pools.get(key)
        if pool is None:
            # The writer has dropped it since another thread began to ask for `free`.
            return 0
        room = pool.limit - self._by_pool[key]
        return room if room > 0 and pool.connected and not pool.draining else 0

    # Slots

    @property
    def leases(self) -> frozenset[Lease]:
        """By which slots are held, zombies included."""
        return frozenset(self._holders)

    def leases_in(self, worker: str) -> list[Lease]:
        """By which slots of the worker are held, zombies included."""
        return [lease for lease, holder in self._holders.items() if holder.pool == worker]

    def standing(self, lease: Lease) -> Standing:
        """From any thread: as it is, or was, or is about to be."""
        holder = self._holders.get(lease)
        if holder is None:
            return Standing.NONE
        return Standing.ZOMBIE if holder.zombie else Standing.RUNNING

    def pool_of(self, lease: Lease) -> str:
        return self._holders[lease].pool

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
        zombies = self._zombies_by_queue()
        return {queue: Held(self._by_queue[queue] - zombies[queue], zombies[queue]) for queue in queues}

    def reserve(self, lease: Lease, job: Job) -> None:
        """Give a free slot of the pool that `job` names to it. The caller has asked `choose`; there is no other way to
        a slot of one's own."""
        assert lease not in self._holders
        assert self._room(runs_on(job))
        self._hold(lease, job, zombie=False)

    def take_over(self, lease: Lease, job: Job) -> None:
        """A worker's slot that was reserved by another server, or by this one once: its function runs already."""
        worker = runs_on(job)
        if worker not in self._pools:
            # It has not said yet what it is.
            self.put_pool(Pool(Worker(worker), _NO_KINDS, 0, connected=False))
        self._hold(lease, job, zombie=job.lingering)

    def _hold(self, lease: Lease, job: Job, *, zombie: bool) -> None:
        attempt, spec = job.attempts[-1], job.spec
        self._set(
            lease, Holder(job.id, attempt.number, spec.kind, spec.queue, attempt.start_time, zombie, attempt.worker)
        )

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
        self._committed_pools = self._pools

    def rollback(self) -> None:
        while self._undo:
            self._put(*self._undo.pop())
        if self._pools is not self._committed_pools:
            self._put_pools(self._committed_pools)

    def view(
        self, revision: int, limits: Mapping[str, int | None], elsewhere: Mapping[str, Held] = _NOWHERE
    ) -> LedgerView:
        """The whole ledger; `limits` are the queues that have one, `elsewhere` what queues hold on other servers."""
        limited = {name for name, limit in limits.items() if limit is not None}
        here = self._of(self._by_queue)
        pools = self.pool_slots()
        return LedgerView(
            revision=revision,
            limit=self.limit,
            size=sum(pool.size for pool in pools),
            free=sum(pool.free for pool in pools),
            running=sum(pool.running for pool in pools),
            zombie=sum(pool.zombie for pool in pools),
            holders=tuple(sorted(self._holders.values(), key=lambda holder: (holder.since, holder.job_id))),
            queues=tuple(
                QueueSlots(
                    name,
                    limits.get(name),
                    here.get(name, _NONE).running + elsewhere.get(name, _NONE).running,
                    here.get(name, _NONE).zombie + elsewhere.get(name, _NONE).zombie,
                )
                for name in sorted(limited | elsewhere.keys() | set(+self._by_queue))
            ),
            pools=pools,
        )

    def pool_slots(self) -> tuple[PoolSlots, ...]:
        """What each pool has. From any thread: rough counts."""
        zombies: Counter[str] = Counter()
        for (key, _), number in list(self._zombies.items()):
            zombies[key] += number
        return tuple([self._pool_slots(key, pool, zombies[key]) for key, pool in self._pools.items()])

    def _pool_slots(self, key: str, pool: Pool, zombie: int) -> PoolSlots:
        held = self._by_pool[key]
        # What a worker does not offer now is not there: it is neither free nor held.
        size = max(pool.limit, held) if pool.connected and not pool.draining else held
        return PoolSlots(pool, size, size - held, held - zombie, zombie)

    def _zombies_by_queue(self) -> Counter[str]:
        zombies: Counter[str] = Counter()
        for (_, queue), number in self._zombies.items():
            zombies[queue] += number
        return zombies

    def _set(self, lease: Lease, holder: Holder | None) -> None:
        self._undo.append((lease, self._put(lease, holder)))

    def _put(self, lease: Lease, holder: Holder | None) -> Holder | None:
        """→ who held it before."""
        before = self._holders.pop(lease, None)
        if before is not None:
            self._count(before, -1)
        if holder is not None:
            self._holders[lease] = holder
            self._count(holder, 1)
        return before

    def _count(self, holder: Holder, more: int) -> None:
        self._by_queue[holder.queue] += more
        self._by_pool[holder.pool] += more
        if holder.zombie:
            zombies = self._zombies[holder.pool, holder.queue] + more
            if zombies:
                self._zombies[holder.pool, holder.queue] = zombies
            else:
                del self._zombies[holder.pool, holder.queue]


def _id(pool: Pool) -> str:
    return HERE if pool.worker is None else pool.worker.id
