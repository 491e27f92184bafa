"""``ws /ws/live`` and ``GET /api/stream`` (SSE): one listener of the feed each."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from mooring import __version__
from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.access.origin import origin_allowed
from mooring.doors.people.feed import TICK_S, Feed, Listener
from mooring.doors.problems import problem_of
from mooring.doors.request import reply
from mooring.kernel.actor import Actor
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Denied, Invalid, MooringError
from mooring.wire import json

log = logging.getLogger(__name__)
RECHECK_S = 1.0
HEARTBEAT_S = 15.0
MAX_ASKED = 10_000


class Wish(msgspec.Struct):
    """What a client of the live socket may say."""

    type: str
    devices: str | list[str] | None = None
    keys: list[str] | None = None


_wish = msgspec.json.Decoder(Wish)


class LiveDoor:
    """Serves live streams to people."""

    def __init__(self, feed: Feed, guard: Guard, clock: Clock, *, origins: tuple[str, ...] = ()) -> None:
        self._feed = feed
        self._guard = guard
        self._clock = clock
        self._origins = origins

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve ``ws /ws/live``."""
        await receive()
        try:
            actor = await self._admit(HTTPConnection(scope), "WEBSOCKET")
        except MooringError as error:
            await send({"type": "websocket.close", "code": 1008, "reason": error.message})
            return
        await send({"type": "websocket.accept"})

        async def write(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        listener = await self._feed.join(actor)
        await write(self._hello())
        try:
            await self._both(self._listen(listener, receive, write), self._pump(listener, write))
            await send({"type": "websocket.close", "code": 1008, "reason": "session ended"})
        except (OSError, RuntimeError):
            pass  # The reader went away while it was written to.
        finally:
            self._feed.leave(listener)

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve ``GET /api/stream?device_id=…&key=…`` as server-sent events."""
        connection = HTTPConnection(scope)
        try:
            actor = await self._admit(connection, "GET")
        except MooringError as error:
            await reply(send, *problem_of(error))
            return
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def write(text: str) -> None:
            await send({"type": "http.response.body", "body": f"data: {text}\n\n".encode(), "more_body": True})

        listener = await self._feed.join(actor)
        query = connection.query_params
        await self._feed.subscribe(listener, query.getlist("device_id") or None, query.getlist("key") or None)
        await write(self._hello())
        try:
            await self._both(_until_gone(receive), self._pump(listener, write))
            await send({"type": "http.response.body", "body": b""})
        except (OSError, RuntimeError):
            pass  # The reader went away while it was written to.
        finally:
            self._feed.leave(listener)

    async def _admit(self, connection: HTTPConnection, method: str) -> Actor:
        headers = connection.headers
        if not origin_allowed(method, headers.get("origin"), headers.get("host"), self._origins):
            raise Denied("this page may not connect here")
        actor = await self._guard.actor_of(headers, connection.cookies, connection.query_params)
        require(actor, "data:read")
        return actor

    def _hello(self) -> str:
        tick_ms = round(TICK_S * 1000)
        told = {"type": "hello", "version": __version__, "seq": self._feed.commit_seq, "tick_ms": tick_ms}
        return json.encode(told).decode()

    async def _both(self, *parts: Any) -> None:
        """Run reading and writing until either ends, then stop the other."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _listen(self, listener: Listener, receive: Receive, write: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                await self._obey(listener, message.get("text") or message.get("bytes") or "", write)
            except MooringError as error:
                await write(json.encode({"type": "error", "code": error.code, "message": error.message}).decode())
            except (msgspec.MsgspecError, RecursionError, UnicodeError):
                await write('{"type":"error","code":"invalid","message":"not a message of the live feed"}')

    async def _obey(self, listener: Listener, text: str | bytes, write: Any) -> None:
        wish = _wish.decode(text)
        if wish.type == "ping":
            await write('{"type":"pong"}')
        elif wish.type == "unsubscribe":
            listener.scope = None
            await write('{"type":"unsubscribed"}')
        elif wish.type == "subscribe":
            if isinstance(wish.devices, str) and wish.devices != "*":
                raise Invalid('devices is not "*" or a list of ids')
            devices = wish.devices if isinstance(wish.devices, list) else None
            if len(devices or ()) + len(wish.keys or ()) > MAX_ASKED:
                raise Denied(f"more than {MAX_ASKED} devices or keys asked for")
            await self._feed.subscribe(listener, devices, wish.keys)
            told = {"type": "subscribed", "devices": "*" if devices is None else devices, "keys": wish.keys}
            await write(json.encode(told).decode())
        else:
            await write(
                '{"type":"error","code":"invalid","message":"unknown type","hint":"subscribe, unsubscribe, ping"}'
            )

    async def _pump(self, listener: Listener, write: Any) -> None:
        """Send what waits, then what was missed; look every second whether the person may still listen."""
        checked = self._clock.monotonic()
        while not listener.ended:
            text = listener.take()
            if text is not None:
                await write(text)
                continue
            for late in self._feed.catch_up(listener):
                await write(late)
            listener.ready.clear()
            try:
                async with asyncio.timeout(RECHECK_S):
                    await listener.ready.wait()
            except TimeoutError:
                pass
            if self._clock.monotonic() - checked >= RECHECK_S:
                checked = self._clock.monotonic()
                if not await self._guard.stands(listener.actor):
                    return


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
