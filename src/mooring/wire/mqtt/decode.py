"""One whole packet to a value; ``stream`` finds the packets and takes the common PUBLISH by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mooring.wire.mqtt import packets as p
from mooring.wire.mqtt.properties import TOPIC_ALIAS, WILL, read_properties
from mooring.wire.mqtt.reasons import PROTOCOL_ERROR, VERSION_UNSUPPORTED, PacketRefused
from mooring.wire.mqtt.values import Cursor, check_filter, topic_of

_NAMES: Final = {(b"MQIsdp", 3): 3, (b"MQTT", 4): 4, (b"MQTT", 5): 5}
# Bits 3 to 0 of the first byte (2.1.3); PUBLISH uses them.
_FLAGS: Final = {p.PUBREL: 2, p.SUBSCRIBE: 2, p.UNSUBSCRIBE: 2}
_FIVE = 5


def decode(head: int, cursor: Cursor, level: int) -> p.Packet:
    """Return the packet with first byte `head` and the bytes of `cursor`; raises ``PacketRefused``."""
    kind = head >> 4
    if kind == p.PUBLISH:
        packet: p.Packet = publish(head, cursor, level)
    else:
        if head & 0x0F != _FLAGS.get(kind, 0):
            raise PacketRefused(f"flags of a packet of type {kind}: {head & 0x0F}")
        decoder = _DECODERS.get(kind)
        if decoder is None or (kind == p.AUTH and level < _FIVE):
            raise PacketRefused(f"packet of type {kind}")
        packet = decoder(cursor, level)
    cursor.done()
    return packet


def publish(head: int, cursor: Cursor, level: int) -> p.Publish:
    """Return a PUBLISH (3.3)."""
    qos = head >> 1 & 3
    if qos == 3 or (head & 8 and not qos):
        raise PacketRefused("QoS 3, or a repetition at QoS 0")
    name = cursor.binary()
    packet_id = cursor.packet_id() if qos else 0
    properties = read_properties(cursor, p.PUBLISH) if level >= _FIVE else None
    aliased = not name and properties is not None and TOPIC_ALIAS in properties
    topic = "" if aliased else topic_of(name)
    return p.Publish(topic, cursor.rest(), qos, packet_id, bool(head & 1), bool(head & 8), properties)


def _connect(cursor: Cursor, _: int) -> p.Connect:
    level = _NAMES.get((cursor.binary(), cursor.byte()))
    if level is None:
        raise PacketRefused("a protocol or version not spoken here", VERSION_UNSUPPORTED)
    flags = cursor.byte()
    _check_connect_flags(flags, level)
    cursor.strict = level >= _FIVE
    keep_alive = cursor.short()
    properties = read_properties(cursor, p.CONNECT) if level >= _FIVE else None
    client_id = cursor.text()
    will = _will(cursor, flags, level) if flags & 0x04 else None
    return p.Connect(
        level=level,
        client_id=client_id,
        clean=bool(flags & 0x02),
        keep_alive=keep_alive,
        username=cursor.text() if flags & 0x80 else None,
        password=cursor.binary() if flags & 0x40 else None,
        will=will,
        properties=properties,
    )


def _check_connect_flags(flags: int, level: int) -> None:
    if flags & 0x01:
        raise PacketRefused("the reserved flag of CONNECT is set")
    if flags & 0x18 == 0x18 or (not flags & 0x04 and flags & 0x38):
        raise PacketRefused("flags of a will that is none, or with QoS 3")
    if flags & 0x40 and not flags & 0x80 and level < _FIVE:
        raise PacketRefused("a password without a user name")


def _will(cursor: Cursor, flags: int, level: int) -> p.Will:
    properties = read_properties(cursor, WILL) if level >= _FIVE else None
    topic = topic_of(cursor.binary())
    return p.Will(topic, cursor.binary(), flags >> 3 & 3, bool(flags & 0x20), properties)


def _connack(cursor: Cursor, level: int) -> p.Connack:
    present = cursor.byte()
    if present > 1:
        raise PacketRefused("reserved flags of CONNACK are set")
    reason = cursor.byte()
    return p.Connack(reason, bool(present), read_properties(cursor, p.CONNACK) if level >= _FIVE else None)


def _ack(kind: int) -> Callable[[Cursor, int], p.Ack]:
    def decode_ack(cursor: Cursor, level: int) -> p.Ack:
        packet_id = cursor.packet_id()
        if level < _FIVE or not cursor.left:
            return p.Ack(kind, packet_id)
        reason = cursor.byte()
        return p.Ack(kind, packet_id, reason, read_properties(cursor, kind) if cursor.left else None)

    return decode_ack


def _subscribe(cursor: Cursor, level: int) -> p.Subscribe:
    packet_id = cursor.packet_id()
    properties = read_properties(cursor, p.SUBSCRIBE) if level >= _FIVE else None
    wishes = []
    while cursor.left:
        topic_filter = check_filter(cursor.text())
        wishes.append(_wish(topic_filter, cursor.byte(), level))
    if not wishes:
        raise PacketRefused("SUBSCRIBE without a filter", PROTOCOL_ERROR)
    return p.Subscribe(packet_id, wishes, properties)


def _wish(topic_filter: str, options: int, level: int) -> p.Wish:
    qos, retain_handling = options & 3, options >> 4 & 3
    if qos == 3 or retain_handling == 3 or options & (0xC0 if level >= _FIVE else 0xFC):
        raise PacketRefused("options of a subscription that do not exist")
    no_local = bool(options & 4)
    if no_local and topic_filter.startswith("$share/"):
        raise PacketRefused("a shared subscription without one's own messages", PROTOCOL_ERROR)
    return p.Wish(topic_filter, qos, no_local, bool(options & 8), retain_handling)


def _suback(cursor: Cursor, level: int) -> p.Suback:
    packet_id = cursor.packet_id()
    properties = read_properties(cursor, p.SUBACK) if level >= _FIVE else None
    return p.Suback(packet_id, list(cursor.rest()), properties)


def _unsubscribe(cursor: Cursor, level: int) -> p.Unsubscribe:
    packet_id = cursor.packet_id()
    properties = read_properties(cursor, p.UNSUBSCRIBE) if level >= _FIVE else None
    filters = []
    while cursor.left:
        filters.append(check_filter(cursor.text()))
    if not filters:
        raise PacketRefused("UNSUBSCRIBE without a filter", PROTOCOL_ERROR)
    return p.Unsubscribe(packet_id, filters, properties)


def _unsuback(cursor: Cursor, level: int) -> p.Unsuback:
    packet_id = cursor.packet_id()
    if level < _FIVE:
        return p.Unsuback(packet_id, [])
    properties = read_properties(cursor, p.UNSUBACK)
    return p.Unsuback(packet_id, list(cursor.rest()), properties)


def _pingreq(_: Cursor, __: int) -> p.Pingreq:
    return p.Pingreq()


def _pingresp(_: Cursor, __: int) -> p.Pingresp:
    return p.Pingresp()


def _disconnect(cursor: Cursor, level: int) -> p.Disconnect:
    if level < _FIVE or not cursor.left:
        return p.Disconnect()
    reason = cursor.byte()
    return p.Disconnect(reason, read_properties(cursor, p.DISCONNECT) if cursor.left else None)


def _auth(cursor: Cursor, _: int) -> p.Auth:
    if not cursor.left:
        return p.Auth()
    reason = cursor.byte()
    return p.Auth(reason, read_properties(cursor, p.AUTH) if cursor.left else None)


_DECODERS: Final[dict[int, Callable[[Cursor, int], p.Packet]]] = {
    p.CONNECT: _connect,
    p.CONNACK: _connack,
    p.PUBACK: _ack(p.PUBACK),
    p.PUBREC: _ack(p.PUBREC),
    p.PUBREL: _ack(p.PUBREL),
    p.PUBCOMP: _ack(p.PUBCOMP),
    p.SUBSCRIBE: _subscribe,
    p.SUBACK: _suback,
    p.UNSUBSCRIBE: _unsubscribe,
    p.UNSUBACK: _unsuback,
    p.PINGREQ: _pingreq,
    p.PINGRESP: _pingresp,
    p.DISCONNECT: _disconnect,
    p.AUTH: _auth,
}
