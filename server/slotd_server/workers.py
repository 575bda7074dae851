"""Workers that come, change and go, each in terms of a Change. A worker's attempts are this server's like any other,
but their slots are the worker's, and they outlive this server."""

from slotd_server.change import Change
from slotd_server.domain.commands import Detach, Dismiss, Enlist, Enlisted, Lease, Resize
from slotd_server.domain.job import Failure, Job
from slotd_server.domain.states import State
from slotd_server.domain.worker import Claimed, runs_on
from slotd_server.reports import WORKER_STOPPED, drop, give_up, let_go, take_over
from slotd_server.slots import Pool

_LOST = Failure("WORKER_LOST", "the worker was lost while it ran")
_NEVER_REACHED = Failure("WORKER_LOST", "it never reached the worker")


def enlist(change: Change, command: Enlist) -> Enlisted:
    """The worker's slots are there, though it offers none yet, and are held by what it still has."""
    worker = command.worker
    known = change.ledger.pools.get(worker.id)
    if known is not None and known.worker is not None and known.worker.start_time:
        worker = worker._replace(start_time=known.worker.start_time)
    # Who asked it to leave was promised that it will; the request may have gone into a connection that was dead.
    draining = known is not None and known.draining
    change.ledger.put_pool(Pool(worker, command.kinds, 0, draining=draining, line=command.line))
    kept = [job for claimed in command.claimed if (job := _kept(change, worker.id, claimed)) is not None]
    has = {Lease(job.seq, job.fence) for job in kept}
    for lease in change.ledger.leases_in(worker.id):
        if lease not in has:
            _end(change, lease, _NEVER_REACHED, counted=False)
    return Enlisted(kept, draining)


def resize(change: Change, command: Resize) -> None:
    """What it offers changes; what that lets run is claimed at the end of the same change."""
    pool = _by_line(change, command.worker, command.line)
    if pool is None:
        return
    if command.slots is not None:
        pool = pool._replace(limit=command.slots)
    if command.draining is not None:
        pool = pool._replace(draining=command.draining)
    change.ledger.put_pool(pool)


def detach(change: Change, command: Detach) -> None:
    """What it has, it keeps for now."""
    pool = _by_line(change, command.worker, command.line)
    if pool is not None:
        change.ledger.put_pool(pool._replace(connected=False))


def dismiss(change: Change, command: Dismiss) -> None:
    """What it has is given back, and its slots are no more."""
    if _by_line(change, command.worker, command.line) is None:
        return
    for lease in change.ledger.leases_in(command.worker):
        _end(change, lease, _LOST if command.lost else WORKER_STOPPED, counted=command.lost)
    change.ledger.drop_pool(command.worker)


def _by_line(change: Change, worker: str, line: int | None) -> Pool | None:
    """The worker's pool, if that is its connection, or whichever it has where that is None."""
    pool = change.ledger.pools.get(worker)
    return pool if pool is not None and line in (None, pool.line) else None


def _kept(change: Change, worker: str, claimed: Claimed) -> Job | None:
    """The job, if the claim still holds; another server may have had it meanwhile."""
    job = change.tx.job(claimed.job_id)
    if job is None or job.fence != claimed.fence or runs_on(job) != worker:
        return None
    if job.state is not State.RUNNING and not job.lingering:
        return None
    return job if job.owner == change.rules.owner else take_over(change, job)


def _end(change: Change, lease: Lease, why: Failure, *, counted: bool) -> None:
    job = change.tx.held(lease)
    drop(change, lease)
    if job is None:
        return
    if job.state is not State.RUNNING:
        let_go(change, job)
    elif counted:
        change.fail(job, why, at_once=True)
    else:
        give_up(change, job, why)
