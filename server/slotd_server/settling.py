"""What a change has made free to go on goes on in the same change: dependents of what has ended, jobs that waited
behind what let go. A great many are left to the next one, in the store."""

from heapq import heappop

from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.job import Failure, Job
from slotd_server.domain.states import State
from slotd_server.domain.ties import Line
from slotd_server.store.base import Unsettled

_STEP = 1000
"""How many jobs one transaction looks at."""

_REMOVED = 500
"""How many jobs it deletes at a time of what a queue has too many of."""

_QUEUES = "queues/"
"""What stands before the name of a queue that has too many ended jobs, where that is left to a later change."""


def settle(change: Change) -> None:
    """Let go on whatever the changes so far have made free to go on. A great many are left to the next change."""
    for item in change.tx.unsettled(_STEP):
        _take_up(change, item)
    budget = _STEP
    while budget > 0 and (change.overfull or change.decided or change.woken):
        if change.overfull:
            budget -= _shrink(change, change.overfull.pop())
        elif change.decided:
            budget -= _settle_target(change, change.decided.popleft(), budget)
        else:
            budget -= 1
            _look_again(change, heappop(change.woken))
    left = [*change.decided, *(Unsettled("", seq) for seq in set(change.woken))]
    left += [Unsettled(f"{_QUEUES}{queue}", 0) for queue in sorted(change.overfull)]
    if left:
        change.tx.leave_unsettled(left)
        change.remind(change.now)


def _settle_target(change: Change, item: Unsettled, budget: int) -> int:
    """Look at up to `budget` jobs that depend on a target. → how many there were, and one for the look."""
    jobs = change.tx.dependents(item.target, item.seq, budget)
    if len(jobs) == budget:
        change.decided.append(Unsettled(item.target, jobs[-1].seq))
    for job in jobs:
        _settle_edge(change, item.target, job)
    return len(jobs) + 1


def _settle_edge(change: Change, target: str, job: Job) -> None:
    dependency = job.edges[target]
    verdict = change.verdict(dependency)
    if verdict is True:
        change.tx.meet(target, job.seq)
        if job.state is State.BLOCKED and not job.lingering:
            change.move(job, moves.unblock(job))
    elif verdict is False and not dependency.patient:
        failure = Failure("DEPENDENCY_FAILED", f"{target} did not succeed")
        change.end(job, job, State.FAILED, failure)


def _look_again(change: Change, seq: int) -> None:
    """A job that waits may be able to go on."""
    job = change.tx.by_seq(seq)
    if job is None or job.state is not State.BLOCKED or job.lingering:
        return
    after = change.move(job, moves.unblock(job))
    ties = after.spec.ties
    assert ties is not None
    # One that has passed may leave room for the next of its key.
    if after.links.key is Line.HOLDING:
        first = change.tx.first_for_key(after.spec.queue, ties.key)
        limit = change.queue(after.spec.queue).slots_per_key
        if first is not None and (limit is None or change.tx.key_active(after.spec.queue, ties.key) < limit):
            change.wake([first])


def _take_up(change: Change, item: Unsettled) -> None:
    if item.target.startswith(_QUEUES):
        change.overfull.add(item.target.removeprefix(_QUEUES))
    elif item.target:
        change.decided.append(item)
    else:
        change.wake([item.seq])


def _shrink(change: Change, queue: str) -> int:
    """Delete what the queue has beyond the number of ended jobs that it keeps, the first to end first, in steps.
    → how many jobs were looked at."""
    keep = change.queue(queue).retain_count
    excess = 0 if keep is None else change.tx.ended(queue) - keep
    looked, removed, after = 0, 0, 0
    while looked < excess and removed < _REMOVED:
        jobs = change.tx.retained(queue, after, min(excess - looked, _REMOVED))
        if not jobs:
            return looked + 1
        after = jobs[-1].revision
        looked += len(jobs)
        for job in jobs:
            if change.why_kept(job) is None:
                change.remove(job)
                removed += 1
    if looked < excess:
        change.overfull.add(queue)
    return looked + 1
