"""Ways to get wrong what makes jobs wait, go on and start, each of which the state machine with ties has to find."""

from collections.abc import Callable, Sequence

import pytest

from slotd_server import claiming, edits, lifecycle, requests, schedules, settling, submissions
from slotd_server.change import Change
from slotd_server.domain import commands as ask
from slotd_server.domain.job import Job
from slotd_server.domain.queue import Rate
from slotd_server.domain.schedule import Schedule
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Dependency, Line
from slotd_server.store import sql_ties
from slotd_server.store.base import Unsettled
from slotd_server.store.sql_schedules import SqlSchedules
from slotd_server.store.sql_ties import SqlTies

Patch = pytest.MonkeyPatch


# Claims.


def zombie_lets_go_of_its_claims(patch: Patch) -> None:
    def through_gates(self: Change, before: Job, after: Job) -> Job:
        return _through_gates(self, before, self._release(after) if after.lingering else after)

    patch.setattr(Change, "_through_gates", through_gates)


def claims_are_taken_while_waiting(patch: Patch) -> None:
    """Who waits for one of its claims is in the way of whoever wants another of them, and came before it."""

    def ahead(self: SqlTies, seq: int, claims: Sequence[Claim]) -> int | None:
        found = _ahead(self, 1 << 61, claims)
        return found if found != seq else _ahead(self, seq, claims)

    patch.setattr(SqlTies, "ahead", ahead)


def later_small_claim_overtakes(patch: Patch) -> None:
    def ahead(self: SqlTies, seq: int, claims: Sequence[Claim]) -> int | None:
        found = _ahead(self, seq, claims)
        return found if found is not None and _job(self, found).links.claims is Line.HOLDING else None

    patch.setattr(SqlTies, "ahead", ahead)


def only_the_first_waiter_is_let_go(patch: Patch) -> None:
    patch.setattr(SqlTies, "leave_line", lambda self, seq: _leave_line(self, seq)[:1])


def prefixes_conflict_one_way_only(patch: Patch) -> None:
    def ahead(self: SqlTies, seq: int, claims: Sequence[Claim]) -> int | None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(sql_ties, "above", lambda name: ())
            return _ahead(self, seq, claims)

    patch.setattr(SqlTies, "ahead", ahead)


def shared_claims_exclude_each_other(patch: Patch) -> None:
    def ahead(self: SqlTies, seq: int, claims: Sequence[Claim]) -> int | None:
        return _ahead(self, seq, [claim._replace(exclusive=True) for claim in claims])

    patch.setattr(SqlTies, "ahead", ahead)


# Dependencies and groups.


def cancelled_dependency_counts_as_met(patch: Patch) -> None:
    def verdict(self: Change, dependency: Dependency) -> bool | None:
        job = self.tx.job(dependency.job_id)
        return True if job is not None and job.state is State.CANCELLED else _verdict(self, dependency)

    patch.setattr(Change, "verdict", verdict)


def cascade_stops_after_one_level(patch: Patch) -> None:
    def settle_edge(change: Change, target: str, job: Job) -> None:
        _settle_edge(change, target, job)
        own = Unsettled(f"jobs/{job.id}", 0)
        if own in change.decided:
            change.decided.remove(own)

    patch.setattr(settling, "_settle_edge", settle_edge)


def group_is_decided_one_job_early(patch: Patch) -> None:
    def group(self: SqlTies, name: str) -> Sequence[int]:
        *numbers, running, succeeded, failed, cancelled = _group(self, name)
        return (*numbers, max(running - 1, 0), succeeded, failed, cancelled)

    def verdict(self: Change, dependency: Dependency) -> bool | None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(SqlTies, "group", group)
            return _verdict(self, dependency)

    patch.setattr(Change, "verdict", verdict)


def first_of_two_dependencies_is_enough(patch: Patch) -> None:
    def unmet(self: SqlTies, seq: int, limit: int) -> list[str]:
        ((edges,),) = self._run("SELECT COUNT(*) FROM edges WHERE seq = ?", (seq,))
        found = _unmet(self, seq, limit)
        return found if len(found) == edges else []

    patch.setattr(SqlTies, "unmet", unmet)


