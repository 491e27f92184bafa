"""Packets to bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.properties import put_properties
from mooring.wire.mqtt.values import put_binary, put_length, put_text

PINGRESP: Final = b"\xd0\0"
_NAMES: Final = {3: b"\0\6MQIsdp\3", 4: b"\0\4MQTT\4", 5: b"\0\4MQTT\5"}
_FIVE = 5


def encode(packet: p.Packet, level: int) -> bytes:
    """Return the bytes of `packet` in the version of `level`."""
    head, body = _ENCODERS[type(packet)](packet, level)
    return bytes((head,)) + put_length(len(body)) + body


def puback(packet_id: int) -> bytes:
    """Return a PUBACK that says yes, alike in all versions."""
    return b"\x40\2" + packet_id.to_bytes(2, "big")


def _connect(packet: p.Connect, level: int) -> tuple[int, bytes]:
    will = packet.will
    flags = (
        (packet.username is not None) << 7
        | (packet.password is not None) << 6
        | (will is not None and will.retain) << 5
        | (will.qos if will else 0) << 3
        | (will is not None) << 2
        | packet.clean << 1
    )
    parts = [_NAMES[packet.level], bytes((flags,)), packet.keep_alive.to_bytes(2, "big")]
    parts += (_five(packet.properties, packet.level), put_text(packet.client_id))
    if will is not None:
        parts += (_five(will.properties, packet.level), put_text(will.topic), put_binary(will.payload))
    if packet.username is not None:
        parts.append(put_text(packet.username))
    if packet.password is not None:
        parts.append(put_binary(packet.password))
    return p.CONNECT << 4, b"".join(parts)


def _connack(packet: p.Connack, level: int) -> tuple[int, bytes]:
    return p.CONNACK << 4, bytes((packet.session_present, packet.reason)) + _five(packet.properties, level)


def _publish(packet: p.Publish, level: int) -> tuple[int, bytes]:
    head = p.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    packet_id = packet.packet_id.to_bytes(2, "big") if packet.qos else b""
    return head, put_text(packet.topic) + packet_id + _five(packet.properties, level) + packet.payload


def _ack(packet: p.Ack, level: int) -> tuple[int, bytes]:
    head = packet.kind << 4 | (2 if packet.kind == p.PUBREL else 0)
    return head, packet.packet_id.to_bytes(2, "big") + _reason(packet.reason, packet.properties, level)


def _subscribe(packet: p.Subscribe, level: int) -> tuple[int, bytes]:
    parts = [packet.packet_id.to_bytes(2, "big"), _five(packet.properties, level)]
    for wish in packet.wishes:
        options = wish.qos | wish.no_local << 2 | wish.retain_as_published << 3 | wish.retain_handling << 4
        parts += (put_text(wish.topic_filter), bytes((options,)))
    return p.SUBSCRIBE << 4 | 2, b"".join(parts)


def _suback(packet: p.Suback, level: int) -> tuple[int, bytes]:
    reasons = bytes(packet.reasons)
    return p.SUBACK << 4, packet.packet_id.to_bytes(2, "big") + _five(packet.properties, level) + reasons


def _unsubscribe(packet: p.Unsubscribe, level: int) -> tuple[int, bytes]:
    filters = b"".join(map(put_text, packet.filters))
    return p.UNSUBSCRIBE << 4 | 2, packet.packet_id.to_bytes(2, "big") + _five(packet.properties, level) + filters


def _unsuback(packet: p.Unsuback, level: int) -> tuple[int, bytes]:
    reasons = bytes(packet.reasons) if level >= _FIVE else b""
    return p.UNSUBACK << 4, packet.packet_id.to_bytes(2, "big") + _five(packet.properties, level) + reasons


def _pingreq(_: p.Pingreq, __: int) -> tuple[int, bytes]:
    return p.PINGREQ << 4, b""


def _pingresp(_: p.Pingresp, __: int) -> tuple[int, bytes]:
    return p.PINGRESP << 4, b""


def _disconnect(packet: p.Disconnect, level: int) -> tuple[int, bytes]:
    return p.DISCONNECT << 4, _reason(packet.reason, packet.properties, level)


def _auth(packet: p.Auth, level: int) -> tuple[int, bytes]:
    return p.AUTH << 4, _reason(packet.reason, packet.properties, level)


def _five(properties: p.Properties | None, level: int) -> bytes:
    return put_properties(properties) if level >= _FIVE else b""


def _reason(reason: int, properties: p.Properties | None, level: int) -> bytes:
    """Return the end of an acknowledgement; success without properties leaves it out (3.4.2.1)."""
    if level < _FIVE or not (reason or properties):
        return b""
    return bytes((reason,)) + (put_properties(properties) if properties else b"")


_ENCODERS: Final[dict[type, Callable[[Any, int], tuple[int, bytes]]]] = {
    p.Connect: _connect,
    p.Connack: _connack,
    p.Publish: _publish,
    p.Ack: _ack,
    p.Subscribe: _subscribe,
    p.Suback: _suback,
    p.Unsubscribe: _unsubscribe,
    p.Unsuback: _unsuback,
    p.Pingreq: _pingreq,
    p.Pingresp: _pingresp,
    p.Disconnect: _disconnect,
    p.Auth: _auth,
}
