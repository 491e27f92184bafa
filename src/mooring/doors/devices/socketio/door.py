"""The way to Socket.IO: judges origin, size and number before the library sees a request, and owns its clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import Message, Receive, Scope, Send

from mooring.devices.presence import Presence
from mooring.doors.devices.sessions import Sessions
from mooring.doors.devices.socketio.audience import Audience
from mooring.doors.devices.socketio.clients import Client
from mooring.doors.devices.socketio.frames import Frames
from mooring.doors.problems import problem_of
from mooring.doors.request import read_body, replayed, reply
from mooring.doors.ways import Handler
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Denied, Exhausted, MooringError

log = logging.getLogger(__name__)
PATH = "/socket.io"
MAX_BODY = 262_144
LOG_IN_S = 10.0
_PACKET_TYPES = "0123456"
LOOK_EVERY_S = 1.0


class Gate(Protocol):
    """Who may come in, and which pages may."""

    def page_may(self, scope: Scope) -> bool:
        """Tell whether the page behind a connection, if there is one, may be here."""

    async def admit(self, scope: Scope, given: str | None) -> Actor:
        """Return who connects, by what the handshake carries or the ``auth`` payload gives; raises a MooringError."""


class Standing(Protocol):
    """Ends the sockets of people whose session does not stand any more."""

    def add(self, actor: Actor, end: Callable[[str], None]) -> None:
        """Begin to watch."""

    def remove(self, actor: Actor, end: Callable[[str], None]) -> None:
        """Stop watching."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the door works with."""

    audience: Audience
    frames: Frames
    gate: Gate
    sessions: Sessions
    presence: Presence
    standing: Standing
    clock: Clock
    tasks: asyncio.TaskGroup
    max_clients: int


class SocketIoDoor:
    """A way in; its engine, ten megabytes of it, is loaded when the first client knocks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._audience = parts.audience
        self._wanted = asyncio.Event()
        self._loaded = asyncio.Event()
        self._engine: Any = None
        self._app: Any = None

    def find(self, scope: Scope) -> Handler | None:
        """Return what serves ``/socket.io``."""
        path = scope["path"]
        return self._serve if path == PATH or path.startswith(f"{PATH}/") else None

    async def run(self, bus: Bus) -> None:
        """Load the engine once it is wanted, then send and look after its clients until cancelled."""
        await self._wanted.wait()
        module = await asyncio.to_thread(_load)
        self._engine = module.Engine(self)
        self._app = module.socketio.ASGIApp(self._engine, socketio_path=PATH)
        self._loaded.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._audience.run(bus, self._engine))
            tasks.create_task(self._look_after())

    @property
    def clients(self) -> int:
        """Return how many clients are connected."""
        return len(self._audience.clients)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._wanted.set()
        await self._loaded.wait()
        try:
            self._judge(scope)
            if scope["type"] == "http" and scope["method"] == "POST":
                receive = replayed(await read_body(scope, receive, MAX_BODY), receive)
        except MooringError as error:
            await _refuse(scope, receive, send, error)
            return
        if scope["type"] == "websocket":
            receive = _well_formed(receive)
        try:
            await self._app(scope, receive, send)
        except (OSError, RuntimeError, ValueError):
            log.debug("a Socket.IO connection broke", exc_info=True)

    def _judge(self, scope: Scope) -> None:
        if not self._parts.gate.page_may(scope):
            raise Denied("this page may not connect here")
        if self._engine.open_sockets >= self._parts.max_clients and b"sid=" not in scope["query_string"]:
            raise Exhausted("too many Socket.IO clients", retry_after_s=5.0)

    # -- what the engine tells

    async def admit(self, scope: Scope, given: str | None) -> Actor:
        """Return who connects."""
        return await self._parts.gate.admit(scope, given)

    async def joined(self, sid: str, eio_sid: str, actor: Actor, scope: Scope) -> None:
        """Take a client in: it is watched, counted as present if it is a device, and hears what it may."""
        client = Client(sid, eio_sid, actor, is_visitor=_is_visitor(actor), end=lambda _: None)
        client.end = self._ender(client)
        await self._audience.join(client)
        if client.is_device:
            self._parts.sessions.add(actor.id, client)
            self._parts.presence.connected(actor.id, "socket.io")
        else:
            self._parts.standing.add(actor, client.end)

    def greeted(self, sid: str) -> None:
        """Send a client its first array."""
        client = self._audience.clients.get(sid)
        if client is not None:
            self._parts.tasks.create_task(self._audience.greet(client, self._engine))

    def left(self, sid: str) -> None:
        """Forget a client."""
        client = self._audience.leave(sid)
        if client is None:
            return
        if client.is_device:
            self._parts.sessions.remove(client.actor.id, client)
            self._parts.presence.disconnected(client.actor.id)
        else:
            self._parts.standing.remove(client.actor, client.end)

    async def spoken(self, sid: str, event: str, given: list[Any], answer: Callable[[Any], Any] | None) -> None:
        """Take an event; its sender waits here while as many of its frames are under way as may be."""
        client = self._audience.clients.get(sid)
        if client is not None:
            await client.turns.acquire()
            self._parts.tasks.create_task(self._answer(client, event, given, answer))

    async def _answer(self, client: Client, event: str, given: list[Any], answer: Callable[[Any], Any] | None) -> None:
        try:
            said = await self._parts.frames.answer(client, event, given)
            if answer is not None:
                await answer(said)
        except Exception:
            # A client may be gone in any way by now; the group that owns this task must live on.
            log.debug("an answer did not reach %s", client.sid, exc_info=True)
        finally:
            client.turns.release()

    def _ender(self, client: Client) -> Callable[[str], None]:
        def end(reason: str) -> None:
            log.debug("closing %s: %s", client.sid, reason)
            self._parts.tasks.create_task(self._close(client.eio_sid))

        return end

    async def _close(self, eio_sid: str) -> None:
        try:
            await self._engine.end(eio_sid)
        except Exception:
            log.debug("closing %s failed", eio_sid, exc_info=True)

    async def _look_after(self) -> None:
        """Close those who hold a socket and do not say who they are."""
        loop = asyncio.get_running_loop()
        while True:
            await self._parts.clock.sleep(LOOK_EVERY_S)
            for eio_sid in self._engine.strangers(loop.time() - LOG_IN_S):
                await self._close(eio_sid)


def _load() -> Any:
    from mooring.doors.devices.socketio import engine

    return engine


def _is_visitor(actor: Actor) -> bool:
    """Tell whether somebody came without credentials: people's sessions and keys always have an id."""
    return actor.kind == "user" and actor.session_id is None


def _well_formed(receive: Receive) -> Receive:
    """Return a receive that ends with the first message no Engine.IO client would send: the library would raise."""

    async def next_message() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive":
            text = message.get("text")
            if not text or text[0] not in _PACKET_TYPES:
                return {"type": "websocket.disconnect", "code": 1008}
        return message

    return next_message


async def _refuse(scope: Scope, receive: Receive, send: Send, error: MooringError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": error.message})
    else:
        await reply(send, *problem_of(error))
