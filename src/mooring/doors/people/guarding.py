"""The guard as the data door needs it: who, other than the device itself, may post for a device."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Scope

from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.devices.service import Registry
from mooring.kernel.actor import Actor


class PeopleWriters:
    """People and gateways that post data for devices they may write to."""

    def __init__(self, guard: Guard, registry: Registry) -> None:
        self._guard = guard
        self._registry = registry

    async def actor(self, scope: Scope) -> Actor:
        """Return who asks; raises ``Unauthenticated`` or ``Denied``."""
        connection = HTTPConnection(scope)
        actor = await self._guard.actor_of(connection.headers, connection.cookies)
        require(actor, "data:write")
        return actor

    async def may_write(self, actor: Actor, device_id: str) -> None:
        """Raise ``Missing`` unless `actor` may report for this device."""
        await self._registry.get(actor, device_id, "report")
