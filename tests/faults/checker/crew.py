"""Rules about workers: what each said to servers and heard from them, against the attempts that the log has."""

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.checker.attempts import Attempt, Attempts
from tests.faults.checker.records import Heard, Joined, Lease, Outcome, Said
from tests.faults.checker.verdicts import Verdicts

_SLACK = 100_000_000
"""By how many nanoseconds the servers' time of day and the monotonic clock may be apart."""

_LOST = "WORKER_LOST"
_TAKEN = frozenset({"SERVER_LOST", "SERVER_STOPPED"})
"""For reasons of its server no worker loses an attempt that has reached it."""
_GIVEN_BACK = "WORKER_STOPPED"
_OVERRULED = frozenset({_LOST, "CANCELLED", "TIMEOUT"})
"""Why an attempt may have ended before its function returned."""


@dataclass(slots=True)
class _Life:
    """One process with a worker's id. `held` is what takes up its slots by its own record, and `allowed` the most that
    it has offered on this connection: a smaller offer may not have arrived yet."""

    worker: str
    lease: int = 0
    allowed: int = 0
    welcome: bool = False
    left: bool = False
    held: set[Lease] = field(default_factory=set)
    heard_of: "array[int]" = field(default_factory=lambda: array("Q"))
    """When it said something on a connection on which it was welcome."""
    spoke: int = 0


@dataclass(slots=True)
class _Told:
    """Something that is compared with the log: a lease, by whom, when, and as what."""

    life: _Life
    lease: Lease
    at: int
    number: int = 0


class Crew:
    """First fed with everything, then asked for a verdict."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._lives: dict[tuple[str, int], _Life] = {}
        self._processes: Counter[str] = Counter()
        """By worker."""
        self._given: dict[Lease, _Told] = {}
        self._dropped: list[_Told] = []
        self._settled: list[_Told] = []
        self._outcomes: dict[Lease, dict[str, Outcome]] = {}
        """By lease, and by worker."""
        self.slots: dict[str, int] = {}
        """By worker."""
        self.absent: set[str] = set()
        """Those that were silent for so long that they may have been given up, and those of two processes at once."""

    def joined(self, joined: Joined) -> None:
        """A worker has a process."""
        self._processes[joined.worker] += 1
        if self._processes[joined.worker] > 1:
            self.absent.add(joined.worker)
        self._lives[joined.worker, joined.pid] = _Life(joined.worker)
        self.slots[joined.worker] = joined.slots

    def said(self, said: Said) -> None:
        """A worker speaks."""
        life = self._lives[said.worker, said.pid]
        if life.lease and said.at - life.spoke > life.lease // 2:
            self.absent.add(said.worker)
        life.spoke = said.at
        if said.hello:
            life.welcome, life.allowed, life.held = False, 0, set(said.held)
        elif life.welcome:
            life.heard_of.append(said.at)
        life.allowed = max(life.allowed, said.slots or 0)
        life.left = life.left or said.leave
        for one in said.finishes:
            lease = Lease(one.job, one.fence)
            life.held.discard(lease)
            self._outcomes.setdefault(lease, {})[said.worker] = one

    def heard(self, heard: Heard) -> None:
        """A worker is told something."""
        life = self._lives[heard.worker, heard.pid]
        if heard.server:
            life.welcome, life.lease = True, heard.lease
            self._dropped += [_Told(life, lease, heard.at) for lease in life.held - {*heard.kept}]
            life.held &= {*heard.kept}
            life.heard_of.append(heard.at)
        life.held -= {*heard.lost}
        self._settled += [_Told(life, lease, heard.at) for lease in heard.settled]
        for one in heard.assigned:
            lease = Lease(one.job, one.fence)
            life.held.add(lease)
            if lease in self._given:
                self._verdicts.add("worker-claim", f"claim {one.fence} of {one.job} was sent twice")
            self._given[lease] = _Told(life, lease, heard.at, one.attempt)
        if heard.assigned and len(life.held) > life.allowed:
            what = f"worker {heard.worker} had {len(life.held)} jobs, with {life.allowed} slots"
            self._verdicts.add("worker-slots", what)

    def check(self, attempts: Attempts, offset: int) -> None:
        """All of it, with the whole log; `offset` is what a time of day is ahead of the monotonic clock, in
        nanoseconds."""
        for told in self._given.values():
            self._check_given(told, attempts)
        for told in self._dropped:
            attempt = attempts.claim(*_key(told.lease))
            if not _had_ended(attempt, told.at + offset):
                self._verdicts.add("worker-lost", f"{_who(told)} was not the worker's any more, and had not ended")
        for told in self._settled:
            self._check_settled(told, attempts, offset)
        for job, claims in attempts.jobs().items():
            for number, attempt in enumerate(claims, 1):
                if attempt.worker in self.slots:
                    self._check_end(Lease(job, number), attempt, offset)

    def _check_given(self, told: _Told, attempts: Attempts) -> None:
        attempt = attempts.claim(*_key(told.lease))
        if attempt is None or (attempt.worker, attempt.number) != (told.life.worker, told.number):
            self._verdicts.add("worker-claim", f"{_who(told)} was sent and is not so in the log: {attempt}")

    def _check_settled(self, told: _Told, attempts: Attempts, offset: int) -> None:
        attempt = attempts.claim(*_key(told.lease))
        if not _had_ended(attempt, told.at + offset):
            self._verdicts.add("settled", f"{_who(told)} was settled, and had not ended")
            return
        outcome = self._outcomes.get(told.lease, {}).get(told.life.worker)
        assert attempt is not None
        said = outcome is not None and outcome.how == "succeeded"
        if said and not attempt.succeeded and attempt.reason not in _OVERRULED:
            self._verdicts.add("settled", f"{_who(told)} was done, and ended with {attempt.reason}")

    def _check_end(self, lease: Lease, attempt: Attempt, offset: int) -> None:
        """How an attempt of a worker ended."""
        who = f"claim {lease.fence} of {lease.job} on worker {attempt.worker}"
        outcome = self._outcomes.get(lease, {}).get(attempt.worker)
        if attempt.succeeded and (outcome is None or (outcome.how, outcome.result) != ("succeeded", attempt.result)):
            self._verdicts.add("settled", f"{who} succeeded, and the worker said {outcome}")
        told = self._given.get(lease)
        if told is None or not attempt.ended:
            return
        if attempt.reason in _TAKEN:
            self._verdicts.add("worker-lost", f"{who} ended with {attempt.reason}")
        released = outcome is not None and outcome.how == "released"
        if attempt.reason == _GIVEN_BACK and not released and not told.life.left:
            self._verdicts.add("worker-lost", f"{who} was given back, and not by the worker")
        if attempt.reason == _LOST and self._was_there(told.life, attempt.ended * 1000 - offset):
            self._verdicts.add("worker-lost", f"{who} was taken away, and the worker was there")

    def _was_there(self, life: _Life, at: int) -> bool:
        """Whether it was surely heard of less than a lease before; on a busy machine what it says may take a while."""
        if self._processes[life.worker] > 1:
            # The other process has said that it holds nothing.
            return False
        first = bisect_left(life.heard_of, at - life.lease * 2 // 3)
        return first < len(life.heard_of) and life.heard_of[first] < at - life.lease // 3


def _key(lease: Lease) -> tuple[str, int]:
    return lease.job, lease.fence


def _had_ended(attempt: Attempt | None, time: int) -> bool:
    return attempt is not None and 0 < attempt.ended * 1000 <= time + _SLACK


def _who(told: _Told) -> str:
    return f"claim {told.lease.fence} of {told.lease.job} on worker {told.life.worker}"
