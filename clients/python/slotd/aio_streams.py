"""The aio client's iterators: events, output and pages, each over as many calls as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import grpc

from slotd.peer import Peer
from slotd.progress import EventPosition, EventProgress, OutputPosition, OutputProgress
from slotd.requests import next_list
from slotd.v1 import job_pb2, job_service_pb2

if TYPE_CHECKING:
    from grpc.aio import UnaryStreamCall, UnaryStreamMultiCallable

Q = TypeVar("Q")
A = TypeVar("A")

# Waits for so many seconds.
Sleep = Callable[[float], Awaitable[object]]


def task_is_cancelled() -> bool:
    """Whether somebody cancelled this task, as against gRPC, which raises the same when a call or channel is closed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Reader(Generic[Q, A]):
    """Reads one server-streaming method and calls it again when it was cut. One task reads; any may close."""

    def __init__(
        self,
        method: UnaryStreamMultiCallable[Q, A],
        request: Callable[[], Q],
        peer: Peer,
        sleep: Sleep,
        resume: bool,
    ) -> None:
        self._method = method
        self._request = request
        self._peer = peer
        self._sleep = sleep
        self._resume = resume
        self._outage = peer.outage()
        self._closed = asyncio.Event()
        self._call: UnaryStreamCall[Q, A] | None = None
        self._messages: AsyncIterator[A] | None = None
        self._open()

    async def read(self) -> A | None:
        """Returns the next message; None at the end, and once closed. Raises slotd.Error, and is closed then.

        A read that is cancelled loses nothing: the next one calls again from where the last message ended.
        """
        while not self._closed.is_set():
            messages = self._messages or self._open()
            try:
                message = await anext(messages)
            except StopAsyncIteration:
                self.close()
                return None
            except asyncio.CancelledError:
                if self._closed.is_set() and not task_is_cancelled():
                    # gRPC tells so that the call was cancelled by `close`; this task was not.
                    return None
                # gRPC has given up the call together with the read.
                self._drop()
                raise
            except grpc.RpcError as error:
                if self._closed.is_set():
                    return None
                self._call = self._messages = None
                refused = self._peer.refused(error)
                delay = self._outage.failed(refused) if self._resume else None
                if delay is None:
                    self.close()
                    raise refused from error
                await self._rest(delay)
                continue
            self._peer.answered()
            self._outage.answered()
            return message
        return None

    def close(self) -> None:
        """Ends the call; a `read` that waits in another task returns None."""
        self._closed.set()
        self._drop()

    def _drop(self) -> None:
        call, self._call, self._messages = self._call, None, None
        if call is not None:
            call.cancel()

    def _open(self) -> AsyncIterator[A]:
        self._call = self._method(self._request(), metadata=self._peer.metadata())
        # Not `read()`: once the status is there it no longer gives the messages that came before it.
        self._messages = aiter(self._call)
        return self._messages

    async def _rest(self, delay: float) -> None:
        """Waits for so many seconds, or until closed."""
        closed = asyncio.ensure_future(self._closed.wait())
        over = asyncio.ensure_future(self._sleep(delay))
        try:
            await asyncio.wait((closed, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            over.cancel()


class _Closing:
    """`async with` and `close` for an iterator on a Reader."""

    _reader: (
        Reader[job_service_pb2.StreamRequest, job_service_pb2.StreamResponse]
        | Reader[job_service_pb2.ReadOutputRequest, job_service_pb2.ReadOutputResponse]
    )

    def close(self) -> None:
        """Ends the stream, also under a reader in another task, for whom the iteration then ends."""
        self._reader.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventStream(_Closing, EventPosition):
    """What happens to jobs, event by event; as `slotd.EventStream`, for `async for`.

    Waiting for an event with a timeout is safe: a cancelled wait loses no event.
    """

    def __init__(
        self,
        method: UnaryStreamMultiCallable[job_service_pb2.StreamRequest, job_service_pb2.StreamResponse],
        request: job_service_pb2.StreamRequest,
        peer: Peer,
        sleep: Sleep,
        resume: bool,
    ) -> None:
        self._progress = EventProgress(request)
        self._events = Reader(method, self._progress.request, peer, sleep, resume)
        self._reader = self._events

    def __aiter__(self) -> AsyncIterator[job_service_pb2.JobEvent]:
        return self

    async def __anext__(self) -> job_service_pb2.JobEvent:
        """Waits for the next event. Raises CursorExpired, and any other slotd.Error that trying again won't cure."""
        while (event := self._progress.next_event()) is None:
            message = await self._events.read()
            if message is None:
                raise StopAsyncIteration
            self._progress.queue(self._progress.receive(message))
        return event

    async def messages(self) -> AsyncIterator[job_service_pb2.StreamResponse]:
        """The messages as they come, heartbeats and `synced` included; `synced` comes again after each reconnect."""
        while (message := await self._events.read()) is not None:
            fresh = self._progress.receive(message)
            self._progress.settle(fresh)
            yield fresh


class OutputStream(_Closing, OutputPosition):
    """What a job wrote, in pieces of bytes; as `slotd.OutputStream`, for `async for`."""

    def __init__(
        self,
        method: UnaryStreamMultiCallable[job_service_pb2.ReadOutputRequest, job_service_pb2.ReadOutputResponse],
        request: job_service_pb2.ReadOutputRequest,
        peer: Peer,
        sleep: Sleep,
    ) -> None:
        self._progress = OutputProgress(request)
        self._pieces = Reader(method, self._progress.request, peer, sleep, True)
        self._reader = self._pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Waits for the next piece, which is not empty. Raises slotd.Error."""
        while not self._progress.ended:
            message = await self._pieces.read()
            if message is None:
                break
            data = self._progress.receive(message)
            if data:
                return data
        self.close()
        raise StopAsyncIteration


class JobPages:
    """The jobs of a List, over all its pages; each iteration asks anew."""

    def __init__(
        self,
        fetch: Callable[[job_service_pb2.ListRequest], Awaitable[job_service_pb2.ListResponse]],
        request: job_service_pb2.ListRequest,
    ) -> None:
        self._fetch = fetch
        self._first = request

    async def __aiter__(self) -> AsyncIterator[job_pb2.Job]:
        async for page in self.pages():
            for job in page.jobs:
                yield job

    async def pages(self) -> AsyncIterator[job_service_pb2.ListResponse]:
        """The pages as they come, with the cursor from which a stream misses nothing since the first page."""
        request: job_service_pb2.ListRequest | None = self._first
        while request is not None:
            page = await self._fetch(request)
            yield page
            request = next_list(request, page)
