"""What people ask of devices in this API: calls, and claiming. The rest of its platform API is not served."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.access.routes import Caller, admitted
from mooring.devices.claiming.service import AlreadyClaimed, ClaimRefused, Claims
from mooring.devices.schemas import shown
from mooring.devices.service import Registry
from mooring.doors.devices.calls import Calls, CallTimedOut
from mooring.doors.problems import PROBLEM_JSON, problem
from mooring.kernel.actor import Actor
from mooring.wire import json

MIN_TIMEOUT_MS: Final = 5_000
MAX_TIMEOUT_MS: Final = 300_000
_JSON: Final = "application/json"
DeviceId = Annotated[str, Path(description="the id the registry gave the device")]
Way = Literal["oneway", "twoway"]


class CallIn(BaseModel):
    """A call to a device."""

    model_config = ConfigDict(extra="ignore")

    method: str = Field(min_length=1, max_length=255)
    params: Any = None
    timeout: int = Field(10_000, ge=0, le=MAX_TIMEOUT_MS, description="milliseconds to wait, at least 5000")


class ClaimIn(BaseModel):
    """What a person shows to claim a device."""

    model_config = ConfigDict(extra="ignore")

    secretKey: str = Field("", max_length=1000)


def routes(registry: Registry, calls: Calls, claims: Claims, guard: Guard) -> APIRouter:
    """Return the routes, closed to strangers by `guard`."""
    router = APIRouter(prefix="/api", tags=["thingsboard"], dependencies=[admitted(guard)])

    async def ask(actor: Actor, device_id: str, way: Way, call: CallIn, too_late: int) -> Response:
        require(actor, "devices:write")
        device = await registry.get(actor, device_id, "command")
        timeout_s = max(call.timeout, MIN_TIMEOUT_MS) / 1000
        try:
            body = await calls.ask(device.id, call.method, call.params, timeout_s=timeout_s, oneway=way == "oneway")
        except CallTimedOut as error:
            told = problem(too_late, error.code, error.message)
            return Response(json.encode(told), too_late, media_type=PROBLEM_JSON)
        return Response(b"" if way == "oneway" else json.encode(body), media_type=_JSON)

    @router.post("/rpc/{way}/{device_id}", summary="Call a device", responses=_TOLD)
    async def call_device(way: Way, device_id: DeviceId, call: CallIn, actor: Caller) -> Response:
        """Call a method of a device and wait for its answer, or, one way, until it has the call; 504 if it is late."""
        return await ask(actor, device_id, way, call, 504)

    @router.post("/plugins/rpc/{way}/{device_id}", summary="Call a device, the older way", responses=_TOLD)
    async def call_device_older(way: Way, device_id: DeviceId, call: CallIn, actor: Caller) -> Response:
        """Call a device; 408 if it does not answer in time."""
        return await ask(actor, device_id, way, call, 408)

    @router.post("/customer/device/{name}/claim", summary="Claim a device", responses=_CLAIMED)
    async def claim_device(
        name: Annotated[str, Path(max_length=200)], actor: Caller, shown_secret: ClaimIn | None = None
    ) -> Response:
        """Make a device that offers itself your own; a wrong secret ends its offer."""
        require(actor, "devices:write")
        try:
            device = await claims.claim(actor, name, shown_secret.secretKey if shown_secret else "")
        except ClaimRefused:
            return Response(b'"FAILURE"', 400, media_type=_JSON)
        except AlreadyClaimed:
            return Response(b'"CLAIMED"', 400, media_type=_JSON)
        return Response(json.encode({"response": "SUCCESS", "device": shown(device)}), media_type=_JSON)

    return router


_ANYTHING: Final[dict[str, Any]] = {"content": {_JSON: {"schema": {}}}}
_TOLD: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The device's answer; nothing one way", **_ANYTHING},
    408: {"description": "The device did not answer in time (older way)"},
    504: {"description": "The device did not answer in time"},
}
_CLAIMED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The device is yours", **_ANYTHING},
    400: {"description": "FAILURE: no such offer; CLAIMED: it is yours already", **_ANYTHING},
}
