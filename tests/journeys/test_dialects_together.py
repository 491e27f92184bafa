"""All contracts on one running server at the same time: recorded exchanges byte for byte, and one fleet of it all."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.dialects import eventually, heard, silent
from tests.journeys.foreign import socketio_client
from tests.journeys.server import ADMIN_PASSWORD, Device, Server, free_port, running

VECTORS = Path(__file__).parents[1] / "vectors" / "contracts"
READINGS = {"battery": 64.2, "cpu": 31, "ram": 2048, "latitude": 53.5, "longitude": 10.0}


def exchanges(contract: str) -> list[list[Any]]:
    """Return the recorded exchanges of a contract."""
    lines = (VECTORS / contract / "exchanges.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@dataclass
class Scene:
    """A server with every door open, and the one robot the recordings speak of."""

    server: Server
    robot: Device
    access: str
    words: dict[str, str]

    def filled(self, text: str) -> str:
        """Return a recorded text with what this server made in the places kept for it."""
        for name, word in self.words.items():
            text = text.replace(f"{{{name}}}", word)
        return text

    def headers_of(self, path: str) -> dict[str, str]:
        """Return what a client of a contract shows at a path."""
        if not path.startswith("/robots/robot_"):
            return {}
        with self.server.client() as client:
            pair = {"serial": self.words["serial"], "token": self.words["token"]}
            return {"x-token": client.post("/robots/robot/obtain_token", data=pair).json()["access_token"]}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give the scene."""
    settings = {
        "MOORING_OPEN_DIALECTS": "robots,events,channels,battery,tcp",
        "MOORING_BATTERY_PORT": str(free_port()),
        "MOORING_MQTT_PORT": str(free_port()),
    }
    with running(tmp_path_factory.mktemp("together") / "data", settings=settings) as server:
        admin = server.admin()
        robot = admin.device("R2", device_type="robot")
        robot.post({"timestamp": "2026-11-20T10:00:00Z", "sensor_readings": READINGS})
        serial = admin.get(f"/api/devices/{robot.id}")["name"]
        with server.client() as client:
            body = {"username": "admin", "password": ADMIN_PASSWORD}
            access = client.post("/users/obtain_token/", data=body).json()["access"]
        words = {"serial": serial, "token": robot.token, "uuid": robot.id, "access": access}
        yield Scene(server, robot, access, words)


@pytest.mark.parametrize("contract", ["robots", "events", "channels"])
def test_recorded_exchanges_are_answered_byte_for_byte(scene: Scene, contract: str) -> None:
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(scene.server.client(headers={"authentication": scene.access}))
        sockets: dict[str, Any] = {}
        for way, asked, answered in exchanges(contract):
            if way == "http":
                method, path, kind, body = map(scene.filled, asked)
                answer = client.request(method, path, content=body.encode(), headers={"content-type": kind})
                expected = [answered[0], scene.filled(answered[1])]
                assert [answer.status_code, answer.text] == expected, asked
                continue
            if way not in sockets:
                sockets[way] = stack.enter_context(scene.server.ws(way, **scene.headers_of(way)))
            sockets[way].send(scene.filled(asked))
            if answered is None:
                assert silent(sockets[way], 0.2), asked
            else:
                assert sockets[way].recv(timeout=10) == answered, asked


def monitor(scene: Scene, rounds: int) -> None:
    with scene.server.ws("/ws/frontend") as page, scene.server.ws("/ws/device") as device:
        for number in range(rounds):
            device.send(json.dumps({"device_id": "PC-T", "event_type": "tick", "number": number}))
            while (told := heard(page)).get("number") != number:
                assert told["device_id"] != "PC-T"


def united(scene: Scene, rounds: int) -> None:
    with scene.server.ws("/robots/robot_data", **scene.headers_of("/robots/robot_data")) as data:
        for number in range(rounds):
            data.send(json.dumps({"type": 1, "id": number, "state": "auto", "data": {"speed": number}}))
            assert heard(data) == {"status": "ok", "id": number}


def pack(scene: Scene, rounds: int) -> None:
    port = int(scene.server.settings["MOORING_BATTERY_PORT"])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        for number in range(rounds):
            line.sendall(struct.pack("<ffff", number, 350.0, 1.0, 25.0))
    with scene.server.client() as client:
        eventually(lambda: client.get("/api/battery-data/latest").status_code == 200)


def native(scene: Scene, rounds: int) -> None:
    with scene.robot.socket() as wire:
        for number in range(1, rounds + 1):
            frame = {"seq": number, "boot_id": "together", "sensor_readings": {"load": number}}
            assert wire.ask(frame) == {"seq": number, "status": "stored"}


def fleet_page(scene: Scene, rounds: int) -> None:
    with socketio_client(scene.server.url) as client:
        client.next("connect")
        for _ in range(min(rounds, 2)):
            (robots,) = client.next("robot_data_update")
            assert scene.words["serial"] in {robot["Robot ID"] for robot in robots}


def test_clients_of_all_contracts_work_at_the_same_time_and_meet_in_one_list(scene: Scene) -> None:
    failures: list[BaseException] = []

    def guarded(part: Any) -> None:
        try:
            part(scene, 50)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(part,)) for part in (monitor, united, pack, native, fleet_page)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    types = {device["device_type"] for device in scene.server.admin().get("/api/devices", limit=100)["items"]}
    assert {"robot", "computer", "battery"} <= types
    assert sorted(scene.robot.values("load")) == list(range(1, 51))
    assert [value for value in scene.robot.values("speed") if value] and len(scene.robot.values("speed")) >= 50
    with scene.server.client() as client:
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in scene.server.log
