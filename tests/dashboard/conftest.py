"""The dashboard in a real browser, against real services."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.dashboard.chromium import executable, launch
from tests.dashboard.complaints import Complaints
from tests.service import LocalService, Spawn, spawning, starting

DESKTOP = (1280, 800)
PHONE = (360, 740)

PATIENCE_MS = 15_000
"""How long a page may take where a test does not measure that: tests share their cores."""

Visit: TypeAlias = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a module. It is gone before others run: Playwright's loop, which belongs to this thread,
    would be in the way of theirs."""
    path = executable()
    if path is None:
        pytest.skip("there is no chromium: Debian's package of that name has it")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        yield browser
        browser.close()


def new_context(browser: Browser) -> BrowserContext:
    """A browser that has seen nothing yet, of somebody at a desk."""
    width, height = DESKTOP
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the browser found wrong with the test's pages: nothing, unless the test expects it."""
    complaints = Complaints()
    yield complaints
    assert complaints.unexpected() == []


@pytest.fixture
def visit(browser: Browser, complaints: Complaints) -> Iterator[Visit]:
    """`visit(url)` opens a page in a browser that has seen nothing yet."""
    contexts: list[BrowserContext] = []

    def visit(url: str) -> Page:
        context = new_context(browser)
        contexts.append(context)
        context.on("page", complaints.hear)
        page = context.new_page()
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def service() -> Iterator[LocalService]:
    """A service with the page, on a store of its own, with four slots."""
    with starting() as start:
        yield start(http="127.0.0.1:0")


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts services in children, which can be killed."""
    with spawning(tmp_path) as spawn:
        yield spawn
