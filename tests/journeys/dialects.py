"""A server with every dialect open, and the small things its foreign clients need."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection

OPEN = {"MOORING_OPEN_DIALECTS": "robots,events,channels"}


def heard(socket: ClientConnection, timeout_s: float = 10.0) -> Any:
    """Return the next JSON message."""
    return json.loads(socket.recv(timeout=timeout_s))


def eventually(ask: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """Return what `ask` returns once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


def silent(socket: ClientConnection, seconds: float = 0.4) -> bool:
    """Tell whether nothing comes for a while."""
    try:
        socket.recv(timeout=seconds)
    except TimeoutError:
        return True
    return False


class Deaf:
    """A WebSocket client that asks for much and never reads; its window is as small as the system lets it be."""

    def __init__(self, url: str, path: str, **headers: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((parts.hostname, parts.port))
        key = base64.b64encode(os.urandom(16)).decode()
        told = {
            "Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13", **headers,
        }  # fmt: skip
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        assert b"101" in self.socket.recv(16)

    def say(self, text: str) -> None:
        """Send one text message, masked with zeroes (RFC 6455, 5.3)."""
        body = text.encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0xFE]) + len(body).to_bytes(2, "big")
        self.socket.sendall(b"\x81" + size + bytes(4) + body)

    def close(self) -> None:
        """Let go."""
        self.socket.close()
