"""The sync client's iterators: events, output and pages, each over as many calls as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

import grpc

from slotd.peer import Peer
from slotd.progress import EventPosition, EventProgress, OutputPosition, OutputProgress
from slotd.requests import next_list
from slotd.v1 import job_pb2, job_service_pb2

if TYPE_CHECKING:
    from grpc import UnaryStreamMultiCallable

Q = TypeVar("Q")
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)

# Waits for so many seconds, or until the event is set.
Pause = Callable[[threading.Event, float], object]


class _Call(Protocol[A_co]):
    """One running call of a server-streaming method."""

    def __next__(self) -> A_co: ...

    def cancel(self) -> object: ...


class Reader(Generic[Q, A]):
    """Reads one server-streaming method and calls it again when it was cut. One thread reads; any may close."""

    def __init__(
        self,
        method: UnaryStreamMultiCallable[Q, A],
        request: Callable[[], Q],
        peer: Peer,
        pause: Pause,
        resume: bool,
    ) -> None:
        self._method = method
        self._request = request
        self._peer = peer
        self._pause = pause
        self._resume = resume
        self._outage = peer.outage()
        self._closed = threading.Event()
        self._call: _Call[A] | None = None
        self._open()

    def read(self) -> A | None:
        """Returns the next message; None at the end, and once closed. Raises slotd.Error, and is closed then."""
        while not self._closed.is_set():
            call = self._call or self._open()
            try:
                message = next(call)
            except StopIteration:
                self.close()
                return None
            except grpc.RpcError as error:
                if self._closed.is_set():
                    return None
                self._call = None
                refused = self._peer.refused(error)
                delay = self._outage.failed(refused) if self._resume else None
                if delay is None:
                    self.close()
                    raise refused from error
                self._pause(self._closed, delay)
                continue
            self._peer.answered()
            self._outage.answered()
            return message
        return None

    def close(self) -> None:
        """Ends the call; a `read` that waits in another thread returns None."""
        self._closed.set()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _open(self) -> _Call[A]:
        call: _Call[A] = self._method(self._request(), metadata=self._peer.metadata())
        self._call = call
        if self._closed.is_set():
            # Closed by another thread just before the call was there to be cancelled.
            call.cancel()
        return call


class _Closing:
    """`with` and `close` for an iterator on a Reader."""

    _reader: (
        Reader[job_service_pb2.StreamRequest, job_service_pb2.StreamResponse]
        | Reader[job_service_pb2.ReadOutputRequest, job_service_pb2.ReadOutputResponse]
    )

    def close(self) -> None:
        """Ends the stream, also under a reader in another thread, for whom the iteration then ends."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventStream(_Closing, EventPosition):
    """What happens to jobs, event by event; it outlives reconnects and restarts of the service.

    Iterate over it for the events, or over `messages()` for whole messages, not both at once. It ends by itself only
    when it was asked for by job ids and all of those are terminal or deleted, or when it is closed.

    Until the first cursor has come, so within the first snapshot, a cut means that the snapshot is taken again: jobs
    that did not change since are not handed out twice, and `vanished` names those that are gone since.
    """

    def __init__(
        self,
        method: UnaryStreamMultiCallable[job_service_pb2.StreamRequest, job_service_pb2.StreamResponse],
        request: job_service_pb2.StreamRequest,
        peer: Peer,
        pause: Pause,
        resume: bool,
    ) -> None:
        self._progress = EventProgress(request)
        self._events = Reader(method, self._progress.request, peer, pause, resume)
        self._reader = self._events

    def __iter__(self) -> Iterator[job_service_pb2.JobEvent]:
        return self

    def __next__(self) -> job_service_pb2.JobEvent:
        """Waits for the next event. Raises CursorExpired, and any other slotd.Error that trying again won't cure."""
        while (event := self._progress.next_event()) is None:
            message = self._events.read()
            if message is None:
                raise StopIteration
            self._progress.queue(self._progress.receive(message))
        return event

    def messages(self) -> Iterator[job_service_pb2.StreamResponse]:
        """The messages as they come, heartbeats and `synced` included; `synced` comes again after each reconnect."""
        while (message := self._events.read()) is not None:
            fresh = self._progress.receive(message)
            self._progress.settle(fresh)
            yield fresh


class OutputStream(_Closing, OutputPosition):
    """What a job wrote, in pieces of bytes; a cut stream goes on from the byte where it was cut."""

    def __init__(
        self,
        method: UnaryStreamMultiCallable[job_service_pb2.ReadOutputRequest, job_service_pb2.ReadOutputResponse],
        request: job_service_pb2.ReadOutputRequest,
        peer: Peer,
        pause: Pause,
    ) -> None:
        self._progress = OutputProgress(request)
        self._pieces = Reader(method, self._progress.request, peer, pause, True)
        self._reader = self._pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Waits for the next piece, which is not empty. Raises slotd.Error."""
        while not self._progress.ended:
            message = self._pieces.read()
            if message is None:
                break
            data = self._progress.receive(message)
            if data:
                return data
        self.close()
        raise StopIteration


class JobPages:
    """The jobs of a List, over all its pages; each iteration asks anew."""

    def __init__(
        self,
        fetch: Callable[[job_service_pb2.ListRequest], job_service_pb2.ListResponse],
        request: job_service_pb2.ListRequest,
    ) -> None:
        self._fetch = fetch
        self._first = request

    def __iter__(self) -> Iterator[job_pb2.Job]:
        for page in self.pages():
            yield from page.jobs

    def pages(self) -> Iterator[job_service_pb2.ListResponse]:
        """The pages as they come, with the cursor from which a stream misses nothing since the first page."""
        request: job_service_pb2.ListRequest | None = self._first
        while request is not None:
            page = self._fetch(request)
            yield page
            request = next_list(request, page)
