"""What a job has to pass before it is QUEUED: its dependencies, a slot of its key, its claims. A job that does not pass
is BLOCKED, and the store knows what to wait for; whoever removes that looks at the job again.

The order is fixed, so that no two jobs can wait for each other: dependencies hold nothing, keys come before claims, and
claims are taken all together or not at all.
"""

from slotd_server.domain.job import Job
from slotd_server.domain.queue import Queue
from slotd_server.domain.states import State
from slotd_server.domain.ties import Claim, Line, Links
from slotd_server.store.base import Transaction

SHOWN = 20
"""How many of the things that it waits for a job names."""


def enter(tx: Transaction, queue: Queue, job: Job) -> Job:
    """The job, QUEUED with all that it needs, or BLOCKED in the line of what it lacks. Once more: it is looked at
    anew."""
    ties = job.spec.ties
    assert ties is not None
    links = job.links
    if ties.depends_on and (unmet := tx.unmet(job.seq, SHOWN)):
        return _blocked(job, unmet)
    if ties.key and links.key is not Line.HOLDING:
        if not _has_key_slot(tx, queue, job, ties.key):
            return _blocked(job.evolve(links=links._replace(key=Line.WAITING)), [f"keys/{ties.key}"])
        tx.leave_key_line(job, ties.key)
        tx.add_active(job.spec.queue, ties.key, 1)
        links = links._replace(key=Line.HOLDING)
    if ties.resources and links.claims is not Line.HOLDING:
        waited = links.claims is Line.WAITING
        ahead = tx.ahead(job.seq, ties.resources)
        if ahead is not None:
            tx.wait_behind(job.seq, ties.resources, ahead, already=waited)
            waiting = job.evolve(links=links._replace(claims=Line.WAITING))
            return _blocked(waiting, _contested(tx, ties.resources, ahead))
        tx.hold(job.seq, ties.resources, waited=waited)
        links = links._replace(claims=Line.HOLDING)
    turn = tx.next_turn(job.spec.queue, ties.key) if ties.key else tx.turn(job.spec.queue)
    return job.evolve(state=State.QUEUED, blocked_by=(), links=links._replace(turn=turn))


def leave(tx: Transaction, job: Job) -> tuple[Links, list[int]]:
    """The job's links without all that it holds or stands in line for; and the seqs of those to be looked at again."""
    ties = job.spec.ties
    assert ties is not None
    links = job.links
    woken: list[int] = []
    if links.claims is not Line.OUT:
        woken += tx.leave_line(job.seq)
    if links.key is not Line.OUT:
        if links.key is Line.HOLDING:
            tx.add_active(job.spec.queue, ties.key, -1)
        else:
            tx.leave_key_line(job, ties.key)
        first = tx.first_for_key(job.spec.queue, ties.key)
        if first is not None:
            woken.append(first)
    return links._replace(turn=0, key=Line.OUT, claims=Line.OUT), woken


def _has_key_slot(tx: Transaction, queue: Queue, job: Job, key: str) -> bool:
    """Whether one of the key's slots is free for the job; if not, it is in the key's line from now."""
    if queue.slots_per_key is None:
        return True
    tx.wait_for_key(job, key)
    # A slot that is free belongs to the first in the line, who is about to be looked at.
    free = tx.key_active(job.spec.queue, key) < queue.slots_per_key
    return free and tx.first_for_key(job.spec.queue, key) == job.seq


def _blocked(job: Job, names: list[str]) -> Job:
    return job.evolve(state=State.BLOCKED, blocked_by=tuple(names))


def _contested(tx: Transaction, claims: tuple[Claim, ...], ahead: int) -> list[str]:
    """Those of `claims` that conflict with the job `ahead`."""
    other = tx.by_seq(ahead)
    assert other is not None
    assert other.spec.ties is not None
    theirs = other.spec.ties.resources
    return [f"resources/{claim.name}" for claim in claims if any(claim.conflicts(one) for one in theirs)][:SHOWN]
