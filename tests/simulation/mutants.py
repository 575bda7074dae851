"""Ways to get it wrong, each of which the simulation has to find."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from slotd_server import events, reports
from slotd_server.change import Change
from slotd_server.dispatch import Dispatcher
from slotd_server.domain import commands as ask
from slotd_server.domain import moves
from slotd_server.domain.clock import SharedClock
from slotd_server.domain.errors import ServiceError, StoreFull, StoreUnavailable
from slotd_server.domain.job import Failure, Job
from slotd_server.domain.schedule import Schedule
from slotd_server.domain.states import State
from slotd_server.domain.worker import Standing
from slotd_server.events import Batch, EventLog
from slotd_server.leases import Watch
from slotd_server.slots import Ledger
from slotd_server.store import shared
from slotd_server.store.shared import SharedTransaction

Patch = pytest.MonkeyPatch


# Fencing


def drop_the_fence(patch: Patch) -> None:
    def held(self: SharedTransaction, lease: ask.Lease) -> Job | None:
        job = self.by_seq(lease.seq)
        return job if job is not None and (job.state is State.RUNNING or job.lingering) else None

    patch.setattr(SharedTransaction, "held", held)


def fence_servers_and_not_attempts(patch: Patch) -> None:
    """A server that lost a job and got it again takes what the lost attempt says for the new one's word."""

    def held(self: SharedTransaction, lease: ask.Lease) -> Job | None:
        job = self.by_seq(lease.seq)
        return job if job is not None and self._is_mine(job) else None

    patch.setattr(SharedTransaction, "held", held)


# Slots


def release_early(patch: Patch) -> None:
    patch.setattr(Ledger, "turn_zombie", Ledger.release)


def claim_without_a_slot(patch: Patch) -> None:
    patch.setattr(Ledger, "_room", lambda self, _: max(self.limit + 1 - len(self.leases), 0))


def release_twice(patch: Patch) -> None:
    """A zombie that returns frees another slot with its own."""

    def release(self: Ledger, lease: ask.Lease) -> bool:
        zombie = lease in self._holders and self.standing(lease) is Standing.ZOMBIE
        released = _release(self, lease)
        if zombie and self._holders:
            _release(self, min(self._holders))
        return released

    patch.setattr(Ledger, "release", release)


def keep_slots_of_a_failed_change(patch: Patch) -> None:
    patch.setattr(Ledger, "rollback", Ledger.commit)


def forget_what_others_hold(patch: Patch) -> None:
    patch.setattr(SharedTransaction, "elsewhere", lambda self: {})


def tell_of_touched_queues_alone(patch: Patch) -> None:
    patch.setattr(Ledger, "by_queue", Ledger.touched)


# The store


def notify_before_commit(patch: Patch) -> None:
    """Callers and subscribers are told whatever becomes of the commit."""

    def commit(self: SharedTransaction) -> None:
        with suppress(StoreFull, StoreUnavailable):
            _commit(self)

    patch.setattr(SharedTransaction, "commit", commit)


def take_a_doubtful_commit_for_none(patch: Patch) -> None:
    def commit(self: SharedTransaction) -> None:
        try:
            _commit(self)
        except StoreUnavailable:
            self._shared.uncertain = False
            raise

    patch.setattr(SharedTransaction, "commit", commit)


def do_not_read_caches_again(patch: Patch) -> None:
    def begin(self: SharedTransaction, memory: shared.SharedMemory, wanted: Sequence[Any]) -> Any:
        known = memory.counters
        read = _begin(self, memory, wanted)
        if known:
            memory.counters = known
        return read

    patch.setattr(SharedTransaction, "_begin", begin)


def go_by_the_machines_clock(patch: Patch) -> None:
    patch.setattr(SharedClock, "set", lambda self, now: None)


def forget_request_ids(patch: Patch) -> None:
    patch.setattr(SharedTransaction, "request", lambda self, request_id: None)
    patch.setattr(SharedTransaction, "remember", lambda self, request_id, request: None)


def lose_reports_in_an_outage(patch: Patch) -> None:
    def postpone(self: Dispatcher, work: Any, error: ServiceError) -> None:
        _postpone(self, work, error)
        self._held = []

    patch.setattr(Dispatcher, "_postpone", postpone)


# Leases


def skip_the_reconcile(patch: Patch) -> None:
    patch.setattr(reports, "reconcile", lambda *_: None)


def reconcile_without_cancels(patch: Patch) -> None:
    def give_up(change: Change, job: Job, why: Failure) -> None:
        reports._put_back(change, job, why, 0)

    patch.setattr(reports, "give_up", give_up)


def count_what_is_given_back(patch: Patch) -> None:
    def leave(job: Job, now: int, failure: Failure | None, *, lingering: bool = False, counted: bool = True) -> Job:
        return _leave(job, now, failure, lingering=lingering)

    patch.setattr(moves, "leave", leave)


