"""Who may ask: checked before anything else, on every method and every path.

There is no login, so whatever a page can make a browser send counts as the user's own wish. Three things keep pages of
others out: a Host that they could have pointed here (DNS rebinding) is refused; so is what comes from another origin;
and what changes things needs a token that only our own page can read.
"""

import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from connectrpc.code import Code
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from slotd_server.web import faults

TOKEN_COOKIE = "slotd-token"
TOKEN_HEADER = "x-slotd-token"
"""Requests of our page that change things carry the cookie's value in this header: pages of others can neither read the
one nor send the other. Nothing is kept of it here, so it holds over restarts, and behind a load balancer."""

READS = frozenset(
    f"/slotd.v1.{method}"
    for method in (
        "JobService/Get",
        "JobService/GetGroup",
        "JobService/List",
        "JobService/ReadOutput",
        "JobService/Stream",
        "JobService/Wait",
        "QueueService/GetQueue",
        "QueueService/GetStats",
        "QueueService/ListQueues",
        "QueueService/ListServers",
        "QueueService/ListSlots",
        "ScheduleService/Get",
        "ScheduleService/List",
        "WorkerService/ListWorkers",
        "WorkerService/ReadResults",
    )
)
"""What changes nothing. All that is not here does, also what is added later."""

_NOT_PAGES = ("/slotd.v1.", "/events", "/metrics", "/openapi.json")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\\\[\]]+)(?::(\d{1,5}))?")
_PORTS = {"http": "80", "https": "443"}


class Refusal(NamedTuple):
    """The HTTP status, and what is told with it."""

    status: int
    fault: faults.Fault


class Guard:
    """Lets pass to `app` what may; refuses the rest with Connect's JSON.

    `address` is the host that the service listens on. `hosts` are further names that it may be called by, `origins`
    those whose pages may call it.
    """

    def __init__(self, app: ASGIApp, address: str, hosts: Collection[str], origins: Collection[str]) -> None:
        self._app = app
        self._names = {_name(address), *map(_name, hosts)}
        self._any_address = _is_wildcard(address)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal.fault.response(refusal.status)(scope, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> Refusal | None:
        # There is one at most: the server refuses requests with two.
        host = headers.get("host", "").lower()
        if not self._known(host):
            message = f"this service is not known as {host!r}; --http-host adds a name"
            return Refusal(421, faults.refused(Code.PERMISSION_DENIED, "HOST_NOT_ALLOWED", message))
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin in self._origins:
            return None
        foreign = site in ("cross-site", "same-site") if origin is None else not _same(origin, host)
        if foreign and not _is_visit(method, path, headers):
            message = f"pages of {origin or 'another site'} may not call this service; --http-origin lets one"
            return Refusal(403, faults.refused(Code.PERMISSION_DENIED, "ORIGIN_NOT_ALLOWED", message))
        if from_browser(headers) and _changes(method, path) and not _has_token(headers):
            message = f"what changes things needs the header {TOKEN_HEADER} with the value of the cookie {TOKEN_COOKIE}"
            return Refusal(403, faults.refused(Code.PERMISSION_DENIED, "TOKEN_REQUIRED", message))
        return None

    def _known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _name(match[1])
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        address = _address(name)
        # An address is nothing that a stranger's DNS could point here. Who listens on all of them may also be reached
        # through others: a router's, or those of a container's host.
        return address is not None and (address.is_loopback or self._any_address)


def from_browser(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for a page: it says so in one of these, and no page can keep it from that."""
    return "origin" in headers or "sec-fetch-site" in headers


def _same(origin: str, host: str) -> bool:
    """Whether a page of that origin came from here; over https, where a proxy in front of us speaks TLS."""
    scheme, _, place = origin.lower().partition("://")
    port = _PORTS.get(scheme)
    return port is not None and _placed(place, port) == _placed(host, port)


def _placed(place: str, port: str) -> tuple[str, str] | None:
    match = _HOST.fullmatch(place)
    return None if match is None else (match[1], match[2] or port)


def _is_visit(method: str, path: str, headers: Headers) -> bool:
    """Whether somebody followed a link to our page, in a tab of its own."""
    return (
        method in ("GET", "HEAD")
        and headers.get("origin") is None
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and not path.startswith(_NOT_PAGES)
    )


def _changes(method: str, path: str) -> bool:
    return method not in _SAFE_METHODS and path not in READS


def _has_token(headers: Headers) -> bool:
    cookies = cookie_parser("; ".join(headers.getlist("cookie")))
    cookie, header = cookies.get(TOKEN_COOKIE, ""), headers.get(TOKEN_HEADER, "")
    return cookie != "" and hmac.compare_digest(cookie.encode(), header.encode())


def _name(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_wildcard(host: str) -> bool:
    address = _address(_name(host))
    return host == "" or (address is not None and address.is_unspecified)
