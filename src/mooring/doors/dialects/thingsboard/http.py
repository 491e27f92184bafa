"""The device API over HTTP, ``/api/v1/{token}/…``: a way of its own beside the native doors.

Bad input is 400, a wrong token 401, too much 429; telemetry is answered once it is on disk; long polls are held for
as long as the device asked.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from mooring.devices.model import AdmittedDevice
from mooring.doors.dialects.thingsboard import provisioning, samples
from mooring.doors.dialects.thingsboard.limits import MAX_PAYLOAD, answer_to
from mooring.doors.dialects.thingsboard.parts import Parts
from mooring.doors.dialects.thingsboard.polls import Polls
from mooring.doors.dialects.thingsboard.waiting import Stored
from mooring.doors.problems import status_of
from mooring.doors.request import Gone, read_body, reply
from mooring.doors.ways import Handler
from mooring.kernel.errors import Exhausted, Invalid, Missing, MooringError, Unauthenticated
from mooring.kernel.ids import digest_of
from mooring.wire import json, thingsboard

PREFIX: Final = "/api/v1/"
COMMIT_DEADLINE_S: Final = 30.0
MAX_POLL_S: Final = 300.0
DEFAULT_POLL_S: Final = 60.0
MAX_FIELDS: Final = 1_000
_ANSWER: Final = re.compile(r"rpc/(-?[0-9]{1,19})")
_JSON: Final = {"content-type": "application/json"}
Query = Mapping[str, list[str]]
Asked = tuple[AdmittedDevice, Query, bytes]
Route = Callable[["HttpApi", Asked, Receive, Send], Awaitable[None]]


class HttpApi:
    """The routes of devices; found by path, admitted by the token in it."""

    def __init__(self, parts: Parts, *, max_body: int) -> None:
        self._parts = parts
        self._max_body = max_body
        self._polls = Polls(parts)

    def find(self, scope: Scope) -> Handler | None:
        """Return the handler of this connection if its path is one of ours."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            return None
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._serve(scope, receive, send)
        except Gone:
            return
        except MooringError as error:
            await _refuse(send, error)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest, method = scope["path"][len(PREFIX) :], scope["method"]
        if rest == "provision" and method == "POST":
            data = await read_body(scope, receive, MAX_PAYLOAD)
            await _say(send, await provisioning.answer_to(self._parts.provisioner, data))
            return
        token, _, what = rest.partition("/")
        device = self._parts.admission.admit_cached(digest_of(token)) or await self._parts.admission.admit(token)
        if device is None:
            raise Unauthenticated("unknown token")
        self._parts.presence.seen(device.id)
        route = _ROUTES.get((method, what))
        numbered = _ANSWER.fullmatch(what)
        if route is None and (numbered is None or method != "POST"):
            raise Missing(f"no such route: {method} {what[:60]}")
        limit = self._max_body if what in ("telemetry", "attributes") else MAX_PAYLOAD
        data = await read_body(scope, receive, limit) if method == "POST" else b""
        asked = (device, _query(scope), data)
        if route is not None:
            await route(self, asked, receive, send)
        elif numbered is not None:
            self._parts.calls.answer(device.id, int(numbered[1]), thingsboard.parse(data) if data else None)
            await _done(send)

    # -- what devices send

    async def _telemetry(self, asked: Asked, _: Receive, send: Send) -> None:
        device, _query, data = asked
        ingest = self._parts.ingest
        if ingest.full:
            await ingest.room(COMMIT_DEADLINE_S)
        frames = samples.frames_of(thingsboard.telemetry(data), self._parts.clock)
        stored = Stored(len(frames))
        samples.accept(ingest, ingest.sources.get(device.id), frames, stored)
        await stored.wait(COMMIT_DEADLINE_S)
        await _done(send)

    async def _report(self, asked: Asked, _: Receive, send: Send) -> None:
        device, _query, data = asked
        await self._parts.attributes.twins.change(device.id, "reported", thingsboard.attributes(data))
        await _done(send)

    async def _claim(self, asked: Asked, _: Receive, send: Send) -> None:
        device, _query, data = asked
        secret, duration_ms = thingsboard.claim(data)
        await self._parts.claims.offer(device.id, secret, duration_ms / 1000)
        await _done(send)

    async def _ask(self, asked: Asked, _: Receive, send: Send) -> None:
        await _say(send, answer_to(thingsboard.question(asked[2]), self._parts.clock))

    # -- what devices fetch

    async def _attributes(self, asked: Asked, _: Receive, send: Send) -> None:
        device, query, _data = asked
        twin = await self._parts.attributes.twins.get(device.id)
        client = list(twin.reported) if _yes(query, "allClientKeys") else _keys(query, "clientKeys")
        shared = list(twin.desired) if _yes(query, "allSharedKeys") else _keys(query, "sharedKeys")
        request = thingsboard.AttributeRequest(client, shared)
        await _say(send, thingsboard.chosen(request, twin.reported, twin.desired))

    async def _updates(self, asked: Asked, receive: Receive, send: Send) -> None:
        device, query, _data = asked
        changed = await self._polls.attributes(device.id, receive, _timeout_s(query))
        await (_late(send) if changed is None else _say(send, changed))

    async def _calls(self, asked: Asked, receive: Receive, send: Send) -> None:
        device, query, _data = asked
        call = await self._polls.call(device.id, receive, _timeout_s(query))
        if call is None:
            await _late(send)
            return
        await _say(send, {"id": call.number, "method": call.method, "params": call.params})
        call.arrived()

    async def _package(self, asked: Asked, _: Receive, __: Send) -> None:
        query = asked[1]
        if not query.get("title") or not query.get("version"):
            raise Invalid("title and version are needed")
        raise Missing("no package is assigned to this device")


_ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("POST", "telemetry"): HttpApi._telemetry,
    ("POST", "attributes"): HttpApi._report,
    ("GET", "attributes"): HttpApi._attributes,
    ("GET", "attributes/updates"): HttpApi._updates,
    ("GET", "rpc"): HttpApi._calls,
    ("POST", "rpc"): HttpApi._ask,
    ("POST", "claim"): HttpApi._claim,
    ("GET", "firmware"): HttpApi._package,
    ("GET", "software"): HttpApi._package,
}


def _query(scope: Scope) -> Query:
    try:
        text = scope["query_string"].decode("ascii")
        return parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Invalid(f"the query is no text, or has more than {MAX_FIELDS} fields") from None


def _keys(query: Query, name: str) -> list[str] | None:
    """Return the keys of a list; a repeated parameter is one list, as the vendor's server has it."""
    given = query.get(name)
    return None if given is None else thingsboard.keys_in(",".join(given))


def _yes(query: Query, name: str) -> bool:
    return query.get(name, [""])[-1].lower() == "true"


def _timeout_s(query: Query) -> float:
    """Return how long a poll waits; 0 and nothing mean the usual time."""
    given = query.get("timeout", ["0"])[-1]
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise Invalid("timeout is not a number of milliseconds")
    return min(int(given) / 1000 or DEFAULT_POLL_S, MAX_POLL_S)


async def _say(send: Send, body: Any) -> None:
    await reply(send, 200, _JSON, json.encode(body))


async def _done(send: Send) -> None:
    await reply(send, 200, {}, b"")


async def _late(send: Send) -> None:
    await reply(send, 408, {}, b"")


async def _refuse(send: Send, error: MooringError) -> None:
    if isinstance(error, Unauthenticated):
        await reply(send, 401, {}, b"")
        return
    status = status_of(error)
    headers = dict(_JSON)
    if isinstance(error, Exhausted):
        headers["retry-after"] = str(max(1, round(error.retry_after_s or 1)))
    if status == 422:
        status = 400
    await reply(send, status, headers, json.encode({"status": status, "message": error.message, "code": error.code}))