def bury_without_the_renewals_check(patch: Patch) -> None:
    def bury(self: SharedTransaction, server: str, renewals: int) -> bool:
        self._write("UPDATE servers SET renewals = ? WHERE boot = ?", (renewals, server))
        return _bury(self, server, renewals)

    patch.setattr(SharedTransaction, "bury", bury)


def count_an_outage_as_silence(patch: Patch) -> None:
    patch.setattr(Watch, "interrupted", lambda self: None)
    _never_blink(patch)


def _never_blink(patch: Patch) -> None:
    def init(self: Watch, owner: str, lease: int) -> None:
        _watch(self, owner, lease)
        self._blink = 1 << 62

    patch.setattr(Watch, "__init__", init)


def never_bury(patch: Patch) -> None:
    patch.setattr(Watch, "see", lambda self, members, now: [])


def forget_zombies_of_the_gone(patch: Patch) -> None:
    def orphans(self: SharedTransaction, limit: int) -> list[Job]:
        return [job for job in _orphans(self, limit) if not job.lingering]

    patch.setattr(SharedTransaction, "orphans", orphans)


def believe_to_be_a_member(patch: Patch) -> None:
    """A server that was buried goes on as if nothing had happened."""

    def begin(self: SharedTransaction, memory: shared.SharedMemory, wanted: Sequence[Any]) -> Any:
        read = _begin(self, memory, wanted)
        self._is_member = True
        return read

    patch.setattr(SharedTransaction, "_begin", begin)


# Events and news


def publish_past_a_gap(patch: Patch) -> None:
    patch.setattr(EventLog, "publish", lambda self, told: self._take_in(told))


def hand_out_a_cursor_ahead(patch: Patch) -> None:
    def remembered(self: EventLog, after: int, limit: int, job_ids: frozenset[str]) -> Batch:
        batch = _remembered(self, after, limit, job_ids)
        return batch._replace(upto=batch.upto + 1) if batch.events else batch

    patch.setattr(EventLog, "_remembered", remembered)


def wake_nobody(patch: Patch) -> None:
    patch.setattr(events, "_wake", lambda waiter: None)


def lose_a_wake_up(patch: Patch) -> None:
    """Others are not told that there is work for them."""

    def announce(self: SharedTransaction, *, work: bool) -> None:
        _announce(self, work=False)

    patch.setattr(SharedTransaction, "announce", announce)


def do_not_hear_of_cancels(patch: Patch) -> None:
    patch.setattr(Dispatcher, "noticed", lambda self, told: None)


def wait_for_own_events_alone(patch: Patch) -> None:
    patch.setattr(EventLog, "heard", lambda self, revision: None)


# Limits over all servers


def each_server_has_a_rate_of_its_own(patch: Patch) -> None:
    arrivals: dict[tuple[str, str], int] = {}

    def put(self: SharedTransaction, queue: str, arrival: int) -> None:
        arrivals[self._shared.owner, queue] = arrival

    patch.setattr(SharedTransaction, "put_arrival", put)
    patch.setattr(SharedTransaction, "arrival", lambda self, queue: arrivals.get((self._shared.owner, queue), 0))


def fire_without_advancing(patch: Patch) -> None:
    def advance(self: SharedTransaction, schedules: Sequence[Schedule]) -> None:
        _advance(self, [schedule for schedule in schedules if schedule.last_time is None])

    patch.setattr(SharedTransaction, "advance_schedules", advance)


_reserve = Ledger.reserve
_release = Ledger.release
_commit = SharedTransaction.commit
_begin = SharedTransaction._begin
_bury = SharedTransaction.bury
_orphans = SharedTransaction.orphans
_announce = SharedTransaction.announce
_advance = SharedTransaction.advance_schedules
_postpone = Dispatcher._postpone
_leave = moves.leave
_watch = Watch.__init__
_remembered = EventLog._remembered

_ALL: tuple[Callable[[Patch], None], ...] = (
    drop_the_fence,
    fence_servers_and_not_attempts,
    release_early,
    claim_without_a_slot,
    release_twice,
    keep_slots_of_a_failed_change,
    forget_what_others_hold,
    tell_of_touched_queues_alone,
    notify_before_commit,
    take_a_doubtful_commit_for_none,
    do_not_read_caches_again,
    go_by_the_machines_clock,
    forget_request_ids,
    lose_reports_in_an_outage,
    skip_the_reconcile,
    reconcile_without_cancels,
    count_what_is_given_back,
    bury_without_the_renewals_check,
    count_an_outage_as_silence,
    never_bury,
    forget_zombies_of_the_gone,
    believe_to_be_a_member,
    publish_past_a_gap,
    hand_out_a_cursor_ahead,
    wake_nobody,
    lose_a_wake_up,
    do_not_hear_of_cancels,
    wait_for_own_events_alone,
    each_server_has_a_rate_of_its_own,
    fire_without_advancing,
)

MUTANTS: Mapping[str, Callable[[Patch], None]] = {mutant.__name__: mutant for mutant in _ALL}
