"""Measures the page with many jobs in the store and many events a second: `python -m tests.dashboard.measure`.

What it prints is the table of docs/dashboard.md. Service, load and browser share this machine; the browser draws by
software.
"""

import argparse
import sys
import tempfile
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

import slotd
from slotd import v1
from tests.dashboard.chromium import executable, launch
from tests.dashboard.traffic import meanwhile
from tests.service import ChildService

BATCH = 1_000
WATCH_MS = 15_000
SCROLL_PX = 400
PAGES = (("overview", "/", False), ("jobs", "/jobs", False), ("jobs, scrolling", "/jobs", True))

_EVENTS_PER_JOB = 3
"""Submitted, started, ended."""

_BATCHES_PER_SECOND = 20

_RECORD = """() => {
  const record = { frames: [], tasks: [] };
  new PerformanceObserver((list) => record.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  let before = performance.now();
  const frame = (now) => {
    record.frames.push(now - before);
    before = now;
    if (window.scrolls) {
      scrollBy(0, window.scrolls);
      const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
      if (scrollTop <= 0 || scrollTop + clientHeight >= scrollHeight - 1) window.scrolls = -window.scrolls;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.record = record;
}"""
"""Notes the time between frames and what held the page up for more than 50 ms; scrolls by `window.scrolls` a frame."""


class Figures(NamedTuple):
    """What one page did while it was watched."""

    frames_per_second: float
    slowest_ms: float
    long_tasks: int
    long_ms: float
    heap_mb: float
    received_kb_per_second: float
    events_per_second: float


def fill(client: slotd.Client, jobs: int) -> None:
    """Puts so many jobs through the service."""
    for start in range(0, jobs, BATCH):
        client.submit_batch([_spec(number) for number in range(start, min(jobs, start + BATCH))])
    # Of one priority they end in their order; this one comes last.
    client.submit_and_wait("idle", priority=-1, timeout=600)


def _spec(number: int) -> v1.JobSpec:
    return slotd.spec("idle", queue=f"q{number % 8}", labels={"user": f"u{number % 100}"})


def load(address: str, events: int) -> AbstractContextManager[None]:
    """Makes so many events a second, in as many batches as are given in a second."""
    size = max(1, events // (_EVENTS_PER_JOB * _BATCHES_PER_SECOND))

    def submit(client: slotd.Client, over: threading.Event) -> None:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            client.submit_batch([_spec(number) for number in range(size)])
            due += 1 / _BATCHES_PER_SECOND

    return meanwhile(address, submit)


def first_rows(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds until a tab that has nothing cached shows rows, and kB that it took."""
    page, devtools = _page(browser)
    received = _count_bytes(devtools)
    page.goto(f"{url}/jobs")
    page.wait_for_function("() => document.querySelector('[data-row]')")
    took = page.evaluate("() => performance.now()")
    page.context.close()
    return float(took), sum(received) / 1000


def watch(browser: Browser, client: slotd.Client, url: str, *, scroll: bool) -> Figures:
    """Looks at a page while jobs go by."""
    page, devtools = _page(browser)
    page.goto(url)
    expect(page.get_by_text("Live")).to_be_visible()
    if scroll:
        _load_rows(page)
    before = client.get_stats()
    received = _count_bytes(devtools)
    page.evaluate(f"() => {{ window.scrolls = {SCROLL_PX if scroll else 0}; }}")
    page.evaluate(_RECORD)
    page.wait_for_timeout(WATCH_MS)
    seconds = WATCH_MS / 1000
    record = page.evaluate("() => window.record")
    events = client.get_stats().revision - before.revision
    devtools.send("HeapProfiler.collectGarbage")
    heap = page.evaluate("() => performance.memory.usedJSHeapSize")
    page.context.close()
    return Figures(
        frames_per_second=len(record["frames"]) / seconds,
        slowest_ms=max(record["frames"]),
        long_tasks=len(record["tasks"]),
        long_ms=max(record["tasks"], default=0.0),
        heap_mb=heap / 1e6,
        received_kb_per_second=sum(received) / 1000 / seconds,
        events_per_second=events / seconds,
    )


def _page(browser: Browser) -> tuple[Page, CDPSession]:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    return page, devtools


def _load_rows(page: Page, rows: int = 2_000) -> None:
    """Scrolls down until so many rows are loaded, and up again."""
    page.wait_for_function(
        """(rows) => {
          scrollTo(0, document.documentElement.scrollHeight);
          return Number([...document.querySelectorAll("[data-row]")].at(-1)?.dataset.row ?? 0) >= rows;
        }""",
        arg=rows,
        timeout=60_000,
    )


def _count_bytes(devtools: CDPSession) -> list[float]:
    """What comes over the wire from now on, piece by piece."""
    received: list[float] = []
    devtools.on("Network.dataReceived", lambda event: received.append(event["encodedDataLength"]))
    return received


def measure(browser: Browser, client: slotd.Client, url: str, events: int) -> None:
    """Prints a line for each page, at so many events a second."""
    for name, path, scroll in PAGES:
        figures = watch(browser, client, url + path, scroll=scroll)
        told = ", ".join(f"{key} {value:.1f}" for key, value in figures._asdict().items())
        print(f"{events} events/s wanted, {name}: {told}", flush=True)


def main() -> int:
    """Answers the exit status: 77 where there is no Chromium."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100_000, help="in the store")
    parser.add_argument("--events", type=int, default=1_000, help="a second")
    options = parser.parse_args()
    path = executable()
    if path is None:
        print("There is no chromium: Debian's package of that name has it.", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/slotd.db"
        service = ChildService(Path(folder, "log"), store=store, http="127.0.0.1:0", slots=8)
        try:
            with slotd.Client(service.address) as client, sync_playwright() as playwright:
                fill(client, options.jobs)
                browser = launch(playwright, path)
                took, size = first_rows(browser, service.url)
                print(f"first rows after {took:.0f} ms, {size:.0f} kB")
                measure(browser, client, service.url, 0)
                with load(service.address, options.events):
                    measure(browser, client, service.url, options.events)
        finally:
            service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
