"""What callers ask of jobs, queues and slots, each in terms of a Change. A request that is refused has changed nothing:
each looks at all that could refuse it before it changes anything."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import NamedTuple

from slotd_server import claiming, submissions
from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.commands import (
    Cancel,
    Delete,
    GetGroup,
    Lease,
    ListQueues,
    ListServers,
    ListSlots,
    Purge,
    Retry,
    Submit,
    UpdateQueue,
    UpdateSlots,
)
from slotd_server.domain.errors import (
    Awaited,
    DependencyCycle,
    DependencyFailed,
    NotFound,
    QueueFull,
    UniqueKeyTaken,
    WrongState,
)
from slotd_server.domain.job import Failure, Job, Spec
from slotd_server.domain.queue import Counters, Draft, Queue
from slotd_server.domain.server import Member
from slotd_server.domain.states import TERMINAL, State
from slotd_server.domain.ties import UNLINKED, Conflict, Links
from slotd_server.slots import LedgerView
from slotd_server.store.base import Request

AWAITED = Links(awaited=True)

_MOST_DEPENDENTS = 10_000
"""How many jobs that failed because of one other are retried with it at most."""


class Stats(NamedTuple):
    """Counters by (queue, kind), and the queues that have settings, at one revision."""

    revision: int
    counters: Mapping[tuple[str, str], Counters]
    queues: Mapping[str, Queue]


def submit(change: Change, command: Submit) -> tuple[Job, ...]:
    """The request ids within one command differ from each other."""
    for draft in command.drafts:
        if draft.ties is not None or draft.request_id:
            return _submit_planned(change, command)
    # Most jobs have nothing to do with any other, and no time to lose.
    specs = [draft.resolve(change.defaults(draft.kind, draft.asked.queue)) for draft in command.drafts]
    if len(specs) == 1:
        refuse_if_full(change, specs[0].queue, 1)
    else:
        for queue, more in Counter([spec.queue for spec in specs]).items():
            refuse_if_full(change, queue, more)
    pairs = zip(command.drafts, specs, strict=True)
    if command.validate_only:
        return tuple([_new_job(change, draft, spec) for draft, spec in pairs])
    ids = change.rules.ids
    return tuple([change.create(_new_job(change, draft, spec, ids.next(change.now))) for draft, spec in pairs])


def _submit_planned(change: Change, command: Submit) -> tuple[Job, ...]:
    if any(_replaces(draft) for draft in command.drafts):
        # What may start does not wait, and is not replaced.
        claiming.claim(change)
    batch = submissions.plan(change, command)
    room = Counter(one.spec.queue for one in batch.replaced)
    for queue, more in Counter(one.spec.queue for one in batch.new).items():
        refuse_if_full(change, queue, more - room[queue])
    if command.validate_only:
        return batch.answer({one.number: _planned_job(change, one) for one in batch.new})
    for job in batch.replaced:
        cancel_job(change, job)
    for number, job in batch.known.items():
        _remember_again(change, command.drafts[number], job)
    change.forming = batch.groups
    made = {}
    for one in batch.new:
        made[one.number] = change.create(_planned_job(change, one))
        draft = one.draft
        if draft.request_id:
            change.tx.remember(draft.request_id, Request(draft.fingerprint, one.job_id))
    change.forming = frozenset()
    for group in batch.groups:
        change.decide(f"groups/{group}")
    return batch.answer(made)


def _replaces(draft: Draft) -> bool:
    unique = None if draft.ties is None else draft.ties.unique
    return unique is not None and unique.conflict is Conflict.REPLACE


def _remember_again(change: Change, draft: Draft, job: Job) -> None:
    """A request that was answered with the job of another: the same request has the same answer for as long as any."""
    if draft.request_id and change.tx.request(draft.request_id) is None:
        change.tx.remember(draft.request_id, Request(draft.fingerprint, job.id))
        change.tx.forget(draft.request_id, change.now + change.rules.limits.request_age)


def _planned_job(change: Change, one: submissions.New) -> Job:
    return _new_job(change, one.draft, one.spec, one.job_id, AWAITED if one.awaited else UNLINKED)


def _new_job(change: Change, draft: Draft, spec: Spec, job_id: str = "", links: Links = UNLINKED) -> Job:
    job = Job(
        # The revision that creates it, which is the next one.
        seq=change.tx.revision + 1,
        id=job_id,
        spec=spec,
        state=State.QUEUED,
        revision=0,
        create_time=change.now,
        request_id=draft.request_id,
        links=links,
        traceparent=draft.traceparent,
    )
    return moves.wait(job, change.now, spec.schedule_time)


def cancel(change: Change, command: Cancel) -> Job:
    """A waiting job ends at once, a running one is asked to stop."""
    job = find(change, command.job_id)
    if job.state is State.CANCELLED:
        return job
    if job.state.terminal:
        raise WrongState(job.id, job.state.name, "a job that is not terminal")
    return cancel_job(change, job)


def cancel_job(change: Change, job: Job) -> Job:
    """Cancel a job that is not terminal."""
    if job.state.waiting:
        return change.end(job, job, State.CANCELLED, Failure("CANCELLED", "cancelled before it ran"))
    if not job.cancel_requested:
        change.stopping.append(Lease(job.seq, job.fence))
        job = change.note(job, job.evolve(cancel_requested=True), minor=False)
    return job


def retry(change: Change, command: Retry) -> Job:
    """A FAILED or CANCELLED job waits again; with `dependents` those that failed because of it do too."""
    job = find(change, command.job_id)
    if job.state not in (State.FAILED, State.CANCELLED):
        raise WrongState(job.id, job.state.name, "FAILED or CANCELLED")
    refuse_if_hopeless(change, job)
    dependents = _failed_because_of(change, job) if command.dependents else []
    _refuse_cycles(change, [job, *dependents])
    for queue, more in Counter(one.spec.queue for one in (job, *dependents)).items():
        refuse_if_full(change, queue, more)
    after = change.move(job, moves.again(job, change.now))
    for one in dependents:
        change.move(one, moves.again(one, change.now))
    return after


def _refuse_cycles(change: Change, jobs: list[Job]) -> None:
    """Others may have come to wait for a job's group since it ended. Raises DependencyCycle."""
    waits = {
        f"jobs/{job.id}": (change.tx.unmet(job.seq, len(job.spec.ties.depends_on)), job.spec.ties.group)
        for job in jobs
        if job.spec.ties is not None and job.spec.ties.depends_on
    }
    for way in submissions.cycles(change, waits):
        raise DependencyCycle(jobs[0].id, submissions.shown(way))


