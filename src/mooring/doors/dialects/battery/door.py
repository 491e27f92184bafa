"""Contract D over REST: ``/api/battery-data``, ``-performance``, ``-prediction`` and ``/api/dashboard``.

The dashboard's development pages may call from their own origins, without cookies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from mooring.access.model import require
from mooring.devices.service import Registry
from mooring.doors.devices.receipts import accept_many, choose_only
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.battery import template
from mooring.doors.dialects.battery.answers import FieldWrong, refuse, say
from mooring.doors.dialects.battery.model import DATA, KINDS, PERFORMANCE, PREDICTION, UNITS, Kind, Record
from mooring.doors.dialects.battery.records import PACK_TYPE, Key, Records, Said
from mooring.doors.dialects.battery.streams import KEYS, Streams
from mooring.doors.dialects.openness import Callers, cors_headers, preflight_headers
from mooring.doors.request import read_body
from mooring.doors.ways import Handler
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Invalid, Missing, MooringError
from mooring.telemetry.ingest import Ingest
from mooring.wire import json

PACK = "battery"
DIALECT = "battery"
ORIGINS = ("http://localhost:5173", "http://localhost:3000")
MAX_BODY = 65_536
MAX_FRAMES_BODY = 4 << 20
MAX_LIMIT = 10_000
MAX_HOURS = 24.0 * 366
COMMIT_DEADLINE_S = 30.0
_PATH = re.compile(r"/api/(battery-data|battery-performance|battery-prediction)(?:/([^/]+))?")
_ID = re.compile(r"[0-9a-f]{24}")
_KEY = re.compile(r"([\x21-\x7e]{1,100}):(\d{1,18})")
_FORBIDDEN = "this page may not send requests here"


class MethodWrong(Invalid):
    """There is such a path, but not with this method."""

    code = "method_not_allowed"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, recognised."""

    scope: Scope
    receive: Receive
    actor: Actor

    def query(self, name: str) -> str | None:
        """Return a parameter of the address."""
        given = parse_qs(self.scope["query_string"].decode("latin-1"), max_num_fields=20).get(name)
        return given[-1] if given else None

    async def body(self, limit: int = MAX_BODY) -> bytes:
        """Return the body."""
        return await read_body(self.scope, self.receive, limit)


Answer = Callable[[Call], Awaitable[Any]]


