"""Looks around every now and then: what must not take long, what must be so at the end, whether a lease may be lost."""

from collections import Counter
from typing import Protocol

from slotd_server.domain.commands import Lease
from slotd_server.domain.events import EVERYTHING
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import State
from slotd_server.domain.ties import UNLINKED
from slotd_server.store.sqlite_read import SqliteSnapshot
from tests.simulation.faults import Saboteur
from tests.simulation.plan import TROUBLE, Plan
from tests.simulation.scheduler import Scheduler
from tests.simulation.server import LEASE, POLL, Server
from tests.simulation.store import Database
from tests.simulation.subscribers import Subscriber
from tests.simulation.witness import Witness

_EVERY = 0.1
"""Seconds between two looks."""

_PROMPT = SECOND // 5
"""What a notification makes happen, happens within this."""

_SETTLED = 3 * SECOND // 5
"""After so long a server that found its store away has asked again."""

_GIVEN_BACK = LEASE + 2 * SECOND
"""After so long the jobs of a server that vanished are no longer its own."""

_EMPTY = ("claims", "behind", "key_waits", "unsettled")
"""Tables of what jobs hold and wait for."""


class Stage(Protocol):
    """What there is to look at."""

    scheduler: Scheduler
    plan: Plan
    database: Database
    witness: Witness
    servers: list[Server]
    subscribers: list[Subscriber]
    saboteur: Saboteur


