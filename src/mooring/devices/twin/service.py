"""Read and change twins. Changes that arrive while one is being written are written together, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from mooring.devices.errors import DeviceUnknown
from mooring.devices.model import Action
from mooring.devices.store import Connection, device_for
from mooring.devices.twin import store
from mooring.devices.twin.model import Applied, Change, Part, Twin, applied, checked
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError
from mooring.kernel.events import TwinChanged
from mooring.storage.database import Database


class _Ticket:
    """Changes of one caller, who waits for them to be on disk."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self.future: asyncio.Future[list[Twin]] = asyncio.get_running_loop().create_future()


class Twins:
    """The twins of all devices."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        """Keep twins in `database`, tell `bus` what changed."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._waiting: list[_Ticket] = []
        self._one_writer = asyncio.Lock()

    async def get(self, device_id: str) -> Twin:
        """Return the twin of a device that is known to exist; an empty one before its first change."""
        async with self._database.reading() as connection:
            found = await store.twins(connection, [device_id])
        return found.get(device_id, Twin(device_id))

    async def shown_to(self, actor: Actor, device_id: str, action: Action = "read") -> Twin:
        """Return the twin of a device `actor` may do `action` with; raises DeviceUnknown, ActionDenied."""
        async with self._database.reading() as connection:
            await device_for(connection, actor, device_id, action)
            found = await store.twins(connection, [device_id])
        return found.get(device_id, Twin(device_id))

    async def change(self, device_id: str, part: Part, patch: dict[str, Any]) -> Twin:
        """Change one part and return the twin once that is on disk; raises FieldInvalid, DeviceUnknown."""
        return (await self.change_many([Change(device_id, part, patch)]))[0]

    async def change_many(self, changes: Sequence[Change]) -> list[Twin]:
        """Make changes, all or none, and return the twin after each; raises FieldInvalid, DeviceUnknown."""
        ticket = _Ticket([checked(change) for change in changes])
        self._waiting.append(ticket)
        async with self._one_writer:
            if not ticket.future.done():
                await self._write()
        return await ticket.future

    async def _write(self) -> None:
        """Write all that waits in one unit of work; a ticket that cannot be is refused by itself."""
        tickets, self._waiting = self._waiting, []
        try:
            async with self._database.writing() as connection:
                outcomes = await self._apply(connection, tickets)
        except (MooringError, asyncio.CancelledError) as error:
            for ticket in tickets:
                if not ticket.future.done():
                    ticket.future.set_exception(error)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            if isinstance(outcome, MooringError):
                ticket.future.set_exception(outcome)
                continue
            for change, done in zip(ticket.changes, outcome, strict=True):
                self._announce(change, done)
            ticket.future.set_result([done.twin for done in outcome])

    async def _apply(self, connection: Connection, tickets: list[_Ticket]) -> list[list[Applied] | MooringError]:
        wanted = {change.device_id for ticket in tickets for change in ticket.changes}
        exist = await store.locked(connection, wanted)
        before = await store.twins(connection, exist)
        now, current = self._clock.now(), dict(before)
        outcomes: list[list[Applied] | MooringError] = []
        for ticket in tickets:
            trial, done = dict(current), []
            try:
                for change in ticket.changes:
                    if change.device_id not in exist:
                        raise DeviceUnknown
                    one = applied(trial.get(change.device_id, Twin(change.device_id)), change, now)
                    trial[change.device_id] = one.twin
                    done.append(one)
            except MooringError as error:
                outcomes.append(error)
            else:
                current = trial
                outcomes.append(done)
        fresh = [twin for twin in current.values() if twin.version and twin is not before.get(twin.device_id)]
        await store.save(connection, fresh, before)
        return outcomes

    def _announce(self, change: Change, done: Applied) -> None:
        if done.changed or done.removed:
            self._bus.publish(TwinChanged(change.device_id, change.part, done.changed, done.removed, done.twin.version))
