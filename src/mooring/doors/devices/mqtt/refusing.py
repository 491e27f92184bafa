"""Kinds of refusal in the numbers of MQTT."""

from __future__ import annotations

from typing import Final

from mooring.kernel.errors import Denied, Exhausted, Invalid, Missing, MooringError, Unauthenticated
from mooring.kernel.frames import Receipt
from mooring.wire.mqtt.reasons import (
    IMPLEMENTATION_ERROR,
    NOT_AUTHORIZED,
    PAYLOAD_INVALID,
    QUOTA_EXCEEDED,
    TOPIC_INVALID,
    PacketRefused,
)

_KINDS: Final[tuple[tuple[type[MooringError], int], ...]] = (
    (Invalid, PAYLOAD_INVALID),
    (Exhausted, QUOTA_EXCEEDED),
    (Denied, NOT_AUTHORIZED),
    (Unauthenticated, NOT_AUTHORIZED),
    (Missing, TOPIC_INVALID),
)
_OURS: Final = ("storage_full", "unavailable", "device_gone")


def reason_of(refusal: MooringError | Receipt) -> int:
    """Return the reason code of a refusal."""
    if isinstance(refusal, PacketRefused):
        return refusal.reason
    if isinstance(refusal, MooringError):
        return next((reason for kind, reason in _KINDS if isinstance(refusal, kind)), IMPLEMENTATION_ERROR)
    if refusal.status == "throttled":
        return QUOTA_EXCEEDED
    return IMPLEMENTATION_ERROR if (refusal.reason or "").startswith(_OURS) else PAYLOAD_INVALID


def closes(reason: int) -> bool:
    """Tell whether a client that cannot be told `reason` must send its message again, on another connection."""
    return reason in (IMPLEMENTATION_ERROR, QUOTA_EXCEEDED)
