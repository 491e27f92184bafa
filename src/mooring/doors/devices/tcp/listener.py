"""One TCP port of devices that only talk: bytes become whole messages, and all that arrived in a pass of the event loop
goes on together.

A connection has no task and no timer of its own: one sweep looks after all of them, and one task starts reading again
where reading was stopped because the store was behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol, cast

from mooring.telemetry.errors import QueueFull

log = logging.getLogger(__name__)

SWEEP_S = 5.0
WAIT_S = 5.0
GATHER_BYTES = 1 << 20
RECEIVE_BYTES = 1 << 17
Part = tuple[str, bytes]


class Patience(NamedTuple):
    """How long a connection may keep silent, in seconds: at the start, inside a message, and between messages."""

    first_s: float = 60.0
    inside_s: float = 30.0
    silent_s: float = 900.0


PATIENCE = Patience()


class Framing(Protocol):
    """Cuts the stream of one connection into messages."""

    @property
    def pending(self) -> int:
        """Return how many bytes of an unfinished message are kept."""

    @property
    def skipped(self) -> int:
        """Return how many bytes were passed over as part of no message."""

    def feed(self, data: bytes) -> Sequence[bytes]:
        """Take what arrived; return what is whole now."""


class Target(Protocol):
    """Where messages go; never waits, except in ``room``."""

    @property
    def full(self) -> bool:
        """True while no more should be read."""

    async def room(self, timeout_s: float) -> None:
        """Wait until there is room; raises ``QueueFull`` after `timeout_s` seconds."""

    def take(self, parts: list[Part]) -> None:
        """Take messages in the order of their connections, each with the address it came from."""

    def opened(self, address: str) -> None:
        """Note a connection."""

    def closed(self, address: str) -> None:
        """Note its end."""


class Listener:
    """Accepts connections on one port and gathers what they say."""

    def __init__(
        self,
        name: str,
        target: Target,
        framing: Callable[[], Framing],
        *,
        max_connections: int = 10_000,
        patience: Patience = PATIENCE,
    ) -> None:
        self.name = name
        self.skipped = 0
        self._target = target
        self._framing = framing
        self._most = max_connections
        self._patience = patience
        self._connections: set[Connection] = set()
        self._parts: list[Part] = []
        self._gathered = 0
        self._paused: list[Connection] = []
        self._blocked = asyncio.Event()

    @property
    def connections(self) -> int:
        """Return how many are connected."""
        return len(self._connections)

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection: what ``loop.create_server`` wants."""
        return Connection(self, self._framing())

    @contextlib.asynccontextmanager
    async def listening(self, sock: socket.socket) -> AsyncIterator[None]:
        """Serve `sock` for the length of a block."""
        # Accepted sockets inherit it: what waits in the kernel of senders that are held back stays small as well.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        server = await asyncio.get_running_loop().create_server(self.protocol, sock=sock)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self.run())
            try:
                yield
            finally:
                server.close()
                work.cancel()

    async def run(self) -> None:
        """Look after the connections until cancelled, then end them; what is whole has been taken by then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sweep())
                tasks.create_task(self._let_go())
        finally:
            self._close()

    def _close(self) -> None:
        for connection in list(self._connections):
            connection.end()
        self._flush()

    # -- what connections tell

    def opened(self, connection: Connection) -> bool:
        """Count a connection in; False if there are too many."""
        if len(self._connections) >= self._most:
            log.warning("%s: more than %d connections: %s was refused", self.name, self._most, connection.address)
            return False
        self._connections.add(connection)
        self._target.opened(connection.address)
        return True

    def closed(self, connection: Connection) -> None:
        """Count a connection out."""
        if connection in self._connections:
            self._connections.discard(connection)
            self.skipped += connection.framing.skipped
            self._target.closed(connection.address)

    def heard(self, address: str, messages: Sequence[bytes]) -> None:
        """Gather messages; they go on once everything that arrived in this pass of the loop is gathered."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts += [(address, message) for message in messages]
        self._gathered += sum(map(len, messages))
        if self._gathered > GATHER_BYTES:
            self._flush()

    def _flush(self) -> None:
        parts, self._parts, self._gathered = self._parts, [], 0
        if parts:
            self._target.take(parts)

    def holds(self, connection: Connection) -> bool:
        """Tell whether a connection is to stop reading; it is told when to go on."""
        if not self._target.full:
            return False
        self._paused.append(connection)
        self._blocked.set()
        return True

    # -- what looks after all of them

    async def _let_go(self) -> None:
        while True:
            await self._blocked.wait()
            with contextlib.suppress(QueueFull):
                await self._target.room(WAIT_S)
                paused, self._paused = self._paused, []
                self._blocked.clear()
                for connection in paused:
                    connection.resume()

    async def _sweep(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(SWEEP_S, self._patience.first_s / 2))
            for connection in list(self._connections):
                connection.check(now(), self._patience)


class Connection(asyncio.Protocol):
    """One sender on one socket."""

    __slots__ = ("_listener", "_paused", "_since", "_spoke", "_transport", "address", "framing")

    def __init__(self, listener: Listener, framing: Framing) -> None:
        self.address = ""
        self.framing = framing
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        # When the last message was whole, or the one under way began: bytes that make no message gain no time.
        self._since = 0.0
        self._spoke = False
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is; refuse politely if there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else "local"
        self._since = asyncio.get_running_loop().time()
        if not self._listener.opened(self):
            transport.close()
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._hold()

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        inside = self.framing.pending
        messages = self.framing.feed(data)
        if messages or (not inside and self.framing.pending):
            self._since = asyncio.get_running_loop().time()
        if messages:
            self._spoke = True
            self._listener.heard(self.address, messages)
        self._hold()

    def eof_received(self) -> bool | None:
        """Close our side too."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._listener.closed(self)

    def check(self, now: float, patience: Patience) -> None:
        """Close the connection if it has kept silent for too long."""
        if self._paused:
            self._since = now
            return
        between = patience.silent_s if self._spoke else patience.first_s
        limit = patience.inside_s if self.framing.pending else between
        if now - self._since > limit:
            log.info("%s: %s was silent for %g s", self._listener.name, self.address, limit)
            self.end()

    def end(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def resume(self) -> None:
        """Go on reading, unless it has to stop again at once."""
        if self._transport is not None and not self._transport.is_closing() and not self._listener.holds(self):
            self._paused = False
            self._transport.resume_reading()

    def _hold(self) -> None:
        if not self._paused and self._transport is not None and self._listener.holds(self):
            self._paused = True
            self._transport.pause_reading()
