"""Contract A with foreign clients: the array over REST and over Socket.IO, frames of devices with receipts."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest
import socketio
from tests.journeys.dialects import OPEN, Deaf, eventually
from tests.journeys.foreign import socketio_client
from tests.journeys.server import Device, Person, Server, running
from websockets.exceptions import InvalidStatus

KEYS = [
    "Robot ID", "Online/Offline", "Battery Percentage", "CPU Usage", "RAM Consumption", "Last Updated",
    "Location Coordinates",
]  # fmt: skip


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose dialects are open, with one robot that has spoken and one that never did."""
    with running(tmp_path_factory.mktemp("robots") / "data", settings=OPEN) as started:
        yield started


@pytest.fixture(scope="module")
def robot(open_server: Server) -> Device:
    """Give a robot of the default owner that has told all there is."""
    admin = open_server.admin()
    silent = admin.device("silent", device_type="robot")
    assert silent.id
    device = admin.device("walker", device_type="robot")
    readings = {"battery": 81.6, "cpu": 12.4, "ram": 1536, "latitude": 53.54, "longitude": 9.98}
    assert device.post({"timestamp": "2026-11-20T10:00:00Z", "sensor_readings": readings}).status_code == 201
    return device


def curl(*arguments: str) -> str:
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True, timeout=20).stdout


def walker(robots: list[dict[str, object]]) -> dict[str, object]:
    return next(each for each in robots if str(each["Robot ID"]).startswith("walker"))


def test_array_has_exactly_the_keys_and_kinds_of_the_contract(open_server: Server, robot: Device) -> None:
    robots = json.loads(curl(f"{open_server.url}/robots"))
    for each in robots:
        assert list(each) == KEYS
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", each["Last Updated"])
        assert len(each["Location Coordinates"]) == 2
        assert all(type(each[key]) is int for key in ("Battery Percentage", "CPU Usage", "RAM Consumption"))
    told = walker(robots)
    assert told | {"Robot ID": ""} == {
        "Robot ID": "", "Online/Offline": True, "Battery Percentage": 82, "CPU Usage": 12, "RAM Consumption": 1536,
        "Last Updated": "2026-11-20 10:00:00", "Location Coordinates": [53.54, 9.98],
    }  # fmt: skip
    silent = next(each for each in robots if str(each["Robot ID"]).startswith("silent"))
    assert silent["Location Coordinates"] == [0.0, 0.0] and silent["Online/Offline"] is False


def test_one_robot_is_found_by_its_id_and_an_unknown_one_is_not(open_server: Server, robot: Device) -> None:
    told = walker(json.loads(curl(f"{open_server.url}/robots")))
    assert json.loads(curl(f"{open_server.url}/robots/{told['Robot ID']}")) == told
    assert json.loads(curl(f"{open_server.url}/robots/{robot.id}")) == told
    assert curl("-w", "%{http_code}", f"{open_server.url}/robots/nobody") == '{"error":"Robot not found"}404'


def test_cors_echoes_the_origin(open_server: Server, robot: Device) -> None:
    with open_server.client() as client:
        for method, path in (("GET", "/robots"), ("OPTIONS", "/robots"), ("GET", "/robots/nobody"),
                             ("GET", "/socket.io/?EIO=4&transport=polling")):  # fmt: skip
            answer = client.request(method, path, headers={"origin": "http://fleet.example:3000"})
            assert answer.headers["access-control-allow-origin"] == "http://fleet.example:3000"
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_npm_client_gets_the_array_as_it_connects_and_every_five_seconds(
    open_server: Server, robot: Device, transports: list[str]
) -> None:
    with socketio_client(open_server.url, transports=transports) as client:
        assert client.next("connect") in transports
        first = time.monotonic()
        (robots,) = client.next("robot_data_update")
        assert walker(robots)["Battery Percentage"] == 82
        client.next("robot_data_update")
        assert time.monotonic() - first < 8.0
        client.emit("transport")
        assert client.next("transport") == transports[-1]


def test_python_client_gets_the_array_by_its_default_transports(open_server: Server, robot: Device) -> None:
    with socketio.SimpleClient() as client:
        client.connect(open_server.url)
        event, robots = client.receive(timeout=10)
        assert event == "robot_data_update"
        assert [list(each) for each in robots] == [KEYS] * len(robots)


def test_closed_dialect_wants_a_credential(server: Server) -> None:
    with server.client() as client:
        assert client.get("/robots").status_code == 401
    with socketio_client(server.url) as stranger:
        assert "log in" in stranger.next("connect_error")
    with socketio_client(server.url, auth={"token": "mk_wrong"}) as stranger:
        stranger.next("connect_error")
    person = server.person()
    person.device("mine", device_type="robot")
    with socketio_client(server.url, auth={"token": person.account["access_token"]}) as client:
        client.next("connect")
        (robots,) = client.next("robot_data_update")
        assert len(robots) == 1
    with server.client() as client:
        assert len(client.get("/robots", headers=person.headers).json()) == 1
        assert client.get("/robots", headers=server.person().headers).json() == []


def test_page_of_a_stranger_may_not_open_a_closed_dialect(server: Server) -> None:
    with server.client() as client:
        strange = {"origin": "https://evil.example"}
        assert client.get("/socket.io/?EIO=4&transport=polling", headers=strange).status_code == 403
    with pytest.raises(InvalidStatus):
        server.ws("/socket.io/?EIO=4&transport=websocket", Origin="https://evil.example")


