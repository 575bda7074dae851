"""Services and workers that are wrong, each in one way that a fault brings to light: they prove that the suite would
find it."""

import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from slotd.v1 import Assignment
from slotd.worker.session import Session
from slotd_server import lifecycle, reports, workers
from slotd_server.change import Change
from slotd_server.domain import commands as ask
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.domain.worker import Claimed
from slotd_server.execution.remote import RemoteRunner, Settled
from slotd_server.slots import HERE, Ledger
from slotd_server.store import sqlite
from slotd_server.store.shared import SharedMemory, SharedTransaction
from slotd_server.store.sql_write import SqlTransaction
from tests.faults.faulty_sqlite import FaultyConnection
from tests.faults.suite.stores import StoreKind


def become(name: str) -> None:
    """This process's service, or worker, is that mutant from now on.

    Raises KeyError where there is none of this name.
    """
    MUTANTS[name].change()


class Mutant(NamedTuple):
    """`fault`, so many `times` on such a store, finds it and says what `told` is a pattern of. `change` makes this
    process's service it."""

    fault: str
    kind: StoreKind
    times: int
    told: str
    change: Callable[[], None]


def _lazy_sync() -> None:
    """Commits are synced with the next checkpoint: a power cut takes those that were acknowledged since."""
    sqlite._SYNC = {False: "NORMAL", True: "OFF"}


def _deaf_to_errors() -> None:
    """A sync that fails is passed over: what was acknowledged may never have reached the disk."""
    execute = FaultyConnection.execute

    def deaf(self: FaultyConnection, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        try:
            return execute(self, sql, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_IOERR_FSYNC":
                raise
            return self.cursor()

    FaultyConnection.execute = deaf  # type: ignore[method-assign]


def _forgetful() -> None:
    """What a request_id has made is not kept: whoever asks once more gets another job."""
    SqlTransaction.remember = lambda self, request_id, request: None  # type: ignore[method-assign]


def _careless() -> None:
    """What a dead server ran is not given back."""

    def recover(change: Change, _: ask.Recover) -> int:
        return 0

    lifecycle._PERFORM[ask.Recover] = recover


def _generous() -> None:
    """A function that outlives its attempt gives its slot away."""
    Ledger.turn_zombie = Ledger.release  # type: ignore[assignment]


def _unfenced() -> None:
    """A server that others have taken for dead still ends the attempts that it had, whosever they are by now."""

    def held(self: SharedTransaction, lease: ask.Lease) -> Job | None:
        job = self.by_seq(lease.seq)
        return job if job is not None and job.state is State.RUNNING else None

    SharedTransaction.held = held  # type: ignore[method-assign]


def _trusting() -> None:
    """A commit of which nobody knows whether it went through is taken for one that did not."""
    SharedMemory.uncertain = property(lambda self: False, lambda self, value: None)  # type: ignore[assignment]


def _selfish() -> None:
    """Each server keeps the slots of a queue by its own count."""
    SharedTransaction.elsewhere = lambda self: {}  # type: ignore[method-assign]


def _credulous() -> None:
    """A worker that comes again has whatever it says that it has."""

    def kept(change: Change, worker: str, claimed: Claimed) -> Job | None:
        job = change.tx.job(claimed.job_id)
        return job if job is not None and job.state is State.RUNNING else None

    workers._kept = kept


def _gullible() -> None:
    """Any worker may say how an attempt ended."""
    finished = RemoteRunner.finished

    def anyone(self: RemoteRunner, worker: str, claimed: Claimed, *rest: Any) -> None:
        attempt = self._by_claim.get(claimed)
        finished(self, worker if attempt is None else attempt.worker, claimed, *rest)

    RemoteRunner.finished = anyone  # type: ignore[assignment, method-assign]


def _keeping() -> None:
    """A worker that comes again still has what it does not know of."""
    end = workers._end

    def stay(change: Change, lease: ask.Lease, why: Any, *, counted: bool) -> None:
        if why is not workers._NEVER_REACHED:
            end(change, lease, why, counted=counted)

    workers._end = stay


def _hasty() -> None:
    """A worker whose connection breaks is given up at once."""

    def dismiss(change: Change, command: ask.Detach) -> None:
        workers.dismiss(change, ask.Dismiss(command.worker, lost=True, line=command.line))

    lifecycle._PERFORM[ask.Detach] = dismiss


def _premature() -> None:
    """What a worker has done is settled before it is kept."""
    finished = RemoteRunner.finished

    def settle(self: RemoteRunner, worker: str, claimed: Claimed, *rest: Any) -> None:
        self._lines[worker].say(Settled(claimed))
        finished(self, worker, claimed, *rest)

    RemoteRunner.finished = settle  # type: ignore[assignment, method-assign]


def _overbooked() -> None:
    """A worker is thought to have one slot more than it offers."""
    room = Ledger._room

    def more(self: Ledger, key: str) -> int:
        return room(self, key) + (key != HERE and 0 < self._pools[key].limit == self._by_pool[key])

    Ledger._room = more  # type: ignore[method-assign]


def _forsaken() -> None:
    """What workers run for a server that dies is given back, as if it had run it itself."""
    reports.runs_on = lambda job: ""  # type: ignore[attr-defined]


def _stubborn() -> None:
    """A worker begins again what it has lost."""
    assigned, lose = Session._assigned, Session._lose
    known: dict[Any, Assignment] = {}

    def remember(self: Session, assignment: Assignment) -> None:
        known[assignment.lease.job_id, assignment.lease.fence] = assignment
        assigned(self, assignment)

    def again(self: Session, lease: Any) -> None:
        lose(self, lease)
        if lease in self._lost:
            self._functions.start(lease, known[tuple(lease)], self._limits)

    Session._assigned = remember  # type: ignore[method-assign]
    Session._lose = again  # type: ignore[method-assign]


MUTANTS = {
    "lazy-sync": Mutant("power", "sqlite", 4, "lost", _lazy_sync),
    "deaf-to-errors": Mutant("syncs", "sqlite", 2, "a sync failed, and", _deaf_to_errors),
    "forgetful": Mutant("submits", "sqlite", 100, "request: ", _forgetful),
    "careless": Mutant("kills", "sqlite", 2, "Deadline Exceeded", _careless),
    "generous": Mutant("hostile", "sqlite", 2, "run-slots: ", _generous),
    "unfenced": Mutant("pauses", "postgres", 16, "ledger: |run-", _unfenced),
    "trusting": Mutant("commits", "postgres", 10, "-slots: ", _trusting),
    "selfish": Mutant("rolling", "postgres", 4, "queue-slots: ", _selfish),
    "credulous": Mutant("worker-doubles", "sqlite", 2, "believed to hold", _credulous),
    "gullible": Mutant("worker-doubles", "sqlite", 2, "settled: ", _gullible),
    "keeping": Mutant("worker-doubles", "sqlite", 6, "worker-lost: |Deadline Exceeded", _keeping),
    "hasty": Mutant("worker-moves", "postgres", 6, "worker-lost: ", _hasty),
    "premature": Mutant("worker-moves", "sqlite", 20, "settled: ", _premature),
    "overbooked": Mutant("worker-pauses", "sqlite", 8, "worker-slots: ", _overbooked),
    "forsaken": Mutant("worker-moves", "sqlite", 6, "worker-lost: ", _forsaken),
    "stubborn": Mutant("worker-pauses", "sqlite", 16, "run-unclaimed: ", _stubborn),
}
