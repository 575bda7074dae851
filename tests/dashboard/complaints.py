"""What a browser finds wrong with a page: errors of scripts, what the content policy refused, requests that failed."""

import re

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# A page that goes elsewhere, or is closed, gives up what it was asking for.
_GIVEN_UP = "net::ERR_ABORTED"


class Complaints:
    """Those of all pages of a test, as they come; a test that provokes some says so with `expect`."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """From now on, and before, what this regular expression finds is no complaint."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """What nobody has expected."""
        return [text for text in self._found if not any(pattern.search(text) for pattern in self._expected)]

    def hear(self, page: Page) -> None:
        """Takes note of the page's."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._found.append(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self._found.append(f"request failed: {request.failure} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._found.append(f"answer: {response.status} {response.url}")
