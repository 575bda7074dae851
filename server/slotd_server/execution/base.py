"""What the dispatcher asks of a runner, and what it gets from it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Job, Progress


class Told(NamedTuple):
    """What an attempt has told since it was last asked."""

    progress: Progress | None
    output: bytes


class Reporting(NamedTuple):
    """Where a runner reports, from any thread: `finished` exactly once for each start, when the function has really
    returned; `told` when an attempt has something to take, once until it is taken."""

    finished: Callable[[Finish], None]
    told: Callable[[Lease], None]


class Runner(Protocol):
    """Runs what it is given, at once; how many that are is not its business. No method blocks."""

    def start(self, job: Job) -> None:
        """Run the handler of a RUNNING job."""

    def stop(self, lease: Lease) -> None:
        """Ask an attempt to end. Does nothing where it has."""

    def take(self, lease: Lease) -> Told:
        """What the attempt has told since the last call; nothing where it has ended."""

    def close(self) -> None:
        """Start nothing any more, and let idle threads go. What runs, runs on."""
