"""SQL of the records, in the caller's unit of work. A scope says whose: None for everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.ext.asyncio import AsyncConnection

from mooring.devices.tables import devices
from mooring.doors.dialects.battery.model import Record
from mooring.doors.dialects.battery.tables import battery_records
from mooring.kernel.actor import Actor

_t = battery_records.c


async def by_ids(connection: AsyncConnection, record_ids: Sequence[str]) -> dict[str, Record]:
    """Return those records that are there, by id."""
    rows = await connection.execute(select(battery_records).where(_t.id.in_(record_ids)))
    return {row.id: _record(row) for row in rows}


async def add(connection: AsyncConnection, records: Sequence[Record]) -> None:
    """Keep records; those whose id is known already are the same and stay as they are."""
    taken = await by_ids(connection, [record.id for record in records])
    fresh = {record.id: record for record in records if record.id not in taken}
    if fresh:
        await connection.execute(insert(battery_records), [_row(record) for record in fresh.values()])


async def put(connection: AsyncConnection, record: Record) -> None:
    """Keep a record that may be there already."""
    changed = await connection.execute(
        update(battery_records).where(_t.id == record.id).values(at_us=record.at_us, body=record.body)
    )
    if not changed.rowcount:
        await add(connection, [record])


async def delete(connection: AsyncConnection, record_id: str) -> None:
    """Delete a record."""
    await connection.execute(delete_from(battery_records).where(_t.id == record_id))


async def expire(connection: AsyncConnection, received_before_us: int) -> int:
    """Delete records received before a time; return how many went."""
    gone = await connection.execute(delete_from(battery_records).where(_t.received_us < received_before_us))
    return int(gone.rowcount)


async def latest(connection: AsyncConnection, kind: str, actor: Actor) -> Record | None:
    """Return the record that arrived last."""
    return await _first(connection, _mine(actor), _t.kind == kind, order=(_t.received_us.desc(), _t.id.desc()))


async def by_id(connection: AsyncConnection, kind: str, record_id: str, actor: Actor) -> Record | None:
    """Return a record."""
    return await _first(connection, _mine(actor), _t.kind == kind, _t.id == record_id)


async def history(connection: AsyncConnection, kind: str, actor: Actor, *, since_us: int, limit: int) -> list[Record]:
    """Return records since a time of their own, newest first."""
    wanted = (
        select(battery_records)
        .where(_mine(actor), _t.kind == kind, _t.at_us >= since_us)
        .order_by(_t.at_us.desc(), _t.received_us.desc(), _t.id.desc())
        .limit(limit)
    )
    return [_record(row) for row in await connection.execute(wanted)]


async def others_at(connection: AsyncConnection, record: Record) -> bool:
    """Tell whether another record of the same device stands at the same time."""
    same = (_t.device_id == record.device_id) & (_t.at_us == record.at_us) & (_t.id != record.id)
    return bool(await connection.scalar(select(func.count()).select_from(battery_records).where(same)))


async def _first(connection: AsyncConnection, *where: ColumnElement[bool], order: Sequence[Any] = ()) -> Record | None:
    row = (await connection.execute(select(battery_records).where(*where).order_by(*order).limit(1))).one_or_none()
    return None if row is None else _record(row)


def _mine(actor: Actor) -> ColumnElement[bool]:
    """Return what `actor` may see, in SQL."""
    if actor.kind == "device":
        return _t.device_id == actor.id
    own = select(devices.c.id)
    return _t.device_id.in_(own if actor.is_admin else own.where(devices.c.user_id == actor.id))


def _row(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__}


def _record(row: Row[Any]) -> Record:
    return Record(**{name: getattr(row, name) for name in Record.__slots__})