class BatteryDoor:
    """The way in for dashboards, monitors and collectors of contract D."""

    def __init__(
        self,
        records: Records,
        streams: Streams,
        ingest: Ingest,
        *,
        registry: Registry,
        arrivals: Arrivals,
        callers: Callers,
        health: Callable[[], Awaitable[bool]],
    ) -> None:
        self._records = records
        self._streams = streams
        self._ingest = ingest
        self._registry = registry
        self._arrivals = arrivals
        self._callers = callers
        self._health = health

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves a request of this contract."""
        if scope["type"] != "http":
            return None
        path = scope["path"]
        if path == "/health":
            # Only for the dashboard's pages: everybody else is answered by the health door itself.
            return self._serve_health if _origin(scope) in ORIGINS else None
        return self._serve if path == "/api/dashboard" or _PATH.fullmatch(path) else None

    async def _serve_health(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await say(send, 200, {}, _preflight(scope))
        elif await self._health():
            await say(send, 200, {"status": "healthy", "database": "connected"}, cors_headers(scope))
        else:
            await say(send, 503, {"detail": "Database connection failed"}, cors_headers(scope))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        page_may = _origin(scope) in ORIGINS or self._callers.page_may(scope, DIALECT)
        if scope["method"] == "OPTIONS":
            await say(send, 200 if page_may else 403, {}, _preflight(scope) if page_may else {})
            return
        headers = cors_headers(scope) if page_may else {}
        if not page_may and scope["method"] not in ("GET", "HEAD"):
            await say(send, 403, {"detail": _FORBIDDEN}, headers)
            return
        try:
            answer = self._answer(scope)
            actor = await self._callers.actor(scope, DIALECT)
            if actor.kind != "device":
                require(actor, "data:read" if scope["method"] in ("GET", "HEAD") else "data:write")
            told = await answer(Call(scope, receive, actor))
        except MethodWrong:
            await say(send, 405, {"detail": "Method Not Allowed"}, headers)
        except MooringError as error:
            await refuse(send, error, headers)
        else:
            await say(send, 200, told, headers)

    def _answer(self, scope: Scope) -> Answer:
        """Return what answers a method on a path; raises ``Missing`` or ``MethodWrong``."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        match = _PATH.fullmatch(scope["path"])
        if match is None:
            found: Mapping[str, Answer] = {"GET": self._dashboard}
        else:
            found = self._of_kind(KINDS[match[1]], match[2])
        if method not in found:
            raise MethodWrong("there is no such method here")
        return found[method]

    def _of_kind(self, kind: Kind, last: str | None) -> Mapping[str, Answer]:
        if last is None:
            return {"POST": lambda call: self._post(kind, call), "GET": lambda call: self._history(kind, call)}
        if last == "latest":
            return {"GET": lambda call: self._latest(kind, call)}
        if last == "history":
            return {"GET": lambda call: self._history(kind, call)}
        if last == "frames" and kind is DATA:
            return {"POST": self._frames}
        if not _ID.fullmatch(last):
            raise kind.missing()
        return {
            "GET": lambda call: self._get(kind, last, call),
            "PUT": lambda call: self._put(kind, last, call),
            "DELETE": lambda call: self._delete(kind, last, call),
        }

    async def _post(self, kind: Kind, call: Call) -> Any:
        given = json.decode_object(await call.body())
        said = Said(await self._pack(call.actor), kind, given, _key(call.scope))
        [record] = await self._records.keep([said])
        return kind.done("stored", record.id)

    async def _frames(self, call: Call) -> Any:
        """Take the numbered frames of a collector, with a receipt for each."""
        body = await call.body(MAX_FRAMES_BODY)
        raws = json.split_envelope(body)
        if raws is None:
            raise Invalid("no frames", hint='send {"frames": [{"seq": …, "sensor_readings": {…}}]}')
        source = self._ingest.sources.get(await self._pack(call.actor))
        await self._ingest.learn(source, {key: UNITS.get(key) for key in KEYS})
        await self._streams.learn(source.device_id, source.series)
        receipts = await accept_many(self._ingest, choose_only(source), raws, COMMIT_DEADLINE_S)
        return {"stored": sum(receipt.stored or 0 for receipt in receipts), "receipts": receipts}

    async def _latest(self, kind: Kind, call: Call) -> Any:
        return (await self._records.latest(kind, call.actor)).shown()

    async def _history(self, kind: Kind, call: Call) -> Any:
        hours = _number(call, "hours", 24.0, highest=MAX_HOURS)
        limit = int(_number(call, "limit", 100, highest=MAX_LIMIT, whole=True))
        found = await self._records.history(kind, call.actor, hours=hours, limit=limit)
        return [record.shown() for record in found]

    async def _get(self, kind: Kind, record_id: str, call: Call) -> Any:
        return (await self._records.get(kind, record_id, call.actor)).shown()

    async def _put(self, kind: Kind, record_id: str, call: Call) -> Any:
        given = json.decode_object(await call.body())
        await self._records.change(kind, record_id, given, call.actor)
        return kind.done("updated", record_id)

    async def _delete(self, kind: Kind, record_id: str, call: Call) -> Any:
        await self._records.delete(kind, record_id, call.actor)
        return kind.done("deleted", record_id)

    async def _dashboard(self, call: Call) -> Any:
        newest = [await self._records.latest_or_none(kind, call.actor) for kind in (DATA, PERFORMANCE, PREDICTION)]
        configuration = await self._configuration(call.actor, next((record for record in newest if record), None))
        data, performance, prediction = [record.shown() if record else None for record in newest]
        return {
            "battery_data": data,
            "performance": performance,
            "prediction": prediction,
            "specs": template.specs_of(configuration),
            "thresholds": template.thresholds_of(configuration),
        }

    async def _configuration(self, actor: Actor, record: Record | None) -> Mapping[str, Any]:
        if record is None:
            return {}
        try:
            return (await self._registry.get(actor, record.device_id)).configuration
        except Missing:
            return {}

    async def _pack(self, actor: Actor) -> str:
        """Return the device a caller's records belong to: the device itself, or a person's one battery."""
        if actor.kind == "device":
            return actor.id
        return await self._arrivals.device(PACK, PACK_TYPE, owner_id=actor.id)


def _origin(scope: Scope) -> str | None:
    return HTTPConnection(scope).headers.get("origin")


def _preflight(scope: Scope) -> dict[str, str]:
    return {**preflight_headers(scope), "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS"}


def _key(scope: Scope) -> Key | None:
    given = HTTPConnection(scope).headers.get("idempotency-key")
    if given is None:
        return None
    match = _KEY.fullmatch(given)
    if match is None:
        raise Invalid("the Idempotency-Key is not of the form boot:number")
    return Key(match[1], int(match[2]))


def _number(call: Call, name: str, default: float, *, highest: float, whole: bool = False) -> float:
    given = call.query(name)
    if given is None:
        return default
    try:
        value = int(given) if whole else float(given)
    except ValueError:
        value = math.nan
    if not 0 < value <= highest:
        raise FieldWrong(name, f"Input should be a {'whole ' if whole else ''}number up to {highest:g}")
    return value
