"""SQL of device events, device logs and the operational state a device tells; in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from mooring.devices.bounds import clipped, severity
from mooring.devices.model import EventRow, LogRow, NewEvent, NewLog
from mooring.devices.paging import checked_limit, pack, unpack
from mooring.devices.store import chunks
from mooring.devices.tables import device_events, device_logs, devices
from mooring.kernel.ids import digest_of

NEWEST_FIRST = "newest"
_BOOT_ID_CHARS = 128
_KNOWN_ONCE = ["device_id", "boot_id", "seq"]


async def names_and_statuses(
    connection: AsyncConnection, device_ids: Iterable[str]
) -> dict[str, tuple[str, str | None]]:
    """Return name and operational state of those of `device_ids` that exist, which stay until the unit ends."""
    found: dict[str, tuple[str, str | None]] = {}
    for part in chunks(dict.fromkeys(device_ids)):
        wanted = select(devices.c.id, devices.c.name, devices.c.device_status).where(devices.c.id.in_(part))
        # A shared lock on the key: a device deleted meanwhile would make the insert below fail as a whole.
        rows = await connection.execute(wanted.order_by(devices.c.id).with_for_update(read=True, key_share=True))
        found.update({row.id: (row.name, row.device_status) for row in rows})
    return found


async def add_events(
    connection: AsyncConnection, events: Iterable[NewEvent], known: Mapping[str, tuple[str, str | None]]
) -> list[EventRow]:
    """Add events of `known` devices and return the new rows, oldest first; what was recorded before is left alone."""
    values = [_event_values(event) for event in events if event.device_id in known]
    if not values:
        return []
    insert_into = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    adding = insert_into(device_events).on_conflict_do_nothing(index_elements=_KNOWN_ONCE)
    added = (await connection.execute(adding.returning(device_events), values)).all()
    return sorted((_event_of(row, known[row.device_id][0]) for row in added), key=lambda row: row.id)


def _event_values(event: NewEvent) -> dict[str, Any]:
    boot_id = event.boot_id if len(event.boot_id) <= _BOOT_ID_CHARS else digest_of(event.boot_id)
    return {
        "device_id": event.device_id,
        "event_type": clipped(event.event_type, 128),
        "severity": severity(event.severity),
        "message": clipped(event.message, 2000),
        "body": dict(event.body),
        "timestamp": event.at,
        "boot_id": boot_id,
        "seq": event.seq,
    }


def _event_of(row: Row[Any], name: str) -> EventRow:
    return EventRow(
        id=row.id,
        device_id=row.device_id,
        device_name=name,
        event_type=row.event_type,
        severity=row.severity,
        message=row.message,
        body=row.body or {},
        at=row.timestamp,
    )


async def add_logs(connection: AsyncConnection, logs: Iterable[NewLog], known: Container[str]) -> None:
    """Add lines to the logs of `known` devices."""
    values = [_log_values(log) for log in logs if log.device_id in known]
    if values:
        await connection.execute(insert(device_logs), values)


def _log_values(log: NewLog) -> dict[str, Any]:
    return {
        "device_id": log.device_id,
        "event_type": clipped(log.event_type, 128),
        "message": clipped(log.message, 2000),
        "severity": severity(log.severity),
        "timestamp": log.at,
    }


_SAVE_DEVICE_STATUS = update(devices).where(devices.c.id == bindparam("device")).values(device_status=bindparam("said"))


async def save_device_statuses(connection: AsyncConnection, statuses: Mapping[str, str]) -> None:
    """Write the operational state each device told about itself."""
    rows = [{"device": device_id, "said": status} for device_id, status in sorted(statuses.items())]
    if rows:
        await connection.execute(_SAVE_DEVICE_STATUS, rows)


async def events_page(
    connection: AsyncConnection, *, device_id: str | None, owner_id: str | None, limit: int, cursor: str | None
) -> tuple[list[EventRow], int, str | None]:
    """Return recorded events newest first, how many there are, and the next cursor; None leaves a filter out."""
    where = _visible(device_events.c.device_id, device_id, owner_id)
    joined = device_events.join(devices, devices.c.id == device_events.c.device_id)
    total = int(await connection.scalar(select(func.count()).select_from(joined).where(*where)) or 0)
    wanted = select(device_events, devices.c.name.label("device_name")).select_from(joined).where(*where)
    if cursor:
        wanted = wanted.where(device_events.c.id < unpack(cursor, NEWEST_FIRST, [int])[0])
    wanted = wanted.order_by(device_events.c.id.desc()).limit(checked_limit(limit) + 1)
    rows = (await connection.execute(wanted)).all()
    return [_event_of(row, row.device_name) for row in rows[:limit]], total, _following(rows, limit)


async def logs_page(
    connection: AsyncConnection, *, device_id: str, limit: int, cursor: str | None
) -> tuple[list[LogRow], int, str | None]:
    """Return a device's log newest first, how many lines there are, and the next cursor."""
    of_device = device_logs.c.device_id == device_id
    total = int(await connection.scalar(select(func.count()).select_from(device_logs).where(of_device)) or 0)
    wanted = select(device_logs).where(of_device)
    if cursor:
        wanted = wanted.where(device_logs.c.id < unpack(cursor, NEWEST_FIRST, [int])[0])
    rows = (await connection.execute(wanted.order_by(device_logs.c.id.desc()).limit(checked_limit(limit) + 1))).all()
    return [_log_of(row) for row in rows[:limit]], total, _following(rows, limit)


def _visible(column: ColumnElement[str], device_id: str | None, owner_id: str | None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if device_id is not None:
        where.append(column == device_id)
    if owner_id is not None:
        where.append(devices.c.user_id == owner_id)
    return where


def _following(rows: Sequence[Row[Any]], limit: int) -> str | None:
    return pack(NEWEST_FIRST, [rows[limit - 1].id]) if len(rows) > limit else None


def _log_of(row: Row[Any]) -> LogRow:
    return LogRow(
        id=row.id,
        device_id=row.device_id,
        event_type=row.event_type,
        message=row.message,
        severity=row.severity,
        at=row.timestamp,
    )
