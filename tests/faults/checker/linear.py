"""Linearizability of the calls on one job, by Wing and Gong's search with Lowe's memory of what was tried.

A job is modelled as its callers see it, without the log: which states it may be in, and which revision it has at least.
Between two calls the service may take it on by itself, any number of steps. A call takes effect at one moment between
its invocation and its answer; one whose answer is unknown may take effect at any time later, or never. The calls are
linearizable if there is an order of them, in keeping with real time, in which each answer is one that the job could
have given.

A Delete with force has two moments: it asks the job to stop, and once it has stopped deletes it, unless somebody else
was faster. So it is two operations of one interval, FORCE and FORCE_DELETE; one that begins when the job is gone finds
no place for the first.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from tests.faults.checker.states import (
    BLOCKED,
    CANCELLED,
    FAILED,
    MOVES,
    QUEUED,
    RUNNING,
    SCHEDULED,
    SUCCEEDED,
    TERMINAL,
    WAITING,
)

ABSENT = 0
STOPPING = 8
"""RUNNING, with cancel_requested."""
DELETED = 9

_STEPS_LIMIT = 100_000


class What(Enum):
    """What a call does to the job."""

    CREATE = auto()
    READ = auto()
    CANCEL = auto()
    DELETE = auto()
    FORCE = auto()
    """The first part of a Delete with force that was answered: what does not run is gone, what runs is to stop."""
    FORCE_DELETE = auto()
    """The second part, or all of it where nobody knows the answer: the job is gone."""
    RETRY = auto()
    UPDATE = auto()


class Answered(Enum):
    """How a call was answered, where not with a copy of the job."""

    DONE = auto()
    GONE = auto()
    """NOT_FOUND."""
    REFUSED = auto()
    """Not in this state."""
    NOT_MADE = auto()
    """A submission that was refused because of something that is looked at for new jobs alone."""
    UNKNOWN = auto()


class Seen(NamedTuple):
    """The job in an answer; a RUNNING one with cancel_requested is STOPPING."""

    revision: int
    state: int


class Operation(NamedTuple):
    """A call on the job. `until` is infinite where nobody knows the answer."""

    what: What
    at: int
    until: float
    answer: Seen | Answered
    label: str = ""


class Freedom(NamedTuple):
    """What may happen to the job that none of its calls asked for: others asked for many jobs, or its time came."""

    create: bool = False
    cancel: bool = False
    retry: bool = False
    delete: bool = False


class _State(NamedTuple):
    """The job has had one of the states `mask` (bits) at `revision`. With `exact` that was a revision that was seen,
    and the job may be at it still; else it may have had a higher one."""

    revision: int
    mask: int
    exact: bool


_START = _State(0, 1 << ABSENT, True)


def _mask(*states: int) -> int:
    return sum(1 << state for state in {*states})


_WAITING = _mask(*WAITING)
_TERMINAL = _mask(*TERMINAL)
_RETRIABLE = _mask(FAILED, CANCELLED)
_UNCANCELLABLE = _mask(SUCCEEDED, FAILED)
_PRESENT = _mask(SCHEDULED, BLOCKED, QUEUED, RUNNING, STOPPING, SUCCEEDED, FAILED, CANCELLED)
_DONE_ALREADY = {What.FORCE: _mask(STOPPING), What.FORCE_DELETE: _mask(DELETED)}


def _bits(mask: int) -> Iterator[int]:
    return (state for state in range(DELETED + 1) if mask >> state & 1)


@cache
def _own_moves(state: int, freedom: Freedom) -> int:
    """Where the service may take a job from `state` in one step of its own."""
    if state == ABSENT:
        return _WAITING if freedom.create else 0
    if state == DELETED:
        return 0
    if state == STOPPING:
        return _mask(STOPPING, CANCELLED)
    if state in TERMINAL:
        again = _WAITING if freedom.retry and state != SUCCEEDED else 0
        return again | (_mask(DELETED) if freedom.delete else 0)
    # Progress, and something else that it is blocked by, are steps too.
    moves = _mask(*(MOVES[state] - {CANCELLED}), state)
    if freedom.cancel:
        moves |= _mask(STOPPING) if state == RUNNING else _mask(CANCELLED)
    return moves


@cache
def _some_steps(mask: int, freedom: Freedom) -> int:
    """Where it may be after one step or more."""
    found = 0
    fresh = mask
    while fresh:
        reached = 0
        for state in _bits(fresh):
            reached |= _own_moves(state, freedom)
        fresh = reached & ~found
        found |= reached
    return found


class Job:
    """What a job's callers may see."""

    def __init__(self, freedom: Freedom) -> None:
        self._freedom = freedom

    def after(self, state: _State, operation: Operation) -> list[_State]:
        """What the job may be once the operation has taken effect on it in `state`; nothing where it can't be answered
        like this."""
        answer = operation.answer
        if isinstance(answer, Seen):
            return self._seen(state, operation.what, answer)
        if answer is Answered.GONE:
            return self._narrow(state, _mask(DELETED))
        if answer is Answered.REFUSED:
            return self._narrow(state, _refusing(operation.what))
        if answer is Answered.NOT_MADE:
            return self._narrow(state, _mask(ABSENT))
        return self._done(state, operation.what)

    def _possible(self, state: _State) -> int:
        """Where it may be by now."""
        return state.mask | _some_steps(state.mask, self._freedom)

    def _narrow(self, state: _State, allowed: int) -> list[_State]:
        """It is in one of the states `allowed`."""
        found = []
        if state.mask & allowed:
            found.append(state._replace(mask=state.mask & allowed))
        moved = _some_steps(state.mask, self._freedom) & allowed
        if moved:
            found.append(_State(state.revision + state.exact, moved, False))
        return found

    def _seen(self, state: _State, what: What, seen: Seen) -> list[_State]:
        bit = 1 << seen.state
        shown = _State(seen.revision, bit, True)
        if what is not What.RETRY and not (what is What.CANCEL and seen.state not in (CANCELLED, STOPPING)):
            if state.exact and seen.revision == state.revision:
                if bit == state.mask and what is not What.UPDATE:
                    return [shown]
            elif self._is_later(state, seen) and bit & self._reached(state):
                return [shown]
        before = self._possible(state)
        made = 0
        if what is What.CREATE and before >> ABSENT & 1:
            made = _WAITING | _some_steps(_WAITING, self._freedom)
        elif what is not What.CREATE:
            made = _effect(what, before)
        return [shown] if made & bit and self._is_later(state, seen) else []

    def _reached(self, state: _State) -> int:
        steps = _some_steps(state.mask, self._freedom)
        return steps if state.exact else steps | state.mask

    def _is_later(self, state: _State, seen: Seen) -> bool:
        return seen.revision >= state.revision + state.exact

    def _done(self, state: _State, what: What) -> list[_State]:
        """It took effect, and nobody saw the job after it."""
        before = self._possible(state)
        made = _WAITING * (before >> ABSENT & 1) if what is What.CREATE else _effect(what, before)
        changed = [_State(state.revision + 1, made, False)] if made else []
        # Others may have brought it there.
        return changed + self._narrow(state, _DONE_ALREADY.get(what, 0))


