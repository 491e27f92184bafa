"""A client of few words for MQTT doors: says exactly what it is told, right or wrong, and shows what comes back."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.encode import encode
from mooring.wire.mqtt.stream import Stream

PATIENCE_S = 15.0
P = TypeVar("P")


class Closed(AssertionError):
    """The server closed the connection."""


class Client:
    """One connection, in one version."""

    def __init__(self, port: int, level: int = 4) -> None:
        self.level = level
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.stream = Stream(1 << 28, level=level)
        self.waiting: list[p.Packet] = []
        self.ids = itertools.count(1)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *packets: p.Packet) -> None:
        """Send packets in one write."""
        self.raw(b"".join(encode(packet, self.level) for packet in packets))

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def hear(self, kind: type[P], timeout_s: float = PATIENCE_S) -> P:
        """Return the next packet, which must be of a kind; publishes are put aside unless they are wanted."""
        deadline = time.monotonic() + timeout_s
        while True:
            for packet in self.waiting:
                if isinstance(packet, kind):
                    self.waiting.remove(packet)
                    return packet
                if not isinstance(packet, p.Publish):
                    raise AssertionError(f"{packet} instead of {kind.__name__}")
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed
            self.waiting += self.stream.feed(data)
            assert self.stream.error is None

    def connect(self, token: str | None = None, **fields: Any) -> p.Connack:
        """Send CONNECT and return what it is answered."""
        given = {"client_id": "c", "keep_alive": 60, "username": token, **fields}
        self.say(p.Connect(self.level, **given))
        return self.hear(p.Connack)

    def publish(self, topic: str, body: Any, qos: int = 1) -> int:
        """Send a message, JSON unless it is bytes, and return its packet id."""
        packet_id = next(self.ids) if qos else 0
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.say(p.Publish(topic, payload, qos, packet_id))
        return packet_id

    def sent(self, topic: str, body: Any) -> int:
        """Send a message at QoS 1, wait for its PUBACK and return the reason in it."""
        packet_id = self.publish(topic, body)
        ack = self.hear(p.Ack)
        assert (ack.kind, ack.packet_id) == (p.PUBACK, packet_id)
        return ack.reason

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Subscribe and return what was granted."""
        self.say(p.Subscribe(next(self.ids), [p.Wish(one, qos) for one in filters]))
        return self.hear(p.Suback).reasons

    def told(self, topic: str, timeout_s: float = PATIENCE_S) -> Any:
        """Return the JSON of the next message on a topic, acknowledged."""
        message = self.message(lambda one: one.topic == topic, timeout_s)
        return json.loads(message.payload)

    def message(self, wanted: Callable[[p.Publish], bool], timeout_s: float = PATIENCE_S) -> p.Publish:
        """Return the next message that is wanted, acknowledged; others are dropped."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.hear(p.Publish, max(0.001, deadline - time.monotonic()))
            if message.qos:
                self.say(p.Ack(p.PUBACK, message.packet_id))
            if wanted(message):
                return message

    def end(self, timeout_s: float = PATIENCE_S) -> p.Disconnect | None:
        """Wait until the server closes; return the farewell it gave."""
        farewell: p.Disconnect | None = None
        try:
            while True:
                farewell = self.hear(p.Disconnect, timeout_s)
        except Closed:
            return farewell
