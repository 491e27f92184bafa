"""MQTT control packets as values."""

from __future__ import annotations

from typing import Any, Final

import msgspec

CONNECT: Final = 1
CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
PUBREC: Final = 5
PUBREL: Final = 6
PUBCOMP: Final = 7
SUBSCRIBE: Final = 8
SUBACK: Final = 9
UNSUBSCRIBE: Final = 10
UNSUBACK: Final = 11
PINGREQ: Final = 12
PINGRESP: Final = 13
DISCONNECT: Final = 14
AUTH: Final = 15

# Property identifier -> value; user properties are a list of pairs, subscription identifiers a list of numbers.
Properties = dict[int, Any]


class Will(msgspec.Struct, frozen=True):
    """What a client wants said in its name when it is gone."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties | None = None


class Connect(msgspec.Struct, frozen=True):
    """The first packet of a client; ``keep_alive`` is in seconds, 0 for none."""

    level: int
    client_id: str = ""
    clean: bool = True
    keep_alive: int = 0
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties | None = None


class Connack(msgspec.Struct, frozen=True):
    """The server's answer to it; ``reason`` is a return code below level 5."""

    reason: int = 0
    session_present: bool = False
    properties: Properties | None = None


class Publish(msgspec.Struct, frozen=True, gc=False):
    """A message; ``packet_id`` is 0 at QoS 0."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties | None = None


class Ack(msgspec.Struct, frozen=True):
    """PUBACK, PUBREC, PUBREL or PUBCOMP by ``kind``."""

    kind: int
    packet_id: int
    reason: int = 0
    properties: Properties | None = None


class Wish(msgspec.Struct, frozen=True):
    """One filter of a SUBSCRIBE with its options; the last three exist in level 5 only."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(msgspec.Struct, frozen=True):
    """A client wants messages."""

    packet_id: int
    wishes: list[Wish]
    properties: Properties | None = None


class Suback(msgspec.Struct, frozen=True):
    """What it will get: a QoS or a refusal for each wish."""

    packet_id: int
    reasons: list[int]
    properties: Properties | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """A client no longer wants messages."""

    packet_id: int
    filters: list[str]
    properties: Properties | None = None


class Unsuback(msgspec.Struct, frozen=True):
    """The answer to it; ``reasons`` exist in level 5 only."""

    packet_id: int
    reasons: list[int]
    properties: Properties | None = None


class Pingreq(msgspec.Struct, frozen=True):
    """A client says it is there."""


class Pingresp(msgspec.Struct, frozen=True):
    """So is the server."""


class Disconnect(msgspec.Struct, frozen=True):
    """The connection ends; a server may say so in level 5 only."""

    reason: int = 0
    properties: Properties | None = None


class Auth(msgspec.Struct, frozen=True):
    """A step of an extended authentication, level 5."""

    reason: int = 0
    properties: Properties | None = None


Packet = (
    Connect
    | Connack
    | Publish
    | Ack
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
    | Auth
)
