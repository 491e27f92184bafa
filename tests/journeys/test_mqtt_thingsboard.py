"""The vendor's own client, tb-mqtt-client, as a device, as a gateway and as a device to be provisioned.

It shares a folder with paho-mqtt when installed beside it, so it lives in a virtual environment of its own, which
TB_CLIENT_PYTHON names; where there is none, these journeys are skipped.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.server import Device, Person, Server, free_port, running

PYTHON = Path(__file__).parents[2] / ".foreign" / "tb" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="needs tb-mqtt-client: scripts/foreign-clients.sh")

PREAMBLE = """
import json, os, sys, threading, time
out = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
def say(*what): out.write(json.dumps(what) + "\\n")
port, token = int(sys.argv[1]), sys.argv[2]
"""
DEVICE = """
from tb_device_mqtt import TBDeviceMqttClient
client = TBDeviceMqttClient("127.0.0.1", port, token)
ready = threading.Event()
client.set_server_side_rpc_request_handler(lambda i, r: (
    say("call", r), client.send_rpc_reply(i, {"echo": r["params"]})))
client.connect(callback=lambda *a: ready.set())
assert ready.wait(10)
client.subscribe_to_all_attributes(lambda result, *a: say("pushed", result))
say("telemetry", client.send_telemetry({"temperature": 41.9, "enabled": False}).get())
say("attributes", client.send_attributes({"a": 1, "b": 2}).get())
client.request_attributes(["a"], ["mode"], callback=lambda result, error: say("asked", result))
client.send_rpc_call("getTime", {}, lambda i, result, error: say("time", result))
deadline = time.time() + 10
while not client.rate_limits_received and time.time() < deadline: time.sleep(0.05)
say("limits", [client.max_payload_size, client.rate_limits_received])
client.claim("secret", 30000).get()
say("ready")
sys.stdin.readline()
client.disconnect(); time.sleep(0.3); os._exit(0)
"""
GATEWAY = """
from tb_gateway_mqtt import TBGatewayMqttClient
client = TBGatewayMqttClient("127.0.0.1", port, token)
ready = threading.Event()
client.gw_set_server_side_rpc_request_handler(lambda gateway, r: (
    say("call", r), client.gw_send_rpc_reply(r["device"], r["data"]["id"], {"r": 1})))
client.connect(callback=lambda *a: ready.set())
assert ready.wait(10)
client.gw_connect_device("Device A", "pump").get()
client.gw_subscribe_to_all_attributes(lambda result, *a: say("pushed", result))
say("telemetry", client.gw_send_telemetry("Device A", {"ts": 1790000000000, "values": {"t": 42.1}}).get())
say("attributes", client.gw_send_attributes("Device A", {"fw": "1"}).get())
client.gw_request_client_attributes("Device A", ["fw", "x"], lambda result, error: say("asked", result))
say("ready")
sys.stdin.readline()
client.gw_disconnect_device("Device A"); time.sleep(0.3)
client.disconnect(); time.sleep(0.3); os._exit(0)
"""
PROVISION = """
from tb_device_mqtt import TBDeviceMqttClient
answer = TBDeviceMqttClient.provision("127.0.0.1", "key", "secret", device_name="fresh", port=port)
say("provisioned", answer if answer is None else str(answer))
os._exit(0)
"""
HTTP = """
from tb_device_http import TBHTTPDevice
client = TBHTTPDevice(sys.stdin.readline().strip(), token)
client.connect()
client.send_telemetry({"t": 1.5}); client.send_attributes({"a": 1})
say("asked", client.request_attributes(client_keys=["a"], shared_keys=["m"]))
client.subscribe("attributes", lambda changed: say("pushed", changed))
client.subscribe("rpc", lambda call: say("call", call))
time.sleep(0.5)
say("ready")
sys.stdin.readline()
os._exit(0)
"""


@pytest.fixture(scope="module")
def mqtt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with an MQTT port."""
    settings = {"MOORING_MQTT_PORT": str(free_port())}
    with running(tmp_path_factory.mktemp("tb") / "data", settings=settings) as started:
        yield started