def _effect(what: What, before: int) -> int:
    """What comes of a job that is in one of the states `before`."""
    if what is What.CANCEL:
        return (_mask(CANCELLED) if before & _WAITING else 0) | (_mask(STOPPING) if before >> RUNNING & 1 else 0)
    if what is What.DELETE:
        return _mask(DELETED) if before & _TERMINAL else 0
    if what is What.FORCE:
        gone = before & (_WAITING | _TERMINAL)
        return (_mask(DELETED) if gone else 0) | (_mask(STOPPING) if before >> RUNNING & 1 else 0)
    if what is What.FORCE_DELETE:
        return _mask(DELETED) if before & _PRESENT else 0
    if what is What.RETRY:
        return _WAITING if before & _RETRIABLE else 0
    if what is What.UPDATE:
        return _WAITING if before & _WAITING else 0
    return 0


def _refusing(what: What) -> int:
    """In which states the call is refused. Retry, Update and Delete are refused for other reasons too."""
    return _UNCANCELLABLE if what is What.CANCEL else _PRESENT


class Undecided(Exception):
    """The search took too long."""


def explain(operations: Sequence[Operation], freedom: Freedom) -> str:
    """Why the calls on a job are not linearizable; empty where they are.

    Raises Undecided.
    """
    search = _Search(operations, Job(freedom))
    return "" if search.run() else search.stuck()


