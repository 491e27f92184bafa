"""SQL of twins, in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, insert, select, update

from mooring.devices.store import Connection, chunks
from mooring.devices.tables import devices
from mooring.devices.twin.model import Twin
from mooring.devices.twin.tables import device_twins

_UPDATE = (
    update(device_twins)
    .where(device_twins.c.device_id == bindparam("device"))
    .values(**{name: bindparam(name) for name in ("desired", "reported", "server", "version", "updated_at")})
)


async def twins(connection: Connection, device_ids: Iterable[str]) -> dict[str, Twin]:
    """Return the twins of those devices that have one."""
    found: dict[str, Twin] = {}
    for part in chunks(device_ids):
        for row in await connection.execute(select(device_twins).where(device_twins.c.device_id.in_(part))):
            found[row.device_id] = Twin(
                row.device_id, row.desired, row.reported, row.server, int(row.version), row.updated_at
            )
    return found


async def locked(connection: Connection, device_ids: Iterable[str]) -> set[str]:
    """Return which devices exist, and keep other nodes from changing their twins until the end of the unit of work."""
    found: set[str] = set()
    for part in chunks(sorted(set(device_ids))):
        wanted = select(devices.c.id).where(devices.c.id.in_(part)).order_by(devices.c.id).with_for_update()
        found.update(await connection.scalars(wanted))
    return found


async def save(connection: Connection, changed: Sequence[Twin], known: Iterable[str]) -> None:
    """Write twins; those of devices in `known` have a row already."""
    known = set(known)
    rows = [
        {
            "desired": twin.desired,
            "reported": twin.reported,
            "server": twin.server,
            "version": twin.version,
            "updated_at": twin.updated_at,
            "device": twin.device_id,
        }
        for twin in changed
    ]
    old = [row for row in rows if row["device"] in known]
    new = [{**row, "device_id": row["device"]} for row in rows if row["device"] not in known]
    if old:
        await connection.execute(_UPDATE, old)
    if new:
        for row in new:
            del row["device"]
        await connection.execute(insert(device_twins), new)
