"""A gRPC channel that speaks HTTP: the Connect protocol, in binary or in JSON. Stubs and clients work on it as ever."""

import http.client
import json
import socket
import struct
import threading
import weakref
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pool import Default
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

Codec: TypeAlias = Literal["json", "proto"]
Metadata: TypeAlias = Iterable[tuple[str, str | bytes]] | None

_END = 0b10
_SLACK_SECONDS = 5
"""The service ends a call at its deadline by itself; only where it does not, the connection does so later."""


class HttpChannel(grpc.Channel):
    """Unary calls, and those answered by a stream, each on a connection of its own."""

    def __init__(self, url: str, codec: Codec) -> None:
        self._place = urlsplit(url).netloc
        self._codec: Codec = codec

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """A callable that returns the answer."""

        def call(request: Any, timeout: float | None = None, metadata: Metadata = None, **_: Any) -> Any:
            connection = _Connection(self._place, method, self._codec, timeout, metadata)
            try:
                return response_deserializer(connection.ask(request_serializer(request)))
            finally:
                connection.close()

        return call

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """A callable that returns an iterator with `cancel`."""

        def call(request: Any, timeout: float | None = None, metadata: Metadata = None, **_: Any) -> "_Answers":
            connection = _Connection(self._place, method, self._codec, timeout, metadata)
            return _Answers(connection, request_serializer(request), response_deserializer)

        return call

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:
        """Nothing here does so."""
        return _only_over_grpc

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Work alone does so."""
        return _only_over_grpc

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """There is no one connection whose state could be told."""

    def unsubscribe(self, callback: Any) -> None:
        """As above."""

    def close(self) -> None:
        """Each call has closed its own connection."""

    def __enter__(self) -> "HttpChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HttpError(grpc.RpcError):
    """An error as gRPC's clients expect it."""

    def __init__(self, code: grpc.StatusCode, message: str, details: Iterable[AnyMessage] = ()) -> None:
        super().__init__(message)
        self._code = code
        self._status = Status(code=code.value[0], message=message, details=details)

    def code(self) -> grpc.StatusCode:
        """The status code."""
        return self._code

    def details(self) -> str:
        """The message."""
        return self._status.message

    def trailing_metadata(self) -> Any:
        """The details."""
        return (("grpc-status-details-bin", self._status.SerializeToString()),) if self._status.details else ()


class _Connection:
    """One call; messages go in and come out serialised, whatever they are on the way."""

    def __init__(self, place: str, method: str, codec: Codec, timeout: float | None, metadata: Metadata) -> None:
        service, _, name = method[1:].partition("/")
        described = Default().FindServiceByName(service).methods_by_name.get(name)
        self._asks: type[Message] = GetMessageClass(described.input_type) if described else Empty
        self._answers: type[Message] = GetMessageClass(described.output_type) if described else Empty
        self._method = method
        self._codec = codec
        self._headers = {key: value for key, value in metadata or () if isinstance(value, str)}
        if timeout is not None:
            self._headers["connect-timeout-ms"] = str(max(round(timeout * 1000), 1))
        patience = None if timeout is None else timeout + _SLACK_SECONDS
        self._connection = http.client.HTTPConnection(place, timeout=patience)

    def ask(self, request: bytes) -> bytes:
        """The answer of a unary call."""
        with self._response(f"application/{self._codec}", self._encode(request)) as response:
            data = response.read()
        return self._decode(data)

    def follow(self, request: bytes) -> Iterator[bytes]:
        """The answers of one that streams."""
        message = self._encode(request)
        framed = struct.pack(">BI", 0, len(message)) + message
        with self._response(f"application/connect+{self._codec}", framed) as response:
            while True:
                prefix = response.read(5)
                if len(prefix) < 5:
                    raise HttpError(grpc.StatusCode.UNAVAILABLE, "the connection was cut")
                flags, length = struct.unpack(">BI", prefix)
                data = response.read(length)
                if flags & _END:
                    if error := json.loads(data).get("error"):
                        raise _error(error)
                    return
                yield self._decode(data)

    def close(self) -> None:
        """Hang up, also under a thread that reads."""
        if self._connection.sock is not None:
            try:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side has hung up already.
                pass
        self._connection.close()

    def _response(self, content_type: str, body: bytes) -> http.client.HTTPResponse:
        try:
            self._connection.request("POST", self._method, body, {"content-type": content_type, **self._headers})
            response = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise HttpError(grpc.StatusCode.UNAVAILABLE, f"failed to connect: {error}") from error
        if response.status == 200:
            return response
        with response:
            raise _error(json.loads(response.read()))

    def _encode(self, request: bytes) -> bytes:
        return request if self._codec == "proto" else json_format.MessageToJson(self._asks.FromString(request)).encode()

    def _decode(self, data: bytes) -> bytes:
        return data if self._codec == "proto" else json_format.Parse(data, self._answers()).SerializeToString()


class _Answers:
    """What a call is that streams: an iterator that may be cancelled, also by another thread."""

    def __init__(self, connection: _Connection, request: bytes, parse: Callable[[bytes], Any]) -> None:
        self._connection = connection
        self._answers = connection.follow(request)
        self._parse = parse
        self._cancelled = threading.Event()
        # One that is dropped is cancelled, as on gRPC.
        weakref.finalize(self, connection.close)

    def __iter__(self) -> "_Answers":
        return self

    def __next__(self) -> Any:
        try:
            return self._parse(next(self._answers))
        except (HttpError, OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            if self._cancelled.is_set():
                raise HttpError(grpc.StatusCode.CANCELLED, "cancelled by the caller") from error
            if isinstance(error, HttpError):
                raise
            raise HttpError(grpc.StatusCode.UNAVAILABLE, str(error)) from error
        except StopIteration:
            self._connection.close()
            raise

    def cancel(self) -> None:
        """Ends it."""
        self._cancelled.set()
        self._connection.close()


def _error(body: dict[str, Any]) -> HttpError:
    """The error that the Connect protocol's JSON tells."""
    name = body["code"].upper().replace("CANCELED", "CANCELLED")
    details = [
        AnyMessage(type_url=f"type.googleapis.com/{detail['type']}", value=b64decode(detail["value"] + "=="))
        for detail in body.get("details", ())
    ]
    return HttpError(grpc.StatusCode[name], body.get("message", ""), details)


def _only_over_grpc(*_: Any, **__: Any) -> Message:
    raise HttpError(grpc.StatusCode.UNIMPLEMENTED, "HTTP has no calls that are asked by a stream")
