"""MQTT clients nobody here wrote: paho in all versions, aiomqtt, mosquitto_pub, npm's mqtt; and a kill in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.server import Device, Server, free_port, running

paho = pytest.importorskip("paho.mqtt.client")
MODULES = Path(__file__).parents[2] / ".foreign" / "node"
TELEMETRY = "mooring/v1/telemetry"


@pytest.fixture(scope="module")
def mqtt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with an MQTT port."""
    settings = {"MOORING_MQTT_PORT": str(free_port())}
    with running(tmp_path_factory.mktemp("mqtt") / "data", settings=settings) as started:
        yield started


@pytest.fixture
def rover(mqtt: Server) -> Device:
    """Give a device on it."""
    return mqtt.person().device()


def port_of(server: Server) -> int:
    return int(server.settings["MOORING_MQTT_PORT"])


class Paho:
    """A paho client, connected."""

    def __init__(self, server: Server, token: str, version: int, inflight: int = 20) -> None:
        self.acked: list[str] = []
        self.heard: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="paho", protocol=version)
        self.client.username_pw_set(token)
        self.client.max_inflight_messages_set(inflight)
        self.client.on_publish = lambda c, u, mid, reason, p: self._note(self.acked, str(reason))
        self.client.on_message = lambda c, u, m: self._note(self.heard, (m.topic, json.loads(m.payload)))
        self.client.on_connect = lambda *a: self._note(self.heard, ("connected", str(a[3])))
        self.client.on_subscribe = lambda *a: self._note(self.heard, ("subscribed", [str(code) for code in a[3]]))
        self.client.connect("127.0.0.1", port_of(server), 30)
        self.client.loop_start()
        self.until(lambda: self.heard)
        assert self.heard.pop() == ("connected", "Success")

    def _note(self, book: list[Any], what: Any) -> None:
        with self.changed:
            book.append(what)
            self.changed.notify_all()

    def until(self, true: Any, patience_s: float = 15.0) -> None:
        with self.changed:
            assert self.changed.wait_for(true, patience_s), (self.acked, self.heard)


@contextlib.contextmanager
def connected(server: Server, device: Device, version: int) -> Iterator[Paho]:
    opened = Paho(server, device.token, version)
    try:
        yield opened
    finally:
        opened.client.disconnect()
        opened.client.loop_stop()


@pytest.mark.parametrize("version", [3, 4, 5])
def test_paho_stores_and_hears_receipts(mqtt: Server, rover: Device, version: int) -> None:
    with connected(mqtt, rover, version) as it:
        it.client.subscribe([("mooring/v1/receipts", 1), ("#", 0)])
        it.until(lambda: it.heard)
        kind, granted = it.heard.pop()
        assert (kind, granted[0]) == ("subscribed", "Granted QoS 1")
        assert granted[1] in ("Unspecified error", "Topic filter invalid")
        for seq in range(100):
            it.client.publish(TELEMETRY, json.dumps({"seq": seq, "boot_id": "b", "sensor_readings": {"t": seq}}), 1)
        it.until(lambda: len(it.acked) == 100 and len(it.heard) == 100)
        assert set(it.acked) == {"Success"}
        assert sorted(body["seq"] for _, body in it.heard) == list(range(100))
    assert sorted(rover.values("t")) == list(range(100))


def test_aiomqtt_speaks_with_us(mqtt: Server, rover: Device) -> None:
    aiomqtt = pytest.importorskip("aiomqtt")

    async def talk() -> Any:
        async with aiomqtt.Client("127.0.0.1", port_of(mqtt), username=rover.token, identifier="aio") as client:
            await client.subscribe("v1/devices/me/attributes/response/+", qos=1)
            await client.publish("v1/devices/me/telemetry", '{"t":3}', qos=1)
            await client.publish("v1/devices/me/attributes", '{"fw":1}', qos=1)
            await client.publish("v1/devices/me/attributes/request/1", "{}", qos=1)
            async with asyncio.timeout(10):
                async for message in client.messages:
                    return json.loads(message.payload)

    assert asyncio.run(talk()) == {"client": {"fw": 1}}
    assert rover.values("t") == [3]


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
def test_mosquitto_pub_sends_the_hello_world_of_older_papers(mqtt: Server, rover: Device, version: str) -> None:
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("needs mosquitto_pub")
    where = ["-h", "127.0.0.1", "-p", str(port_of(mqtt)), "-u", rover.token, "-V", version, "-q", "1"]
    message = ["-t", "v1/devices/me/telemetry", "-m", "{temperature:25}"]
    done = subprocess.run([program, *where, *message], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    assert rover.values("temperature") == [25]


@pytest.mark.parametrize("version", [4, 5])
def test_mqtt_of_npm_speaks_with_us(mqtt: Server, rover: Device, version: int) -> None:
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules" / "mqtt").is_dir():
        pytest.skip("needs Node and npm's mqtt: scripts/foreign-clients.sh")
    program = """
    const [url, username, version] = process.argv.slice(1);
    const client = require('mqtt').connect(url, {username, protocolVersion: Number(version), reconnectPeriod: 0});
    client.on('connect', () => client.subscribe('mooring/v1/receipts', {qos: 1}, () => {
      client.publish('mooring/v1/telemetry', '{"seq":1,"sensor_readings":{"t":5}}', {qos: 1});
    }));
    client.on('message', (topic, payload) => { console.log(payload.toString()); client.end(); });
    client.on('error', (error) => { console.error(error); process.exit(1); });
    """
    where = f"mqtt://127.0.0.1:{port_of(mqtt)}"
    command = [node, "-e", program, where, rover.token, str(version)]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False, cwd=MODULES)
    assert json.loads(done.stdout or b"null") == {"seq": 1, "status": "stored"}, done.stderr
    assert rover.values("t") == [5]


def test_no_acknowledged_frame_is_lost_by_a_kill(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings={"MOORING_MQTT_PORT": str(free_port())}).start()
    try:
        device = server.person().device()
        it = Paho(server, device.token, 4, inflight=200)
        sent: dict[int, int] = {}
        acked: list[int] = []
        it.client.on_publish = lambda c, u, mid, reason, p: it._note(acked, mid)
        for seq in range(3000):
            frame = json.dumps({"seq": seq, "boot_id": "b", "sensor_readings": {"t": seq}})
            sent[it.client.publish(TELEMETRY, frame, 1).mid] = seq
            if seq % 200 == 199:
                time.sleep(0.02)
            if len(acked) > 1500:
                break
        it.until(lambda: len(acked) > 500)
        server.kill()
        it.client.loop_stop()
        server.start()
        person = server.admin()
        stored = [row["value"] for row in Device(person, device.id, device.token).rows()]
        assert {sent[mid] for mid in acked} <= set(stored)
        assert len(stored) == len(set(stored))
        assert set(stored) <= set(sent.values())
        again = Paho(server, device.token, 4)
        for seq in sent.values():
            again.client.publish(TELEMETRY, json.dumps({"seq": seq, "boot_id": "b", "sensor_readings": {"t": seq}}), 1)
        again.until(lambda: len(again.acked) == len(sent), 60)
        again.client.disconnect()
        again.client.loop_stop()
        assert sorted(Device(person, device.id, device.token).values("t")) == sorted(sent.values())
    finally:
        server.kill()
