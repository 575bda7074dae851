"""What runs attempts in other processes, as the side that gives it jobs sees it: plain values, no stubs, no gRPC."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from slotd.attempts import Failed, Outcome
from slotd.context import Told
from slotd.results import Encoded

NOTHING = Told(None, b"")
"""An attempt that has told nothing."""

CLOSED = Failed("PROCESS_NOT_STARTED", "no process is started any more: the service stops")
"""How an attempt ends that is started after `close`."""

ENDED = Failed("PROCESS_DIED", "the process was ended: the service stops")
"""How an attempt ends that `close` has ended."""

CLOSE_SECONDS = 5
"""How long killed processes may take to go once all is closed."""


class Lease(NamedTuple):
    """By which one claim of one job is spoken of, as on the wire."""

    job_id: str
    fence: int


class Limits(NamedTuple):
    """What is kept, in bytes: of a result, and of a job's output."""

    result: int
    output: int


class Assigned(NamedTuple):
    """An attempt to run. `time_left` is how many seconds it may take, for the handler to know: None is for ever, and
    ending it is up to who gave it. `load_results` is as of JobContext; it may be called from any thread, and may block.
    `traceparent` is the trace that it belongs to, empty for none. `limits` are those of the service that it is from;
    with None those hold that `Processes` were made with.
    """

    lease: Lease
    kind: str
    queue: str
    attempt: int
    labels: Mapping[str, str]
    payload: Encoded | None
    time_left: float | None = None
    load_results: Callable[[], Mapping[str, Encoded | None]] = dict
    traceparent: str = ""
    limits: Limits | None = None


class Listener(Protocol):
    """Who is told of an attempt, from any thread, also from within `start`. Neither method may block."""

    def told(self, lease: Lease) -> None:
        """There is something to take; said once until it is taken."""

    def finished(self, lease: Lease, outcome: Outcome, told: Told) -> None:
        """It is over: the function has returned, or its process is gone with all of its group. Exactly once for each
        start; `told` is what was not taken."""


class Processes(Protocol):
    """Runs what it is given, at once, in other processes. No method but `close` blocks; all are for any thread."""

    def start(self, assigned: Assigned, listener: Listener) -> None:
        """Run an attempt."""

    def stop(self, lease: Lease) -> None:
        """Ask an attempt to end. Does nothing where it has."""

    def kill(self, lease: Lease, outcome: Failed) -> bool:
        """End an attempt by force: SIGTERM to its process group, SIGKILL after the kill grace. `finished` comes with
        this outcome, whatever the function still does. False where it has ended; the first call counts."""

    def take(self, lease: Lease) -> Told:
        """What the attempt has told since the last call; nothing where it has ended."""

    def close(self) -> None:
        """Start nothing any more, end all that runs by force, and wait until it is gone: for the kill grace at most,
        and a moment. Idempotent."""
