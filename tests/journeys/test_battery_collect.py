"""``mooring collect``: senders notice nothing of restarts, and nothing is lost or stored twice."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import pytest
from tests.journeys.dialects import eventually
from tests.journeys.server import PATIENCE_S, ROOT, Server, clean_environment, free_port, running

LIFE = {"remaining_life_hours": 8120.5, "remaining_cycles": 880, "degradation_rate": 0.0021}
HEALTH = {
    "pack_voltage": 355.2,
    "pack_current": -10.5,
    "cell_temp": 25.5,
    "capacity_remaining": 97.5,
    "cycle_count": 120,
    "age_months": 8.5,
    "health_score": 96.4,
}


class Collector:
    """The collector in a process of its own."""

    def __init__(self, folder: Path, url: str, key: str = "") -> None:
        self.folder = folder
        self.url = url
        self.key = key
        self.ports = {"battery": free_port(), "predictor": free_port()}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Collector:
        """Start and wait until it listens."""
        arguments = ["--url", self.url, "--spool", str(self.folder), "--log-level", "info"]
        for name, port in self.ports.items():
            arguments += [f"--{name}-port", str(port)]
        with (self.folder.parent / "collector.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mooring", "collect", *arguments],
                env=clean_environment(MOORING_API_KEY=self.key),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        out = self.process.stdout
        assert out is not None
        self.reader = threading.Thread(target=_read, args=(out, lines), daemon=True)
        self.reader.start()
        assert lines.get(timeout=PATIENCE_S).startswith("ready: battery=127.0.0.1:")
        self.lines = lines
        return self

    def end(self, how: signal.Signals) -> int:
        """End it."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return status

    def connect(self, name: str = "battery") -> socket.socket:
        """Return a connection to one of its ports."""
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=10)

    @property
    def waiting(self) -> int:
        """Return how many bytes of the spool's files are not confirmed."""
        place = self.folder / "place"
        number, offset = map(int, place.read_text().split()) if place.exists() else (0, 0)
        sizes = {int(file.stem): file.stat().st_size for file in self.folder.glob("*.spool")}
        heads = 52 * sum(one > number for one in sizes)
        return sum(size for one, size in sizes.items() if one >= number) - (offset if number in sizes else 0) - heads


def _read(out: IO[str], lines: queue.SimpleQueue[str]) -> None:
    with out:
        for line in out:
            lines.put(line)


def frames(first: int, count: int) -> bytes:
    return b"".join(struct.pack("<ffff", index * 0.5, 300 + index, 1, 25) for index in range(first, first + count))


def history(server: Server, key: str = "", kind: str = "battery-data") -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with server.client(headers=headers) as api:
        return list(api.get(f"/api/{kind}/history?hours=24&limit=10000").json())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_frames_and_objects_reach_an_open_server(tmp_path: Path, folder: Path) -> None:
    with running(tmp_path / "data", settings={"MOORING_OPEN_DIALECTS": "battery"}) as server:
        collector = Collector(folder, server.url).start()
        try:
            with collector.connect() as sender, collector.connect("predictor") as predictor:
                data = frames(0, 500)
                for at in range(0, len(data), 999):
                    sender.sendall(data[at : at + 999])
                predictor.sendall((json.dumps(LIFE) + json.dumps(HEALTH) + '{"neither": 1}').encode())
                eventually(lambda: len(history(server)) == 500)
                eventually(lambda: history(server, kind="battery-performance"))
            found = history(server)
            assert [one["pack_voltage"] for one in found] == [float(300 + index) for index in reversed(range(500))]
            assert found[0]["device_timestamp"] == 249.5
            [life] = history(server, kind="battery-prediction")
            assert life["remaining_cycles"] == 880
            eventually(lambda: collector.waiting == 0)
        finally:
            assert collector.end(signal.SIGTERM) == 0
            assert "stored 502, duplicates 0, refused 0" in collector.lines.get(timeout=10)


def test_nothing_is_lost_or_doubled_when_both_ends_are_killed(tmp_path: Path, folder: Path) -> None:
    port = free_port()
    server = Server(tmp_path / "data")
    person_key = ""
    collector: Collector | None = None
    try:
        server.start()
        person = server.person()
        person_key = person.ask("POST", "/api/keys", json={"name": "collector"}).json()["key"]
        collector = Collector(folder, f"http://127.0.0.1:{port}", person_key).start()
        # The server is not where the collector looks for it yet: everything waits on the disk.
        sent = 0
        with collector.connect() as sender, collector.connect("predictor") as predictor:
            for _ in range(20):
                sender.sendall(frames(sent, 37))
                sent += 37
                time.sleep(0.01)
            predictor.sendall(json.dumps(LIFE).encode())
            eventually(lambda: collector.waiting > sent * 16)
            eventually(lambda: any(b"remaining_cycles" in file.read_bytes() for file in folder.glob("*.spool")))
        collector.end(signal.SIGKILL)
        server.kill()
        relay = _Relay(port)
        with relay:
            collector.start()
            for _ in range(2):
                server.start()
                relay.target = int(server.url.rsplit(":", 1)[1])
                with collector.connect() as sender:
                    for _ in range(15):
                        sender.sendall(frames(sent, 20))
                        sent += 20
                        time.sleep(0.02)
                time.sleep(0.4)
                os.kill(server.pid, signal.SIGKILL)
                server.kill()
                collector.end(signal.SIGKILL)
                collector.start()
            server.start()
            relay.target = int(server.url.rsplit(":", 1)[1])
            eventually(lambda: len(history(server, person_key)) >= sent, 60)
            eventually(lambda: collector.waiting == 0, 30)
        voltages = [one["pack_voltage"] for one in history(server, person_key)]
        assert sorted(voltages) == [float(300 + index) for index in range(sent)]
        assert len(history(server, person_key, "battery-prediction")) == 1
    finally:
        if collector is not None:
            collector.end(signal.SIGKILL)
        server.kill()


class _Relay:
    """A fixed port in front of a server whose port changes with every start."""

    def __init__(self, port: int) -> None:
        self.target = 0
        self._socket = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []

    def __enter__(self) -> _Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for side in self._open:
            side.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(near)
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            self._open.append(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for side in (one, other):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def test_a_server_that_refuses_the_key_loses_nothing(tmp_path: Path, folder: Path) -> None:
    with running(tmp_path / "data") as server:
        collector = Collector(folder, server.url, "nobody").start()
        try:
            with collector.connect() as sender:
                sender.sendall(frames(0, 10))
            log = folder.parent / "collector.log"
            eventually(lambda: "refuses" in log.read_text())
            assert collector.waiting > 160
            collector.end(signal.SIGTERM)
            device = server.person().device("pack")
            collector.key = device.token
            collector.start()
            eventually(lambda: len(device.values("pack_voltage")) == 10)
        finally:
            collector.end(signal.SIGKILL)


def test_two_collectors_do_not_share_a_spool(tmp_path: Path, folder: Path) -> None:
    collector = Collector(folder, "http://127.0.0.1:9").start()
    try:
        second = subprocess.run(
            [sys.executable, "-m", "mooring", "collect", "--spool", str(folder), "--battery-port", "0"],
            env=clean_environment(),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert second.returncode == 1
        assert "in use by another mooring" in second.stderr
    finally:
        collector.end(signal.SIGKILL)
    both_off = subprocess.run(
        [sys.executable, "-m", "mooring", "collect", "--battery-port", "0", "--predictor-port", "0"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "both ports are off" in both_off.stderr