def refuse_if_hopeless(change: Change, job: Job) -> None:
    """Raises DependencyFailed where what the job waits for has failed, UniqueKeyTaken where its key is another's."""
    ties = job.spec.ties
    if ties is None:
        return
    unmet = set(change.tx.unmet(job.seq, len(ties.depends_on)))
    for dependency in ties.depends_on:
        if dependency.target in unmet and not dependency.patient and change.verdict(dependency) is False:
            raise DependencyFailed(job.id, dependency.target)
    holder = _other_holder(change, job)
    if ties.unique is not None and holder is not None:
        raise UniqueKeyTaken(ties.unique.key, holder.id)


def _other_holder(change: Change, job: Job) -> Job | None:
    """The other job that has the job's unique key by now."""
    unique = None if job.spec.ties is None else job.spec.ties.unique
    holder = None if unique is None else change.tx.unique(unique.key)
    if unique is None or holder is None or holder.seq == job.seq:
        return None
    return holder if submissions.has_key(change, holder, unique.key) else None


def _failed_because_of(change: Change, job: Job) -> list[Job]:
    """Those FAILED because `job` did not succeed, and because of them in turn, each after what it depends on; without
    those that something else keeps from going on."""
    found = {job.seq: job}
    targets = {f"jobs/{job.id}"}
    keys = set(_keys(job))
    left = deque(_targets(job))
    while left:
        for one in change.tx.dependents(left.popleft(), 0, _MOST_DEPENDENTS, live=False):
            if one.seq in found or one.failure is None or one.failure.reason != "DEPENDENCY_FAILED":
                continue
            if _fails_without(change, one, targets) or _other_holder(change, one) or not keys.isdisjoint(_keys(one)):
                continue
            found[one.seq] = one
            targets.add(f"jobs/{one.id}")
            keys.update(_keys(one))
            left += _targets(one)
    del found[job.seq]
    return list(found.values())


