"""GET /events: JobService.Stream as Server-Sent Events, for `curl --no-buffer` and a page's EventSource.

Each message is one StreamResponse as ProtoJSON, and its id the cursor, so that an EventSource that comes back resumes.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from connectrpc.request import Headers as CallHeaders
from google.protobuf.descriptor import EnumDescriptor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from slotd import v1
from slotd_server.domain.errors import Draining, InvalidArgument
from slotd_server.web import codecs, faults
from slotd_server.web.connect import WebCall

_TYPE = "text/event-stream"
_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
"""Proxies must neither keep the stream nor hold it back; the last is nginx's way to be told."""

_ENCODED = 64
"""How many messages are remembered as text, since subscribers that ask alike see the same ones."""

Set: TypeAlias = Callable[[v1.StreamRequest, str], None]


class _Parameter(NamedTuple):
    set: Set
    repeated: bool = True


class Events:
    """The ASGI application; `jobs` is the servicer of JobService."""

    def __init__(self, jobs: Any) -> None:
        self._jobs = jobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the caller goes, or there is no more to tell."""
        if scope["method"] == "HEAD":
            await Response(media_type=_TYPE)(scope, receive, send)
            return
        request = Request(scope)
        try:
            asked = _asked(request)
        except InvalidArgument as error:
            await faults.of(error).response()(scope, receive, send)
            return
        telling = asyncio.ensure_future(self._tell(asked, request, scope, receive, send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whichever is left; its place among the streams is free when it has ended.
            leaving.cancel()
            telling.cancel()
            await asyncio.wait({telling, leaving})
        if not telling.cancelled():
            telling.result()

    async def _tell(
        self, asked: v1.StreamRequest, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        call = WebCall(CallHeaders(list(request.headers.items())))
        started = False
        messages: Any = self._jobs.Stream(asked, call)
        try:
            async with aclosing(messages):
                async for message in messages:
                    if not started:
                        if await self._is_over(asked, call, message):
                            await Response(status_code=204)(scope, receive, send)
                            return
                        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                        started = True
                    await send({"type": "http.response.body", "body": _event(message), "more_body": True})
        except Exception as error:  # noqa: BLE001 - told to the caller, as `calls` does
            if not started:
                await faults.of(error).response()(scope, receive, send)
                return
            # A server that stops closes, and an EventSource comes back by itself; after an error it would not.
            if not isinstance(error, Draining):
                body = f"event: error\ndata: {faults.of(error).text()}\n\n".encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _is_over(self, asked: v1.StreamRequest, call: WebCall, first: bytes) -> bool:
        """Whether a stream that was resumed has no more to tell than that: its jobs have all ended, and it knows."""
        if not asked.cursor or not asked.filter.job_ids:
            return False
        response = v1.StreamResponse.FromString(first)
        if response.events or not response.synced:
            return False
        still_open = v1.JobFilter(job_ids=asked.filter.job_ids, states=_OPEN)
        return not (await self._jobs.List(v1.ListRequest(filter=still_open, page_size=1), call)).jobs


async def _gone(receive: Receive) -> None:
    """Returns when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


@lru_cache(_ENCODED)
def _event(data: bytes) -> bytes:
    message = v1.StreamResponse.FromString(data)
    name = f"id: {message.cursor}\n" if message.cursor else ""
    return f"{name}data: {codecs.text(message)}\n\n".encode()


def _asked(request: Request) -> v1.StreamRequest:
    """The query as a request. Raises InvalidArgument, which names each parameter that is wrong."""
    asked = v1.StreamRequest()
    wrong: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        parameter = _PARAMETERS.get(name)
        if parameter is None:
            wrong.append((name, f"is none of {', '.join(_PARAMETERS)}"))
        elif name in seen and not parameter.repeated:
            wrong.append((name, "comes twice"))
        else:
            seen.add(name)
            try:
                parameter.set(asked, value)
            except ValueError as error:
                wrong.append((name, str(error)))
    if wrong:
        raise InvalidArgument(*wrong)
    # It is as old as what the caller saw last, and the query only as old as the page.
    asked.cursor = request.headers.get("last-event-id") or asked.cursor
    return asked


def _added(field: str) -> Set:
    return lambda asked, value: getattr(asked.filter, field).append(value)


def _label(asked: v1.StreamRequest, value: str) -> None:
    key, equals, text = value.partition("=")
    if not equals:
        raise ValueError("is not KEY=VALUE")
    asked.filter.labels[key] = text


def _choice(enum: EnumDescriptor, prefix: str, value: str) -> int:
    """The number of a value that may be written without its prefix, and in lower case."""
    names: Mapping[str, int] = {
        name.removeprefix(prefix): number.number for name, number in enum.values_by_name.items()
    }
    number = names.get(value.upper().removeprefix(prefix))
    if number is None:
        raise ValueError(f"is none of {', '.join(name.lower() for name, known in names.items() if known)}")
    return number


def _state(asked: v1.StreamRequest, value: str) -> None:
    asked.filter.states.append(_choice(v1.JobState.DESCRIPTOR, "JOB_STATE_", value))  # type: ignore[arg-type]


def _delivery(asked: v1.StreamRequest, value: str) -> None:
    asked.delivery = _choice(v1.Delivery.DESCRIPTOR, "DELIVERY_", value)  # type: ignore[assignment]


def _view(asked: v1.StreamRequest, value: str) -> None:
    asked.view = _choice(v1.JobView.DESCRIPTOR, "JOB_VIEW_", value)  # type: ignore[assignment]


def _progress(asked: v1.StreamRequest, value: str) -> None:
    if value not in ("0", "1", "false", "true"):
        raise ValueError("is none of 0, 1, false, true")
    asked.include_progress = value in ("1", "true")


def _cursor(asked: v1.StreamRequest, value: str) -> None:
    asked.cursor = value


_PARAMETERS: Mapping[str, _Parameter] = {
    "queue": _Parameter(_added("queues")),
    "kind": _Parameter(_added("kinds")),
    "state": _Parameter(_state),
    "label": _Parameter(_label),
    "job": _Parameter(_added("job_ids")),
    "group": _Parameter(_added("groups")),
    "schedule": _Parameter(_added("schedules")),
    "depends_on": _Parameter(_added("depends_on")),
    "delivery": _Parameter(_delivery, repeated=False),
    "view": _Parameter(_view, repeated=False),
    "progress": _Parameter(_progress, repeated=False),
    "cursor": _Parameter(_cursor, repeated=False),
}

_OPEN = (v1.JOB_STATE_SCHEDULED, v1.JOB_STATE_BLOCKED, v1.JOB_STATE_QUEUED, v1.JOB_STATE_RUNNING)
