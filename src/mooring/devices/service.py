"""The registry: what devices exist, whose they are, and the tokens they come with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mooring.access.model import require
from mooring.devices import bounds, store
from mooring.devices.admission import Admission
from mooring.devices.errors import ActionDenied, FieldInvalid, GroupUnknown, QuotaExceeded
from mooring.devices.journal.service import Journal
from mooring.devices.model import Action, Counts, Device, DeviceQuery, NewDevice, NewLog, Page, Registered, may
from mooring.devices.presence import Presence
from mooring.devices.store import Connection
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.events import CredentialRevoked, DeviceChanged
from mooring.kernel.ids import digest_of, new_id, new_token
from mooring.storage.database import Database

TOKEN_PREFIX = "dev"  # noqa: S105  (what a token begins with, not a token)
MAX_AT_ONCE = 10_000

DeleteHook = Callable[[str], Awaitable[None]]


class Registry:
    """Registers, changes, lists and deletes devices on behalf of an actor."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, *, presence: Presence, admission: Admission, journal: Journal
    ) -> None:
        """Keep devices in `database`; the three neighbours are told of what changes."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._presence = presence
        self._admission = admission
        self._journal = journal
        self._delete_hooks: list[DeleteHook] = []

    def on_delete(self, hook: DeleteHook) -> None:
        """Have `hook` called with the id of a device about to be deleted; it must bear being called twice."""
        self._delete_hooks.append(hook)

    async def register(self, actor: Actor, new: NewDevice, *, owner_id: str | None = None) -> Registered:
        """Register a device for `actor`; raises FieldInvalid, NameTaken, TokenTaken, GroupUnknown, QuotaExceeded."""
        return (await self.register_many(actor, [new], owner_id=owner_id))[0]

    async def register_many(
        self, actor: Actor, news: Sequence[NewDevice], *, owner_id: str | None = None
    ) -> list[Registered]:
        """Register devices, all or none; only administrators may name an `owner_id` other than themselves."""
        owner = _owner_for(actor, owner_id)
        if len(news) > MAX_AT_ONCE:
            raise FieldInvalid(f"too many devices at once: {len(news)}, at most {MAX_AT_ONCE}")
        fresh = [self._fresh(new, owner) for new in news]
        async with self._database.writing() as connection:
            await _check_quota(connection, owner, len(fresh))
            await self._insert(connection, fresh)
            await self._journal.keep(connection, [], [self._line(device.id, "registered") for device, _ in fresh])
        for device, _ in fresh:
            self._bus.publish(DeviceChanged(device.id, owner, "created"))
        return [Registered(device, token) for device, token in fresh]

    async def update(self, actor: Actor, device_id: str, given: Mapping[str, Any]) -> Device:
        """Change the fields in `given` that people may change; raises DeviceUnknown, ActionDenied, FieldInvalid."""
        changes = bounds.changes(given)
        async with self._database.writing() as connection:
            before = await store.device_for(connection, actor, device_id, "manage")
            device = replace(before, **changes)
            if changes and device != before:
                await _check_group(connection, device)
                await store.update_device(connection, device_id, {**changes, "search": _search_text(device)})
                line = self._line(device_id, "updated", f"changed: {', '.join(sorted(changes))}")
                await self._journal.keep(connection, [], [line])
        if device != before:
            self._admission.forget(device_id)
            self._bus.publish(DeviceChanged(device_id, device.owner_id, "updated"))
        return self._presence.overlay(device)

    async def delete(self, actor: Actor, device_id: str) -> None:
        """Delete a device and all that belongs to it; its token stops working first."""
        async with self._database.writing() as connection:
            device = await store.device_for(connection, actor, device_id, "manage")
            await store.revoke_credentials(connection, device_id, self._clock.now())
        self._revoked(device_id)
        for hook in self._delete_hooks:
            await hook(device_id)
        async with self._database.writing() as connection:
            await store.delete_device(connection, device_id)
        self._presence.forget(device_id)
        self._journal.forget(device_id)
        self._bus.publish(DeviceChanged(device_id, device.owner_id, "deleted"))

    async def rotate_token(self, actor: Actor, device_id: str, *, auth_token: str | None = None) -> str:
        """Give a device a new token and end the old ones; open sockets are told to close."""
        token = new_token(TOKEN_PREFIX) if auth_token is None else bounds.token(auth_token)
        async with self._database.writing() as connection:
            await store.device_for(connection, actor, device_id, "manage")
            await store.revoke_credentials(connection, device_id, self._clock.now())
            await store.insert_credentials(connection, [self._credential(device_id, token)])
            await self._journal.keep(connection, [], [self._line(device_id, "token_rotated")])
        self._revoked(device_id)
        return token

    async def get(self, actor: Actor, device_id: str, action: Action = "read") -> Device:
        """Return a device `actor` may do `action` with; raises DeviceUnknown or ActionDenied."""
        async with self._database.reading() as connection:
            device = await store.device_for(connection, actor, device_id, action)
        return self._presence.overlay(device)

    async def named(self, actor: Actor, name: str) -> Device | None:
        """Return the device of `actor` that bears this name, None if there is none."""
        async with self._database.reading() as connection:
            device = await store.device_by_name(connection, actor.id, name.strip())
        return None if device is None else self._presence.overlay(device)

    async def get_many(self, actor: Actor, device_ids: Iterable[str]) -> list[Device]:
        """Return those of `device_ids` that `actor` may read, in the order asked for."""
        wanted = list(dict.fromkeys(device_ids))
        async with self._database.reading() as connection:
            found = {device.id: device for device in await store.devices_by_id(connection, wanted)}
        readable = (found[device_id] for device_id in wanted if device_id in found)
        return [self._presence.overlay(device) for device in readable if may(actor, "read", device)]

    async def find(self, actor: Actor, query: DeviceQuery) -> Page[Device]:
        """Return a page of the devices `actor` may read; raises QueryInvalid."""
        async with self._database.reading() as connection:
            items, total, following = await store.find(connection, bounds.query(query), _scope(actor))
        return Page([self._presence.overlay(device) for device in items], total, following)

    async def visible_ids(self, actor: Actor) -> frozenset[str] | None:
        """Return the ids of the devices `actor` may read, None meaning all of them, future ones included."""
        if actor.is_admin:
            return None
        if actor.kind == "device":
            return frozenset({actor.id})
        async with self._database.reading() as connection:
            return frozenset(await store.ids_owned(connection, actor.id))

    async def counts(self, actor: Actor) -> Counts:
        """Return how many devices `actor` may read, by presence."""
        async with self._database.reading() as connection:
            return await store.counts(connection, _scope(actor))

    async def count_owned(self, owner_id: str) -> int:
        """Return how many devices a person has: what counts against the quota."""
        async with self._database.reading() as connection:
            return await store.count_owned(connection, owner_id)

    def _fresh(self, new: NewDevice, owner_id: str) -> tuple[Device, str]:
        token = new_token(TOKEN_PREFIX) if new.auth_token is None else bounds.token(new.auth_token)
        device = Device(
            id=new_id(),
            owner_id=owner_id,
            status="never",
            device_status=None,
            lifecycle="registered",
            last_seen=None,
            created_at=self._clock.now(),
            **bounds.fields_of(new),
        )
        return device, token

    async def _insert(self, connection: Connection, fresh: Sequence[tuple[Device, str]]) -> None:
        for device in {device.group_id: device for device, _ in fresh}.values():
            await _check_group(connection, device)
        await store.insert_devices(connection, [(device, _search_text(device)) for device, _ in fresh])
        await store.insert_credentials(connection, [self._credential(device.id, token) for device, token in fresh])

    def _credential(self, device_id: str, token: str) -> Mapping[str, Any]:
        return {"id": new_id(), "device_id": device_id, "digest": digest_of(token), "created_at": self._clock.now()}

    def _revoked(self, device_id: str) -> None:
        self._admission.forget(device_id)
        self._bus.publish(CredentialRevoked(device_id))

    def _line(self, device_id: str, event_type: str, message: str = "") -> NewLog:
        return NewLog(device_id, event_type, message or event_type.replace("_", " "), self._clock.now())


def _owner_for(actor: Actor, owner_id: str | None) -> str:
    """Return whose device it will be; the server itself has to say."""
    require(actor, "devices:write")
    if actor.is_admin and owner_id is not None:
        return owner_id
    if actor.kind != "user" or owner_id not in (None, actor.id):
        raise ActionDenied("devices are registered by people, for themselves")
    return actor.id


def _scope(actor: Actor) -> str | None:
    """Return whose devices `actor` lists: None means everybody's. It mirrors ``may(actor, "read", …)`` in SQL."""
    return None if actor.is_admin else actor.id


async def _check_quota(connection: Connection, owner_id: str, more: int) -> None:
    limit = await store.quota_of(connection, owner_id)
    if limit is None:
        raise FieldInvalid("the owner of a device must be a known person")
    used = await store.count_owned(connection, owner_id)
    if used + more > limit:
        raise QuotaExceeded(f"the device quota is used up: {used} of {limit}", hint="ask an administrator for more")


async def _check_group(connection: Connection, device: Device) -> None:
    if device.group_id and not await store.group_exists(connection, device.group_id, device.owner_id):
        raise GroupUnknown(f"there is no such group: {device.group_id}")


def _search_text(device: Device) -> str:
    return bounds.search_text({name: getattr(device, name) for name in Device.__slots__})
