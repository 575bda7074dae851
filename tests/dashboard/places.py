"""How tests find things on the page: by what somebody sees or hears of it."""

from playwright.sync_api import Locator, Page


def row(page: Page, job_id: str) -> Locator:
    """A job's row in the table of jobs."""
    return page.get_by_role("row").filter(has=page.get_by_title(job_id))


def heading(page: Page) -> Locator:
    """What is above a page, with what it says of the thing shown and the buttons for it."""
    return page.locator(".page-head")


def confirm(page: Page, title: str, verb: str) -> None:
    """Says yes in the window that asks."""
    page.get_by_role("dialog", name=title).get_by_role("button", name=verb, exact=True).click()


def told(page: Page, text: str) -> Locator:
    """A message of what came of something."""
    return page.locator(".toast", has_text=text)


def mark(page: Page) -> None:
    """Leaves something in the page that a reload would take away."""
    page.evaluate("() => { window.marked = true; }")


def is_marked(page: Page) -> bool:
    """Whether the page has not been loaded again since `mark`."""
    return bool(page.evaluate("() => window.marked === true"))
