"""A headless Chromium to measure and to test pages in. Needs Chromium on the PATH and the package playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Raises FileNotFoundError where there is no Chromium, ImportError without playwright."""
    if CHROMIUM is None:
        raise FileNotFoundError(f"expected Chromium on the PATH ({', '.join(NAMES)}), got none")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
