"""Bytes as they arrive, cut anywhere, to packets. The first must be CONNECT, short, and sets the version."""

from __future__ import annotations

from typing import Final

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.decode import decode
from mooring.wire.mqtt.reasons import PROTOCOL_ERROR, TOO_LARGE, PacketRefused
from mooring.wire.mqtt.values import Cursor, topic_of

FIRST_LIMIT: Final = 4096
_TOPICS_KEPT: Final = 32
_FIVE: Final = 5


class Stream:
    """One direction of one connection; after ``error`` nothing more comes out of it."""

    __slots__ = ("_due", "_first", "_limit", "_rest", "_topics", "_whole", "error", "level")

    def __init__(self, limit: int, *, first_limit: int = FIRST_LIMIT, level: int = 0) -> None:
        """Take packets of at most `limit` bytes; with a `level` given, no CONNECT is awaited."""
        self.level = level
        self.error: PacketRefused | None = None
        self._first = not level
        self._whole = limit
        self._limit = first_limit if self._first else limit
        self._due = 0
        self._rest = bytearray()
        # Topic names as bytes and as checked text: a device says the same few all its life.
        self._topics: dict[bytes, str] = {}

    @property
    def partial(self) -> bool:
        """True while a packet has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[p.Packet]:
        """Return the packets that `data` completes; look at ``error`` after having served them."""
        packets: list[p.Packet] = []
        if self.error is not None:
            return packets
        if self._rest:
            self._rest += data
            if len(self._rest) < self._due:
                return packets
            data = bytes(self._rest)
            self._rest = bytearray()
        try:
            at = self._cut(data, packets)
        except PacketRefused as error:
            self.error = error
        else:
            if at < len(data):
                self._rest += data[at:]
        return packets

    def _cut(self, data: bytes, packets: list[p.Packet]) -> int:
        """Append whole packets and return where the first that is not whole begins."""
        at, size = 0, len(data)
        while at < size:
            if self._first and data[at] >> 4 != p.CONNECT:
                raise PacketRefused("the first packet is not CONNECT", PROTOCOL_ERROR)
            if size - at >= 2 and data[at + 1] < 0x80:
                start, end = at + 2, at + 2 + data[at + 1]
            else:
                start, end = self._long(data, at)
            if end > size:
                # The length may still be unknown; then the next byte is waited for.
                self._due = end - at
                return at
            packets.append(self._packet(data, at, start, end))
            at = end
        return at

    def _long(self, data: bytes, at: int) -> tuple[int, int]:
        """Return where the body of a packet with a length of several bytes begins and ends."""
        stop = min(len(data), at + 5)
        if stop < at + 5 and all(byte > 0x7F for byte in data[at + 1 : stop]):
            return stop, stop + 1
        cursor = Cursor(data, at + 1, stop, strict=self.level >= _FIVE)
        length = cursor.length()
        if cursor.at + length - at > self._limit:
            raise PacketRefused(f"packet of {cursor.at + length - at} bytes, at most {self._limit}", TOO_LARGE)
        return cursor.at, cursor.at + length

    def _packet(self, data: bytes, at: int, start: int, end: int) -> p.Packet:
        head = data[at]
        if head in (0x32, 0x30):
            found = self._publish(data, head, start, end)
            if found is not None:
                return found
        packet = decode(head, Cursor(data, start, end, strict=self.level >= _FIVE), self.level)
        if isinstance(packet, p.Connect):
            if not self._first:
                raise PacketRefused("a second CONNECT", PROTOCOL_ERROR)
            self.level, self._first, self._limit = packet.level, False, self._whole
        return packet

    def _publish(self, data: bytes, head: int, start: int, end: int) -> p.Publish | None:
        """Return the everyday PUBLISH: a topic said before, no properties; None for the general way."""
        at = start + 2 + (data[start] << 8 | data[start + 1]) if end - start > 2 else end
        if at >= end - 3 or at == start + 2:
            return None
        name = data[start + 2 : at]
        topic = self._topics.get(name) or self._learn(name)
        packet_id = 0
        if head == 0x32:
            packet_id = data[at] << 8 | data[at + 1]
            if not packet_id:
                return None
            at += 2
        if self.level == _FIVE:
            if data[at]:
                return None
            at += 1
        return p.Publish(topic, data[at:end], head >> 1 & 1, packet_id)

    def _learn(self, name: bytes) -> str:
        topic = topic_of(name)
        if len(self._topics) < _TOPICS_KEPT:
            self._topics[name] = topic
        return topic
