"""A servicer of which every call is told when it ends: for whichever transport calls it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from time import perf_counter
from typing import Any, TypeAlias

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from slotd_server.rpc import errors
from slotd_server.rpc.calls import Call, Streaming, Unary

Called: TypeAlias = Callable[[str, str, str, float | None], None]
"""Gets a service, a method, the status code's name, and seconds: None for streams, which last as long as one likes."""


class Counted:
    """The methods that `servicer` has of those of `service`."""

    def __init__(self, service: ServiceDescriptor, servicer: object, called: Called) -> None:
        for method in service.methods:
            function = getattr(servicer, method.name, None)
            if function is not None:
                streams = method.client_streaming or method.server_streaming
                wrap: Any = _streaming if streams else _unary
                setattr(self, method.name, wrap(function, method, called))


def _unary(function: Unary, method: MethodDescriptor, called: Called) -> Unary:
    async def call(request: Any, context: Call) -> Message | bytes:
        with _telling(method, called, timed=True):
            return await function(request, context)

    return call


def _streaming(function: Streaming, method: MethodDescriptor, called: Called) -> Streaming:
    async def call(request: Any, context: Call) -> AsyncIterator[Message | bytes]:
        with _telling(method, called, timed=False):
            async with aclosing(function(request, context)) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    yield answer

    return call


@contextmanager
def _telling(method: MethodDescriptor, called: Called, *, timed: bool) -> Iterator[None]:
    began = perf_counter()
    code = "OK"
    try:
        yield
    except BaseException as error:
        code = errors.code(error)
        raise
    finally:
        called(method.containing_service.name, method.name, code, perf_counter() - began if timed else None)
