"""Between gRPC and a servicer: requests are parsed here, answers serialised, and every error is given its status.

The generated `add_…_to_server` would answer bytes that are no message with gRPC's own INTERNAL, and leave each error to
each method.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import Any, NoReturn, Protocol, TypeAlias

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from slotd.v1 import job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2
from slotd_server.domain.errors import InvalidArgument
from slotd_server.rpc import errors

SERVICES = (
    job_service_pb2.DESCRIPTOR.services_by_name["JobService"],
    queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"],
    schedule_service_pb2.DESCRIPTOR.services_by_name["ScheduleService"],
    worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"],
)
"""What is served, by descriptor."""

Context: TypeAlias = grpc.aio.ServicerContext[bytes, bytes]


class Call(Protocol):
    """What a servicer sees of a call, whichever way it came."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What came along with the request, by names in lower case."""


Unary: TypeAlias = Callable[[Any, Call], Awaitable[Message | bytes]]
Streaming: TypeAlias = Callable[[Any, Call], AsyncIterator[Message | bytes]]

_TRACEPARENT = re.compile("[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent(call: Call) -> str:
    """The trace that the caller is in, by W3C Trace Context; empty where it has not said so, or not as it is said."""
    for key, value in call.invocation_metadata() or ():
        if key == "traceparent":
            known = isinstance(value, str) and value[:2] != "ff" and _TRACEPARENT.fullmatch(value)
            return str(value) if known else ""
    return ""


def handler(service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
    """Serves what `servicer` has of the methods of `service`; the rest keep gRPC's UNIMPLEMENTED.

    A unary method is `async def Name(self, request, context)` and answers with a message, one that answers with a
    stream is an async generator of messages; either may have them serialised already, and raises any Exception. One
    that is asked by a stream gets an async iterator of requests, which raises InvalidArgument for bytes that are none.
    """
    handlers: dict[str, Any] = {}
    for method, function in methods(service, servicer):
        parse = parser(GetMessageClass(method.input_type))
        if method.client_streaming:
            handlers[method.name] = grpc.stream_stream_rpc_method_handler(_streaming(_parse_each(parse), function))
        elif method.server_streaming:
            handlers[method.name] = grpc.unary_stream_rpc_method_handler(_streaming(parse, function))
        else:
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(_unary(parse, function))
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def methods(service: ServiceDescriptor, servicer: object) -> Iterator[tuple[MethodDescriptor, Any]]:
    """The methods of `service` that `servicer` has, each with its function: a Unary or a Streaming."""
    for method in service.methods:
        function = getattr(servicer, method.name, None)
        if function is not None:
            yield method, function


def parser(kind: type[Message]) -> Callable[[bytes], Message]:
    """Makes a message of bytes; raises InvalidArgument for those that are none."""

    def parse(data: bytes) -> Message:
        try:
            return kind.FromString(data)
        except DecodeError:
            wrong = f"is not a {kind.DESCRIPTOR.full_name}"
            raise InvalidArgument(("request", wrong), reason="MALFORMED_MESSAGE") from None

    return parse


def _parse_each(parse: Callable[[bytes], Message]) -> Callable[[AsyncIterator[bytes]], AsyncIterator[Message]]:
    async def parse_each(requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for data in requests:
            yield parse(data)

    return parse_each


# CancelledError is no Exception: it passes all of this, as it must, or the call would never be let go of.


def _unary(parse: Callable[[bytes], Message], function: Unary) -> Any:
    async def call(data: bytes, context: Context) -> bytes:
        try:
            answer = await function(parse(data), context)
            return answer if isinstance(answer, bytes) else answer.SerializeToString()
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place where every error gets its status
            await _abort(context, error)

    return call


def _streaming(parse: Callable[[Any], Any], function: Streaming) -> Any:
    # Written with `context.write`, and not as a generator around a generator, so that the servicer's own is closed as
    # soon as its caller is gone.
    async def call(data: Any, context: Context) -> None:
        try:
            async with aclosing(function(parse(data), context)) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    await context.write(answer if isinstance(answer, bytes) else answer.SerializeToString())
        except grpc.aio.AbortError:
            raise
        except grpc.aio.InternalError:
            # gRPC's word for an answer that could not be written: the peer went away in its midst.
            return
        except Exception as error:  # noqa: BLE001 - as above
            await _abort(context, error)

    return call


async def _abort(context: Context, error: Exception) -> NoReturn:
    wire = errors.status(error)
    await context.abort(wire.code, wire.message, ((errors.DETAILS_KEY, wire.details),))
