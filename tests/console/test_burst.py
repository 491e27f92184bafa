"""Two thousand updates a second: the console shows all of them and stays smooth."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from playwright.sync_api import Browser, WebSocket, expect
from tests.console.visit import Visit
from tests.journeys.server import Device, Server

SECONDS = 4
FRAMES_PER_S = 200
KEYS = 10
SLOWEST_MEAN_FPS = 30

COUNT_FRAMES = """
(seconds) => new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  const step = () => {
    frames += 1;
    const passed = performance.now() - began;
    if (passed < seconds * 1000) requestAnimationFrame(step);
    else done((frames / passed) * 1000);
  };
  requestAnimationFrame(step);
})
"""


def _send(device: Device) -> None:
    batch = FRAMES_PER_S // 20
    with device.socket() as wire:
        for tick in range(SECONDS * 20):
            due = time.monotonic() + 0.05
            first = tick * batch
            frames = [
                {"seq": seq + 1, "sensor_readings": {f"k{key}": seq for key in range(KEYS)}}
                for seq in range(first, first + batch)
            ]
            wire.ask(frames)
            time.sleep(max(0.0, due - time.monotonic()))


def _listen(socket: WebSocket, device_id: str, heard: list[int]) -> None:
    def on_frame(payload: Any) -> None:
        message = json.loads(payload)
        if message["type"] == "readings":
            heard.extend(frame["values"]["k0"] for frame in message["frames"] if frame["device_id"] == device_id)

    socket.on("framereceived", on_frame)


def test_a_burst_of_2000_updates_a_second_is_shown_whole_and_smoothly(browser: Browser, demo: Server) -> None:
    device = demo.admin().device("burst")
    heard: list[int] = []
    visit = Visit.begin(browser, demo.url, viewport={"width": 1440, "height": 900})
    visit.page.on("websocket", lambda socket: _listen(socket, device.id, heard))
    visit.log_in().page.goto("/devices?q=burst")
    visit.page.locator("[data-row='0']").wait_for()
    heard.clear()

    sender = threading.Thread(target=_send, args=(device,))
    sender.start()
    fps = visit.page.evaluate(COUNT_FRAMES, SECONDS)
    sender.join()

    last = SECONDS * FRAMES_PER_S - 1
    expect(visit.page.locator("[role=row]", has_text="burst")).to_contain_text(f"{last}")
    assert sorted(heard) == list(range(last + 1))
    assert fps >= SLOWEST_MEAN_FPS
    visit.end()
