"""SQL of claims, in the caller's unit of work."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select

from mooring.devices.bounds import is_storable
from mooring.devices.claiming.tables import device_claims
from mooring.devices.store import Connection
from mooring.devices.tables import devices


class Offer(NamedTuple):
    """A device that may be claimed until a time, with the secret behind `digest`."""

    device_id: str
    owner_id: str
    digest: str
    expires_at: datetime


async def offer_of(connection: Connection, device_id: str) -> Offer | None:
    """Return the offer of a device."""
    return next(iter(await _offers(connection, device_claims.c.device_id == device_id)), None)


async def offers_named(connection: Connection, name: str) -> list[Offer]:
    """Return the offers of all devices of a name; several owners may have one each."""
    return await _offers(connection, devices.c.name == name) if is_storable(name) else []


async def _offers(connection: Connection, which: ColumnElement[bool]) -> list[Offer]:
    table = device_claims
    wanted = (
        select(table.c.device_id, devices.c.user_id, table.c.digest, table.c.expires_at)
        .join(devices, devices.c.id == table.c.device_id)
        .where(which)
        .limit(100)
    )
    return [Offer(*row) for row in await connection.execute(wanted)]


async def add(connection: Connection, device_id: str, digest: str, expires_at: datetime) -> None:
    """Keep an offer."""
    row = {"device_id": device_id, "digest": digest, "expires_at": expires_at}
    await connection.execute(insert(device_claims).values(**row))


async def drop(connection: Connection, device_id: str) -> None:
    """Withdraw an offer."""
    await connection.execute(delete(device_claims).where(device_claims.c.device_id == device_id))
