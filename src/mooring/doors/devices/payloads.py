"""What bytes of a device mean: by their content type, else as its configuration declares, else JSON.

A device's configuration says ``{"payload": "cbor"}``, or ``{"payload": {"codec": "packed", "format": "<ff", "fields":
["a", "b"], "units": {"a": "V"}}}``. Whatever the codec, frames come out of it as dicts of the native form.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mooring.devices.service import Registry
from mooring.kernel.actor import SYSTEM
from mooring.kernel.bus import Bus
from mooring.kernel.errors import Invalid
from mooring.kernel.events import DeviceChanged
from mooring.wire import cbor, influx, msgpack, sparkplug
from mooring.wire.json import MAX_FRAMES
from mooring.wire.packed import Layout

REMEMBERED = 20_000
MAX_READINGS = 1_000
# Seconds since 1970 before the year 2000: the sender's own clock, not the time of day.
_EARLIEST_S = 946_684_800
ANY_BYTES = "bytes"
_BY_TYPE = {
    "application/cbor": "cbor",
    "application/msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
    "application/vnd.msgpack": "msgpack",
    "application/vnd.sparkplug-b": "sparkplug-b",
    "application/vnd.influx.line-protocol": "influx",
    "application/octet-stream": ANY_BYTES,
}
CODECS = ("json", "cbor", "msgpack", "packed", "sparkplug-b", "influx")
_HINT = 'set its configuration, for example {"payload": {"codec": "packed", "format": "<ff", "fields": ["a", "b"]}}'


@dataclass(frozen=True, slots=True)
class Declared:
    """How a device says it speaks."""

    codec: str = "json"
    layout: Layout | None = None
    units: Mapping[str, str] = field(default_factory=dict)


def type_named(content_type: bytes) -> str | None:
    """Return the codec a content type names; None for JSON and for whatever is no codec of ours."""
    return _BY_TYPE.get(content_type.partition(b";")[0].strip().lower().decode("latin-1"))


class Payloads:
    """Remembers how devices speak; forgets a device when it is changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: OrderedDict[str, Declared] = OrderedDict()
        self._changes = 0

    async def run(self, bus: Bus) -> None:
        """Forget what has changed, until cancelled."""
        async for event in bus.subscribe(DeviceChanged, capacity=10_000):
            if isinstance(event, DeviceChanged) and event.change != "created":
                self._changes += 1
                self._known.pop(event.device_id, None)

    async def declared(self, device_id: str) -> Declared:
        """Return how a device says it speaks; raises ``Invalid`` if it says so wrongly."""
        known = self._known.get(device_id)
        if known is None:
            before = self._changes
            found = await self._registry.get_many(SYSTEM, [device_id])
            known = declared_in(found[0].configuration) if found else Declared()
            if before == self._changes:
                self._known[device_id] = known
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return known

    async def frames(self, device_id: str | None, codec: str, data: bytes) -> list[dict[str, Any]]:
        """Return the frames in `data`; ``bytes`` means: as the device declared. Raises ``Invalid``."""
        declared = Declared(codec)
        if codec == ANY_BYTES:
            if device_id is None:
                raise Invalid("bytes of many devices need a content type that says what they are")
            declared = await self.declared(device_id)
        return frames_in(declared, data)

    async def spoken(self, device_id: str, data: bytes) -> list[dict[str, Any]] | None:
        """Return the frames in bytes that came without a type; None if the device speaks JSON. Raises ``Invalid``."""
        declared = await self.declared(device_id)
        return None if declared.codec == "json" else frames_in(declared, data)


def declared_in(configuration: Mapping[str, Any]) -> Declared:
    """Return what a device's configuration declares; raises ``Invalid``."""
    said = configuration.get("payload")
    if said is None:
        return Declared()
    told: Mapping[str, Any] = {"codec": said} if isinstance(said, str) else said if isinstance(said, Mapping) else {}
    codec, names, units = told.get("codec"), told.get("fields", []), told.get("units", {})
    if codec not in CODECS:
        raise Invalid(f"the device's payload codec is not known: {str(codec)[:40]}", hint=f"one of {', '.join(CODECS)}")
    if codec != "packed":
        return Declared(codec)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid("the device's payload names no fields", hint=_HINT)
    texts = {name: unit for name, unit in units.items() if isinstance(unit, str)} if isinstance(units, Mapping) else {}
    return Declared(codec, Layout(str(told.get("format", "")), names), texts)


def frames_in(declared: Declared, data: bytes) -> list[dict[str, Any]]:
    """Return the frames in `data`; raises ``Invalid``."""
    read = _READERS.get(declared.codec)
    if read is None:
        raise Invalid("the device declares no codec for bytes", hint=_HINT)
    frames = read(declared, data)
    if len(frames) > MAX_FRAMES:
        raise Invalid(f"too many frames in one message: {len(frames)}", hint=f"send at most {MAX_FRAMES}")
    return frames


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the frames of one frame, of ``{"frames": […]}``, or of an array of frames."""
    found = value.get("frames", [value]) if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(frame, dict) for frame in found):
        raise Invalid("not a frame: expected a map, or an array of maps")
    return found


def _packed(declared: Declared, data: bytes) -> list[dict[str, Any]]:
    assert declared.layout is not None  # noqa: S101 (declared_in makes none without)
    layout = declared.layout
    return [_packed_frame(layout, row, declared.units) for row in layout.rows(data)]


def _packed_frame(layout: Layout, row: dict[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    """Return a struct as a frame: ``seq`` numbers it, ``timestamp`` is its time if that can be believed."""
    frame: dict[str, Any] = {}
    stamp = row.pop("timestamp", None)
    if stamp is not None and not layout.coarse("timestamp") and stamp >= _EARLIEST_S:
        frame["timestamp"] = stamp
    elif stamp is not None:
        row["device_timestamp"] = stamp
    if isinstance(row.get("seq"), int):
        frame["seq"] = row.pop("seq")
    frame["sensor_readings"] = {
        name: {"value": value, "unit": units[name]} if name in units else value for name, value in row.items()
    }
    return frame


def _influx(_: Declared, data: bytes) -> list[dict[str, Any]]:
    points, faults = influx.decode(data)
    if faults:
        raise Invalid(f"line {faults[0].line}: {faults[0].reason}")
    readings = [reading for point in points for reading in influx.readings_of(point, influx.series_of)]
    return [
        {"sensor_readings": readings[start : start + MAX_READINGS]} for start in range(0, len(readings), MAX_READINGS)
    ]


_READERS: Mapping[str, Callable[[Declared, bytes], list[dict[str, Any]]]] = {
    "cbor": lambda _, data: _objects(cbor.decode(data)),
    "msgpack": lambda _, data: _objects(msgpack.decode(data)),
    "packed": _packed,
    "sparkplug-b": lambda _, data: [sparkplug.frame_of(sparkplug.decode(data))],
    "influx": _influx,
}
