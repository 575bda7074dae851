"""What callers ask of jobs, queues and slots, each in terms of a Change. A request that is refused has changed nothing:
each looks at all that could refuse it before it changes anything."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.commands import (
    Cancel,
    Delete,
    Lease,
    ListQueues,
    ListSlots,
    Purge,
    Retry,
    Submit,
    UpdateQueue,
    UpdateSlots,
)
from slotd_server.domain.errors import NotFound, QueueFull, RequestIdReused, WrongState
from slotd_server.domain.job import Failure, Job, Spec
from slotd_server.domain.queue import Counters, Draft, Queue
from slotd_server.domain.states import State
from slotd_server.slots import LedgerView
from slotd_server.store.base import Request


class Stats(NamedTuple):
    """Counters by (queue, kind), and the queues that have settings, at one revision."""

    revision: int
    counters: Mapping[tuple[str, str], Counters]
    queues: Mapping[str, Queue]


def submit(change: Change, command: Submit) -> tuple[Job, ...]:
    """The request ids within one command differ from each other."""
    earlier = [_first_job(change, draft) for draft in command.drafts]
    specs = [
        draft.resolve(change.defaults(draft.kind, draft.asked.queue)) if job is None else None
        for draft, job in zip(command.drafts, earlier, strict=True)
    ]
    for queue, more in Counter(spec.queue for spec in specs if spec is not None).items():
        _refuse_if_full(change, queue, more)
    jobs = []
    for draft, spec, job in zip(command.drafts, specs, earlier, strict=True):
        if spec is None:
            assert job is not None
            jobs.append(job)
        elif command.validate_only:
            jobs.append(_new_job(change, draft, spec, ""))
        else:
            job = change.create(_new_job(change, draft, spec, change.rules.ids.next(change.now)))
            if draft.request_id:
                change.tx.remember(draft.request_id, Request(draft.fingerprint, job.id))
            jobs.append(job)
    return tuple(jobs)


def _first_job(change: Change, draft: Draft) -> Job | None:
    request = change.tx.request(draft.request_id) if draft.request_id else None
    if request is None:
        return None
    if request.fingerprint != draft.fingerprint:
        raise RequestIdReused(draft.request_id, request.job_id)
    return _job(change, request.job_id)


def _new_job(change: Change, draft: Draft, spec: Spec, job_id: str) -> Job:
    job = Job(
        # The revision that creates it, which is the next one.
        seq=change.tx.revision + 1,
        id=job_id,
        spec=spec,
        state=State.QUEUED,
        revision=0,
        create_time=change.now,
        request_id=draft.request_id,
    )
    return moves.wait(job, change.now, spec.schedule_time)


def cancel(change: Change, command: Cancel) -> Job:
    """A waiting job ends at once, a running one is asked to stop."""
    job = _job(change, command.job_id)
    if job.state is State.CANCELLED:
        return job
    if job.state.terminal:
        raise WrongState(job.id, job.state.name, "a job that is not terminal")
    return _cancel(change, job)


def _cancel(change: Change, job: Job) -> Job:
    if job.state.waiting:
        return change.end(job, job, State.CANCELLED, Failure("CANCELLED", "cancelled before it ran"))
    if not job.cancel_requested:
        change.stopping.append(Lease(job.seq, job.fence))
        job = change.note(job, job.evolve(cancel_requested=True), minor=False)
    return job


def retry(change: Change, command: Retry) -> Job:
    """A FAILED or CANCELLED job waits again."""
    job = _job(change, command.job_id)
    if job.state not in (State.FAILED, State.CANCELLED):
        raise WrongState(job.id, job.state.name, "FAILED or CANCELLED")
    _refuse_if_full(change, job.spec.queue, 1)
    return change.move(job, moves.again(job, change.now))


def delete(change: Change, command: Delete) -> Job:
    """A terminal job goes; with `force` another one is cancelled first, and goes now if that ends it."""
    job = _job(change, command.job_id)
    if not job.state.terminal:
        if not command.force:
            raise WrongState(job.id, job.state.name, "a terminal job, or force")
        job = _cancel(change, job)
    return change.remove(job) if job.state.terminal else job


def purge(change: Change, command: Purge) -> int:
    """Some of the terminal jobs that match go."""
    jobs = change.tx.terminal(command.filter, command.limit)
    for job in jobs:
        change.remove(job)
    return len(jobs)


def update_queue(change: Change, command: UpdateQueue) -> Queue:
    """Settings change; what they let run is claimed at the end of the same change."""
    before = change.queue(command.queue.name)
    after = before._replace(**{field: getattr(command.queue, field) for field in command.fields})
    change.tx.put_queue(after)
    return after


def update_slots(change: Change, command: UpdateSlots) -> int:
    """The pool's size changes, likewise."""
    change.ledger.resize(command.slots)
    return command.slots


def list_slots(change: Change, _: ListSlots) -> LedgerView:
    """The ledger as it is at this point of the change."""
    limits = {name: queue.slots for name, queue in change.tx.queues().items()}
    return change.ledger.view(change.tx.revision, limits)


def list_queues(change: Change, _: ListQueues) -> Stats:
    """Counters and settings as they are at this point of the change."""
    return Stats(change.tx.revision, dict(change.tx.counters()), dict(change.tx.queues()))


def _job(change: Change, job_id: str) -> Job:
    job = change.tx.job(job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job


def _refuse_if_full(change: Change, queue: str, more: int) -> None:
    if not change.has_room(queue, more):
        raise QueueFull(queue, change.queue(queue).max_queued or 0)
