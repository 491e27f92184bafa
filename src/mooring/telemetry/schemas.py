"""JSON out of the telemetry routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class DataPage(BaseModel):
    """Rows of a device: raw readings, or one object per bucket with a field per aggregate."""

    items: list[dict[str, Any]]
    total: int
    next: str | None = None


class LatestReading(BaseModel):
    """The newest value of a key."""

    value: Any
    unit: str | None
    timestamp: str
    quality_score: float


class SeriesOut(BaseModel):
    """One series of a device and its newest value."""

    sensor_type: str
    unit: str | None
    kind: str | None
    value: Any
    last_at: str | None
    quality_score: float | None


class SeriesPage(BaseModel):
    """All series of a device."""

    items: list[SeriesOut]
    total: int
    next: None = None


class DeviceLatest(BaseModel):
    """The newest values of one device."""

    device_id: str
    values: dict[str, LatestReading]


class LatestPage(BaseModel):
    """The newest values of many devices."""

    items: list[DeviceLatest]
    total: int
    next: None = None


class Sparkline(BaseModel):
    """A short line; a point is null where nothing came."""

    device_id: str
    key: str
    points: list[float | None]


class SparklinePage(BaseModel):
    """Sparklines of the devices asked for that have the key."""

    items: list[Sparkline]
    total: int
    next: None = None


class Connectivity(BaseModel):
    """What is known of a device's line."""

    online: bool
    connections: int
    heartbeat_s: float
    silent_s: float | None


class Health(BaseModel):
    """A first judgement and the facts behind it."""

    state: str = Field(description="good, silent or unknown")
    rejected_frames: int


class StatusOut(BaseModel):
    """Whether a device is there, how it is, and its newest values."""

    model_config = ConfigDict(from_attributes=True)

    device_id: str
    status: str
    connected: bool
    last_seen: str | None
    device_status: str | None
    operational_state: str | None
    connectivity: Connectivity
    health: Health
    latest: dict[str, LatestReading]
