"""Properties of MQTT 5 (2.2.2): which exist, where each may stand, how often, and with which values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.packets import Properties
from mooring.wire.mqtt.reasons import PROTOCOL_ERROR, PacketRefused
from mooring.wire.mqtt.values import Cursor, put_binary, put_length, put_text

PAYLOAD_FORMAT: Final = 0x01
MESSAGE_EXPIRY: Final = 0x02
CONTENT_TYPE: Final = 0x03
RESPONSE_TOPIC: Final = 0x08
CORRELATION_DATA: Final = 0x09
SUBSCRIPTION_ID: Final = 0x0B
SESSION_EXPIRY: Final = 0x11
ASSIGNED_CLIENT_ID: Final = 0x12
SERVER_KEEP_ALIVE: Final = 0x13
AUTH_METHOD: Final = 0x15
AUTH_DATA: Final = 0x16
REQUEST_PROBLEM: Final = 0x17
WILL_DELAY: Final = 0x18
REQUEST_RESPONSE: Final = 0x19
RESPONSE_INFORMATION: Final = 0x1A
SERVER_REFERENCE: Final = 0x1C
REASON_STRING: Final = 0x1F
RECEIVE_MAXIMUM: Final = 0x21
TOPIC_ALIAS_MAXIMUM: Final = 0x22
TOPIC_ALIAS: Final = 0x23
MAXIMUM_QOS: Final = 0x24
RETAIN_AVAILABLE: Final = 0x25
USER_PROPERTY: Final = 0x26
MAXIMUM_PACKET_SIZE: Final = 0x27
WILDCARD_AVAILABLE: Final = 0x28
SUBSCRIPTION_ID_AVAILABLE: Final = 0x29
SHARED_AVAILABLE: Final = 0x2A

# A will has properties of its own, inside CONNECT.
WILL: Final = 16
MAX_USER_PROPERTIES: Final = 64


class _Kind(NamedTuple):
    read: Callable[[Cursor], Any]
    write: Callable[[Any], bytes]
    places: frozenset[int]
    lowest: int = 0
    highest: int = 0xFFFFFFFF


def _byte(value: int) -> bytes:
    return bytes((value,))


def _short(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _long(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _pair(cursor: Cursor) -> tuple[str, str]:
    return cursor.text(), cursor.text()


def _put_pair(pair: tuple[str, str]) -> bytes:
    return put_text(pair[0]) + put_text(pair[1])


def _flag(*places: int) -> _Kind:
    return _Kind(Cursor.byte, _byte, frozenset(places), 0, 1)


def _text(*places: int) -> _Kind:
    return _Kind(Cursor.text, put_text, frozenset(places))


_ACKS = (p.PUBACK, p.PUBREC, p.PUBREL, p.PUBCOMP)
_KINDS: Final = {
    PAYLOAD_FORMAT: _flag(p.PUBLISH, WILL),
    MESSAGE_EXPIRY: _Kind(Cursor.long, _long, frozenset({p.PUBLISH, WILL})),
    CONTENT_TYPE: _text(p.PUBLISH, WILL),
    RESPONSE_TOPIC: _text(p.PUBLISH, WILL),
    CORRELATION_DATA: _Kind(Cursor.binary, put_binary, frozenset({p.PUBLISH, WILL})),
    SUBSCRIPTION_ID: _Kind(Cursor.length, put_length, frozenset({p.PUBLISH, p.SUBSCRIBE}), 1),
    SESSION_EXPIRY: _Kind(Cursor.long, _long, frozenset({p.CONNECT, p.CONNACK, p.DISCONNECT})),
    ASSIGNED_CLIENT_ID: _text(p.CONNACK),
    SERVER_KEEP_ALIVE: _Kind(Cursor.short, _short, frozenset({p.CONNACK})),
    AUTH_METHOD: _text(p.CONNECT, p.CONNACK, p.AUTH),
    AUTH_DATA: _Kind(Cursor.binary, put_binary, frozenset({p.CONNECT, p.CONNACK, p.AUTH})),
    REQUEST_PROBLEM: _flag(p.CONNECT),
    WILL_DELAY: _Kind(Cursor.long, _long, frozenset({WILL})),
    REQUEST_RESPONSE: _flag(p.CONNECT),
    RESPONSE_INFORMATION: _text(p.CONNACK),
    SERVER_REFERENCE: _text(p.CONNACK, p.DISCONNECT),
    REASON_STRING: _text(p.CONNACK, *_ACKS, p.SUBACK, p.UNSUBACK, p.DISCONNECT, p.AUTH),
    RECEIVE_MAXIMUM: _Kind(Cursor.short, _short, frozenset({p.CONNECT, p.CONNACK}), 1),
    TOPIC_ALIAS_MAXIMUM: _Kind(Cursor.short, _short, frozenset({p.CONNECT, p.CONNACK})),
    TOPIC_ALIAS: _Kind(Cursor.short, _short, frozenset({p.PUBLISH}), 1),
    MAXIMUM_QOS: _flag(p.CONNACK),
    RETAIN_AVAILABLE: _flag(p.CONNACK),
    USER_PROPERTY: _Kind(_pair, _put_pair, frozenset(range(1, 17))),
    MAXIMUM_PACKET_SIZE: _Kind(Cursor.long, _long, frozenset({p.CONNECT, p.CONNACK}), 1),
    WILDCARD_AVAILABLE: _flag(p.CONNACK),
    SUBSCRIPTION_ID_AVAILABLE: _flag(p.CONNACK),
    SHARED_AVAILABLE: _flag(p.CONNACK),
}


def read_properties(cursor: Cursor, place: int) -> Properties | None:
    """Return the properties at `cursor` of a packet of type `place`; None for none."""
    size = cursor.length()
    if not size:
        return None
    inner = cursor.part(size)
    found: Properties = {}
    while inner.left:
        _read_one(inner, place, found)
    return found


def _read_one(cursor: Cursor, place: int, found: Properties) -> None:
    number = cursor.length()
    kind = _KINDS.get(number)
    if kind is None or place not in kind.places:
        raise PacketRefused(f"property 0x{number:02x} may not stand in this packet")
    value = kind.read(cursor)
    if isinstance(value, int) and not kind.lowest <= value <= kind.highest:
        raise PacketRefused(f"property 0x{number:02x} out of range: {value}", PROTOCOL_ERROR)
    if number == USER_PROPERTY or (number == SUBSCRIPTION_ID and place == p.PUBLISH):
        values = found.setdefault(number, [])
        if len(values) >= MAX_USER_PROPERTIES:
            raise PacketRefused(f"property 0x{number:02x} more than {MAX_USER_PROPERTIES} times")
        values.append(value)
    elif number in found:
        raise PacketRefused(f"property 0x{number:02x} twice", PROTOCOL_ERROR)
    else:
        found[number] = [value] if number == SUBSCRIPTION_ID else value


def put_properties(properties: Properties | None) -> bytes:
    """Return the bytes of `properties` with their length before them."""
    if not properties:
        return b"\0"
    parts: list[bytes] = []
    for number, value in properties.items():
        write = _KINDS[number].write
        for one in value if number in (USER_PROPERTY, SUBSCRIPTION_ID) else (value,):
            parts += (put_length(number), write(one))
    body = b"".join(parts)
    return put_length(len(body)) + body
