"""All that is counted while the service runs, and where: jobs and commits where changes are made, calls and submissions
on the event loop."""

from collections import Counter
from collections.abc import Iterable

from slotd_server.domain.errors import ServiceError, StoreBroken
from slotd_server.domain.job import SECOND, Job
from slotd_server.lifecycle import Committed
from slotd_server.metrics.jobs import JobTallies
from slotd_server.metrics.tallies import CALL_SECONDS, COMMANDS, JOB_SECONDS, ByQueueAndKind, Histogram, Labels


class Metrics:
    """An Observer of the writer; `submitted` and `called` are for the servicers."""

    def __init__(self) -> None:
        self.labels = Labels()
        self.jobs = JobTallies(self.labels)
        self.commit_commands = Histogram(COMMANDS)
        self.commit_seconds = Histogram(CALL_SECONDS)
        self.sync_seconds = Histogram(CALL_SECONDS)
        self.store_errors: Counter[str] = Counter()
        self.submit_seconds = ByQueueAndKind(self.labels, lambda: Histogram(JOB_SECONDS))
        self.calls: Counter[tuple[str, str, str, str]] = Counter()
        self.call_seconds: dict[tuple[str, str], Histogram] = {}

    def committed(self, committed: Committed) -> None:
        """As in Observer."""
        self.jobs.count(committed.events)
        self.commit_commands.observe(len(committed.answers))
        self.commit_seconds.observe(committed.micros / SECOND)
        if committed.events:
            # Else there was hardly anything to sync.
            self.sync_seconds.observe(committed.commit_micros / SECOND)

    def not_taken(self, error: ServiceError | StoreBroken) -> None:
        """As in Observer."""
        self.store_errors["STORE_BROKEN" if isinstance(error, StoreBroken) else error.reason] += 1

    def submitted(self, jobs: Iterable[Job], seconds: float) -> None:
        """A call was answered with these jobs, so many seconds after it came; counted once for each queue and kind."""
        for queue, kind in {(job.spec.queue, job.spec.kind) for job in jobs}:
            self.submit_seconds.of(queue, kind).observe(seconds)

    def called(self, transport: str, service: str, method: str, code: str, seconds: float | None) -> None:
        """A call has ended with this status code; of streams, which end when somebody likes, `seconds` is None."""
        self.calls[service, method, code, transport] += 1
        if seconds is not None:
            self.call_seconds.setdefault((service, method), Histogram(CALL_SECONDS)).observe(seconds)
