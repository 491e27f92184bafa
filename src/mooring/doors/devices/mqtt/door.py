"""The MQTT port: accepts connections, knows every client by its device and client id, and owns their tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, Final

from mooring.access.throttle import Buckets, network_of
from mooring.devices.admission import Admission
from mooring.devices.model import AdmittedDevice
from mooring.devices.presence import Presence
from mooring.doors.devices.mqtt.connection import Connection
from mooring.doors.devices.mqtt.house import Resident
from mooring.doors.devices.mqtt.session import Answer
from mooring.doors.devices.mqtt.speech import GuestSpeech, Speech, Speeches
from mooring.doors.devices.sessions import Sessions
from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError, Unavailable
from mooring.kernel.ids import digest_of
from mooring.telemetry.ingest import Ingest
from mooring.wire.mqtt.packets import Connect
from mooring.wire.mqtt.reasons import (
    BAD_CREDENTIALS,
    CLIENT_ID_INVALID,
    CONNECTION_RATE,
    NOT_AUTHORIZED,
    QUOTA_EXCEEDED,
    SHUTTING_DOWN,
    SUCCESS,
    TAKEN_OVER,
)

log = logging.getLogger(__name__)

SESSIONS_PER_DEVICE: Final = 16
GUESSES: Final = 200
GUESS_REFILL_S: Final = 1.0
MAX_GUESTS: Final = 200
NOBODY: Final = AdmittedDevice("", "", "")


class MqttDoor:
    """All MQTT connections of this process."""

    name = "mqtt"

    def __init__(
        self,
        ingest: Ingest,
        admission: Admission,
        presence: Presence,
        sessions: Sessions,
        *,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        speeches: Sequence[Speech],
        guests: GuestSpeech | None = None,
        max_connections: int = 20_000,
        max_packet: int = 262_144,
    ) -> None:
        self.ingest = ingest
        self.max_packet = max_packet
        self.speeches = Speeches(speeches)
        self.guests = guests
        self.guest_speeches = Speeches([guests] if guests else [])
        self._admission = admission
        self._presence = presence
        self._sessions = sessions
        self._tasks = tasks
        self._max_connections = max_connections
        self._connections: set[Resident] = set()
        self._visitors: set[Resident] = set()
        self._clients: dict[str, dict[str, Resident]] = {}
        self._guesses = Buckets(clock, size=GUESSES, refill_s=GUESS_REFILL_S)

    def __len__(self) -> int:
        """Return how many connections there are."""
        return len(self._connections)

    @contextlib.asynccontextmanager
    async def listening(self, sock: socket.socket, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Serve `sock` for the length of a block."""
        server = await asyncio.get_running_loop().create_server(lambda: Connection(self), sock=sock, ssl=tls)
        try:
            yield
        finally:
            server.close()
            for connection in list(self._connections):
                connection.close(SHUTTING_DOWN, "server stops")

    # -- what connections ask and tell

    def opened(self, connection: Resident) -> bool:
        """Count a connection in; False if there are too many."""
        if len(self._connections) >= self._max_connections:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: Resident) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        self._visitors.discard(connection)

    async def admit(self, connect: Connect, address: str) -> tuple[int, AdmittedDevice]:
        """Return whose CONNECT this is, or the reason why nobody's; the user name is the device's token."""
        if self.guests is not None and self.guests.welcomes(connect):
            return (SUCCESS if len(self._visitors) < MAX_GUESTS else CONNECTION_RATE), NOBODY
        token, network = connect.username, network_of(address)
        if not token:
            return _nobody(connect), NOBODY
        device = self._admission.admit_cached(digest_of(token))
        if device is None:
            if self._guesses.wait_s(network) > 0:
                return CONNECTION_RATE, NOBODY
            device = await self._admission.admit(token)
        if device is None:
            self._guesses.spend(network)
            return BAD_CREDENTIALS, NOBODY
        return SUCCESS, device

    def visited(self, connection: Resident) -> None:
        """Note a guest; there are never many, because nothing is known of them."""
        self._visitors.add(connection)

    def entered(self, connection: Resident, device_id: str, client_id: str) -> None:
        """Note a session; an older one of the same device and client id is taken over, of no other device's."""
        clients = self._clients.setdefault(device_id, {})
        older = clients.pop(client_id, None)
        clients[client_id] = connection
        if older is not None:
            older.close(TAKEN_OVER, "taken over by a new connection of the same client id")
        elif len(clients) > SESSIONS_PER_DEVICE:
            next(iter(clients.values())).close(QUOTA_EXCEEDED, f"more than {SESSIONS_PER_DEVICE} connections")
        self._sessions.add(device_id, connection)
        self._presence.connected(device_id, "mqtt")

    def left(self, connection: Resident, device_id: str, client_id: str, why: str) -> None:
        """Note the end of a session."""
        clients = self._clients.get(device_id, {})
        if clients.get(client_id) is connection:
            del clients[client_id]
        if not clients:
            self._clients.pop(device_id, None)
        self._sessions.remove(device_id, connection)
        self._presence.disconnected(device_id, why)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work of a connection that waits."""
        self._tasks.create_task(work)

    async def answered(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Do work on behalf of a message; what it refuses becomes the answer."""
        try:
            await work
        except MooringError as error:
            answer.refuse(error)
        except Exception:
            log.exception("a message could not be handled")
            answer.refuse(Unavailable("the server failed on this message"))


def _nobody(connect: Connect) -> int:
    """Return why a CONNECT without a user name is refused."""
    if connect.password:
        return BAD_CREDENTIALS
    return CLIENT_ID_INVALID if connect.client_id else NOT_AUTHORIZED
