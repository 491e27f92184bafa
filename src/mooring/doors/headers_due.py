"""A deadline for a request's headers, which uvicorn lacks: nobody holds a connection for free."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_DEADLINE_S = 10.0


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a deadline for a request's headers that it lacks itself."""

    _timer: asyncio.TimerHandle | None = None
    _since: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock: a connection that says nothing is closed."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Start the clock for a request's headers, the first or a further one on the same connection."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Stop the clock."""
        self._since = None
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        # One timer serves all requests that begin while it runs: a timer for each would cost as much as its headers.
        self._since = self.loop.time()
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_DEADLINE_S, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._since is None or self.transport.is_closing():
            return
        left = self._since + HEADER_DEADLINE_S - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
        else:
            self.transport.close()
