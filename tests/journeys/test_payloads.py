"""Other codecs than JSON against a running server: by content type, by declaration, and InfluxDB's own routes."""

from __future__ import annotations

import gzip
import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.journeys.server import Device, Person, Server

VECTORS = Path(__file__).parents[1] / "vectors"


def post(device: Device, body: bytes, content_type: str) -> Any:
    return device.post_raw(body, **{"content-type": content_type})


def declare(device: Device, payload: Any) -> None:
    answer = device.owner.ask("PUT", f"/api/devices/{device.id}", json={"configuration": {"payload": payload}})
    assert answer.status_code == 200


class TestContentTypes:
    @pytest.mark.parametrize("name", ["cbor", "msgpack"])
    def test_a_frame_is_stored_and_receipted_like_json(self, device: Device, name: str) -> None:
        frame = {"seq": 4, "boot_id": "b", "sensor_readings": {"a": 1.5, "n": 3, "on": True, "note": "hi"}}
        body = msgspec.msgpack.encode(frame) if name == "msgpack" else (VECTORS / "cbor" / "frame.bin").read_bytes()
        first, again = (post(device, body, f"application/{name}") for _ in range(2))
        assert (first.status_code, first.json()["status"]) == (201, "stored")
        assert (again.status_code, again.json()["status"]) == (200, "duplicate")
        if name == "cbor":
            assert device.values("temperature") == [21.5]
            assert device.values("big") == [2**53 + 1]
            assert device.values("nested") == [{"a": [1, 2.5, {"b": "c"}]}]
        else:
            assert [device.values(key) for key in frame["sensor_readings"]] == [[1.5], [3], [True], ["hi"]]

    def test_several_frames_have_a_receipt_each(self, device: Device) -> None:
        answer = post(device, (VECTORS / "msgpack" / "frames.bin").read_bytes(), "application/msgpack")
        assert answer.status_code == 201
        assert [receipt["status"] for receipt in answer.json()["receipts"]] == ["stored", "stored"]
        assert device.rows(sensor_type="t")[0]["unit"] == "°C"
        assert device.values("x") == [-(2**63)]

    def test_a_gateway_may_send_many_devices_as_cbor(self, person: Person) -> None:
        one, other = person.device(), person.device()
        body = msgspec.msgpack.encode(
            {"frames": [{"device_id": device.id, "sensor_readings": {"a": 1.0}} for device in (one, other)]}
        )
        answer = person.ask("POST", "/api/data", content=body, headers={"content-type": "application/msgpack"})
        assert answer.json()["stored"] == 2
        assert one.values("a") == other.values("a") == [1.0]

    def test_a_sparkplug_payload_becomes_readings_with_times_of_their_own(self, device: Device) -> None:
        body = (VECTORS / "sparkplug" / "birth.bin").read_bytes()
        answer = post(device, body, "application/vnd.sparkplug-b")
        assert (answer.status_code, answer.json()["status"]) == (201, "stored")
        assert device.values("i16") == [-32768]
        assert device.values("s") == ["läuft"]
        assert device.rows(sensor_type="i16")[0]["timestamp"] == "2023-11-14T22:13:20.001Z"

    def test_bytes_are_read_as_the_device_declares(self, device: Device) -> None:
        refused = post(device, b"\0" * 8, "application/octet-stream")
        assert refused.status_code == 422
        assert "payload" in refused.json()["hint"]
        declare(device, {"codec": "packed", "format": "<Hf", "fields": ["seq", "level"], "units": {"level": "m"}})
        answer = post(device, struct.pack("<HfHf", 1, 2.5, 2, 3.5), "application/octet-stream")
        assert [receipt["status"] for receipt in answer.json()["receipts"]] == ["stored", "stored"]
        assert device.values("level") == [2.5, 3.5]
        assert device.rows(sensor_type="level")[0]["unit"] == "m"
        assert post(device, b"\0" * 7, "application/octet-stream").status_code == 422
        declare(device, "cbor")
        assert post(
            device, bytes.fromhex("a16f73656e736f725f72656164696e6773a1616101"), "application/octet-stream"
        ).is_success
        assert device.values("a") == [1]

    def test_a_wrong_declaration_is_named(self, device: Device) -> None:
        for payload in ("morse", 5, {"codec": "packed"}, {"codec": "packed", "format": "<f", "fields": "a"}):
            declare(device, payload)
            assert post(device, b"\0" * 4, "application/octet-stream").status_code == 422

    def test_binary_messages_of_a_socket_are_read_as_declared(self, device: Device) -> None:
        with device.socket() as wire:
            assert wire.ask(b'{"seq": 1, "sensor_readings": {"j": 1}}')["status"] == "stored"
        declare(device, {"codec": "packed", "format": ">If", "fields": ["seq", "v"]})
        with device.socket() as wire:
            assert wire.ask(struct.pack(">If", 9, 1.5)) == {"seq": 9, "status": "stored"}
            assert wire.ask(b"\0")["code"] == "invalid"
            assert wire.ask('{"seq": 10, "sensor_readings": {"j": 2}}')["status"] == "stored"
        assert device.values("v") == [1.5]
        assert device.values("j") == [1, 2]

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/cbor", b""),
            ("application/cbor", b"\x01"),
            ("application/cbor", b"\x81\x01"),
            ("application/cbor", b"\xa1\x6fsensor_readings\xa1\x61a\xf9\x7e\x00"),
            ("application/cbor", b"\xa1\x6fsensor_readings\xa1\x61a\x41x"),
            ("application/cbor", b"\xa1\x6fsensor_readings\xa1\x01\x01"),
            ("application/cbor", b"\xa1\x63seq\xc2\x49\x01" + b"\0" * 8),
            ("application/msgpack", b"\xc1"),
            ("application/msgpack", b"\x80"),
            ("application/vnd.sparkplug-b", b"\x08"),
            ("application/vnd.sparkplug-b", b""),
            ("application/vnd.influx.line-protocol", b"m"),
        ],
    )
    def test_what_is_no_payload_is_refused_and_small(self, device: Device, content_type: str, body: bytes) -> None:
        answer = post(device, body, content_type)
        assert answer.status_code == 422 or not device.rows()
        assert answer.status_code < 500
        assert len(answer.content) < 700


