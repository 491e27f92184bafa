"""The HTTP API of readings: a device's data, series, status; newest values and sparklines of many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Path, Query, Response

from mooring.access.guard import Guard
from mooring.access.routes import Caller, admitted
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.kernel.actor import Actor
from mooring.kernel.clock import iso, to_us
from mooring.kernel.errors import Invalid
from mooring.telemetry.history import ALL_TIME_US, History, Question, SparklineQuestion, interval_us
from mooring.telemetry.render import csv_text, ndjson_text
from mooring.telemetry.schemas import DataPage, LatestPage, SeriesPage, SparklinePage, StatusOut
from mooring.telemetry.sources import Sources

DeviceId = Annotated[str, Path(max_length=64)]
Moment = Annotated[str | None, Query(max_length=40, description="ISO 8601, or epoch seconds or milliseconds")]
Keys = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=200)]
DeviceIds = Annotated[list[Annotated[str, Query(max_length=64)]], Query(max_length=200)]
RAW_COLUMNS = ("timestamp", "sensor_type", "value", "unit", "quality_score")


class Rooms(NamedTuple):
    """What the routes call."""

    history: History
    registry: Registry
    presence: Presence
    sources: Sources


def routes(rooms: Rooms, guard: Guard) -> APIRouter:
    """Return the routes, closed to strangers by `guard`."""
    router = APIRouter(prefix="/api", tags=["data"], dependencies=[admitted(guard)])
    _add_data(router, rooms)
    _add_state(router, rooms)
    _add_many(router, rooms)
    return router


def _add_data(router: APIRouter, rooms: Rooms) -> None:
    @router.get("/devices/{device_id}/data", summary="Read a device's data", response_model=DataPage)
    async def read_data(
        device_id: DeviceId,
        actor: Caller,
        *,
        start_date: Moment = None,
        end_date: Moment = None,
        sensor_type: Keys = [],  # noqa: B006 (FastAPI copies defaults)
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
        order: Literal["asc", "desc"] = "desc",
        interval: Annotated[str | None, Query(max_length=10, description="30s, 1m, 6h, 1d")] = None,
        aggregate: Annotated[list[Annotated[str, Query(max_length=10)]], Query(max_length=20)] = [],  # noqa: B006
        quality_min: Annotated[float, Query(ge=0, le=1)] = 0.0,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        form: Annotated[Literal["json", "csv", "ndjson"], Query(alias="format")] = "json",
    ) -> Any:
        """Return raw readings, newest first unless asked otherwise, or aggregates per ``interval``."""
        device = await rooms.registry.get(actor, device_id)
        question = Question(
            start_us=moment_us("start_date", start_date),
            end_us=moment_us("end_date", end_date),
            keys=sensor_type,
            limit=limit,
            order=order,
            interval_us=None if interval is None else interval_us(interval),
            aggregates=aggregate,
            quality_min=quality_min,
            cursor=cursor,
        )
        answer = await rooms.history.ask(device.id, question)
        if form == "json":
            return answer._asdict() | {"items": answer.rows}
        return _file(form, answer.rows, question)


def _file(form: str, rows: list[dict[str, Any]], question: Question) -> Response:
    if form == "ndjson":
        return Response(ndjson_text(rows), media_type="application/x-ndjson")
    named = list(question.aggregates) or ["avg", "min", "max", "count"]
    columns = RAW_COLUMNS if question.interval_us is None else ("timestamp", "sensor_type", "unit", *named)
    headers = {"content-disposition": 'attachment; filename="readings.csv"'}
    return Response(csv_text(rows, columns), media_type="text/csv; charset=utf-8", headers=headers)


def _add_state(router: APIRouter, rooms: Rooms) -> None:
    @router.get("/devices/{device_id}/series", summary="List a device's series", response_model=SeriesPage)
    async def list_series(device_id: DeviceId, actor: Caller) -> dict[str, Any]:
        """Return the keys a device has ever sent, with unit, kind and newest value."""
        device = await rooms.registry.get(actor, device_id)
        items = await rooms.history.series_of(device.id)
        return {"items": items, "total": len(items)}

    @router.get("/devices/{device_id}/status", summary="A device's status", response_model=StatusOut)
    async def status(device_id: DeviceId, actor: Caller) -> dict[str, Any]:
        """Return whether the device is connected, when it was last heard, and its newest values."""
        device = await rooms.registry.get(actor, device_id)
        line = rooms.presence.connectivity(device.id)
        latest = await rooms.history.latest_of([device.id])
        rejected = rooms.sources.get(device.id).rejected
        state = "good" if line.online else "unknown" if device.last_seen is None else "silent"
        return {
            "device_id": device.id,
            "status": device.status,
            "connected": line.connections > 0,
            "last_seen": None if device.last_seen is None else iso(device.last_seen),
            "device_status": device.device_status,
            "operational_state": device.device_status,
            "connectivity": line._asdict(),
            "health": {"state": state, "rejected_frames": rejected},
            "latest": latest.get(device.id, {}),
        }


def _add_many(router: APIRouter, rooms: Rooms) -> None:
    @router.get("/latest", summary="Newest values of many devices", response_model=LatestPage)
    async def latest(actor: Caller, *, device_id: DeviceIds = []) -> dict[str, Any]:  # noqa: B006
        """Return the newest value of every key, of the devices named or of all you may see."""
        visible = await _visible(rooms, actor, device_id)
        found = await rooms.history.latest_of(visible)
        items = [{"device_id": device, "values": values} for device, values in found.items()]
        return {"items": items, "total": len(items)}

    @router.get("/sparklines", summary="Short lines of many devices", response_model=SparklinePage)
    async def sparklines(
        device_id: DeviceIds,
        actor: Caller,
        *,
        key: Annotated[str | None, Query(max_length=128)] = None,
        minutes: Annotated[int, Query(ge=1, le=10_080)] = 60,
        points: Annotated[int, Query(ge=2, le=200)] = 40,
    ) -> dict[str, Any]:
        """Return ``points`` averages over the last ``minutes`` per device, of ``key`` or of a key the server picks."""
        visible = await _visible(rooms, actor, device_id)
        question = SparklineQuestion(visible or [], key, minutes, points)
        items = await rooms.history.sparklines(question)
        return {"items": items, "total": len(items)}


async def _visible(rooms: Rooms, actor: Actor, asked: list[str]) -> list[str] | None:
    """Return the devices asked for that the caller may see; None means all there are."""
    if asked:
        return [device.id for device in await rooms.registry.get_many(actor, asked)]
    visible = await rooms.registry.visible_ids(actor)
    return None if visible is None else sorted(visible)


def moment_us(name: str, text: str | None) -> int | None:
    """Return µs since 1970 of ISO 8601 text or epoch s/ms; raises ``Invalid`` naming the parameter."""
    if not text:
        return None
    try:
        moment = _parse(text)
    except (ValueError, OverflowError):
        raise Invalid(f"{name} is not a time: {text}", hint="ISO 8601, or epoch seconds or milliseconds") from None
    if not ALL_TIME_US[0] <= moment <= ALL_TIME_US[1]:
        raise Invalid(f"{name} is out of range: {text}")
    return moment


def _parse(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        # A plus sign that was not escaped arrives as a space.
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return to_us(when if when.tzinfo else when.replace(tzinfo=UTC))
    return round(number * (1_000_000 if abs(number) < 1e11 else 1_000))
