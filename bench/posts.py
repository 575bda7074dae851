"""Calls over HTTP on a connection that is kept, as a load generator makes them: no more than the protocol takes."""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Refused(Exception):
    """An answer that is none; the message has the status line and the body."""


class Posts:
    """One connection to `url`, for one call at a time."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, path: str, content_type: str, body: bytes) -> bytes:
        """The body of the answer. Raises Refused."""
        head = f"POST {path} HTTP/1.1\r\nHost: {self._place.netloc}\r\nContent-Type: {content_type}\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, _, fields = (await self._reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in fields.splitlines() if line)
        if b"content-length" in headers:
            answer = await self._reader.readexactly(int(headers[b"content-length"]))
        else:
            answer = await self._chunks()
        if b" 200 " not in status:
            raise Refused(f"{status.decode()}: {answer.decode()}")
        return answer

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(parts)
