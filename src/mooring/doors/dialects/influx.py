"""InfluxDB line protocol: ``POST /api/v2/write`` and ``POST /write``, for Telegraf and everything that writes to it.

The token is a device's own, or a person's API key; under a key the tag ``device_id``, ``device`` or ``host`` of a point
says which device it is of, and one not known yet is registered. 204 means that every point is on disk.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from mooring.access.errors import NotAuthenticated
from mooring.access.model import require
from mooring.access.origin import origin_allowed
from mooring.devices.service import Registry
from mooring.doors.devices.receipts import accept_many
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.openness import Callers
from mooring.doors.problems import status_of
from mooring.doors.request import BodyTooLarge, read_body, reply
from mooring.doors.ways import Handler
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Exhausted, Invalid, MooringError, Unavailable
from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.sources import Source
from mooring.wire import influx, json

DIALECT = "influx"
DEVICE_TYPE = "influx"
PATHS = ("/api/v2/write", "/write", "/ping")
DEVICE_TAGS = ("device_id", "device", "host")
MAX_READINGS = 1_000
MAX_TOLD = 3
COMMIT_DEADLINE_S = 30.0
_CODES = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not found", 413: "request too large"}
_CODES |= {429: "too many requests", 503: "unavailable", 507: "unavailable"}


class InfluxDoor:
    """The way in for line protocol."""

    def __init__(
        self, ingest: Ingest, registry: Registry, arrivals: Arrivals, callers: Callers, *, max_body: int
    ) -> None:
        self._ingest = ingest
        self._registry = registry
        self._arrivals = arrivals
        self._callers = callers
        self._max_body = max_body

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves a request of this protocol."""
        return self._serve if scope["type"] == "http" and scope["path"] in PATHS else None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/ping":
            await reply(send, 204, {"x-influxdb-version": "mooring"}, b"")
            return
        try:
            if scope["method"] != "POST":
                raise _NotHere("only POST is served here")
            await self._write(scope, receive)
        except MooringError as error:
            await _refuse(send, error, legacy=scope["path"] == "/write")
        else:
            await reply(send, 204, {}, b"")

    async def _write(self, scope: Scope, receive: Receive) -> None:
        """Store every point of the body; raises with the reason of the first that could not be."""
        connection = HTTPConnection(scope)
        origin, host = connection.headers.get("origin"), connection.headers.get("host")
        if not origin_allowed("POST", origin, host):
            raise NotAuthenticated
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
        actor = await self._callers.actor(_bearing(scope), DIALECT, given=_token(connection.headers, query))
        if actor.kind != "device":
            require(actor, "data:write")
        body = await _body(scope, receive, self._max_body)
        points, faults = influx.decode(body, query.get("precision", ["ns"])[-1])
        frames, refused = await self._frames(actor, points, _bucket(query))
        sources = {frame["device_id"]: self._ingest.sources.get(frame["device_id"]) for frame in frames}

        def choose(frame: Frame) -> Source:
            return sources[frame.device_id or ""]

        receipts = await accept_many(self._ingest, choose, frames, COMMIT_DEADLINE_S)
        _judge(receipts, [f"line {fault.line}: {fault.reason}" for fault in faults] + refused)

    async def _frames(
        self, actor: Actor, points: Sequence[influx.Point], bucket: str
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the points as frames of their devices, and why some have none."""
        devices: dict[tuple[str, str], str | MooringError] = {}
        readings: dict[str, list[dict[str, Any]]] = {}
        refused: list[str] = []
        for point in points:
            tag = next((name for name in DEVICE_TAGS if point.tags.get(name)), "")
            place = (tag, point.tags.get(tag, bucket or point.measurement))
            if place not in devices:
                devices[place] = await self._device(actor, *place)
            device = devices[place]
            if isinstance(device, MooringError):
                refused.append(f"{place[1][:100]}: {device.message}")
                continue
            named = influx.readings_of(point, lambda one, name: influx.series_of(one, name, besides=DEVICE_TAGS))
            readings.setdefault(device, []).extend(named)
        frames = [
            {"device_id": device_id, "sensor_readings": found[start : start + MAX_READINGS]}
            for device_id, found in readings.items()
            for start in range(0, len(found), MAX_READINGS)
        ]
        return frames, refused

    async def _device(self, actor: Actor, tag: str, name: str) -> str | MooringError:
        """Return the id of the device a point belongs to, or why there is none."""
        if actor.kind == "device":
            return actor.id
        try:
            if tag == "device_id":
                return (await self._registry.get(actor, name, "report")).id
            return await self._arrivals.device(name, DEVICE_TYPE, owner_id=actor.id)
        except MooringError as error:
            return error


class _NotHere(Invalid):
    code = "method_not_allowed"


class PartlyWritten(Invalid):
    """Some points are stored, some never will be."""

    code = "partial_write"


def _judge(receipts: Sequence[Receipt], refused: list[str]) -> None:
    """Raise unless everything is stored: what may be sent again first, then what is wrong for good."""
    for receipt in receipts:
        reason = receipt.reason or ""
        if receipt.status == "throttled":
            raise Exhausted(reason, retry_after_s=receipt.retry_after_s)
        if receipt.status == "rejected" and reason.startswith(("unavailable", "storage_full")):
            raise Unavailable(reason)
    refused = refused + [receipt.reason or "" for receipt in receipts if receipt.status == "rejected"]
    if refused:
        told = "; ".join(refused[:MAX_TOLD])
        raise PartlyWritten(f"partial write: {told[:500]} dropped={len(refused)}")


def _token(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> str | None:
    """Return the token as any of the protocol's clients gives it, None if it is given as everywhere else."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "token":
        # Version 1 of the protocol wrote user:password here.
        return rest.strip().rpartition(":")[2]
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().rpartition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            raise NotAuthenticated from None
    return query["p"][-1] if "p" in query else None


def _bearing(scope: Scope) -> Scope:
    """Return the request without a header that the general guard would take for its own and refuse."""
    kept = [
        (name, value) for name, value in scope["headers"] if name != b"authorization" or value[:7].lower() == b"bearer "
    ]
    return {**scope, "headers": kept}


def _bucket(query: Mapping[str, list[str]]) -> str:
    return next((query[name][-1] for name in ("bucket", "db") if query.get(name)), "")


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Return the body, unpacked as far as the limit allows."""
    encoding = HTTPConnection(scope).headers.get("content-encoding", "identity").lower()
    if encoding != "gzip":
        return await read_body(scope, receive, limit)
    kept = [pair for pair in scope["headers"] if pair[0] != b"content-encoding"]
    packed = await read_body({**scope, "headers": kept}, receive, limit)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = unpacker.decompress(packed, limit)
    except zlib.error:
        raise Invalid("the body is not gzip") from None
    if unpacker.unconsumed_tail:
        raise BodyTooLarge(f"body is larger than {limit} bytes", hint="send fewer points at once")
    if not unpacker.eof:
        raise Invalid("the body is not whole")
    return body


async def _refuse(send: Send, error: MooringError, *, legacy: bool) -> None:
    """Answer in the protocol's own words, of version 2 or of version 1."""
    status = 405 if isinstance(error, _NotHere) else status_of(error)
    status = {422: 400, 507: 503}.get(status, status)
    headers = {"content-type": "application/json"}
    if isinstance(error, Exhausted) and error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    if legacy:
        headers["x-influxdb-error"] = error.message.encode("ascii", "replace").decode()
        body: dict[str, str] = {"error": error.message}
    else:
        body = {"code": _CODES.get(status, "internal error"), "message": error.message}
    await reply(send, status, headers, json.encode(body))
