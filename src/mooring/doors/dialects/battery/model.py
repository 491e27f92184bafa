"""The three kinds of record: which fields they have, what their stamps mean, how they are told. Pure."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mooring.kernel.clock import from_us, iso, to_us
from mooring.kernel.errors import Invalid, Missing

DAY_US = 86_400_000_000
# Before the year 2000 nobody's clock is right: such stamps count from the sender's own start.
EARLIEST_US = 946_684_800_000_000
MAX_TEXT = 200
DEVICE_TIMESTAMP = "device_timestamp"
UNITS: Mapping[str, str | None] = {
    "pack_voltage": "V",
    "pack_current": "A",
    "cell_temp": "°C",
    "capacity_remaining": None,
    "cycle_count": None,
    "age_months": None,
    "health_score": None,
    "remaining_life_hours": "h",
    "remaining_cycles": None,
    "degradation_rate": None,
}
_MEASURED = ("pack_voltage", "pack_current", "cell_temp")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record; ``name`` as its path and its sentences say it, ``source`` if the sender names none."""

    name: str
    fields: tuple[str, ...]
    source: str

    @property
    def words(self) -> str:
        """Return the kind in a sentence: ``battery data``."""
        return self.name.replace("-", " ")

    def missing(self) -> RecordUnknown:
        """Return the refusal where there is no such record, or none at all."""
        return RecordUnknown(f"No {self.words} found")

    def done(self, verb: str, record_id: str) -> dict[str, str]:
        """Return the answer to a change."""
        return {"message": f"{self.words.capitalize()} {verb} successfully", "id": record_id}


DATA = Kind("battery-data", _MEASURED, "battery_monitor")
PERFORMANCE = Kind(
    "battery-performance",
    (*_MEASURED, "capacity_remaining", "cycle_count", "age_months", "health_score"),
    "battery_ai_predictor",
)
PREDICTION = Kind(
    "battery-prediction", ("remaining_life_hours", "remaining_cycles", "degradation_rate"), "battery_ai_predictor"
)
KINDS = {kind.name: kind for kind in (DATA, PERFORMANCE, PREDICTION)}
_WHOLE = frozenset({"cycle_count"})


class RecordUnknown(Missing):
    """There is no such record, or it is not the caller's to see."""

    code = "record_unknown"


class RecordInvalid(Invalid):
    """A field of a record is missing or is not what it has to be."""

    code = "record_invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.said = message


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is kept: times in µs since 1970, ``body`` as it was written, checked."""

    id: str
    device_id: str
    kind: str
    at_us: int
    received_us: int
    body: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """Return the record as it is told."""
        return {"_id": self.id, **self.body}

    def readings(self) -> dict[str, float]:
        """Return its numbers as readings."""
        return {name: self.body[name] for name in KINDS[self.kind].fields if self.body.get(name) is not None}


def kind_of(given: Mapping[str, Any]) -> Kind | None:
    """Return what an object of the predictor's stream is, None if it is neither."""
    if "capacity_remaining" in given:
        return PERFORMANCE
    return PREDICTION if "remaining_life_hours" in given else None


def checked(kind: Kind, given: Mapping[str, Any], now_us: int) -> tuple[int, dict[str, Any]]:
    """Return a record's own time and its body; raises ``RecordInvalid`` naming the field at fault."""
    at_us, stamps = _stamp(given.get("timestamp"), now_us)
    told = given.get(DEVICE_TIMESTAMP)
    if DEVICE_TIMESTAMP not in stamps and isinstance(told, int | float) and math.isfinite(told):
        # A collector has replaced the stamp already.
        stamps[DEVICE_TIMESTAMP] = told
    body: dict[str, Any] = stamps | {name: _number(name, given.get(name)) for name in kind.fields}
    source = given.get("source", kind.source)
    if not isinstance(source, str) or len(source) > MAX_TEXT or not source.isprintable():
        raise RecordInvalid("source", f"Input should be a text of at most {MAX_TEXT} characters")
    body["source"] = source
    return at_us, body


def changed(kind: Kind, before: Record, given: Mapping[str, Any], now_us: int) -> tuple[int, dict[str, Any]]:
    """Return time and body of a record some fields of which are written anew."""
    kept = {name: value for name, value in before.body.items() if name not in ("timestamp", DEVICE_TIMESTAMP)}
    at_us, body = checked(kind, {**kept, **given}, now_us)
    if "timestamp" not in given:
        at_us = before.at_us
        stamps = {name: before.body[name] for name in ("timestamp", DEVICE_TIMESTAMP) if name in before.body}
        body = {**body, **stamps}
    return at_us, body


def _number(name: str, value: Any) -> float | int:
    if value is None:
        raise RecordInvalid(name, "Field required")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RecordInvalid(name, "Input should be a valid number")
    if name in _WHOLE:
        if value != int(value) or abs(value) > 2**53:
            raise RecordInvalid(name, "Input should be a valid integer")
        return int(value)
    if abs(value) > 1e300:
        raise RecordInvalid(name, "Input should be a valid number")
    return value


def _stamp(given: Any, now_us: int) -> tuple[int, dict[str, Any]]:
    """Return a record's time, and what it says of it: in the sender's own form while that can be believed.

    Anything else is replaced by the time of receipt and kept as ``device_timestamp``.
    """
    if given is None:
        return now_us, {"timestamp": seconds(now_us)}
    instead: str | float
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise RecordInvalid("timestamp", "Input should be a valid number or date")
    if isinstance(given, str):
        if len(given) > MAX_TEXT or not given.isprintable():
            raise RecordInvalid("timestamp", "Input should be a valid number or date")
        moment, instead = _of_text(given), iso(from_us(now_us))
    else:
        if not math.isfinite(given):
            raise RecordInvalid("timestamp", "Input should be a valid number or date")
        moment, instead = _of_number(given), seconds(now_us)
    if moment is not None and EARLIEST_US <= moment <= now_us + DAY_US:
        return moment, {"timestamp": given}
    return now_us, {"timestamp": instead, DEVICE_TIMESTAMP: given}


def _of_number(stamp: float) -> int | None:
    """Return µs of epoch seconds, milliseconds or microseconds."""
    size = abs(stamp)
    if not size < 1e17:
        return None
    return round(stamp * (1_000_000 if size < 1e11 else 1_000 if size < 1e14 else 1))


def _of_text(stamp: str) -> int | None:
    try:
        moment = datetime.fromisoformat(stamp)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def seconds(moment_us: int) -> float:
    """Return a time as these clients write it: seconds since 1970."""
    return moment_us / 1_000_000


def fresh_id(now_us: int) -> str:
    """Return an id of 24 hex digits nobody can guess, in the order of time."""
    return f"{now_us & (1 << 56) - 1:014x}{secrets.token_hex(5)}"


def repeatable_id(device_id: str, kind: Kind, key: str) -> str:
    """Return the id of what is sent under a key: the same whenever it is sent again."""
    return hashlib.sha256(f"{device_id}\n{kind.name}\n{key}".encode()).hexdigest()[:24]


def streamed_id(device_id: str, at_us: int) -> str:
    """Return the id of a frame of a stream: its time, and whose it is."""
    return f"{at_us & (1 << 56) - 1:014x}{hashlib.sha256(device_id.encode()).hexdigest()[:10]}"


def streamed_at_us(record_id: str) -> int:
    """Return the time a streamed frame of this id would have."""
    return int(record_id[:14], 16)
