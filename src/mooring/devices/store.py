"""SQL of the registry: devices, their credentials, their presence columns; all in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, bindparam, func, insert, select, tuple_, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mooring.access.tables import users
from mooring.devices.bounds import is_storable
from mooring.devices.errors import ActionDenied, DeviceUnknown, NameTaken, QueryInvalid, TokenTaken
from mooring.devices.model import Action, AdmittedDevice, Counts, Device, DeviceQuery, may
from mooring.devices.paging import Key, checked_limit, pack, unpack
from mooring.devices.tables import device_credentials, device_groups, devices
from mooring.kernel.actor import Actor
from mooring.kernel.clock import from_us, to_us

# SQLite takes 32,766 bound values in a statement, PostgreSQL's protocol 32,767.
CHUNK = 1000
Connection = AsyncConnection
_T = TypeVar("_T")

_TABLE_COLUMNS = [column for column in devices.c if column.name != "search"]

SORTS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "id"),
    "created_at": ("created_at", "id"),
    "last_seen": ("last_seen_us", "id"),
    "status": ("status", "name", "id"),
    "device_type": ("device_type", "name", "id"),
    "type": ("device_type", "name", "id"),
}
_NUMERIC = frozenset({"created_at", "last_seen_us"})


def chunks(items: Iterable[_T], size: int = CHUNK) -> Iterator[list[_T]]:
    """Yield `items` in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def device_of(row: Row[Any]) -> Device:
    """Return the device in a row of the devices table."""
    return Device(
        id=row.id,
        owner_id=row.user_id,
        name=row.name,
        device_type=row.device_type,
        description=row.description,
        ip_address=row.ip_address,
        mac_address=row.mac_address,
        status=row.status,
        device_status=row.device_status,
        lifecycle=row.lifecycle,
        last_seen=from_us(row.last_seen_us) if row.last_seen_us else None,
        firmware_version=row.firmware_version,
        group_id=row.group_id,
        configuration=row.configuration or {},
        created_at=row.created_at,
    )


async def quota_of(connection: AsyncConnection, owner_id: str) -> int | None:
    """Return how many devices a person may have, None for an unknown person; the row is locked where rows can be."""
    # The lock makes count and insert one step on PostgreSQL; SQLite has one writer anyway.
    found = await connection.scalar(select(users.c.device_quota).where(users.c.id == owner_id).with_for_update())
    return None if found is None else int(found)


async def count_owned(connection: AsyncConnection, owner_id: str) -> int:
    """Return how many devices a person has."""
    return await _count(connection, [devices.c.user_id == owner_id])


async def group_exists(connection: AsyncConnection, group_id: str, owner_id: str) -> bool:
    """Tell whether a group exists and belongs to `owner_id`."""
    wanted = select(device_groups.c.id).where(device_groups.c.id == group_id, device_groups.c.user_id == owner_id)
    return await connection.scalar(wanted) is not None


async def insert_devices(connection: AsyncConnection, new: Sequence[tuple[Device, str]]) -> None:
    """Add devices, each with its search text; raises NameTaken."""
    try:
        await connection.execute(insert(devices), [_row_of(device, search) for device, search in new])
    except IntegrityError as error:
        which = new[0][0].name if len(new) == 1 else f"one of {len(new)}"
        raise NameTaken(f"there is a device of this name already: {which}") from error


def _row_of(device: Device, search: str) -> dict[str, Any]:
    row = {name: getattr(device, name) for name in Device.__slots__ if name not in ("owner_id", "last_seen")}
    return {**row, "user_id": device.owner_id, "search": search}


