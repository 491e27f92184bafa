"""The HTTP port itself: a bound socket, uvicorn with the settings that close its known holes, and header deadlines."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mooring.doors.devices.burst import BurstProtocol
from mooring.kernel.errors import Unavailable

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


class StoppableServer(uvicorn.Server):
    """uvicorn's server, whose stop signals end with it: uvicorn would raise them again before the stores are closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while serving as the wish to stop, and nothing more."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def bind(host: str, port: int, *, setting: str) -> socket.socket:
    """Return a bound socket; raises ``Unavailable`` naming the port and the setting."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        said = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error.strerror or error}"
        raise Unavailable(f"port {port} on {host} {said}", hint=f"choose another with {setting}") from error
    sock.listen(4096)
    sock.setblocking(False)
    return sock


def server(
    app: ASGIApp, *, max_connections: int, max_frame: int, forwarded_allow_ips: str, log_level: str
) -> uvicorn.Server:
    """Return a server for `app`; it is given its socket by ``serve(sockets=[…])``."""
    return StoppableServer(
        uvicorn.Config(
            app,
            loop="none",
            http=DeadlineProtocol,
            ws=BurstProtocol,
            ws_max_size=max_frame,
            ws_per_message_deflate=False,
            lifespan="off",
            interface="asgi3",
            access_log=False,
            server_header=False,
            log_config=None,
            log_level=log_level,
            limit_concurrency=max_connections,
            forwarded_allow_ips=forwarded_allow_ips,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
            backlog=4096,
        )
    )
