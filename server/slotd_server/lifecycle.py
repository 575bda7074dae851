"""The only writer of job state. One critical section makes a change, takes its snapshot and writes its event.

`apply` takes all commands that wait and makes one transaction of them: what each one asks for, what has fallen due, the
claims for the slots that are free. When it returns, all of that is durable; when it raises, nothing has happened.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from slotd_server import claiming, edits, reports, requests, schedules, settling, workers
from slotd_server.change import Agenda, Change, Rotation, Rules
from slotd_server.domain import commands as ask
from slotd_server.domain.clock import Clock
from slotd_server.domain.errors import ServiceError, StoreFull, StoreUnavailable
from slotd_server.domain.events import Event
from slotd_server.domain.job import Job
from slotd_server.slots import Ledger
from slotd_server.store.base import Expected, Store, Transaction

_PERFORM: dict[type[Any], Callable[[Change, Any], Any]] = {
    ask.Submit: requests.submit,
    ask.Cancel: requests.cancel,
    ask.Retry: requests.retry,
    ask.Delete: requests.delete,
    ask.Purge: requests.purge,
    ask.Update: edits.update,
    ask.Bulk: edits.bulk,
    ask.GetGroup: requests.get_group,
    ask.CreateSchedule: schedules.create,
    ask.UpdateSchedule: schedules.update,
    ask.DeleteSchedule: schedules.delete,
    ask.TriggerSchedule: schedules.trigger,
    ask.GetSchedule: schedules.get,
    ask.ListSchedules: schedules.list_schedules,
    ask.UpdateQueue: requests.update_queue,
    ask.UpdateSlots: requests.update_slots,
    ask.ListSlots: requests.list_slots,
    ask.ListQueues: requests.list_queues,
    ask.ListServers: requests.list_servers,
    ask.Report: reports.report,
    ask.Finish: reports.finish,
    ask.Overrun: reports.overrun,
    ask.GiveBack: reports.give_back,
    ask.Recover: reports.recover,
    ask.Bury: reports.bury,
    ask.Attend: reports.attend,
    ask.Reconcile: reports.reconcile,
    ask.Enlist: workers.enlist,
    ask.Resize: workers.resize,
    ask.Detach: workers.detach,
    ask.Dismiss: workers.dismiss,
}


class Committed(NamedTuple):
    """What one transaction did. `answers` are aligned with the commands; one that was refused is answered with the
    ServiceError. `started` are the jobs claimed, `stopping` the leases of attempts that are to stop, `taken_over` jobs
    that a worker runs already, `dropped` leases that are over without a Finish, `agenda` when `apply` is to be called
    again if nothing else comes. `micros` is how long it took, waiting for the lock included, `commit_micros` how long
    its commit did, which is mostly the store's sync."""

    answers: list[Any]
    events: list[Event]
    started: list[Job]
    stopping: list[ask.Lease]
    taken_over: list[Job]
    dropped: list[ask.Lease]
    agenda: Agenda
    micros: int = 0
    commit_micros: int = 0


class Lifecycle:
    """Holds the lock. Everything that changes a job goes through `apply`."""

    def __init__(self, store: Store, ledger: Ledger, rules: Rules, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._agenda = Agenda()
        self._rotation = Rotation()

    def apply(self, commands: Sequence[ask.Command], *, claim: bool = True) -> Committed:
        """Carry out `commands` in their order, then what is due, then, with `claim`, start what has a slot.

        Raises StoreFull or StoreUnavailable when it may be tried again, StoreBroken when it may not; then the store and
        the ledger are as they were.
        """
        monotonic = self._clock.monotonic
        began = monotonic()
        with self._lock:
            tx = self._store.begin(_expected(commands)) if self._store.shared else self._store.begin()
            change = self._change(tx, claiming=claim)
            try:
                if tx.uncertain:
                    reports.reconcile(change, ask.Reconcile())
                answers = [self._perform(change, command) for command in commands]
                change.fall_due()
                schedules.fall_due(change)
                settling.settle(change)
                claiming.claim(change)
                change.trim()
                if self._store.shared:
                    tx.put_held(self._ledger.by_queue() if tx.uncertain else self._ledger.touched())
                    tx.announce(work=claiming.left_for_others(change))
                committing = monotonic()
                tx.commit()
                ended = monotonic()
            except BaseException:
                tx.rollback()
                self._ledger.rollback()
                raise
            self._ledger.commit()
            self._agenda = change.agenda
            self._rotation = change.rotation
            return Committed(
                answers,
                change.events,
                change.started,
                change.stopping,
                change.taken_over,
                change.dropped,
                change.agenda,
                ended - began,
                ended - committing,
            )

    @property
    def owner(self) -> str:
        """The boot id of this server."""
        return self._rules.owner

    @property
    def free(self) -> int:
        """Slots that a job could have now. From any thread: a hint."""
        return self._ledger.free

    def look(self, commands: Sequence[ask.Command]) -> list[Any]:
        """The answers of commands that change nothing, and nothing else: for when the store takes no writes. Where it
        can't be read either, that is the answer."""
        if not commands:
            return []
        try:
            with self._lock:
                tx = self._store.begin()
                try:
                    change = self._change(tx, claiming=False)
                    return [self._perform(change, command) for command in commands]
                finally:
                    tx.rollback()
        except ServiceError as error:
            return [error] * len(commands)

    def _change(self, tx: Transaction, *, claiming: bool) -> Change:
        now = self._clock.now()
        return Change(self._rules, self._ledger, tx, now, self._agenda, self._rotation.copy(), claiming=claiming)

    @staticmethod
    def _perform(change: Change, command: ask.Command) -> Any:
        try:
            return _PERFORM[type(command)](change, command)
        except (StoreFull, StoreUnavailable):
            raise
        except ServiceError as refused:
            return refused


def _expected(commands: Sequence[ask.Command]) -> Expected:
    """What a transaction is about to be asked for."""
    leases: list[ask.Lease] = []
    job_ids: list[str] = []
    request_ids: list[str] = []
    for command in commands:
        if isinstance(command, ask.Submit):
            request_ids += [draft.request_id for draft in command.drafts if draft.request_id]
        elif isinstance(command, (ask.Report, ask.Finish, ask.Overrun, ask.GiveBack)):
            leases.append(command.lease)
        elif isinstance(command, (ask.Cancel, ask.Retry, ask.Delete, ask.Update)):
            job_ids.append(command.job_id)
        elif isinstance(command, ask.Enlist):
            job_ids += [claimed.job_id for claimed in command.claimed]
    return Expected(leases, job_ids, request_ids)
