"""The services over HTTP: Connect with JSON or binary messages, and gRPC-Web, at /slotd.v1.SERVICE/METHOD."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NoReturn

from connectrpc.code import Code
from connectrpc.compression.gzip import GzipCompression
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import Headers, RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from slotd_server.rpc import calls
from slotd_server.web import faults
from slotd_server.web.codecs import Answer, Binary, Json
from slotd_server.web.guard import from_browser

_MOST_BYTES = 32 << 20
"""Of one request, uncompressed. SubmitBatch takes 16 MiB, which are 22 MiB and a little more in the base64 of JSON."""

_GZIP_LEVEL = 1
"""What comes after it saves few bytes for much of the event loop's time."""

_FORM = "application/x-www-form-urlencoded"

_ACCEPTED = {
    False: ("application/json", "application/proto", "application/grpc-web"),
    True: ("application/connect+json", "application/connect+proto", "application/grpc-web"),
}
"""How to ask a method, by whether it answers with a stream."""

Services = Iterable[tuple[ServiceDescriptor, object]]


class WebCall:
    """A call as servicers see it; see `calls.Call`."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def invocation_metadata(self) -> Sequence[tuple[str, str]]:
        """The headers of the request."""
        return list(self._headers.allitems())


class Calls:
    """An ASGI application of all services. What asks it has passed the guard."""

    def __init__(self, services: Services) -> None:
        self._endpoints = dict(_endpoints(services))
        self._application = _Application(self._endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            fault = faults.refused(Code.UNIMPLEMENTED, "UNKNOWN_METHOD", f"there is no method {scope['path']}")
            await fault.response(404)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if value.isascii()]
        adapted = {**scope, "headers": headers}
        if scope["method"] == "POST" and (wrong := _settle(MutableHeaders(scope=adapted), endpoint)):
            await wrong.response(415)(scope, receive, send)
            return
        await self._application(adapted, receive, send)


class _Application(ConnectASGIApplication[None]):
    path = ""

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            interceptors=[faults.Translation()],
            read_max_bytes=_MOST_BYTES,
            compressions=[GzipCompression(_GZIP_LEVEL)],
            codecs=[Binary(), Json()],
        )


def _settle(headers: MutableHeaders, endpoint: Any) -> faults.Fault | None:
    """Reads what curl sends by itself as JSON; → what is wrong where the method can't be asked in this way."""
    streams = endpoint.method.stream_type is not StreamType.UNARY
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    # A browser may send a form anywhere, and asks for no leave; the guard has told those that come with one.
    if not streams and kind in ("", _FORM) and not from_browser(headers):
        headers["content-type"] = "application/json"
        return None
    accepted = _ACCEPTED[streams]
    if kind in accepted or kind.startswith("application/grpc-web+"):
        return None
    ways = ", ".join(accepted)
    message = f"{kind or 'no content type'}: {endpoint.method.name} takes {ways}" + ("; or GET /events" * streams)
    return faults.refused(Code.INVALID_ARGUMENT, "UNSUPPORTED_CONTENT_TYPE", message)


def _endpoints(services: Services) -> Iterator[tuple[str, Any]]:
    for service, servicer in services:
        for method, function in calls.methods(service, servicer):
            yield f"/{service.full_name}/{method.name}", _endpoint(method, function)


def _endpoint(method: MethodDescriptor, function: Any) -> Any:
    kind = GetMessageClass(method.output_type)
    if method.client_streaming:
        return Endpoint.bidi_stream(_info(method, StreamType.BIDI_STREAM), _only_over_grpc)
    if method.server_streaming:
        return Endpoint.server_stream(_info(method, StreamType.SERVER_STREAM), _streaming(function, kind))
    return Endpoint.unary(_info(method, StreamType.UNARY), _unary(function, kind))


def _info(method: MethodDescriptor, stream_type: StreamType) -> MethodInfo[Any, Any]:
    return MethodInfo(
        name=method.name,
        service_name=method.containing_service.full_name,
        input=GetMessageClass(method.input_type),
        output=GetMessageClass(method.output_type),
        # No method may be asked by GET, which pages elsewhere can make a browser do.
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=stream_type,
    )


def _unary(
    function: calls.Unary, kind: type[Message]
) -> Callable[[Message, RequestContext[Any, Any]], Awaitable[Answer]]:
    async def call(request: Message, context: RequestContext[Any, Any]) -> Answer:
        return Answer(kind, await function(request, WebCall(context.request_headers)))

    return call


def _streaming(
    function: calls.Streaming, kind: type[Message]
) -> Callable[[Message, RequestContext[Any, Any]], AsyncIterator[Answer]]:
    async def call(request: Message, context: RequestContext[Any, Any]) -> AsyncIterator[Answer]:
        # The servicer's generator is closed as soon as this one is, which is when the caller has gone.
        answers: Any = function(request, WebCall(context.request_headers))
        async with aclosing(answers):
            async for answer in answers:
                yield Answer(kind, answer)

    return call


def _only_over_grpc(_: AsyncIterator[Message], context: RequestContext[Any, Any]) -> NoReturn:
    message = f"{context.method.name} needs HTTP/2 in both directions: ask over gRPC"
    raise faults.refused(Code.UNIMPLEMENTED, "ONLY_OVER_GRPC", message).exception()
