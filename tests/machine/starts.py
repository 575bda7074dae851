"""A naive model of who starts next: turns of keys, shares of the lower priorities, rates. It is told of each job that
is QUEUED and of each start, and says whether that could be."""

from collections import Counter
from collections.abc import Mapping, Sequence

from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.queue import Queue, Rate
from tests.machine.orchestration import ties

ONE_IN = 10
"""One start in so many goes to a lower priority."""


class Starts:
    """`queues` are the model's own and change under it."""

    def __init__(self, queues: Mapping[str, Queue]) -> None:
        self._queues = queues
        # Theoretical arrival times, at least and at most: what is owed from before the clock was set back, or the rate
        # changed, is cut down once somebody looks, and nobody outside sees when that is.
        self._least: dict[str, float] = {}
        self._most: dict[str, float] = {}
        self._given: dict[tuple[str, str], int] = {}
        self._started: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        # By queue and kind: starts since a lower priority had one, and how many of them while one waited.
        self._since: Counter[tuple[str, str]] = Counter()
        self._passed_over: Counter[tuple[str, str]] = Counter()

    def restarted(self) -> None:
        """Shares of priorities are counted anew."""
        self._since.clear()
        self._passed_over.clear()

    def lets_start(self, queue: Queue, now: int) -> bool:
        """Whether the queue's rate may allow a start now."""
        return queue.rate is None or self._allows(self._least, queue.name, queue.rate, now)

    def has_to_let_start(self, queue: Queue, now: int) -> bool:
        """Whether the queue's rate allows a start now in any case."""
        return queue.rate is None or self._allows(self._most, queue.name, queue.rate, now)

    def looked_at(self, now: int) -> None:
        """A change has ended: what is owed may have been cut down."""
        for queue in self._queues.values():
            if queue.rate is not None:
                self._least[queue.name] = _bounded(self._least, queue.name, queue.rate, now)

    @staticmethod
    def _allows(arrivals: Mapping[str, float], queue: str, rate: Rate, now: int) -> bool:
        return now >= _bounded(arrivals, queue, rate, now) - (rate.burst - 1) * SECOND / rate.per_second

    def queued(self, job: Job) -> None:
        """The job has become QUEUED: it gets its turn."""
        queue, key = job.spec.queue, ties(job).key
        started = self._started.get(queue, 0)
        turn = job.links.turn
        if not key:
            assert turn == started, "a job without a key did not get the turn of the job last started"
        else:
            given = self._given.get((queue, key), 0)
            # A turn that has been overtaken may be forgotten.
            turns = {max(started, given + 1), max(started, 1)} if given <= started else {given + 1}
            assert turn in turns, f"turn {turn}, not one of {turns}"
            self._given[queue, key] = turn
        self._turns[job.id] = turn

    def check_start(self, job: Job, able: Sequence[Job], now: int) -> None:
        """Whether `job` may be the one of those that are `able` to start, and note that it has started."""
        queue, kind = job.spec.queue, job.spec.kind
        assert self.lets_start(self._queue(queue), now), "started faster than the queue's rate"
        same = [other for other in able if (other.spec.queue, other.spec.kind) == (queue, kind)]
        peers = [other for other in same if other.spec.priority == job.spec.priority]
        assert self._first(peers).id == job.id, "overtaken by one of its own priority"
        if job.spec.priority == max(other.spec.priority for other in same):
            others = [other for other in able if self.has_to_let_start(self._queue(other.spec.queue), now)]
            assert self._first_of_all([*same, *others]).id == job.id, "overtaken: another job was to start first"
            self._since[queue, kind] += 1
        else:
            assert self._since[queue, kind] >= ONE_IN - 1, "a lower priority had more than its share"
            self._since[queue, kind] = 0
        self._note_start(job, same, now)

    def _note_start(self, job: Job, same: Sequence[Job], now: int) -> None:
        queue, kind = job.spec.queue, job.spec.kind
        if self._since[queue, kind] and any(other.spec.priority < job.spec.priority for other in same):
            self._passed_over[queue, kind] += 1
            assert self._passed_over[queue, kind] <= ONE_IN, "the lower priorities starve"
        else:
            self._passed_over[queue, kind] = 0
        self._started[queue] = max(self._started.get(queue, 0), self._turns[job.id])
        rate = self._queue(queue).rate
        if rate is not None:
            for arrivals in (self._least, self._most):
                arrivals[queue] = max(_bounded(arrivals, queue, rate, now), now) + SECOND / rate.per_second

    def _first_of_all(self, able: Sequence[Job]) -> Job:
        """Between queues the first of each goes by priority, then in order of submission: turns are a queue's own."""
        heads = [
            self._first([job for job in able if job.spec.queue == name]) for name in {job.spec.queue for job in able}
        ]
        return min(heads, key=lambda job: (-job.spec.priority, job.seq))

    def _first(self, jobs: Sequence[Job]) -> Job:
        return min(jobs, key=lambda job: (-job.spec.priority, self._turns[job.id], job.seq))

    def _queue(self, name: str) -> Queue:
        return self._queues.get(name, Queue(name))


def _bounded(arrivals: Mapping[str, float], queue: str, rate: Rate, now: int) -> float:
    """Never further ahead than what a full burst has used up."""
    return min(arrivals.get(queue, 0), now + rate.burst * SECOND / rate.per_second)
