"""REST of assignments: for whoever manages the device."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from mooring.access.guard import Guard
from mooring.access.routes import Caller, admitted
from mooring.devices.assignments.service import Assignments
from mooring.devices.assignments.store import Assigned
from mooring.devices.routes import DeviceId
from mooring.kernel.clock import iso


class NewAssignment(BaseModel):
    """Who is to reach the device."""

    model_config = ConfigDict(extra="ignore")

    username: str = Field(max_length=400, description="name or e-mail address of an account")


class AssignmentOut(BaseModel):
    """A person a device is assigned to."""

    user_id: str
    username: str
    created_at: str


class AssignmentPage(BaseModel):
    """All people a device is assigned to."""

    items: list[AssignmentOut]
    total: int
    next: str | None = None


def routes(assignments: Assignments, guard: Guard) -> APIRouter:
    """Return the routes under ``/api/devices/<id>/assignments``, closed to strangers by `guard`."""
    router = APIRouter(prefix="/api/devices", tags=["devices"], dependencies=[admitted(guard)])

    @router.get("/{device_id}/assignments", summary="People a device is assigned to")
    async def list_assignments(actor: Caller, device_id: DeviceId) -> AssignmentPage:
        return _shown(await assignments.of_device(actor, device_id))

    @router.post("/{device_id}/assignments", status_code=201, summary="Assign a device to a person")
    async def assign(actor: Caller, device_id: DeviceId, new: NewAssignment) -> AssignmentPage:
        return _shown(await assignments.assign(actor, device_id, new.username))

    @router.delete("/{device_id}/assignments/{user_id}", status_code=204, summary="End an assignment")
    async def withdraw(actor: Caller, device_id: DeviceId, user_id: str) -> Response:
        await assignments.withdraw(actor, device_id, user_id)
        return Response(status_code=204)

    return router


def _shown(found: list[Assigned]) -> AssignmentPage:
    items = [
        AssignmentOut(user_id=each.user_id, username=each.username, created_at=iso(each.created_at)) for each in found
    ]
    return AssignmentPage(items=items, total=len(items))
