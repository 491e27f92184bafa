"""A stream of WebSocket frames, cut anywhere, reaches the application as through uvicorn's own protocol."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from mooring.doors.devices.burst import BurstProtocol

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LIMIT = 70_000


class Line:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)


async def heard(kind: type[WebSocketsSansIOProtocol], chunks: list[bytes]) -> tuple[list[Any], bytes, bool]:
    """Feed `chunks` and return what the application received, what was written back, and whether it was closed."""
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            messages.append((message["type"], message.get("text"), message.get("bytes"), message.get("code")))
            if message["type"] == "websocket.disconnect":
                return

    config = uvicorn.Config(app, ws=kind, ws_max_size=LIMIT, ws_per_message_deflate=False, ws_ping_interval=None)
    config.lifespan, config.log_config, config.interface = "off", None, "asgi3"
    config.load()
    protocol, line = kind(config, ServerState(), {}), Line()
    protocol.connection_made(line)  # type: ignore[arg-type]
    protocol.data_received(UPGRADE)
    await turns(4)
    upgraded = len(line.written)
    for chunk in chunks:
        if not line.closed:
            protocol.data_received(chunk)
            await turns(1)
    await turns(60)
    protocol.connection_lost(None)
    await turns(4)
    return messages, line.written[upgraded:], line.closed


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def frame(opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


GOOD = [
    frame(Opcode.TEXT, b""),
    frame(Opcode.TEXT, '{"seq":1,"unit":"°C"}'.encode()),
    frame(Opcode.TEXT, b"x" * 125),
    frame(Opcode.TEXT, b"y" * 126),
    frame(Opcode.PING, b"are you there"),
    frame(Opcode.PONG, b"yes"),
]
ODD = {
    "binary": frame(Opcode.BINARY, b"\0\1"),
    "fragments": frame(Opcode.TEXT, b"ab", fin=False) + frame(Opcode.PING, b"") + frame(Opcode.CONT, b"cd"),
    "text inside fragments": frame(Opcode.TEXT, b"ab", fin=False) + frame(Opcode.TEXT, b"cd"),
    "not UTF-8": frame(Opcode.TEXT, b"\xff"),
    "unmasked": frame(Opcode.TEXT, b"hello", mask=False),
    "reserved bit": b"\xc1\x80abcd",
    "close": frame(Opcode.CLOSE, b"\x03\xe8bye"),
    "large": frame(Opcode.TEXT, b"z" * 66_000),
    "too large": frame(Opcode.TEXT, b"z" * (LIMIT + 1)),
}


@pytest.mark.parametrize("odd", ODD)
async def test_frames_cut_at_every_byte_are_heard_as_by_uvicorn(odd: str) -> None:
    stream = b"".join(GOOD) + ODD[odd][:400] + (b"" if len(ODD[odd]) > 400 else GOOD[1])
    chunks = [stream[at : at + 1] for at in range(len(stream))]
    assert await heard(BurstProtocol, chunks) == await heard(WebSocketsSansIOProtocol, chunks)


@pytest.mark.parametrize("odd", ODD)
async def test_frames_cut_at_random_are_heard_as_by_uvicorn(odd: str) -> None:
    rng = random.Random(odd)
    for _ in range(20):
        good = b"".join(rng.choices(GOOD, k=6))
        cuts = sorted(rng.randrange(len(good)) for _ in range(4))
        chunks = [good[a:b] for a, b in zip([0, *cuts], [*cuts, len(good)], strict=True) if b > a]
        # An error in the read that brought good frames makes uvicorn drop those; so the odd frame comes by itself.
        chunks += [ODD[odd], GOOD[1]]
        assert await heard(BurstProtocol, chunks) == await heard(WebSocketsSansIOProtocol, chunks)


async def test_good_frames_before_an_error_in_the_same_read_are_heard() -> None:
    messages, _, closed = await heard(BurstProtocol, [GOOD[1] + ODD["unmasked"]])
    assert messages[0][1] == '{"seq":1,"unit":"°C"}'
    assert messages[-1][0] == "websocket.disconnect"
    assert closed
