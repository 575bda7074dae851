"""Subscribers that look at no more of a message than they must, so that it is the server that is measured."""

import asyncio
from collections.abc import Sequence

import grpc.aio

from bench.calls import Calls
from slotd import v1

_EVENTS = v1.StreamResponse.EVENTS_FIELD_NUMBER << 3 | 2


def count_events(message: bytes) -> int:
    """How many events a serialised StreamResponse begins with, without parsing them. Events are its first field,
    and both servers write them first."""
    count, position = 0, 0
    while position < len(message) and message[position] == _EVENTS:
        position += 1
        length, shift = 0, 0
        while message[position] & 0x80:
            length |= (message[position] & 0x7F) << shift
            shift += 7
            position += 1
        position += 1 + (length | message[position] << shift)
        count += 1
    return count


class Subscriber:
    """One stream, read as bytes. `bytes` is what its messages took together."""

    def __init__(self, calls: Calls, request: v1.StreamRequest) -> None:
        method: grpc.aio.UnaryStreamMultiCallable[v1.StreamRequest, bytes] = calls.channel.unary_stream(
            "/slotd.v1.JobService/Stream", request_serializer=v1.StreamRequest.SerializeToString
        )
        self._call = method(request)
        self.bytes = 0

    async def synced(self) -> None:
        """Until it has been told that it is synced. For streams with nothing to tell before that."""
        message = await self._call.read()
        assert isinstance(message, bytes)
        assert v1.StreamResponse.FromString(message).synced

    async def read(self, events: int) -> None:
        """Until it has been told of so many events.

        Raises EOFError when the stream ends before.
        """
        while events > 0:
            message = await self._call.read()
            if not isinstance(message, bytes):
                raise EOFError(f"the stream ended, {events} events too early")
            self.bytes += len(message)
            events -= count_events(message)

    def cancel(self) -> None:
        self._call.cancel()


async def read_all(subscribers: Sequence[Subscriber], events: int) -> None:
    """Until each of them has been told of so many events."""
    await asyncio.gather(*(subscriber.read(events) for subscriber in subscribers))
