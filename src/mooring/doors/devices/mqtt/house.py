"""What connections and the door they come in by are to each other."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from mooring.devices.model import AdmittedDevice
from mooring.doors.devices.mqtt.session import Answer
from mooring.doors.devices.mqtt.speech import Speeches
from mooring.telemetry.ingest import Ingest
from mooring.wire.mqtt.packets import Connect


class Resident(Protocol):
    """A connection, as its door sees it."""

    def close(self, reason: int, why: str) -> None:
        """End the connection; version 5 is told the reason."""

    def end(self, reason: str) -> None:
        """End it because the device's credential no longer holds."""


class House(Protocol):
    """A door, as its connections see it."""

    ingest: Ingest
    max_packet: int
    speeches: Speeches
    guest_speeches: Speeches

    def opened(self, connection: Resident) -> bool:
        """Count a connection in; False if there are too many."""

    def closed(self, connection: Resident) -> None:
        """Count a connection out."""

    async def admit(self, connect: Connect, address: str) -> tuple[int, AdmittedDevice]:
        """Return whose CONNECT this is, or the reason why nobody's."""

    def visited(self, connection: Resident) -> None:
        """Note a guest."""

    def entered(self, connection: Resident, device_id: str, client_id: str) -> None:
        """Note a session."""

    def left(self, connection: Resident, device_id: str, client_id: str, why: str) -> None:
        """Note the end of a session."""

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work of a connection that waits."""

    async def answered(self, work: Coroutine[Any, Any, None], answer: Answer) -> None:
        """Do work on behalf of a message; what it refuses becomes the answer."""
