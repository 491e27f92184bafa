"""The twin as values, and how a change is laid over it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from mooring.devices.bounds import document
from mooring.devices.errors import FieldInvalid

Part = Literal["desired", "reported", "server"]
MAX_KEYS: Final = 1_000
MAX_KEY_CHARS: Final = 255
MAX_PART_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True)
class Twin:
    """A device's twin; ``version`` grows by one with every change and is 0 before the first."""

    device_id: str
    desired: dict[str, Any] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """New values for keys of one part of one device's twin; None removes a key."""

    device_id: str
    part: Part
    patch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change came to: the twin after it, and which keys are different now."""

    twin: Twin
    changed: dict[str, Any]
    removed: tuple[str, ...]


def checked(change: Change) -> Change:
    """Return a change whose keys and values may be stored; raises FieldInvalid."""
    patch = document(change.patch, change.part, longest=MAX_PART_BYTES)
    for key in patch:
        if not 0 < len(key) <= MAX_KEY_CHARS:
            raise FieldInvalid(f"a key of the twin has 1 to {MAX_KEY_CHARS} characters: {key[:40]!r}")
    return replace(change, patch=patch)


def applied(twin: Twin, change: Change, now: datetime) -> Applied:
    """Lay a checked change over `twin`; raises FieldInvalid if the part would grow too large."""
    before: dict[str, Any] = getattr(twin, change.part)
    changed = {
        key: value
        for key, value in change.patch.items()
        if value is not None and (key not in before or not _same(before[key], value))
    }
    removed = tuple(key for key, value in change.patch.items() if value is None and key in before)
    if not changed and not removed:
        return Applied(twin, {}, ())
    after = {key: value for key, value in {**before, **changed}.items() if key not in removed}
    if len(after) > MAX_KEYS:
        raise FieldInvalid(f"{change.part} has more than {MAX_KEYS} keys")
    document(after, change.part, longest=MAX_PART_BYTES)
    parts = {name: getattr(twin, name) for name in ("desired", "reported", "server")}
    fresh = Twin(twin.device_id, **{**parts, change.part: after}, version=twin.version + 1, updated_at=now)
    return Applied(fresh, changed, removed)


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1, and 1 is not 1.0."""
    return type(one) is type(other) and one == other
