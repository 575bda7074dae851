"""Handlers that use the network: `fetch`, and `probe`, which is `async`."""

import asyncio
import hashlib
import re
import time
from http.client import HTTPException, HTTPMessage
from typing import IO, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from examples.disk import Meter, written_whole
from examples.payloads import Fields
from slotd import JobContext, PermanentError, job

_SCHEMES = ("http", "https")
_WRITTEN = re.compile(r"[!-~]+")
_PIECE = 1 << 16
_AT_ONCE = 64

_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which another attempt makes sense; any other refusal is there to stay."""


@job("fetch", timeout=6 * 3600, max_attempts=5, initial_backoff=2)
def fetch(ctx: JobContext, payload: object) -> dict[str, object]:
    """A URL's content as a file: `{"url": "https://…", "output": "page.html"}`; `http` and `https` alone.

    `timeout`, in seconds, is the longest that connecting or a single read may take: 8 by default, which is less than
    the service's cancel grace, so that a cancelled fetch has let go by then. What may pass (no connection, a timeout, a
    short answer, a busy server) is tried again; what won't (404 and its like) fails at once.
    """
    fields = Fields(payload, "url", "output", "timeout")
    url, target = fields.text("url"), fields.target()
    seconds = fields.number("timeout", 8, 0.1, 600)
    _check(url)
    if target.is_dir():
        raise PermanentError(f"output: {target} is a folder")
    try:
        request = Request(url, headers={"User-Agent": "slotd-example", "Accept-Encoding": "identity"})
        with build_opener(_Redirects).open(request, timeout=seconds) as answer:
            length = answer.headers.get("Content-Length", "")
            expected = int(length) if length.isdecimal() else 0
            meter = Meter(ctx, expected)
            digest = hashlib.sha256()
            with written_whole(target, ctx.job_id) as file:
                while piece := answer.read(_PIECE):
                    meter.add(len(piece), target.name)
                    digest.update(piece)
                    file.write(piece)
                if meter.done < expected:
                    raise ConnectionError(f"{url} ended after {meter.done} of {expected} bytes")
            final = answer.url
    except HTTPError as error:
        error.close()
        refusal = f"{url} answered {error.code} {error.reason}"
        if error.code in _MAY_PASS:
            raise ConnectionError(refusal) from error
        raise PermanentError(refusal) from error
    except URLError as error:
        raise ConnectionError(f"{url}: {error.reason}") from error
    except HTTPException as error:
        raise ConnectionError(f"{url}: {type(error).__name__}: {error}") from error
    ctx.write(f"{meter.done} bytes from {final}\n")
    return {"path": str(target), "bytes": meter.done, "sha256": digest.hexdigest(), "url": final}


class Probed(NamedTuple):
    """Whether a connection came about, in how many milliseconds, and what stood in the way."""

    up: bool
    milliseconds: float
    error: str = ""


@job("probe", timeout=300, max_attempts=1)
async def probe(ctx: JobContext, payload: object) -> dict[str, object]:
    """Which TCP ports take connections, all asked at once: `{"targets": ["example.org:443", "[::1]:22"]}`.

    `timeout`, in seconds, is for each, 3 by default. A port that is closed is a finding, not a failure.
    """
    fields = Fields(payload, "targets", "timeout")
    targets = list(dict.fromkeys(fields.texts("targets")))
    seconds = fields.number("timeout", 3, 0.01, 60)
    addresses = {target: _address(target) for target in targets}
    found: dict[str, Probed] = {}
    room = asyncio.Semaphore(_AT_ONCE)

    async def ask(target: str) -> None:
        async with room:
            found[target] = result = await _connect(*addresses[target], seconds)
        ctx.write(f"{target}: {'up' if result.up else result.error} ({result.milliseconds} ms)\n")
        ctx.progress(len(found), len(targets), target)

    # Cancelling the job cancels this coroutine, and the group with it all that still connect.
    async with asyncio.TaskGroup() as group:
        for target in targets:
            group.create_task(ask(target))
    up = sum(result.up for result in found.values())
    return {"up": up, "down": len(found) - up, "targets": {target: found[target]._asdict() for target in targets}}


async def _connect(host: str, port: int, seconds: float) -> Probed:
    start = time.perf_counter()
    error = ""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except TimeoutError:
        error = f"no answer within {seconds:g} s"
    except OSError as refused:
        error = refused.strerror or str(refused)
    return Probed(not error, round((time.perf_counter() - start) * 1000, 1), error)


def _address(target: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{target}")
        if parts.netloc == target and "@" not in target and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError as error:
        raise PermanentError(f"targets: {target!r}: {error}") from error
    raise PermanentError(f"targets: {target!r} is not HOST:PORT")


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but never out of http and https."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        # Asking for the port checks it.
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and _WRITTEN.fullmatch(url):
            return
    except ValueError as error:
        raise PermanentError(f"url: {url!r}: {error}") from error
    raise PermanentError(f"url: {url!r} is no URL of {' or '.join(_SCHEMES)}")
