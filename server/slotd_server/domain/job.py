"""The job, its parts, and how a failed attempt is followed by another. Times and durations are integers, microseconds
(since the epoch, UTC, where they are times)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from slotd_server.domain.states import State
from slotd_server.domain.ties import UNLINKED, Changed, Dependency, Links, Ties

SECOND = 1_000_000
"""Microseconds in a second."""

ATTEMPTS_KEPT = 32
"""How many of its attempts a job remembers."""


class Payload(NamedTuple):
    """Bytes and their media type."""

    content_type: str
    data: bytes


class RetryPolicy(NamedTuple):
    """When and how often a failed attempt is followed by another. Backoffs in microseconds, jitter from 0 to 1."""

    max_attempts: int
    initial_backoff: int
    max_backoff: int
    multiplier: float
    jitter: float

    def backoff(self, attempt: int, random: Callable[[], float]) -> int:
        """Microseconds to wait after failed attempt number `attempt` (from 1).

        `random` yields numbers in [0, 1). The cap holds for the wait before jitter and after it.
        """
        if self.initial_backoff == 0:
            return 0
        # Past 2**1023 a float overflows; the cap is reached long before.
        exponent = min(attempt - 1, 1_000)
        try:
            wait = min(self.initial_backoff * self.multiplier**exponent, self.max_backoff)
        except OverflowError:
            wait = self.max_backoff
        wait *= 1 + self.jitter * (2 * random() - 1)
        return min(round(wait), self.max_backoff)


class Spec(NamedTuple):
    """What is to be done, with everything filled in. `labels` are sorted pairs; None means without limit, and of `ties`
    that there are none, as with most jobs."""

    kind: str
    queue: str
    priority: int
    labels: tuple[tuple[str, str], ...]
    schedule_time: int | None
    timeout: int | None
    retry: RetryPolicy
    queue_timeout: int | None
    retention: int | None
    ties: Ties | None
    payload: Payload | None


class Progress(NamedTuple):
    """How far a running job has come; `total` 0 where nobody knows."""

    done: int
    total: int
    message: str


class Failure(NamedTuple):
    """Why an attempt did not succeed. `reason` is UPPER_SNAKE and one of those in `rpc/convert.py`."""

    reason: str
    message: str


class Attempt(NamedTuple):
    """One attempt; `end_time` is None while it runs, `failure` also where it succeeded. `server` is the boot id of the
    server that started it, `worker` the id of the worker that ran it; empty where the server did."""

    number: int
    start_time: int
    end_time: int | None
    failure: Failure | None
    server: str
    worker: str = ""


@lru_cache(maxsize=256)
def _by_target(depends_on: tuple[Dependency, ...]) -> Mapping[str, Dependency]:
    return {dependency.target: dependency for dependency in depends_on}


_TURNS = 40
"""Bits for the turn in a rank."""


def rank_below(priority: int) -> int:
    """The lowest rank that a job of a lower priority has."""
    return (1 - priority) << _TURNS


def priority_of(rank: int) -> int:
    """The priority of a job with this rank."""
    return -(rank >> _TURNS)


class Job(Struct, frozen=True, gc=False):
    """A job as it was at `revision`. A value: changing one makes another. A Struct and no tuple, because copies of so
    many fields are made several times in a job's life, and this is four times as fast.

    `seq` is the revision that created it, so its order is that of submission in every store. `fence` counts its claims,
    over retries and snoozes too, and never repeats: with `owner`, the boot id of the server that has it, it guards
    every write of an attempt. `lingering` is true while the function of its last attempt outlives that attempt
    on server `owner`. `due_time` is when something happens to it by itself. `traceparent` is the span that submitted
    it, as W3C Trace Context has it.
    """

    seq: int
    id: str
    spec: Spec
    state: State
    revision: int
    create_time: int
    attempt: int = 0
    fence: int = 0
    owner: str = ""
    lingering: bool = False
    cancel_requested: bool = False
    schedule_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    expire_time: int | None = None
    due_time: int | None = None
    progress: Progress | None = None
    failure: Failure | None = None
    attempts: tuple[Attempt, ...] = ()
    blocked_by: tuple[str, ...] = ()
    output_size: int = 0
    output_truncated: bool = False
    links: Links = UNLINKED
    traceparent: str = ""
    result: Payload | None = None
    request_id: str = ""

    @property
    def rank(self) -> int:
        """Orders the jobs of a queue: by falling priority, then by turn. Equal ones go in order of submission."""
        return self.links.turn - (self.spec.priority << _TURNS)

    @property
    def could_start(self) -> int:
        """When its present attempt could have begun, as far as the job tells: when it was submitted, the attempt before
        had ended, or the time that it waited for last (its schedule_time, or the end of a backoff) had come."""
        before = self.attempts[-2].end_time if len(self.attempts) > 1 else None
        return max(before or self.create_time, self.schedule_time or 0)

    @property
    def edges(self) -> Mapping[str, Dependency]:
        """What the job depends on, by target."""
        return {} if self.spec.ties is None else _by_target(self.spec.ties.depends_on)

    def changed_by(self, changed: Changed) -> "Job":
        """The job with what Update has made of its spec."""
        spec = self.spec._replace(
            queue=changed.queue, priority=changed.priority, labels=changed.labels, schedule_time=changed.schedule_time
        )
        return self.evolve(spec=spec, links=self.links._replace(changed=changed))

    def evolve(self, **changes: Any) -> "Job":
        """The job with some fields changed."""
        return replace(self, **changes)