class Inspector:
    """What is only promised while nothing is wrong, is asked of those alone that have been `well` for long enough."""

    def __init__(self, stage: Stage) -> None:
        self.actor = stage.scheduler.actor("inspector")
        self._stage = stage
        self._well_since: dict[str, int] = {}
        self._since: dict[tuple[str, ...], int] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.actor.sleep(_EVERY)
            self._see_who_is_well()
            late = [*self._not_given_back(), *self._not_started(), *self._not_stopped(), *self._not_told()]
            self._since = {what: self._since.get(what, self._now) for what in late}
            for what, since in self._since.items():
                limit = 0 if what[0] == "not given back" else self._patience
                assert self._now - since <= limit, f"{what}, for {(self._now - since) / SECOND} s"

    def check_lost(self, owner: str) -> None:
        """A server's jobs are given back by another: it has been silent for a lease, not counting outages in which
        nobody could have heard of it. One that lies between two looks of the others is too short to matter."""
        server = self._server(owner)
        silent_since = server.store.renewed
        silence = self._now - silent_since
        for start, end in self._stage.saboteur.outages:
            if end - start > LEASE // 2:
                silence -= max(0, min(end, self._now) - max(start, silent_since))
        assert silence >= LEASE, f"{server.name} lost its lease after {silence / SECOND} s"

    def check_end(self) -> None:
        """Nothing is held any more, and the tables say what the events told."""
        database, witness = self._stage.database, self._stage.witness
        for table in _EMPTY:
            ((rows,),) = database.connection.execute(f"SELECT COUNT(*) FROM {table}")
            assert not rows, f"something is left in {table}"
        assert not database.connection.execute("SELECT * FROM keys WHERE active <> 0").fetchall()
        for owner, queue, running, zombie in database.connection.execute("SELECT * FROM held").fetchall():
            alive = any(server.store.owner == owner for server in self._stage.servers if server.alive)
            assert not alive or running == zombie == 0, f"slots of {queue} are held by nobody"
        jobs = {job.seq: job for job in SqliteSnapshot(database.connection).jobs(EVERYTHING, 1_000_000)}
        assert _told(jobs) == _told(witness.jobs), "the jobs are not what their events told"
        self._check_counters()

    def _check_counters(self) -> None:
        counted: Counter[tuple[str, str, int]] = Counter()
        for job in self._stage.witness.jobs.values():
            counted[job.spec.queue, job.spec.kind, job.state - 1] += 1
        for queue, kind, *numbers in self._stage.database.connection.execute("SELECT * FROM counters").fetchall():
            for position in range(len(State)):
                assert numbers[position] == counted[queue, kind, position], "a counter is wrong"

    @property
    def _now(self) -> int:
        return self._stage.scheduler.now

    @property
    def _patience(self) -> int:
        """How long what has to come by itself may take."""
        saboteur = self._stage.saboteur
        # What was lost before all was put right is found by the next poll.
        lately = not saboteur.over or self._now - TROUBLE < 2 * POLL
        return POLL + _PROMPT if "news" in self._stage.plan.faults and lately else _PROMPT

    def _server(self, owner: str) -> Server:
        return next(server for server in self._stage.servers if server.store.owner == owner)

    def _see_who_is_well(self) -> None:
        database_is_well = not self._stage.saboteur.troubled
        for server in self._stage.servers:
            cut_off = server.store.cut or server.store.unheard or server.dispatcher.repulsed
            well = database_is_well and server.alive and not (server.paused or cut_off)
            self._well_since[server.store.owner] = (
                min(self._well_since.get(server.store.owner, self._now), self._now) if well else 1 << 62
            )

    def _well(self, micros: int) -> list[Server]:
        """Those that have been well for so long."""
        # A fault may have come and gone between two looks.
        return [
            server
            for server in self._stage.servers
            if self._now - max(self._well_since[server.store.owner], self._stage.saboteur.mended(server)) >= micros
        ]

    def _not_given_back(self) -> list[tuple[str, ...]]:
        late: list[tuple[str, ...]] = []
        if self._well(_GIVEN_BACK):
            witness = self._stage.witness
            for owner in {*(job.owner for job in witness.running.values()), *witness.lingering.values()}:
                server = self._server(owner)
                if server.gone_since is not None and self._now - server.gone_since > _GIVEN_BACK:
                    late.append(("not given back", server.name))
        return late

    def _not_started(self) -> list[tuple[str, ...]]:
        free = [server for server in self._well(_SETTLED) if server.ledger.free and not server.dispatcher.draining]
        if not free:
            return []
        holders = self._held()
        return [
            ("not started", job.id)
            for job in self._stage.witness.jobs.values()
            if job.state is State.QUEUED and self._may_start(job, holders)
        ]

    def _held(self) -> Counter[str]:
        """How many slots of each queue are held: what the store knows of, functions of attempts that a server lost
        while it was away, and whatever a server held that has gone and may come back for all that others know."""
        functions = [one.job for server in self._stage.servers if server.alive for one in server.runner.active.values()]
        held = {(job.seq, job.fence): job.spec.queue for job in (*self._stage.witness.holders(), *functions)}
        counts = Counter(held.values())
        living = {server.store.owner for server in self._stage.servers if server.alive}
        for owner, queue, running, zombie in self._stage.database.connection.execute("SELECT * FROM held"):
            if owner not in living:
                counts[queue] += running + zombie
        return counts

    def _may_start(self, job: Job, holders: Counter[str]) -> bool:
        queue = self._stage.witness.queues.get(job.spec.queue) or Queue(job.spec.queue)
        room = queue.slots is None or holders[queue.name] < queue.slots
        return room and not queue.paused and queue.rate is None

    def _not_stopped(self) -> list[tuple[str, ...]]:
        well = {server.store.owner: server for server in self._well(_SETTLED)}
        late: list[tuple[str, ...]] = []
        for job in self._stage.witness.running.values():
            if job.cancel_requested and job.owner in well:
                function = well[job.owner].runner.active.get(Lease(job.seq, job.fence))
                if function is not None and not function.stopped:
                    late.append(("not stopped", job.id))
        return late

    def _not_told(self) -> list[tuple[str, ...]]:
        well = self._well(_SETTLED)
        return [
            ("not told", one.name, str(one.cursor.revision))
            for one in self._stage.subscribers
            if one.server in well and one.is_behind()
        ]


def _told(jobs: dict[int, Job]) -> dict[int, Job]:
    """What events tell of jobs; the rest may change without one."""
    return {seq: job.evolve(links=UNLINKED, due_time=None, owner="", lingering=False) for seq, job in jobs.items()}
