"""Every page, light and dark, on a desk and on a phone: accessible, within its window, and photographed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.console.visit import Visit, screens_folder
from tests.journeys.server import Server

WINDOWS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
SETTLED_MS = 600

# name of the page -> path, and what is there once it is ready
PAGES = {
    "login": ("/login", "text=Log in to Mooring"),
    "overview": ("/", "text=Fleet by type"),
    "devices": ("/devices", "[data-row='0']"),
    "devices-none": ("/devices?q=nothing-fits-this", "text=No device fits"),
    "devices-add": ("/devices?add=1", "text=Add a device"),
    "device": ("/devices/{robot}", ".u-over"),
    "device-values": ("/devices/{robot}?tab=values", "text=latitude"),
    "device-events": ("/devices/{robot}?tab=events", "main time"),
    "device-connect": ("/devices/{robot}?tab=connect", "text=It works"),
    "device-unknown": ("/devices/nobody", "text=Unknown device"),
    "account": ("/account", "text=API keys"),
    "lost": ("/off/the/chart", "text=Off the chart"),
    "docs": ("/docs", "h2:has-text('Register a device') >> visible=true"),
}


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Give a colour scheme."""
    return str(request.param)


@pytest.fixture(scope="module", params=list(WINDOWS))
def window(request: pytest.FixtureRequest, browser: Browser, demo: Server, scheme: str) -> Iterator[tuple[str, Visit]]:
    """Give a logged-in window of one size and scheme, and its name."""
    visit = Visit.begin(browser, demo.url, viewport=WINDOWS[request.param], color_scheme=scheme).log_in()
    yield f"{scheme}-{request.param}", visit
    visit.end()


@pytest.fixture(scope="module")
def robot(demo: Server) -> str:
    """Give the id of a robot of the fleet."""
    items = demo.admin().get("/api/devices", type="robot", limit=1)["items"]
    return str(items[0]["id"])


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_and_fits_its_window(name: str, window: tuple[str, Visit], robot: str) -> None:
    suffix, visit = window
    path, ready = PAGES[name]
    if name == "login":
        visit.page.context.clear_cookies()
    elif visit.page.context.cookies() == []:
        visit.log_in()
    visit.page.goto(path.format(robot=robot))
    visit.page.locator(ready).first.wait_for()
    visit.page.wait_for_timeout(SETTLED_MS)
    visit.page.screenshot(path=screens_folder() / f"{name}-{suffix}.png")
    # what a server says of an unknown device is in the browser's console as a refused request
    visit.troubles = [line for line in visit.troubles if not (name == "device-unknown" and "status of 404" in line)]
    assert "\n".join(visit.violations()) == ""
    assert visit.overflow() <= 0


def test_palette_and_shortcuts_are_accessible(window: tuple[str, Visit]) -> None:
    suffix, visit = window
    visit.page.goto("/devices")
    visit.page.locator("[data-row='0']").wait_for()
    for key, name in (("Control+k", "palette"), ("?", "keys")):
        visit.page.keyboard.press(key)
        visit.page.locator("[aria-modal=true]").wait_for()
        visit.page.wait_for_timeout(300)
        visit.page.screenshot(path=screens_folder() / f"{name}-{suffix}.png")
        assert "\n".join(visit.violations()) == ""
        visit.page.keyboard.press("Escape")
        visit.page.locator("[aria-modal=true]").wait_for(state="detached")
