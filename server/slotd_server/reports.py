"""What running attempts and this server itself report, each in terms of a Change. Every report says by which lease it
speaks; one whose lease is over changes no job, and frees the slot at most."""

from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.commands import Attend, Bury, Finish, GiveBack, Lease, Overrun, Reconcile, Recover, Report
from slotd_server.domain.job import Failure, Job, Progress
from slotd_server.domain.outcome import Failed, Released, Succeeded
from slotd_server.domain.states import RUNNING, State
from slotd_server.domain.worker import Standing, runs_on
from slotd_server.slots import HERE

WORKER_STOPPED = Failure("WORKER_STOPPED", "the worker stopped while it ran")


def report(change: Change, command: Report) -> None:
    """Progress and output of a running attempt."""
    job = change.tx.held(command.lease)
    if job is not None and job.state is State.RUNNING:
        change.note(job, _told(change, job, command.progress, command.output), minor=True)


def finish(change: Change, command: Finish) -> None:
    """The function has returned: its slot is free, and the attempt ends if nothing ended it before."""
    job = change.tx.held(command.lease)
    change.ledger.release(command.lease)
    if job is None:
        return
    if job.state is not RUNNING:
        let_go(change, job)
        return
    told = _told(change, job, command.progress, command.output)
    outcome = command.outcome
    if told.cancel_requested:
        change.cancel_running(told)
    elif isinstance(outcome, Succeeded):
        change.move(job, moves.succeed(told, change.now, outcome.result, change.rules.limits.retention))
    elif isinstance(outcome, Failed):
        change.fail(told, outcome.failure, permanent=outcome.permanent)
    elif isinstance(outcome, Released):
        give_up(change, told, WORKER_STOPPED)
    else:
        _put_back(change, told, Failure("SNOOZED", "the handler asked to be called later"), outcome.delay)


def overrun(change: Change, command: Overrun) -> None:
    """The attempt ends, its function does not: the slot becomes a zombie's."""
    job = change.tx.held(command.lease)
    if job is None or job.state is not State.RUNNING:
        return
    change.ledger.turn_zombie(command.lease)
    change.stopping.append(command.lease)
    change.fail(job, command.failure, lingering=True)


def give_back(change: Change, command: GiveBack) -> None:
    """The server stops: a running job waits again, without having used up the attempt."""
    job = change.tx.held(command.lease)
    if job is None or job.state is not State.RUNNING:
        return
    change.ledger.turn_zombie(command.lease)
    change.stopping.append(command.lease)
    give_up(change, job, Failure("SERVER_STOPPED", "the server stopped while it ran"))


def recover(change: Change, command: Recover) -> int:
    """Jobs of servers that are gone wait again, or FAIL where the lost attempt was their last. Those that a worker runs
    are this server's from now on: the worker will come, or be given up in its turn."""
    jobs = change.tx.orphans(command.limit)
    for job in jobs:
        if runs_on(job):
            take_over(change, job)
        elif job.state is State.RUNNING:
            # The attempt counts: it may be what brought the server down.
            change.fail(job, Failure("SERVER_LOST", "the server was lost while it ran"), at_once=True)
        else:
            let_go(change, job)
    return len(jobs)


def take_over(change: Change, job: Job) -> Job:
    """A job that a worker runs and another server had is this server's."""
    after = job.evolve(owner=change.rules.owner)
    if job.state is State.RUNNING:
        job = change.note(job, after, minor=True)
    else:
        change.tx.keep(after)
        job = after
    lease = Lease(job.seq, job.fence)
    change.ledger.take_over(lease, job)
    change.taken_over.append(job)
    if lease in change.dropped:
        # It was not this server's any more, and in the same change its worker has come back with it.
        change.dropped.remove(lease)
        change.stopping.remove(lease)
    return job


def bury(change: Change, command: Bury) -> int:
    """A server that others have not heard of for a whole lease is gone, unless it has been heard of since."""
    if not change.tx.bury(command.server, command.renewals):
        return 0
    return recover(change, Recover(command.limit))


def attend(change: Change, _: Attend) -> None:
    """Look at all that is due or given up, whoever brought it."""
    change.remind(change.now)
    recover(change, Recover())


def reconcile(change: Change, _: Reconcile) -> None:
    """What this server knows of its own attempts may not be so: it was away, or it never learnt how a change of its own
    ended. What the store says holds."""
    ours = change.ledger.leases
    theirs = {Lease(job.seq, job.fence): job for job in change.tx.mine()}
    for lease, job in theirs.items():
        if lease not in ours:
            # Claimed in a change that went through though nobody here heard of it: its function was never called.
            if job.state is State.RUNNING:
                give_up(change, job, Failure("SERVER_LOST", "it was claimed and not started"))
            else:
                let_go(change, job)
        elif job.state is not State.RUNNING:
            _turn_zombie(change, lease)
        elif job.cancel_requested:
            change.stopping.append(lease)
    for lease in ours - theirs.keys():
        # Taken away meanwhile, or ended: nothing that the function reports will be taken.
        if change.ledger.pool_of(lease) == HERE:
            _turn_zombie(change, lease)
        else:
            drop(change, lease)


def _turn_zombie(change: Change, lease: Lease) -> None:
    if change.ledger.standing(lease) is not Standing.ZOMBIE:
        change.ledger.turn_zombie(lease)
    change.stopping.append(lease)


def _told(change: Change, job: Job, progress: Progress | None, output: bytes) -> Job:
    """The job with the progress and output that its attempt has told; the output is kept up to the limit."""
    if output:
        kept = output[: max(change.rules.limits.output - job.output_size, 0)]
        if kept:
            change.tx.append_output(job, kept)
        job = job.evolve(
            output_size=job.output_size + len(kept), output_truncated=job.output_truncated or len(kept) < len(output)
        )
    return job if progress is None else job.evolve(progress=progress)


def let_go(change: Change, job: Job) -> None:
    """The function of an attempt that was ended before has returned at last, or went with its server."""
    change.let_go(job, job.evolve(lingering=False, owner=""))


def drop(change: Change, lease: Lease) -> None:
    """Whoever runs it, elsewhere, has nothing to say of it any more."""
    change.ledger.release(lease)
    change.stopping.append(lease)
    change.dropped.append(lease)


def give_up(change: Change, job: Job, why: Failure) -> None:
    """Let a running job wait again, without counting the attempt, unless somebody asked for its end."""
    if job.cancel_requested:
        change.cancel_running(job)
    else:
        _put_back(change, job, why, 0)


def _put_back(change: Change, job: Job, why: Failure, delay: int) -> None:
    """Let the job wait again, without counting the attempt."""
    after = moves.leave(job, change.now, why, counted=False).evolve(failure=None)
    change.move(job, moves.wait(after, change.now, change.now + delay if delay else None))
