"""Attempts on workers: what each was given, what it has told, and what it is yet to be told. How that travels is
somebody else's business."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Job, Progress
from slotd_server.domain.outcome import Outcome
from slotd_server.domain.worker import Claimed, Standing, runs_on
from slotd_server.execution.base import NOTHING, Reporting, Told

_OUTPUT_WAITING = 2 << 20
"""Bytes of output of one attempt that may wait to be taken: a Report's, and those of one that came again."""


class Assign(NamedTuple):
    """A job to run."""

    job: Job


class Stop(NamedTuple):
    """An attempt is to stop: its job was cancelled where it still runs, else its end is told already, or it is not the
    worker's any more."""

    claimed: Claimed
    standing: Standing


class Taken(NamedTuple):
    """The attempt's last report was taken."""

    claimed: Claimed


class Settled(NamedTuple):
    """The worker may forget the attempt."""

    claimed: Claimed


Saying: TypeAlias = Assign | Stop | Taken | Settled


class Line(Protocol):
    """A connection to a worker."""

    def say(self, *sayings: Saying) -> None:
        """Send these together, after all that was said before, if the worker is still there. From any thread; does not
        block."""

    def replace(self) -> None:
        """The worker has another line now. On the event loop."""


class TooFast(Exception):
    """A worker reports without waiting until what it reported before was taken."""


@dataclass(slots=True)
class _Attempt:
    """`position` is where in the job's output the next byte belongs. `waiting` while the worker waits to hear that its
    report was taken. `stop` is how it stood when it was told to stop, if it was. `finished` once its function has
    returned."""

    lease: Lease
    claimed: Claimed
    worker: str
    position: int
    waiting: bool = False
    stop: Standing | None = None
    finished: bool = False
    progress: Progress | None = None
    output: bytearray = field(default_factory=bytearray)


class RemoteRunner:
    """`standing` says what the ledger knows of a lease; `expected` is told of each worker that has something of another
    server's. What workers say comes on the event loop, what the dispatcher says on its own thread."""

    def __init__(
        self, reporting: Reporting, standing: Callable[[Lease], Standing], expected: Callable[[str], None]
    ) -> None:
        self._reporting = reporting
        self._expected = expected
        self._standing = standing
        self._lines: dict[str, Line] = {}
        self._attempts: dict[Lease, _Attempt] = {}
        self._by_claim: dict[Claimed, _Attempt] = {}
        # What the dispatcher has to say goes out once it has said all: a message costs as much as all that is in it.
        self._unsaid: dict[Line, list[Saying]] = {}
        self._lock = threading.Lock()

    # The dispatcher's side

    def start(self, job: Job) -> None:
        with self._lock:
            attempt = self._add(job)
            # Where there is no line just now, the worker will come again, and not know of it.
            self._say(attempt, Assign(job))

    def adopt(self, job: Job) -> None:
        with self._lock:
            attempt = self._add(job)
            if job.lingering or job.cancel_requested:
                attempt.stop = Standing.ZOMBIE if job.lingering else Standing.RUNNING
        self._expected(attempt.worker)

    def stop(self, lease: Lease) -> None:
        with self._lock:
            attempt = self._attempts.get(lease)
            if attempt is not None and not attempt.finished:
                attempt.stop = self._standing(lease)
                self._say(attempt, Stop(attempt.claimed, attempt.stop))

    def take(self, lease: Lease) -> Told:
        with self._lock:
            attempt = self._attempts.get(lease)
            if attempt is None or attempt.finished:
                return NOTHING
            return _taken(attempt)

    def kept(self, lease: Lease) -> None:
        with self._lock:
            attempt = self._attempts.get(lease)
            if attempt is not None and attempt.waiting:
                # Not before: where this server is lost now, the worker has it still, and says it again.
                attempt.waiting = False
                self._say(attempt, Taken(attempt.claimed))

    def settled(self, lease: Lease) -> None:
        with self._lock:
            attempt = self._attempts.pop(lease, None)
            if attempt is not None:
                del self._by_claim[attempt.claimed]
                if attempt.finished:
                    self._say(attempt, Settled(attempt.claimed))

    def flush(self) -> None:
        with self._lock:
            unsaid, self._unsaid = self._unsaid, {}
        for line, sayings in unsaid.items():
            line.say(*sayings)

    def close(self) -> None:
        """Nothing is held: what runs, runs elsewhere."""

    # The workers' side

    def attach(self, worker: str, line: Line) -> None:
        """The worker is there, on this line alone. It is told again what to stop."""
        with self._lock:
            before = self._lines.get(worker)
            self._lines[worker] = line
            for attempt in self._attempts.values():
                if attempt.worker == worker and attempt.stop is not None:
                    line.say(Stop(attempt.claimed, attempt.stop))
        if before is not None:
            before.replace()

    def detach(self, worker: str, line: Line) -> bool:
        """The line is no more. Whether it was the worker's last."""
        with self._lock:
            last = self._lines.get(worker) is line
            if last:
                del self._lines[worker]
            return last

    def reported(self, worker: str, claimed: Claimed, told: Told, offset: int | None) -> None:
        """An attempt tells something; its output begins at `offset`, or where the last one ended. Raises TooFast."""
        with self._lock:
            attempt = self._by_claim.get(claimed)
            if attempt is None or attempt.worker != worker:
                self._lines[worker].say(Stop(claimed, Standing.NONE))
                return
            if attempt.finished:
                return
            _keep(attempt, told, offset)
            if len(attempt.output) > _OUTPUT_WAITING:
                raise TooFast
            attempt.waiting = True
        self._reporting.told(attempt.lease)

    def finished(self, worker: str, claimed: Claimed, outcome: Outcome, told: Told, offset: int | None) -> None:
        """A function has returned; the rest as `reported`. What is not the worker's any more is settled at once."""
        with self._lock:
            attempt = self._by_claim.get(claimed)
            if attempt is None or attempt.worker != worker:
                self._lines[worker].say(Settled(claimed))
                return
            if attempt.finished:
                # It is on its way to the store, and said again because the worker could not know.
                return
            attempt.finished = True
            _keep(attempt, told, offset)
            told = _taken(attempt)
        self._reporting.finished(Finish(attempt.lease, outcome, told.progress, told.output))

    def _add(self, job: Job) -> _Attempt:
        lease, claimed = Lease(job.seq, job.fence), Claimed(job.id, job.fence)
        attempt = _Attempt(lease, claimed, runs_on(job), job.output_size)
        self._attempts[lease] = self._by_claim[claimed] = attempt
        return attempt

    def _say(self, attempt: _Attempt, saying: Saying) -> None:
        line = self._lines.get(attempt.worker)
        if line is not None:
            self._unsaid.setdefault(line, []).append(saying)


def _keep(attempt: _Attempt, told: Told, offset: int | None) -> None:
    """Put with what was told before; what is there already came twice."""
    attempt.progress = told.progress or attempt.progress
    output = told.output if offset is None else told.output[max(attempt.position - offset, 0) :]
    attempt.output += output
    attempt.position += len(output)


def _taken(attempt: _Attempt) -> Told:
    progress, output = attempt.progress, bytes(attempt.output)
    attempt.progress = None
    attempt.output.clear()
    return Told(progress, output)
