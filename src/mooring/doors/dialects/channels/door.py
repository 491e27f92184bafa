"""The ways of contract C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from mooring.access.model import may
from mooring.devices.model import AdmittedDevice
from mooring.devices.presence import Presence
from mooring.doors.devices.sessions import Sessions
from mooring.doors.dialects.channels.fields import Refused, fields_of
from mooring.doors.dialects.channels.hub import Watcher
from mooring.doors.dialects.channels.people import person_of
from mooring.doors.dialects.channels.requests import Requests, Rooms, Route, console_address
from mooring.doors.dialects.channels.robot import CommandChannel, DataChannel
from mooring.doors.dialects.openness import Callers, cors_headers, preflight_headers
from mooring.doors.dialects.outbox import Outbox
from mooring.doors.dialects.standing import Standing
from mooring.doors.problems import status_of
from mooring.doors.request import read_body, reply
from mooring.doors.ways import Handler
from mooring.kernel.errors import MooringError
from mooring.telemetry.ingest import Ingest
from mooring.wire import json

NAME = "channels"
MAX_BODY = 64 * 1024
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the door works with."""

    rooms: Rooms
    callers: Callers
    ingest: Ingest
    presence: Presence
    sessions: Sessions
    standing: Standing
    tasks: asyncio.TaskGroup


class _Channel(Protocol):
    outbox: Outbox

    async def serve(self, receive: Receive) -> None: ...

    def end(self, reason: str) -> None: ...


class ChannelsDoor:
    """A way in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._requests = Requests(parts.rooms)
        self._paths = {path for _, path in self._requests.routes}

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves this connection if it is one of contract C; a slash at the end changes nothing."""
        path = scope["path"].rstrip("/")
        if scope["type"] == "websocket":
            return {
                "/robots/robot_data": self._data,
                "/robots/robot_command": self._command,
                "/users/robot_status": self._status,
            }.get(path)
        if path in self._paths:
            return self._answer
        return self._admin if path == "/admin" or path.startswith("/admin/") else None

    # -- requests

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = cors_headers(scope) if self._parts.callers.page_may(scope, NAME) else {}
        if scope["method"] == "OPTIONS":
            await reply(send, 204, preflight_headers(scope) if allowed else {}, b"")
            return
        route = self._requests.routes.get((scope["method"], scope["path"].rstrip("/")))
        try:
            status, body = await self._answered(route, scope, receive)
        except Refused as refused:
            status, body = refused.status, refused.body
        except MooringError as error:
            status, body = status_of(error), {"detail": error.message}
        sent = b"" if body is None else json.encode(body)
        await reply(send, status, {**(_JSON if sent else {}), **allowed}, sent)

    async def _answered(self, route: Route | None, scope: Scope, receive: Receive) -> tuple[int, object]:
        if route is None:
            return 405, {"detail": f'Method "{scope["method"]}" not allowed.'}
        if scope["method"] == "GET":
            return await route(scope, {})
        if not self._parts.callers.page_may(scope, NAME):
            return 403, {"detail": "this page may not send requests here"}
        body = await read_body(scope, receive, MAX_BODY)
        return await route(scope, fields_of(body, HTTPConnection(scope).headers.get("content-type", "")))

    async def _admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode("latin-1")
        target = console_address(scope["path"], query) or "/"
        await reply(send, 302, {"location": quote(target, safe="/?=&%")}, b"")

    # -- channels

    async def _data(self, scope: Scope, receive: Receive, send: Send) -> None:
        device = await self._robot(scope, receive, send)
        if device is None:
            return
        rooms = self._parts.rooms
        outbox = Outbox(send, self._parts.tasks)
        channel = DataChannel(device, self._parts.ingest, rooms.hub, rooms.clock, outbox=outbox)
        rooms.hub.open_data(device.id)
        try:
            await self._hold(device, channel, receive, "data channel")
        finally:
            rooms.hub.close_data(device.id)

    async def _command(self, scope: Scope, receive: Receive, send: Send) -> None:
        device = await self._robot(scope, receive, send)
        if device is None:
            return
        hub, outbox = self._parts.rooms.hub, Outbox(send, self._parts.tasks)
        hub.open_commands(device.id, outbox)
        try:
            await self._hold(device, CommandChannel(outbox), receive, "command channel")
        finally:
            hub.close_commands(device.id, outbox)

    async def _robot(self, scope: Scope, receive: Receive, send: Send) -> AdmittedDevice | None:
        """Accept a robot that shows a pass, refuse the handshake of any other."""
        await receive()
        given = HTTPConnection(scope).headers.get("x-token", "")
        try:
            device = await self._parts.rooms.passes.device_of(given) if given else None
        except MooringError:
            device = None
        if device is None:
            await send({"type": "websocket.close", "code": 1008, "reason": "unknown or expired token"})
            return None
        await send({"type": "websocket.accept"})
        return device

    async def _hold(self, device: AdmittedDevice, channel: _Channel, receive: Receive, what: str) -> None:
        self._parts.sessions.add(device.id, channel)
        self._parts.presence.connected(device.id, what)
        try:
            await channel.serve(receive)
        finally:
            channel.outbox.closed = True
            self._parts.sessions.remove(device.id, channel)
            self._parts.presence.disconnected(device.id, f"{what} closed")

    async def _status(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a person's status channel; who is refused is let in and shown out, as these clients know it."""
        await receive()
        await send({"type": "websocket.accept"})
        outbox, rooms = Outbox(send, self._parts.tasks), self._parts.rooms
        connection = HTTPConnection(scope)
        robot = connection.headers.get("robot") or connection.query_params.get("robot", "")
        try:
            actor = await person_of(scope, rooms.guard)
            allowed = may(actor, "data:read") and await rooms.assignments.reaches(actor.id, robot)
        except MooringError:
            allowed = False
        if not allowed or not self._parts.callers.page_may(scope, NAME):
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        watcher = Watcher(actor.id, outbox)
        rooms.hub.watch(robot, watcher)
        try:
            with self._parts.standing.watching(actor, _closer(outbox)):
                while (await receive())["type"] != "websocket.disconnect":
                    pass
        finally:
            rooms.hub.unwatch(robot, watcher)


def _closer(outbox: Outbox) -> Callable[[str], None]:
    return lambda reason: outbox.close(1000, reason)