def _targets(job: Job) -> list[str]:
    """By which others depend on the job."""
    group = "" if job.spec.ties is None else job.spec.ties.group
    return [f"jobs/{job.id}", f"groups/{group}"] if group else [f"jobs/{job.id}"]


def _keys(job: Job) -> list[str]:
    unique = None if job.spec.ties is None else job.spec.ties.unique
    return [] if unique is None else [unique.key]


def _fails_without(change: Change, job: Job, retried: set[str]) -> bool:
    """Whether the job depends on something that has failed and is not among those `retried`."""
    assert job.spec.ties is not None
    unmet = set(change.tx.unmet(job.seq, len(job.spec.ties.depends_on))) - retried
    return any(
        one.target in unmet and not one.group and not one.patient and change.verdict(one) is False
        for one in job.spec.ties.depends_on
    )


def delete(change: Change, command: Delete) -> Job:
    """A terminal job goes; with `force` another one is cancelled first, and goes now if that ends it."""
    job = find(change, command.job_id)
    if not job.state.terminal and not command.force:
        raise WrongState(job.id, job.state.name, "a terminal job, or force")
    refuse_if_kept(change, job)
    if not job.state.terminal:
        job = cancel_job(change, job)
    return change.remove(job) if job.state.terminal else job


def refuse_if_kept(change: Change, job: Job) -> None:
    """Raises Awaited where others depend on the job, WrongState where its function holds what it claimed."""
    kept_by = change.why_kept(job)
    if kept_by is None:
        return
    if kept_by.seq == job.seq:
        raise WrongState(job.id, job.state.name, "a job whose function has returned")
    raise Awaited(job.id, kept_by.id)


def purge(change: Change, command: Purge) -> int:
    """Some of the terminal jobs that match go."""
    states = (command.filter.states or TERMINAL) & TERMINAL
    count, after = 0, 0
    while states and count < command.limit:
        jobs = change.tx.matching(command.filter._replace(states=frozenset(states)), after, command.limit - count)
        if not jobs:
            break
        after = jobs[-1].seq
        for job in jobs:
            if change.why_kept(job) is None:
                change.remove(job)
                count += 1
    return count


def get_group(change: Change, command: GetGroup) -> Counters:
    """How many jobs the group has in each state."""
    numbers = change.tx.group(command.name)
    if not any(numbers):
        raise NotFound("group", command.name)
    return Counters(*numbers)


def update_queue(change: Change, command: UpdateQueue) -> Queue:
    """Settings change; what they let run is claimed at the end of the same change."""
    before = change.queue(command.queue.name)
    after = before._replace(**{field: getattr(command.queue, field) for field in command.fields})
    change.tx.put_queue(after)
    if after.slots_per_key != before.slots_per_key:
        change.wake(change.tx.keys_waited_for(after.name))
    if after.retain_count != before.retain_count:
        if before.retain_count is None or after.retain_count is None:
            change.tx.retain_all(after.name, wanted=after.retain_count is not None)
        change.overfull.add(after.name)
    return after


def update_slots(change: Change, command: UpdateSlots) -> int:
    """The pool's size changes, likewise."""
    change.ledger.resize(command.slots)
    return command.slots


def list_slots(change: Change, _: ListSlots) -> LedgerView:
    """The ledger as it is at this point of the change."""
    limits = {name: queue.slots for name, queue in change.tx.queues().items()}
    return change.ledger.view(change.tx.revision, limits, change.tx.elsewhere())


def list_queues(change: Change, _: ListQueues) -> Stats:
    """Counters and settings as they are at this point of the change."""
    return Stats(change.tx.revision, dict(change.tx.counters()), dict(change.tx.queues()))


def list_servers(change: Change, _: ListServers) -> list[Member]:
    """The servers as they told last, and this one as it is."""
    here = change.rules.here()
    members = {member.id: member for member in change.tx.members()}
    members[here.id] = members.get(here.id, here)._replace(status=here.status)
    return list(members.values())


def find(change: Change, job_id: str) -> Job:
    """The job. Raises NotFound."""
    job = change.tx.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job


def refuse_if_full(change: Change, queue: str, more: int) -> None:
    """Raises QueueFull where so many more jobs may not wait in the queue."""
    if not claiming.has_room(change, queue, more):
        raise QueueFull(queue, change.queue(queue).max_queued or 0)
