"""One run: some servers, callers and subscribers on one database, faults for a while, then none, and all must end well.

Everything follows from the seed: who is there, what they do, what fails, and who goes on at each step.
"""

import hashlib
from functools import cache
from typing import NamedTuple, Protocol

from structlog.testing import capture_logs

from slotd_server.domain.commands import Lease
from slotd_server.domain.errors import ServiceError
from slotd_server.domain.job import SECOND, Job
from tests.simulation import plan
from tests.simulation.clients import Client, Operator
from tests.simulation.faults import Saboteur
from tests.simulation.inspector import Inspector
from tests.simulation.runner import Signature
from tests.simulation.scheduler import Actor, Scheduler
from tests.simulation.server import Server
from tests.simulation.store import Database
from tests.simulation.subscribers import Subscriber
from tests.simulation.witness import Violation, Witness

_CALM = 60 * SECOND
"""How long after all was put right it may take until everything has ended, in virtual time."""

_AGAIN = 0.3
"""Seconds until a server is started again that could not begin."""


class Result(NamedTuple):
    """What a run came to. Two runs of one seed have the same digest."""

    digest: str
    steps: int
    events: int


class Failure(NamedTuple):
    """Something did not hold."""

    error: BaseException

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


@cache
def _database() -> Database:
    return Database()


class Part(Protocol):
    """Somebody who does something for the whole of a run."""

    actor: Actor

    async def run(self) -> None: ...


class World:
    """All that there is in one run."""

    def __init__(self, seed: int) -> None:
        self.scheduler = Scheduler(seed)
        self.plan = plan.draw(self.scheduler.random)
        self.scheduler.note("plan", *self.plan)
        self.database = _database()
        self.witness = Witness(self._limit, self._lost, self.scheduler.note)
        self.database.begin_anew(self.scheduler, self.witness.saw)
        self.servers: list[Server] = []
        self._starter = self.scheduler.actor("starter")
        for number in range(self.plan.servers):
            self.boot(f"server {number}")
        self.operator = Operator(self.scheduler, self.plan, self.living)
        self.clients = [
            Client(self.scheduler, f"client {number}", self.plan, self.witness, self.living)
            for number in range(self.plan.clients)
        ]
        self.subscribers = [
            Subscriber(self.scheduler, "subscriber to all", self.witness, self.living, some=False),
            Subscriber(self.scheduler, "subscriber to some", self.witness, self.living, some=True),
        ]
        self.saboteur = Saboteur(self, self.plan)
        self.inspector = Inspector(self)

    def run(self) -> Result:
        """Raises AssertionError where something does not hold."""
        parts: tuple[Part, ...] = (self.operator, *self.clients, *self.subscribers, self.saboteur, self.inspector)
        for part in parts:
            part.actor.spawn(part.run())
        self.scheduler.run(plan.TROUBLE + _CALM, self._over)
        assert self._over(), f"something never ends: {self._unfinished()}"
        self.inspector.check_end()
        return Result(self.digest(), self.scheduler.steps, self.witness.revision)

    def digest(self) -> str:
        return hashlib.sha256(repr(self.scheduler.trace).encode()).hexdigest()

    def boot(self, name: str) -> None:
        """A server starts."""
        slots = self.scheduler.random.choice((1, 2, 3))
        try:
            slow = "slow functions" in self.plan.features
            self.servers.append(Server(name, slots, self.scheduler, self.database, self._began, slow=slow))
        except ServiceError:
            # It finds no database, or a full one. Whoever starts it tries again.
            self._starter.call_later(_AGAIN, self.boot, name)

    def lose_answers(self, share: float) -> None:
        """So many of what servers answer never arrives."""
        for client in self.clients:
            client.lossy = share

    def living(self) -> list[Server]:
        return [server for server in self.servers if server.alive]

    def _limit(self, owner: str) -> int:
        return next(server.ledger.limit for server in self.servers if server.store.owner == owner)

    def _lost(self, owner: str) -> None:
        self.inspector.check_lost(owner)

    def _began(self, job: Job) -> None:
        self.witness.began.add(Signature(job.owner, Lease(job.seq, job.fence)))

    def _over(self) -> bool:
        """Everybody has had all answers, every job has ended, every function returned, and all has been told."""
        return (
            self.saboteur.over
            and self.operator.done
            and all(client.done for client in self.clients)
            and all(job.state.terminal for job in self.witness.jobs.values())
            and not self.witness.lingering
            and all(one.cursor.revision == self.witness.revision for one in self.subscribers)
            and not any(server.ledger.leases for server in self.living())
        )

    def _unfinished(self) -> str:
        callers = [one.name for one in (self.operator, *self.clients) if not one.done]
        jobs = [f"{job.id} {job.state.name}" for job in self.witness.jobs.values() if not job.state.terminal]
        slots = [f"{server.name} {server.ledger.leases}" for server in self.living() if server.ledger.leases]
        behind = [f"{one.name} {one.cursor}" for one in self.subscribers]
        return f"{callers} {jobs} {slots} {behind} of {self.witness.revision}"


def simulate(world: World) -> Result | Failure:
    """One run."""
    try:
        # What servers say of outages is not for here.
        with capture_logs():
            return world.run()
    except (Exception, Violation) as error:  # noqa: BLE001 - whatever it is, it should not be
        return Failure(error)
    finally:
        world.scheduler.close()
