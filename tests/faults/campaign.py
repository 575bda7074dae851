"""One store's life: a service on it is killed again and again, and after each death everything is compared: what
clients were told, what a subscriber saw, what the store has, what the counters say, what the handlers noted."""

import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGKILL

import grpc

from slotd.v1 import (
    EVENT_TYPE_CREATED,
    EVENT_TYPE_SNAPSHOT,
    JOB_STATE_BLOCKED,
    JOB_STATE_FAILED,
    JOB_STATE_RUNNING,
    JOB_VIEW_FULL,
    OVERLAP_POLICY_ALLOW,
    BulkCancelRequest,
    GetGroupRequest,
    GetStatsRequest,
    Job,
    JobEvent,
    JobFilter,
    ListRequest,
    ListSlotsRequest,
    Schedule,
    ScheduleServiceDeleteRequest,
    ScheduleServiceGetRequest,
    ScheduleServiceStub,
    StreamRequest,
    UpdateSlotsRequest,
)
from tests.faults.clients import PATIENT, SCHEDULES, SLOTS_PER_KEY, Subscriber, Worker, prepare, send
from tests.faults.failpoints import POINTS
from tests.faults.history import STATE_NAMES, History, counted, reason
from tests.faults.process import HANDLERS, PATIENCE, ServerProcess
from tests.faults.ties import Ties
from tests.service import Endpoint

BY_PARENT = "any-moment"
BY_PARENT_EARLY = "while-starting"
DEATHS = (*POINTS, BY_PARENT, BY_PARENT, BY_PARENT_EARLY)
"""How a service may die: at a failpoint, or killed by the parent while it works or while it starts."""

_WORKERS = 3
_SLOTS = 4
_CHECKPOINT_BYTES = 64 << 10
_POINT_SECONDS = 2.0
"""How long to wait for a failpoint to be reached. A point that is not is no failure: the parent kills instead."""


@dataclass
class Counts:
    """What a campaign went through."""

    deaths: Counter[str]
    missed: int = 0
    submissions: int = 0
    unanswered: int = 0
    jobs: int = 0
    events: int = 0
    copies: int = 0
    calls: int = 0
    lost: int = 0
    firings: int = 0
    cascades: int = 0
    blocked: int = 0

    def __str__(self) -> str:
        kills = sum(self.deaths.values())
        by_point = ", ".join(f"{point} {number}" for point, number in sorted(self.deaths.items()))
        return (
            f"{kills} kills ({by_point}; {self.missed} points not reached); {self.submissions} submissions,"
            f" {self.unanswered} of them cut off; {self.jobs} jobs, {self.events} events,"
            f" {self.copies} acknowledged copies, {self.calls} calls of handlers,"
            f" {self.lost} attempts lost with their server; {self.firings} firings of schedules, {self.cascades} jobs"
            f" that failed with another, {self.blocked} times that what a job was BLOCKED on was looked up"
        )


