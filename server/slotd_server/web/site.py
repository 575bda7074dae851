"""All of HTTP as one ASGI application: who may ask, what there is, and the headers of every answer."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from slotd_server.rpc import calls
from slotd_server.web.connect import Calls
from slotd_server.web.events import Events
from slotd_server.web.guard import Guard
from slotd_server.web.pages import Pages
from slotd_server.web.policy import Policy

_HERE = Path(__file__).parent
_ASKED_WITH = (
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-type",
    "grpc-timeout",
    "last-event-id",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-slotd-token",
    "x-user-agent",
)
_TOLD_WITH = ("grpc-message", "grpc-status", "grpc-status-details-bin")
"""The headers that pages of `origins` may send and read."""

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text format."""


class Parts(NamedTuple):
    """What is shown: the servicers in the order of `calls.SERVICES`, whether new work is taken, and the metrics as text
    where there are any."""

    servicers: Sequence[object]
    ready: Callable[[], bool]
    metrics: Callable[[], Awaitable[bytes]] | None


def application(parts: Parts, *, address: str, hosts: Collection[str], origins: Collection[str]) -> ASGIApp:
    """The whole of it, for a service that listens on the host `address`; see Guard for the rest."""
    answers = Calls(zip(calls.SERVICES, parts.servicers, strict=True))
    routes = [
        *(Mount(f"/{service.full_name}", answers) for service in calls.SERVICES),
        Route("/events", Events(parts.servicers[0]), methods=["GET"]),
        Route("/healthz", _healthz),
        Route("/openapi.json", _document(_HERE / "openapi.json")),
        Route("/readyz", _readyz(parts.ready)),
    ]
    if parts.metrics is not None:
        routes.append(Route("/metrics", _metrics(parts.metrics)))
    router = Router([*routes, Mount("/", Pages(_HERE / "page"))], redirect_slashes=False)
    cors = CORSMiddleware(router, tuple(origins), ("GET", "POST"), _ASKED_WITH, expose_headers=_TOLD_WITH, max_age=7200)
    return Policy(Guard(cors, address, hosts, origins))


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _readyz(ready: Callable[[], bool]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return PlainTextResponse("serving\n") if ready() else PlainTextResponse("draining\n", 503)

    return answer


def _document(path: Path) -> Callable[[Request], Awaitable[Response]]:
    content = path.read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, media_type="application/json", headers={"cache-control": "no-cache"})

    return answer


def _metrics(expose: Callable[[], Awaitable[bytes]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(await expose(), media_type=_METRICS_TYPE)

    return answer
