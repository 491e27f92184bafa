"""Which sockets a device holds here: to reach it, and to end them the moment its credential is revoked."""

from __future__ import annotations

from typing import Protocol

from mooring.kernel.bus import Bus
from mooring.kernel.events import CredentialRevoked


class DeviceSession(Protocol):
    """A live connection of one device."""

    def end(self, reason: str) -> None:
        """Close the connection soon, telling the device why."""


class Sessions:
    """All device sessions of this process by device."""

    def __init__(self) -> None:
        self._by_device: dict[str, set[DeviceSession]] = {}

    def add(self, device_id: str, session: DeviceSession) -> None:
        """Note a session that has been admitted."""
        self._by_device.setdefault(device_id, set()).add(session)

    def remove(self, device_id: str, session: DeviceSession) -> None:
        """Forget a session that has ended."""
        held = self._by_device.get(device_id)
        if held is not None:
            held.discard(session)
            if not held:
                del self._by_device[device_id]

    def end(self, device_id: str, reason: str) -> None:
        """End every session of a device."""
        for session in list(self._by_device.get(device_id, ())):
            session.end(reason)

    def __len__(self) -> int:
        return sum(len(held) for held in self._by_device.values())

    async def run(self, bus: Bus) -> None:
        """End sessions whose credential was revoked, until cancelled."""
        async for event in bus.subscribe(CredentialRevoked, capacity=10_000):
            if isinstance(event, CredentialRevoked):
                self.end(event.device_id, "credential revoked")
