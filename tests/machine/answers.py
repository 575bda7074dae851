"""What the contract says that the answers to requests about ties, many jobs and waiting jobs have to be, by the models:
whatever is refused is refused for a reason, and whatever is not had none against it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slotd_server.domain import commands as ask
from slotd_server.domain import errors
from slotd_server.domain.events import EventType
from slotd_server.domain.job import Job
from slotd_server.domain.queue import BUILT_IN, Counters, Draft
from slotd_server.domain.states import State
from slotd_server.domain.ties import Conflict, Dependency
from tests.machine.orchestration import Orchestration, ties

if TYPE_CHECKING:
    from slotd_server.domain.events import Event
    from tests.machine.model import Model


@dataclass(frozen=True)
class Asked:
    """One command, what it was answered with and what happened. `before` are the jobs as they were, and `earlier` the
    rules on them."""

    model: Model
    command: Any
    answer: Any
    events: list[Event]
    before: dict[str, Job]
    earlier: Orchestration

    @property
    def refused(self) -> bool:
        return isinstance(self.answer, errors.ServiceError)


def check(asked: Asked) -> None:
    """Raises AssertionError where the answer can't be."""
    match asked.command:
        case ask.Submit():
            _submitted(asked)
        case ask.Update():
            _updated(asked)
        case ask.Retry():
            _retried(asked)
        case ask.Delete():
            _deleted(asked)
        case ask.Bulk():
            _done_in_bulk(asked)
        case ask.GetGroup():
            _told_of_group(asked)
        case ask.TriggerSchedule():
            _triggered(asked)
        case _:
            pass


# Submit.


def _submitted(asked: Asked) -> None:
    drafts = asked.command.drafts
    if all(draft.ties is None for draft in drafts):
        return
    # One with a unique key may stand for a job that is there already: then nothing of it counts.
    plain = tuple(draft for draft in drafts if draft.ties is None or draft.ties.unique is None)
    if isinstance(asked.answer, errors.InvalidArgument):
        if asked.answer.reason == "DEPENDENCY_CYCLE":
            assert _closes_circle(asked), "refused because of a cycle that is not there"
        else:
            assert _unknown(asked, drafts, plain), "refused, and all that it depends on is there"
    elif isinstance(asked.answer, errors.UniqueKeyTaken):
        _check_taken(asked, drafts)
    elif not asked.refused:
        assert not _unknown(asked, plain, drafts), "it depends on what is not there"
        assert not _closes_circle(asked), "they wait for each other"
        _check_unique(asked, drafts)


def _unknown(asked: Asked, drafts: tuple[Draft, ...], batch: tuple[Draft, ...]) -> list[Dependency]:
    """What `drafts` depend on that is not there, nor comes with the others of the batch."""
    groups = {draft.ties.group for draft in batch if draft.ties is not None}
    edges = [edge for draft in drafts if draft.ties is not None for edge in draft.ties.depends_on]
    return [
        edge
        for edge in edges
        if not (
            edge.ref
            or edge.job_id in asked.before
            or (edge.group and edge.group in groups)
            or asked.earlier.group(edge.group)
        )
    ]


def _closes_circle(asked: Asked) -> bool:
    """Whether any job of the batch would wait for itself. Not told where a unique key may stand for an earlier job."""
    drafts = asked.command.drafts
    if any(draft.ties is not None and draft.ties.unique is not None for draft in drafts):
        return asked.refused or any(map(asked.model.orchestration.closes_circle, asked.answer))
    jobs = dict(asked.before)
    refs = {draft.ref: f"new-{number}" for number, draft in enumerate(drafts) if draft.ref}
    for number, draft in enumerate(drafts):
        spec = draft.resolve(BUILT_IN)
        if spec.ties is not None:
            depends_on = tuple(
                edge._replace(job_id=refs[edge.ref]) if edge.ref else edge for edge in spec.ties.depends_on
            )
            spec = spec._replace(ties=spec.ties._replace(depends_on=depends_on))
        jobs[f"new-{number}"] = Job(0, f"new-{number}", spec, State.BLOCKED, 0, 0)
    rules = asked.earlier.on(jobs)
    return any(rules.closes_circle(job) for job in jobs.values() if job.id not in asked.before)