def test_device_sends_frames_and_its_callback_gets_receipts_after_the_commit(server: Server, person: Person) -> None:
    device = person.device()
    with socketio_client(server.url, auth={"token": device.token}, transports=["websocket"]) as client:
        client.next("connect")
        frame = {"seq": 1, "boot_id": "b", "sensor_readings": {"t": 1.5}}
        client.emit("sensor_data_update", frame)
        assert client.next("ack") == {"seq": 1, "status": "stored", "stored": 1}
        client.emit("sensor_data_update", frame)
        assert client.next("ack") == {"seq": 1, "status": "duplicate"}
        client.emit("sensor_data_update", {"seq": 2, "boot_id": "b", "sensor_type": "t", "value": 2.5, "unit": "°C"})
        assert client.next("ack") == {"seq": 2, "status": "stored", "stored": 1}
        client.emit("frame", [{"seq": 3, "boot_id": "b", "sensor_readings": {"t": 3.5}}, {"seq": 4, "timestamp": 5}])
        first, second = client.next("ack")
        assert first["status"] == "stored" and second["status"] == "rejected"
        client.emit("resume", {"boot_id": "b"})
        assert client.next("ack") == {"type": "resume", "boot_id": "b", "last_seq": 3}
        client.emit("device_status_update", {"status": "charging"})
        assert client.next("ack")["status"] == "stored"
        client.emit("sensor_data_update", {"device_id": "other", "sensor_readings": {"t": 1}})
        assert client.next("ack")["status"] == "rejected"
        assert device.values("t") == [1.5, 2.5, 3.5]
        assert device.owner.get(f"/api/devices/{device.id}")["status"] == "online"
        assert device.owner.get(f"/api/devices/{device.id}")["device_status"] == "charging"


def test_browser_hears_flat_events_of_its_own_devices_only(server: Server) -> None:
    ann, bob = server.person("ann"), server.person("bob")
    mine, other = ann.device(), bob.device()
    with socketio_client(server.url, extraHeaders=ann.headers) as client:
        client.next("connect")
        client.next("robot_data_update")
        other.post({"sensor_readings": {"t": 9.0}})
        mine.post({"sensor_readings": {"t": 7.0}, "device_status": "busy"})
        (reading,) = client.next("sensor_data_update")
        assert reading | {"timestamp": ""} == {"device_id": mine.id, "sensor_type": "t", "value": 7.0, "timestamp": ""}
        statuses = [client.next("device_status_update")[0] for _ in range(2)]
        assert {status["device_id"] for status in statuses} == {mine.id}
        assert {status["status"] for status in statuses} == {"online", "busy"}


def test_log_out_ends_the_socket_and_a_new_token_ends_the_device(server: Server) -> None:
    person = server.person()
    device = person.device()
    with (
        socketio_client(server.url, auth={"token": device.token}) as machine,
        socketio_client(server.url, extraHeaders=person.headers) as page,
    ):
        machine.next("connect")
        page.next("connect")
        assert person.ask("POST", f"/api/devices/{device.id}/token").status_code == 200
        machine.next("disconnect", 5)
        assert person.ask("POST", "/api/auth/logout").status_code in (200, 204)
        page.next("disconnect", 5)


def test_client_that_never_reads_costs_at_most_a_megabyte_and_harms_nobody(open_server: Server, robot: Device) -> None:
    process = psutil.Process(open_server.pid)
    key = open_server.admin().ask("POST", "/api/keys", json={"name": "deaf"}).json()["key"]

    def flood(rounds: int) -> int:
        for number in range(rounds):
            robot.post({"sensor_readings": {f"key{each}": f"{number}" + "x" * 500 for each in range(900)}})
            time.sleep(0.25)
        return int(process.memory_info().rss)

    before = flood(20)
    deaf = [Deaf(open_server.url, "/socket.io/?EIO=4&transport=websocket") for _ in range(30)]
    try:
        for client in deaf:
            client.say("40" + json.dumps({"token": key}))
        grown = flood(20) - before
        assert grown < len(deaf) << 20, f"{grown >> 10} KiB for {len(deaf)} clients"
        with socketio_client(open_server.url) as client:
            client.next("robot_data_update", 5)
    finally:
        for client in deaf:
            client.close()


@pytest.mark.parametrize(
    "bad", ["", "4", "42", "42[", "42[]", "42[1]", '42{"a":1}', "45999999999-[]",
            '451-["x",{"_placeholder":true}]',
            "9", "40/admin,", '420["sensor_data_update",' + "[" * 5000 + "]", "x" * 1000, '42["x",1e999]'],
)  # fmt: skip
def test_bad_packet_ends_its_own_connection_at_most(open_server: Server, robot: Device, bad: str) -> None:
    with open_server.ws("/socket.io/?EIO=4&transport=websocket") as socket:
        socket.recv(timeout=5)
        socket.send("40")
        socket.send(bad)
        time.sleep(0.1)
    with open_server.client() as client:
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in open_server.log


def test_silent_stranger_loses_the_socket_within_ten_seconds(open_server: Server) -> None:
    with open_server.ws("/socket.io/?EIO=4&transport=websocket") as socket:
        socket.recv(timeout=5)
        began = time.monotonic()
        with pytest.raises(Exception, match=r"1000|1001|1005|1006|no close"):
            while True:
                socket.recv(timeout=15)
        assert 5 < time.monotonic() - began < 13


def test_body_over_the_limit_is_refused(open_server: Server) -> None:
    with open_server.client() as client:
        opened = client.get("/socket.io/?EIO=4&transport=polling").text
        sid = json.loads(opened[1:])["sid"]
        answer = client.post(f"/socket.io/?EIO=4&transport=polling&sid={sid}", content=b"4" + b"x" * 300_000)
        assert answer.status_code == 413
        eventually(lambda: client.get("/healthz").status_code == 200)
