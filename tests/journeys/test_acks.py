"""Promise A1: an ack means committed and fsynced, on every door; and A5: a storage error never becomes an ack."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journeys.server import Device, Server, running
from tests.journeys.tracing import require_tracing, traced

DELAY_S = 0.5
SLOW_DISK = "delay_enter=500000"
BOOT = "b"
LOADERS, WINDOW, LOAD_S = 4, 200, 1.5


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server of this module's own: tracing slows it down."""
    require_tracing()
    with running(tmp_path_factory.mktemp("honest") / "data") as server:
        yield server


def frame(seq: int, boot_id: str = BOOT) -> dict[str, object]:
    """Return a plain frame."""
    return {"seq": seq, "boot_id": boot_id, "sensor_readings": {"n": seq, "t": 20.5}}


def by_post(device: Device) -> list[dict[str, object]]:
    answer = device.post(frame(10))
    assert answer.status_code == 201
    return [answer.json()]


def by_batch(device: Device) -> list[dict[str, object]]:
    answer = device.post({"frames": [frame(seq) for seq in range(20, 30)]})
    assert answer.status_code == 201
    return list(answer.json()["receipts"])


def by_gateway(device: Device) -> list[dict[str, object]]:
    frames = {"frames": [{"device_id": device.id, **frame(30)}]}
    return list(device.owner.ask("POST", "/api/data", json=frames).json()["receipts"])


def by_socket(device: Device) -> list[dict[str, object]]:
    with device.socket() as wire:
        return [wire.ask(frame(40))]


def by_array(device: Device) -> list[dict[str, object]]:
    with device.socket() as wire:
        return list(wire.ask([frame(seq) for seq in range(50, 60)]))


def by_first_words(device: Device) -> list[dict[str, object]]:
    """A boot, a key and an event nobody has heard of yet."""
    with device.socket() as wire:
        return [wire.ask({**frame(1, "other"), "event_type": "started"})]


WAYS = [by_post, by_batch, by_gateway, by_socket, by_array, by_first_words]
Way = Callable[[Device], list[dict[str, object]]]


def soonest_ack_s(server: Server, way: Way) -> float:
    """Return how long a device waits for a receipt while every sync takes half a second longer."""
    device = server.admin().device()
    assert device.post(frame(0)).status_code == 201
    with traced(server.pid, SLOW_DISK):
        began = time.monotonic()
        receipts = way(device)
        waited = time.monotonic() - began
    assert {receipt["status"] for receipt in receipts} == {"stored"}
    return waited


@pytest.mark.parametrize("way", WAYS)
def test_no_receipt_comes_before_the_sync(honest: Server, way: Way) -> None:
    assert soonest_ack_s(honest, way) >= DELAY_S


def test_a_server_that_acks_early_is_caught(tmp_path: Path) -> None:
    require_tracing()
    with running(tmp_path / "data", module=("tests.journeys.altered", "acks_early")) as liar:
        assert soonest_ack_s(liar, by_post) < DELAY_S
        assert soonest_ack_s(liar, by_socket) < DELAY_S


def test_a_frame_sent_again_before_it_is_on_disk_is_not_acked_before_it(honest: Server) -> None:
    device = honest.admin().device()
    assert device.post(frame(0)).status_code == 201
    with device.socket() as wire, traced(honest.pid, SLOW_DISK):
        for _ in range(3):
            wire.socket.send(json.dumps(frame(7, "fresh")))
        told = [wire.hear() for _ in range(3)]
    assert [receipt["status"] for receipt in told] == ["stored", "duplicate", "duplicate"]


def test_one_sync_serves_many_frames_under_load(honest: Server) -> None:
    admin = honest.admin()
    devices = [admin.device() for _ in range(LOADERS)]
    for device in devices:
        assert device.post(frame(0)).status_code == 201
    acked = [0] * LOADERS
    with traced(honest.pid) as trace:
        threads = [threading.Thread(target=_load, args=(device, i, acked)) for i, device in enumerate(devices)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        syncs = [line for line in trace.lines if "readings" in line]
    assert len(syncs) > 0
    assert sum(acked) / len(syncs) > 20, f"{sum(acked)} frames, {len(syncs)} syncs"


def _load(device: Device, index: int, acked: list[int]) -> None:
    seq = 1
    with device.socket() as wire:
        until = time.monotonic() + LOAD_S
        while time.monotonic() < until:
            for _ in range(WINDOW):
                wire.socket.send(json.dumps(frame(seq)))
                seq += 1
            for _ in range(WINDOW):
                assert wire.hear()["status"] == "stored"
            acked[index] += WINDOW


LAST_STRAWS = {
    "a plain frame": frame(1),
    "a frame with a new key": {"seq": 1, "boot_id": BOOT, "sensor_readings": {"news": 1}},
}


@pytest.mark.parametrize("straw", LAST_STRAWS.values(), ids=LAST_STRAWS)
def test_a_failing_sync_is_never_an_ack_and_ends_writing(tmp_path: Path, straw: dict[str, object]) -> None:
    require_tracing()
    with running(tmp_path / "data") as server:
        device = server.admin().device()
        assert device.post(frame(0)).status_code == 201
        log = server.folder / "readings.duckdb.wal"
        with device.socket() as wire, traced(server.pid, "error=EIO", only=log) as trace:
            assert device.post(straw).status_code == 503, trace.lines
            syncs = len(trace.lines)
            assert syncs == 1
            told = wire.ask(frame(50))
            assert told["status"] == "rejected"
            assert told["reason"].startswith("unavailable")
            assert device.post(frame(60)).status_code == 503
            assert device.post({"frames": [frame(70)]}).status_code == 503
            assert len(trace.lines) == syncs, "the failed sync was tried again"
        assert device.post(frame(80)).status_code == 503, "a disk that failed once is not trusted again"
        with server.client() as client:
            ready = client.get("/readyz")
            assert client.get("/healthz").status_code == 200
        assert ready.status_code == 503
        assert "readings" in ready.json()["faults"]
        assert server.admin().get("/api/devices")["total"] == 1
        if "news" in str(straw):
            return
        server.kill()
        server.start()
        stored = device.values("n")
        assert stored in ([0], [0, 1]), "what was not acked may be there, once, and nothing else"
        assert device.post(frame(50)).status_code == 201


def test_an_event_that_could_not_be_kept_is_not_acked(tmp_path: Path) -> None:
    require_tracing()
    with running(tmp_path / "data") as server:
        admin = server.admin()
        device = admin.device()
        assert device.post(frame(0)).status_code == 201
        log = server.folder / "mooring.sqlite3-wal"
        with traced(server.pid, "error=EIO", only=log):
            refused = device.post({**frame(1), "event_type": "opened"})
            assert refused.status_code == 503, refused.text
            assert device.post(frame(2)).status_code == 201, "readings go elsewhere"
        server.kill()
        server.start()
        assert device.values("n") == [0, 2]
        assert [event["event_type"] for event in admin.get(f"/api/devices/{device.id}/events")["items"]] in (
            [],
            ["opened"],
        )