def _check_taken(asked: Asked, drafts: tuple[Draft, ...]) -> None:
    keys = [draft.ties.unique.key for draft in drafts if draft.ties is not None and draft.ties.unique is not None]
    owners = [owner.id for key in keys if (owner := asked.earlier.owner(key, asked.model.now)) is not None]
    twice = [key for key, times in Counter(keys).items() if times > 1]
    assert twice or asked.answer.job_id in owners, "refused because of a job that does not have the key"


def _check_unique(asked: Asked, drafts: tuple[Draft, ...]) -> None:
    created = {event.job.id for event in asked.events if event.type is EventType.CREATED}
    for number, draft in enumerate(drafts):
        unique = draft.ties.unique if draft.ties is not None else None
        if unique is None:
            continue
        owner = asked.earlier.owner(unique.key, asked.model.now)
        if owner is None:
            continue
        if unique.conflict is Conflict.RETURN_EXISTING:
            first = next(one for one in drafts if one.ties and one.ties.unique and one.ties.unique.key == unique.key)
            if first is draft:
                assert asked.answer[number].id == owner.id, "not the job that has the key"
        else:
            assert unique.conflict is Conflict.REPLACE, "two have the same unique key"
            assert owner.state.waiting, "a job was replaced that did not wait"
            assert asked.model.jobs[owner.id].state is State.CANCELLED
            assert asked.command.validate_only or asked.answer[number].id in created


# Update, Retry, Delete, Bulk, GetGroup.


def _updated(asked: Asked) -> None:
    command, answer = asked.command, asked.answer
    job = asked.before.get(command.job_id)
    if job is None:
        assert isinstance(answer, errors.NotFound)
        return
    stale = command.revision not in (0, job.revision)
    assert isinstance(answer, errors.RevisionMismatch) == stale
    if stale:
        return
    moves = "queue" in command.fields and command.changed.queue != job.spec.queue
    if isinstance(answer, errors.WrongState):
        assert not job.state.waiting or moves, "refused, and it waits"
    elif isinstance(answer, errors.QueueFull):
        assert moves
        assert _is_full(asked.model, command.changed.queue), "refused with room"
    else:
        assert not asked.refused
        now = asked.model.jobs[job.id]
        assert all(getattr(now.spec, field) == getattr(command.changed, field) for field in command.fields)
        if "schedule_time" in command.fields:
            later = command.changed.schedule_time is not None and command.changed.schedule_time > asked.model.now
            assert (now.state is State.SCHEDULED) == later
        elif job.state is State.SCHEDULED:
            assert now.state is State.SCHEDULED


def _retried(asked: Asked) -> None:
    command, answer = asked.command, asked.answer
    job = asked.before.get(command.job_id)
    if job is None or job.state not in (State.FAILED, State.CANCELLED):
        assert asked.refused
        return
    rules = asked.earlier
    if isinstance(answer, errors.DependencyFailed):
        assert answer.target in rules.failed(job), "refused because of what has not failed"
    elif isinstance(answer, errors.DependencyCycle):
        revived = {job.id, *(rules.failed_because_of(job) if command.dependents else ())}
        assert _would_close_circle(rules, asked.before, revived), "refused because of a cycle that is not there"
    elif isinstance(answer, errors.UniqueKeyTaken):
        other = _other_with_key(rules, job, asked.model.now)
        assert other is not None
        assert answer.job_id == other.id
    elif not asked.refused:
        assert not rules.failed(job), "it waits for what has failed"
        assert _other_with_key(rules, job, asked.model.now) is None, "two have the same unique key"
        taken_along = {event.job.id for event in asked.events if event.previous_state in _RETRIED} - {job.id}
        blamed = rules.failed_because_of(job) if command.dependents else set()
        assert taken_along <= blamed, "taken along, and it did not fail because of that"
        for left in map(asked.model.jobs.__getitem__, blamed - taken_along):
            assert _has_failed_or_lost(asked, left), "not taken along"


