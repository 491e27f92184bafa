"""Record and read what happened to devices: events once per (device, boot_id, seq), states once per change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from mooring.devices.bounds import clipped
from mooring.devices.journal import store
from mooring.devices.model import EventRow, LogRow, NewEvent, NewLog, Page, StatusSaid
from mooring.devices.store import Connection, device_for
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.events import DeviceEventRecorded
from mooring.storage.database import Database

STATUS_EVENT = "status_changed"
_STATUS_CHARS = 200
_REMEMBERED_STATES = 200_000


class Journal:
    """The events and logs of all devices."""

    def __init__(self, database: Database, bus: Bus) -> None:
        """Keep events and logs in `database` and announce new events on `bus`."""
        self._database = database
        self._bus = bus
        # The last state each device told, so that a state repeated in every frame costs one look-up.
        self._states: dict[str, str] = {}

    async def record_events(self, events: Sequence[NewEvent]) -> list[EventRow]:
        """Store `events` in one unit of work and return those that are new; unknown devices' are left out."""
        if not events:
            return []
        async with self._database.writing() as connection:
            rows = await self.keep(connection, events, [])
        self.announce(rows)
        return rows

    async def keep(self, connection: Connection, events: Sequence[NewEvent], logs: Sequence[NewLog]) -> list[EventRow]:
        """Add events and log lines in the caller's unit of work, who announces the rows once it is committed."""
        touched = chain((event.device_id for event in events), (log.device_id for log in logs))
        known = await store.names_and_statuses(connection, touched)
        rows = await store.add_events(connection, events, known)
        await store.add_logs(connection, logs, known)
        return rows

    async def note_statuses(self, said: Sequence[StatusSaid]) -> list[EventRow]:
        """Store operational states that differ from the last one told, each change as an event and a log line."""
        news = list(self._not_repeated(said))
        if not news:
            return []
        async with self._database.writing() as connection:
            known = await store.names_and_statuses(connection, (item.device_id for item in news))
            changes = _changes(news, {device_id: status for device_id, (_, status) in known.items()})
            events = [_status_event(*change) for change in changes]
            rows = await self.keep(connection, events, [_status_log(item) for item, _ in changes])
            await store.save_device_statuses(connection, {item.device_id: item.status for item, _ in changes})
        self._remember({item.device_id: item.status for item in news if item.device_id in known})
        self.announce(rows)
        return rows

    async def write_logs(self, logs: Sequence[NewLog]) -> None:
        """Add lines to devices' logs."""
        if logs:
            async with self._database.writing() as connection:
                await self.keep(connection, [], logs)

    async def events(
        self, actor: Actor, *, device_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[EventRow]:
        """Return events newest first, of one device or of all that `actor` may read; raises DeviceUnknown."""
        if actor.kind == "device":
            device_id = device_id or actor.id
        async with self._database.reading() as connection:
            if device_id is not None:
                await device_for(connection, actor, device_id)
            owner_id = None if device_id is not None or actor.is_admin else actor.id
            found = await store.events_page(
                connection, device_id=device_id, owner_id=owner_id, limit=limit, cursor=cursor
            )
        return Page(*found)

    async def logs(self, actor: Actor, device_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[LogRow]:
        """Return a device's log newest first; raises DeviceUnknown."""
        async with self._database.reading() as connection:
            await device_for(connection, actor, device_id)
            return Page(*await store.logs_page(connection, device_id=device_id, limit=limit, cursor=cursor))

    def announce(self, rows: Iterable[EventRow]) -> None:
        """Tell the bus of recorded events; call it only once they are committed."""
        for row in rows:
            self._bus.publish(
                DeviceEventRecorded(
                    id=row.id,
                    device_id=row.device_id,
                    event_type=row.event_type,
                    at=row.at,
                    severity=row.severity,
                    message=row.message,
                    body=row.body,
                )
            )

    def forget(self, device_id: str) -> None:
        """Drop what is remembered of a deleted device."""
        self._states.pop(device_id, None)

    def _not_repeated(self, said: Iterable[StatusSaid]) -> Iterator[StatusSaid]:
        """Yield, with storable text, what differs from what the device told just before."""
        before: dict[str, str] = {}
        for item in said:
            status = clipped(item.status, _STATUS_CHARS)
            if before.get(item.device_id, self._states.get(item.device_id)) != status:
                before[item.device_id] = status
                yield item._replace(status=status)

    def _remember(self, states: Mapping[str, str]) -> None:
        self._states.update(states)
        while len(self._states) > _REMEMBERED_STATES:
            del self._states[next(iter(self._states))]


def _changes(news: Iterable[StatusSaid], stored: Mapping[str, str | None]) -> list[tuple[StatusSaid, str | None]]:
    """Return the states that differ from the stored one, in order, each with the state before it."""
    before = dict(stored)
    changes: list[tuple[StatusSaid, str | None]] = []
    for item in news:
        if item.device_id in before and before[item.device_id] != item.status:
            changes.append((item, before[item.device_id]))
            before[item.device_id] = item.status
    return changes


def _status_event(said: StatusSaid, before: str | None) -> NewEvent:
    return NewEvent(
        device_id=said.device_id,
        event_type=STATUS_EVENT,
        at=said.at,
        message=f"device status: {said.status}",
        body={"device_id": said.device_id, "device_status": said.status, "before": before},
    )


def _status_log(said: StatusSaid) -> NewLog:
    return NewLog(said.device_id, STATUS_EVENT, f"device status: {said.status}", said.at)