async def update_device(connection: AsyncConnection, device_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a device; raises NameTaken."""
    try:
        await connection.execute(update(devices).where(devices.c.id == device_id).values(**values))
    except IntegrityError as error:
        raise NameTaken(f"there is a device of this name already: {values.get('name')}") from error


async def delete_device(connection: AsyncConnection, device_id: str) -> None:
    """Remove a device; its credentials, events and logs go with it."""
    await connection.execute(delete_from(devices).where(devices.c.id == device_id))


async def device_by_id(connection: AsyncConnection, device_id: str) -> Device | None:
    """Return a device or None."""
    row = (await connection.execute(select(*_TABLE_COLUMNS).where(devices.c.id == device_id))).one_or_none()
    return None if row is None else device_of(row)


async def device_for(connection: AsyncConnection, actor: Actor, device_id: str, action: Action = "read") -> Device:
    """Return a device `actor` may do `action` with; raises ActionDenied, or DeviceUnknown if he may not even see it."""
    device = await device_by_id(connection, device_id) if is_storable(device_id) else None
    if device is not None and may(actor, action, device):
        return device
    if device is None or not may(actor, "read", device):
        raise DeviceUnknown
    raise ActionDenied(f"you may see this device, but not {action} it")


async def device_by_name(connection: AsyncConnection, owner_id: str, name: str) -> Device | None:
    """Return the device a person knows by this name."""
    if not is_storable(name):
        return None
    wanted = select(*_TABLE_COLUMNS).where(devices.c.user_id == owner_id, devices.c.name == name)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else device_of(row)


async def devices_by_id(connection: AsyncConnection, device_ids: Iterable[str]) -> list[Device]:
    """Return those of `device_ids` that exist, in no promised order."""
    found: list[Device] = []
    for part in chunks(filter(is_storable, dict.fromkeys(device_ids))):
        rows = await connection.execute(select(*_TABLE_COLUMNS).where(devices.c.id.in_(part)))
        found.extend(device_of(row) for row in rows)
    return found


async def ids_owned(connection: AsyncConnection, owner_id: str) -> list[str]:
    """Return the ids of a person's devices."""
    return list(await connection.scalars(select(devices.c.id).where(devices.c.user_id == owner_id)))


async def find(
    connection: AsyncConnection, query: DeviceQuery, owner_id: str | None
) -> tuple[list[Device], int, str | None]:
    """Return a page of devices, the size of the whole list and the next cursor; `owner_id` None means all owners."""
    where = _filters(query, owner_id)
    limit = checked_limit(query.limit)
    rows = (await connection.execute(_page(query, where).limit(limit + 1))).all()
    following = _cursor_after(rows[limit - 1], query.sort) if len(rows) > limit else None
    whole = following is None and not query.cursor
    total = len(rows) if whole else await _count(connection, where)
    return [device_of(row) for row in rows[:limit]], total, following


async def _count(connection: AsyncConnection, where: Sequence[ColumnElement[bool]]) -> int:
    return int(await connection.scalar(select(func.count()).select_from(devices).where(*where)) or 0)


def _filters(query: DeviceQuery, owner_id: str | None) -> list[ColumnElement[bool]]:
    columns = devices.c
    equal = {
        columns.user_id: owner_id,
        columns.status: query.status,
        columns.device_type: query.device_type,
        columns.group_id: query.group_id,
    }
    where = [column == value for column, value in equal.items() if value is not None]
    if query.q:
        where.append(columns.search.contains(query.q.casefold(), autoescape=True))
    return where


def _order(sort: str) -> tuple[tuple[str, ...], bool]:
    """Return the columns of an order and whether it falls."""
    names = SORTS.get(sort.removeprefix("-"))
    if names is None:
        raise QueryInvalid(f"sort is not known: {sort}", hint=f"one of {', '.join(SORTS)}, with - for falling")
    return names, sort.startswith("-")


def _page(query: DeviceQuery, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    names, falling = _order(query.sort)
    columns = [devices.c[name] for name in names]
    wanted = select(*_TABLE_COLUMNS).where(and_(True, *where))
    if query.cursor:
        keys = _keys_of(query.cursor, query.sort, names)
        bounds = tuple_(*keys, types=[column.type for column in columns])
        wanted = wanted.where(tuple_(*columns) < bounds if falling else tuple_(*columns) > bounds)
    return wanted.order_by(*(column.desc() if falling else column.asc() for column in columns))


def _keys_of(cursor: str, sort: str, names: Sequence[str]) -> list[Any]:
    keys: list[Key] = unpack(cursor, sort, [int if name in _NUMERIC else str for name in names])
    try:
        return [from_us(int(key)) if name == "created_at" else key for name, key in zip(names, keys, strict=True)]
    except OverflowError:
        raise QueryInvalid("this cursor does not belong to this list") from None


def _cursor_after(row: Row[Any], sort: str) -> str:
    names, _ = _order(sort)
    values = [getattr(row, name) for name in names]
    return pack(sort, [to_us(value) if isinstance(value, datetime) else value for value in values])


async def counts(connection: AsyncConnection, owner_id: str | None) -> Counts:
    """Return how many devices there are by presence; `owner_id` None means all owners."""
    # Filtered counts read the covering index once; GROUP BY would sort it first.
    wanted = select(func.count(), *(func.count().filter(devices.c.status == status) for status in ("online", "never")))
    if owner_id is not None:
        wanted = wanted.where(devices.c.user_id == owner_id)
    total, online, never = map(int, (await connection.execute(wanted.select_from(devices))).one())
    return Counts(total=total, online=online, offline=total - online - never, never=never)


async def insert_credentials(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add devices' credentials; raises TokenTaken if a digest was ever known."""
    try:
        await connection.execute(insert(device_credentials), rows)
    except IntegrityError as error:
        raise TokenTaken("this auth_token has been used before", hint="leave it out to get a fresh one") from error


async def revoke_credentials(connection: AsyncConnection, device_id: str, at: datetime) -> None:
    """End every credential of a device."""
    table = device_credentials
    live = (table.c.device_id == device_id) & table.c.revoked_at.is_(None)
    await connection.execute(update(table).where(live).values(revoked_at=at))


async def admitted_by_digest(connection: AsyncConnection, digest: str) -> AdmittedDevice | None:
    """Return the device a live credential stands for."""
    wanted = (
        select(devices.c.id, devices.c.user_id, devices.c.name)
        .join(device_credentials, device_credentials.c.device_id == devices.c.id)
        .where(device_credentials.c.digest == digest, device_credentials.c.revoked_at.is_(None))
    )
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else AdmittedDevice(id=row.id, owner_id=row.user_id, name=row.name)


async def online_devices(connection: AsyncConnection) -> list[str]:
    """Return the ids of the devices the store believes to be online."""
    return list(await connection.scalars(select(devices.c.id).where(devices.c.status == "online")))


_SAVE_SEEN = (
    update(devices)
    .where(devices.c.id == bindparam("device"))
    .values(last_seen_us=bindparam("seen_us", type_=BigInteger()))
)
_SAVE_STATUS = update(devices).where(devices.c.id == bindparam("device")).values(status=bindparam("presence"))


async def save_seen(connection: AsyncConnection, seen_us: Mapping[str, int]) -> None:
    """Write when each device was last heard, in µs since 1970."""
    # Rows are taken in one order everywhere, so that two nodes cannot wait for each other.
    rows = [{"device": device_id, "seen_us": at_us} for device_id, at_us in sorted(seen_us.items())]
    if rows:
        await connection.execute(_SAVE_SEEN, rows)


async def save_statuses(connection: AsyncConnection, statuses: Mapping[str, str]) -> None:
    """Write the presence of each device."""
    rows = [{"device": device_id, "presence": status} for device_id, status in sorted(statuses.items())]
    if rows:
        await connection.execute(_SAVE_STATUS, rows)
