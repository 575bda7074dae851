"""Chromium as Debian has it: started without what it would ask the world for."""

import shutil

from playwright.sync_api import Browser, Playwright

_FLAGS = ("--disable-gpu", "--disable-quic", "--disable-sync")
"""Beside those that Playwright gives every browser: no network in the background, no first run, no sandbox, which root
could not have."""


def executable() -> str | None:
    """Where it is, or None. Playwright's own browsers are not used: Debian's has its security fixes."""
    return shutil.which("chromium")


def launch(playwright: Playwright, path: str) -> Browser:
    """Starts it without a window; Playwright's `Browser.close` ends it."""
    return playwright.chromium.launch(executable_path=path, args=_FLAGS)
