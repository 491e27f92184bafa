"""A fleet against a server that registers, listens and keeps books."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.simulator.toys import Harbour, RealClock, Reply, harbour_open, http_open, until
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from mooring.simulator.device import ReplayDevice
from mooring.simulator.errors import FleetOptionsInvalid, KeyRefused, RecordingInvalid, RegistrationRefused
from mooring.simulator.fleet import FleetOptions, Progress, devices_of, recordings_for_demo, run_fleet
from mooring.simulator.http_client import Address
from mooring.simulator.naming import shipped_recordings


class Port:
    """Registration over HTTP and a harbour beside it, as one server would have them."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        self.devices: dict[str, dict[str, Any]] = {}
        self.past: dict[str, list[dict[str, Any]]] = {}
        self.key = "k"
        self.quota = 100

    def route(self, method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        if headers["x-api-key"] != self.key:
            return 401, {"message": "no such key"}
        if method == "POST" and path == "/api/devices":
            if len(self.devices) >= self.quota:
                return 429, {"code": "quota_exceeded", "message": "too many devices"}
            self.devices[body["name"]] = body
            return 201, {"id": body["name"].replace(" ", "-"), "auth_token": f"token of {body['name']}"}
        if path.endswith("/data"):
            self.past.setdefault(path.split("/")[3], []).extend(body["frames"])
            return 201, {"receipts": [{"seq": frame["seq"], "status": "stored"} for frame in body["frames"]]}
        return 404, {}


@asynccontextmanager
async def port_open(port: Port) -> AsyncIterator[str]:
    async with harbour_open(port.harbour), http_open(port.route) as url:
        websocket = Address.of(port.harbour.url.replace("ws:", "http:")).port

        def beside(self: Address, path: str) -> str:
            return f"ws://127.0.0.1:{websocket}{path}"

        with patch.object(Address, "websocket", beside):
            yield url


async def run_until(options: FleetOptions, condition: Any) -> tuple[Any, list[Progress]]:
    told: list[Progress] = []
    stop = asyncio.Event()
    task = asyncio.create_task(run_fleet(options, RealClock(), told.append, stop))
    try:
        await until(lambda: task.done() or condition(told))
    finally:
        stop.set()
    async with asyncio.timeout(10):
        return await task, told


async def test_robots_and_sensors_register_connect_and_deliver() -> None:
    port = Port()
    async with port_open(port) as url:
        options = FleetOptions(url, "k", robots=5, replays=recordings_for_demo(None), rate_hz=20.0, speed=6000.0)
        tally, told = await run_until(options, lambda told: len(port.harbour.stored) > 150)
    assert tally.acked == tally.offered == len(port.harbour.stored)
    assert tally.rejected == tally.dropped == tally.connected == 0
    assert sorted(port.devices) == [
        "Antwerp 01", "Cold store temperature", "Cold store temperature 2", "Gothenburg 01", "Hamburg 01",
        "Pump vibration", "Pump vibration 2", "Rotterdam 01", "Trieste 01",
    ]  # fmt: skip
    assert port.devices["Hamburg 01"]["device_type"] == "robot"
    assert len(port.devices["Hamburg 01"]["configuration"]["area"]) == 4
    assert set(port.harbour.tokens) == {f"Bearer token of {name}" for name in port.devices}
    assert [progress.done for progress in told if progress.stage == "registering"] == list(range(10))
    assert told[-1].stage == "done"


async def test_frames_bear_what_the_contract_wants() -> None:
    port = Port()
    async with port_open(port) as url:
        options = FleetOptions(url, "k", robots=1, rate_hz=50.0)
        await run_until(options, lambda told: len(port.harbour.stored) > 10)
    frames = list(port.harbour.stored.values())
    assert frames[0]["seq"] == 1
    assert frames[0]["sensor_readings"]["battery"]["unit"] == "%"
    assert frames[0]["device_status"] == "ok"
    assert isinstance(frames[5]["sensor_readings"]["battery"], float)
    assert "device_status" not in frames[5]
    assert frames[0]["timestamp"].endswith("Z")
    assert json.dumps(frames)


async def test_history_is_posted_before_the_sensor_goes_live() -> None:
    port = Port()
    async with port_open(port) as url:
        options = FleetOptions(url, "k", robots=0, replays=shipped_recordings(), speed=6000.0, backfill_rows=1200)
        tally, told = await run_until(options, lambda told: len(port.harbour.stored) > 10)
    past = port.past["Pump-vibration"]
    assert len(past) == 1200
    assert tally.history == 2400
    assert past == sorted(past, key=lambda frame: frame["timestamp"])
    live = next(frame for frame in port.harbour.stored.values() if "vibration" in frame["sensor_readings"])
    assert past[-1]["timestamp"] < live["timestamp"]
    assert [progress.done for progress in told if progress.stage == "history"].count(1200) == 2


async def test_time_is_up_after_the_duration() -> None:
    port = Port()
    async with port_open(port) as url:
        async with asyncio.timeout(10):
            tally = await run_fleet(FleetOptions(url, "k", robots=2, rate_hz=20.0, duration_s=0.5), RealClock())
    assert tally.acked == tally.offered > 0


async def test_cancelled_fleet_leaves_no_socket_open() -> None:
    port = Port()
    async with port_open(port) as url:
        task = asyncio.create_task(run_fleet(FleetOptions(url, "k", robots=3), RealClock()))
        await until(lambda: port.harbour.connections == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: all(socket.close_code is not None for socket in port.harbour.sockets))


async def test_wrong_key_ends_it_at_once() -> None:
    port = Port()
    async with port_open(port) as url:
        with pytest.raises(KeyRefused, match="no such key"):
            await run_fleet(FleetOptions(url, "wrong", robots=5), RealClock())


async def test_devices_above_the_quota_are_left_out() -> None:
    port = Port()
    port.quota = 2
    async with port_open(port) as url:
        tally, told = await run_until(
            FleetOptions(url, "k", robots=4, rate_hz=20.0), lambda told: len(port.harbour.stored) > 20
        )
    assert len(port.devices) == 2
    assert tally.acked > 0
    assert sum("too many devices" in progress.message for progress in told) == 2


async def test_fleet_that_is_refused_as_a_whole_says_why() -> None:
    port = Port()
    port.quota = 0
    async with port_open(port) as url:
        with pytest.raises(RegistrationRefused, match="too many devices"):
            await run_fleet(FleetOptions(url, "k", robots=4), RealClock())


async def test_refused_token_leaves_the_others_running() -> None:
    port = Port()

    def door(connection: ServerConnection, request: Request) -> Response | None:
        if "Hamburg" in request.headers["Authorization"]:
            return connection.respond(HTTPStatus.FORBIDDEN, "no\n")
        return None

    port.harbour.door = door  # type: ignore[method-assign]
    async with port_open(port) as url:
        tally, told = await run_until(
            FleetOptions(url, "k", robots=3, rate_hz=20.0),
            lambda told: len(port.harbour.stored) > 40 and refused(told),
        )
    assert refused(told)
    assert tally.acked > 40
    assert tally.dropped > 0


def refused(told: list[Progress]) -> bool:
    return any("refused a device's token" in progress.message for progress in told)


async def test_bad_recording_is_refused_before_anything_runs(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("hello\n")
    with pytest.raises(RecordingInvalid, match="line 1"):
        await run_fleet(FleetOptions("http://127.0.0.1:9", "k", robots=0, replays=[bad]), RealClock())


@pytest.mark.parametrize(
    "options",
    [
        {"key": ""},
        {"key": "x\ny"},
        {"url": "nowhere"},
        {"robots": -1},
        {"robots": 10_001},
        {"rate_hz": 0.0},
        {"speed": 0.0},
        {"speed": float("nan")},
        {"backfill_rows": -1},
        {"robots": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(FleetOptionsInvalid):
        FleetOptions(**{"key": "k", **options})


def test_key_is_not_shown_by_the_options() -> None:
    assert "sesame" not in repr(FleetOptions(key="sesame"))


def test_a_recording_named_twice_starts_elsewhere() -> None:
    path = shipped_recordings()[0]
    devices = devices_of(FleetOptions(key="k", robots=0, replays=[path, path, path]))
    replays = [device.replay for device in devices if isinstance(device, ReplayDevice)]
    assert len({replay.start for replay in replays}) == 3
    assert len({id(replay.recording) for replay in replays}) == 1
    assert [device.application.name for device in devices] == [
        "Cold store temperature", "Cold store temperature 2", "Cold store temperature 3",
    ]  # fmt: skip
