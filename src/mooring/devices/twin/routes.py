"""The HTTP API of twins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.access.routes import Caller, admitted
from mooring.devices.twin.model import Change
from mooring.devices.twin.schemas import TwinChange, TwinOut, shown
from mooring.devices.twin.service import Twins

DeviceId = Annotated[str, Path(description="the id the registry gave the device")]


def routes(twins: Twins, guard: Guard) -> APIRouter:
    """Return the routes, closed to strangers by `guard`."""
    router = APIRouter(prefix="/api", tags=["devices"], dependencies=[admitted(guard)])

    @router.get("/devices/{device_id}/twin", summary="Show a device's twin", response_model=TwinOut)
    async def show(device_id: DeviceId, actor: Caller) -> dict[str, Any]:
        """Show what is wanted of a device, what it reports of itself, and what is kept about it."""
        require(actor, "devices:read")
        return shown(await twins.shown_to(actor, device_id))

    @router.patch("/devices/{device_id}/twin", summary="Change a device's twin", response_model=TwinOut)
    async def change(device_id: DeviceId, wanted: TwinChange, actor: Caller) -> dict[str, Any]:
        """Change keys of ``desired`` and ``server``; null removes a key, keys left out stay. The device is told."""
        require(actor, "devices:write")
        await twins.shown_to(actor, device_id, "manage")
        changes = [Change(device_id, "desired", wanted.desired), Change(device_id, "server", wanted.server)]
        return shown((await twins.change_many(changes))[-1])

    return router
