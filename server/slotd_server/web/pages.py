"""The dashboard's files, as they were built: read and compressed once, and answered from memory, so that no path leads
elsewhere."""

import gzip
import hashlib
import secrets
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from slotd_server.web.guard import TOKEN_COOKIE

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""By suffix. What the system's own table says differs between machines."""

_INDEX = "/index.html"
_HASHED = "/assets/"
"""What the build names by its content."""

_TOKEN_BYTES = 32


class _File(NamedTuple):
    body: bytes
    packed: bytes | None
    media_type: str
    etag: str
    cached: str


class Pages:
    """An ASGI application of the files in `folder`. Paths without a dot are the page's own to route."""

    def __init__(self, folder: Path) -> None:
        self._files = _read(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed\n", 405, {"allow": "GET, HEAD"})
        path = request.scope["path"]
        routed = "." not in path and "text/html" in request.headers.get("accept", "")
        found = self._files.get(_INDEX if path == "/" or routed else path)
        if found is None:
            missing = (
                "The dashboard is not part of this installation.\n" if _INDEX not in self._files else "Not Found\n"
            )
            return PlainTextResponse(missing, 404)
        response = _response(found, request.headers)
        if found.media_type == "text/html" and not request.cookies.get(TOKEN_COOKIE):
            # Read by the page, so not HttpOnly. A page that is open already goes on with the one it has.
            response.set_cookie(TOKEN_COOKIE, secrets.token_urlsafe(_TOKEN_BYTES), samesite="strict")
        return response


def _response(file: _File, headers: Headers) -> Response:
    described = {"etag": file.etag, "cache-control": file.cached, "vary": "accept-encoding"}
    if file.etag in (tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=described)
    accepted = [name.partition(";")[0].strip() for name in headers.get("accept-encoding", "").split(",")]
    if file.packed is not None and "gzip" in accepted:
        return Response(file.packed, headers=described | {"content-encoding": "gzip"}, media_type=file.media_type)
    return Response(file.body, headers=described, media_type=file.media_type)


def _read(folder: Path) -> dict[str, _File]:
    """The files below `folder` by the paths that they are asked by; none where there is no such folder."""
    bodies = {
        f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    return {
        path: _File(
            body,
            _packed(body),
            _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream"),
            f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            "public, max-age=31536000, immutable" if path.startswith(_HASHED) else "no-cache",
        )
        for path, body in bodies.items()
    }


def _packed(body: bytes) -> bytes | None:
    """By gzip, where that is worth it."""
    packed = gzip.compress(body, mtime=0)
    return packed if len(packed) < 0.9 * len(body) else None