class Campaign:
    """Deaths of services on one store file in `folder`."""

    def __init__(self, folder: Path, name: str, random: Random, counts: Counts) -> None:
        self._folder = folder
        self._name = name
        self._random = random
        self._counts = counts
        self._history = History()
        self._store = folder / f"{name}.db"
        self._trace = folder / f"{name}.trace"
        self._trace.touch()
        self._start = int(time.time()) - 3600
        self._prepared = False
        self._first_cursor = ""
        self._cursor = ""
        self._next = self._spawn()

    def run(self, deaths: Iterable[str]) -> None:
        """Dies each of these deaths, then lets all jobs end, and looks at everything once more."""
        for number, death in enumerate(deaths):
            self._live(number, death)
        self._end()

    def close(self) -> None:
        self._next.close()

    def _spawn(self) -> ServerProcess:
        return ServerProcess(self._folder / f"{self._name}.log", {"SLOTD_TRACE": str(self._trace)})

    def _begin(self, fault: str) -> ServerProcess:
        server, self._next = self._next, self._spawn()
        return server.begin(
            HANDLERS,
            fault=fault,
            checkpoint_bytes=_CHECKPOINT_BYTES,
            store=f"sqlite:///{self._store}",
            # Nothing starts before all has been looked at.
            slots=0,
            cancel_grace=0.2,
            report_interval=0.01,
        )

    def _live(self, number: int, death: str) -> None:
        """One service, from its start to its death."""
        at_point = death in POINTS
        # Checkpoints are rarer than the rest.
        passage = self._random.randint(1, 4 if "checkpoint" in death else 30)
        server = self._begin(f"{death}:{passage}" if at_point else "")
        try:
            if death == BY_PARENT_EARLY:
                self._die_within(server, self._random.uniform(0, 0.3))
            elif server.listening():
                self._work(server, number, _POINT_SECONDS if at_point else self._random.uniform(0, 0.4))
            assert server.wait() == -SIGKILL, f"it ended by itself:\n{server.log.read_text()[-4000:]}"
        finally:
            server.close()
        self._counts.deaths[death] += 1

    def _work(self, server: ServerProcess, number: int, seconds: float) -> None:
        at, subscriber, workers = server.connect(), None, []
        try:
            subscriber = self._subscribe(at)
            if not self._prepared:
                prepare(at, self._start)
                self._prepared = True
            self._look(at, subscriber)
            at.queues.UpdateSlots(UpdateSlotsRequest(slots=_SLOTS), timeout=PATIENCE)
            for index in range(_WORKERS):
                random = Random(self._random.getrandbits(64))
                workers.append(Worker(at, self._history, f"{self._name}-{number}-{index}", random))
            self._die_within(server, seconds)
        except ConnectionError:
            assert server.wait() == -SIGKILL
        except grpc.RpcError as error:
            # The point was reached while it was looked at: what could not be told is looked at next time.
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            assert server.wait() == -SIGKILL
        finally:
            if server.process.poll() is None:
                server.kill()
            for worker in workers:
                worker.join()
            if subscriber is not None:
                subscriber.join()
                self._cursor = subscriber.cursor

    def _die_within(self, server: ServerProcess, seconds: float) -> None:
        """Waits that long for it to die by itself, else kills it."""
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            self._counts.missed += seconds == _POINT_SECONDS
            server.kill()

    def _subscribe(self, at: Endpoint) -> Subscriber:
        """Goes on from the last cursor; the very first time from before the first job."""
        if not self._first_cursor:
            self._first_cursor = self._cursor = at.jobs.List(ListRequest(page_size=1), timeout=PATIENCE).cursor
        subscriber = Subscriber(at, self._history, self._cursor)
        subscriber.wait_synced()
        return subscriber

    def _look(self, at: Endpoint, subscriber: Subscriber) -> None:
        """Everything there is to check on a service that has just come back and starts nothing yet."""
        self._history.check()
        self._history.check_trace(self._trace)
        running = [job for job in self._history.log.view(len(self._history.log.events)).values() if _runs(job)]
        assert not running, f"they run, and nobody runs them: {running}"
        self._compare(at, subscriber)
        if self._prepared:
            self._check_schedules(at, subscriber)
        for submission in self._history.submissions:
            if submission.jobs is None:
                self._counts.unanswered += 1
                answered = send(at, self._history, submission)
                subscriber.wait_revision(max((job.revision for job in answered), default=0))
        self._history.check()

    def _compare(self, at: Endpoint, subscriber: Subscriber) -> None:
        """The store's jobs, counters and slots are those that the events make."""
        revision, jobs = _snapshot(at)
        subscriber.wait_revision(revision)
        events = self._history.log.events
        assert self._history.log.view(revision) == jobs
        created = {event.job.id: event.revision for event in events[:revision] if event.type == EVENT_TYPE_CREATED}
        Ties(jobs, created, SLOTS_PER_KEY).check()
        self._counts.blocked += sum(job.state == JOB_STATE_BLOCKED for job in jobs.values())
        for name in {job.spec.group for job in jobs.values() if job.spec.group}:
            self._check_group(at, subscriber, name)
        stats = at.queues.GetStats(GetStatsRequest(), timeout=PATIENCE)
        subscriber.wait_revision(stats.revision)
        assert counted(self._history.log.events[: stats.revision]) == stats.counters
        slots = at.queues.ListSlots(ListSlotsRequest(), timeout=PATIENCE)
        assert slots.free + slots.running + slots.zombie == slots.slots
        assert len(slots.holders) == slots.running + slots.zombie

    def _check_group(self, at: Endpoint, subscriber: Subscriber, name: str) -> None:
        """It is counted as it is."""
        answer = at.jobs.GetGroup(GetGroupRequest(name=name), timeout=PATIENCE)
        subscriber.wait_revision(answer.revision)
        jobs = self._history.log.view(answer.revision).values()
        states = Counter(job.state for job in jobs if job.spec.group == name)
        told = {state: getattr(answer.group, state_name) for state, state_name in STATE_NAMES.items()}
        assert {state: number for state, number in told.items() if number} == states

    def _check_schedules(self, at: Endpoint, subscriber: Subscriber) -> None:
        """Each time that has come has made one job, or was skipped as the policy says."""
        schedules = ScheduleServiceStub(at.channel)
        for name, overlap in SCHEDULES.items():
            request = ScheduleServiceGetRequest(name=name)
            schedule, revision = Schedule(), 0
            while (again := schedules.Get(request, timeout=PATIENCE).schedule) != schedule:
                # No firing between the two: the revision is one at which it was like this.
                schedule, revision = again, at.queues.GetStats(GetStatsRequest(), timeout=PATIENCE).revision
            subscriber.wait_revision(revision)
            events = self._history.log.events[:revision]
            fired = [event.job for event in events if event.type == EVENT_TYPE_CREATED and event.job.schedule == name]
            times = [job.fire_time.ToMicroseconds() for job in fired]
            assert times == sorted(set(times)), f"{name} fired twice for one time"
            assert len(times) == schedule.fire_count, f"{name} says that it made {schedule.fire_count}: {len(times)}"
            due = schedule.next_fire_times[0].ToMicroseconds() - _first_firing(schedule)
            assert schedule.fire_count + schedule.skip_count == due // 1_000_000, f"{name} left a time out"
            assert overlap != OVERLAP_POLICY_ALLOW or not schedule.skip_count

    def _end(self) -> None:
        """All jobs end, the service stops in peace, and the whole log, read anew, is what was seen piece by piece."""
        server = self._begin("")
        at = server.connect()
        try:
            subscriber = self._subscribe(at)
            self._look(at, subscriber)
            for name in SCHEDULES if self._prepared else ():
                ScheduleServiceStub(at.channel).Delete(ScheduleServiceDeleteRequest(name=name), timeout=PATIENCE)
            at.jobs.BulkCancel(BulkCancelRequest(filter=JobFilter(labels=PATIENT)), timeout=PATIENCE)
            at.queues.UpdateSlots(UpdateSlotsRequest(slots=2 * _SLOTS), timeout=PATIENCE)
            subscriber.wait_all_terminal()
            self._compare(at, subscriber)
            self._history.check()
            events = self._history.log.events
            assert _all_events(at, self._first_cursor) == events
            self._counts.calls += self._history.check_trace(self._trace)
            subscriber.close()
            assert server.terminate() == 0
        finally:
            server.close()
        with sqlite3.connect(self._store) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        self._counts.submissions += len(self._history.submissions)
        self._counts.copies += len(self._history.copies)
        self._counts.jobs += counted(events).submitted
        self._counts.events += len(events)
        self._counts.lost += self._history.log.lost
        self._counts.firings += sum(event.type == EVENT_TYPE_CREATED and bool(event.job.schedule) for event in events)
        self._counts.cascades += sum(
            event.job.state == JOB_STATE_FAILED != event.previous_state and reason(event.job) == "DEPENDENCY_FAILED"
            for event in events
        )


