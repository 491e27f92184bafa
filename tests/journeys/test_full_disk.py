"""Promise A6: on a full disk writes are refused with the reason, the rest works, and writing resumes by itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.server import Device, Server, running

DISK_MB, RESERVE_MB = 128, 16


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a small disk of one's own."""
    folder = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False) if os.geteuid() == 0 else None
    if mounted is None or mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip() if mounted else 'needs root'}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture(scope="module")
def cramped(disk: Path) -> Iterator[Server]:
    """Give a server on that disk."""
    with running(disk / "mooring" / "data", settings={"MOORING_DISK_RESERVE_MB": str(RESERVE_MB)}) as server:
        yield server


@contextlib.contextmanager
def filled(disk: Path, leave_mb: int) -> Iterator[None]:
    """Fill the disk but for so many MB, for the length of a block."""
    ballast = disk / "ballast"
    space = os.statvfs(disk)
    size = space.f_bavail * space.f_frsize - (leave_mb << 20)
    with ballast.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, size)
    try:
        yield
    finally:
        ballast.unlink()


def frame(seq: int, **more: object) -> dict[str, object]:
    return {"boot_id": "b", "seq": seq, "sensor_readings": {"n": seq}, **more}


def assert_refused(device: Device, first: int) -> None:
    """Assert that every way to write is refused with the one reason a device can act on."""
    answer = device.post(frame(first))
    assert (answer.status_code, answer.json()["status"]) == (507, "rejected")
    assert answer.json()["reason"].startswith("storage_full")
    batch = device.post({"frames": [frame(first + 1), frame(first + 2)]})
    assert batch.status_code == 507
    assert {receipt["status"] for receipt in batch.json()["receipts"]} == {"rejected"}
    new_key = device.post({"seq": first + 3, "boot_id": "fresh", "sensor_readings": {"never heard": 1}})
    assert new_key.status_code == 507
    with device.socket() as wire:
        told = wire.ask(frame(first + 4))
        assert told == {"seq": first + 4, "status": "rejected", "reason": "storage_full"}


def test_writes_are_refused_and_everything_else_works(cramped: Server, disk: Path) -> None:
    device = cramped.admin().device()
    assert device.post(frame(1)).status_code == 201
    with filled(disk, RESERVE_MB - 2):
        assert_refused(device, 2)
        ready = cramped.ask("GET", "/readyz")
        assert (ready.status_code, list(ready.json()["faults"])) == (503, ["readings"])
        assert cramped.ask("GET", "/healthz").status_code == 200
        again = cramped.admin()
        assert again.get("/api/devices")["total"] >= 1
        assert device.values("n") == [1]
        assert again.get("/api/latest", device_id=device.id)["items"][0]["values"]["n"]["value"] == 1
        assert again.get("/api/overview")["readings"]["total"] >= 1
    assert cramped.ask("GET", "/readyz").status_code == 200
    assert device.post(frame(2)).json()["status"] == "stored"
    with device.socket() as wire:
        assert wire.ask({"type": "resume", "boot_id": "b"})["last_seq"] == 2
        assert wire.ask(frame(6))["status"] == "stored"
    assert device.values("n") == [1, 2, 6]


def test_a_disk_without_a_single_byte_left_is_survived(cramped: Server, disk: Path) -> None:
    admin = cramped.admin()
    device = admin.device()
    assert device.post(frame(1)).status_code == 201
    with filled(disk, 0):
        assert_refused(device, 2)
        event = device.post({"seq": 9, "boot_id": "b", "event_type": "opened"})
        assert event.status_code in (503, 507)
        assert device.values("n") == [1]
        assert admin.get("/api/devices")["total"] >= 1
        login = cramped.ask("POST", "/api/auth/login", json={"username": "admin", "password": "wrong password"})
        assert login.status_code == 401
    assert device.post(frame(2)).status_code == 201
    assert device.post({"seq": 9, "boot_id": "b", "event_type": "opened"}).status_code == 201
    assert device.values("n") == [1, 2]


def test_a_disk_that_fills_under_load_loses_nothing_acked(cramped: Server, disk: Path) -> None:
    device = cramped.admin().device()
    acked, refused = [], 0
    with filled(disk, RESERVE_MB + 1), device.socket() as wire:
        for start in range(0, 2_000_000, 5000):
            receipts = wire.ask([frame(seq, sensor_readings={"n": seq}) for seq in range(start, start + 2000)])
            acked += [receipt["seq"] for receipt in receipts if receipt["status"] == "stored"]
            refused = sum(receipt["status"] == "rejected" for receipt in receipts)
            if refused:
                break
        assert refused
        assert {receipt["reason"] for receipt in receipts if "reason" in receipt} == {"storage_full"}
    assert device.post(frame(9_000_000)).status_code == 201
    stored = device.values("n")
    assert len(stored) == len(set(stored))
    assert set(acked) <= set(stored)
