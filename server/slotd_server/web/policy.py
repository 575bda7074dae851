"""The headers that all answers have: what a browser may do with them, which is as little as the page needs."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

HEADERS = (
    (b"content-security-policy", "; ".join(_CONTENT).encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

_NOT_KEPT = ((b"cache-control", b"no-store"),)
"""For answers that don't say how long they hold."""


class Policy:
    """Adds them to the answers of `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                kept = () if any(name == b"cache-control" for name, _ in given) else _NOT_KEPT
                message["headers"] = [*given, *HEADERS, *kept]
            await send(message)

        await self._app(scope, receive, with_headers)
