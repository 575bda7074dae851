"""What the dispatcher asks of a runner, and what it gets from it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from slotd_server.domain.commands import Finish, Lease
from slotd_server.domain.job import Failure, Job, Progress


class Told(NamedTuple):
    """What an attempt has told since it was last asked."""

    progress: Progress | None
    output: bytes


NOTHING = Told(None, b"")


class Reporting(NamedTuple):
    """Where a runner reports, from any thread: `finished` exactly once for each start, when the function has really
    returned; `told` when an attempt has something to take, once until it is taken.

    `ended` does for several what `finished` does for one, and may do much more: it is for a thread that has nothing to
    run, and may start others before it returns. A runner that has no such threads does without."""

    finished: Callable[[Finish], None]
    told: Callable[[Lease], None]
    ended: Callable[[Sequence[Finish]], None] | None = None


class Runner(Protocol):
    """Runs what it is given, at once; how many that are is not its business. Only `close`
    blocks."""

    def start(self, job: Job) -> None:
        """Run the handler of a RUNNING job."""

    def stop(self, lease: Lease) -> None:
        """Ask an attempt to end. Does nothing where it has."""

    def take(self, lease: Lease) -> Told:
        """What the attempt has told since the last call; nothing where it has ended."""

    def close(self) -> None:
        """Start nothing any more, and let idle threads go. What runs in this process, runs on; what runs in others is
        ended, and waited for."""


class Forcing(Runner, Protocol):
    """A runner that can end what it runs by force."""

    def end(self, lease: Lease, failure: Failure) -> bool:
        """The attempt's time is over: `finished` comes soon, with this failure. False where it can't be ended: the
        function runs on."""


class Outliving(Runner, Protocol):
    """A runner whose functions outlive this server, and its predecessor's too."""

    def adopt(self, job: Job) -> None:
        """The function of a RUNNING or lingering job runs already, started by another server."""

    def kept(self, lease: Lease) -> None:
        """What was taken of the attempt last is kept for good. Does nothing where it has ended."""

    def settled(self, lease: Lease) -> None:
        """What became of the attempt is kept for good, or of no use to anybody. Does nothing where it has ended."""

    def flush(self) -> None:
        """All that there is to say for now has been said: it may go out."""


class Workforce(Forcing, Outliving, Protocol):
    """All runners of a server together."""
