"""The parents' orders of doing things, as lifecycles: each lets go of the lock where they did."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slotd_server import claiming
from slotd_server.change import Change
from slotd_server.domain import commands as ask
from slotd_server.domain import moves
from slotd_server.domain.errors import QueueFull
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim
from slotd_server.lifecycle import Committed
from slotd_server.slots import Ledger
from slotd_server.store.base import Transaction, Wanted
from tests.unit.driver import FullableTransaction, Steps


class Apart(Steps):
    """Calls `between` where the lock is free though something has been decided."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.between: Callable[[], None] = lambda: None

    def _open(self) -> Change:
        return self._change(self._store.begin(), claiming=False)


class DecideThenStart(Apart):
    """Which jobs to start is decided under the lock; they are started, and their slots counted, under it again."""

    def _choose(self) -> list[Job]:
        change = self._open()
        free = self._ledger.free
        wanted = [Wanted(queue, kind, free) for queue, kind in change.tx.queued()]
        chosen = change.tx.claimable(wanted)[:free] if free else []
        change.tx.rollback()
        return chosen

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        committed = super().apply(commands, claim=False)
        if not claim:
            return committed
        with self._lock:
            chosen = self._choose()
        if chosen:
            self.between()
        with self._lock:
            change = self._open()
            for job in chosen:
                after = moves.start(job, change.now, self._rules.owner)
                _reserve_without_looking(self._ledger, after)
                change.started.append(change.move(job, after))
            change.tx.commit()
            self._ledger.commit()
        events = committed.events + change.events
        return committed._replace(events=events, started=committed.started + change.started)


class CountLate(DecideThenStart):
    """The same, but each job is chosen by one only: it is the slots that are counted too late."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._chosen: set[str] = set()

    def _choose(self) -> list[Job]:
        change = self._open()
        wanted = [Wanted(queue, kind, 100) for queue, kind in change.tx.queued()]
        found = [job for job in change.tx.claimable(wanted) if job.id not in self._chosen][: self._ledger.free]
        change.tx.rollback()
        self._chosen |= {job.id for job in found}
        return found


class CheckThenInsert(Apart):
    """Whether there is room is looked up first; the job is put in later, without looking again."""

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        with self._lock:
            change = self._open()
            full = not all(
                claiming.has_room(change, "default") for command in commands if isinstance(command, ask.Submit)
            )
            change.tx.rollback()
        self.between()
        if full:
            refused: list[Any] = [QueueFull("default", 0)] * len(commands)
            return Committed(refused, [], [], [], [], [], self._agenda)
        return super().apply([_unlimited(one) for one in commands], claim=claim)


class CopyAfterUnlock(Apart):
    """Answers are looked up once the change is made and the lock is free."""

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        committed = super().apply(commands, claim=claim)
        self.between()
        with self._store.snapshot() as snapshot:
            answers = [tuple(snapshot.job(job.id) for job in answer) for answer in committed.answers]
        return committed._replace(answers=answers)


class OneWokenPerEnd(Steps):
    """Whoever lets go of what others wait for wakes the first of them; the next one waits for that one's end."""

    def _change(self, tx: Transaction, *, claiming: bool) -> Change:
        change = super()._change(tx, claiming=claiming)
        change.__class__ = _WakesOne
        return change


class _WakesOne(Change):
    def wake(self, seqs: Iterable[int]) -> None:
        first, *others = [*seqs] or [0]
        super().wake([first] if first else [])
        for seq in others:
            job = self.tx.by_seq(seq)
            assert job is not None
            assert job.spec.ties is not None
            self.tx.wait_behind(seq, job.spec.ties.resources, first, already=True)


class WhoeverFits(Steps):
    """A job may go on where what it claims is free, whoever has waited for that for longer."""

    def _change(self, tx: Transaction, *, claiming: bool) -> Change:
        tx.__class__ = _HoldersAlone
        return super()._change(tx, claiming=claiming)


class _HoldersAlone(FullableTransaction):
    def ahead(self, seq: int, claims: Sequence[Claim]) -> int | None:
        # Nobody was submitted before the first.
        return super().ahead(0, claims)


def _reserve_without_looking(ledger: Ledger, job: Job) -> None:
    limit = ledger.limit
    ledger.resize(1_000)
    lease = ask.Lease(job.seq, job.fence)
    ledger._holders.pop(lease, None)
    ledger.reserve(lease, job)
    ledger.resize(limit)


def _unlimited(command: ask.Command) -> ask.Command:
    """The same job, for a queue of another name: the limit is not looked at."""
    assert isinstance(command, ask.Submit)
    drafts = [one._replace(asked=one.asked._replace(queue="default unlimited")) for one in command.drafts]
    return ask.Submit(tuple(drafts))


def waiting_in_all(jobs: Sequence[Job]) -> int:
    """How many wait, whatever the queue is called."""
    return sum(job.state in (State.QUEUED, State.SCHEDULED) for job in jobs)
