"""What changes jobs without running them: one waiting job in its spec, or many at once."""

from slotd_server import claiming
from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.commands import Bulk, Delete, Retry, Step, Update
from slotd_server.domain.errors import (
    Awaited,
    DependencyCycle,
    DependencyFailed,
    NotFound,
    QueueFull,
    RevisionMismatch,
    UniqueKeyTaken,
    WrongState,
)
from slotd_server.domain.job import Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Changed
from slotd_server.requests import cancel_job, delete, find, refuse_if_full, retry


def update(change: Change, command: Update) -> Job:
    """A waiting job gets other values, and is looked at anew: it may have to wait for a time, or no longer."""
    if "queue" in command.fields:
        # What may start does not wait: that makes room in the other queue, and this job may be among it.
        claiming.claim(change)
    job = find(change, command.job_id)
    if command.revision and job.revision != command.revision:
        raise RevisionMismatch("job", job.id, job.revision, command.revision)
    if not job.state.waiting:
        raise WrongState(job.id, job.state.name, "a waiting job")
    spec = job.spec
    values = {field: getattr(command.changed, field) for field in command.fields}
    # The revision is the one that records this, which is the next.
    changed = Changed(
        spec.queue, spec.priority, spec.labels, spec.schedule_time, change.tx.revision + 1, spec.queue, spec.labels
    )._replace(**values)
    if changed.queue != spec.queue:
        if job.lingering and job.links.holding:
            raise WrongState(job.id, job.state.name, "a job whose function has returned")
        refuse_if_full(change, changed.queue, 1)
    after = job.changed_by(changed)
    if "schedule_time" in command.fields:
        after = moves.wait(after.evolve(schedule_time=None), change.now, changed.schedule_time)
    elif job.state is State.BLOCKED and not job.lingering:
        after = moves.unblock(after)
    return change.rearrange(job, after)


def bulk(change: Change, command: Bulk) -> Step:
    """One step of doing the same to many jobs; those that it can't be done to stay as they are."""
    jobs = change.tx.matching(command.filter, command.after, command.limit, newest_first=command.newest_first)
    left = [job for job in jobs if not _do(change, job, command)]
    done = len(jobs) - len(left)
    # What one job is refused for, others of the same step may have been the reason of.
    while command.action != "cancel" and left:
        before = len(left)
        left = [job for job in left if not _do(change, job, command)]
        done += before - len(left)
        if len(left) == before:
            break
    return Step(done, jobs[-1].seq if len(jobs) == command.limit else None)


def _do(change: Change, job: Job, command: Bulk) -> bool:
    """Whether it could be done to the job."""
    if command.action == "cancel":
        now = change.tx.by_seq(job.seq)
        if now is None or now.state.terminal or now.cancel_requested:
            return False
        cancel_job(change, now)
        return True
    try:
        if command.action == "retry":
            retry(change, Retry(job.id))
            return True
        return delete(change, Delete(job.id, command.force)).state.terminal
    except (Awaited, DependencyCycle, DependencyFailed, NotFound, QueueFull, UniqueKeyTaken, WrongState):
        return False
