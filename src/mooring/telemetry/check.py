"""From a frame as it came to rows that may be stored, or a reason why not. Pure.

The plain form (a map of numbers) is recognised in ``ingest`` without coming here; this is the general way.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from mooring.kernel.clock import to_us
from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Frame
from mooring.telemetry.series import KIND_BIG, KIND_BOOL, KIND_FLOAT, KIND_INT, KIND_JSON, KIND_TEXT

INT_MAX = 2**63 - 1
EXACT_INT = 2**53
MAX_READINGS = 1_000
MAX_KEY = 128
MAX_TEXT = 16_384
MAX_DEPTH = 16
MAX_SEQ = INT_MAX
EARLIEST_US = 31_536_000_000_000
AHEAD_US = 86_400_000_000
BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0)}
_ENTRY_DEPTH = 3


class Checked(NamedTuple):
    """One reading that may be stored; ``at_us`` is None where the frame's own time applies."""

    key: str
    kind: int
    number: float
    text: str
    unit: str | None
    at_us: int | None
    quality: float


def time_us(stamp: float | str, now_us: int) -> int:
    """Return microseconds since 1970 of ISO 8601 text or of epoch seconds, milliseconds or microseconds.

    Numbers below 1e11 are seconds, below 1e14 milliseconds, below 1e17 microseconds. Refused (``Invalid``): before
    1971, when a device's clock is surely unset, and more than a day ahead of the server.
    """
    moment = _from_text(stamp) if isinstance(stamp, str) else _from_number(stamp)
    if not EARLIEST_US <= moment <= now_us + AHEAD_US:
        raise Invalid(f"timestamp out of range: {_shown(stamp)}", hint="leave it out to use the server's clock")
    return moment


def _from_number(stamp: float) -> int:
    if isinstance(stamp, bool) or not -1e17 < stamp < 1e17:  # nor is NaN between them
        raise Invalid(f"timestamp is not a time: {_shown(stamp)}")
    size = abs(stamp)
    factor = 1_000_000 if size < 1e11 else 1_000 if size < 1e14 else 1
    return int(stamp * factor) if isinstance(stamp, int) else round(stamp * factor)


def _from_text(stamp: str) -> int:
    try:
        if "\0" in stamp:  # which fromisoformat overlooks at the end
            raise ValueError
        moment = datetime.fromisoformat(stamp)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Invalid(f"timestamp is not ISO 8601: {stamp[:40]!r}") from None


def seq_of(frame: Frame) -> int | None:
    """Return the frame's seq; raises ``Invalid`` outside 0 … 2⁶³−1."""
    seq = frame.seq
    if seq is not None and not 0 <= seq <= MAX_SEQ:
        raise Invalid(f"seq out of range: {_shown(seq)}")
    if len(frame.boot_id) > MAX_KEY or not _clean(frame.boot_id):
        raise Invalid(f"boot_id is longer than {MAX_KEY} or holds a control character")
    return seq


def rows_of(frame: Frame, now_us: int) -> list[Checked]:
    """Return the frame's readings in order; a null value is no reading. Raises ``Invalid`` with the key at fault."""
    readings = frame.sensor_readings
    if readings is None:
        return []
    if len(readings) > MAX_READINGS:
        raise Invalid(f"too many readings in one frame: {len(readings)}", hint=f"send at most {MAX_READINGS}")
    if isinstance(readings, dict):
        found = [_reading(key, value, now_us) for key, value in readings.items()]
    else:
        found = [_listed(entry, now_us) for entry in readings]
    return [row for row in found if row is not None]


def _listed(entry: object, now_us: int) -> Checked | None:
    if not isinstance(entry, dict):
        raise Invalid(f"a reading is not an object: {str(entry)[:40]}")
    key = entry.get("sensor_type")
    if not isinstance(key, str):
        raise Invalid("a reading has no sensor_type")
    if "value" not in entry:
        raise Invalid(f"a reading has no value: {key[:MAX_KEY]}")
    return _reading(key, entry, now_us)