class Talker:
    """The client's program and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            for line in out:
                self.lines.put(json.loads(line))
        self.lines.put(["end"])

    def until(self, kind: str) -> dict[str, Any]:
        """Return everything said up to and including a line of a kind, by kind."""
        said: dict[str, Any] = {}
        while kind not in said:
            name, *rest = self.lines.get(timeout=30)
            assert name != "end" or kind == "end", said
            said[name] = rest[0] if rest else True
        return said


@contextlib.contextmanager
def running_client(server: Server, program: str, token: str) -> Iterator[Talker]:
    command = [str(PYTHON), "-c", PREAMBLE + program, server.settings["MOORING_MQTT_PORT"], token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Talker(process)
        finally:
            process.kill()


def patch(person: Person, device_id: str, **parts: Any) -> None:
    assert person.ask("PATCH", f"/api/devices/{device_id}/twin", json=parts).status_code == 200


def test_device_of_the_vendor_is_at_home(mqtt: Server) -> None:
    person = mqtt.person()
    device = person.device("tb")
    patch(person, device.id, desired={"mode": "eco"}, server={"claimingAllowed": True})
    with running_client(mqtt, DEVICE, device.token) as client:
        said = client.until("ready")
        assert (said["telemetry"], said["attributes"]) == (0, 0)
        patch(person, device.id, desired={"mode": "fast"})
        said |= client.until("pushed")
        call = {"method": "blink", "params": {"n": 3}}
        answer = person.ask("POST", f"/api/rpc/twoway/{device.id}", json=call)
        said |= client.until("call")
    assert said["asked"] == {"client": {"a": 1}, "shared": {"mode": "eco"}}
    assert said["limits"] == [65536 * 80 // 100, True]
    assert said["pushed"] == {"mode": "fast"}
    assert said["call"] == call
    assert answer.json() == {"echo": {"n": 3}}
    assert said["time"]["time"] > 1_600_000_000_000
    assert (device.values("temperature"), device.values("enabled")) == ([41.9], [False])
    name = person.get(f"/api/devices/{device.id}")["name"]
    claimed = mqtt.person().ask("POST", f"/api/customer/device/{name}/claim", json={"secretKey": "secret"})
    assert claimed.json()["response"] == "SUCCESS"


def test_gateway_of_the_vendor_is_at_home(mqtt: Server) -> None:
    person = mqtt.person()
    gateway = person.device("gw", configuration={"gateway": True})
    with running_client(mqtt, GATEWAY, gateway.token) as client:
        said = client.until("ready")
        found = person.get("/api/devices", q="Device A")["items"]
        sub = Device(person, found[0]["id"], "")
        if "asked" not in said:
            said |= client.until("asked")
        patch(person, sub.id, desired={"mode": "eco"})
        said |= client.until("pushed")
        answer = person.ask("POST", f"/api/rpc/twoway/{sub.id}", json={"method": "m", "params": 1})
    assert found[0]["device_type"] == "pump"
    assert sub.values("t") == [42.1]
    assert person.get(f"/api/devices/{sub.id}/twin")["reported"] == {"fw": 1}
    assert said["asked"] == {"id": 1, "device": "Device A", "values": {"fw": 1}}
    assert said["pushed"] == {"device": "Device A", "data": {"mode": "eco"}}
    assert answer.json() == {"r": 1}


def test_provisioning_of_the_vendor_is_answered(mqtt: Server) -> None:
    with running_client(mqtt, PROVISION, "-") as client:
        assert client.until("provisioned")["provisioned"] is None


def test_http_client_of_the_vendor_is_at_home(mqtt: Server) -> None:
    person = mqtt.person()
    device = person.device("http")
    with running_client(mqtt, HTTP, device.token) as client:
        assert client.process.stdin is not None
        client.process.stdin.write(f"{mqtt.url}\n")
        client.process.stdin.flush()
        said = client.until("ready")
        patch(person, device.id, desired={"m": 2})
        said |= client.until("pushed")
        assert person.ask("POST", f"/api/rpc/oneway/{device.id}", json={"method": "x"}).status_code == 200
        said |= client.until("call")
    assert said["asked"] == {"client": {"a": 1}}
    assert said["pushed"] == {"m": 2}
    assert said["call"] == {"id": 0, "method": "x", "params": None}
    assert device.values("t") == [1.5]
