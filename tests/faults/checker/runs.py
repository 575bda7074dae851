"""Rules about the functions that handlers ran, against the claims that the log has."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from tests.faults.checker.log import DELETED, Log
from tests.faults.checker.records import Down, EventCopy, JobCopy, Limit, Returned, Started, Up
from tests.faults.checker.resources import Claims
from tests.faults.checker.states import RUNNING, SUCCEEDED
from tests.faults.checker.verdicts import Verdicts

_LOST = "SERVER_LOST"


@dataclass(slots=True)
class _Claim:
    """An attempt that was claimed: where, and how it ended."""

    server: str
    succeeded: bool = False
    reason: str = ""


@dataclass(slots=True)
class _Run:
    """A call of a handler's function. `end` is the last time at which it is known to have been at work; only where it
    `returned` did it end then."""

    job: str
    attempt: int
    pid: int
    start: int
    end: int
    returned: bool = False
    ok: bool = False


class _Edge(NamedTuple):
    """A run begins or ends; at one time ends come first."""

    at: int
    begins: bool
    run: int


class Runs:
    """First fed with everything, then asked for a verdict."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._claims: dict[tuple[str, int], list[_Claim]] = {}
        self._runs: list[_Run] = []
        self._open: dict[tuple[int, str, int], _Run] = {}
        self._heard: dict[int, int] = {}
        self._kinds: set[str] = set()
        self._servers: dict[int, set[str]] = {}
        self._downs: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def claim(self, event: EventCopy, before: JobCopy | None) -> None:
        """The next event of the log."""
        job = event.job
        if before is None or event.type == DELETED or not job.attempts or before.state == job.state:
            return
        if job.state == RUNNING:
            self._claims.setdefault((intern(job.id), job.attempt), []).append(_Claim(job.attempts[-1].server))
        elif before.state == RUNNING and (claims := self._claims.get((job.id, before.attempt))):
            claims[-1].succeeded = job.state == SUCCEEDED
            claims[-1].reason = job.attempts[-1].reason

    def up(self, up: Up) -> None:
        """A server has a process."""
        self._servers.setdefault(up.pid, set()).add(up.server)

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

    def check(self, log: Log, limits: list[Limit], told: dict[str, int]) -> None:
        """All of it, with the whole log."""
        for run in self._runs:
            if not run.returned:
                # It is at work for as long as its process is heard of.
                downs = [at for at in self._downs.get(run.pid, ()) if at >= run.start]
                run.end = min([self._heard[run.pid], *downs])
        by_attempt: dict[tuple[str, int], list[_Run]] = {}
        for run in self._runs:
            by_attempt.setdefault((run.job, run.attempt), []).append(run)
        lost = self._check_claimed(by_attempt)
        self._check_finished(log, by_attempt)
        self._check_at_once(log, lost)
        self._check_slots(log, limits, told, lost)

    def _check_claimed(self, by_attempt: dict[tuple[str, int], list[_Run]]) -> set[int]:
        """→ the runs, by identity, whose attempt may have been taken away while they went on: of a server that was
        taken for dead, all that did not succeed."""
        gone = {claim.server for claims in self._claims.values() for claim in claims if claim.reason == _LOST}
        lost = set()
        for (job, attempt), runs in by_attempt.items():
            claims = self._claims.get((job, attempt), [])
            if len(runs) > len(claims):
                what = f"attempt {attempt} of {job} ran {len(runs)} times and was claimed {len(claims)} times"
                self._verdicts.add("run-unclaimed", what)
            known = Counter(claim.server for claim in claims)
            ran = Counter(server for run in runs for server in self._server(run))
            for server, times in (ran - known).items():
                if all(self._server(run) for run in runs):
                    what = f"attempt {attempt} of {job} ran {times} times on server {server}, which had not claimed it"
                    self._verdicts.add("run-unclaimed", what)
            if any(claim.server in gone and claim.reason for claim in claims):
                lost |= {id(run) for run in runs}
        return lost

    def _server(self, run: _Run) -> set[str]:
        """The server that it ran on, where that is known for sure."""
        servers = self._servers.get(run.pid, set())
        return servers if len(servers) == 1 else set()

    def _check_finished(self, log: Log, by_attempt: dict[tuple[str, int], list[_Run]]) -> None:
        for (job, attempt), claims in self._claims.items():
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

    def _check_slots(self, log: Log, limits: list[Limit], told: dict[str, int], lost: set[int]) -> None:
        servers = told | {limit.server: limit.slots for limit in limits if limit.server and limit.slots >= 0}
        queues = {limit.queue: limit.slots for limit in limits if limit.queue and limit.slots >= 0}
        now: Counter[str] = Counter()
        most: Counter[str] = Counter()
        for _, begins, number in self._edges(lambda run: True):
            run = self._runs[number]
            names = [f"server {server}" for server in self._server(run)]
            job = log.numbers.get(run.job)
            if job is not None and id(run) not in lost:
                names.append(f"queue {log.spec(log.last[job]).queue}")
            for name in names:
                now[name] += 1 if begins else -1
                most[name] = max(most[name], now[name])
        allowed = {f"server {name}": slots for name, slots in servers.items()}
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