def dependents_of_dependents_are_not_taken_along(patch: Patch) -> None:
    def failed_because_of(change: Change, job: Job) -> list[Job]:
        return [one for one in _failed_because_of(change, job) if f"jobs/{job.id}" in one.edges]

    patch.setattr(requests, "_failed_because_of", failed_because_of)


def awaited_job_is_deleted(patch: Patch) -> None:
    patch.setattr(Change, "why_kept", lambda self, job: None)


# Keys, unique keys, priorities and rates.


def key_slot_leaks_on_retry(patch: Patch) -> None:
    def through_gates(self: Change, before: Job, after: Job) -> Job:
        done = _through_gates(self, before, after)
        if done.state is State.SCHEDULED and before.state is State.RUNNING and before.links.key is Line.HOLDING:
            assert done.spec.ties is not None
            self.tx.add_active(done.spec.queue, done.spec.ties.key, 1)
        return done

    patch.setattr(Change, "_through_gates", through_gates)


def key_line_ignores_priority(patch: Patch) -> None:
    def first_for_key(self: SqlTies, queue: str, key: str) -> int | None:
        sql = "SELECT MIN(seq) FROM key_waits WHERE queue = ? AND key = ?"
        found: int | None = self._run(sql, (queue, key))[0][0]
        return found

    patch.setattr(SqlTies, "first_for_key", first_for_key)


def keys_take_no_turns(patch: Patch) -> None:
    patch.setattr(SqlTies, "next_turn", lambda self, queue, key: self.turn(queue))


def unique_key_is_free_too_early(patch: Patch) -> None:
    def has_key(change: Change, job: Job, key: str) -> bool:
        return job.state is not State.RUNNING and _has_key(change, job, key)

    patch.setattr(submissions, "has_key", has_key)


def unique_period_is_forgotten(patch: Patch) -> None:
    patch.setattr(
        submissions, "has_key", lambda change, job, key: not job.state.terminal and _has_key(change, job, key)
    )


def lower_priorities_get_no_share(patch: Patch) -> None:
    patch.setattr(claiming, "_in_rotation", lambda change, job: None)


def share_of_lower_priorities_is_lost_where_none_can_start(patch: Patch) -> None:
    """It is looked at whose turn it is before it is looked at whether there is room."""

    def can_start(change: Change, job: Job) -> bool:
        claiming._in_rotation(change, job)
        return _can_start(change, job)

    patch.setattr(claiming, "_can_start", can_start)


def rate_is_forgotten_on_restart(patch: Patch) -> None:
    """Kept by each store object, and not in the file."""

    def arrivals(tx: SqlTies) -> dict[str, int]:
        kept: dict[str, int] = tx._memory.__dict__.setdefault("arrivals", {})
        return kept

    patch.setattr(SqlTies, "arrival", lambda self, queue: arrivals(self).get(queue, 0))
    patch.setattr(SqlTies, "put_arrival", lambda self, queue, arrival: arrivals(self).update({queue: arrival}))


def burst_is_one_too_many(patch: Patch) -> None:
    def allowance(self: Rate, arrival: int, now: int) -> tuple[int, int]:
        return _allowance(self._replace(burst=self.burst + 1), arrival, now)

    patch.setattr(Rate, "allowance", allowance)


# What changes jobs, and what makes them.


def update_ignores_the_revision(patch: Patch) -> None:
    def update(change: Change, command: ask.Update) -> Job:
        return _update(change, command._replace(revision=0))

    patch.setitem(lifecycle._PERFORM, ask.Update, update)


def newest_ended_are_deleted(patch: Patch) -> None:
    def retained(self: SqlTies, queue: str, after: int, limit: int) -> list[Job]:
        found = _retained(self, queue, 0, 1 << 30)[::-1][:limit]
        return [] if after else found

    patch.setattr(SqlTies, "retained", retained)


