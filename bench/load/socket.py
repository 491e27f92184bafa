"""One WebSocket client by hand: the upgrade, and the server's messages cut out of the bytes."""

from __future__ import annotations

import asyncio
import base64
import os
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from bench.load.tally import Tally


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and as which devices: one socket per token."""

    url: str
    tokens: list[str]
    path: str = "/ws/device"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80


class Socket(asyncio.Protocol):
    """One WebSocket by hand: upgrade, then whatever a subclass does with the bytes."""

    def __init__(self, target: Target, token: str, tally: Tally) -> None:
        self.target, self.token, self.tally = target, token, tally
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not registered as such
        key = base64.b64encode(os.urandom(16)).decode()
        host, port = self.target.address
        self.transport.write(
            (
                f"GET {self.target.path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                f"Authorization: Bearer {self.token}\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        """Finish the upgrade, then hand every byte to `heard`."""
        if self.opened.done():
            self.heard(data)
            return
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        self.buffer = b""
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.opened.set_exception(ConnectionError(f"upgrade refused: {head[:200]!r} {rest[:200]!r}"))
            return
        self.opened.set_result(None)
        if rest:
            self.heard(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a socket that went away before we closed it."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the server closed the socket during the upgrade"))
        elif not self.closing:
            self.tally.lost_connections += 1

    def heard(self, data: bytes) -> None:
        """Take bytes of the server; nothing here."""

    def close(self) -> None:
        """Hang up."""
        self.closing = True
        self.transport.close()

    def messages(self, data: bytes) -> list[bytes]:
        """Return the payloads of the whole text messages that `data` completes; pings are answered."""
        buffer = self.buffer + data if self.buffer else data
        at, size, found = 0, len(buffer), []
        while size - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if start + length > size:
                break
            if buffer[at] == 0x89:
                self.transport.write(bytes((0x8A, 0x80 | length)) + b"\0\0\0\0" + buffer[start : start + length])
            else:
                found.append(buffer[start : start + length])
            at = start + length
        self.buffer = buffer[at:]
        return found
