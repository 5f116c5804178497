"""A real headless Chromium: Debian's package."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.patience import PATIENCE_S

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, timeout=PATIENCE_S * 1000
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[object]:
    """`opened(file, **context)` gives the loaded page; anything on its console, or any request, fails the test."""
    contexts = []
    complaints: list[str] = []

    def open_page(file: Path, **context: object) -> Page:
        contexts.append(browser.new_context(**context))  # type: ignore[arg-type]  # options by name
        contexts[-1].set_default_timeout(PATIENCE_S * 1000)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url))
        page.goto(file.resolve().as_uri())
        page.wait_for_selector("main")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
