"""JSON in and out of the device routes; both names of a field (CONTRACTS E) are taken and given."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mooring.devices.model import Device, EventRow, LogRow, NewDevice, Page
from mooring.kernel.clock import iso

_TWINS = {"type": "device_type", "settings": "configuration", "group": "group_id"}


class DeviceChange(BaseModel):
    """What may be changed about a device; fields left out stay as they are, unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore")

    name: str | None = Field(None, max_length=400)
    device_type: str | None = Field(None, max_length=400)
    type: str | None = Field(None, max_length=400, description="another name of device_type")
    description: str | None = Field(None, max_length=4000)
    ip_address: str | None = Field(None, max_length=400)
    mac_address: str | None = Field(None, max_length=400)
    firmware_version: str | None = Field(None, max_length=400)
    group_id: str | None = Field(None, max_length=400)
    configuration: dict[str, Any] | None = None
    settings: dict[str, Any] | None = Field(None, description="another name of configuration")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        given = self.model_dump(exclude_unset=True)
        for other, name in _TWINS.items():
            if other in given and name in given and given[other] != given[name]:
                raise ValueError(f"{other} and {name} are the same field and contradict each other")
        return self

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent, under their one name."""
        sent = self.model_dump(exclude_unset=True)
        return {_TWINS.get(name, name): value for name, value in sent.items()}


class DeviceNew(DeviceChange):
    """A device to be registered."""

    name: str = Field(max_length=400)
    auth_token: str | None = Field(None, max_length=400, description="the device's own token, at least 16 characters")

    def device(self) -> NewDevice:
        """Return it as the registry takes it; null means left out."""
        return NewDevice(**{name: value for name, value in self.given().items() if value is not None})


class TokenRequest(BaseModel):
    """A token the device brings; without one a fresh one is made."""

    auth_token: str | None = Field(None, max_length=400)


class TokenOut(BaseModel):
    """A device's token, shown once."""

    auth_token: str


class DeviceOut(BaseModel):
    """A device as lists show it."""

    id: str
    user_id: str
    name: str
    device_type: str
    type: str
    description: str
    ip_address: str | None
    mac_address: str | None
    status: str
    device_status: str | None
    lifecycle: str
    last_seen: str | None
    firmware_version: str | None
    group_id: str | None
    configuration: dict[str, Any]
    settings: dict[str, Any]
    created_at: str


class DeviceRegistered(DeviceOut):
    """A fresh device with its token, shown once."""

    auth_token: str


class DeviceDetail(DeviceOut):
    """A device with what the other rooms know about it."""

    model_config = ConfigDict(extra="allow")

    recent_data: list[dict[str, Any]] = Field(default_factory=list)
    command_history: list[dict[str, Any]] = Field(default_factory=list)
    metrics: dict[str, Any] = Field(default_factory=dict)


class EventOut(BaseModel):
    """A device event."""

    id: int
    device_id: str
    device_name: str
    event_type: str
    severity: str
    message: str
    timestamp: str


class LogOut(BaseModel):
    """A line of a device's log."""

    id: int
    device_id: str
    event_type: str
    message: str
    severity: str
    timestamp: str


class DevicePage(BaseModel):
    """A page of devices."""

    items: list[DeviceOut]
    total: int
    next: str | None


class EventPage(BaseModel):
    """A page of events."""

    items: list[EventOut]
    total: int
    next: str | None


class LogPage(BaseModel):
    """A page of a log."""

    items: list[LogOut]
    total: int
    next: str | None


def shown(device: Device) -> dict[str, Any]:
    """Return a device as every list and the live feed give it out."""
    return {
        "id": device.id,
        "user_id": device.owner_id,
        "name": device.name,
        "device_type": device.device_type,
        "type": device.device_type,
        "description": device.description,
        "ip_address": device.ip_address,
        "mac_address": device.mac_address,
        "status": device.status,
        "device_status": device.device_status,
        "lifecycle": device.lifecycle,
        "last_seen": None if device.last_seen is None else iso(device.last_seen),
        "firmware_version": device.firmware_version,
        "group_id": device.group_id,
        "configuration": device.configuration,
        "settings": device.configuration,
        "created_at": iso(device.created_at),
    }


def devices_shown(page: Page[Device]) -> dict[str, Any]:
    """Return a page of devices."""
    return {"items": [shown(device) for device in page.items], "total": page.total, "next": page.next}


def events_shown(page: Page[EventRow]) -> dict[str, Any]:
    """Return a page of events."""
    return {"items": [event.shown() for event in page.items], "total": page.total, "next": page.next}


def logs_shown(page: Page[LogRow]) -> dict[str, Any]:
    """Return a page of a log."""
    return {"items": [_log_shown(line) for line in page.items], "total": page.total, "next": page.next}


def _log_shown(line: LogRow) -> dict[str, Any]:
    return {
        "id": line.id,
        "device_id": line.device_id,
        "event_type": line.event_type,
        "message": line.message,
        "severity": line.severity,
        "timestamp": iso(line.at),
    }
