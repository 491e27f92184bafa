"""Past participles: what has happened, as rooms tell each other over the bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

PresenceStatus = Literal["online", "offline", "never"]


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events, so a bus can be typed."""


class StoredFrame(NamedTuple):
    """The readings of one device at one time, as committed; ``at_us`` is device time in µs since 1970."""

    device_id: str
    at_us: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FramesStored(Event):
    """A batch was committed; ``commit_seq`` grows by one a batch, and gaps mean: read the store.

    ``frames`` may be made anew whenever it is gone through: do so once.
    """

    commit_seq: int
    received_us: int
    frames: Sequence[StoredFrame]


@dataclass(frozen=True, slots=True)
class DeviceChanged(Event):
    """A device was registered, updated or deleted."""

    device_id: str
    owner_id: str
    change: Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """A device came online or fell silent."""

    device_id: str
    status: PresenceStatus
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeviceEventRecorded(Event):
    """A row was added to ``device_events``; ``body`` is the device's own message, verbatim."""

    id: int
    device_id: str
    event_type: str
    at: datetime
    severity: str = "info"
    message: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TwinChanged(Event):
    """A part of a twin changed: ``changed`` holds keys with their new values, ``removed`` those that are gone."""

    device_id: str
    part: Literal["desired", "reported", "server"]
    changed: dict[str, Any]
    removed: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True)
class CredentialRevoked(Event):
    """A device's token stopped being valid: whoever holds a socket for it must close it."""

    device_id: str


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A person's session, or all of them (``session_id`` None), ended."""

    user_id: str
    session_id: str | None = None
