"""The ways of contract B: ``/ws``, ``/ws/device`` without a device token, ``/ws/frontend``, ``/device-events``."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from mooring.access.guard import is_key
from mooring.access.model import require
from mooring.devices.journal.service import Journal
from mooring.devices.model import EventRow
from mooring.doors.devices.credentials import device_token
from mooring.doors.dialects.events.board import Board
from mooring.doors.dialects.events.connection import EventsConnection, Parts
from mooring.doors.dialects.openness import Callers, cors_headers
from mooring.doors.dialects.outbox import Outbox
from mooring.doors.problems import problem_of
from mooring.doors.request import reply
from mooring.doors.ways import Handler
from mooring.kernel.actor import Actor
from mooring.kernel.clock import iso
from mooring.kernel.errors import Denied, Invalid, MooringError
from mooring.wire import json

NAME = "events"
MAX_ROWS = 10_000
_PAGE = 1000


class EventsDoor:
    """A way in; native devices, who come with a token of their own, are left to the native door."""

    def __init__(self, parts: Parts, callers: Callers, board: Board, journal: Journal) -> None:
        self._parts = parts
        self._callers = callers
        self._board = board
        self._journal = journal

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves this connection if it is one of contract B."""
        path = scope["path"]
        if scope["type"] == "http":
            reads = path == "/device-events" and scope["method"] in ("GET", "HEAD")
            return self._events if reads else None
        if path == "/ws/device":
            return self._device if self._is_stranger(scope) else None
        return {"/ws": self._echo, "/ws/frontend": self._frontend}.get(path)

    async def _device(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = await self._admit(scope, receive, send, "data:write")
        if actor is not None:
            connection = EventsConnection(self._parts, actor.id, Outbox(send, self._parts.tasks))
            with self._parts.standing.watching(actor, connection.end):
                await connection.serve(receive)

    def _is_stranger(self, scope: Scope) -> bool:
        """Tell whether a device comes without a token of its own: with none, or with a person's token or key."""
        token = device_token(scope) or HTTPConnection(scope).headers.get("x-api-key")
        if token is None:
            return self._callers.is_open(NAME)
        return is_key(token) or (token.startswith("eyJ") and token.count(".") == 2)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = await self._admit(scope, receive, send, "data:read")
        if actor is None:
            return
        outbox = Outbox(send, self._parts.tasks)
        with self._parts.standing.watching(actor, outbox.refuse):
            while (message := await receive())["type"] != "websocket.disconnect":
                text = message.get("text")
                if text is None:
                    text = message["bytes"].decode(errors="replace")
                outbox.put_all([f"Server received: {text}"])
                await outbox.room()

    async def _frontend(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = await self._admit(scope, receive, send, "data:read")
        if actor is None:
            return
        outbox = Outbox(send, self._parts.tasks)
        watcher = await self._board.join(actor, outbox)
        try:
            with self._parts.standing.watching(actor, outbox.refuse):
                while (await receive())["type"] != "websocket.disconnect":
                    pass
        finally:
            self._board.leave(watcher)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, permission: str) -> Actor | None:
        """Accept the socket and return who it is, or refuse it and return None."""
        await receive()
        try:
            if not self._callers.page_may(scope, NAME):
                raise Denied("this page may not connect here")
            actor = await self._callers.actor(scope, NAME)
            if actor.kind != "device":
                require(actor, permission)
        except MooringError as error:
            await send({"type": "websocket.close", "code": 1008, "reason": error.message})
            return None
        await send({"type": "websocket.accept"})
        return actor

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            actor = await self._callers.actor(scope, NAME)
            rows = await self._rows(actor, _limit(scope))
        except MooringError as error:
            await reply(send, *problem_of(error))
            return
        allowed = cors_headers(scope) if self._callers.page_may(scope, NAME) else {}
        body = b"" if scope["method"] == "HEAD" else json.encode([_row(row) for row in rows])
        await reply(send, 200, {"content-type": "application/json", **allowed}, body)

    async def _rows(self, actor: Actor, limit: int) -> list[EventRow]:
        """Return the newest `limit` events, oldest first."""
        rows: list[EventRow] = []
        cursor: str | None = None
        while len(rows) < limit:
            page = await self._journal.events(actor, limit=min(_PAGE, limit - len(rows)), cursor=cursor)
            rows += page.items
            cursor = page.next
            if cursor is None:
                break
        return rows[::-1]


def _limit(scope: Scope) -> int:
    given = HTTPConnection(scope).query_params.get("limit", "1000")
    if not given.isascii() or not given.isdigit() or not 0 < int(given[:9]) <= MAX_ROWS:
        raise Invalid(f"limit is not between 1 and {MAX_ROWS}: {given[:20]}")
    return int(given)


def _row(row: EventRow) -> dict[str, Any]:
    return {"id": row.id, "device_id": row.device_name, "event_type": row.event_type, "timestamp": iso(row.at)}
