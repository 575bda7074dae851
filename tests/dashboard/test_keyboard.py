"""The page without a mouse."""

from playwright.sync_api import Page, expect

from slotd import spec
from tests.dashboard.conftest import Visit
from tests.dashboard.places import heading, row
from tests.service import LocalService

TABS = 12
PAGES = {
    "j": "Jobs",
    "q": "Queues",
    "s": "Schedules",
    "w": "Workers and servers",
    "n": "Submit a job",
    "o": "Overview",
}


def test_keys_lead_to_pages_and_to_the_search(service: LocalService, visit: Visit) -> None:
    page = visit(service.url)
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Overview")
    for key, text in PAGES.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(title).to_have_text(text)
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.keyboard.press("/")
    field = page.get_by_label("Job id, label or other condition")
    expect(field).to_be_focused()
    # What is written into a field is no command.
    page.keyboard.type("gq/j")
    expect(field).to_have_value("gq/j")


def test_rows_are_gone_through_chosen_and_opened(service: LocalService, visit: Visit) -> None:
    first, second = service.at.client.submit_batch([spec("patient"), spec("patient")])
    page = visit(f"{service.url}/jobs")
    expect(row(page, first.id)).to_be_visible()
    page.keyboard.press("j")
    expect(row(page, second.id).get_by_role("link")).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, first.id).get_by_role("link")).to_be_focused()
    page.keyboard.press("k")
    expect(row(page, second.id).get_by_role("link")).to_be_focused()
    page.keyboard.press("x")
    chosen = page.get_by_role("region", name="Chosen jobs")
    expect(chosen).to_contain_text("1 job chosen")
    expect(row(page, second.id).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    page.keyboard.press("Enter")
    expect(heading(page)).to_contain_text(second.id)


def test_a_window_keeps_the_focus_and_gives_it_back(service: LocalService, visit: Visit) -> None:
    page = visit(f"{service.url}/jobs/{service.at.client.submit('patient').id}")
    button = heading(page).get_by_role("button", name="Cancel", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel this job?")
    expect(dialog).to_be_visible()
    seen = set()
    for _ in range(TABS):
        page.keyboard.press("Tab")
        seen.add(focused(page))
    # Between the last thing in it and the first the focus is on the browser's own, which to the page is nowhere.
    assert seen - {"BODY outside"} == {"BUTTON inside"}
    page.keyboard.press("Escape")
    # The browser has closed it, and the page has heard of that: pressed in between, the button would open what is open.
    expect(page.locator("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Back").press("Enter")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_the_list_of_keys_opens_and_closes_by_keys(service: LocalService, visit: Visit) -> None:
    page = visit(service.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Search")
    # Keys of the page below do nothing meanwhile.
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_the_first_stop_leads_past_the_navigation(service: LocalService, visit: Visit) -> None:
    page = visit(f"{service.url}/jobs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def focused(page: Page) -> str:
    """What has the focus, and whether it is in a window."""
    return str(
        page.evaluate(
            "() => document.activeElement.tagName + (document.activeElement.closest('dialog') ? ' inside' : ' outside')"
        )
    )
