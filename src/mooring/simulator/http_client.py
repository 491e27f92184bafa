"""A small JSON client on asyncio streams: one request a connection, bounded answers, one deadline for all of it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from mooring.simulator.errors import FleetOptionsInvalid, ServerUnreachable

MOST_HEAD = 64 * 1024
MOST_BODY = 16 * 1024 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, taken apart once."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Parse ``http[s]://host[:port][/path]``; raises FleetOptionsInvalid."""
        try:
            parts: SplitResult = urlsplit(url.strip())
            port = parts.port
        except ValueError as failure:
            raise FleetOptionsInvalid(f"not an address: {url}: {failure}") from failure
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FleetOptionsInvalid(f"not an address: {url}", hint="it looks like http://127.0.0.1:8000")
        usual = 443 if parts.scheme == "https" else 80
        return cls(parts.scheme, parts.hostname, port or usual, parts.path.rstrip("/"))

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """True for this machine."""
        return self.host.lower() in LOOPBACK

    def websocket(self, path: str) -> str:
        """Return the ``ws[s]://`` address of `path` on this server."""
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{self.netloc}{self.path}{path}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers in lower case, and the body: decoded JSON, or None where it was not JSON."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """The server's own sentence about a refusal, or the bare status."""
        if isinstance(self.body, dict):
            for name in ("message", "detail", "title", "error", "reason"):
                said = self.body.get(name)
                if isinstance(said, str) and said:
                    return said
        return f"HTTP status {self.status}"

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which the server wants to be asked again, where it says so."""
        told = self.body.get("retry_after_s") if isinstance(self.body, dict) else None
        try:
            return max(0.0, float(told if told is not None else self.headers["retry-after"]))
        except (KeyError, TypeError, ValueError):
            return None


class HttpClient:
    """Asks one server, with an API key, for JSON."""

    def __init__(self, address: Address, key: str, *, timeout_s: float = 20.0) -> None:
        self.address = address
        self._key = key
        self._timeout_s = timeout_s

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request and return its answer; raises ServerUnreachable when none comes in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(method, path, body)
        except TimeoutError as failure:
            raise self._unreachable(f"no answer within {self._timeout_s:g} s") from failure
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as failure:
            raise self._unreachable(str(failure) or type(failure).__name__) from failure

    def _unreachable(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable(
            f"no server at {self.address}: {reason}", hint="start one with `mooring serve`, or give its --url"
        )

    async def _exchange(self, method: str, path: str, body: Any) -> Answer:
        context = ssl.create_default_context() if self.address.scheme == "https" else None
        reader, writer = await asyncio.open_connection(
            self.address.host, self.address.port, ssl=context, limit=MOST_HEAD
        )
        try:
            writer.write(self._request_bytes(method, path, body))
            await writer.drain()
            return await _read_answer(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2.0):
                    await writer.wait_closed()

    def _request_bytes(self, method: str, path: str, body: Any) -> bytes:
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [
            f"{method} {self.address.path}{path} HTTP/1.1",
            f"Host: {self.address.netloc}",
            f"X-API-Key: {self._key}",
            "Accept: application/json",
            "User-Agent: mooring-simulator",
            "Connection: close",
        ]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    status, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"))
    if headers.get("transfer-encoding", "").lower() == "chunked":
        content = await _read_chunks(reader)
    elif "content-length" in headers:
        content = await reader.readexactly(_bounded(int(headers["content-length"])))
    elif status == 204:
        content = b""
    else:
        content = await reader.read(MOST_BODY)
    try:
        return Answer(status, msgspec.json.decode(content) if content else None, headers)
    except msgspec.DecodeError:
        return Answer(status, None, headers)


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ValueError(f"not HTTP: {first[:40]!r}")
    pairs = (line.split(":", 1) for line in rest if ":" in line)
    return int(words[1]), {name.strip().lower(): value.strip() for name, value in pairs}


def _bounded(size: int) -> int:
    if not 0 <= size <= MOST_BODY:
        raise ValueError(f"an answer of {size} bytes")
    return size


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    content = bytearray()
    while True:
        size = int((await reader.readline()).split(b";", 1)[0], 16)
        if size == 0:
            return bytes(content)
        _bounded(len(content) + size)
        content += await reader.readexactly(size)
        await reader.readexactly(2)