class _Search:
    """Depth first: an operation may be the next one if none that is left was answered before it was invoked.

    Three things keep it short. Revisions only grow, so what saw an older one comes first. What sees the very revision
    that the job is known to have changes nothing, and can't be wrong as the next. And of calls without an answer that
    do the same, one is as good as another.
    """

    def __init__(self, operations: Sequence[Operation], job: Job) -> None:
        self._job = job
        in_order = sorted(operations, key=lambda one: (one.at, one.until))
        answered = [one for one in in_order if one.until < math.inf]
        # Without an answer, what would only have been read tells nothing.
        unanswered = [one for one in in_order if one.until == math.inf and one.what is not What.READ]
        self._operations = [*answered, *unanswered]
        self._answered = len(answered)
        self._must = (1 << len(answered)) - 1
        seen = [(one.answer.revision, number) for number, one in enumerate(answered) if isinstance(one.answer, Seen)]
        self._seen = sorted(seen)
        self._deepest = (-1, 0, _START)

    def run(self) -> bool:
        """Whether there is an order. Raises Undecided."""
        tried: set[tuple[int, _State]] = set()
        pending = [(0, _START)]
        while pending:
            done, state = pending.pop()
            if done & self._must == self._must:
                return True
            if (done, state) in tried:
                continue
            tried.add((done, state))
            if len(tried) > _STEPS_LIMIT:
                raise Undecided
            depth = (done & self._must).bit_count()
            if depth > self._deepest[0]:
                self._deepest = depth, done, state
            pending += self._steps(done, state)
        return False

    def _steps(self, done: int, state: _State) -> list[tuple[int, _State]]:
        """Where it may go on from here; what is to be tried first comes last."""
        oldest = self._oldest(done, state)
        steps = []
        for number in self._next(done):
            operation = self._operations[number]
            if isinstance(operation.answer, Seen) and operation.answer.revision > oldest:
                continue
            for after in self._job.after(state, operation):
                if after.revision <= oldest:
                    steps.append((done | 1 << number, after))
                if after == state and state.exact and isinstance(operation.answer, Seen):
                    return [(done | 1 << number, after)]
        # Mostly calls take effect in the order in which they were made.
        steps.reverse()
        return steps

    def _oldest(self, done: int, state: _State) -> float:
        """The lowest revision that an answer shows which is left; those below the job's are not."""
        place = bisect_left(self._seen, (state.revision, 0))
        while place < len(self._seen) and done >> self._seen[place][1] & 1:
            place += 1
        return self._seen[place][0] if place < len(self._seen) else math.inf

    def _next(self, done: int) -> list[int]:
        """Those that may come next: the answered ones, then the others."""
        found = []
        earliest = math.inf
        number = ((done + 1) & ~done).bit_length() - 1
        while number < self._answered and self._operations[number].at <= earliest:
            if not done >> number & 1:
                found.append(number)
                earliest = min(earliest, self._operations[number].until)
            number += 1
        kinds = set()
        for number in range(self._answered, len(self._operations)):
            one = self._operations[number]
            if one.at > earliest:
                break
            if not done >> number & 1 and one.what not in kinds:
                kinds.add(one.what)
                found.append(number)
        return found

    def stuck(self) -> str:
        """Where the best try ended."""
        _, done, state = self._deepest
        left = [self._operations[number] for number in self._next(done)]
        calls = ", ".join(f"{one.label or one.what.name} answered {_text(one.answer)}" for one in left[:5])
        return f"after {_text(Seen(state.revision, next(_bits(state.mask))))}: none of {calls} can be the next"


def _text(answer: Seen | Answered) -> str:
    if isinstance(answer, Answered):
        return answer.name
    names = {ABSENT: "nothing", STOPPING: "STOPPING", DELETED: "DELETED"}
    from_state = names.get(answer.state) or _NAMES[answer.state]
    return f"{from_state} at revision {answer.revision}"


_NAMES = {
    SCHEDULED: "SCHEDULED",
    BLOCKED: "BLOCKED",
    QUEUED: "QUEUED",
    RUNNING: "RUNNING",
    SUCCEEDED: "SUCCEEDED",
    FAILED: "FAILED",
    CANCELLED: "CANCELLED",
}
