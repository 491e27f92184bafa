"""Sparkplug B payloads: the protobuf of the specification's appendix, read field by field, without its runtime.

Metrics become readings. What is no number, truth or text — data sets, templates, bytes — is passed over. A metric known
by its alias only is named by whoever remembers the birth that told it, else ``alias_<number>``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mooring.kernel.errors import Invalid

MAX_METRICS = 10_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Datatypes whose unsigned field holds two's complement: Int8, Int16, Int32, Int64.
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_NAME, _ALIAS, _TIMESTAMP, _DATATYPE, _IS_NULL = 1, 2, 3, 4, 7
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _STRING = range(10, 16)
_WIRE = {
    _NAME: _BYTES,
    _ALIAS: _VARINT,
    _TIMESTAMP: _VARINT,
    _DATATYPE: _VARINT,
    _IS_NULL: _VARINT,
    _INT: _VARINT,
    _LONG: _VARINT,
    _FLOAT: _FIXED32,
    _DOUBLE: _FIXED64,
    _BOOLEAN: _VARINT,
    _STRING: _BYTES,
}


class Metric(NamedTuple):
    """One metric; ``value`` is None if it is null or of a kind that is no reading."""

    name: str | None
    alias: int | None
    timestamp_ms: int | None
    value: float | int | bool | str | None


class Payload(NamedTuple):
    """One message: its time, its number from 0 to 255, and its metrics."""

    timestamp_ms: int | None
    seq: int | None
    metrics: list[Metric]


def decode(data: bytes) -> Payload:
    """Return a payload; raises ``Invalid``."""
    timestamp = seq = None
    metrics: list[Metric] = []
    for number, wire, value in _fields(data):
        if number == 1 and wire == _VARINT:
            timestamp = value
        elif number == 3 and wire == _VARINT:
            seq = value
        elif number == 2 and wire == _BYTES:
            if len(metrics) >= MAX_METRICS:
                raise Invalid(f"more than {MAX_METRICS} metrics")
            metrics.append(_metric(value))
    return Payload(timestamp, seq, metrics)


def frame_of(payload: Payload, aliases: Mapping[int, str] | None = None) -> dict[str, Any]:
    """Return a payload as a native frame."""
    readings = []
    for metric in payload.metrics:
        name = metric.name or (aliases or {}).get(metric.alias or -1) or f"alias_{metric.alias}"
        value = _storable(metric.value)
        if value is None or (not metric.name and metric.alias is None):
            continue
        reading: dict[str, Any] = {"sensor_type": name, "value": value}
        if metric.timestamp_ms is not None:
            reading["timestamp"] = metric.timestamp_ms
        readings.append(reading)
    frame: dict[str, Any] = {"sensor_readings": readings}
    if payload.timestamp_ms is not None:
        frame["timestamp"] = payload.timestamp_ms
    return frame


def _storable(value: float | int | bool | str | None) -> float | int | bool | str | None:
    """Return a value as a reading holds it: the largest of UInt64 as a float, what is no number not at all."""
    if isinstance(value, float) and value - value != 0:
        return None
    return float(value) if isinstance(value, int) and value >= 1 << 63 else value


def _metric(data: bytes) -> Metric:
    found: dict[int, Any] = {number: value for number, wire, value in _fields(data) if _WIRE.get(number, -1) == wire}
    value = None if found.get(_IS_NULL) else _value(found)
    name = found.get(_NAME)
    return Metric(None if name is None else _text(name), found.get(_ALIAS), found.get(_TIMESTAMP), value)


def _value(found: Mapping[int, Any]) -> float | int | bool | str | None:
    if _FLOAT in found:
        return float(struct.unpack("<f", found[_FLOAT])[0])
    if _DOUBLE in found:
        return float(struct.unpack("<d", found[_DOUBLE])[0])
    if _BOOLEAN in found:
        return bool(found[_BOOLEAN])
    if _STRING in found:
        return _text(found[_STRING])
    for field in (_INT, _LONG):
        if field in found:
            return _integer(int(found[field]), int(found.get(_DATATYPE, 0)))
    return None


def _integer(value: int, datatype: int) -> int:
    bits = _SIGNED.get(datatype)
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid("not a Sparkplug payload: text is not UTF-8") from None


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield number, wire type and value of each field: an integer, or the bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not number:
            raise Invalid("not a Sparkplug payload: a field without a number")
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise Invalid(f"not a Sparkplug payload: wire type {wire}")
        if size > len(data) - at:
            raise Invalid("not a Sparkplug payload: ends in the middle of a field")
        yield number, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if not byte & 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
    raise Invalid("not a Sparkplug payload: a number that does not end")
