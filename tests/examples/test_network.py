"""The example handlers that use the network, as plain functions, against a server of the test's own."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from examples.network import fetch, probe
from slotd import JobCancelled, JobContext, PermanentError


class _Site(BaseHTTPRequestHandler):
    """`/ok` has 200,000 bytes, `/short` fewer than it says, `/to/URL` redirects, `/mute` hangs, `/404` is a status."""

    released = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/mute":
            self.released.wait()
            self.close_connection = True
        elif self.path.startswith("/to/"):
            self._answer(302, ("Location", self.path.removeprefix("/to/")), ("Content-Length", "0"))
        elif self.path in ("/ok", "/short"):
            self._answer(200, ("Content-Length", "200000"))
            self.wfile.write(b"x" * (200_000 if self.path == "/ok" else 1_000))
        else:
            self._answer(int(self.path[1:]), ("Content-Length", "0"))

    def _answer(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    _Site.released.clear()
    with HTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        _Site.released.set()
        server.shutdown()
        thread.join()


class TestFetch:
    def test_writes_the_content_and_follows_redirects(self, ctx: JobContext, site: str, tmp_path: Path) -> None:
        target = tmp_path / "new" / "file"
        result = fetch(ctx, {"url": f"{site}/to//ok", "output": str(target)})
        digest = hashlib.sha256(b"x" * 200_000).hexdigest()
        assert result == {"path": str(target), "bytes": 200_000, "sha256": digest, "url": f"{site}/ok"}
        assert target.read_bytes() == b"x" * 200_000
        assert ctx.take().progress == (200_000, 200_000, "file")

    @pytest.mark.parametrize("status", [404, 403, 410, 501])
    def test_a_refusal_that_stays_ends_the_job(self, ctx: JobContext, site: str, tmp_path: Path, status: int) -> None:
        with pytest.raises(PermanentError, match=f"answered {status}"):
            fetch(ctx, {"url": f"{site}/{status}", "output": str(tmp_path / "file")})

    @pytest.mark.parametrize("path", ["429", "500", "503", "short", "mute"])
    def test_what_may_pass_fails_the_attempt_alone(self, ctx: JobContext, site: str, tmp_path: Path, path: str) -> None:
        target = tmp_path / "file"
        target.write_text("old")
        with pytest.raises(OSError, match=f"answered {path}|ended after|timed out"):
            fetch(ctx, {"url": f"{site}/{path}", "output": str(target), "timeout": 0.2})
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_no_connection_fails_the_attempt_alone(self, ctx: JobContext, closed_port: int, tmp_path: Path) -> None:
        with pytest.raises(ConnectionError):
            fetch(ctx, {"url": f"http://127.0.0.1:{closed_port}/", "output": str(tmp_path / "file")})

    @pytest.mark.parametrize(
        "url",
        [
            *("file:///etc/passwd", "ftp://host/x", "data:,x", "x"),
            *("http://", "http:///x", "http://h:0/", "http://h:x/", "http://h/a b", "http://[/"),
        ],
    )
    def test_only_http(self, ctx: JobContext, site: str, tmp_path: Path, url: str) -> None:
        with pytest.raises(PermanentError, match="url: "):
            fetch(ctx, {"url": url, "output": str(tmp_path / "file")})

    def test_not_even_by_a_redirect(self, ctx: JobContext, site: str, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="url: 'ftp://host/x'"):
            fetch(ctx, {"url": f"{site}/to/ftp://host/x", "output": str(tmp_path / "file")})

    def test_stops_midway(self, cancelled_midway: JobContext, site: str, tmp_path: Path) -> None:
        with pytest.raises(JobCancelled):
            fetch(cancelled_midway, {"url": f"{site}/ok", "output": str(tmp_path / "file")})
        assert list(tmp_path.iterdir()) == []


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Bound, so that nobody else gets it, but not listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class TestProbe:
    async def test_tells_open_ports_from_closed_ones(self, ctx: JobContext, closed_port: int) -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        up, down = f"127.0.0.1:{server.sockets[0].getsockname()[1]}", f"127.0.0.1:{closed_port}"
        async with server:
            result: dict[str, Any] = await probe(ctx, {"targets": [up, down, up]})
        assert (result["up"], result["down"]) == (1, 1)
        assert result["targets"][up]["up"]
        assert result["targets"][down]["error"]
        progress, output = ctx.take()
        assert progress is not None
        assert progress[:2] == (2, 2)
        assert f"{up}: up" in output.decode()

    @pytest.mark.parametrize("target", ["host", "host:", ":80", "host:0", "host:99999", "u@host:1", "h:1/x", "[:1"])
    async def test_refuses_what_is_no_address(self, ctx: JobContext, target: str) -> None:
        with pytest.raises(PermanentError, match="targets: "):
            await probe(ctx, {"targets": [target]})

    @pytest.mark.parametrize("targets", [None, [], "host:1", [1], [""]])
    async def test_refuses_what_is_no_list(self, ctx: JobContext, targets: object) -> None:
        with pytest.raises(PermanentError, match="no list of texts"):
            await probe(ctx, {"targets": targets})
