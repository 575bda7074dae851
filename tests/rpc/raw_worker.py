"""A worker that says word by word what a test has it say."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from slotd import v1
from tests.rpc.wire import refusal
from tests.service import Endpoint

PATIENCE = 20


class Wire:
    """One connection of one worker: what it says is said at once, what it hears is kept until it is asked for."""

    def __init__(self, at: Endpoint, *says: v1.WorkRequest) -> None:
        self._requests: queue.SimpleQueue[v1.WorkRequest | None] = queue.SimpleQueue()
        self._call = v1.WorkerServiceStub(at.channel).Work(iter(self._requests.get, None), timeout=PATIENCE)
        self._heard = v1.WorkResponse()
        for one in says:
            self.say(one)

    def say(self, request: v1.WorkRequest) -> None:
        self._requests.put(request)

    def offer(self, slots: int) -> None:
        self.say(v1.WorkRequest(slots=slots))

    def finish(self, lease: v1.Lease, **outcome: object) -> None:
        """With success, unless `outcome` names another; it may have more of Finish."""
        if outcome.keys().isdisjoint({"succeeded", "failed", "snoozed", "released"}):
            outcome["succeeded"] = v1.Succeeded()
        self.say(v1.WorkRequest(finishes=[v1.Finish(lease=lease, **outcome)]))  # type: ignore[arg-type]

    def report(self, lease: v1.Lease, output: bytes, offset: int) -> None:
        self.say(v1.WorkRequest(reports=[v1.Report(lease=lease, output=output, output_offset=offset)]))

    def hear(self, there: Callable[[v1.WorkResponse], object]) -> v1.WorkResponse:
        """Listens until all that was heard since the last call has what is wanted, and returns all that."""
        while not there(self._heard):
            self._heard.MergeFrom(next(self._call))
        heard, self._heard = self._heard, v1.WorkResponse()
        return heard

    def next(self) -> v1.WorkResponse:
        """What it hears next."""
        return next(self._call)

    def welcome(self) -> v1.Welcome:
        return self.hear(lambda heard: heard.HasField("welcome")).welcome

    def assigned(self, number: int = 1) -> list[v1.Assignment]:
        return list(self.hear(lambda heard: len(heard.assignments) >= number).assignments)

    def leave(self) -> None:
        """For good; hears the end."""
        self.say(v1.WorkRequest(leave=True))
        for _ in self._call:
            pass

    def end_side(self) -> None:
        """Says nothing more, and hears the other's end."""
        self._requests.put(None)
        for _ in self._call:
            pass

    def break_off(self) -> None:
        self._call.cancel()

    def end(self) -> tuple[grpc.StatusCode, str]:
        """Listens to the end: its code and reason."""
        ended = refusal(lambda: list(self._call))
        return ended.code, ended.reason


def hello(worker: str = "w1", *kinds: str, held: list[v1.Lease] | None = None, slots: int | None = 2) -> v1.WorkRequest:
    known = [v1.WorkerKind(kind=kind) for kind in kinds or ("far",)]
    return v1.WorkRequest(hello=v1.Hello(worker_id=worker, name="far away", kinds=known, held=held), slots=slots)


@contextmanager
def connected(at: Endpoint, request: v1.WorkRequest | None = None) -> Iterator[Wire]:
    """A worker that is welcome."""
    wire = Wire(at, request or hello())
    wire.welcome()
    yield wire
    wire.break_off()