def _first_firing(schedule: Schedule) -> int:
    """The first time that it could fire for, in microseconds: counted in whole seconds from its start."""
    start, made = schedule.start_time.ToMicroseconds(), schedule.create_time.ToMicroseconds()
    return made - (made - start) % 1_000_000 + 1_000_000


def _runs(job: Job) -> bool:
    return job.state == JOB_STATE_RUNNING


def _snapshot(at: Endpoint) -> tuple[int, dict[str, Job]]:
    """All jobs as they are, and the revision at which they are so."""
    call = at.jobs.Stream(StreamRequest(view=JOB_VIEW_FULL, include_progress=True), timeout=PATIENCE)
    jobs: dict[str, Job] = {}
    for message in call:
        for event in message.events:
            assert event.type == EVENT_TYPE_SNAPSHOT
            jobs[event.job.id] = event.job
        if message.synced:
            call.cancel()
            return message.revision, jobs
    raise AssertionError("the snapshot has no end")


def _all_events(at: Endpoint, cursor: str) -> list[JobEvent]:
    call = at.jobs.Stream(StreamRequest(cursor=cursor, view=JOB_VIEW_FULL, include_progress=True), timeout=PATIENCE)
    events: list[JobEvent] = []
    for message in call:
        events.extend(message.events)
        if message.synced:
            call.cancel()
            return events
    raise AssertionError("the events have no end")
