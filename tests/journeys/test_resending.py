"""Promise A4: sending again is harmless: the same (device, boot_id, seq) is stored once, however often it comes."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.server import Device, running


def frame(seq: int = 1, **more: Any) -> dict[str, Any]:
    return {"boot_id": "b", "seq": seq, "sensor_readings": {"n": seq}, **more}


def test_a_frame_sent_twice_is_stored_once(device: Device) -> None:
    first, second = device.post(frame()), device.post(frame())
    assert (first.status_code, first.json()) == (201, {"seq": 1, "status": "stored", "stored": 1})
    assert (second.status_code, second.json()) == (200, {"seq": 1, "status": "duplicate"})
    assert device.values("n") == [1]


def test_the_doors_know_each_others_frames(device: Device) -> None:
    assert device.post(frame()).json()["status"] == "stored"
    with device.socket() as wire:
        assert wire.ask(frame()) == {"seq": 1, "status": "duplicate"}
        assert wire.ask(frame(2)) == {"seq": 2, "status": "stored"}
    assert device.post(frame(2)).json()["status"] == "duplicate"
    answer = device.owner.ask("POST", "/api/data", json={"frames": [{"device_id": device.id, **frame(2)}]})
    assert (answer.status_code, answer.json()["receipts"]) == (200, [{"seq": 2, "status": "duplicate"}])
    assert device.values("n") == [1, 2]


def test_fifty_at_once_over_both_doors_are_stored_once(device: Device) -> None:
    told: list[str] = []
    ready = threading.Barrier(50)

    def by_post() -> None:
        with device.owner.server.client(headers=device.headers) as client:
            ready.wait()
            told.append(client.post(device.path, json=frame()).json()["status"])

    def by_socket() -> None:
        with device.socket() as wire:
            ready.wait()
            told.append(wire.ask(frame())["status"])

    threads = [threading.Thread(target=by_post if i % 2 else by_socket) for i in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(told) == {"stored": 1, "duplicate": 49}
    assert device.values("n") == [1]


def test_twice_in_one_message_is_stored_once(device: Device) -> None:
    posted = device.post({"frames": [frame(), frame(), frame(2)]})
    assert posted.status_code == 201
    assert [receipt["status"] for receipt in posted.json()["receipts"]] == ["stored", "duplicate", "stored"]
    with device.socket() as wire:
        told = wire.ask([frame(3), frame(4), frame(3)])
        assert [receipt["status"] for receipt in told] == ["stored", "stored", "duplicate"]
    assert device.values("n") == [1, 2, 3, 4]


def test_sent_again_without_waiting_every_copy_gets_its_receipt(device: Device) -> None:
    with device.socket() as wire:
        for seq in range(200):
            for _ in range(3):
                wire.socket.send(json.dumps(frame(seq)))
        told = [wire.hear() for _ in range(600)]
    assert Counter(receipt["status"] for receipt in told) == {"stored": 200, "duplicate": 400}
    assert device.values("n") == list(range(200))


def test_sent_again_after_a_restart_it_is_still_known(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        device = server.admin().device()
        with device.socket() as wire:
            assert wire.ask([frame(seq) for seq in range(10)])[-1]["status"] == "stored"
        server.kill()
        server.start()
        with device.socket() as wire:
            assert wire.ask({"type": "resume", "boot_id": "b"}) == {"type": "resume", "boot_id": "b", "last_seq": 9}
            told = wire.ask([frame(seq) for seq in range(12)])
        assert [receipt["status"] for receipt in told] == ["duplicate"] * 10 + ["stored"] * 2
        assert server.stop() == 0
        server.start()
        assert device.post(frame(11)).json()["status"] == "duplicate"
        assert device.post(frame(11, sensor_readings={"n": 5})).status_code == 409
        assert device.values("n") == list(range(12))


DIFFERENT = {
    "another value": {"sensor_readings": {"n": 2}},
    "another key": {"sensor_readings": {"m": 1}},
    "one more": {"sensor_readings": {"n": 1, "m": 1}},
    "nothing": {"sensor_readings": {}},
    "text for a number": {"sensor_readings": {"n": "1"}},
    "another time": {"timestamp": 1_790_000_000},
    "an event": {"event_type": "opened"},
    "a status": {"device_status": "busy"},
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_another_content_under_the_same_seq_is_a_conflict(device: Device, other: dict[str, Any]) -> None:
    assert device.post(frame()).status_code == 201
    answer = device.post(frame(**other))
    assert answer.status_code == 409, answer.text
    assert answer.json()["status"] == "rejected"
    assert answer.json()["reason"].startswith("seq_conflict")
    with device.socket() as wire:
        assert wire.ask(frame(**other))["reason"].startswith("seq_conflict")
        assert wire.ask(frame())["status"] == "duplicate"
    assert device.values("n") == [1]


def test_another_event_under_the_same_seq_is_a_conflict(device: Device) -> None:
    event = {"boot_id": "b", "seq": 1, "event_type": "opened"}
    assert device.post(event).status_code == 201
    assert device.post(event).json()["status"] == "duplicate"
    assert device.post({**event, "event_type": "closed"}).status_code == 409
    events = [row["event_type"] for row in device.owner.get(f"/api/devices/{device.id}/events")["items"]]
    assert events.count("opened") == 1
    assert "closed" not in events


def test_another_text_at_another_time_under_the_same_seq_is_a_conflict(device: Device) -> None:
    said = {"boot_id": "b", "seq": 1, "timestamp": 1_790_000_000, "sensor_readings": {"w": "hello"}}
    assert device.post(said).status_code == 201
    assert device.post(said).json()["status"] == "duplicate"
    assert device.post({**said, "timestamp": 1_790_000_001}).status_code == 409
    assert device.post({**said, "sensor_readings": {"w": "hallo"}}).status_code == 409


@pytest.mark.parametrize(
    "readings",
    [
        {"a": 1, "b": 2.5, "c": True, "d": "text", "e": {"x": [1, 2]}, "f": 2**60},
        {"a": {"value": 1, "unit": "C"}, "b": {"value": 2, "quality_score": 0.5}},
        [{"sensor_type": "a", "value": 1, "timestamp": 1_790_000_000}, {"sensor_type": "b", "value": 2}],
    ],
)
def test_every_form_of_readings_is_known_again(device: Device, readings: Any) -> None:
    said = {"boot_id": "b", "seq": 1, "sensor_readings": readings}
    assert device.post(said).status_code == 201
    stored = device.rows()
    assert device.post(said).json()["status"] == "duplicate"
    assert device.rows() == stored


def test_a_status_repeated_in_every_frame_is_known_again(device: Device) -> None:
    frames = [frame(seq, device_status="idle") for seq in range(5)]
    with device.socket() as wire:
        assert {receipt["status"] for receipt in wire.ask(frames)} == {"stored"}
        assert wire.ask(frame(5, device_status="busy"))["status"] == "stored"
        assert {receipt["status"] for receipt in wire.ask(frames)} == {"duplicate"}
    assert device.owner.get(f"/api/devices/{device.id}/status")["device_status"] == "busy"


def test_order_and_spelling_make_no_other_content(device: Device) -> None:
    one = b'{"boot_id":"b","seq":1,"sensor_readings":{"a":1,"b":2.50}}'
    two = b'{ "sensor_readings": {"b": 25e-1, "a": 1.0}, "seq": 1, "boot_id": "b" }'
    assert device.post_raw(one).status_code == 201
    assert device.post_raw(two).json()["status"] == "duplicate"


def test_frames_without_seq_are_stored_each_time(device: Device) -> None:
    for _ in range(2):
        assert device.post({"sensor_readings": {"n": 1}}).json() == {"seq": None, "status": "stored", "stored": 1}
    assert device.values("n") == [1, 1]


def test_boots_and_devices_do_not_share_numbers(device: Device) -> None:
    assert device.post(frame()).status_code == 201
    assert device.post(frame(boot_id="c")).status_code == 201
    assert device.post({"seq": 1, "sensor_readings": {"n": 1}}).status_code == 201
    assert device.owner.device().post(frame()).status_code == 201
    assert device.values("n") == [1, 1, 1]


def test_a_late_frame_below_the_last_seq_is_stored(device: Device) -> None:
    with device.socket() as wire:
        assert wire.ask(frame(10))["status"] == "stored"
        assert wire.ask(frame(3))["status"] == "stored"
        assert wire.ask(frame(3))["status"] == "duplicate"
        assert wire.ask({"type": "resume", "boot_id": "b"})["last_seq"] == 10


def test_a_boot_never_heard_of_resumes_from_nothing(device: Device) -> None:
    with device.socket() as wire:
        assert wire.ask({"type": "resume", "boot_id": "new"})["last_seq"] is None
        assert wire.ask({"type": "resume"}) == {"type": "resume", "boot_id": "", "last_seq": None}


def test_the_largest_seq_is_taken_and_no_larger_one(device: Device) -> None:
    with device.socket() as wire:
        assert wire.ask(frame(2**63 - 1, sensor_readings={"n": 0})) == {"seq": 2**63 - 1, "status": "stored"}
        assert wire.ask(frame(2**63 - 1, sensor_readings={"n": 0}))["status"] == "duplicate"
        assert wire.ask(frame(2**63, sensor_readings={"n": 0}))["status"] == "rejected"
