"""Devices, credentials, events and logs as values, and the one decision who may do what with a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from mooring.access.model import may as has_permission
from mooring.kernel.actor import Actor
from mooring.kernel.clock import iso
from mooring.kernel.events import PresenceStatus

Action = Literal["read", "report", "command", "manage"]
Lifecycle = Literal["registered", "active", "maintenance", "decommissioned"]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Device:
    """One registered device; ``status`` and ``last_seen`` are presence, ``device_status`` its own word."""

    id: str
    owner_id: str
    name: str
    device_type: str
    description: str
    ip_address: str | None
    mac_address: str | None
    status: PresenceStatus
    device_status: str | None
    lifecycle: Lifecycle
    last_seen: datetime | None
    firmware_version: str | None
    group_id: str | None
    configuration: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What a person tells about a device to register it; ``auth_token`` only if the device brings its own."""

    name: str
    device_type: str = "generic"
    description: str = ""
    ip_address: str | None = None
    mac_address: str | None = None
    firmware_version: str | None = None
    group_id: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    auth_token: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A fresh device and its token, which is told here and never again."""

    device: Device
    auth_token: str


class AdmittedDevice(NamedTuple):
    """Who a device token stands for: all that a door and the frame's way need to know."""

    id: str
    owner_id: str
    name: str


class Owned(Protocol):
    """Anything that is a device as far as rights go."""

    @property
    def id(self) -> str:
        """The device's id."""

    @property
    def owner_id(self) -> str:
        """The id of the person it belongs to."""


_NEEDED: Mapping[Action, tuple[str, ...]] = {
    "read": ("devices:read", "data:read"),
    "report": ("data:write",),
    "command": ("devices:write",),
    "manage": ("devices:write",),
}


def may(actor: Actor, action: Action, device: Owned) -> bool:
    """Decide whether `actor` may do `action` with `device`; every door and list asks here and nowhere else."""
    if actor.kind == "device":
        return actor.id == device.id and action in ("read", "report")
    if not any(has_permission(actor, permission) for permission in _NEEDED[action]):
        return False
    return actor.is_admin or actor.id == device.owner_id


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list: ``total`` counts all of it, ``next`` is the cursor of the following part."""

    items: list[Item]
    total: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """Which devices are wanted, in which order, how many at a time."""

    status: PresenceStatus | None = None
    device_type: str | None = None
    group_id: str | None = None
    q: str | None = None
    sort: str = "name"
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many devices there are, by presence."""

    total: int = 0
    online: int = 0
    offline: int = 0
    never: int = 0


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something a device said or that happened to it; with a ``seq`` it is recorded once however often it comes."""

    device_id: str
    event_type: str
    at: datetime
    severity: str = "info"
    message: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    boot_id: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """A recorded device event."""

    id: int
    device_id: str
    device_name: str
    event_type: str
    severity: str
    message: str
    body: dict[str, Any]
    at: datetime

    def shown(self) -> dict[str, Any]:
        """Return the event as lists and the live feed give it out."""
        return {
            "id": self.id,
            "device_id": self.device_id,
            "device_name": self.device_name,
            "event_type": self.event_type,
            "severity": self.severity,
            "message": self.message,
            "timestamp": iso(self.at),
        }


@dataclass(frozen=True, slots=True)
class NewLog:
    """A line for a device's log."""

    device_id: str
    event_type: str
    message: str
    at: datetime
    severity: str = "info"


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of a device's log, as kept."""

    id: int
    device_id: str
    event_type: str
    message: str
    severity: str
    at: datetime


class StatusSaid(NamedTuple):
    """The operational state a device told about itself at a time."""

    device_id: str
    status: str
    at: datetime
