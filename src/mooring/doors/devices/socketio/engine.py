"""python-socketio, tamed: one namespace, no binary, one session per socket, reading stops while answers pile up.

Importing it takes a moment, so that the door imports this module in a thread once the server runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import socketio
from socketio import packet
from socketio.exceptions import ConnectionRefusedError as Refused

from mooring.kernel.actor import Actor
from mooring.kernel.errors import MooringError

MAX_MESSAGE = 262_144
MAX_UNREAD = 256
UNREAD_PAUSE_S = 0.05
_QUIET = logging.getLogger("mooring.socketio")
_BINARY = ("5", "6")


class Host(Protocol):
    """What the engine tells of and asks."""

    async def admit(self, scope: Any, given: str | None) -> Actor:
        """Return who connects; raises a MooringError."""

    async def joined(self, sid: str, eio_sid: str, actor: Actor, scope: Any) -> None:
        """Take note of a client that has been let in."""

    def greeted(self, sid: str) -> None:
        """Take note that a client knows it is connected."""

    def left(self, sid: str) -> None:
        """Forget a client."""

    async def spoken(self, sid: str, event: str, given: list[Any], answer: Callable[[Any], Any] | None) -> None:
        """Take an event; wait here to make its sender wait."""


class Json:
    """JSON for both layers: strict, and every refusal a ValueError, which is what they expect."""

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Return the value of a text."""
        try:
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise ValueError(str(error)) from None

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return compact JSON."""
        return msgspec.json.encode(value).decode()


class Engine(socketio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """The protocol machine, with our own hand on what comes in."""

    def __init__(self, host: Host) -> None:
        _QUIET.setLevel(logging.CRITICAL)
        super().__init__(
            async_mode="asgi",
            # The door has judged the origin before a request comes here.
            cors_allowed_origins=lambda _origin, _environ=None: True,
            cors_credentials=False,
            max_http_buffer_size=MAX_MESSAGE,
            http_compression=False,
            namespaces=["/"],
            json=Json,
            logger=_QUIET,
            engineio_logger=_QUIET,
        )
        self._host = host
        self.since: dict[str, float] = {}
        self.on("connect", self._connect)
        self.on("disconnect", self._disconnect)

    @property
    def open_sockets(self) -> int:
        """Return how many clients there are, greeted or not."""
        return len(self.eio.sockets)

    def unread(self, eio_sid: str) -> int | None:
        """Return how many packets wait for a client in the library's queue, None if it is gone."""
        socket = self.eio.sockets.get(eio_sid)
        return None if socket is None or socket.closed else int(socket.queue.qsize())

    async def push(self, eio_sid: str, text: str) -> None:
        """Send an encoded Socket.IO packet."""
        await self.eio.send(eio_sid, text)

    async def end(self, eio_sid: str) -> None:
        """Close a client's socket whatever state it is in."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            await socket.close(wait=False, reason="server disconnect")
            # A client that does not answer the goodbye loses its connection all the same.
            socket.queue.put_nowait(None)

    def strangers(self, before: float) -> list[str]:
        """Return sockets opened before a moment (monotonic) that have not said who they are."""
        for eio_sid in [known for known in self.since if known not in self.eio.sockets]:
            del self.since[eio_sid]
        return [eio_sid for eio_sid, since in self.since.items() if since < before]

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        scope = environ["asgi.scope"]
        given = auth.get("token") if isinstance(auth, dict) else None
        try:
            actor = await self._host.admit(scope, given if isinstance(given, str) else None)
        except MooringError as error:
            raise Refused(error.message) from None
        eio_sid = self.manager.eio_sid_from_sid(sid, "/")
        await self._host.joined(sid, eio_sid, actor, scope)

    async def _disconnect(self, sid: str, *_: Any) -> None:
        self._host.left(sid)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self.since[eio_sid] = asyncio.get_running_loop().time()

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.since.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Take one message; a client that leaves its answers lying is not read on."""
        while (self.unread(eio_sid) or 0) > MAX_UNREAD:  # noqa: ASYNC110 (a queue tells nobody that it was read)
            await asyncio.sleep(UNREAD_PAUSE_S)
        if not isinstance(data, str) or data.startswith(_BINARY):
            # Attachments would be collected without a bound.
            await self.end(eio_sid)
            return
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            # Not Socket.IO: the library has no answer to that but an exception.
            await self.end(eio_sid)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        if self.manager.sid_from_eio_sid(eio_sid, "/") is not None:
            return
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid is not None and self.manager.is_connected(sid, "/"):
            self.since.pop(eio_sid, None)
            self._host.greeted(sid)

    async def _handle_event(self, eio_sid: str, namespace: str | None, number: int | None, data: Any) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if namespace not in (None, "/") or sid is None or not self.manager.is_connected(sid, "/"):
            return
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise ValueError("an event has a name")

        async def answer(value: Any) -> None:
            ack = self.packet_class(packet.ACK, namespace="/", id=number, data=[value])
            await self._send_packet(eio_sid, ack)

        await self._host.spoken(sid, data[0], data[1:], None if number is None else answer)
