"""Handlers in child processes, and commands: what runs in another process can be ended, and its slot is free when it is
gone."""

from collections.abc import Callable, Mapping

from slotd import attempts, context
from slotd.isolation import base
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import SECOND, Failure, Job, Payload
from slotd_server.execution.base import NOTHING, Reporting, Told
from slotd_server.execution.outcomes import outcome_of, told_of


def _none(_: Job) -> Mapping[str, Payload | None]:
    return {}


class ProcessRunner:
    """Runs attempts by way of `processes`, whose words they are put into. `results` answers what the jobs returned that
    a job depended on, by name."""

    def __init__(
        self,
        processes: base.Processes,
        reporting: Reporting,
        *,
        results: Callable[[Job], Mapping[str, Payload | None]] = _none,
    ) -> None:
        self._processes = processes
        self._reporting = reporting
        self._results = results
        # By either side's name for them, from start to end.
        self._named: dict[Lease, base.Lease] = {}
        self._leases: dict[base.Lease, Lease] = {}

    def start(self, job: Job) -> None:
        lease, named = Lease(job.seq, job.fence), base.Lease(job.id, job.fence)
        self._leases[named] = lease
        self._named[lease] = named
        timeout = job.spec.timeout
        assigned = base.Assigned(
            lease=named,
            kind=job.spec.kind,
            queue=job.spec.queue,
            attempt=job.attempt,
            labels=dict(job.spec.labels),
            payload=job.spec.payload,
            time_left=None if timeout is None else timeout / SECOND,
            traceparent=job.traceparent,
            load_results=lambda: self._results(job),
        )
        self._processes.start(assigned, self)

    def stop(self, lease: Lease) -> None:
        if (named := self._named.get(lease)) is not None:
            self._processes.stop(named)

    def end(self, lease: Lease, failure: Failure) -> bool:
        named = self._named.get(lease)
        return named is not None and self._processes.kill(named, attempts.Failed(*failure))

    def take(self, lease: Lease) -> Told:
        named = self._named.get(lease)
        return NOTHING if named is None else told_of(self._processes.take(named))

    def close(self) -> None:
        """End what runs, by force, and wait until it is gone: for the kill grace at most, and a moment."""
        self._processes.close()

    def told(self, lease: base.Lease) -> None:
        """As of isolation's Listener."""
        if (ours := self._leases.get(lease)) is not None:
            self._reporting.told(ours)

    def finished(self, lease: base.Lease, outcome: attempts.Outcome, told: context.Told) -> None:
        """As of isolation's Listener."""
        ours = self._leases.pop(lease)
        del self._named[ours]
        self._reporting.finished(Finish(ours, outcome_of(outcome), *told_of(told)))
