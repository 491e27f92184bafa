"""JSON in and out of the twin's routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mooring.devices.twin.model import Twin
from mooring.kernel.clock import iso


class TwinChange(BaseModel):
    """New values for keys; null removes a key. What a device reports only the device may change."""

    model_config = ConfigDict(extra="forbid")

    desired: dict[str, Any] = Field(default_factory=dict, description="what the device shall be; it is told")
    server: dict[str, Any] = Field(default_factory=dict, description="what is kept here and never told to the device")


class TwinOut(BaseModel):
    """A device's twin."""

    device_id: str
    desired: dict[str, Any]
    reported: dict[str, Any]
    server: dict[str, Any]
    version: int
    updated_at: str | None


def shown(twin: Twin) -> dict[str, Any]:
    """Return a twin as it is given out."""
    return {
        "device_id": twin.device_id,
        "desired": twin.desired,
        "reported": twin.reported,
        "server": twin.server,
        "version": twin.version,
        "updated_at": None if twin.updated_at is None else iso(twin.updated_at),
    }
