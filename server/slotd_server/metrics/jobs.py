"""What happens to jobs, counted from the events that this server has committed. Those of other servers on the same
store are counted there, so that sums over servers are right."""

from collections import Counter
from collections.abc import Iterable

from slotd_server.domain.events import Event, EventType
from slotd_server.domain.job import SECOND, Job
from slotd_server.domain.states import TERMINAL, State
from slotd_server.metrics.tallies import JOB_SECONDS, ByQueueAndKind, Histogram, Labels

_OF_REASON = {
    "CANCELLED": "cancelled",
    "TIMEOUT": "timed_out",
    "SNOOZED": "snoozed",
    "SERVER_STOPPED": "given_back",
    "WORKER_STOPPED": "given_back",
    "SERVER_LOST": "lost",
    "WORKER_LOST": "lost",
}
"""How an attempt ended, by the reason that it gives. All other reasons are those of handlers."""

OUTCOMES = ("succeeded", "failed", *dict.fromkeys(_OF_REASON.values()))
"""How attempts end."""

_MOST_RETRIED = 100_000
"""Of how many retried jobs it is kept in mind since when they wait."""


class JobTally:
    """What is counted of one queue and kind."""

    __slots__ = ("attempts", "end_to_end", "ended", "run", "submitted", "wait")

    def __init__(self) -> None:
        self.submitted = 0
        # By the state's number, which is quicker to find than the state.
        self.ended = [0] * (max(State) + 1)
        self.attempts: Counter[str] = Counter()
        self.wait = Histogram(JOB_SECONDS)
        self.run = Histogram(JOB_SECONDS)
        self.end_to_end = Histogram(JOB_SECONDS)


class JobTallies:
    """Takes events in commit order, one change after another."""

    def __init__(self, labels: Labels) -> None:
        self.tallies = ByQueueAndKind(labels, JobTally)
        # When somebody retried a job that had ended: the job itself does not tell.
        self._retried: dict[int, int] = {}

    def count(self, events: Iterable[Event]) -> None:
        for event in events:
            job, before = event.job, event.previous_state
            if event.type is EventType.CREATED:
                self.tallies.of(job.spec.queue, job.spec.kind).submitted += 1
            elif event.type is EventType.DELETED:
                self._retried.pop(job.seq, None)
            elif before is not None and before is not job.state:
                self._moved(job, before, event.time)

    def _moved(self, job: Job, before: State, time: int) -> None:
        tally = self.tallies.of(job.spec.queue, job.spec.kind)
        if before is State.RUNNING:
            attempt = job.attempts[-1]
            assert attempt.end_time is not None
            outcome = "succeeded" if attempt.failure is None else _OF_REASON.get(attempt.failure.reason, "failed")
            tally.attempts[outcome] += 1
            tally.run.observe(_seconds(attempt.start_time, attempt.end_time))
        if job.state is State.RUNNING:
            attempt = job.attempts[-1]
            tally.wait.observe(_seconds(self._waits_since(job), attempt.start_time))
        elif job.state in TERMINAL:
            self._retried.pop(job.seq, None)
            tally.ended[job.state] += 1
            assert job.end_time is not None
            tally.end_to_end.observe(_seconds(job.create_time, job.end_time))
        elif before in TERMINAL and len(self._retried) < _MOST_RETRIED:
            self._retried[job.seq] = time

    def _waits_since(self, job: Job) -> int:
        """When the job that starts now could have started first."""
        return max(self._retried.pop(job.seq, 0), job.could_start)


def _seconds(since: int, until: int) -> float:
    # The time of day may have been set back meanwhile.
    return max(until - since, 0) / SECOND