def _reading(key: str, given: Any, now_us: int) -> Checked | None:
    check_key(key)
    if not (isinstance(given, dict) and "value" in given):
        return _checked(key, given, None, None, 1.0)
    unit, stamp, quality = given.get("unit"), given.get("timestamp"), given.get("quality_score")
    if unit is not None and not (isinstance(unit, str) and len(unit) <= MAX_KEY and _clean(unit)):
        raise Invalid(f"unit is not a short text: {key}")
    if stamp is not None and not isinstance(stamp, int | float | str):
        raise Invalid(f"timestamp is not a time: {key}")
    at_us = None if stamp is None else time_us(stamp, now_us)
    return _checked(key, given["value"], unit, at_us, _quality(key, quality))


def _quality(key: str, score: object) -> float:
    if score is None:
        return 1.0
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise Invalid(f"quality_score is not between 0 and 1: {key}")
    return float(score)


def _checked(key: str, value: Any, unit: str | None, at_us: int | None, quality: float) -> Checked | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return Checked(key, KIND_BOOL, float(value), "", unit, at_us, quality)
    if isinstance(value, int | float):
        kind, number, text = _number(key, value)
        return Checked(key, kind, number, text, unit, at_us, quality)
    if isinstance(value, str):
        if len(value) > MAX_TEXT or not _storable(value):
            raise Invalid(f"text is longer than {MAX_TEXT}, holds a NUL or is not Unicode: {key}")
        return Checked(key, KIND_TEXT, 0.0, value, unit, at_us, quality)
    return Checked(key, KIND_JSON, 0.0, _json(key, value), unit, at_us, quality)


def _number(key: str, value: float) -> tuple[int, float, str]:
    if isinstance(value, int):
        if not -INT_MAX - 1 <= value <= INT_MAX:
            raise Invalid(f"integer outside 64 bits: {key}")
    elif not math.isfinite(value):
        raise Invalid(f"not a finite number: {key}")
    low, high = BOUNDS.get(key, (-math.inf, math.inf))
    if not low <= value <= high:
        raise Invalid(f"{key} out of range: {value}", hint=f"between {low:g} and {high:g}")
    if isinstance(value, int) and abs(value) > EXACT_INT:
        return KIND_BIG, 0.0, str(value)
    return (KIND_INT if isinstance(value, int) else KIND_FLOAT), float(value), ""


def _json(key: str, value: Any) -> str:
    if not isinstance(value, dict | list):
        raise Invalid(f"a value of this kind cannot be stored: {key}")
    _walk(key, value, _ENTRY_DEPTH)
    text = msgspec.json.encode(value).decode()
    if len(text) > MAX_TEXT:
        raise Invalid(f"JSON value is longer than {MAX_TEXT}: {key}")
    return text


def _walk(key: str, value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Invalid(f"nested deeper than {MAX_DEPTH}: {key}")
    if isinstance(value, dict):
        for name, inner in value.items():
            _walk(key, name, depth)
            _walk(key, inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _walk(key, inner, depth + 1)
    elif isinstance(value, str):
        if not _storable(value):
            raise Invalid(f"text holds a NUL or is not Unicode: {key}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f"not a finite number: {key}")
    elif isinstance(value, int) and not -INT_MAX - 1 <= value <= INT_MAX:
        raise Invalid(f"integer outside 64 bits: {key}")


def check_key(key: str) -> None:
    """Raise ``Invalid`` unless `key` is a name of 1 to 128 characters without control characters."""
    if not 0 < len(key) <= MAX_KEY or not _clean(key):
        raise Invalid(f"sensor_type is not a name of 1 to {MAX_KEY} characters: {key[:40]!r}")


def _storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def _shown(stamp: object) -> str:
    """Return a bounded spelling: Python refuses to write out an integer of 4,301 digits."""
    if isinstance(stamp, int) and abs(stamp) > INT_MAX:
        return "an integer outside 64 bits"
    return str(stamp)[:40]


def _clean(text: str) -> bool:
    return text.isprintable() or not any(
        ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000 for char in text
    )
