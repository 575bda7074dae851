"""One server: the service's own parts, put together as `app.py` does it, on actors instead of threads."""

from asyncio import _set_running_loop
from collections.abc import Callable, Mapping, Sequence

from slotd_server.change import Limits, Rules
from slotd_server.dispatch import Pacing
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import SharedClock
from slotd_server.domain.errors import CursorExpired
from slotd_server.domain.events import Event
from slotd_server.domain.ids import IdSource
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import NOTHING, Defaults
from slotd_server.domain.server import Member, News, Status
from slotd_server.events import EventLog
from slotd_server.execution.base import Reporting
from slotd_server.lifecycle import Lifecycle
from slotd_server.slots import Ledger
from tests.simulation.keeper import SimulatedKeeper
from tests.simulation.runner import ENDLESS, SimulatedRunner
from tests.simulation.scheduler import Scheduler, SimulatedClock
from tests.simulation.store import Database, SimulatedStore
from tests.simulation.writer import Writer
from tests.unit.scripted import alone

KINDS: Mapping[str, Defaults] = {"work": NOTHING, ENDLESS: NOTHING}

LEASE = 2 * SECOND
"""How long others wait for a sign of life,"""

POLL = SECOND
"""and how often servers look for what they were not told of."""

_REMEMBERED = 8
"""Events that a server has in memory: often fewer than a subscriber asks for."""

_LIMITS = Limits(retention=None)

_PACING = Pacing(cancel_grace=SECOND, report_interval=SECOND // 20)


class Server:
    """A process from its start to its end. `store` is its connection to the database; `began` hears of each function
    that begins."""

    def __init__(
        self,
        name: str,
        slots: int,
        scheduler: Scheduler,
        database: Database,
        began: Callable[[Job], None],
        *,
        slow: bool,
    ) -> None:
        self.name = name
        self.alive = True
        self.paused = False
        self.gone_since: int | None = None
        self.clock = SimulatedClock(scheduler)
        clock = SharedClock(self.clock)
        self.loop = scheduler.actor(f"{name} loop")
        self._scheduler = scheduler
        self._writer = scheduler.actor(f"{name} writer")
        self._keeper = scheduler.actor(f"{name} keeper")
        self._functions = scheduler.actor(f"{name} functions")
        self.actors = (self.loop, self._writer, self._keeper, self._functions)
        random = scheduler.random
        self.ledger = Ledger(slots, KINDS)
        self.store = SimulatedStore(database, f"{random.getrandbits(64):016x}", clock, self._status, LEASE)
        rules = Rules(self.store.owner, _LIMITS, IdSource(random.getrandbits), random.random)
        lifecycle = Lifecycle(self.store, self.ledger, rules, clock)
        while lifecycle.apply([ask.Recover()], claim=False).answers[0]:
            pass
        with self.store.snapshot() as snapshot:
            self.events = EventLog(snapshot.revision, self._read, keep=_REMEMBERED)
        _set_running_loop(self.loop)
        self.dispatcher = Writer(
            self._writer,
            lifecycle,
            KINDS,
            clock,
            publish=self.events.publish,
            listened=self.events.listened,
            failed=self._failed,
            pacing=_PACING,
        )
        self.events.pull = self.dispatcher.deliver
        self.events.others = self.dispatcher.noticed
        keeper = SimulatedKeeper(
            self._keeper,
            self.store,
            clock,
            poll=POLL,
            status=self._status,
            met=_met,
            heard=self._heard,
            gone=self.dispatcher.gone,
        )
        self.store.noticed = keeper.notice
        reporting = Reporting(self.dispatcher.finished, self.dispatcher.told)
        self.runner = SimulatedRunner(scheduler, self._functions, reporting, self.ledger, began, slow=slow)
        self.dispatcher.start(alone(self.runner))
        keeper.start()

    def _heard(self, news: News) -> None:
        self.dispatcher.heard(news)
        self.loop.call_soon_threadsafe(self.events.heard, news.revision)

    def _status(self) -> Status:
        (here,) = self.ledger.pool_slots()
        return Status(self.name, "", "", self.ledger.limit, here.running, here.zombie, False, dict(KINDS))

    async def _read(self, after: int, limit: int, job_ids: frozenset[str], whole: bool) -> list[Event]:
        with self.store.snapshot() as snapshot:
            if after < snapshot.horizon:
                raise CursorExpired
            return snapshot.events(after, limit, job_ids=job_ids, whole=whole)

    def pause(self) -> None:
        """SIGSTOP."""
        self.paused = True
        self.gone_since = self._scheduler.now
        self._scheduler.pause(*self.actors)

    def resume(self) -> None:
        """SIGCONT."""
        if not self.alive:
            return
        self.paused = False
        self.gone_since = None
        self._scheduler.resume(*self.actors)

    def kill(self) -> None:
        """SIGKILL."""
        self.alive = False
        if self.gone_since is None:
            self.gone_since = self._scheduler.now
        self._scheduler.kill(*self.actors)

    def drain(self, seconds: float, gone: Callable[[], None]) -> None:
        """SIGTERM: what runs may end within so many seconds, then the process does."""
        self.loop.spawn(self._drain(seconds, gone))

    async def _drain(self, seconds: float, gone: Callable[[], None]) -> None:
        await self.dispatcher.drain(seconds)
        self.events.end()
        self.store.close()
        self.kill()
        gone()

    def _failed(self, error: BaseException) -> None:
        raise error


def _met(_: Sequence[Member]) -> None:
    """All have the same handlers."""
