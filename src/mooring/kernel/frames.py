"""What a device says and what it is answered: Frame, Value, Receipt.

A frame is known by (device, boot_id, seq); a receipt is given only once the frame is stored.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Value = float | int | bool | str | list[Any] | dict[str, Any]
ReceiptStatus = Literal["stored", "duplicate", "rejected", "throttled"]


class Frame(msgspec.Struct, gc=False, frozen=True):
    """One message of a device, as it came off the wire; bounds are checked by ``telemetry.check``.

    ``sensor_readings`` is ``{key: value | {value, unit, ...}}`` or a list of
    ``{sensor_type, value, unit?, timestamp?, quality_score?}``; ``timestamp`` is ISO 8601 or epoch s/ms.
    """

    sensor_readings: dict[str, Any] | list[Any] | None = None
    seq: int | None = None
    boot_id: str = ""
    timestamp: int | float | str | None = None
    event_type: str | None = None
    device_status: str | None = None
    device_id: str | None = None
    type: str | None = None
    message: str | None = None
    severity: str | None = None


class Receipt(msgspec.Struct, gc=False, omit_defaults=True):
    """The answer to a frame; ``stored`` counts readings and is told over HTTP."""

    seq: int | None
    status: ReceiptStatus
    reason: str | None = None
    retry_after_s: float | None = None
    stored: int | None = None
