"""The HTTP part of contract C: tokens, who am I, commands, and the way to the console."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import HTTPConnection
from starlette.types import Scope

from mooring.access.errors import LogInFailed
from mooring.access.guard import Guard
from mooring.access.model import Origin, may
from mooring.access.service import AccessService
from mooring.devices.assignments.passes import Passes
from mooring.devices.assignments.service import Assignments
from mooring.devices.journal.service import Journal
from mooring.devices.model import NewLog
from mooring.doors.dialects.channels.fields import (
    COMMANDS,
    INVALID_VALUE,
    NOT_ALLOWED,
    NOT_CONNECTED,
    TOKEN_INVALID,
    WRONG_LOGIN,
    WRONG_PAIR,
    Refused,
    texts,
)
from mooring.doors.dialects.channels.hub import Hub
from mooring.doors.dialects.channels.people import person_of
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Exhausted, Unauthenticated

Fields = dict[str, Any]
Answer = tuple[int, Any]
Route = Callable[[Scope, Fields], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the requests are answered from."""

    guard: Guard
    access: AccessService
    passes: Passes
    assignments: Assignments
    journal: Journal
    hub: Hub
    clock: Clock


class Requests:
    """One method for each route."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.routes: dict[tuple[str, str], Route] = {
            ("POST", "/users/obtain_token"): self._log_in,
            ("POST", "/users/refresh_token"): self._refresh,
            ("GET", "/users/me"): self._me,
            ("POST", "/robots/robot/obtain_token"): self._robot_token,
            ("POST", "/robots/robot/command"): self._command,
        }

    async def _log_in(self, scope: Scope, fields: Fields) -> Answer:
        username, password = texts(fields, "username", "password", strip=False)
        address = scope["client"][0] if scope.get("client") else ""
        origin = Origin(address, HTTPConnection(scope).headers.get("user-agent", ""))
        try:
            log_in = await self._rooms.access.sessions.log_in(username, password, origin)
        except LogInFailed:
            return 401, WRONG_LOGIN
        except Exhausted as error:
            wait_s = round(error.retry_after_s or 1)
            return 429, {"detail": f"Request was throttled. Expected available in {wait_s} seconds."}
        # These clients keep one refresh token and use it again and again; ours for others is good for one use only.
        return 200, {"refresh": log_in.session_token, "access": log_in.access_token}

    async def _refresh(self, _: Scope, fields: Fields) -> Answer:
        (token,) = texts(fields, "refresh")
        try:
            return 200, {"access": await self._rooms.access.sessions.renew(token)}
        except Unauthenticated:
            return 401, TOKEN_INVALID

    async def _me(self, scope: Scope, _: Fields) -> Answer:
        actor = await person_of(scope, self._rooms.guard)
        user = await self._rooms.access.people.by_id(actor.id)
        return 200, {
            "uuid": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "is_active": user.is_active,
            "robots": await self._rooms.assignments.robots_of(user.id),
        }

    async def _robot_token(self, _: Scope, fields: Fields) -> Answer:
        serial, token = texts(fields, "serial", "token")
        access = await self._rooms.passes.issue(serial, token)
        return (400, WRONG_PAIR) if access is None else (201, {"access_token": access})

    async def _command(self, scope: Scope, fields: Fields) -> Answer:
        actor = await person_of(scope, self._rooms.guard)
        if not may(actor, "devices:write"):
            return 403, NOT_ALLOWED
        robot, command = texts(fields, "robot_uuid", "command")
        wrong: dict[str, list[str]] = {}
        if not await self._rooms.assignments.reaches(actor.id, robot):
            wrong["robot_uuid"] = [INVALID_VALUE]
        if command not in COMMANDS:
            wrong["command"] = [INVALID_VALUE]
        if wrong:
            raise Refused(400, wrong)
        sent = self._rooms.hub.send(robot, command)
        said = f"{actor.name}: {command}" if sent else f"{actor.name}: {command}, not connected"
        await self._rooms.journal.write_logs([NewLog(robot, "command", said, self._rooms.clock.now())])
        return (201, None) if sent else (400, NOT_CONNECTED)


def console_address(path: str, query: str) -> str | None:
    """Return where in the console an administration address of contract C leads."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] != "admin":
        return None
    if parts[1:3] == ["robots", "robot"] and len(parts) > 3:
        if parts[3] == "add":
            return "/devices?" + urlencode({"add": "1", "type": "robot"})
        return f"/devices/{parts[3]}" + (f"?{query}" if query else "")
    if parts[1:2] == ["users"]:
        return "/account"
    return "/devices?type=robot"
