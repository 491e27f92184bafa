"""SQL of assignments and passes, in the caller's unit of work."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, or_, select

from mooring.access.tables import users
from mooring.devices.assignments.tables import device_assignments, robot_passes
from mooring.devices.bounds import is_storable
from mooring.devices.model import AdmittedDevice
from mooring.devices.store import Connection
from mooring.devices.tables import device_credentials, devices


class Assigned(NamedTuple):
    """A person a device is assigned to."""

    user_id: str
    username: str
    created_at: datetime


async def assigned_to(connection: Connection, device_id: str) -> list[Assigned]:
    """Return whom a device is assigned to, by name."""
    table = device_assignments
    wanted = (
        select(users.c.id, users.c.username, table.c.created_at)
        .join(users, users.c.id == table.c.user_id)
        .where(table.c.device_id == device_id)
        .order_by(users.c.username_key)
    )
    return [Assigned(*row) for row in await connection.execute(wanted)]


async def assign(connection: Connection, device_id: str, user_id: str, at: datetime) -> None:
    """Assign a device to a person; the two are known not to be assigned yet."""
    await connection.execute(insert(device_assignments).values(device_id=device_id, user_id=user_id, created_at=at))


async def withdraw(connection: Connection, device_id: str, user_id: str) -> bool:
    """End an assignment; False if there was none."""
    table = device_assignments
    which = (table.c.device_id == device_id) & (table.c.user_id == user_id)
    return (await connection.execute(delete(table).where(which))).rowcount > 0


async def robots_of(connection: Connection, user_id: str, device_type: str) -> list[str]:
    """Return the ids of a person's own devices of a type and of all devices assigned to them, by name."""
    table = device_assignments
    mine = select(table.c.device_id).where(table.c.user_id == user_id)
    own = (devices.c.user_id == user_id) & (devices.c.device_type == device_type)
    wanted = select(devices.c.id).where(or_(own, devices.c.id.in_(mine))).order_by(devices.c.name, devices.c.id)
    return list(await connection.scalars(wanted))


async def reaches(connection: Connection, user_id: str, device_id: str) -> bool:
    """Tell whether a device belongs or is assigned to a person."""
    if not is_storable(device_id):
        return False
    table = device_assignments
    mine = select(table.c.device_id).where(table.c.user_id == user_id)
    owned = (devices.c.id == device_id) & or_(devices.c.user_id == user_id, devices.c.id.in_(mine))
    return await connection.scalar(select(devices.c.id).where(owned)) is not None


async def add_pass(
    connection: Connection, digest: str, device_id: str, *, credential: str, now: datetime, until: datetime
) -> None:
    """Keep a fresh pass, and drop those that are over."""
    await connection.execute(delete(robot_passes).where(robot_passes.c.expires_at <= now))
    values = {"digest": digest, "device_id": device_id, "credential": credential, "expires_at": until}
    await connection.execute(insert(robot_passes).values(values))


async def device_by_pass(connection: Connection, digest: str, now: datetime) -> AdmittedDevice | None:
    """Return the device of a pass that is not over and whose credential still stands."""
    wanted = (
        select(devices.c.id, devices.c.user_id, devices.c.name)
        .join(robot_passes, robot_passes.c.device_id == devices.c.id)
        .join(device_credentials, device_credentials.c.digest == robot_passes.c.credential)
        .where(
            robot_passes.c.digest == digest,
            robot_passes.c.expires_at > now,
            device_credentials.c.revoked_at.is_(None),
        )
    )
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else AdmittedDevice(id=row.id, owner_id=row.user_id, name=row.name)
