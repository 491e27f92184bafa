"""Devices that come through an open dialect: found by the name they give themselves, or registered under an owner."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from mooring.access.errors import PersonUnknown
from mooring.access.model import User
from mooring.access.people import People
from mooring.devices.errors import NameTaken
from mooring.devices.model import NewDevice
from mooring.devices.service import Registry
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Exhausted, MooringError, Unavailable
from mooring.kernel.events import DeviceChanged

log = logging.getLogger(__name__)
REMEMBERED = 20_000
OWNER_KNOWN_S = 10.0
REFUSED_FOR_S = 2.0


class Arrivals:
    """Turns a device's own name into a device; registers one at a time, and none for a while after a refusal."""

    def __init__(self, registry: Registry, people: People, clock: Clock, *, default_owner: str = "") -> None:
        """Register for `default_owner`, a user name; without one the first administrator is meant."""
        self._registry = registry
        self._people = people
        self._clock = clock
        self._owner_name = default_owner
        self._owner: tuple[Actor, float] | None = None
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._refused: dict[str, tuple[float, MooringError]] = {}
        self._turn = asyncio.Lock()

    async def owner(self) -> Actor:
        """Return the default owner, with the rights over own devices and no others; raises Unavailable."""
        now = self._clock.monotonic()
        if self._owner is None or self._owner[1] < now:
            user = await self._default_user()
            self._owner = (Actor(kind="user", id=user.id, name=user.username), now + OWNER_KNOWN_S)
        return self._owner[0]

    async def device(self, external_id: str, device_type: str = "generic", *, owner_id: str | None = None) -> str:
        """Return the id of the device an owner knows by `external_id`, registered now if there is none.

        Raises QuotaExceeded, FieldInvalid, or Unavailable if the default owner does not exist.
        """
        owner = (await self.owner()).id if owner_id is None else owner_id
        known = self._known.get((owner, external_id))
        if known is not None:
            self._known.move_to_end((owner, external_id))
            return known
        async with self._turn:
            known = self._known.get((owner, external_id)) or await self._found(owner, external_id, device_type)
        self._remember(owner, external_id, known)
        return known

    async def run(self, bus: Bus) -> None:
        """Forget names that are no longer what they were, until cancelled."""
        async for event in bus.subscribe(DeviceChanged, capacity=10_000):
            if isinstance(event, DeviceChanged) and event.change != "created":
                self._forget(event.device_id)

    async def _found(self, owner_id: str, external_id: str, device_type: str) -> str:
        actor = Actor(kind="user", id=owner_id, name="arrivals")
        device = await self._registry.named(actor, external_id)
        if device is not None:
            return device.id
        until, refusal = self._refused.get(owner_id, (0.0, None))
        if refusal is not None and self._clock.monotonic() < until:
            raise refusal
        try:
            fresh = await self._registry.register(actor, NewDevice(name=external_id, device_type=device_type))
        except NameTaken:
            device = await self._registry.named(actor, external_id)
            if device is None:
                raise
            return device.id
        except Exhausted as error:
            # A flood of new names must not become a flood of transactions.
            self._refused[owner_id] = (self._clock.monotonic() + REFUSED_FOR_S, error)
            raise
        return fresh.device.id

    async def _default_user(self) -> User:
        try:
            user = await (self._people.by_name(self._owner_name) if self._owner_name else self._people.first_admin())
        except PersonUnknown:
            user = None
        if user is None or not user.is_active:
            raise Unavailable(
                f"the owner of arriving devices does not exist: {self._owner_name or 'no administrator'}",
                hint="set MOORING_DEFAULT_OWNER to the name of an account",
            )
        return user

    def _remember(self, owner_id: str, external_id: str, device_id: str) -> None:
        self._known[owner_id, external_id] = device_id
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _forget(self, device_id: str) -> None:
        for key in [key for key, known in self._known.items() if known == device_id]:
            del self._known[key]
