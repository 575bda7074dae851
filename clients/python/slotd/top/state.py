"""What the view shows: a plain object that is fed with events and answers. No input or output happens here."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto

from google.protobuf.timestamp_pb2 import Timestamp

from slotd import v1
from slotd.progress import TERMINAL_STATES
from slotd.top.window import LastMinute

ENDED_KEPT = 200
"""How many of the jobs that ended last are kept. Running ones all are: there are no more than slots."""


class Link(Enum):
    """How the view is connected."""

    CONNECTING = auto()
    """It has not heard of the service yet."""
    LIVE = auto()
    """It knows all that happens."""
    AWAY = auto()
    """It knows how things were; see State.problem."""


@dataclass(frozen=True)
class Answers:
    """What the service answers when it is asked how its queues and slots are; servers and workers when they matter."""

    queues: Sequence[v1.Queue]
    slots: v1.ListSlotsResponse
    servers: Sequence[v1.Server] | None = None
    workers: Sequence[v1.Worker] | None = None


@dataclass
class State:
    """A service as the view knows it. `now` tells aware times, `clock` seconds that never go back."""

    address: str
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    clock: Callable[[], float] = time.monotonic
    link: Link = field(default=Link.CONNECTING, init=False)
    problem: str = field(default="", init=False)
    """Why it is not LIVE, in words."""
    revision: int = field(default=0, init=False)
    queues: Sequence[v1.Queue] = field(default=(), init=False)
    slots: v1.ListSlotsResponse = field(default_factory=v1.ListSlotsResponse, init=False)
    servers: dict[str, v1.Server] = field(default_factory=dict, init=False)
    """By id."""
    workers: dict[str, v1.Worker] = field(default_factory=dict, init=False)
    """By id."""
    running: dict[str, v1.Job] = field(default_factory=dict, init=False)
    """All jobs that run, by id."""
    ended: dict[str, v1.Job] = field(default_factory=dict, init=False)
    """The jobs that ended last, by id, oldest first."""

    def __post_init__(self) -> None:
        self.minute = LastMinute(self.clock)
        self._began = self._since = self.clock()
        self._synced = False

    @property
    def age(self) -> float:
        """Seconds since the view began."""
        return self.clock() - self._began

    @property
    def linked_for(self) -> float:
        """Seconds since `link` is what it is."""
        return self.clock() - self._since

    @property
    def server(self) -> v1.Server | None:
        """The server that answers; None before it has told."""
        return next((one for one in self.servers.values() if one.local), None)

    def begin(self, running: Iterable[v1.Job], ended: Iterable[v1.Job]) -> None:
        """Start anew from lists of jobs; what happened since comes with `apply`."""
        self.running = {job.id: job for job in running}
        self.revision = 0
        recent = sorted(ended, key=lambda job: _seconds(job.end_time))
        self.ended = {job.id: job for job in recent[-ENDED_KEPT:]}

    def answer(self, answers: Answers) -> None:
        """Take in how queues and slots are."""
        self.queues = answers.queues
        self.slots = answers.slots
        self.revision = max(self.revision, answers.slots.revision)
        if answers.servers is not None:
            self.servers = {one.id: one for one in answers.servers}
        if answers.workers is not None:
            self.workers = {one.id: one for one in answers.workers}

    def lost(self, problem: str) -> None:
        """The service can't be heard, for this reason."""
        self.problem = problem
        self._synced = False
        self._set(Link.AWAY)

    def apply(self, message: v1.StreamResponse) -> None:
        """Take in a message of the stream, which begins with what happened since `begin`, or since it was cut."""
        self.problem = ""
        self._set(Link.LIVE)
        for event in message.events:
            self._apply(event)
        self.revision = max(self.revision, message.revision)
        self._synced = self._synced or message.synced

    def knows_places(self) -> bool:
        """Whether every running job is on a server and a worker whose names are known."""
        return all(
            (not attempt.server or attempt.server in self.servers)
            and (not attempt.worker or attempt.worker in self.workers)
            for attempt in map(attempt_of, self.running.values())
        )

    def _apply(self, event: v1.JobEvent) -> None:
        job = event.job
        if self._synced and event.type != v1.EVENT_TYPE_DELETED:
            self._count(event)
        if event.type != v1.EVENT_TYPE_DELETED and job.state == v1.JOB_STATE_RUNNING:
            self.running[job.id] = job
        else:
            self.running.pop(job.id, None)
        if event.type == v1.EVENT_TYPE_DELETED or job.state not in TERMINAL_STATES:
            self.ended.pop(job.id, None)
        elif event.previous_state not in TERMINAL_STATES:
            self._end(job)
        elif job.id in self.ended:
            self.ended[job.id] = job

    def _end(self, job: v1.Job) -> None:
        # The newest stands last.
        self.ended.pop(job.id, None)
        self.ended[job.id] = job
        if len(self.ended) > ENDED_KEPT:
            del self.ended[next(iter(self.ended))]

    def _count(self, event: v1.JobEvent) -> None:
        """Count what has just happened. What is only caught up with happened earlier: nobody knows in which second."""
        job, attempt = event.job, attempt_of(event.job)
        ended = job.state in TERMINAL_STATES and event.previous_state not in TERMINAL_STATES
        # Not so where it was cancelled between two attempts.
        ran = ended and attempt.HasField("end_time") and attempt.end_time == job.end_time
        if (ran or job.state == v1.JOB_STATE_RUNNING) and job.id not in self.running and len(job.attempts) == 1:
            # Of later attempts it isn't told since when they could have started.
            due = max(_seconds(job.create_time), _seconds(job.schedule_time))
            self.minute.waited(_seconds(attempt.start_time) - due)
        if ran:
            self.minute.ran(_seconds(attempt.end_time) - _seconds(attempt.start_time))
        if ended:
            self.minute.ended(job.spec.queue)

    def _set(self, link: Link) -> None:
        if self.link is not link:
            self.link = link
            self._since = self.clock()


def attempt_of(job: v1.Job) -> v1.Attempt:
    """The job's present or last attempt; an empty one before the first."""
    return job.attempts[-1] if job.attempts else v1.Attempt()


def _seconds(stamp: Timestamp) -> float:
    return stamp.seconds + stamp.nanos / 1e9
