"""A visit to the console in a real browser, watched: what went wrong on the way, and where requests went."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright
from tests.journeys.server import ADMIN_PASSWORD, ROOT

AXE = ROOT / "console/node_modules/axe-core/axe.min.js"
BUILT = ROOT / "src/mooring/doors/console/static/index.html"
PATIENCE_MS = 20_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Browsers report every refused request in the console, and asking "who am I" before the log-in is refused by design.
EXPECTED_COMPLAINTS = ("the server responded with a status of 401",)


def need(found: bool, what: str) -> None:
    """Skip the test with a reason when something is missing; in CI that is a failure."""
    if found:
        return
    if os.environ.get("CI"):
        pytest.fail(f"missing: {what}")
    pytest.skip(f"missing: {what}")


def launch(playwright: Playwright) -> Browser:
    """Start the system's own Chromium without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    need(path is not None, "chromium on PATH")
    return playwright.chromium.launch(executable_path=path, args=list(FLAGS))


@dataclass
class Visit:
    """One browser window on one server."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, browser: Browser, url: str, **options: Any) -> Visit:
        """Open a window that keeps no memory of earlier ones."""
        context = browser.new_context(base_url=url, **options)
        context.set_default_timeout(PATIENCE_MS)
        visit = cls(context.new_page(), url)
        visit.page.on("pageerror", lambda error: visit.troubles.append(f"page error: {error}"))
        visit.page.on("console", lambda message: visit._heard(message.type, message.text))
        visit.page.on("request", lambda request: visit._asked(request.url))
        return visit

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(known in text for known in EXPECTED_COMPLAINTS):
            self.troubles.append(f"console {kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    def log_in(self) -> Visit:
        """Pass the log-in page as the administrator."""
        self.page.goto("/login")
        self.page.get_by_label("User name or email").fill("admin")
        self.page.locator("[name=password]").fill(ADMIN_PASSWORD)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.get_by_role("heading", name="Overview").wait_for()
        return self

    def end(self) -> None:
        """Close the window and say what went wrong in it."""
        self.page.context.close()
        if self.troubles or self.foreign:
            raise AssertionError("\n".join(self.troubles + self.foreign))

    def violations(self) -> list[str]:
        """Return what axe finds fault with, one line each, with the element it is about."""
        need(AXE.is_file(), "console/node_modules/axe-core (npm ci in console/)")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run(document)).violations")
        return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def screens_folder() -> Path:
    """Return where screenshots are kept, made if need be."""
    folder = ROOT / "artifacts/screens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
