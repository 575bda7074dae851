"""Where a worker's functions run, by kind: on its threads, or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from slotd.attempts import Failed
from slotd.context import Told
from slotd.isolation.base import NOTHING, Assigned, Lease, Limits, Listener, Processes
from slotd.results import Encoded
from slotd.v1 import worker_service_pb2
from slotd.worker.threads import Threads

LoadResults: TypeAlias = Callable[[str], Mapping[str, Encoded | None]]
"""Job id → what the jobs returned that it depends on."""

_OVER = Failed("CANCELLED", "the attempt is over")


class KindFunctions:
    """As `session.Functions`: in `processes`, by kind, or else on `threads`. `listener` hears of all of them."""

    def __init__(
        self, threads: Threads, processes: Mapping[str, Processes], listener: Listener, load_results: LoadResults
    ) -> None:
        self._threads = threads
        self._processes = processes
        self._each_processes = tuple({id(one): one for one in processes.values()}.values())
        self._listener = listener
        self._load_results = load_results

    def start(self, lease: Lease, assignment: worker_service_pb2.Assignment, limits: Limits) -> None:
        """Call the job's handler."""
        assigned = _assigned(lease, assignment, partial(self._load_results, lease.job_id))
        processes = self._processes.get(assigned.kind)
        if processes is None:
            self._threads.start(assigned, self._listener, limits)
        else:
            processes.start(assigned._replace(limits=limits), self._listener)

    def stop(self, lease: Lease, *, over: bool) -> None:
        """Ask a function to end; one in a process is ended by force where its attempt is over."""
        self._threads.stop(lease)
        for processes in self._each_processes:
            if over:
                processes.kill(lease, _OVER)
            else:
                processes.stop(lease)

    def take(self, lease: Lease) -> Told:
        """What it has told since the last call."""
        told = self._threads.take(lease)
        for processes in self._each_processes:
            if told != NOTHING:
                break
            told = processes.take(lease)
        return told

    def close(self) -> None:
        """End what can be ended by force, and wait for that; let idle threads go."""
        for processes in self._each_processes:
            processes.close()
        self._threads.close()


def _assigned(
    lease: Lease,
    assignment: worker_service_pb2.Assignment,
    load_results: Callable[[], Mapping[str, Encoded | None]],
) -> Assigned:
    job = assignment.job
    payload = job.spec.payload
    return Assigned(
        lease,
        job.spec.kind,
        job.spec.queue,
        job.attempt,
        dict(job.spec.labels),
        (payload.content_type, payload.data) if job.spec.HasField("payload") else None,
        assignment.time_left.ToTimedelta().total_seconds() if assignment.HasField("time_left") else None,
        load_results,
        job.traceparent,
    )
