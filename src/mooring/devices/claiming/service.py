"""Offer devices for claiming, and hand them over.

A device offers itself only while its twin's server side says ``claimingAllowed``; a wrong secret withdraws the offer,
so there is one guess.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import ClassVar

from mooring.access.model import require
from mooring.devices import store as registry_store
from mooring.devices.admission import Admission
from mooring.devices.claiming import store
from mooring.devices.errors import DeviceUnknown, QuotaExceeded
from mooring.devices.journal.service import Journal
from mooring.devices.model import Device, NewLog
from mooring.devices.twin.service import Twins
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Invalid
from mooring.kernel.events import DeviceChanged
from mooring.kernel.ids import digest_of
from mooring.storage.database import Database

ALLOWED = "claimingAllowed"


class ClaimRefused(Invalid):
    """There is no such offer, it has ended, or the secret is another; which of these is not told."""

    code: ClassVar[str] = "claim_refused"


class AlreadyClaimed(Invalid):
    """The device is the caller's own."""

    code: ClassVar[str] = "already_claimed"


class Claims:
    """Devices that wait for their owner."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, *, twins: Twins, admission: Admission, journal: Journal
    ) -> None:
        """Keep offers in `database`; the neighbours say who may, and are told of a new owner."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._twins = twins
        self._admission = admission
        self._journal = journal

    async def offer(self, device_id: str, secret: str, duration_s: float) -> bool:
        """Let a device be claimed with `secret` for a time; False if it may not, or is on offer already."""
        if (await self._twins.get(device_id)).server.get(ALLOWED) is not True:
            return False
        now = self._clock.now()
        async with self._database.writing() as connection:
            if device_id not in await _present(connection, device_id):
                raise DeviceUnknown
            before = await store.offer_of(connection, device_id)
            if before is not None and before.expires_at > now:
                return False
            await store.drop(connection, device_id)
            await store.add(connection, device_id, digest_of(secret), now + timedelta(seconds=duration_s))
        return True

    async def claim(self, actor: Actor, name: str, secret: str) -> Device:
        """Make the device `name` the caller's own; raises ClaimRefused, AlreadyClaimed, QuotaExceeded, NameTaken."""
        require(actor, "devices:write")
        digest, now = digest_of(secret), self._clock.now()
        async with self._database.writing() as connection:
            if await registry_store.device_by_name(connection, actor.id, name):
                raise AlreadyClaimed("this device is yours already")
            offers = await store.offers_named(connection, name)
            fits = [one for one in offers if hmac.compare_digest(one.digest, digest) and one.expires_at > now]
            for offer in offers:
                await store.drop(connection, offer.device_id)
            if fits:
                await self._hand_over(connection, fits[0].device_id, actor)
        if not fits:
            raise ClaimRefused("this device cannot be claimed with this secret")
        device_id, former = fits[0].device_id, fits[0].owner_id
        self._admission.forget(device_id)
        self._bus.publish(DeviceChanged(device_id, former, "updated"))
        self._bus.publish(DeviceChanged(device_id, actor.id, "created"))
        async with self._database.reading() as connection:
            return await registry_store.device_for(connection, actor, device_id)

    async def _hand_over(self, connection: registry_store.Connection, device_id: str, actor: Actor) -> None:
        limit = await registry_store.quota_of(connection, actor.id)
        used = await registry_store.count_owned(connection, actor.id)
        if limit is None or used + 1 > limit:
            raise QuotaExceeded(f"the device quota is used up: {used} of {limit}", hint="ask an administrator for more")
        await registry_store.update_device(connection, device_id, {"user_id": actor.id, "group_id": None})
        line = NewLog(device_id, "claimed", f"claimed by {actor.name}", self._clock.now())
        await self._journal.keep(connection, [], [line])


async def _present(connection: registry_store.Connection, device_id: str) -> set[str]:
    return {device.id for device in await registry_store.devices_by_id(connection, [device_id])}
