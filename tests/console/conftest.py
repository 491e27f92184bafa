"""A demo fleet, a browser and a watched window for the tests of the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.console.visit import BUILT, Visit, launch, need
from tests.journeys.server import Server, running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with a live simulated fleet."""
    need(BUILT.is_file(), "a built console (npm ci && npm run build in console/)")
    with running(tmp_path_factory.mktemp("console") / "data", command=("demo",)) as server:
        yield server


# Not for the whole session: Playwright's loop must be gone before an async test of another folder begins.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser for the module."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, demo: Server) -> Iterator[Visit]:
    """Give a logged-in window in which nothing may go wrong and from which nothing may leave the server."""
    begun = Visit.begin(browser, demo.url, viewport={"width": 1440, "height": 900}).log_in()
    yield begun
    begun.end()
