"""A proxy on loopback that understands enough of what passes to break off where it hurts: just before a commit, just
behind it, or when it is done and nobody has been told yet. It can also fall silent without hanging up."""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple, Protocol


class Moment(Enum):
    """Where in a conversation it may be cut off."""

    BEFORE = auto()
    """It was asked for, and the asking gets lost."""
    DURING = auto()
    """It was asked for; what becomes of it, nobody hears."""
    AFTER = auto()
    """It was done, and the answer gets lost."""


class Frame(NamedTuple):
    """Bytes that are passed on together. `before` and `behind` are the moments that lie there."""

    data: bytes
    before: Moment | None = None
    behind: Moment | None = None


class Dialect(Protocol):
    """Takes one connection's bytes to pieces, as they come."""

    def asked(self, data: bytes) -> Iterator[Frame]:
        """What the client sends."""
        ...

    def answered(self, data: bytes) -> Iterator[Frame]:
        """What the server sends."""
        ...


class PostgresDialect:
    """Version 3 without TLS. Its moments are those of COMMIT, in the simple protocol and in the extended one."""

    def __init__(self) -> None:
        self._from_client, self._from_server = bytearray(), bytearray()
        self._begun = False
        self._statements: dict[bytes, bytes] = {}
        self._portals: dict[bytes, bytes] = {}

    def asked(self, data: bytes) -> Iterator[Frame]:
        self._from_client += data
        if not self._begun:
            # The first message, the startup's or a cancel request, has a length and no type.
            if (first := _take(self._from_client, 0)) is None:
                return
            self._begun = True
            yield Frame(first)
        while (message := _take(self._from_client, 1)) is not None:
            if self._commits(message[:1], message[5:]):
                yield Frame(message, before=Moment.BEFORE, behind=Moment.DURING)
            else:
                yield Frame(message)

    def answered(self, data: bytes) -> Iterator[Frame]:
        self._from_server += data
        while (message := _take(self._from_server, 1)) is not None:
            done = message[:1] == b"C" and message[5:] == b"COMMIT\0"
            yield Frame(message, before=Moment.AFTER if done else None)

    def _commits(self, kind: bytes, body: bytes) -> bool:
        """Whether the message asks for COMMIT; remembers what is prepared and bound."""
        if kind == b"Q":
            return _is_commit(body)
        if kind in b"PB":
            name, _, rest = body.partition(b"\0")
            (self._statements if kind == b"P" else self._portals)[name] = rest.partition(b"\0")[0]
        if kind == b"E":
            statement = self._portals.get(body.partition(b"\0")[0], b"")
            return _is_commit(self._statements.get(statement, b""))
        return False


def _take(buffer: bytearray, before_length: int) -> bytes | None:
    """The first message, taken off; None as long as it is not all there."""
    if len(buffer) < before_length + 4:
        return None
    (length,) = struct.unpack_from("!I", buffer, before_length)
    if len(buffer) < before_length + length:
        return None
    message = bytes(buffer[: before_length + length])
    del buffer[: before_length + length]
    return message


def _is_commit(sql: bytes) -> bool:
    return sql.strip(b"\0 ;\n").upper() == b"COMMIT"


class GrpcDialect:
    """HTTP/2 without TLS, for connections with unary calls alone. The moments are those of a call: its request is
    whole, or its answer begins."""

    _PREFACE = 24
    _DATA, _HEADERS, _END_STREAM = 0, 1, 1

    def __init__(self) -> None:
        self._from_client, self._from_server = bytearray(), bytearray()
        self._begun = False

    def asked(self, data: bytes) -> Iterator[Frame]:
        self._from_client += data
        if not self._begun:
            if len(self._from_client) < self._PREFACE:
                return
            self._begun = True
            yield Frame(bytes(self._from_client[: self._PREFACE]))
            del self._from_client[: self._PREFACE]
        for frame in self._frames(self._from_client):
            if frame[3] == self._DATA and frame[4] & self._END_STREAM:
                yield Frame(frame, before=Moment.BEFORE, behind=Moment.DURING)
            else:
                yield Frame(frame)

    def answered(self, data: bytes) -> Iterator[Frame]:
        self._from_server += data
        for frame in self._frames(self._from_server):
            begins = frame[3] == self._HEADERS and not frame[4] & self._END_STREAM
            yield Frame(frame, before=Moment.AFTER if begins else None)

    def _frames(self, buffer: bytearray) -> Iterator[bytes]:
        while len(buffer) >= 9:
            length = 9 + int.from_bytes(buffer[:3], "big")
            if len(buffer) < length:
                return
            frame = bytes(buffer[:length])
            del buffer[:length]
            yield frame


class _Cut(Exception):
    pass


class Proxy:
    """Listens on `port` of 127.0.0.1 and connects to `target`, HOST:PORT or unix:PATH. Close it.

    `judge` is asked at every moment whether to cut there, in the proxy's own thread. `cuts` counts the yeses.
    """

    def __init__(self, target: str, dialect: Callable[[], Dialect]) -> None:
        self.judge: Callable[[Moment], bool] = lambda moment: False
        self.cuts: Counter[Moment] = Counter()
        self._target = target
        self._dialect = dialect
        self._links: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._link, "127.0.0.1", 0), self._loop
        ).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut_next(self, moment: Moment) -> threading.Event:
        """Cuts at the next such moment, once; the event says that it has come."""
        happened = threading.Event()

        def judge(here: Moment) -> bool:
            if here is not moment or happened.is_set():
                return False
            happened.set()
            return True

        self.judge = judge
        return happened

    def fall_silent(self) -> None:
        """Passes nothing on any more, in either direction, and hangs up on nobody."""
        self._loop.call_soon_threadsafe(self._speaking.clear)

    def speak(self) -> None:
        """Goes on; what waited is passed on."""
        self._loop.call_soon_threadsafe(self._speaking.set)

    def cut_all(self) -> None:
        """Breaks off all connections that there are."""

        def cut() -> None:
            for link in self._links:
                link.cancel()

        self._loop.call_soon_threadsafe(cut)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            links = list(self._links)
            for link in links:
                link.cancel()
            await asyncio.gather(*links, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        writers = [writer]
        try:
            await self._speaking.wait()
            onward, back = await self._connect()
            writers.append(back)
            dialect = self._dialect()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back, dialect.asked))
                group.create_task(self._pass_on(onward, writer, dialect.answered))
        except (asyncio.CancelledError, OSError, BaseExceptionGroup):
            # Cut off, or one of the two has hung up: it is over for the other one too.
            pass
        finally:
            self._links.discard(task)
            for end in writers:
                _break_off(end)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._target.startswith("unix:"):
            return await asyncio.open_unix_connection(self._target.removeprefix("unix:"))
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pieces: Callable[[bytes], Iterator[Frame]],
    ) -> None:
        while data := await reader.read(1 << 16):
            for frame in pieces(data):
                await self._speaking.wait()
                self._maybe_cut(frame.before)
                writer.write(frame.data)
                if frame.behind is not None:
                    await writer.drain()
                    self._maybe_cut(frame.behind)
            await writer.drain()
        raise _Cut

    def _maybe_cut(self, moment: Moment | None) -> None:
        if moment is not None and self.judge(moment):
            self.cuts[moment] += 1
            raise _Cut


def _break_off(writer: asyncio.StreamWriter) -> None:
    """As a broken network does: with a reset, and without what was not sent yet."""
    connection = writer.get_extra_info("socket")
    # One that was closed already has no number any more.
    if connection.fileno() >= 0 and connection.family == socket.AF_INET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
