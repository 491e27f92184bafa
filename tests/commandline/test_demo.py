"""``mooring demo``: one command shows a live fleet, and nothing is left of it afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from tests.journeys.server import PORTS_OFF, ROOT, clean_environment

FLEET = 29
READY_S, FLEET_S, END_S = 60.0, 90.0, 30.0


class Demo:
    """The demo as a person runs it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.err = folder / "err"
        with self.err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mooring", "demo", "--port", "0", *arguments],
                env=clean_environment(TMPDIR=str(folder), **PORTS_OFF),
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                cwd=ROOT,
                start_new_session=True,
            )
        self.said: list[str] = []

    def read_until(self, start: str) -> str:
        """Return the first line that starts so."""
        assert self.process.stdout is not None
        began = time.monotonic()
        while time.monotonic() - began < READY_S:
            line = self.process.stdout.readline()
            assert line, self.err.read_text()
            self.said.append(line.rstrip())
            if line.startswith(start):
                return line.removeprefix(start).strip()
        raise AssertionError(f"not said: {start}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Give a way to start demos, which are all gone afterwards."""
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield begin
    for demo in started:
        demo.end()


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_one_command_shows_a_live_fleet_and_one_key_ends_it(start: Callable[..., Demo], tmp_path: Path) -> None:
    demo = start()
    username = demo.read_until("administrator: ")
    password = demo.read_until("password: ").split()[0]
    url = demo.read_until("ready: ")
    assert sum(password in line for line in demo.said) == 1
    with httpx.Client(base_url=url, timeout=20) as browser:
        answer = browser.post("/api/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200

        def devices(status: str) -> int:
            return int(browser.get("/api/overview").json()["devices"][status])

        until(lambda: devices("online") == FLEET, FLEET_S, f"not all came: {browser.get('/api/overview').text}")
        assert devices("total") == FLEET
        until(lambda: browser.get("/api/overview").json()["frames_per_second"] > 10, 20, "nobody speaks")
        until(lambda: len(browser.get("/api/latest").json()["items"]) == FLEET, 20, "some have not spoken")
        newest = browser.get("/api/latest").json()["items"]
        places = [item["values"] for item in newest if {"latitude", "longitude"} <= set(item["values"])]
        assert len(places) == 25
        series = next(item for item in newest if "latitude" not in item["values"])
        history = browser.get(f"/api/devices/{series['device_id']}/data", params={"limit": 1}).json()
        assert history["total"] > 100, "a recording has a past to look at"
    children = demo.children()
    assert children
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(END_S) == 0
    until(lambda: not any(child.is_running() for child in children), 5, "the fleet is still sailing")
    assert "Traceback" not in demo.err.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name != "err"] == [], "nothing is left behind"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_ended_alone_it_takes_its_fleet_with_it(start: Callable[..., Demo], how: signal.Signals) -> None:
    demo = start("--robots", "3")
    demo.read_until("ready: ")
    until(lambda: bool(demo.children()), 20, "no fleet")
    children = demo.children()
    demo.process.send_signal(how)
    assert demo.process.wait(END_S) == (0 if how == signal.SIGTERM else -how)
    until(lambda: not any(child.is_running() for child in children), 15, "the fleet is still sailing")
    assert "Traceback" not in demo.err.read_text()


def test_a_port_that_is_taken_is_got_round(start: Callable[..., Demo]) -> None:
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        first.listen()
        taken = first.getsockname()[1]
        demo = start("--robots", "0", "--port", str(taken))
        assert not demo.read_until("ready: ").endswith(f":{taken}")
    assert f"port {taken} on 127.0.0.1 is taken; taking a free port instead" in demo.err.read_text()
