"""The HTTP port itself: a bound socket, uvicorn with the settings that close its known holes, and header deadlines."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from mooring.doors.devices.burst import BurstProtocol
from mooring.doors.devices.posting import Post, short_way
from mooring.kernel.errors import Unavailable


class Serving(Protocol):
    """A door with a port of its own."""

    def listening(self, sock: socket.socket) -> AbstractAsyncContextManager[None]:
        """Serve `sock` for the length of a block."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port beside the HTTP one: its name, number and setting, and the door behind it."""

    name: str
    port: int
    setting: str
    serving: Serving


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
    sock: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        if sock is not None:
            sock.close()
        said = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error.strerror or error}"
        raise Unavailable(f"port {port} on {host} {said}", hint=f"choose another with {setting}") from error
    sock.listen(4096)
    sock.setblocking(False)
    return sock


def server(
    app: ASGIApp, post: Post, *, max_connections: int, max_frame: int, forwarded_allow_ips: str, log_level: str
) -> uvicorn.Server:
    """Return a server for `app`, with `post` as the short way; it is given its socket by ``serve(sockets=[…])``."""
    return StoppableServer(
        uvicorn.Config(
            app,
            loop="none",
            http=short_way(post),  # type: ignore[arg-type]  # called like a class
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
