"""Which jobs start: those that are QUEUED, in their order, as far as slots, limits and rates reach. The decision to
start a job and the reservation of its slot are one step."""

from slotd_server.change import Change
from slotd_server.domain import moves
from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Job
from slotd_server.store.base import Wanted

_ROTATION = 10
"""One start in so many goes to a lower priority."""


def claim(change: Change) -> None:
    """Start what may run: each job gets its slot in the same step that decides to start it."""
    if not change.claiming or not change.ledger.free:
        return
    wanted = []
    for (name, kind), queued in change.tx.queued().items():
        room = change.ledger.room(kind)
        if room:
            room = min(_room(change, name, room), queued)
        if room > 0:
            wanted.append(Wanted(name, kind, room))
    if not wanted:
        return
    started: set[int] = set()
    for job in change.tx.claimable(wanted):
        if job.seq in started or not _can_start(change, job):
            continue
        lower = _in_rotation(change, job)
        if lower is not None:
            started.add(lower.seq)
            _start(change, lower)
        if lower is None or _can_start(change, job):
            _start(change, job)


def has_room(change: Change, queue: str, more: int = 1) -> bool:
    """Whether `more` jobs may wait in the queue. What already could run does not wait: it is claimed first."""
    limit = change.queue(queue).max_queued
    if limit is None or change.tx.waiting(queue) + more <= limit:
        return True
    claim(change)
    return change.tx.waiting(queue) + more <= limit


def _room(change: Change, queue: str, room: int) -> int:
    """How many jobs of the queue may start now, for which there are `room` slots."""
    settings = change.queue(queue)
    if settings.paused:
        return 0
    if settings.slots is not None:
        room = min(room, settings.slots - _held(change, queue))
    if settings.rate is not None and room > 0:
        stored = change.tx.arrival(queue)
        arrival = settings.rate.bounded(stored, change.now)
        if arrival < stored:
            change.tx.put_arrival(queue, arrival)
        starts, next_time = settings.rate.allowance(arrival, change.now)
        if starts < room:
            change.remind(next_time)
        room = min(room, starts)
    return room


def left_for_others(change: Change) -> bool:
    """Whether jobs are QUEUED that a server with free slots could start now."""
    return any(_may_start(change, queue) for queue, _ in change.tx.queued())


def _may_start(change: Change, queue: str) -> bool:
    """Whether the queue's own limits leave room; rates come by themselves."""
    settings = change.queue(queue)
    return not settings.paused and (settings.slots is None or _held(change, queue) < settings.slots)


def _held(change: Change, queue: str) -> int:
    """Slots that the queue holds on all servers."""
    elsewhere = change.tx.elsewhere().get(queue)
    return change.ledger.held(queue) + (0 if elsewhere is None else elsewhere.total)


def _can_start(change: Change, job: Job) -> bool:
    room = change.ledger.room(job.spec.kind)
    if not room:
        return False
    settings = change.queue(job.spec.queue)
    # Most queues have no limits of their own.
    return (settings.slots is None and settings.rate is None) or _room(change, job.spec.queue, room) > 0


def _start(change: Change, job: Job) -> None:
    queue, kind = job.spec.queue, job.spec.kind
    after = moves.start(job, change.now, change.rules.owner, change.ledger.choose(kind))
    change.ledger.reserve(Lease(after.seq, after.fence), after)
    change.started.append(change.move(job, after))
    rate = change.queue(queue).rate
    if rate is not None:
        change.tx.put_arrival(queue, rate.after_start(change.tx.arrival(queue), change.now))
    if job.links.turn and job.links.turn > change.tx.turn(queue):
        change.tx.put_turn(queue, job.links.turn)
    starts = change.rotation.starts
    starts[queue, kind] = starts.get((queue, kind), 0) + 1


def _in_rotation(change: Change, job: Job) -> Job | None:
    """The job of a lower priority that goes before `job`, which may start, because it is its priority's turn."""
    pair = (job.spec.queue, job.spec.kind)
    starts = change.rotation.starts
    if starts.get(pair, 0) < _ROTATION - 1:
        return None
    # The start that follows counts as the last of these.
    starts[pair] = -1
    return _lower(change, *pair, job.spec.priority)


def _lower(change: Change, queue: str, kind: str, top: int) -> Job | None:
    """The first job of the next lower priority, counted from the one that had its turn last."""
    last = min(change.rotation.last.get((queue, kind), top), top)
    job = change.tx.first_below(queue, kind, last)
    if job is None and last < top:
        job = change.tx.first_below(queue, kind, top)
    if job is not None:
        change.rotation.last[queue, kind] = job.spec.priority
    return job
