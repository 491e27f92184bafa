"""The HTTP loader: raw keep-alive HTTP/1.1 connections, one request in flight on each, bytes built beforehand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from bench.load.frames import FIRST_SEQ, list_block, single_body
from bench.load.tally import Pressure, Tally
from bench.load.ws import STORED

OPEN_AT_ONCE = 50
Body = Callable[[int], bytes]  # seq of the first frame -> request body; always of one length


@dataclass(frozen=True, slots=True)
class Route:
    """Where and as whom to post, and how many frames one body holds."""

    url: str
    path: str
    token: str
    frames: int = 1

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def head(self, length: int) -> bytes:
        """Return the request head for a body of `length` bytes."""
        host, port = self.address
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


def lone_body(*, boot_id: str, salt: int) -> Body:
    """Return the bodies of single frames."""
    return single_body(boot_id=boot_id, salt=salt).take


def batch_body(size: int, *, boot_id: str, salt: int) -> Body:
    """Return the bodies ``{"frames":[…]}`` of `size` frames."""
    block = list_block(size, boot_id=boot_id, salt=salt)
    return lambda seq: b'{"frames":[' + block.take(seq)[:-1] + b"]}"


class Poster(asyncio.Protocol):
    """Posts, awaits the answer, posts again."""

    def __init__(self, route: Route, tally: Tally, body: Body) -> None:
        self.route, self.tally, self.body = route, tally, body
        self.head = route.head(len(body(FIRST_SEQ)))
        self.next_seq = FIRST_SEQ
        self.buffer = b""
        self.stopped = self.closing = False
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvloop's are not registered as asyncio's."""
        self.transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """Post the next frames."""
        data = self.head + self.body(self.next_seq)
        self.next_seq += self.route.frames
        self.tally.sent += self.route.frames
        self.sent_at = time.perf_counter()
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Gather one whole answer by its Content-Length, count what it says, and go on."""
        if self.buffer:
            data = self.buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + content_length(data[:end]):
            self.buffer = data
            return
        self.buffer = b""
        self.tally.latencies_s.append(time.perf_counter() - self.sent_at)
        stored = data.count(STORED)
        self.tally.stored += stored
        if data[9:10] != b"2" or stored != self.route.frames:
            self.tally.other += self.route.frames - stored
            self.tally.refuse(data)
        if not self.stopped:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that went away before we closed it."""
        if not self.closing:
            self.tally.lost_connections += 1

    def close(self) -> None:
        """Hang up."""
        self.closing = True
        self.transport.close()


def content_length(head: bytes) -> int:
    """Return the Content-Length a response head states, 0 without one; chunked answers are not for this loader."""
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        return 0
    return int(lower[at + 15 :].split(b"\r\n", 1)[0])


async def post(routes: list[Route], bodies: list[Body], pressure: Pressure, *, until: int = 0) -> Tally:
    """Post over one connection per route as fast as answers come; return what was stored in the measured time.

    With `until`, stop as soon as so many frames are stored: what fills a store uses this.
    """
    tally = Tally(clock=pressure.clock)
    posters = [Poster(route, tally, body) for route, body in zip(routes, bodies, strict=True)]
    loop = asyncio.get_running_loop()
    for at in range(0, len(posters), OPEN_AT_ONCE):
        some = posters[at : at + OPEN_AT_ONCE]
        await asyncio.gather(*(loop.create_connection(lambda one=one: one, *one.route.address) for one in some))  # type: ignore[misc]
    for one in posters:
        one.send()
    await asyncio.sleep(pressure.warm_s)
    before = tally.mark()
    await (asyncio.sleep(pressure.seconds) if not until else stored_enough(tally, until, pressure.seconds))
    measured = tally.since(before)
    for one in posters:
        one.stopped = True
    await asyncio.sleep(0.3)
    for one in posters:
        one.close()
    await asyncio.sleep(0.05)
    return measured.warned_by(tally)


async def stored_enough(tally: Tally, wanted: int, within_s: float) -> None:
    """Wait until `wanted` frames are stored, at most `within_s`."""
    deadline = time.perf_counter() + within_s
    # a look now and then is cheaper than an event per receipt
    while tally.stored < wanted and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
