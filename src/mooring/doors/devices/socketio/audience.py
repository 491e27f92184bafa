"""What Socket.IO clients hear: the fleet every 5 s, and contract E's events a few times a second, newest only.

Texts are encoded once however many hear them, and wait in each client's outbox until the client has read the last ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Protocol

from mooring.devices.service import Registry
from mooring.doors.devices.socketio.clients import Client
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock, from_us, iso
from mooring.kernel.errors import MooringError
from mooring.kernel.events import DeviceChanged, DeviceEventRecorded, Event, FramesStored, PresenceChanged
from mooring.wire import json

TICK_S = 0.25
FLEET_EVERY_S = 5.0
MAX_GATHERED = 50_000
_STATUS_EVENT = "status_changed"


class Line(Protocol):
    """The way to a client's socket."""

    def unread(self, eio_sid: str) -> int | None:
        """Return how many packets it has not taken yet, None if it is gone."""

    async def push(self, eio_sid: str, text: str) -> None:
        """Send a packet."""


FleetOf = Callable[[Actor], Awaitable[str]]
"""Return, as JSON, the robots somebody may see."""


class Audience:
    """All clients of this process and what they are owed."""

    def __init__(self, registry: Registry, fleet_of: FleetOf, clock: Clock) -> None:
        self.clients: dict[str, Client] = {}
        self._registry = registry
        self._fleet_of = fleet_of
        self._clock = clock
        self._readings: dict[tuple[str, str], tuple[int, Any]] = {}
        self._told: list[tuple[str, Hashable, str, dict[str, Any]]] = []

    async def join(self, client: Client) -> None:
        """Add a client; it hears nothing before it is greeted."""
        if client.is_person:
            client.visible = await self._registry.visible_ids(client.actor)
        self.clients[client.sid] = client

    def leave(self, sid: str) -> Client | None:
        """Forget a client and return it."""
        return self.clients.pop(sid, None)

    async def greet(self, client: Client, line: Line) -> None:
        """Send what a client gets as it connects: the whole fleet."""
        client.greeted = True
        await self._owe_fleet([client])
        await _flush(client, line)

    def tell(self, device_id: str, event: str, subject: Hashable, body: dict[str, Any]) -> None:
        """Have people who may see a device hear a flat event; a newer one on the same subject replaces it."""
        if len(self._told) < MAX_GATHERED:
            self._told.append((device_id, (event, subject), event, {"device_id": device_id, **body}))

    async def run(self, bus: Bus, line: Line) -> None:
        """Gather, deal and send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather(bus))
            tasks.create_task(self._deal(line))
            tasks.create_task(self._repeat())

    async def _gather(self, bus: Bus) -> None:
        kinds: tuple[type[Event], ...] = (FramesStored, PresenceChanged, DeviceEventRecorded, DeviceChanged)
        async for event in bus.subscribe(*kinds, capacity=4096):
            if isinstance(event, FramesStored):
                self._gather_readings(event)
            elif isinstance(event, PresenceChanged):
                body = {"status": event.status, "timestamp": iso(event.at), "reason": event.reason}
                self.tell(event.device_id, "device_status_update", (event.device_id, "presence"), body)
            elif isinstance(event, DeviceEventRecorded) and event.event_type == _STATUS_EVENT:
                said = event.body.get("device_status")
                words = {"status": said, "device_status": said, "timestamp": iso(event.at)}
                self.tell(event.device_id, "device_status_update", (event.device_id, "said"), words)
            elif isinstance(event, DeviceChanged) and event.change == "created":
                self._show(event)

    def _gather_readings(self, event: FramesStored) -> None:
        if not any(client.is_person for client in self.clients.values()):
            return
        for device_id, at_us, values in event.frames:
            for key, value in values.items():
                if len(self._readings) < MAX_GATHERED or (device_id, key) in self._readings:
                    self._readings[device_id, key] = (at_us, value)

    def _show(self, event: DeviceChanged) -> None:
        for client in self.clients.values():
            if client.visible is not None and client.actor.id == event.owner_id:
                client.visible |= {event.device_id}

    async def _deal(self, line: Line) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            people = [client for client in self.clients.values() if client.greeted and client.is_person]
            self._owe_readings(people)
            self._owe_told(people)
            for client in list(self.clients.values()):
                if client.outbox and client.greeted:
                    await _flush(client, line)

    def _owe_readings(self, people: list[Client]) -> None:
        readings, self._readings = self._readings, {}
        for (device_id, key), (at_us, value) in readings.items():
            hearing = [client for client in people if client.hears(device_id)]
            if hearing:
                body = {"device_id": device_id, "sensor_type": key, "value": value, "timestamp": iso(from_us(at_us))}
                text = packet("sensor_data_update", json.encode(body).decode())
                for client in hearing:
                    client.outbox.put((device_id, key), text)

    def _owe_told(self, people: list[Client]) -> None:
        told, self._told = self._told, []
        for device_id, subject, event, body in told:
            hearing = [client for client in people if client.hears(device_id)]
            if hearing:
                text = packet(event, json.encode(body).decode())
                for client in hearing:
                    client.outbox.put(subject, text)

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(FLEET_EVERY_S)
            await self._owe_fleet([client for client in self.clients.values() if client.greeted])

    async def _owe_fleet(self, clients: list[Client]) -> None:
        for client in clients:
            if client.is_device:
                continue
            try:
                array = await self._fleet_of(client.actor)
            except MooringError:
                continue  # The store is not there now; the next turn comes in five seconds.
            client.outbox.put("fleet", packet("robot_data_update", array))


async def _flush(client: Client, line: Line) -> None:
    """Send what waits, if the client has taken what it was sent before."""
    if line.unread(client.eio_sid) == 0:
        for text in client.outbox.burst():
            await line.push(client.eio_sid, text)


def packet(event: str, body: str) -> str:
    """Return the Socket.IO packet (protocol 5, type EVENT, namespace /) of an event whose argument is JSON already."""
    return f'2["{event}",{body}]'