class TestInflux:
    @staticmethod
    def write(server: Server, body: bytes | str, token: str = "", path: str = "/api/v2/write", **more: Any) -> Any:
        headers = {"Authorization": f"Token {token}"} if token else {}
        with server.client(headers=headers | more.pop("headers", {})) as client:
            return client.post(path, content=body, **more)

    def test_a_devices_points_are_stored_under_measurement_and_field(self, server: Server, device: Device) -> None:
        now = time.time_ns()
        body = f'weather,room=hall temperature=21.5,count=3i,on=t,note="hi" {now}\nload value=0.5'
        answer = self.write(server, body, device.token)
        assert (answer.status_code, answer.content) == (204, b"")
        assert device.values("weather.hall.temperature") == [21.5]
        assert [device.values(f"weather.hall.{key}") for key in ("count", "on", "note")] == [[3], [True], ["hi"]]
        assert device.values("load") == [0.5]

    def test_a_key_writes_for_devices_by_their_tag(self, server: Server) -> None:
        person = server.person()
        own = person.device("own")
        key = person.ask("POST", "/api/keys", json={"name": "telegraf"}).json()["key"]
        body = f"cpu,cpu=cpu0,host=n1 idle=99\ncpu,host=n1,cpu=cpu1 idle=98\nt,device_id={own.id} value=1\nbare value=7"
        assert self.write(server, body, key, params={"bucket": "plant"}).status_code == 204
        names = {one["name"]: one["id"] for one in person.get("/api/devices")["items"]}
        assert set(names) - {"n1", "plant"} == set(names) & {n for n in names if n.startswith("own")}
        assert [
            row["value"] for row in person.get(f"/api/devices/{names['n1']}/data", sensor_type="cpu.cpu1.idle")["items"]
        ] == [98]
        assert own.values("t") == [1.0]
        foreign = server.person().device()
        answer = self.write(server, f"t,device_id={foreign.id} value=1\nt,device_id={own.id} value=2", key)
        assert answer.status_code == 400
        assert "dropped=1" in answer.json()["message"]
        assert own.values("t") == [1.0, 2.0]

    @pytest.mark.parametrize(("precision", "factor"), [("ns", 1e9), ("us", 1e6), ("ms", 1e3), ("s", 1)])
    def test_the_precision_parameter_scales_the_times(
        self, server: Server, device: Device, precision: str, factor: float
    ) -> None:
        moment = int((time.time() - 60) * factor)
        assert self.write(server, f"m f=1 {moment}", device.token, params={"precision": precision}).status_code == 204
        [row] = device.rows(sensor_type="m.f")
        assert time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // factor)) == row["timestamp"][:19]

    def test_packed_bodies_are_unpacked_within_bounds(self, server: Server, device: Device) -> None:
        packed = {"headers": {"content-encoding": "gzip"}}
        assert self.write(server, gzip.compress(b"m f=1"), device.token, **packed).status_code == 204
        bomb = gzip.compress(b"m f=1\n" * 5_000_000)
        assert len(bomb) < 1 << 20
        assert self.write(server, bomb, device.token, headers={"content-encoding": "gzip"}).status_code == 413
        for body in (b"no gzip", gzip.compress(b"m f=1")[:-9], zlib.compress(b"m f=1")):
            answer = self.write(server, body, device.token, headers={"content-encoding": "gzip"})
            assert answer.status_code == 400

    def test_refusals_have_the_protocols_own_shapes(self, server: Server, device: Device) -> None:
        answer = self.write(server, "m f=1\nm broken\nm g=NaN", device.token)
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"
        assert answer.json()["message"].startswith("partial write: line 2: ")
        assert device.values("m.f") == [1.0]
        legacy = self.write(server, "m broken", device.token, path="/write")
        assert set(legacy.json()) == {"error"}
        assert legacy.headers["x-influxdb-error"] == legacy.json()["error"]
        for token in ("", "nobody"):
            nobody = self.write(server, "m f=1", token)
            assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthorized")
        unknown = self.write(server, "m f=1", device.token, params={"precision": "d"})
        assert unknown.status_code == 400
        assert self.write(server, b"\xff f=1", device.token).status_code == 400

    def test_older_clients_come_in_by_user_and_password(self, server: Server, device: Device) -> None:
        with server.client() as client:
            assert client.get("/ping").status_code == 204
            assert client.post("/write?db=x", content="m f=1", auth=("anybody", device.token)).status_code == 204
            told = {"db": "x", "u": "anybody", "p": device.token}
            assert client.post("/write", params=told, content="m f=2").status_code == 204
            token = {"Authorization": f"Token anybody:{device.token}"}
            assert client.post("/write", content="m f=3", headers=token).status_code == 204
        assert device.values("m.f") == [1.0, 2.0, 3.0]

    def test_a_page_of_another_site_may_not_write(self, server: Server, device: Device) -> None:
        answer = self.write(server, "m f=1", device.token, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 401

    def test_a_large_batch_is_on_disk_when_it_is_confirmed(self, server: Server, device: Device) -> None:
        now = time.time_ns() - 5000
        body = "\n".join(f"m a={index},b={index}i {now + index * 1000}" for index in range(5000))
        assert self.write(server, body, device.token).status_code == 204
        assert len(device.values("m.a")) == 5000
        assert json.loads(json.dumps(device.values("m.b")))[-1] == 4999
