"""The one HTTP port: sends each request to its door, after the checks that hold for all of them."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from mooring.access.origin import origin_allowed
from mooring.doors.console.pages import CSP, Console
from mooring.doors.devices.http import DataDoor
from mooring.doors.devices.posting import Post
from mooring.doors.devices.websocket import DeviceDoor
from mooring.doors.people.live import LiveDoor
from mooring.doors.problems import PROBLEM_JSON, problem, problem_of
from mooring.doors.request import BODY_DEADLINE_S, BodyTooLarge, BodyTooSlow, read_body, replayed, reply
from mooring.doors.ways import Handler, Way
from mooring.kernel.errors import MooringError
from mooring.wire import json

MAX_REST_BODY = 1 << 20
_DATA_SLASHES = 4
_REST = re.compile(r"/api(/|$)|/(healthz|readyz|health|metrics)$")
_GUARDING = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


@dataclass(frozen=True, slots=True)
class Doors:
    """What the front leads to."""

    data: DataDoor
    device: DeviceDoor
    live: LiveDoor
    rest: FastAPI
    console: Console
    origins: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()


class Front:
    """The ASGI application."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._openapi: bytes | None = None

    @property
    def post_at_once(self) -> Post:
        """The short way of a device's post, for the protocol that serves this application."""
        return self._doors.data.post_at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        handler = self._way(scope)
        if handler is not None:
            await handler(scope, receive, send)
        elif path == "/ws/device":
            await self._doors.device(scope, receive, send)
        elif path == "/ws/live":
            await self._doors.live.websocket(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "no such door"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and await self._data(scope, receive, send):
            return
        handler = self._way(scope)
        if handler is not None:
            await handler(scope, receive, _guarded(send))
        elif scope["method"] == "POST" and not self._origin_ok(scope):
            await _refuse_page(send)
        else:
            await self._page(scope, receive, _guarded(send))

    async def _data(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Serve a post of data, before anything else is looked at: ten thousand a second come here."""
        path = scope["path"]
        one = path.endswith("/data") and path.startswith("/api/devices/") and path.count("/") == _DATA_SLASHES
        if not one and path != "/api/data":
            return False
        if not self._origin_ok(scope):
            await _refuse_page(send)
        elif one:
            await self._doors.data.one_device(scope, receive, send, path[13:-5])
        else:
            await self._doors.data.many_devices(scope, receive, send)
        return True

    def _way(self, scope: Scope) -> Handler | None:
        for way in self._doors.ways:
            handler = way.find(scope)
            if handler is not None:
                return handler
        return None

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/api/stream" and scope["method"] == "GET":
            await self._doors.live.stream(scope, receive, send)
        elif path == "/openapi.json":
            await reply(send, 200, {"content-type": "application/json"}, self._described())
        elif _REST.match(path):
            await self._rest(scope, receive, send)
        else:
            await self._doors.console(scope, receive, send)

    async def _rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await self._answered(scope, receive, send)
            return
        if not self._origin_ok(scope):
            await _refuse_page(send)
            return
        try:
            body = await read_body(scope, receive, MAX_REST_BODY, BODY_DEADLINE_S)
            body.decode()
        except UnicodeDecodeError:
            await _refuse(send, 422, "invalid", "not UTF-8")
        except (BodyTooLarge, BodyTooSlow, MooringError) as error:
            await reply(send, *problem_of(error))
        else:
            await self._answered(scope, replayed(body, receive), send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(Exception):
            # What a route did not expect was logged and answered with 500 before it comes up here.
            await self._doors.rest(scope, receive, send)

    def _origin_ok(self, scope: Scope) -> bool:
        origin = host = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"host":
                host = value.decode("latin-1")
        return origin is None or origin_allowed(scope["method"], origin, host, self._doors.origins)

    def _described(self) -> bytes:
        if self._openapi is None:
            self._openapi = json.encode(self._doors.rest.openapi())
        return self._openapi


def _guarded(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_GUARDING]
        await send(message)

    return with_headers


async def _refuse_page(send: Send) -> None:
    await _refuse(send, 403, "origin_refused", "this page may not send requests here")


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    await reply(send, status, {"content-type": PROBLEM_JSON}, json.encode(problem(status, code, message)))
