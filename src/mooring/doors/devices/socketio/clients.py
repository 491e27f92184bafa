"""One Socket.IO client: who it is, what it hears, what it is owed, how many of its frames are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mooring.doors.devices.socketio.outbox import Outbox
from mooring.kernel.actor import Actor
from mooring.telemetry.sources import Source

AT_ONCE = 64


@dataclass(slots=True, eq=False)
class Client:
    """A connected client; ``is_visitor`` came without credentials through an open dialect."""

    sid: str
    eio_sid: str
    actor: Actor
    is_visitor: bool
    end: Callable[[str], None]
    visible: frozenset[str] | None = None
    greeted: bool = False
    outbox: Outbox = field(default_factory=Outbox)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def is_device(self) -> bool:
        """True for a device that came with its own token."""
        return self.actor.kind == "device"

    @property
    def is_person(self) -> bool:
        """True for people, who hear contract E's events."""
        return self.actor.kind == "user" and not self.is_visitor

    def hears(self, device_id: str) -> bool:
        """Tell whether contract E's events of a device are for this client."""
        return self.visible is None or device_id in self.visible
