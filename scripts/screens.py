"""Screenshots of every page of the console, light and dark, wide and narrow, from a demo started for the purpose.

``python -m scripts.screens [--into FOLDER] [--warm SECONDS] [--readme]``; ``--readme`` renews docs/images/overview.png.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
CHROMIUM = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
CHROMIUM += " --disable-component-update --disable-sync"


class Demo(NamedTuple):
    """Where the demo is and how to get in."""

    url: str
    password: str


@contextmanager
def demo() -> Iterator[Demo]:
    """Run ``mooring demo`` on a free port."""
    command = [sys.executable, "-m", "mooring", "demo", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield _introduced(process)
    finally:
        process.terminate()
        process.wait(20)


def _introduced(process: subprocess.Popen[str]) -> Demo:
    password = ""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("password:"):
            password = line.split()[1]
        if line.startswith("ready:"):
            return Demo(line.split()[1], password)
    raise SystemExit("the demo ended before it was ready")


def paths_of(page: Page, url: str) -> dict[str, str]:
    """Return the pages worth seeing: the places of the navigation, a robot, a recording, and a page that is not."""
    devices = page.request.get(f"{url}/api/devices?limit=200").json()["items"]
    kinds = {device["device_type"]: device["id"] for device in reversed(devices)}
    places = {"overview": "/", "devices": "/devices", "account": "/account", "docs": "/docs", "missing": "/nowhere"}
    return places | {f"device-{kind}": f"/devices/{device_id}" for kind, device_id in kinds.items()}


def shoot(browser: Browser, reached: Demo, into: Path) -> None:
    """Take every page in both schemes and sizes."""
    for scheme in ("light", "dark"):
        for name, (width, height) in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(reached.url)
            _take(page, into / f"log-in-{scheme}-{name}.png")
            page.request.post(f"{reached.url}/api/auth/login", data={"username": "admin", "password": reached.password})
            for place, path in paths_of(page, reached.url).items():
                page.goto(reached.url + path)
                _take(page, into / f"{place}-{scheme}-{name}.png")
            context.close()


def _take(page: Page, path: Path) -> None:
    page.wait_for_timeout(2500)  # live pages never fall silent, so there is no quiet moment to wait for
    page.screenshot(path=path)
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def main() -> int:
    """Start a demo, let it live for a while, and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screens", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "artifacts" / "screens", help="folder for the pictures")
    parser.add_argument("--warm", type=float, default=20, help="seconds to wait before the first picture")
    parser.add_argument("--readme", action="store_true", help="renew docs/images/overview.png too")
    asked = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("no browser found\nhint: scripts/install-system.sh installs chromium on Debian")
    asked.into.mkdir(parents=True, exist_ok=True)
    with demo() as reached, sync_playwright() as playwright:
        time.sleep(asked.warm)
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM.split())
        shoot(browser, reached, asked.into)
        browser.close()
    if asked.readme:
        shutil.copy(asked.into / "overview-light-wide.png", ROOT / "docs" / "images" / "overview.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
