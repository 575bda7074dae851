"""A runner under test: handlers to run, jobs to start, and what it reports."""

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from slotd.handlers import Handler
from slotd_server.domain import moves
from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import SECOND, Job, Payload
from slotd_server.domain.queue import BUILT_IN, Draft
from slotd_server.domain.states import State
from slotd_server.execution.base import Reporting, Runner

PATIENCE = 10
"""Seconds after which what does not come is missing."""

MakeRunner = Callable[[Mapping[str, Handler], Reporting, Callable[[Job], Mapping[str, Payload | None]]], Runner]


class Bench:
    """Starts jobs on a runner and waits for its reports. `handlers` may still be added to. `results` are of what a job
    depended on, and `asked` says for which jobs somebody wanted them."""

    def __init__(self, make: MakeRunner) -> None:
        self.handlers: dict[str, Handler] = {}
        self.results: Mapping[str, Payload | None] = {}
        self.asked: list[str] = []
        self.told: SimpleQueue[Lease] = SimpleQueue()
        self._finished: SimpleQueue[Finish] = SimpleQueue()
        self._seq = 0
        self.runner = make(self.handlers, Reporting(self._finished.put, self.told.put), self._look_up)

    def start(self, function: Any, payload: Payload | None = None, timeout: float | None = None, **more: Any) -> Lease:
        """Run `function` as a job's handler."""
        self._seq += 1
        kind = f"kind-{self._seq}"
        self.handlers[kind] = Handler(kind, function, **more)
        micros = None if timeout is None else round(timeout * SECOND)
        spec = Draft(kind, payload, (("team", "blue"),)).resolve(BUILT_IN._replace(timeout=micros))
        waiting = Job(self._seq, f"job-{self._seq}", spec, State.QUEUED, self._seq, 0)
        job = moves.start(waiting, 1_700_000_000 * SECOND, "me")
        self.runner.start(job)
        return Lease(job.seq, job.fence)

    def finished(self) -> Finish:
        """The next report of an end."""
        return self._finished.get(timeout=PATIENCE)

    def run(self, function: Any, payload: Payload | None = None, **more: Any) -> Finish:
        """Start it and wait for its end."""
        lease = self.start(function, payload, **more)
        finish = self.finished()
        assert finish.lease == lease
        assert self._finished.empty(), "reported twice"
        return finish

    def _look_up(self, job: Job) -> Mapping[str, Payload | None]:
        self.asked.append(job.id)
        return self.results


class Signal(threading.Event):
    """An event that fails where it does not come."""

    def await_it(self) -> None:
        assert self.wait(PATIENCE)
