"""The battery port: packed frames stored a second, and what an idle connection weighs."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
import urllib.request
from statistics import median

from bench.figure import Figure
from bench.fleet import Mooring
from bench.run import Run

SENDERS = 32
IDLE_SOCKETS = 5_000
# Each send is one TCP segment of a few frames: what a bench of senders looks like from here, not one bulk transfer.
FRAMES_A_SEND = 8
SETTLE_S = 30.0


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def tcp(run: Run) -> None:
    """Flood the port for some turns and count what is on disk; then hold idle connections and weigh them."""
    port = free_port()
    with Mooring(open_dialects="tcp,battery", battery_port=str(port), predictor_port="0", mqtt_port="0") as mooring:
        mooring.log_in()
        rates = [flood(mooring, port, run.pressure.seconds) for _ in range(run.turns)]
        for rate in rates:
            run.say(f"tcp: {rate:,.0f} frames/s stored")
        note = f"{SENDERS} senders, {FRAMES_A_SEND} frames a send; all sent were stored"
        run.add(Figure("TCP 16-byte frames stored per second", median(rates), 100_000, "", note=note))
    with Mooring(open_dialects="tcp,battery", battery_port=str(port), predictor_port="0", mqtt_port="0") as mooring:
        sockets = 1_000 if run.quick else IDLE_SOCKETS
        grown = idle(mooring, port, sockets)
        run.add(
            Figure("memory per idle TCP device", grown / sockets / 1024, 30, " KiB", True, f"{sockets:,} connected")
        )


def flood(mooring: Mooring, port: int, seconds: float) -> float:
    """Send as fast as is taken for `seconds` and return frames stored per second, all of them on disk."""
    data = b"".join(struct.pack("<ffff", index * 0.1, 355.0, -10.0, 25.0) for index in range(FRAMES_A_SEND))
    before, sent, began = stored(mooring), [0] * SENDERS, time.monotonic()

    def send(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            # What the kernel holds for a sender is not stored yet: keep it small, or the tail outlasts the turn.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
            while time.monotonic() - began < seconds:
                sock.sendall(data)
                sent[number] += FRAMES_A_SEND

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + SETTLE_S
    while (found := (stored(mooring) - before) // 4) < sum(sent):
        if time.monotonic() > deadline:
            raise RuntimeError(f"tcp: {sum(sent)} frames were sent, {found} are stored")
        time.sleep(0.05)
    return sum(sent) / (time.monotonic() - began)


def stored(mooring: Mooring) -> int:
    """Return how many readings the server has stored since its start."""
    with urllib.request.urlopen(f"{mooring.url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return int(float(re.search(r"^mooring_readings_stored_total (\S+)", text, re.MULTILINE)[1]))


def idle(mooring: Mooring, port: int, count: int) -> int:
    """Connect `count` senders that send one frame and then nothing; return the bytes the server grew by."""
    with socket.create_connection(("127.0.0.1", port)) as first:
        first.sendall(struct.pack("<ffff", 1, 355, -10, 25))
        time.sleep(2)
        before = mooring.server.rss_bytes
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for sock in sockets:
            sock.sendall(struct.pack("<ffff", 1, 355, -10, 25))
        time.sleep(3)
        grown = mooring.server.rss_bytes - before
        for sock in sockets:
            sock.close()
    return grown
