"""Subscribers that read on and on, from one server and then from another, and compare what they are told with what was
committed."""

from collections.abc import Callable
from typing import NamedTuple

from slotd_server.domain.errors import Draining, StoreUnavailable
from slotd_server.domain.events import Event
from slotd_server.store.sql_read import SqlSnapshot
from tests.simulation.scheduler import Actor, Scheduler
from tests.simulation.server import Server
from tests.simulation.witness import Witness

_PATIENCE = 0.7
"""Seconds of silence after which a stream is found to be still there, or not."""

_PAUSE = 0.2
"""Seconds between two tries to find a server."""


class Cursor(NamedTuple):
    """As `rpc.cursors` has it."""

    revision: int
    boot: str


class Subscriber:
    """Asks for all jobs, or for `some` of them, others with each stream. `cursor` is where it stands, `server` whose
    stream it reads."""

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        witness: Witness,
        servers: Callable[[], list[Server]],
        *,
        some: bool,
    ) -> None:
        self.actor: Actor = scheduler.actor(name)
        self.cursor = Cursor(0, "")
        self.server: Server | None = None
        self.name = name
        self._scheduler = scheduler
        self._witness = witness
        self._servers = servers
        self._chunk = scheduler.random.choice((1, 3, 100))
        self._some = some
        self._job_ids: frozenset[str] = frozenset()

    async def run(self) -> None:
        """For ever: where a stream breaks off, another goes on from its cursor."""
        while True:
            servers = self._servers()
            if servers:
                try:
                    await self._follow(self._scheduler.random.choice(servers))
                except (Draining, StoreUnavailable):
                    pass
                self.server = None
            await self.actor.sleep(_PAUSE)

    def is_behind(self) -> bool:
        """Whether something has been committed that it is to be told, and was not."""
        missing = self._witness.log[self.cursor.revision :]
        return any(not self._job_ids or event.job.id in self._job_ids for event in missing)

    async def _follow(self, server: Server) -> None:
        """One stream, as `rpc.stream` gives it."""
        with server.store.snapshot() as snapshot:
            self._resume(snapshot)
            target = snapshot.revision
        if self._some and self._witness.ids:
            ids = list(self._witness.ids)
            self._job_ids = frozenset(self._scheduler.random.choices(ids, k=3))
        self.server = server
        log = server.events
        while log.revision < target:
            if not await self._more(server, log.revision, frozenset()):
                return
        while True:
            batch = await log.read(self.cursor.revision, self._chunk, self._job_ids)
            self._check(list(batch.events), batch.upto)
            if not batch.events and not await self._more(server, self.cursor.revision, self._job_ids):
                return
            self.cursor = Cursor(max(self.cursor.revision, batch.upto), server.store.boot)
            if self._scheduler.random.random() < 0.03:
                return

    def _resume(self, snapshot: SqlSnapshot) -> None:
        revision, boot = self.cursor
        if boot:
            assert snapshot.reached(boot, revision), "a cursor is refused, though nothing was lost"

    async def _more(self, server: Server, after: int, job_ids: frozenset[str]) -> bool:
        """Until there may be more; False where the stream has broken off."""
        await server.events.wait(after, job_ids, _PATIENCE)
        # A server that is paused says nothing: a reader gives up at some time.
        return server.alive and (not server.paused or self._scheduler.random.random() < 0.5)

    def _check(self, events: list[Event], upto: int) -> None:
        after = self.cursor.revision
        assert upto <= self._witness.revision, "a cursor is handed out that is ahead of all events"
        expected = self._witness.log[after:upto]
        if self._job_ids:
            expected = [event for event in expected if event.job.id in self._job_ids]
        assert events == expected, f"{self.name} is told other events than were committed after {after}"
