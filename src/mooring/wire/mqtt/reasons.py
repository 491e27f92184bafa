"""Reason codes of MQTT 5 (2.4), the return codes older clients get instead, and the refusal that carries one."""

from __future__ import annotations

from typing import ClassVar, Final

from mooring.kernel.errors import Invalid

SUCCESS: Final = 0x00
NO_SUBSCRIPTION_EXISTED: Final = 0x11
UNSPECIFIED: Final = 0x80
MALFORMED: Final = 0x81
PROTOCOL_ERROR: Final = 0x82
IMPLEMENTATION_ERROR: Final = 0x83
VERSION_UNSUPPORTED: Final = 0x84
CLIENT_ID_INVALID: Final = 0x85
BAD_CREDENTIALS: Final = 0x86
NOT_AUTHORIZED: Final = 0x87
UNAVAILABLE: Final = 0x88
SHUTTING_DOWN: Final = 0x8B
BAD_METHOD: Final = 0x8C
KEEP_ALIVE_TIMEOUT: Final = 0x8D
TAKEN_OVER: Final = 0x8E
FILTER_INVALID: Final = 0x8F
TOPIC_INVALID: Final = 0x90
RECEIVE_MAXIMUM_EXCEEDED: Final = 0x93
TOPIC_ALIAS_INVALID: Final = 0x94
TOO_LARGE: Final = 0x95
RATE_TOO_HIGH: Final = 0x96
QUOTA_EXCEEDED: Final = 0x97
ADMINISTRATIVE: Final = 0x98
PAYLOAD_INVALID: Final = 0x99
QOS_UNSUPPORTED: Final = 0x9B
SHARED_UNSUPPORTED: Final = 0x9E
CONNECTION_RATE: Final = 0x9F

# CONNACK of 3.1 and 3.1.1 (3.2.2.3) for each reason of MQTT 5; what is not here is "unavailable".
OLD_CONNACK: Final = {
    SUCCESS: 0,
    VERSION_UNSUPPORTED: 1,
    CLIENT_ID_INVALID: 2,
    UNAVAILABLE: 3,
    CONNECTION_RATE: 3,
    QUOTA_EXCEEDED: 3,
    BAD_CREDENTIALS: 5,
    NOT_AUTHORIZED: 5,
}
OLD_SUBSCRIBE_FAILURE: Final = 0x80


class PacketRefused(Invalid):
    """Bytes that are no MQTT, or MQTT that breaks the protocol; ``reason`` says how, in the numbers of MQTT 5."""

    code: ClassVar[str] = "mqtt_refused"

    def __init__(self, message: str, reason: int = MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason
