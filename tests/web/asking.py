"""Requests over HTTP as they are, header by header, and what comes back."""

import asyncio
import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

JOBS = "/slotd.v1.JobService/"
QUEUES = "/slotd.v1.QueueService/"
SECONDS = 20


class Answer(NamedTuple):
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Of the error that it is."""
        debug = self.json["details"][0]["debug"]
        assert debug["domain"] == "slotd"
        reason: str = debug["reason"]
        return reason

    @property
    def violations(self) -> dict[str, str]:
        """What was wrong, by field."""
        (found,) = (
            one["debug"]["fieldViolations"] for one in self.json["details"] if one["type"].endswith("BadRequest")
        )
        return {one["field"]: one["description"] for one in found}


def ask(url: str, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
    """One request; `content_type="…"` is the header content-type. A Host that is given replaces the right one."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.putrequest(method, path, skip_host="host" in named, skip_accept_encoding=True)
        data = body.encode() if isinstance(body, str) else body
        if data:
            named["content-length"] = str(len(data))
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders(data)
        with connection.getresponse() as response:
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def post(url: str, path: str, message: Any, **headers: str) -> Answer:
    """A call with JSON, as a program makes it."""
    return ask(url, "POST", path, json.dumps(message), **{"content_type": "application/json", **headers})


def raw(url: str, request: bytes) -> bytes:
    """All that comes back for these bytes, until the service hangs up."""
    place = urlsplit(url)
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port or 80), timeout=SECONDS) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


async def answered(app: ASGIApp, method: str, path: str, **headers: str) -> Answer:
    """What an application answers to a request that no server is needed for."""
    sent: list[Message] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        # The caller stays for as long as it takes.
        return next(asked, None) or await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": place,
        "raw_path": place.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body)
