"""One runner out of several: each job goes to the one that runs its kind, or its worker."""

from collections.abc import Mapping

from slotd_server.domain.commands import Lease
from slotd_server.domain.job import Failure, Job
from slotd_server.domain.worker import runs_on
from slotd_server.execution.base import NOTHING, Forcing, Outliving, Runner, Told


class Routes:
    """Jobs of workers go to `remote`, those of a kind in `forcing` to the runner there, all others to `default`. All
    but `close` is for one thread."""

    def __init__(self, remote: Outliving, default: Runner, forcing: Mapping[str, Forcing]) -> None:
        self._remote = remote
        self._default = default
        self._forcing = forcing
        self._taken: dict[Lease, Runner] = {}

    def start(self, job: Job) -> None:
        runner = self._remote if runs_on(job) else self._forcing.get(job.spec.kind, self._default)
        self._taken[Lease(job.seq, job.fence)] = runner
        runner.start(job)

    def adopt(self, job: Job) -> None:
        self._taken[Lease(job.seq, job.fence)] = self._remote
        self._remote.adopt(job)

    def stop(self, lease: Lease) -> None:
        if lease in self._taken:
            self._taken[lease].stop(lease)

    def end(self, lease: Lease, failure: Failure) -> bool:
        runner = self._taken.get(lease)
        forcing = next((one for one in self._forcing.values() if one is runner), None)
        return forcing is not None and forcing.end(lease, failure)

    def take(self, lease: Lease) -> Told:
        return self._taken[lease].take(lease) if lease in self._taken else NOTHING

    def kept(self, lease: Lease) -> None:
        if self._taken.get(lease) is self._remote:
            self._remote.kept(lease)

    def settled(self, lease: Lease) -> None:
        if self._taken.pop(lease, None) is self._remote:
            self._remote.settled(lease)

    def flush(self) -> None:
        self._remote.flush()

    def close(self) -> None:
        for runner in (self._default, self._remote, *{id(one): one for one in self._forcing.values()}.values()):
            runner.close()
