"""Assign devices to people: who manages a device says who else may watch and command it as a robot."""

from __future__ import annotations

from collections.abc import Callable

from mooring.access import store as people_store
from mooring.access.errors import PersonUnknown
from mooring.access.fields import name_key
from mooring.access.model import User
from mooring.devices.assignments import store
from mooring.devices.assignments.store import Assigned
from mooring.devices.journal.service import Journal
from mooring.devices.model import NewLog
from mooring.devices.store import device_for
from mooring.kernel.actor import Actor
from mooring.kernel.clock import Clock
from mooring.storage.database import Database

ROBOT_TYPE = "robot"
Withdrawn = Callable[[str, str], None]


class Assignments:
    """Which robots a person reaches: their own, and those assigned to them."""

    def __init__(self, database: Database, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._hooks: list[Withdrawn] = []

    def on_withdraw(self, hook: Withdrawn) -> None:
        """Have `hook` called with device and person of an assignment that has ended."""
        self._hooks.append(hook)

    async def assign(self, actor: Actor, device_id: str, name: str) -> list[Assigned]:
        """Assign a device to the person called `name`; once or twice is the same. Raises PersonUnknown."""
        key = name_key(name)
        async with self._database.writing() as connection:
            await device_for(connection, actor, device_id, "manage")
            found = None if key is None else await people_store.user_by_name(connection, key)
            if found is None or not found[0].is_active:
                raise PersonUnknown("no such account")
            user: User = found[0]
            if user.id not in {each.user_id for each in await store.assigned_to(connection, device_id)}:
                await store.assign(connection, device_id, user.id, self._clock.now())
                await self._journal.keep(connection, [], [self._line(device_id, f"{actor.name}: to {user.username}")])
            return await store.assigned_to(connection, device_id)

    async def withdraw(self, actor: Actor, device_id: str, user_id: str) -> None:
        """End an assignment, and what the person watches of the device with it; raises PersonUnknown."""
        async with self._database.writing() as connection:
            await device_for(connection, actor, device_id, "manage")
            if not await store.withdraw(connection, device_id, user_id):
                raise PersonUnknown("the device is not assigned to this person")
            await self._journal.keep(connection, [], [self._line(device_id, f"{actor.name}: withdrawn")])
        for hook in self._hooks:
            hook(device_id, user_id)

    async def of_device(self, actor: Actor, device_id: str) -> list[Assigned]:
        """Return whom a device is assigned to."""
        async with self._database.reading() as connection:
            await device_for(connection, actor, device_id, "manage")
            return await store.assigned_to(connection, device_id)

    async def robots_of(self, user_id: str) -> list[str]:
        """Return the ids of the robots a person reaches."""
        async with self._database.reading() as connection:
            return await store.robots_of(connection, user_id, ROBOT_TYPE)

    async def reaches(self, user_id: str, device_id: str) -> bool:
        """Tell whether a person reaches a robot; administrators, too, only their own and those assigned to them."""
        async with self._database.reading() as connection:
            return await store.reaches(connection, user_id, device_id)

    def _line(self, device_id: str, message: str) -> NewLog:
        return NewLog(device_id, "assignment", message, self._clock.now())
