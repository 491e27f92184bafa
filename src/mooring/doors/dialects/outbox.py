"""Texts on their way to one WebSocket: bounded, in order, and no task while there is nothing to send."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from starlette.types import Send

MAX_BYTES = 256 * 1024
_EACH = 100


class Outbox:
    """What one connection is owed; a reader that leaves more than a bound lying is told so by ``put``."""

    def __init__(self, send: Send, tasks: asyncio.TaskGroup, *, max_bytes: int = MAX_BYTES) -> None:
        self.closed = False
        self._send = send
        self._tasks = tasks
        self._max_bytes = max_bytes
        self._queue: deque[str] = deque()
        self._bytes = 0
        self._sending = False
        self._drained: asyncio.Event | None = None

    def put(self, text: str) -> bool:
        """Queue a text; False, and nothing queued, if too much is waiting or the connection is closed."""
        if self.closed or self._bytes + len(text) > self._max_bytes:
            return False
        self._queue.append(text)
        self._bytes += len(text) + _EACH
        if not self._sending:
            self._sending = True
            self._tasks.create_task(self._flush())
        return True

    def put_all(self, texts: Iterable[str]) -> None:
        """Queue answers that are owed: whoever asks them has to wait for ``room`` before asking more."""
        for text in texts:
            self._queue.append(text)
            self._bytes += len(text) + _EACH
        if self._queue and not self._sending and not self.closed:
            self._sending = True
            self._tasks.create_task(self._flush())

    async def room(self) -> None:
        """Wait until less than half of the bound is waiting."""
        if self._bytes > self._max_bytes // 2 and not self.closed:
            self._drained = asyncio.Event()
            await self._drained.wait()

    def refuse(self, reason: str) -> None:
        """Close the connection as a matter of policy."""
        self.close(1008, reason)

    def close(self, code: int, reason: str) -> None:
        """Close the connection soon; what waits is not sent."""
        if not self.closed:
            self._end()
            self._tasks.create_task(self._say({"type": "websocket.close", "code": code, "reason": reason}))

    async def _flush(self) -> None:
        try:
            while self._queue:
                text = self._queue.popleft()
                if not await self._say({"type": "websocket.send", "text": text}):
                    self._end()
                    return
                self._bytes -= len(text) + _EACH
                if self._drained is not None and self._bytes <= self._max_bytes // 2:
                    self._drained.set()
                    self._drained = None
        finally:
            self._sending = False

    async def _say(self, message: dict[str, object]) -> bool:
        try:
            await self._send(message)
        except (OSError, RuntimeError):
            return False  # The other end is gone.
        return True

    def _end(self) -> None:
        self.closed = True
        self._queue.clear()
        self._bytes = 0
        if self._drained is not None:
            self._drained.set()
            self._drained = None
