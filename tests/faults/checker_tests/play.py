"""Histories of the toy service: clients, subscribers and handlers as chance moves them, one step after the other."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from slotd.v1 import (
    DELIVERY_LATEST,
    EVENT_TYPE_CHANGED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_LEFT_FILTER,
    EVENT_TYPE_SNAPSHOT,
)
from tests.faults.checker import records
from tests.faults.checker.records import (
    FORMAT,
    MODULUS,
    Answer,
    Asked,
    Call,
    Error,
    EventCopy,
    JobCopy,
    Line,
    Message,
    SpecCopy,
    Subscribe,
    event_digest,
)
from tests.faults.checker.states import RUNNING, TERMINAL
from tests.faults.checker_tests.model import KEYED, NARROW, SLOTS, Refused, Stopping, Toy, lingers, place_of, some_spec

_LATEST = int(DELIVERY_LATEST)

CLIENTS = 3

LEASE = 30 * 10**9
"""Of workers, in nanoseconds."""

_FORCED = "force-Delete"
_METHODS = ["Submit", "Submit", "SubmitBatch", "Again", "Get", "Get", "List", "Cancel", "Retry", "Delete", _FORCED]
"""What a client asks, as often; `Again` repeats an earlier submission."""


@dataclass
class History:
    """What was recorded, by file: `log`, `clients`, `subscribers`, `handlers`, `servers`, `workers`."""

    files: dict[str, list[Line]] = field(default_factory=dict)

    def write(self, folder: Path) -> list[Path]:
        """Writes the files. → where they are."""
        paths = []
        for name, lines in self.files.items():
            path = folder / f"{name}.jsonl"
            path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            paths.append(path)
        return paths


@dataclass
class _Pending:
    """A call that has no answer yet: `act` is None once it has taken effect, with what came of it."""

    client: str
    number: int
    act: Callable[[], tuple[JobCopy, ...]] | None
    jobs: tuple[JobCopy, ...] | None = None
    refused: tuple[str, str] | None = None
    page: bool = False


@dataclass
class _Subscriber:
    asked: Subscribe
    file: str
    number: int = 0
    position: int | None = None
    open: bool = False


def play(chance: Random, steps: int, bug: str = "") -> History:
    """So many steps, after which all subscribers have been told everything."""
    return _Play(chance, bug).run(steps)


class _Play:
    def __init__(self, chance: Random, bug: str) -> None:
        self._chance = chance
        self._toy = Toy(chance, bug)
        self._at = 0
        self._history = History()
        self._known: list[str] = []
        self._requests: list[list[tuple[Asked, SpecCopy]]] = []
        self._numbers = [0] * CLIENTS
        self._pending: dict[str, _Pending] = {}
        self._lost: list[_Pending] = []
        self._running: dict[str, tuple[int, int]] = {}
        """By job: the process and the attempt of the function that is at work."""
        self._fences: Counter[str] = Counter()
        """How often each job was claimed."""
        self._held: dict[str, set[records.Lease]] = {}
        """By worker."""
        self._streams = 0
        for name in ("log", "clients", "subscribers", "handlers", "servers", "workers"):
            self._write(name, records.Recorder(FORMAT, name, 1, "clock", self._now(), 0))
        for number in range(2):
            self._note_up(number)
            self._note_joined(number)
        self._write("servers", records.Limit(queue=NARROW, slots=1))
        self._write("servers", records.Limit(queue=KEYED, slots_per_key=1))
        self._subscribers = [
            self._subscriber("log", log=True, file="log", after=0, include_progress=True),
            self._subscriber("digests", full=False, after=0, include_progress=True),
            self._subscriber("every", after=0),
            self._subscriber("narrow", queues=(NARROW,), include_progress=True),
            self._subscriber("running", states=(RUNNING,), full=False),
            self._subscriber("snapshot", full=False, include_progress=True),
            self._subscriber("latest", delivery=_LATEST, after=0),
        ]

    def run(self, steps: int) -> History:
        acts: tuple[tuple[Callable[[], None], int], ...] = (
            (self._begin_call, 8),
            (self._take_effect, 10),
            (self._answer, 10),
            (self._start, 8),
            (self._start_function, 8),
            (self._progress, 2),
            (self._finish, 6),
            (self._overrun, 1),
            (self._toy.fall_due, 2),
            (self._toy.fire, 1),
            (self._toy.meddle, 1),
            (self._lose_server, 1),
            (self._lose_worker, 1),
            (self._ledger, 1),
            (self._tell, 8),
            (self._cut, 1),
        )
        doers, weights = zip(*acts, strict=True)
        for _ in range(steps):
            self._at += 1
            (act,) = self._chance.choices(doers, weights)
            act()
        for subscriber in self._subscribers:
            self._tell_one(subscriber, math.inf)
        return self._history

    def _now(self) -> int:
        self._at += 1
        return self._at

    def _write(self, file: str, line: Line) -> None:
        self._history.files.setdefault(file, []).append(line)

    def _pick(self, choices: list[str]) -> str:
        return self._chance.choice(choices)

    # Clients.

    def _begin_call(self) -> None:
        number = self._chance.randrange(CLIENTS)
        client = f"client-{number}"
        if client in self._pending:
            return
        self._numbers[number] += 1
        method = self._pick(_METHODS)
        if method not in ("Submit", "SubmitBatch") and not self._known:
            method = "Submit"
        self._pending[client] = self._call(client, self._numbers[number], method)

    def _call(self, client: str, number: int, method: str) -> _Pending:
        ids: tuple[str, ...] = ()
        asked: list[tuple[Asked, SpecCopy]] = []
        act: Callable[[], tuple[JobCopy, ...]]
        if method in ("Submit", "SubmitBatch", "Again"):
            asked = self._asked(f"{client}/{number}", method)
            method = "Submit" if len(asked) == 1 else "SubmitBatch"

            def act() -> tuple[JobCopy, ...]:
                return tuple(self._toy.submit(asked))
        elif method == "List":

            def act() -> tuple[JobCopy, ...]:
                return tuple(self._toy.jobs.values())
        else:
            running = [job.id for job in self._toy.running() if job.id in self._known]
            # What does not run is gone at once; two that wait for one job are of interest.
            ids = (self._pick(running[:1] if running and method == _FORCED else self._known),)
            act = self._act(method, ids[0])
        force = method == _FORCED
        questions = tuple(one for one, _ in asked)
        self._write("clients", Call(client, number, "Delete" if force else method, self._now(), ids, questions, force))
        return _Pending(client, number, act, page=method == "List")

    def _asked(self, name: str, method: str) -> list[tuple[Asked, SpecCopy]]:
        if method == "Again" and self._requests:
            return self._chance.choice(self._requests)
        asked = []
        for number in range(self._chance.randint(2, 4) if method == "SubmitBatch" else 1):
            request_id = f"{name}/{number}"
            spec = some_spec(self._chance, request_id, self._known[-20:])
            asked.append((Asked(request_id, spec.kind, 7, spec.unique_key), spec))
        self._requests.append(asked)
        return asked

    def _act(self, method: str, job_id: str) -> Callable[[], tuple[JobCopy, ...]]:
        if method == "Delete":

            def delete() -> tuple[JobCopy, ...]:
                self._toy.delete(job_id)
                return ()

            return delete
        if method == _FORCED:
            return self._force_delete(job_id)
        ask = {"Get": self._toy.get, "Cancel": self._cancel, "Retry": self._toy.retry}[method]
        return lambda: (ask(job_id),)

    def _force_delete(self, job_id: str) -> Callable[[], tuple[JobCopy, ...]]:
        asked = False

        def delete() -> tuple[JobCopy, ...]:
            nonlocal asked
            self._end_lingering(job_id)
            again, asked = asked, True
            self._toy.force_delete(job_id, again=again)
            return ()

        return delete

    def _cancel(self, job_id: str) -> JobCopy:
        self._end_lingering(job_id)
        return self._toy.cancel(job_id)

    def _end_lingering(self, job_id: str) -> None:
        job = self._toy.jobs.get(job_id)
        if job is not None and lingers(job) and job_id in self._running:
            # It hears that it is not wanted any more, and returns at once.
            self._return(job, ok=False)
            self._toy.let_go(job)

    def _take_effect(self) -> None:
        waiting = [one for one in [*self._pending.values(), *self._lost] if one.act is not None]
        if not waiting:
            return
        one = self._chance.choice(waiting)
        assert one.act is not None
        try:
            one.jobs = one.act()
        except Stopping:
            return
        except Refused as refused:
            one.refused = refused.args
        one.act = None

    def _answer(self) -> None:
        if not self._pending:
            return
        client = self._pick(sorted(self._pending))
        one = self._pending[client]
        if self._chance.random() < 0.1:
            # Whether or not it has taken effect, nobody will know; it may still.
            self._write("clients", Error(client, one.number, self._now(), "UNAVAILABLE"))
            self._lost.append(one)
        elif one.act is not None:
            return
        elif one.refused is not None:
            self._write("clients", Error(client, one.number, self._now(), *one.refused))
        else:
            jobs = tuple(msgspec.structs.replace(job, payload=7) for job in one.jobs or ())
            self._specs("clients", jobs)
            self._write("clients", Answer(client, one.number, self._now(), jobs, one.page))
            self._known += [job.id for job in jobs if job.id not in self._known]
        del self._pending[client]

    # The service and its handlers.

    def _start(self) -> None:
        job = self._toy.start()
        if job is None:
            return
        self._fences[job.id] += 1
        worker = job.attempts[-1].worker
        if worker:
            self._held[worker].add(self._lease(job))
            assigned = records.Assigned(job.id, self._fences[job.id], job.attempt)
            self._hear(worker, assigned=(assigned,))

    def _start_function(self) -> None:
        for job in self._toy.running():
            if job.id not in self._running and self._chance.random() < 0.8:
                pid, worker = self._pid(job), job.attempts[-1].worker
                self._running[job.id] = pid, job.attempt
                if worker:
                    lease = self._lease(job)
                    launched = records.Launched(worker, pid, self._now(), lease.job, lease.fence, job.attempt)
                    self._write("workers", launched)
                self._write("handlers", records.Started(pid, self._now(), job.id, job.attempt, self._kind(job)))
                return

    def _progress(self) -> None:
        if running := self._toy.running():
            self._toy.progress(self._chance.choice(running))

    def _finish(self) -> None:
        ready = [job for job in [*self._toy.running(), *self._toy.lingering()] if job.id in self._running]
        if not ready:
            return
        job = self._chance.choice(ready)
        reason = "" if self._chance.random() < 0.6 else "HANDLER_ERROR"
        self._return(job, ok=not reason)
        if lingers(job):
            self._toy.let_go(job)
        else:
            self._toy.finish(job, reason)
        if worker := job.attempts[-1].worker:
            self._hear(worker, settled=(self._lease(job),))

    def _overrun(self) -> None:
        for job in self._toy.running():
            left = job.attempt < self._toy.specs[job.spec].max_attempts
            if job.id in self._running and left and not job.cancel_requested:
                self._toy.overrun(job)
                return

    def _return(self, job: JobCopy, *, ok: bool) -> None:
        pid, attempt = self._running.pop(job.id)
        self._write("handlers", records.Returned(pid, self._now(), job.id, attempt, ok))
        if worker := job.attempts[-1].worker:
            lease = self._lease(job)
            self._held[worker].discard(lease)
            outcome = records.Outcome(lease.job, lease.fence, "succeeded" if ok else "failed")
            self._say(worker, finishes=(outcome,))

    def _lose_server(self) -> None:
        """Its worker goes on, and comes to the next one."""
        number = self._chance.randrange(2)
        gone = self._end_process(self._toy.boots[number])
        lost = self._toy.lose(number)
        self._running = {job: run for job, run in self._running.items() if run[0] != gone}
        for job in lost:
            self._toy.finish_late(job)
        self._note_up(number)
        worker = self._toy.workers[number]
        held = tuple(sorted(self._held[worker], key=lambda lease: (lease.job, lease.fence)))
        self._say(worker, hello=True, held=held)
        self._hear(worker, server=self._toy.boots[number], lease=LEASE, kept=held)
        self._say(worker, slots=SLOTS)

    def _lose_worker(self) -> None:
        number = self._chance.randrange(2)
        gone = self._end_process(self._toy.workers[number])
        self._toy.lose_worker(number)
        self._running = {job: run for job, run in self._running.items() if run[0] != gone}
        self._note_joined(number)

    def _end_process(self, place: str) -> int:
        """→ its pid."""
        pid = self._pid_of(place)
        self._write("servers", records.Down(pid, self._now()))
        return pid

    def _ledger(self) -> None:
        number = self._chance.randrange(2)
        boot, worker = self._toy.boots[number], self._toy.workers[number]
        holders: list[records.Holder] = []
        pools: list[records.PoolCopy] = []
        for place in (boot, worker):
            running = [job for job in self._toy.running() if place_of(job) == place]
            zombies = [job for job in self._toy.lingering() if place_of(job) == place]
            pool = place if place == worker else ""
            holders += [records.Holder(job.id, job.attempt, job in zombies, pool) for job in [*running, *zombies]]
            free = SLOTS - len(running) - len(zombies)
            pools.append(records.PoolCopy(pool, SLOTS, free, len(running), len(zombies)))
        self._write(
            "servers",
            records.LedgerCopy(
                boot,
                self._toy.revision,
                2 * SLOTS,
                sum(pool.free for pool in pools),
                sum(pool.running for pool in pools),
                sum(pool.zombie for pool in pools),
                self._now(),
                SLOTS,
                tuple(holders),
                tuple(pools),
            ),
        )

    def _note_joined(self, number: int) -> None:
        worker = self._toy.workers[number]
        self._held[worker] = set()
        self._write("workers", records.Joined(worker, self._pid_of(worker), self._now(), SLOTS))
        self._say(worker, hello=True, slots=SLOTS)
        self._hear(worker, server=self._toy.boots[number], lease=LEASE)

    def _say(self, worker: str, **what: Any) -> None:
        self._write("workers", records.Said(worker, self._pid_of(worker), self._now(), **what))

    def _hear(self, worker: str, **what: Any) -> None:
        self._write("workers", records.Heard(worker, self._pid_of(worker), self._now(), **what))

    def _lease(self, job: JobCopy) -> records.Lease:
        """Of the job's last claim."""
        return records.Lease(job.id, self._fences[job.id])

    def _note_up(self, number: int) -> None:
        boot = self._toy.boots[number]
        self._write("servers", records.Up(boot, self._pid_of(boot), self._now()))
        copies = tuple(records.ServerCopy(one, slots=SLOTS, local=one == boot) for one in self._toy.boots)
        self._write("servers", records.Servers(self._now(), copies))

    def _pid(self, job: JobCopy) -> int:
        return self._pid_of(place_of(job))

    def _pid_of(self, place: str) -> int:
        kind, _, number = place.partition("-")
        return {"boot": 1000, "worker": 2000}[kind] + int(number)

    def _kind(self, job: JobCopy) -> str:
        return self._toy.specs[job.spec].kind

    # Subscribers.

    def _subscriber(
        self, name: str, *, file: str = "subscribers", after: int | None = None, **asked: object
    ) -> _Subscriber:
        template = msgspec.structs.replace(Subscribe(name, 0, 0, after), **asked)
        return _Subscriber(template, file, position=after)

    def _tell(self) -> None:
        self._tell_one(self._chance.choice(self._subscribers), self._chance.randint(1, 20))

    def _cut(self) -> None:
        subscriber = self._chance.choice(self._subscribers)
        if subscriber.open:
            self._write(subscriber.file, records.Ended(subscriber.number, self._now(), "UNAVAILABLE"))
            subscriber.open = False

    def _tell_one(self, subscriber: _Subscriber, many: float) -> None:
        asked = subscriber.asked
        if not subscriber.open:
            self._streams += 1
            subscriber.number, subscriber.open = self._streams, True
            fresh = msgspec.structs.replace(asked, number=subscriber.number, at=self._now(), after=subscriber.position)
            self._write(subscriber.file, fresh)
            if subscriber.position is None:
                self._tell_snapshot(subscriber)
        assert subscriber.position is not None
        upto = int(min(subscriber.position + many, self._toy.revision))
        if upto < subscriber.position:
            # What it had been told is no more.
            return
        events = [told for event in self._toy.events[subscriber.position : upto] for told in self._seen(asked, event)]
        if asked.delivery == _LATEST:
            events = _newest(events)
        self._send(subscriber, upto, events)
        subscriber.position = upto

    def _tell_snapshot(self, subscriber: _Subscriber) -> None:
        asked, revision = subscriber.asked, self._toy.revision
        events = [
            EventCopy(job.revision, EVENT_TYPE_SNAPSHOT, job)
            for job in self._toy.jobs.values()
            if self._matches(asked, job, job.state)
        ]
        half = len(events) // 2
        for part in (events[:half], events[half:]):
            if part:
                self._send(subscriber, revision, part, snapshot=True)
        self._send(subscriber, revision, [], synced=True)
        subscriber.position = revision

    def _send(
        self,
        subscriber: _Subscriber,
        revision: int,
        events: list[EventCopy],
        *,
        snapshot: bool = False,
        synced: bool = False,
    ) -> None:
        self._specs(subscriber.file, tuple(event.job for event in events))
        message = Message(subscriber.number, self._now(), revision, synced, snapshot)
        if subscriber.asked.full:
            message = msgspec.structs.replace(message, events=tuple(events))
        else:
            total = sum(event_digest(event.job.digest, event.type, event.previous_state) for event in events)
            revisions = tuple(event.revision for event in events)
            if revisions and not snapshot and revisions[-1] - revisions[0] == len(revisions) - 1:
                revisions = (revisions[0], revisions[-1])
            message = msgspec.structs.replace(message, count=len(events), sum=total % MODULUS, revisions=revisions)
        self._write(subscriber.file, message)

    def _seen(self, asked: Subscribe, event: EventCopy) -> list[EventCopy]:
        if not asked.include_progress and self._is_quiet(event):
            return []
        if self._matches(asked, event.job, event.job.state):
            return [event]
        if event.type == EVENT_TYPE_CREATED or not self._matches(asked, event.job, event.previous_state):
            return []
        kind = event.type if event.type == EVENT_TYPE_DELETED else EVENT_TYPE_LEFT_FILTER
        return [msgspec.structs.replace(event, type=kind)]

    def _is_quiet(self, event: EventCopy) -> bool:
        """Whether it tells of progress alone."""
        if event.type != EVENT_TYPE_CHANGED or not event.previous_state == event.job.state == RUNNING:
            return False
        earlier = self._toy.events[: event.revision - 1]
        before = next(one.job for one in reversed(earlier) if one.job.id == event.job.id)
        return before.cancel_requested == event.job.cancel_requested

    def _matches(self, asked: Subscribe, job: JobCopy, state: int) -> bool:
        queue = self._toy.specs[job.spec].queue
        return (not asked.queues or queue in asked.queues) and (not asked.states or state in asked.states)

    def _specs(self, file: str, jobs: tuple[JobCopy, ...]) -> None:
        for job in jobs:
            self._write(file, self._toy.specs[job.spec])


def _newest(events: list[EventCopy]) -> list[EventCopy]:
    last = {event.job.id: event.revision for event in events}
    ends = {event.revision for event in events if event.job.state in TERMINAL}
    return [event for event in events if event.revision in ends or last[event.job.id] == event.revision]
