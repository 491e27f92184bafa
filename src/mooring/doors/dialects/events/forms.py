"""The two forms of a message of contract B, as frames. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from mooring.devices.bounds import document
from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Frame
from mooring.telemetry.check import time_us
from mooring.wire import json

DEVICE_TYPE = "computer"
_KINDS = {"event_type": str, "device_status": str, "message": str, "severity": str}


class Told(NamedTuple):
    """What a message says: which device by its own name, of which type, the frame, and the message verbatim."""

    external_id: str
    device_type: str
    frame: Frame
    body: dict[str, Any]


def understood(text: str | bytes, now_us: int) -> Told:
    """Return what a message says; raises ``Invalid`` with the field at fault."""
    body = document(json.decode_object(text), "message")
    payload = body.get("payload")
    if isinstance(payload, dict) and "device_id" not in body:
        return _wrapped(body, payload, now_us)
    frame = Frame(
        sensor_readings=_readings(body.get("sensor_readings")),
        seq=_seq(body.get("seq")),
        boot_id=_text(body, "boot_id") or "",
        timestamp=_stamp(body.get("timestamp"), now_us),
        **{field: _text(body, field) for field in _KINDS},
    )
    if not frame.event_type and frame.sensor_readings is None and not frame.device_status:
        raise Invalid("event_type is missing", hint='send {"device_id": …, "event_type": …}')
    return Told(_name(body.get("device_id")), _type_of(body), frame, body)


def _wrapped(body: dict[str, Any], payload: dict[str, Any], now_us: int) -> Told:
    device = payload.get("device")
    if not isinstance(device, dict):
        raise Invalid("payload.device is missing")
    event_type = _text(body, "subtype") or _text(body, "type")
    if not event_type:
        raise Invalid("subtype is missing")
    meta = body.get("meta")
    stamp = meta.get("timestamp") if isinstance(meta, dict) else None
    frame = Frame(seq=_seq(body.get("seq")), timestamp=_stamp(stamp, now_us), event_type=event_type)
    return Told(_name(device.get("device_id")), _type_of(device), frame, body)


def closing(external_id: str) -> dict[str, Any]:
    """Return what a device that dropped out would have said."""
    return {"device_id": external_id, "event_type": "disconnected"}


def _name(given: Any) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, str) or not given.strip():
        raise Invalid("device_id is missing", hint='send {"device_id": …, "event_type": …}')
    return given.strip()


def _type_of(body: dict[str, Any]) -> str:
    given = body.get("device_type")
    return given if isinstance(given, str) and 0 < len(given) <= 64 else DEVICE_TYPE


def _text(body: dict[str, Any], field: str) -> str | None:
    given = body.get(field)
    if given is not None and not isinstance(given, str):
        raise Invalid(f"{field} must be text")
    return given or None


def _seq(given: Any) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool):
        raise Invalid("seq must be a whole number")
    return given


def _readings(given: Any) -> dict[str, Any] | list[Any] | None:
    if given is None or isinstance(given, dict | list):
        return given
    raise Invalid("sensor_readings must be an object or a list")


def _stamp(given: Any, now_us: int) -> int | float | str | None:
    """Return a stamp we can use; another is kept in the message, and the time of receipt counts instead."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        time_us(given, now_us)
    except Invalid:
        return None
    return given
