"""The data types packets are made of (MQTT 5, 1.5): numbers, lengths, text, binary, topics."""

from __future__ import annotations

from typing import Final

from mooring.wire.mqtt.reasons import PROTOCOL_ERROR, PacketRefused

MAX_LENGTH: Final = 268_435_455
MAX_TOPIC_LEVELS: Final = 64


class Cursor:
    """A place in the bytes of one packet, which it never leaves."""

    __slots__ = ("at", "data", "end", "strict")

    def __init__(self, data: bytes, at: int, end: int, *, strict: bool) -> None:
        """Begin at `at`; with `strict`, as in level 5, a length must not be written longer than need be."""
        self.data = data
        self.at = at
        self.end = end
        self.strict = strict

    @property
    def left(self) -> int:
        """Return how many bytes there are still."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        start, self.at = self.at, self.at + size
        if self.at > self.end:
            raise PacketRefused("packet ends in the middle of a field")
        return self.data[start : self.at]

    def part(self, size: int) -> Cursor:
        """Return a cursor over the next `size` bytes and go past them."""
        start, self.at = self.at, self.at + size
        if self.at > self.end:
            raise PacketRefused("packet ends in the middle of its properties")
        return Cursor(self.data, start, self.at, strict=self.strict)

    def rest(self) -> bytes:
        """Return everything that is left."""
        start, self.at = self.at, self.end
        return self.data[start : self.end]

    def byte(self) -> int:
        """Return a number of one byte."""
        return self.take(1)[0]

    def short(self) -> int:
        """Return a number of two bytes."""
        return int.from_bytes(self.take(2), "big")

    def long(self) -> int:
        """Return a number of four bytes."""
        return int.from_bytes(self.take(4), "big")

    def packet_id(self) -> int:
        """Return a packet identifier, which is never 0 (2.2.1)."""
        number = self.short()
        if not number:
            raise PacketRefused("packet id 0", PROTOCOL_ERROR)
        return number

    def length(self) -> int:
        """Return a variable byte integer (1.5.5)."""
        number = 0
        for place in range(4):
            byte = self.byte()
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if self.strict and place and not byte:
                    raise PacketRefused("length is written longer than need be")
                return number
        raise PacketRefused("length of more than four bytes")

    def binary(self) -> bytes:
        """Return bytes behind their length."""
        return self.take(self.short())

    def text(self) -> str:
        """Return UTF-8 text behind its length (1.5.4)."""
        return text_of(self.binary())

    def done(self) -> None:
        """Refuse a packet with more in it than belongs there."""
        if self.at != self.end:
            raise PacketRefused(f"{self.end - self.at} bytes too many in a packet")


def text_of(data: bytes) -> str:
    """Return UTF-8 as text; no surrogates and no NUL, as the specification demands."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise PacketRefused("text is not UTF-8") from None
    if "\0" in text:
        raise PacketRefused("text holds a NUL")
    return text


def topic_of(data: bytes) -> str:
    """Return a topic name: not empty, without wildcards (4.7.1)."""
    topic = text_of(data)
    if not topic or "+" in topic or "#" in topic:
        raise PacketRefused("topic name is empty or holds a wildcard")
    return topic


def check_filter(text: str) -> str:
    """Return a topic filter; wildcards fill a level, ``#`` the last one (4.7.1)."""
    if not text:
        raise PacketRefused("topic filter is empty")
    if "#" in text and (text.index("#") != len(text) - 1 or text[-2:] not in ("#", "/#")):
        raise PacketRefused("topic filter with # in the middle")
    if "+" in text and any("+" in part and part != "+" for part in text.split("/")):
        raise PacketRefused("topic filter with + beside other characters")
    return text


def put_length(number: int) -> bytes:
    """Return a variable byte integer."""
    if number < 0x80:
        return bytes((number,))
    if number > MAX_LENGTH:
        raise ValueError(f"no packet is this long: {number}")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def put_binary(data: bytes) -> bytes:
    """Return bytes with their length before them."""
    return len(data).to_bytes(2, "big") + data


def put_text(text: str) -> bytes:
    """Return text as UTF-8 with its length before it."""
    return put_binary(text.encode())
