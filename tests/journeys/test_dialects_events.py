"""Contract B over real sockets: devices tell events, front-ends hear them, nobody needs a reply."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.journeys.dialects import OPEN, Deaf, eventually, heard, silent
from tests.journeys.server import Person, Server, running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

VECTORS = Path(__file__).parents[1] / "vectors" / "contracts" / "events"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose dialects are open."""
    with running(tmp_path_factory.mktemp("events") / "data", settings=OPEN) as started:
        yield started


def told_of(page: ClientConnection, name: str) -> Any:
    """Return the next broadcast about a device; devices of other tests may still be saying goodbye."""
    while True:
        told = heard(page)
        if name in (told.get("device_id"), told.get("payload", {}).get("device", {}).get("device_id")):
            return told


def rows(server: Server, name: str) -> list[dict[str, object]]:
    with server.client() as client:
        found = client.get("/device-events").raise_for_status().json()
    return [row for row in found if row["device_id"] == name]


def test_echo_answers_every_text(open_server: Server) -> None:
    with open_server.ws("/ws") as socket:
        for text in ("hello", "", "grüße 🚢"):
            socket.send(text)
            assert socket.recv(timeout=5) == f"Server received: {text}"


def test_event_is_stored_and_broadcast_and_not_answered(open_server: Server) -> None:
    with open_server.ws("/ws/frontend") as page, open_server.ws("/ws/device") as device:
        device.send(json.dumps({"device_id": "PC-01", "event_type": "connected", "user": "ann", "nested": {"a": [1]}}))
        told = told_of(page, "PC-01")
        assert {key: told[key] for key in ("device_id", "event_type", "user", "nested")} == {
            "device_id": "PC-01",
            "event_type": "connected",
            "user": "ann",
            "nested": {"a": [1]},
        }
        assert isinstance(told["id"], int) and isinstance(told["timestamp"], str)
        assert silent(device)
        (row,) = rows(open_server, "PC-01")
        assert row == {
            "id": told["id"],
            "device_id": "PC-01",
            "event_type": "connected",
            "timestamp": told["timestamp"],
        }


def test_recorded_topology_message_is_broadcast_verbatim_and_under_event(open_server: Server) -> None:
    message = json.loads((VECTORS / "topology.json").read_text())
    with open_server.ws("/ws/frontend") as page, open_server.ws("/ws/device") as device:
        device.send(json.dumps(message))
        told = told_of(page, "PC-77")
        assert {key: told[key] for key in message} == message
        assert told["event"] == message
        assert rows(open_server, "PC-77")[0]["event_type"] == "USB_DEVICE_ADDED"


def test_dropped_socket_is_a_disconnected_and_a_goodbye_is_told_once(open_server: Server) -> None:
    with open_server.ws("/ws/frontend") as page:
        with open_server.ws("/ws/device") as device:
            device.send('{"device_id": "PC-02", "event_type": "connected"}')
            assert told_of(page, "PC-02")["event_type"] == "connected"
        told = told_of(page, "PC-02")
        assert (told["device_id"], told["event_type"]) == ("PC-02", "disconnected")
        with open_server.ws("/ws/device") as device:
            device.send('{"device_id": "PC-03", "event_type": "connected"}')
            device.send('{"device_id": "PC-03", "event_type": "disconnected"}')
            assert [told_of(page, "PC-03")["event_type"] for _ in range(2)] == ["connected", "disconnected"]
        time.sleep(1.5)  # Long enough for presence to write what it has to.
    assert [row["event_type"] for row in rows(open_server, "PC-02")] == ["connected", "disconnected"]
    assert [row["event_type"] for row in rows(open_server, "PC-03")] == ["connected", "disconnected"]


@pytest.mark.parametrize(
    "bad",
    ["nonsense", "[]", "{}", '{"device_id": "x"}', '{"event_type": "x"}', '{"device_id": 1e999, "event_type": "x"}',
     '{"device_id": "\\u0000", "event_type": "x"}', '{"device_id": "x", "event_type": 5}', b"\xff\xfe",
     '{"device_id": "x", "event_type": "y", "z": ' + "[" * 50 + "]" * 50 + "}"],
)  # fmt: skip
def test_bad_frame_gets_one_error_and_the_connection_stays(open_server: Server, bad: str | bytes) -> None:
    with open_server.ws("/ws/device") as device:
        device.send(bad)
        assert set(heard(device)) >= {"error", "code"}
        device.send('{"device_id": "PC-04", "event_type": "alive", "seq": 1, "boot_id": "' + str(id(bad)) + '"}')
        assert heard(device) == {"seq": 1, "status": "stored"}
        assert silent(device, 0.1)


