"""Rules about what servers said of themselves."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from tests.faults.checker.log import Log
from tests.faults.checker.records import LedgerCopy, PoolCopy, Servers
from tests.faults.checker.states import RUNNING
from tests.faults.checker.verdicts import Verdicts


class Reports:
    """What ListSlots and ListServers answered."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._ledgers: list[LedgerCopy] = []
        self.pools: dict[str, int] = {}
        """The most slots that each server ever told of."""

    def ledger(self, ledger: LedgerCopy) -> None:
        """A server told who holds its slots."""
        self._ledgers.append(ledger)
        own = sum(pool.slots for pool in ledger.pools if not pool.worker)
        self._pool(ledger.server, max(ledger.limit, own))

    def servers(self, record: Servers) -> None:
        """A server told of all."""
        ids = [one.id for one in record.servers]
        if len(ids) != len({*ids}):
            self._verdicts.add("servers", f"one server is named twice: {' '.join(ids)}")
        if sum(one.local for one in record.servers) != 1:
            self._verdicts.add("servers", f"not one is the one that answers: {' '.join(ids)}")
        for one in record.servers:
            self._pool(one.id, one.slots)

    def check(self, log: Log, ran: Mapping[str, tuple[Sequence[int], Sequence[int]]]) -> None:
        """The ledgers against the log; `ran` has by server from which revisions on how many of its jobs ran."""
        for ledger in self._ledgers:
            who = f"server {ledger.server} at revision {ledger.revision}"
            self._check_sums(ledger, who)
            if ledger.revision > log.revision:
                self._verdicts.add("lost", f"{who} told of a revision that is not in the log")
                continue
            running = [one for one in ledger.holders if not one.zombie]
            for one in running:
                there = log.at(one.job, ledger.revision)
                if not there or log.states[there] != RUNNING:
                    self._verdicts.add("ledger", f"{who}: {one.job} holds a slot and does not run")
            revisions, counts = ran.get(ledger.server, ((), ()))
            place = bisect_right(revisions, ledger.revision)
            count = counts[place - 1] if place else 0
            own = sum(not one.worker for one in running)
            if count != own:
                self._verdicts.add("ledger", f"{who}: {own} run, {count} by the log")

    def _check_sums(self, ledger: LedgerCopy, who: str) -> None:
        every: tuple[LedgerCopy | PoolCopy, ...] = (ledger, *ledger.pools)
        for one in every:
            if one.free + one.running + one.zombie != one.slots:
                sums = f"{one.free} free, {one.running} running, {one.zombie} zombie"
                self._verdicts.add("ledger", f"{who}: {sums} are not {one.slots}")
        if sum(pool.slots for pool in ledger.pools) != ledger.slots:
            self._verdicts.add("ledger", f"{who}: its pools have not {ledger.slots} slots together")
        for pool in ledger.pools:
            held = [one.zombie for one in ledger.holders if one.worker == pool.worker]
            if (held.count(False), held.count(True)) != (pool.running, pool.zombie):
                of = f"pool {pool.worker or 'of its own'}"
                self._verdicts.add("ledger", f"{who}: {len(held)} holders are not those that were counted in {of}")
        if {one.worker for one in ledger.holders} - {pool.worker for pool in ledger.pools}:
            self._verdicts.add("ledger", f"{who}: a slot is held of a pool that is not there")

    def _pool(self, server: str, slots: int) -> None:
        self.pools[server] = max(slots, self.pools.get(server, 0))
