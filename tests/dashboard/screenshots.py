"""Takes the pictures of docs/images: `make screenshots`. It takes two minutes, most of them for the charts to fill."""

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

import slotd
from tests.dashboard.chromium import executable, launch
from tests.dashboard.traffic import Scene, set_up, traffic
from tests.service import ChildService

FOLDER = Path(__file__).parents[2] / "docs" / "images"
HANDLERS = "tests.dashboard.shop"
DESKTOP = (1280, 800)
PHONE = (360, 740)
THEMES = ("light", "dark")
CHARTS_MS = 100_000
SETTLE_MS = 1_500
"""For the first answers to come and be drawn."""

COLOURS = 256

Prepare = Callable[[Page], object]


def _to_dependencies(page: Page) -> None:
    page.get_by_role("heading", name="Dependencies").evaluate("heading => heading.scrollIntoView({ block: 'center' })")


def _fill_in(page: Page) -> None:
    page.get_by_label("Kind").fill("resize-photo")
    page.get_by_label("Queue").fill("media")
    page.get_by_label("Payload", exact=True).fill('{\n  "photo": "ada/0042.jpg",\n  "sizes": [320, 640]\n}')
    page.get_by_label("Labels").fill("user=ada")
    page.get_by_role("heading", level=1).click()


def _nothing(_: Page) -> None:
    """It is good as it is."""


def shots(scene: Scene) -> dict[str, tuple[str, Prepare]]:
    """By the picture's name: the address, and what is done before."""
    return {
        "jobs": ("/jobs", _nothing),
        "job": (f"/jobs/{scene.video.id}", _nothing),
        "graph": (f"/jobs/{scene.report.id}", _to_dependencies),
        "schedules": ("/schedules?schedule=nightly-report", _nothing),
        "workers": ("/workers", _nothing),
        "submit": ("/submit", _fill_in),
    }


def take(browser: Browser, url: str, scene: Scene) -> None:
    """All of them, from a service that has been busy since their pages were opened."""
    desks = {theme: _page(browser, DESKTOP, theme) for theme in THEMES}
    small = _page(browser, PHONE, "dark")
    for page in (*desks.values(), small):
        page.goto(url)
    small.wait_for_timeout(CHARTS_MS)
    _save(small, "phone-overview")
    for theme, page in desks.items():
        _save(page, f"overview-{theme}")
        # What the tab has counted so far is lost when the page is loaded again.
        page.get_by_role("navigation").get_by_role("link", name="Queues").click()
        page.wait_for_timeout(SETTLE_MS)
        _save(page, f"queues-{theme}")
        for name, (path, prepare) in shots(scene).items():
            page.goto(url + path)
            expect(page.get_by_text("Live")).to_be_visible()
            prepare(page)
            page.wait_for_timeout(SETTLE_MS)
            _save(page, f"{name}-{theme}")
    small = _page(browser, PHONE, "light")
    small.goto(f"{url}/jobs")
    small.wait_for_timeout(SETTLE_MS)
    _save(small, "phone-jobs")


def _page(browser: Browser, size: tuple[int, int], theme: str) -> Page:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    return page


def _save(page: Page, name: str) -> None:
    """With as few bytes as it can be without being seen to be."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    palette = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    palette.save(FOLDER / f"dashboard-{name}.png", optimize=True)


def main() -> int:
    """Answers the exit status: 77 where there is no Chromium."""
    path = executable()
    if path is None:
        print("There is no chromium: Debian's package of that name has it.", file=sys.stderr)
        return 77
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        service = ChildService(
            Path(folder, "log"),
            module=HANDLERS,
            store=f"sqlite:///{folder}/slotd.db",
            http="127.0.0.1:0",
            slots=12,
            server_name="shop-1",
        )
        command = [sys.executable, "-m", "slotd", "--address", service.address, "worker", HANDLERS]
        worker = subprocess.Popen([*command, "--name", "render-1", "--slots", "6"], stderr=subprocess.DEVNULL)
        try:
            with slotd.Client(service.address) as client, traffic(service.address), sync_playwright() as playwright:
                take(launch(playwright, path), service.url, set_up(client))
        finally:
            worker.kill()
            worker.wait()
            service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
