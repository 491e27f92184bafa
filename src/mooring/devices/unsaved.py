"""What presence has in memory and not yet in the store, and how it is written: in parts, each one unit of work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

from mooring.devices import store
from mooring.devices.journal.service import Journal
from mooring.devices.model import NewEvent, NewLog
from mooring.kernel.events import PresenceStatus
from mooring.storage.database import Database

# Comings and goings waiting for the store; when there are more, the oldest lose their event, not their status.
MAX_CHANGES = 100_000
# Few enough that a thousand devices reconnecting at once do not hold up the frames of the others.
CHANGES_AT_ONCE = 250
_V = TypeVar("_V")


class Change(NamedTuple):
    """A device came or went; ``told`` if it says so itself, so that no event is written for it."""

    device_id: str
    status: PresenceStatus
    at: datetime
    reason: str
    told: bool = False


@dataclass(slots=True)
class Unsaved:
    """The newest status and time heard of each device, and the story in between."""

    statuses: dict[str, PresenceStatus] = field(default_factory=dict)
    seen_us: dict[str, int] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=MAX_CHANGES))

    def note(self, change: Change) -> None:
        """Add a change."""
        self.statuses[change.device_id] = change.status
        self.changes.append(change)

    def taken(self, *, seen: bool) -> Unsaved:
        """Return what is held and hold it no longer; without `seen` the times heard stay."""
        taken = Unsaved(self.statuses, self.seen_us if seen else {}, self.changes)
        fresh = Unsaved()
        self.statuses, self.changes = fresh.statuses, fresh.changes
        if seen:
            self.seen_us = fresh.seen_us
        return taken

    def take_back(self, older: Unsaved) -> None:
        """Hold again what could not be written; what came since is newer."""
        self.statuses = {**older.statuses, **self.statuses}
        if older.seen_us:
            self.seen_us = {**older.seen_us, **self.seen_us}
        self.changes = deque(chain(older.changes, self.changes), maxlen=MAX_CHANGES)

    def forget(self, device_id: str) -> None:
        """Drop a deleted device; its story is left out when it is written."""
        self.statuses.pop(device_id, None)
        self.seen_us.pop(device_id, None)

    async def write(self, database: Database, journal: Journal) -> None:
        """Write everything and strike out each part as it is committed; on failure the rest is still held."""
        while part := list(islice(self.changes, CHANGES_AT_ONCE)):
            await self._write_changes(part, database, journal)
        await _write_columns(self.statuses, store.save_statuses, database)
        await _write_columns(self.seen_us, store.save_seen, database)

    async def _write_changes(self, part: list[Change], database: Database, journal: Journal) -> None:
        statuses = {change.device_id: self.statuses.get(change.device_id, change.status) for change in part}
        async with database.writing() as connection:
            events = [_event_of(change) for change in part if not change.told]
            rows = await journal.keep(connection, events, [_log_of(change) for change in part])
            await store.save_statuses(connection, statuses)
        for change in part:
            self.changes.popleft()
            self.statuses.pop(change.device_id, None)
        journal.announce(rows)


async def _write_columns(
    held: dict[str, _V], save: Callable[[Any, Mapping[str, _V]], Coroutine[Any, Any, None]], database: Database
) -> None:
    while part := dict(islice(held.items(), store.CHUNK)):
        async with database.writing() as connection:
            await save(connection, part)
        for device_id in part:
            del held[device_id]


def _event_of(change: Change) -> NewEvent:
    went = change.status == "offline"
    event_type = "disconnected" if went else "connected"
    return NewEvent(
        device_id=change.device_id,
        event_type=event_type,
        at=change.at,
        severity="warning" if went and change.reason.startswith("no heartbeat") else "info",
        message=change.reason,
        body={"device_id": change.device_id, "event_type": event_type, "reason": change.reason},
    )


def _log_of(change: Change) -> NewLog:
    event = _event_of(change)
    return NewLog(change.device_id, event.event_type, change.reason, change.at, event.severity)