def schedule_fires_twice_across_a_restart(patch: Patch) -> None:
    """The schedule moves on in memory first, and in the file with its next firing."""

    def late(tx: SqlSchedules) -> dict[str, Schedule]:
        kept: dict[str, Schedule] = tx._memory.__dict__.setdefault("late", {})  # type: ignore[attr-defined]
        return kept

    def advance_schedules(self: SqlSchedules, moved: Sequence[Schedule]) -> None:
        fired = [one for one in moved if one.fired and one.name not in late(self)]
        _advance_schedules(self, [one for one in moved if one not in fired])
        late(self).update((one.name, one) for one in fired)

    def seen(tx: SqlSchedules, stored: Schedule) -> Schedule:
        return late(tx).get(stored.name, stored)._replace(settings=stored.settings)

    def due_schedules(self: SqlSchedules, now: int, limit: int) -> list[Schedule]:
        known = [seen(self, one) for one in _due_schedules(self, now, limit)]
        for one in known:
            late(self).pop(one.name, None)
        return [one for one in known if one.next_time is not None and one.next_time <= now]

    def schedule(self: SqlSchedules, name: str) -> Schedule | None:
        stored = _schedule(self, name)
        return None if stored is None else seen(self, stored)

    def listed(self: SqlSchedules, after: str, limit: int) -> list[Schedule]:
        return [seen(self, one) for one in _schedules(self, after, limit)]

    patch.setattr(SqlSchedules, "advance_schedules", advance_schedules)
    patch.setattr(SqlSchedules, "due_schedules", due_schedules)
    patch.setattr(SqlSchedules, "schedule", schedule)
    patch.setattr(SqlSchedules, "schedules", listed)


def missed_firings_are_all_made_up_for(patch: Patch) -> None:
    patch.setattr(schedules, "missed", lambda schedule, before: (0, schedule.next_time))


def schedule_skips_nothing(patch: Patch) -> None:
    patch.setattr(schedules, "_allows", lambda overlap, earlier: True)


def _job(tx: SqlTies, seq: int) -> Job:
    (job,) = tx._by_seq([seq])
    return job


_ahead = SqlTies.ahead
_leave_line = SqlTies.leave_line
_group = SqlTies.group
_unmet = SqlTies.unmet
_retained = SqlTies.retained
_through_gates = Change._through_gates
_verdict = Change.verdict
_settle_edge = settling._settle_edge
_failed_because_of = requests._failed_because_of
_has_key = submissions.has_key
_allowance = Rate.allowance
_update = edits.update
_advance_schedules = SqlSchedules.advance_schedules
_due_schedules = SqlSchedules.due_schedules
_schedule = SqlSchedules.schedule
_schedules = SqlSchedules.schedules
_can_start = claiming._can_start

PLAIN: tuple[Callable[[Patch], None], ...] = (
    later_small_claim_overtakes,
    only_the_first_waiter_is_let_go,
    prefixes_conflict_one_way_only,
    shared_claims_exclude_each_other,
    cancelled_dependency_counts_as_met,
    cascade_stops_after_one_level,
    dependents_of_dependents_are_not_taken_along,
    key_slot_leaks_on_retry,
    key_line_ignores_priority,
    keys_take_no_turns,
    lower_priorities_get_no_share,
    newest_ended_are_deleted,
)
"""Found within some dozens of examples."""

SUBTLE: tuple[Callable[[Patch], None], ...] = (
    zombie_lets_go_of_its_claims,
    claims_are_taken_while_waiting,
    group_is_decided_one_job_early,
    first_of_two_dependencies_is_enough,
    unique_period_is_forgotten,
    share_of_lower_priorities_is_lost_where_none_can_start,
    rate_is_forgotten_on_restart,
    burst_is_one_too_many,
    schedule_fires_twice_across_a_restart,
    missed_firings_are_all_made_up_for,
    schedule_skips_nothing,
    unique_key_is_free_too_early,
    update_ignores_the_revision,
    awaited_job_is_deleted,
)
"""Found within some hundreds."""
