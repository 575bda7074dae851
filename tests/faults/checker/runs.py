"""Rules about the functions that handlers ran, against the claims that the log has."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from tests.faults.checker.attempts import Attempt, Attempts
from tests.faults.checker.log import Log
from tests.faults.checker.records import Down, Joined, Launched, Limit, Returned, Started, Up
from tests.faults.checker.resources import Claims
from tests.faults.checker.verdicts import Verdicts

_LOST = frozenset({"SERVER_LOST", "WORKER_LOST"})


@dataclass(slots=True)
class _Run:
    """A call of a handler's function. `end` is the last time at which it is known to have been at work; only where it
    `returned` did it end then. `fence` is that of its claim, where a worker has noted it, else 0."""

    job: str
    attempt: int
    pid: int
    start: int
    end: int
    returned: bool = False
    ok: bool = False
    fence: int = 0


class _Edge(NamedTuple):
    """A run begins or ends; at one time ends come first."""

    at: int
    begins: bool
    run: int


class Runs:
    """First fed with everything, then asked for a verdict."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._runs: list[_Run] = []
        self._open: dict[tuple[int, str, int], _Run] = {}
        self._heard: dict[int, int] = {}
        self._kinds: set[str] = set()
        self._places: dict[int, set[str]] = {}
        self._launched: dict[tuple[int, str, int], list[int]] = {}
        self._downs: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def up(self, up: Up) -> None:
        """A server has a process."""
        self._places.setdefault(up.pid, set()).add(up.server)

    def joined(self, joined: Joined) -> None:
        """A worker has a process."""
        self._places.setdefault(joined.pid, set()).add(joined.worker)

    def launched(self, launched: Launched) -> None:
        """A worker is about to call a function."""
        key = launched.pid, intern(launched.job), launched.attempt
        self._launched.setdefault(key, []).append(launched.fence)

    def down(self, down: Down) -> None:
        """A process has ended."""
        self._downs.setdefault(down.pid, []).append(down.at)

    def started(self, started: Started) -> None:
        """A function has begun."""
        run = _Run(intern(started.job), started.attempt, started.pid, started.at, started.at)
        self._runs.append(run)
        self._open[started.pid, run.job, started.attempt] = run
        self._heard[started.pid] = max(started.at, self._heard.get(started.pid, 0))
        self._kinds.add(started.kind)

    def returned(self, returned: Returned) -> None:
        """A function is about to end."""
        self._heard[returned.pid] = max(returned.at, self._heard.get(returned.pid, 0))
        run = self._open.pop((returned.pid, returned.job, returned.attempt), None)
        if run is None:
            self._verdicts.add("run-unclaimed", f"attempt {returned.attempt} of {returned.job} ended without a start")
            return
        run.end, run.returned, run.ok = returned.at, True, returned.ok

    def check(self, log: Log, attempts: Attempts, limits: list[Limit], pools: dict[str, int], absent: set[str]) -> None:
        """All of it, with the whole log. `pools` has the slots of servers and workers; `absent` are workers that may
        have been given up."""
        for run in self._runs:
            if not run.returned:
                # It is at work for as long as its process is heard of.
                downs = [at for at in self._downs.get(run.pid, ()) if at >= run.start]
                run.end = min([self._heard[run.pid], *downs])
        self._find_fences()
        by_attempt: dict[tuple[str, int], list[_Run]] = {}
        for run in self._runs:
            by_attempt.setdefault((run.job, run.attempt), []).append(run)
        claims: dict[tuple[str, int], list[Attempt]] = {}
        for job, ones in attempts.jobs().items():
            for one in ones:
                claims.setdefault((job, one.number), []).append(one)
        self._check_claimed(by_attempt, claims)
        self._check_fences(attempts)
        self._check_finished(log, by_attempt, claims)
        lost = self._find_lost(attempts, claims, absent)
        self._check_at_once(log, lost)
        self._check_slots(log, limits, pools, lost)

    def _find_fences(self) -> None:
        """A worker's calls come in the order in which it said so."""
        left = {key: iter(fences) for key, fences in self._launched.items()}
        for run in self._runs:
            run.fence = next(left.get((run.pid, run.job, run.attempt), iter(())), 0)

    def _check_claimed(
        self, by_attempt: dict[tuple[str, int], list[_Run]], claimed: dict[tuple[str, int], list[Attempt]]
    ) -> None:
        for (job, attempt), runs in by_attempt.items():
            claims = claimed.get((job, attempt), [])
            if len(runs) > len(claims):
                what = f"attempt {attempt} of {job} ran {len(runs)} times and was claimed {len(claims)} times"
                self._verdicts.add("run-unclaimed", what)
            known = Counter(claim.place for claim in claims)
            ran = Counter(place for run in runs for place in self._place(run))
            for place, times in (ran - known).items():
                if all(self._place(run) for run in runs):
                    what = f"attempt {attempt} of {job} ran {times} times on {place}, which had not claimed it"
                    self._verdicts.add("run-unclaimed", what)

    def _check_fences(self, attempts: Attempts) -> None:
        """Where a worker has noted by which claim it calls a function, that is the worker's, and is called once."""
        called: set[tuple[str, int]] = set()
        for run in self._runs:
            if not run.fence:
                continue
            claim = attempts.claim(run.job, run.fence)
            if claim is None or {claim.worker} != self._place(run):
                what = f"claim {run.fence} of {run.job} ran on {self._place(run)}, and was not made there: {claim}"
                self._verdicts.add("run-unclaimed", what)
            if (run.job, run.fence) in called:
                self._verdicts.add("run-unclaimed", f"claim {run.fence} of {run.job} ran twice")
            called.add((run.job, run.fence))

    def _find_lost(
        self, attempts: Attempts, claimed: dict[tuple[str, int], list[Attempt]], absent: set[str]
    ) -> set[int]:
        """→ the runs, by identity, whose attempt may have been taken away while they went on: of a server that was
        taken for dead all that did not succeed, of a worker those that it lost, or that were cancelled meanwhile."""
        gone = {claim.place for claims in claimed.values() for claim in claims if claim.reason in _LOST} | absent
        lost = set()
        for run in self._runs:
            if run.fence:
                claim = attempts.claim(run.job, run.fence)
                taken = claim is not None and (
                    claim.reason in _LOST or (claim.reason == "CANCELLED" and claim.place in gone)
                )
            else:
                claims = claimed.get((run.job, run.attempt), ())
                taken = any(claim.place in gone and claim.reason and not claim.worker for claim in claims)
            if taken:
                lost.add(id(run))
        return lost

    def _place(self, run: _Run) -> set[str]:
        """The server or worker that it ran on, where that is known for sure."""
        places = self._places.get(run.pid, set())
        return places if len(places) == 1 else set()

    def _check_finished(
        self,
        log: Log,
        by_attempt: dict[tuple[str, int], list[_Run]],
        claimed: dict[tuple[str, int], list[Attempt]],
    ) -> None:
        for (job, attempt), claims in claimed.items():
            succeeded = sum(claim.succeeded for claim in claims)
            if succeeded and log.spec(log.last[log.numbers[job]]).kind in self._kinds:
                finished = sum(run.ok for run in by_attempt.get((job, attempt), ()))
                if finished < succeeded:
                    self._verdicts.add("run-unfinished", f"attempt {attempt} of {job} succeeded and did not finish")

    def _check_at_once(self, log: Log, lost: set[int]) -> None:
        """A run whose attempt was lost may go on beside the next: nobody can stop a machine that is not reached."""
        running: dict[str, set[int]] = {}
        claims = Claims()
        for _, begins, number in self._edges(lambda run: id(run) not in lost):
            run = self._runs[number]
            if not begins:
                running[run.job].discard(number)
                if not running[run.job]:
                    del running[run.job]
                    claims.release(run.job)
                continue
            others = running.setdefault(run.job, set())
            if others:
                other = self._runs[min(others)]
                what = f"attempts {other.attempt} and {run.attempt} of {run.job} ran at the same time"
                self._verdicts.add("run-overlap", what)
            others.add(number)
            self._check_claims(log, claims, run)

    def _check_claims(self, log: Log, claims: Claims, run: _Run) -> None:
        job = log.numbers.get(run.job)
        resources = () if job is None else log.spec(log.last[job]).resources
        if resources:
            conflict = claims.conflict(run.job, resources)
            if conflict is not None:
                self._verdicts.add("run-claims", f"{run.job} ran with {conflict[1]} while {conflict[0]} did")
            claims.hold(run.job, resources)

    def _check_slots(self, log: Log, limits: list[Limit], pools: dict[str, int], lost: set[int]) -> None:
        places = pools | {limit.server: limit.slots for limit in limits if limit.server and limit.slots >= 0}
        queues = {limit.queue: limit.slots for limit in limits if limit.queue and limit.slots >= 0}
        now: Counter[str] = Counter()
        most: Counter[str] = Counter()
        for _, begins, number in self._edges(lambda run: True):
            run = self._runs[number]
            # Of one worker's id there may be two processes, each with all its slots.
            names = [f"{place}, process {run.pid}" for place in self._place(run)]
            job = log.numbers.get(run.job)
            if job is not None and id(run) not in lost:
                names.append(f"queue {log.spec(log.last[job]).queue}")
            for name in names:
                now[name] += 1 if begins else -1
                most[name] = max(most[name], now[name])
        allowed = {
            f"{place}, process {pid}": places[place]
            for pid, found in self._places.items()
            for place in found
            if place in places
        }
        allowed |= {f"queue {name}": slots for name, slots in queues.items()}
        for name, count in most.items():
            if count > allowed.get(name, count):
                self._verdicts.add("run-slots", f"{count} functions ran in {name}, which has {allowed[name]} slots")

    def _edges(self, chosen: Callable[[_Run], bool]) -> Iterable[_Edge]:
        edges: list[_Edge] = []
        for number, run in enumerate(self._runs):
            if chosen(run):
                edges += _Edge(run.start, True, number), _Edge(run.end, False, number)
        # A run of no length ends after it has begun.
        edges.sort(key=lambda edge: (edge.at, edge.begins != (self._runs[edge.run].start == self._runs[edge.run].end)))
        return edges
