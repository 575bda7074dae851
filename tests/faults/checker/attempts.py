"""All attempts that the log has: who had each, and how it ended."""

from dataclasses import dataclass
from sys import intern

from tests.faults.checker.log import DELETED
from tests.faults.checker.records import EventCopy, JobCopy
from tests.faults.checker.states import RUNNING, SUCCEEDED


@dataclass(slots=True)
class Attempt:
    """One claim of a job. `worker` is empty where the server ran it itself; `ended` is when it did, in microseconds
    since the epoch, and 0 while it runs; `result` is the digest of what it succeeded with."""

    number: int
    server: str
    worker: str
    ended: int = 0
    succeeded: bool = False
    reason: str = ""
    result: int = 0

    @property
    def place(self) -> str:
        """The worker or, where there is none, the server."""
        return self.worker or self.server


class Attempts:
    """Fed with the log. A job's claims are counted by fences, from 1; its attempts have numbers that may come again."""

    def __init__(self) -> None:
        self._by_job: dict[str, list[Attempt]] = {}

    def add(self, event: EventCopy, before: JobCopy | None) -> None:
        """The next event."""
        job = event.job
        if before is None or event.type == DELETED or not job.attempts or before.state == job.state:
            return
        last = job.attempts[-1]
        if job.state == RUNNING:
            attempt = Attempt(job.attempt, last.server, last.worker)
            self._by_job.setdefault(intern(job.id), []).append(attempt)
        elif before.state == RUNNING and (attempts := self._by_job.get(job.id)):
            attempt = attempts[-1]
            attempt.ended, attempt.reason = event.time, last.reason
            attempt.succeeded = job.state == SUCCEEDED
            attempt.result = job.result

    def jobs(self) -> dict[str, list[Attempt]]:
        """By job, those of each in the order of their fences."""
        return self._by_job

    def claim(self, job: str, fence: int) -> Attempt | None:
        """None where the job was not claimed so often."""
        attempts = self._by_job.get(job, ())
        return attempts[fence - 1] if 0 < fence <= len(attempts) else None