_RETRIED = (State.FAILED, State.CANCELLED)


def _other_with_key(rules: Orchestration, job: Job, now: int) -> Job | None:
    unique = ties(job).unique
    owner = rules.owner(unique.key, now) if unique is not None else None
    return None if owner is None or owner.id == job.id else owner


def _deleted(asked: Asked) -> None:
    job = asked.before.get(asked.command.job_id)
    if job is None:
        assert isinstance(asked.answer, errors.NotFound)
    elif isinstance(asked.answer, errors.Awaited):
        assert asked.earlier.dependents(job), "kept, and nobody depends on it"
    elif isinstance(asked.answer, errors.WrongState):
        assert not (job.state.terminal and asked.model.may_be_deleted(job)), "kept, and it has ended"
    else:
        assert not asked.refused


def _done_in_bulk(asked: Asked) -> None:
    command, step = asked.command, asked.answer
    matching = [job for job in asked.before.values() if command.filter.matches(job) and _is_behind(command, job)]
    matching = sorted(matching, key=lambda job: job.seq, reverse=command.newest_first)[: command.limit]
    assert step.after == (matching[-1].seq if len(matching) == command.limit else None)
    done = 0
    for job in matching:
        now = asked.model.jobs.get(job.id)
        if command.action == "cancel":
            done += not job.state.terminal and not job.cancel_requested
            assert now is not None
            assert now.state.terminal or now.cancel_requested, "it goes on"
        elif command.action == "delete":
            done += now is None
            wanted = (job.state.terminal or command.force) and asked.model.may_be_deleted(job)
            assert now is None or not wanted or now.cancel_requested, "it was left"
        elif job.state in _RETRIED:
            assert now is not None
            done += now.state.waiting
            kept = _has_failed_or_lost(asked, now) or _is_full(asked.model, now.spec.queue)
            assert now.state.waiting or kept, "it was left"
    assert step.done == done


def _is_behind(command: ask.Bulk, job: Job) -> bool:
    if command.after is None:
        return True
    return job.seq < command.after if command.newest_first else job.seq > command.after


def _has_failed_or_lost(asked: Asked, job: Job) -> bool:
    """Whether what the job waits for has failed or waits for it, or another has its unique key."""
    rules = asked.model.orchestration
    lost = _other_with_key(rules, job, asked.model.now) is not None
    return lost or bool(rules.failed(job)) or _would_close_circle(rules, asked.model.jobs, {job.id})


def _would_close_circle(rules: Orchestration, jobs: dict[str, Job], revived: set[str]) -> bool:
    """Whether any of these would wait for itself if they all waited again."""
    waiting = {job_id: jobs[job_id].evolve(state=State.BLOCKED) for job_id in revived}
    return any(map(rules.on(jobs | waiting).closes_circle, waiting.values()))


def _is_full(model: Model, queue: str) -> bool:
    limit = model.queue(queue).max_queued
    return limit is not None and model.waiting(queue) >= limit


def _told_of_group(asked: Asked) -> None:
    states = Counter(job.state for job in asked.model.orchestration.group(asked.command.name))
    if not states:
        assert isinstance(asked.answer, errors.NotFound)
    else:
        assert asked.answer == Counters(**{state.name.lower(): states[state] for state in State})


def _triggered(asked: Asked) -> None:
    made = [event.job.id for event in asked.events if event.type is EventType.CREATED]
    assert len(made) == (0 if asked.refused else 1)
    if isinstance(asked.answer, errors.ScheduleOverlap):
        earlier = [job for job in asked.before.values() if ties(job).schedule == asked.command.name]
        assert not all(job.state.terminal for job in earlier), "refused beside no earlier job"
