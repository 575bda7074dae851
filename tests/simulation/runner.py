"""Functions that run in virtual time: what each attempt does is drawn when it begins."""

from collections.abc import Callable
from typing import NamedTuple

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Job, Payload, Progress
from slotd_server.domain.outcome import Outcome, Succeeded
from slotd_server.execution.base import Reporting, Told
from slotd_server.slots import Ledger
from tests.simulation.scheduler import Actor, Scheduler
from tests.unit.driver import BROKEN, HOPELESS, snooze

_OUTCOMES: tuple[Outcome | None, ...] = (None,) * 12 + (BROKEN,) * 3 + (HOPELESS, snooze(0), snooze(0.5))
"""What a function comes to, as often as it stands here; None is success."""

_QUICK = (0, 0.02, 0.1, 0.4, 1.5)
_SLOW = (0.1, 1.5, 4)
"""Seconds that a function takes at most."""

ENDLESS = "endless"
"""The kind of those that run until they are stopped."""


class Signature(NamedTuple):
    """What an attempt signs all that it says with: nobody else may have said it."""

    owner: str
    lease: Lease

    @property
    def text(self) -> str:
        return f"{self.owner}/{self.lease.seq}/{self.lease.fence}"


class Function:
    """One call of a handler. It ends when its time comes, or shortly after it is stopped unless it is `deaf`."""

    def __init__(self, runner: "SimulatedRunner", job: Job) -> None:
        random = runner.scheduler.random
        self.job = job
        self.lease = Lease(job.seq, job.fence)
        self.signature = Signature(job.owner, self.lease).text
        self.stopped = False
        self.deaf = random.random() < (0.4 if runner.slow else 0.1)
        self.says: Told | None = None
        self.over = False
        self._runner = runner
        self._outcome = random.choice(_OUTCOMES)
        if job.spec.kind != ENDLESS:
            self._end_in(random.choice(_SLOW if runner.slow else _QUICK) * random.random())
        if random.random() < 0.2:
            runner.actor.call_later(random.random() * 0.2, self._tell)

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self._end_in((2.5 if self.deaf else 0.05) * self._runner.scheduler.random.random())

    def _end_in(self, seconds: float) -> None:
        self._runner.actor.call_later(seconds, self._end)

    def _tell(self) -> None:
        if not self.over:
            self.says = Told(Progress(1, 2, self.signature), b"." * 3)
            self._runner.reporting.told(self.lease)

    def _end(self) -> None:
        if self.over:
            return
        self.over = True
        outcome = self._outcome or Succeeded(Payload("text/plain", self.signature.encode()))
        del self._runner.active[self.lease]
        told = self.says or Told(None, b"")
        self._runner.reporting.finished(Finish(self.lease, outcome, *told))


class SimulatedRunner:
    """Runs what it is given, at once. `active` are the functions that have not returned; where they are `slow`, many
    run on when they are stopped."""

    def __init__(
        self,
        scheduler: Scheduler,
        actor: Actor,
        reporting: Reporting,
        ledger: Ledger,
        began: Callable[[Job], None],
        *,
        slow: bool,
    ) -> None:
        self.scheduler = scheduler
        self.actor = actor
        self.reporting = reporting
        self.active: dict[Lease, Function] = {}
        self.slow = slow
        self._ledger = ledger
        self._began = began

    def start(self, job: Job) -> None:
        lease = Lease(job.seq, job.fence)
        assert lease not in self.active, "one attempt is started twice"
        self.active[lease] = Function(self, job)
        assert len(self.active) <= self._ledger.limit, "more run than there are slots"
        assert self.active.keys() <= self._ledger.leases, "a function runs without a slot"
        self._began(job)

    def stop(self, lease: Lease) -> None:
        function = self.active.get(lease)
        if function is not None:
            function.stop()

    def take(self, lease: Lease) -> Told:
        function = self.active.get(lease)
        if function is None or function.says is None:
            return Told(None, b"")
        told, function.says = function.says, None
        return told

    def close(self) -> None:
        """Functions end with their server."""
