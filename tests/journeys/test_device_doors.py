"""How devices come in: their credentials on both doors, gateways, arrays, events and states."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.journeys.server import Device, Person, Server
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE_S = 5.0
FRAME = {"seq": 1, "boot_id": "b", "sensor_readings": {"n": 1}}


def test_every_place_for_a_token_works(server: Server, device: Device) -> None:
    for headers in (
        {"Authorization": f"Bearer {device.token}"},
        {"authorization": f"bearer {device.token}"},
        {"X-Device-Token": device.token},
    ):
        assert server.ask("POST", device.path, json={"sensor_readings": {"n": 1}}, headers=headers).status_code == 201
        with server.ws("/ws/device", **headers) as socket:
            socket.send(json.dumps({"type": "ping"}))
            assert json.loads(socket.recv(timeout=PATIENCE_S)) == {"type": "pong"}
    with server.ws(f"/ws/device?token={device.token}") as socket:
        socket.send(json.dumps({"type": "ping"}))
        assert json.loads(socket.recv(timeout=PATIENCE_S)) == {"type": "pong"}
    # A token in an address ends up in logs; only sockets, which cannot always set headers, may have it there.
    assert server.ask("POST", f"{device.path}?token={device.token}", json=FRAME).status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "dev_" + "x" * 32, "x" * 5000, "a.b.c", "mk_" + "x" * 32, "\u00fc"])
def test_a_wrong_token_opens_nothing(server: Server, device: Device, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1").decode("latin-1")}
    answer = server.ask("POST", device.path, json=FRAME, headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    if token.isascii():
        with pytest.raises(InvalidStatus) as refused:
            server.ws("/ws/device", **headers)
        assert refused.value.response.status_code == 403
    assert device.rows() == []


def test_without_a_token_nothing_opens(server: Server, device: Device) -> None:
    assert server.ask("POST", device.path, json=FRAME).status_code == 401
    assert server.ask("POST", "/api/data", json={"frames": [FRAME]}).status_code == 401
    with pytest.raises(InvalidStatus):
        server.ws("/ws/device")


def test_anothers_device_looks_like_none(server: Server, device: Device) -> None:
    stranger = server.person()
    theirs = stranger.device()
    unknown = "00000000-0000-4000-8000-000000000000"

    def told(path: str, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, Any], list[str]]:
        answer = server.ask(method, path, json=FRAME if method == "POST" else None, headers=headers)
        body = answer.json()
        body.pop("request_id")
        same = sorted(f"{name}: {value}" for name, value in answer.headers.items() if name not in ("date",))
        return answer.status_code, body, same

    for by_device, headers, foreign in ((True, device.headers, theirs.id), (False, stranger.headers, device.id)):
        for method, ending in (("POST", "/data"), ("GET", "/data"), ("GET", ""), ("GET", "/status"), ("DELETE", "")):
            there = told(f"/api/devices/{foreign}{ending}", headers, method)
            nowhere = told(f"/api/devices/{unknown}{ending}", headers, method)
            assert there == nowhere
            assert there[0] == (401 if by_device and (method, ending) != ("POST", "/data") else 404)
    frames = {"frames": [{"device_id": device.id, **FRAME}, {"device_id": unknown, **FRAME}, FRAME]}
    receipts = stranger.ask("POST", "/api/data", json=frames).json()["receipts"]
    assert receipts[0] == receipts[1]
    assert {receipt["status"] for receipt in receipts} == {"rejected"}
    assert device.rows() == []


def test_a_frame_may_not_speak_for_another_device(device: Device) -> None:
    other = device.owner.device()
    assert device.post({**FRAME, "device_id": other.id}).status_code == 422
    assert device.post({**FRAME, "device_id": device.id}).status_code == 201
    with device.socket() as wire:
        assert wire.ask({**FRAME, "seq": 2, "device_id": other.id})["status"] == "rejected"
        assert [r["status"] for r in wire.ask([{**FRAME, "seq": 3, "device_id": other.id}])] == ["rejected"]
    assert other.rows() == []


def test_a_new_token_ends_the_old_one_and_its_sockets(device: Device) -> None:
    old = device.token
    with device.socket() as wire:
        assert wire.ask(FRAME)["status"] == "stored"
        before = time.monotonic()
        answer = device.owner.ask("POST", f"/api/devices/{device.id}/token")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        with pytest.raises(ConnectionClosed) as closed:
            wire.hear(PATIENCE_S)
        assert time.monotonic() - before < PATIENCE_S
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "credential revoked")
    assert device.post(FRAME).status_code == 401
    device.token = answer.json()["auth_token"]
    assert device.token != old
    assert device.post(FRAME).json()["status"] == "duplicate"


def test_a_device_may_bring_its_own_token(person: Person) -> None:
    device = person.device(auth_token="a-token-the-device-was-born-with")
    assert device.token == "a-token-the-device-was-born-with"
    assert device.post(FRAME).status_code == 201
    clash = person.ask("POST", "/api/devices", json={"name": "twin", "auth_token": device.token})
    assert clash.status_code == 409


def test_a_deleted_device_is_gone_with_its_data_and_its_sockets(device: Device) -> None:
    owner = device.owner
    with device.socket() as wire:
        wire.ask(FRAME)
        assert owner.ask("DELETE", f"/api/devices/{device.id}").status_code == 204
        with pytest.raises(ConnectionClosed):
            wire.hear(PATIENCE_S)
    assert device.post(FRAME).status_code == 401
    for ending in ("", "/data", "/series", "/status", "/events", "/logs"):
        assert owner.ask("GET", f"/api/devices/{device.id}{ending}").status_code == 404
    assert owner.get("/api/latest", device_id=device.id)["items"] == []
    assert owner.ask("DELETE", f"/api/devices/{device.id}").status_code == 404


def test_a_device_token_opens_nothing_for_people(server: Server, device: Device) -> None:
    for method, path in (("GET", "/api/devices"), ("GET", f"/api/devices/{device.id}"), ("GET", "/api/auth/user")):
        assert server.ask(method, path, headers=device.headers).status_code == 401


def test_its_owner_may_report_for_a_device(device: Device) -> None:
    answer = device.owner.ask("POST", device.path, json=FRAME)
    assert (answer.status_code, answer.json()["status"]) == (201, "stored")


def test_a_key_without_the_right_to_write_may_not(device: Device) -> None:
    key = device.owner.ask("POST", "/api/keys", json={"name": "look", "scopes": ["data:read"]}).json()["key"]
    headers = {"X-API-Key": key}
    server = device.owner.server
    assert server.ask("GET", device.path, headers=headers).status_code == 200
    for path, body in ((device.path, FRAME), ("/api/data", {"frames": [{"device_id": device.id, **FRAME}]})):
        assert server.ask("POST", path, json=body, headers=headers).status_code == 403
    assert device.rows() == []


def test_a_page_of_another_origin_may_not_post(device: Device) -> None:
    server = device.owner.server
    for path in (device.path, "/api/data", "/api/devices", "/api/auth/login"):
        headers = {**device.owner.headers, "Origin": "https://evil.example"}
        answer = server.ask("POST", path, json=FRAME, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")
    headers = {**device.headers, "Origin": server.url}
    assert server.ask("POST", device.path, json=FRAME, headers=headers).status_code == 201


def test_a_gateway_gets_a_receipt_for_every_frame(person: Person) -> None:
    one, two = person.device(), person.device()
    frames = [
        {"device_id": one.id, "seq": 1, "sensor_readings": {"a": 1, "b": 2}},
        {"device_id": two.id, "seq": 1, "sensor_readings": {"a": 3}},
        {"device_id": one.id, "seq": 1, "sensor_readings": {"a": 1, "b": 2}},
        {"device_id": one.id, "seq": 2, "sensor_readings": {"latitude": 91}},
        {"device_id": "nobody", "seq": 3, "sensor_readings": {"a": 1}},
        {"seq": 4, "sensor_readings": {"a": 1}},
        "not a frame",
    ]
    answer = person.ask("POST", "/api/data", json={"frames": frames})
    told = answer.json()
    assert (answer.status_code, told["stored"]) == (201, 3)
    statuses = [receipt["status"] for receipt in told["receipts"]]
    assert statuses == ["stored", "stored", "duplicate", "rejected", "rejected", "rejected", "rejected"]
    assert [receipt["seq"] for receipt in told["receipts"]] == [1, 1, 1, 2, 3, 4, None]
    assert all(receipt["reason"] for receipt in told["receipts"] if receipt["status"] == "rejected")
    assert (len(one.rows()), len(two.rows())) == (2, 1)


def test_a_gateway_may_send_a_line_a_frame(person: Person) -> None:
    device = person.device()
    lines = [{"device_id": device.id, "seq": seq, "sensor_readings": {"n": seq}} for seq in range(20)]
    body = "\r\n\n".join(json.dumps(line) for line in lines) + "\n{broken\n"
    answer = person.ask("POST", "/api/data", content=body, headers={"content-type": "application/x-ndjson"})
    told = answer.json()
    assert (answer.status_code, told["stored"], len(told["receipts"])) == (201, 20, 21)
    assert told["receipts"][-1]["status"] == "rejected"
    assert device.values("n") == list(range(20))


def test_a_batch_of_nothing_is_answered(device: Device) -> None:
    answer = device.post({"frames": []})
    assert (answer.status_code, answer.json()) == (200, {"stored": 0, "receipts": []})


def test_a_batch_is_201_if_anything_was_stored_and_otherwise_says_why(device: Device) -> None:
    bad = {"seq": 5, "sensor_readings": {"latitude": 91}}
    assert device.post({"frames": [bad]}).status_code == 422
    assert device.post({"frames": [bad, FRAME]}).status_code == 201
    assert device.post({"frames": [FRAME]}).status_code == 200


def test_frames_on_a_socket_are_answered_in_order_and_only_if_they_ask(device: Device) -> None:
    with device.socket() as wire:
        for seq in range(300):
            wire.socket.send(json.dumps({"boot_id": "o", "seq": seq, "sensor_readings": {"n": seq}}))
            wire.socket.send(json.dumps({"sensor_readings": {"unasked": seq}}))
        assert [wire.hear()["seq"] for _ in range(300)] == list(range(300))
    assert device.values("n") == list(range(300))
    assert len(device.values("unasked")) == 300


def test_binary_messages_are_frames_too(device: Device) -> None:
    with device.socket() as wire:
        assert wire.ask(json.dumps(FRAME).encode())["status"] == "stored"
        assert wire.ask(json.dumps([{**FRAME, "seq": 2}]).encode()) == [{"seq": 2, "status": "stored"}]


def test_every_kind_of_message_is_understood(device: Device) -> None:
    with device.socket() as wire:
        assert wire.ask({"type": "telemetry", **FRAME})["status"] == "stored"
        assert wire.ask({"type": "event", "seq": 2, "event_type": "opened"})["status"] == "stored"
        assert wire.ask({"type": "status", "seq": 3, "device_status": "busy"})["status"] == "stored"
        assert wire.ask({"type": "heartbeat", "seq": 4})["status"] == "stored"
        assert "unknown type" in wire.ask({"type": "dance"})["error"]
        assert wire.ask({"type": "dance", "seq": 5})["status"] == "rejected"


def test_events_and_states_are_kept_and_told(device: Device) -> None:
    owner = device.owner
    with device.socket() as wire:
        told = wire.ask(
            {
                "seq": 1,
                "event_type": "collision",
                "severity": "error",
                "message": "bumper",
                "device_status": "halted",
                "sensor_readings": {"force": 7.5},
            }
        )
        assert told == {"seq": 1, "status": "stored"}
        line = owner.get(f"/api/devices/{device.id}/status")
        assert (line["status"], line["connected"], line["device_status"]) == ("online", True, "halted")
        assert line["latest"]["force"]["value"] == 7.5
        assert line["connectivity"]["connections"] == 1
        assert line["health"]["state"] == "good"
    path = f"/api/devices/{device.id}/events"
    _until(lambda: "connected" in {event["event_type"] for event in owner.get(path)["items"]})
    events = owner.get(path)["items"]
    collision = next(event for event in events if event["event_type"] == "collision")
    assert (collision["severity"], collision["message"], collision["device_id"]) == ("error", "bumper", device.id)
    assert "status_changed" in {event["event_type"] for event in events}
    assert collision in owner.get("/api/events", limit=50)["items"]
    logs = owner.get(f"/api/devices/{device.id}/logs")["items"]
    assert {"registered", "status_changed"} <= {line["event_type"] for line in logs}
    assert device.values("force") == [7.5]


def test_a_silent_device_is_never_a_speaking_one_online_a_gone_one_offline(person: Person) -> None:
    device = person.device()
    assert person.get(f"/api/devices/{device.id}")["status"] == "never"
    with device.socket():
        _until(lambda: person.get(f"/api/devices/{device.id}")["status"] == "online")
        _until(lambda: device.id in [item["id"] for item in person.get("/api/devices", status="online")["items"]])
    _until(lambda: person.get(f"/api/devices/{device.id}")["status"] == "offline")
    shown = person.get(f"/api/devices/{device.id}")
    assert shown["last_seen"] is not None

    def speaks_and_is_online() -> bool:
        # Just after its socket closed, a frame may be one that was still on its way: it takes another a little later.
        device.post({"sensor_readings": {"n": 1}})
        return bool(person.get(f"/api/devices/{device.id}")["status"] == "online")

    _until(speaks_and_is_online)


def _until(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
