"""The HTTP API of devices, their tokens, events and logs: parse, call the room, render."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.access.routes import Caller, admitted
from mooring.devices.journal.service import Journal
from mooring.devices.model import Device, DeviceQuery
from mooring.devices.paging import MAX_LIMIT
from mooring.devices.schemas import (
    DeviceChange,
    DeviceDetail,
    DeviceNew,
    DeviceOut,
    DevicePage,
    DeviceRegistered,
    EventPage,
    LogPage,
    TokenOut,
    TokenRequest,
    devices_shown,
    events_shown,
    logs_shown,
    shown,
)
from mooring.devices.service import Registry
from mooring.kernel.actor import Actor
from mooring.kernel.events import PresenceStatus

Details = Callable[[Actor, Device], Awaitable[dict[str, Any]]]
DeviceId = Annotated[str, Path(description="the id the registry gave the device")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=2048)]
Text = Annotated[str | None, Query(max_length=200)]


def routes(registry: Registry, journal: Journal, guard: Guard, *, details: Details | None = None) -> APIRouter:
    """Return the routes, closed to strangers by `guard`; `details` adds to one device's answer."""
    router = APIRouter(prefix="/api", tags=["devices"], dependencies=[admitted(guard)])
    _add_list(router, registry)
    _add_one(router, registry, details)
    _add_journal(router, journal)
    return router


def _add_list(router: APIRouter, registry: Registry) -> None:
    @router.get("/devices", summary="List devices", response_model=DevicePage)
    async def list_devices(
        actor: Caller,
        *,
        status: PresenceStatus | None = None,
        device_type: Annotated[str | None, Query(alias="type", max_length=200)] = None,
        group: Text = None,
        q: Text = None,
        sort: Annotated[str, Query(max_length=40, description="a field, falling with a leading -")] = "name",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """List the devices you may see; ``q`` looks through name, type, id, addresses and description."""
        require(actor, "devices:read")
        query = DeviceQuery(
            status=status, device_type=device_type, group_id=group, q=q, sort=sort, limit=limit, cursor=cursor
        )
        return devices_shown(await registry.find(actor, query))

    @router.post("/devices", status_code=201, summary="Register a device", response_model=DeviceRegistered)
    async def register(new: DeviceNew, actor: Caller, response: Response) -> dict[str, Any]:
        """Register a device; its ``auth_token`` is told in this answer and never again."""
        require(actor, "devices:write")
        registered = await registry.register(actor, new.device())
        response.headers["Cache-Control"] = "no-store"
        return {**shown(registered.device), "auth_token": registered.auth_token}


def _add_one(router: APIRouter, registry: Registry, details: Details | None) -> None:
    @router.get("/devices/{device_id}", summary="Show a device", response_model=DeviceDetail)
    async def show(device_id: DeviceId, actor: Caller) -> dict[str, Any]:
        """Show a device with its recent data, its command history and its figures."""
        require(actor, "devices:read")
        device = await registry.get(actor, device_id)
        more = await details(actor, device) if details is not None else {}
        return {**shown(device), **more}

    @router.put("/devices/{device_id}", summary="Change a device", response_model=DeviceOut)
    async def change(device_id: DeviceId, changed: DeviceChange, actor: Caller) -> dict[str, Any]:
        """Change the fields that are sent; the others stay."""
        require(actor, "devices:write")
        return shown(await registry.update(actor, device_id, changed.given()))

    @router.delete("/devices/{device_id}", status_code=204, summary="Delete a device")
    async def delete(device_id: DeviceId, actor: Caller) -> Response:
        """Delete a device, its data and its token."""
        require(actor, "devices:write")
        await registry.delete(actor, device_id)
        return Response(status_code=204)

    @router.post("/devices/{device_id}/token", summary="Give a device a new token", response_model=TokenOut)
    async def rotate(
        device_id: DeviceId, actor: Caller, response: Response, wanted: TokenRequest | None = None
    ) -> dict[str, str]:
        """End the device's token and make a new one, told in this answer and never again."""
        require(actor, "devices:write")
        token = await registry.rotate_token(actor, device_id, auth_token=wanted.auth_token if wanted else None)
        response.headers["Cache-Control"] = "no-store"
        return {"auth_token": token}


def _add_journal(router: APIRouter, journal: Journal) -> None:
    @router.get("/devices/{device_id}/events", summary="List a device's events", response_model=EventPage)
    async def device_events(
        device_id: DeviceId, actor: Caller, limit: Limit = 100, cursor: Cursor = None
    ) -> dict[str, Any]:
        """List what a device told and what happened to it, newest first."""
        require(actor, "devices:read")
        return events_shown(await journal.events(actor, device_id=device_id, limit=limit, cursor=cursor))

    @router.get("/devices/{device_id}/logs", summary="List a device's log", response_model=LogPage)
    async def device_logs(
        device_id: DeviceId, actor: Caller, limit: Limit = 100, cursor: Cursor = None
    ) -> dict[str, Any]:
        """List a device's log, newest first."""
        require(actor, "devices:read")
        return logs_shown(await journal.logs(actor, device_id, limit=limit, cursor=cursor))

    @router.get("/events", summary="List recent events", response_model=EventPage)
    async def events(actor: Caller, limit: Limit = 100, cursor: Cursor = None) -> dict[str, Any]:
        """List the events of all devices you may see, newest first."""
        require(actor, "devices:read")
        return events_shown(await journal.events(actor, limit=limit, cursor=cursor))
