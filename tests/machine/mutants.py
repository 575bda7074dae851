"""Ways to get it wrong, each of which the state machine has to find."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from slotd_server import claiming, events, lifecycle, reports
from slotd_server.change import Change, Changes
from slotd_server.domain import commands as ask
from slotd_server.domain import moves
from slotd_server.domain.events import Event, EventType, JobFilter
from slotd_server.domain.job import Job
from slotd_server.domain.outcome import Failed
from slotd_server.domain.queue import Count
from slotd_server.slots import Ledger
from slotd_server.store.sqlite_write import SqliteTransaction
from tests.machine import subscribers

Patch = pytest.MonkeyPatch


def slot_leaks_on_failure(patch: Patch) -> None:
    def finish(change: Change, command: ask.Finish) -> None:
        holder = change.ledger._holders.get(command.lease)
        reports.finish(change, command)
        if isinstance(command.outcome, Failed) and holder is not None:
            change.ledger._set(command.lease, holder)

    patch.setitem(lifecycle._PERFORM, ask.Finish, finish)


def timeout_frees_the_slot(patch: Patch) -> None:
    patch.setattr(Ledger, "turn_zombie", Ledger.release)


def zombies_do_not_count(patch: Patch) -> None:
    def room(self: Ledger, _: str) -> int:
        return max(self.limit - len(self.leases) + sum(self._zombies.values()), 0)

    patch.setattr(Ledger, "_room", room)


def failed_change_keeps_its_slots(patch: Patch) -> None:
    patch.setattr(Ledger, "rollback", Ledger.commit)


def shrinking_forgets_who_runs(patch: Patch) -> None:
    def resize(self: Ledger, limit: int) -> None:
        _resize(self, limit if limit > self.limit else limit + len(self._holders))

    patch.setattr(Ledger, "resize", resize)


def claim_ignores_queue_slots(patch: Patch) -> None:
    patch.setattr(claiming, "_room", lambda self, queue, room: 0 if self.queue(queue).paused else room)


def claim_ignores_pause(patch: Patch) -> None:
    def room(self: Change, queue: str) -> int:
        slots = self.queue(queue).slots
        return self.ledger.free if slots is None else min(self.ledger.free, slots - self.ledger.held(queue))

    patch.setattr(claiming, "_room", room)


def claim_ignores_priority(patch: Patch) -> None:
    def claimable(self: SqliteTransaction, wanted: Any) -> list[Job]:
        return sorted(_all_claimable(self, wanted), key=lambda job: job.seq)

    patch.setattr(SqliteTransaction, "claimable", claimable)


def newest_first(patch: Patch) -> None:
    def claimable(self: SqliteTransaction, wanted: Any) -> list[Job]:
        return sorted(_all_claimable(self, wanted), key=lambda job: (-job.spec.priority, -job.seq))

    patch.setattr(SqliteTransaction, "claimable", claimable)


def one_woken_for_each_change(patch: Patch) -> None:
    def claimable(self: SqliteTransaction, wanted: Any) -> list[Job]:
        return _claimable(self, wanted)[:1]

    patch.setattr(SqliteTransaction, "claimable", claimable)


def retried_is_not_counted(patch: Patch) -> None:
    _forget_counter(patch, Count.RETRIED)


def deleted_is_not_counted(patch: Patch) -> None:
    _forget_counter(patch, Count.DELETED)


def deletion_is_not_told(patch: Patch) -> None:
    def remove(self: Change, job: Job) -> Job:
        gone = _remove(self, job)
        self.events.pop()
        self.tx._events.pop()  # type: ignore[attr-defined]
        return gone

    patch.setattr(Change, "remove", remove)


def counters_outlive_a_failed_change(patch: Patch) -> None:
    def rollback(self: SqliteTransaction) -> None:
        self._publish()
        _rollback(self)

    patch.setattr(SqliteTransaction, "rollback", rollback)


def snooze_counts(patch: Patch) -> None:
    def leave(job: Job, now: int, failure: Any, *, lingering: bool = False, counted: bool = True) -> Job:
        return _leave(job, now, failure, lingering=lingering)

    patch.setattr(moves, "leave", leave)


def next_attempt_does_not_wait_for_the_zombie(patch: Patch) -> None:
    def wait(job: Job, now: int, at: int | None = None) -> Job:
        return _wait(job.evolve(lingering=False), now, at)

    patch.setattr(moves, "wait", wait)


def zombies_of_a_lost_server_are_forgotten(patch: Patch) -> None:
    def orphans(self: SqliteTransaction, limit: int) -> list[Job]:
        return [job for job in _orphans(self, limit) if not job.lingering]

    patch.setattr(SqliteTransaction, "orphans", orphans)


def lost_attempt_is_not_counted(patch: Patch) -> None:
    def recover(change: Change, command: ask.Recover) -> int:
        jobs = change.tx.orphans(command.limit)
        for job in jobs:
            if job.owner and not job.lingering:
                change.move(job, moves.wait(moves.leave(job, change.now, None, counted=False), change.now))
        return len(jobs)

    patch.setitem(lifecycle._PERFORM, ask.Recover, recover)


def retry_goes_on_counting(patch: Patch) -> None:
    def again(job: Job, now: int) -> Job:
        return _again(job, now).evolve(attempt=job.attempt)

    patch.setattr(moves, "again", again)


def one_more_waits_than_allowed(patch: Patch) -> None:
    patch.setattr(claiming, "has_room", lambda self, queue, more=1: _has_room(self, queue, more - 1))


def batch_counts_as_one(patch: Patch) -> None:
    patch.setattr(claiming, "has_room", lambda self, queue, more=1: _has_room(self, queue, 1))


def nobody_hears_of_leaving_a_filter(patch: Patch) -> None:
    def view(self: JobFilter, event: Event) -> Event | None:
        seen = _view(self, event)
        return None if seen is not None and seen.type is EventType.LEFT_FILTER else seen

    patch.setattr(JobFilter, "view", view)


def latest_skips_the_end(patch: Patch) -> None:
    def newest(told: Iterable[Event]) -> list[Event]:
        last = {event.job.seq: event for event in told}
        return sorted(last.values(), key=lambda event: event.revision)

    patch.setattr(subscribers, "latest", newest)


def log_forgets_too_soon(patch: Patch) -> None:
    """What is no longer in memory is taken to have never been."""
    patch.setattr(events.EventLog, "_oldest", property(lambda self: 0))


def copy_of_another_revision(patch: Patch) -> None:
    def record(self: Change, job: Job, kind: EventType, previous: Any, minor: bool = False) -> Job:
        done = _record(self, job, kind, previous, minor)
        return done.evolve(attempt=done.attempt + 1) if done.cancel_requested else done

    patch.setattr(Change, "_record", record)


def _all_claimable(tx: SqliteTransaction, wanted: Any) -> list[Job]:
    return _claimable(tx, [one._replace(limit=1000) for one in wanted])


def _forget_counter(patch: Patch, forgotten: Count) -> None:
    def count(self: Change, job: Job, changes: Changes) -> None:
        _count(self, job, [one for one in changes if one[0] != forgotten])

    patch.setattr(Change, "_count", count)


_reserve = Ledger.reserve
_resize = Ledger.resize
_claimable = SqliteTransaction.claimable
_orphans = SqliteTransaction.orphans
_rollback = SqliteTransaction.rollback
_remove = Change.remove
_has_room = claiming.has_room
_count = Change._count
_record = Change._record
_leave = moves.leave
_wait = moves.wait
_again = moves.again
_view = JobFilter.view

PLAIN: tuple[Callable[[Patch], None], ...] = (
    slot_leaks_on_failure,
    timeout_frees_the_slot,
    zombies_do_not_count,
    failed_change_keeps_its_slots,
    shrinking_forgets_who_runs,
    claim_ignores_queue_slots,
    claim_ignores_priority,
    newest_first,
    one_woken_for_each_change,
    retried_is_not_counted,
    deleted_is_not_counted,
    deletion_is_not_told,
    counters_outlive_a_failed_change,
    snooze_counts,
    nobody_hears_of_leaving_a_filter,
    log_forgets_too_soon,
    copy_of_another_revision,
)
"""Found within some dozens of examples."""

SUBTLE: tuple[Callable[[Patch], None], ...] = (
    claim_ignores_pause,
    next_attempt_does_not_wait_for_the_zombie,
    zombies_of_a_lost_server_are_forgotten,
    lost_attempt_is_not_counted,
    retry_goes_on_counting,
    one_more_waits_than_allowed,
    batch_counts_as_one,
    latest_skips_the_end,
)
"""Found within some hundreds; each has a test of its own elsewhere too."""
