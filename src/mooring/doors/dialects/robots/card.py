"""A device as contract A shows a robot: seven keys, whole numbers, and a pair of coordinates in any case. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from mooring.devices.model import Device
from mooring.kernel.clock import iso

BATTERY = ("battery", "battery_percentage", "battery_level", "battery_percent", "soc")
CPU = ("cpu", "cpu_usage", "cpu_percent")
RAM = ("ram", "ram_mb", "ram_usage", "ram_consumption", "memory_mb", "memory")
LATITUDE = ("latitude", "lat")
LONGITUDE = ("longitude", "lon", "lng")
NOWHERE = (0.0, 0.0)
"""Where a robot stands that has told no place, in readings or in its configuration."""


def card(device: Device, latest: Mapping[str, Mapping[str, Any]], *, robot_id: str, online: bool) -> dict[str, Any]:
    """Return the robot; `latest` are its newest readings, each ``{value, timestamp}``."""
    return {
        "Robot ID": robot_id,
        "Online/Offline": online,
        "Battery Percentage": min(100, max(0, _whole(latest, BATTERY))),
        "CPU Usage": _whole(latest, CPU),
        "RAM Consumption": _whole(latest, RAM),
        "Last Updated": _last(device, latest),
        "Location Coordinates": list(_place(device, latest)),
    }


def _number(latest: Mapping[str, Mapping[str, Any]], keys: Iterable[str]) -> float | None:
    for key in keys:
        value = latest[key]["value"] if key in latest else None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
    return None


def _whole(latest: Mapping[str, Mapping[str, Any]], keys: Iterable[str]) -> int:
    return round(_number(latest, keys) or 0)


def _place(device: Device, latest: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    latitude, longitude = _number(latest, LATITUDE), _number(latest, LONGITUDE)
    if latitude is None or longitude is None:
        told = {key: {"value": value} for key, value in device.configuration.items()}
        latitude, longitude = _number(told, LATITUDE), _number(told, LONGITUDE)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return NOWHERE
    return (float(latitude), float(longitude))


def _last(device: Device, latest: Mapping[str, Mapping[str, Any]]) -> str:
    """Return ``YYYY-MM-DD HH:MM:SS`` in UTC of the newest reading, else of the last sign of life, else of birth."""
    newest = max((reading["timestamp"] for reading in latest.values()), default="")
    stamp = newest or iso(device.last_seen or device.created_at)
    return f"{stamp[:10]} {stamp[11:19]}"
