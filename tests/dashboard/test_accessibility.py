"""Every page for everybody: axe finds nothing, light and dark, at a desk and on a phone; none scrolls sideways."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, expect

from slotd import spec
from slotd.v1 import JOB_STATE_FAILED
from tests.dashboard.complaints import Complaints
from tests.dashboard.conftest import DESKTOP, PHONE, new_context
from tests.service import LocalService, reach, starting

LATER = datetime.now(UTC) + timedelta(days=1)

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()

# Of the dark page only its colours are others.
COLOURS = ("color-contrast",)

PAGES = {
    "/": "Failed last",
    "/jobs": "1 of 3",
    "/jobs?state=failed&label=user%3Dada": "1 of 3",
    "/jobs/{failed}": "Attempt 1 failed",
    "/jobs/{blocked}": "It is blocked",
    "/queues?queue=mail": "Limits",
    "/schedules?schedule=nightly": "Next firings",
    "/schedules?new=1": "How cron is written",
    "/workers": "serving",
    "/submit": "Only check it",
    "/nowhere": "There is no such page",
}
"""By the address: a text that is there once the page is whole."""

DIALOGS = {
    "/": "Resize",
    "/jobs/{failed}": "Delete",
    "/jobs/{blocked}": "Change",
    "/queues": "Pause mail",
    "/queues?edit=mail": "",
    "/schedules": "Delete nightly",
}
"""By the address: the button that opens a window; none where the address does."""


@pytest.fixture(scope="module")
def busy() -> Iterator[LocalService]:
    """A service that has something of everything."""
    with starting() as start:
        yield start(http="127.0.0.1:0")


@pytest.fixture(scope="module")
def ids(busy: LocalService) -> dict[str, str]:
    """The jobs that the addresses name."""
    client = busy.at.client
    failed = client.submit("hopeless", {"why": ["no", "disk"]}, queue="mail", labels={"user": "ada"})
    reach(client, failed, JOB_STATE_FAILED)
    client.submit_and_wait("print", ["one\n", "two\n"])
    running = client.submit("gated", "axe")
    blocked = client.submit("idle", depends_on=[running])
    client.submit("idle", depends_on=[blocked])
    client.submit("idle", schedule_time=LATER)
    client.update_queue("mail", slots=2, max_queued=100)
    client.create_schedule("nightly", spec("idle"), cron="0 2 * * *")
    return {"failed": failed.id, "blocked": blocked.id}


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """One for all of them: they only look, and to open one takes longer than that."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page, complaints: Complaints) -> Page:
    """The tab, as it is at first."""
    width, height = DESKTOP
    tab.set_viewport_size({"width": width, "height": height})
    complaints.hear(tab)
    return tab


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe finds on a page that has it, each with where and why; by these rules alone, where some are given."""
    found = page.evaluate(
        """(rules) => axe
          .run({ resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) })
          .then(({ violations }) => violations)""",
        list(rules),
    )
    return [
        f"{violation['id']}: {node['html']} {node.get('failureSummary')}"
        for violation in found
        for node in violation["nodes"]
    ]


def check(page: Page) -> None:
    """As it is, at a desk and on a phone, light and dark."""
    page.evaluate(AXE)
    for width, height in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        assert violations(page) == [], f"{width} px, light"
        page.emulate_media(color_scheme="dark")
        assert violations(page, COLOURS) == [], f"{width} px, dark"
        wide, seen = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= seen, f"at {width} px it scrolls sideways"


@pytest.mark.parametrize(("path", "text"), PAGES.items(), ids=PAGES)
def test_a_page_is_for_everybody(busy: LocalService, ids: dict[str, str], page: Page, path: str, text: str) -> None:
    page.goto(busy.url + path.format(**ids))
    expect(page.get_by_text(text).first).to_be_visible()
    check(page)


@pytest.mark.parametrize(("path", "button"), DIALOGS.items(), ids=DIALOGS)
def test_a_window_is_for_everybody(busy: LocalService, ids: dict[str, str], page: Page, path: str, button: str) -> None:
    page.goto(busy.url + path.format(**ids))
    if button:
        page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)