def test_frame_with_seq_is_answered_and_known_the_second_time(open_server: Server) -> None:
    frame = {"device_id": "PC-05", "event_type": "boot", "seq": 1, "boot_id": "b1", "sensor_readings": {"cpu": 4.5}}
    with open_server.ws("/ws/device") as device:
        device.send(json.dumps(frame))
        assert heard(device) == {"seq": 1, "status": "stored"}
        device.send(json.dumps(frame))
        assert heard(device) == {"seq": 1, "status": "duplicate"}
    admin = open_server.admin()
    (found,) = admin.get("/api/devices", q="PC-05")["items"]
    assert [row["value"] for row in admin.get(f"/api/devices/{found['id']}/data")["items"]] == [4.5]


def test_device_appears_among_the_devices_of_the_default_owner(open_server: Server) -> None:
    with open_server.ws("/ws/device") as device:
        device.send('{"device_id": "PC-06", "event_type": "connected"}')
        admin = open_server.admin()
        found = eventually(lambda: admin.get("/api/devices", q="PC-06")["items"])
        assert found[0]["name"] == "PC-06" and found[0]["status"] == "online"
    eventually(lambda: admin.get("/api/devices", q="PC-06")["items"][0]["status"] == "offline")


def test_native_device_still_has_its_own_door_on_the_same_path(open_server: Server) -> None:
    native = open_server.person().device()
    with native.socket() as socket:
        assert socket.ask({"seq": 1, "boot_id": "n", "sensor_readings": {"t": 1.5}}) == {"seq": 1, "status": "stored"}


def test_root_tells_a_program_what_this_is(open_server: Server) -> None:
    with open_server.client() as client:
        assert "message" in client.get("/", headers={"accept": "application/json"}).json()
        assert client.get("/docs", headers={"accept": "text/html"}).status_code == 200


def test_page_of_a_stranger_may_not_connect_but_one_of_this_machine_may(open_server: Server) -> None:
    for path in ("/ws", "/ws/device", "/ws/frontend"):
        with pytest.raises(InvalidStatus) as refused:
            open_server.ws(path, Origin="https://evil.example")
        assert refused.value.response.status_code == 403
        open_server.ws(path, Origin="http://localhost:3000").close()
    with open_server.client() as client:
        answer = client.get("/device-events", headers={"origin": "http://localhost:3000"})
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        strange = client.get("/device-events", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in strange.headers


def test_closed_dialect_wants_a_credential_and_shows_only_what_is_ones_own(server: Server) -> None:
    for path in ("/ws", "/ws/device", "/ws/frontend"):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            server.ws(path)
    with server.client() as client:
        assert client.get("/device-events").status_code == 401
    ann, bob = server.person("ann"), server.person("bob")
    with server.ws("/ws/frontend", **bob.headers) as strange, server.ws("/ws/frontend", **ann.headers) as page:
        with server.ws(f"/ws/device?token={ann.account['access_token']}") as device:
            device.send('{"device_id": "PC-ann", "event_type": "connected"}')
            assert heard(page)["device_id"] == "PC-ann"
        assert silent(strange)
        assert [row["device_id"] for row in ann.get("/device-events")][:1] == ["PC-ann"]
        assert bob.get("/device-events") == []
        assert ann.ask("POST", "/api/auth/logout").status_code in (200, 204)
        heard(page)  # disconnected
        with pytest.raises(ConnectionClosed):
            page.recv(timeout=5)


def test_quota_of_the_owner_holds_for_arriving_devices(server: Server) -> None:
    person = server.person("few")
    limit = httpx.get(f"{server.url}/api/auth/user", headers=person.headers).json()["quota"]["devices"]["limit"]
    with server.ws("/ws/device", **person.headers) as device:
        for number in range(limit):
            device.send(json.dumps({"device_id": f"many-{number}", "event_type": "connected"}))
        device.send('{"device_id": "one-more", "event_type": "connected"}')
        assert heard(device, 20)["code"] == "device_quota_exceeded"


def test_device_of_a_closed_dialect_comes_with_its_own_token(server: Server, person: Person) -> None:
    device = person.device("PC-9")
    name = person.get(f"/api/devices/{device.id}")["name"]
    with server.ws("/ws/frontend", **person.headers) as page, server.ws(f"/ws/device?token={device.token}") as line:
        line.send(json.dumps({"device_id": name, "event_type": "logged_in", "user": "ann"}))
        while (told := heard(page))["event_type"] != "logged_in":
            pass
        assert (told["device_id"], told["user"]) == (name, "ann")
        line.send('{"device_id": "PC-of-another", "event_type": "logged_in"}')
        assert "error" in heard(line)


def test_page_that_never_reads_is_closed_and_the_others_hear_everything(open_server: Server) -> None:
    deaf = [Deaf(open_server.url, "/ws/frontend") for _ in range(5)]
    try:
        with open_server.ws("/ws/frontend") as page, open_server.ws("/ws/device") as device:
            for number in range(150):
                device.send(json.dumps({"device_id": "PC-10", "event_type": "x", "n": number, "blob": "y" * 20_000}))
                assert told_of(page, "PC-10")["n"] == number
    finally:
        for each in deaf:
            each.close()
