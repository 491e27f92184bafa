"""The REST part of contract A. Its answers may be read by pages of any origin while the dialect is open."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from mooring.access.model import require
from mooring.doors.dialects.openness import Callers, cors_headers, preflight_headers
from mooring.doors.dialects.robots.fleet import Robots
from mooring.doors.problems import status_of
from mooring.doors.request import reply
from mooring.doors.ways import Handler
from mooring.kernel.actor import Actor
from mooring.kernel.errors import MooringError
from mooring.wire import json

NAME = "robots"
_JSON = {"content-type": "application/json"}


class RobotsGate:
    """Who may read the fleet, over REST and over Socket.IO."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def page_may(self, scope: Scope) -> bool:
        """Tell whether a page may read the fleet: of any origin while the dialect is open."""
        return self._callers.is_open(NAME) or self._callers.page_may(scope, NAME)

    async def admit(self, scope: Scope, given: str | None = None) -> Actor:
        """Return who reads the fleet; raises NotAuthenticated or PermissionMissing."""
        actor = await self._callers.actor(scope, NAME, given=given)
        if actor.kind != "device":
            require(actor, "data:read")
        return actor


class RobotsDoor:
    """A way in."""

    def __init__(self, robots: Robots, gate: RobotsGate) -> None:
        self._robots = robots
        self._gate = gate

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves ``/robots`` and ``/robots/<id>``."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            return None
        path = scope["path"]
        if path != "/robots" and (not path.startswith("/robots/") or "/" in path[8:].rstrip("/")):
            return None
        return self._preflight if scope["method"] == "OPTIONS" else self._read

    async def _preflight(self, scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 204, preflight_headers(scope) if self._gate.page_may(scope) else {}, b"")

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, body = await self._answer(scope)
        allowed = cors_headers(scope) if self._gate.page_may(scope) else {}
        await reply(send, status, {**_JSON, **allowed}, b"" if scope["method"] == "HEAD" else body)

    async def _answer(self, scope: Scope) -> tuple[int, bytes]:
        robot_id = scope["path"][8:].rstrip("/")
        try:
            view = await self._robots.view(await self._gate.admit(scope))
        except MooringError as error:
            return status_of(error), json.encode({"error": error.message})
        if not robot_id:
            return 200, view.text.encode()
        robot = view.find(robot_id)
        if robot is None:
            return 404, b'{"error":"Robot not found"}'
        return 200, json.encode(robot)
