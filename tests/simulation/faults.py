"""What goes wrong, and when. Everything is put right in the end, but for servers that were killed and stay away."""

from collections.abc import Callable
from typing import Protocol

from slotd_server.domain.job import SECOND
from tests.simulation.plan import TROUBLE, Plan
from tests.simulation.scheduler import Scheduler
from tests.simulation.server import Server
from tests.simulation.store import Database, Fault


class Stage(Protocol):
    """Where it happens."""

    scheduler: Scheduler
    database: Database
    servers: list[Server]

    def boot(self, name: str) -> None: ...

    def lose_answers(self, share: float) -> None: ...


class Saboteur:
    """Makes those faults happen that the plan has. `outages` are the times at which nobody could renew a lease; it is
    `over` once all is put right for good."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.outages: list[tuple[int, int]] = []
        self._mended: dict[Server, int] = {}
        self._stage = stage
        self._scheduler = stage.scheduler
        self._random = stage.scheduler.random
        self.actor = stage.scheduler.actor("saboteur")
        self._faults = plan.faults
        self.over = False
        self._full = False
        self._share = self._random.choice((0.02, 0.1, 0.3))
        if "commit" in self._faults or "full" in self._faults:
            stage.database.fault = self._draw_fault
        if "news" in self._faults:
            stage.database.delay = self._draw_delay
        if "answers" in self._faults:
            stage.lose_answers(0.2)

    @property
    def troubled(self) -> bool:
        """Whether something is wrong with the database, or may be at any time."""
        return self._stage.database.away or (not self.over and ("commit" in self._faults or "full" in self._faults))

    def mended(self, server: Server) -> int:
        """When the last fault ended that this server, or the database, had."""
        last_outage = self.outages[-1][1] if self.outages else 0
        return max(self._mended.get(server, 0), last_outage)

    async def run(self) -> None:
        """Until everything is put right."""
        acts = [(name, act) for name, act in self._acts() if name in self._faults]
        while acts and self._scheduler.now < TROUBLE:
            await self.actor.sleep(self._random.random() * 1.5)
            name, act = self._random.choice(acts)
            self._scheduler.note("fault", name)
            act()
        await self.actor.sleep(max(TROUBLE - self._scheduler.now, 0) / SECOND)
        self._put_right()

    def _acts(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return (
            ("away", self._take_away),
            ("full", self._fill),
            ("pause", self._pause),
            ("kill", self._kill),
            ("drain", self._drain),
            ("clock", self._set_clock),
            ("unheard", self._unhear),
            ("cut", self._cut),
        )

    def _put_right(self) -> None:
        self._scheduler.note("all is put right")
        self.over = True
        database = self._stage.database
        database.fault = lambda: None
        database.delay = lambda: 0
        self._stage.lose_answers(0)
        self._come_back()
        for server in self._stage.servers:
            self._mend(server)
        if not self._living():
            self._stage.boot("server of last resort")

    def _mend(self, server: Server) -> None:
        server.resume()
        server.store.cut = server.store.unheard = False
        self._mended[server] = self._scheduler.now

    def _living(self) -> list[Server]:
        return [server for server in self._stage.servers if server.alive]

    def _some_server(self) -> Server | None:
        living = self._living()
        return self._random.choice(living) if living else None

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        """After up to so many seconds, unless all was put right before."""
        self.actor.call_later(self._random.random() * seconds, lambda: None if self.over else act())

    def _draw_fault(self) -> Fault | None:
        if self._full:
            return Fault.FULL
        if "commit" not in self._faults or self._random.random() >= self._share:
            return None
        return self._random.choice((Fault.NEVER_ARRIVED, Fault.ANSWER_LOST, Fault.ANSWER_LOST))

    def _draw_delay(self) -> int | None:
        if self._random.random() < 0.3:
            return None
        return round(self._random.random() * SECOND)

    def _take_away(self) -> None:
        database = self._stage.database
        if not database.away:
            database.away = True
            self.outages.append((self._scheduler.now, 1 << 62))
            self._later(5, self._come_back)

    def _come_back(self) -> None:
        if self._stage.database.away:
            self._stage.database.away = False
            since, _ = self.outages.pop()
            self.outages.append((since, self._scheduler.now))

    def _fill(self) -> None:
        self._full = True
        self._later(2, self._make_room)

    def _make_room(self) -> None:
        self._full = False

    def _pause(self) -> None:
        server = self._some_server()
        if server is not None and not server.paused:
            server.pause()
            self._later(6, lambda: self._mend(server))

    def _kill(self) -> None:
        server = self._some_server()
        if server is not None:
            server.kill()
            if self._random.random() < 0.8:
                self._later(4, lambda: self._stage.boot(f"{server.name}'"))

    def _drain(self) -> None:
        server = self._some_server()
        if server is not None and not server.dispatcher.draining:
            server.drain(self._random.random(), lambda: self._stage.boot(f"{server.name}'"))

    def _set_clock(self) -> None:
        server = self._some_server()
        if server is not None:
            server.clock.skew = round((self._random.random() - 0.5) * 1_000 * SECOND)

    def _unhear(self) -> None:
        server = self._some_server()
        if server is not None:
            server.store.unheard = True
            self._later(5, lambda: self._mend(server))

    def _cut(self) -> None:
        server = self._some_server()
        if server is not None:
            server.store.cut = True
            self._later(5, lambda: self._mend(server))
