"""Stand-ins for what the simulator meets: a clock that jumps, and a small server that keeps books."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


class RealClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class JumpingClock:
    """A clock that goes to the next due sleeper as soon as `run` is asked to."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def now_us(self) -> int:
        return round(self.now().timestamp() * 1e6)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + seconds, next(self._order), future))
        await future

    async def run(self, seconds: float) -> None:
        """Let `seconds` pass, waking sleepers in order."""
        end = self.elapsed + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self.elapsed = max(self.elapsed, due)
            if not future.done():
                future.set_result(None)
            await self._settle()
        self.elapsed = end

    async def _settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)


Judge = Callable[["Harbour", dict[str, Any]], dict[str, Any] | None]


def store(harbour: Harbour, frame: dict[str, Any]) -> dict[str, Any] | None:
    """Keep a frame by its number and answer as a good server does."""
    known = (frame["boot_id"], frame["seq"]) in harbour.stored
    if not known:
        harbour.stored[frame["boot_id"], frame["seq"]] = frame
        harbour.order.append(frame["seq"])
    return {"seq": frame["seq"], "status": "duplicate" if known else "stored"}


class Harbour:
    """A WebSocket server for device frames; `judge` answers each frame, None leaves it unanswered."""

    def __init__(self, judge: Judge = store) -> None:
        self.judge = judge
        self.stored: dict[tuple[str, int], dict[str, Any]] = {}
        self.order: list[int] = []
        self.heard: list[Any] = []
        self.connections = 0
        self.resumes = 0
        self.refuse_with: int | None = None
        self.knows_resume = True
        self.sockets: list[ServerConnection] = []
        self.tokens: list[str] = []
        self.url = ""

    async def talk(self, socket: ServerConnection) -> None:
        self.connections += 1
        self.sockets.append(socket)
        try:
            async for text in socket:
                said = json.loads(text)
                self.heard.append(said)
                await self._answer(socket, said)
        except ConnectionClosed:
            return

    async def _answer(self, socket: ServerConnection, said: Any) -> None:
        if isinstance(said, list):
            receipts = [receipt for frame in said if (receipt := self.judge(self, frame)) is not None]
            await socket.send(json.dumps(receipts))
        elif said.get("type") == "resume":
            self.resumes += 1
            last = max((seq for boot, seq in self.stored if boot == said["boot_id"]), default=None)
            if self.knows_resume:
                await socket.send(json.dumps({"type": "resume", "boot_id": said["boot_id"], "last_seq": last}))
        elif "sensor_readings" in said:
            receipt = self.judge(self, said)
            if receipt is not None:
                await socket.send(json.dumps(receipt))

    def door(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.refuse_with is None:
            return None
        return connection.respond(HTTPStatus(self.refuse_with), "no\n")

    def drop_all(self) -> None:
        """Cut every socket without a word."""
        for socket in self.sockets:
            socket.transport.abort()


@asynccontextmanager
async def harbour_open(harbour: Harbour) -> AsyncIterator[Harbour]:
    """Serve a harbour on a free port."""
    server: Server
    async with serve(harbour.talk, "127.0.0.1", 0, process_request=harbour.door) as server:
        port = server.sockets[0].getsockname()[1]
        harbour.url = f"ws://127.0.0.1:{port}/ws/device"
        yield harbour


Reply = tuple[int, Any]
Route = Callable[[str, str, dict[str, str], Any], Reply | bytes | None]


@asynccontextmanager
async def http_open(route: Route) -> AsyncIterator[str]:
    """Serve `route(method, path, headers, body)` on a free port; bytes are sent as they are, None says nothing."""

    serving: set[asyncio.Task[Any]] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await answer_one(reader, writer)
        finally:
            serving.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        reply = route(method, path, headers, json.loads(raw) if raw else None)
        if isinstance(reply, bytes):
            writer.write(reply)
        elif reply is not None:
            content = json.dumps(reply[1]).encode()
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (reply[0], len(content)) + content)
        else:
            await reader.read()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        if serving:
            await asyncio.wait(serving, timeout=5)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `condition` holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0.005)
