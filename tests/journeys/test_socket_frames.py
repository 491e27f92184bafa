"""The device socket on the wire (RFC 6455): messages cut at every byte, glued together, in fragments, and malformed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.journeys.server import Device

TEXT, BINARY, CLOSE, PING, PONG, ON = 1, 2, 8, 9, 10, 0
PATIENCE_S = 10.0


def packed(payload: bytes, opcode: int = TEXT, *, fin: bool = True, masked: bool = True, bits: int = 0) -> bytes:
    """Return one frame as a client sends it."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | bits | opcode])
    flag = 0x80 if masked else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 1 << 16:
        head += bytes([flag | 126]) + struct.pack(">H", size)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def said(seq: int, **more: Any) -> bytes:
    return json.dumps({"boot_id": "w", "seq": seq, "sensor_readings": {"n": seq}, **more}).encode()


class Line:
    """A bare connection after its handshake."""

    def __init__(self, device: Device) -> None:
        address = urlsplit(device.owner.server.url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            f"GET /ws/device HTTP/1.1\r\nHost: m\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {device.token}\r\n\r\n".encode()
        )
        self._got = b""
        while b"\r\n\r\n" not in self._got:
            self._got += self.socket.recv(4096)
        head, _, self._got = self._got.partition(b"\r\n\r\n")
        assert b" 101 " in head

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def next(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame the server sends; opcode -1 at the end."""
        while True:
            if len(self._got) >= 2:
                size, start = self._got[1] & 127, 2
                if size == 126:
                    size, start = int.from_bytes(self._got[2:4], "big"), 4
                elif size == 127:
                    size, start = int.from_bytes(self._got[2:10], "big"), 10
                if len(self._got) >= start + size:
                    opcode, payload = self._got[0] & 15, self._got[start : start + size]
                    self._got = self._got[start + size :]
                    return opcode, payload
            part = b""
            with contextlib.suppress(ConnectionError):
                part = self.socket.recv(65_536)
            if not part:
                return -1, b""
            self._got += part

    def hear(self) -> Any:
        opcode, payload = self.next()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def closed_with(self) -> int | None:
        """Return the code the server closes with, None if it just hangs up."""
        while True:
            opcode, payload = self.next()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")
            if opcode == -1:
                return None


@contextlib.contextmanager
def line(device: Device) -> Iterator[Line]:
    opened = Line(device)
    try:
        yield opened
    finally:
        opened.socket.close()


def test_a_message_may_be_cut_at_every_byte(device: Device) -> None:
    whole = packed(said(0)) + packed(b"", PING) + packed(said(1, pad="x" * 200))
    with line(device) as wire:
        for cut in range(1, len(whole)):
            wire.send(whole[:cut])
            time.sleep(0.001)
            wire.send(whole[cut:])
            heard = [wire.next() for _ in range(3)]
            assert sorted(opcode for opcode, _ in heard) == [TEXT, TEXT, PONG]
            told = [json.loads(payload) for opcode, payload in heard if opcode == TEXT]
            assert [one["seq"] for one in told] == [0, 1]
            assert {one["status"] for one in told} <= {"stored", "duplicate"}
    assert device.values("n") == [0, 1]


def test_a_message_may_come_byte_by_byte(device: Device) -> None:
    with line(device) as wire:
        for byte in packed(said(5)) + packed(said(6)):
            wire.send(bytes([byte]))
        assert [wire.hear()["seq"], wire.hear()["seq"]] == [5, 6]


def test_many_messages_may_come_in_one_piece(device: Device) -> None:
    with line(device) as wire:
        wire.send(b"".join(packed(said(seq)) for seq in range(500)))
        assert [wire.hear()["seq"] for _ in range(500)] == list(range(500))
    assert device.values("n") == list(range(500))


def test_a_message_may_come_in_fragments_with_others_between(device: Device) -> None:
    message = said(1)
    with line(device) as wire:
        wire.send(packed(said(0)))
        wire.send(packed(message[:10], fin=False) + packed(b"hi", PING) + packed(message[10:20], ON, fin=False))
        wire.send(packed(message[20:], ON) + packed(said(2)) + packed(said(3), BINARY))
        heard = [wire.next() for _ in range(5)]
        assert (PONG, b"hi") in heard
        assert [json.loads(payload)["seq"] for opcode, payload in heard if opcode == TEXT] == [0, 1, 2, 3]
    assert device.values("n") == [0, 1, 2, 3]


def test_a_large_message_is_taken_up_to_the_limit(device: Device) -> None:
    with line(device) as wire:
        for size in (125, 126, 127, 65_000, 65_535, 65_536, 200_000):
            message = said(size)
            wire.send(packed(message + b" " * (size - len(message))))
            assert wire.hear() == {"seq": size, "status": "stored"}
        wire.send(packed(said(1)))
        assert wire.hear()["seq"] == 1


MALFORMED: dict[str, tuple[bytes, int]] = {
    "not masked": (packed(said(1), masked=False), 1002),
    "a bit nobody agreed on": (packed(said(1), bits=0x40), 1002),
    "an opcode nobody knows": (packed(said(1), 3), 1002),
    "a ping in fragments": (packed(b"", PING, fin=False), 1002),
    "a ping too large": (packed(b"x" * 126, PING), 1002),
    "a fragment of nothing": (packed(said(1), ON), 1002),
    "text that is no UTF-8": (packed(b'{"seq":1,"x":"\xff"}'), 1007),
    "a message above the limit": (packed(b" " * 300_000), 1009),
    "fragments above the limit": (packed(b" " * 200_000, fin=False) + packed(b" " * 200_000, ON), 1009),
    "a size of eighteen digits": (b"\x81\xff" + b"\x0f" * 8 + b"mask", 1009),
    "a close without sense": (packed(b"\x00", CLOSE), 1002),
}


@pytest.mark.parametrize("spoken_before", [True, False], ids=["after a frame", "at once"])
@pytest.mark.parametrize("name", MALFORMED)
def test_what_breaks_the_protocol_ends_the_socket_with_the_reason(
    device: Device, name: str, spoken_before: bool
) -> None:
    sent, code = MALFORMED[name]
    with line(device) as wire:
        if spoken_before:
            wire.send(packed(said(100)))
            assert wire.hear()["seq"] == 100
        wire.send(sent)
        assert wire.closed_with() in (code, None)
    assert device.post({"sensor_readings": {"alive": 1}}).status_code == 201
    assert device.values("n") in ([], [100])


def test_a_close_is_answered_and_what_was_sent_before_it_is_stored(device: Device) -> None:
    with line(device) as wire:
        wire.send(packed(said(1)) + packed(struct.pack(">H", 1000) + b"bye", CLOSE) + packed(said(2)))
        assert wire.closed_with() in (1000, None)
    deadline = time.monotonic() + PATIENCE_S
    while device.values("n") != [1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_device_that_never_reads_its_receipts_is_held_back_and_loses_nothing(device: Device) -> None:
    with line(device) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.socket.settimeout(3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            for seq in range(60_000):
                wire.send(packed(said(seq)))
                sent = seq + 1
        wire.socket.settimeout(PATIENCE_S)
        assert device.owner.device().post({"sensor_readings": {"n": 1}}).status_code == 201, "others do not notice"
        for seq in range(min(sent, 5000)):
            assert wire.hear() == {"seq": seq, "status": "stored"}
    deadline = time.monotonic() + PATIENCE_S
    while device.owner.get(f"/api/devices/{device.id}")["status"] != "offline":
        assert time.monotonic() < deadline, "it left without reading, and nobody noticed"
        time.sleep(0.1)


def test_more_frames_than_may_be_owed_are_all_answered(device: Device) -> None:
    count = 20_000
    with line(device) as wire:
        wire.socket.settimeout(60)
        speaker = threading.Thread(target=lambda: wire.send(b"".join(packed(said(seq)) for seq in range(count))))
        speaker.start()
        assert [wire.hear()["seq"] for _ in range(count)] == list(range(count))
        speaker.join()
