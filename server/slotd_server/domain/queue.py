"""Queues, their counters, and where a spec's fields come from when it leaves them out."""

from enum import IntEnum
from typing import NamedTuple

from slotd_server.domain.job import SECOND, Payload, RetryPolicy, Spec
from slotd_server.domain.ties import Ties

DEFAULT_QUEUE = "default"


class Defaults(NamedTuple):
    """A layer of choices; None leaves the choice to the next layer. Durations in microseconds."""

    queue: str | None = None
    priority: int | None = None
    timeout: int | None = None
    queue_timeout: int | None = None
    retention: int | None = None
    max_attempts: int | None = None
    initial_backoff: int | None = None
    max_backoff: int | None = None
    multiplier: float | None = None
    jitter: float | None = None

    def over(self, below: "Defaults") -> "Defaults":
        """These choices, and those of `below` where there is none."""
        return Defaults._make(b if a is None else a for a, b in zip(self, below, strict=True))


BUILT_IN = Defaults(
    queue=DEFAULT_QUEUE,
    priority=0,
    max_attempts=3,
    initial_backoff=1 * SECOND,
    max_backoff=600 * SECOND,
    multiplier=2.0,
    jitter=0.1,
)
NOTHING = Defaults()


class Draft(NamedTuple):
    """A job as it was asked for. `fingerprint` identifies the content behind a `request_id`; `ref` is its name in its
    batch, by which dependencies in `ties` may name it that have no job_id yet; `traceparent` as in `Job`."""

    kind: str
    payload: Payload | None = None
    labels: tuple[tuple[str, str], ...] = ()
    schedule_time: int | None = None
    asked: Defaults = NOTHING
    request_id: str = ""
    fingerprint: bytes = b""
    ties: Ties | None = None
    ref: str = ""
    traceparent: str = ""

    def resolve(self, below: Defaults) -> Spec:
        """The spec that comes out when `below` (handler over queue over built-in) fills in what is left out."""
        chosen = below if self.asked is NOTHING else self.asked.over(below)
        # Every layer under the draft ends in BUILT_IN, which leaves none of these open.
        assert chosen.queue is not None
        assert chosen.priority is not None
        assert chosen.max_attempts is not None
        assert chosen.initial_backoff is not None
        assert chosen.max_backoff is not None
        assert chosen.multiplier is not None
        assert chosen.jitter is not None
        return Spec(
            kind=self.kind,
            queue=chosen.queue,
            priority=chosen.priority,
            labels=self.labels,
            schedule_time=self.schedule_time,
            timeout=chosen.timeout,
            retry=RetryPolicy(
                chosen.max_attempts, chosen.initial_backoff, chosen.max_backoff, chosen.multiplier, chosen.jitter
            ),
            queue_timeout=chosen.queue_timeout,
            retention=chosen.retention,
            ties=self.ties,
            payload=self.payload,
        )


class Rate(NamedTuple):
    """So many starts per second on the long run, and up to `burst` at once."""

    per_second: float
    burst: int = 1

    def allowance(self, arrival: int, now: int) -> tuple[int, int]:
        """How many may start at `now`, and when the next one may. `arrival` is the theoretical arrival time of the next
        start (the generic cell rate algorithm, ITU-T I.371); microseconds, as is `now`."""
        # One that was due long ago is due now: what was not used is saved up to the burst.
        earliest = max(arrival, now) - (self.burst - 1) * self._interval
        if now < earliest:
            return 0, earliest
        starts = (now - earliest) // self._interval + 1
        return starts, earliest + starts * self._interval

    def after_start(self, arrival: int, now: int) -> int:
        """The theoretical arrival time after a start at `now`."""
        return max(arrival, now) + self._interval

    def bounded(self, arrival: int, now: int) -> int:
        """The theoretical arrival time as it may be at `now`: where the clock was set back, or the rate raised, nothing
        is in debt by more than a full burst."""
        return min(arrival, now + self.burst * self._interval)

    @property
    def _interval(self) -> int:
        return max(round(SECOND / self.per_second), 1)


class Queue(NamedTuple):
    """A line of jobs. `slots`, `max_queued`, `slots_per_key`, `rate` and `retain_count` None mean without limit."""

    name: str
    slots: int | None = None
    paused: bool = False
    max_queued: int | None = None
    defaults: Defaults = NOTHING
    slots_per_key: int | None = None
    rate: Rate | None = None
    retain_count: int | None = None


class Held(NamedTuple):
    """How many slots of a queue are held, by running jobs and by functions that outlived their attempt."""

    running: int = 0
    zombie: int = 0

    @property
    def total(self) -> int:
        return self.running + self.zombie


class Counters(NamedTuple):
    """Jobs by state now, in the order of the states, then what ever happened. submitted = the first seven + deleted."""

    scheduled: int = 0
    blocked: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_cancelled: int = 0
    submitted: int = 0
    deleted: int = 0
    started: int = 0
    retried: int = 0

    @property
    def waiting(self) -> int:
        return self.scheduled + self.blocked + self.queued

    @property
    def completed(self) -> int:
        return self.total_succeeded + self.total_failed + self.total_cancelled

    def plus(self, other: "Counters") -> "Counters":
        return Counters._make(a + b for a, b in zip(self, other, strict=True))


ZERO = Counters()


TOTALS = Counters._fields.index("total_succeeded") - Counters._fields.index("succeeded")


class Count(IntEnum):
    """Positions in Counters. A state's gauge is at `state - 1`; its total, where it is terminal, TOTALS further."""

    SUBMITTED = 10
    DELETED = 11
    STARTED = 12
    RETRIED = 13
