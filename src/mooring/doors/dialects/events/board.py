"""Who watches on ``/ws/frontend``: every recorded event goes to each front-end that may see its device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mooring.devices.service import Registry
from mooring.doors.dialects.outbox import Outbox
from mooring.doors.dialects.roll import Roll
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import iso
from mooring.kernel.events import DeviceChanged, DeviceEventRecorded
from mooring.wire import json


@dataclass(slots=True, eq=False)
class Watcher:
    """One front-end; ``visible`` None means all devices."""

    actor: Actor
    visible: frozenset[str] | None
    outbox: Outbox


class Board:
    """Deals recorded events out; one per process."""

    def __init__(self, registry: Registry, roll: Roll) -> None:
        self._registry = registry
        self._roll = roll
        self._watchers: set[Watcher] = set()

    async def join(self, actor: Actor, outbox: Outbox) -> Watcher:
        """Return a new watcher, who hears events from now on."""
        watcher = Watcher(actor, await self._registry.visible_ids(actor), outbox)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        self._watchers.discard(watcher)

    async def run(self, bus: Bus) -> None:
        """Deal until cancelled."""
        async for event in bus.subscribe(DeviceEventRecorded, DeviceChanged, capacity=10_000):
            if not self._watchers:
                continue
            if isinstance(event, DeviceEventRecorded):
                await self._deal(event)
            elif isinstance(event, DeviceChanged) and event.change == "created":
                self._show(event)

    async def _deal(self, event: DeviceEventRecorded) -> None:
        watching = [each for each in self._watchers if each.visible is None or event.device_id in each.visible]
        if not watching:
            return
        names = await self._roll.names([event.device_id])
        text = json.encode(_told(event, names.get(event.device_id, event.device_id))).decode()
        for watcher in watching:
            if not watcher.outbox.put(text):
                # Events are not dropped in silence: a front-end that lags behind reads /device-events again.
                watcher.outbox.close(1008, "reads too slowly")

    def _show(self, event: DeviceChanged) -> None:
        for watcher in self._watchers:
            if watcher.visible is not None and watcher.actor.id == event.owner_id:
                watcher.visible |= {event.device_id}


def _told(event: DeviceEventRecorded, name: str) -> dict[str, Any]:
    """Return a broadcast: the device's own keys as it sent them, with ``id`` and ``timestamp`` beside them."""
    told = {"id": event.id, "timestamp": iso(event.at), **event.body}
    if "payload" in event.body and "device_id" not in event.body:
        return {**told, "event": event.body}
    if told.get("device_id") in (None, event.device_id):
        told["device_id"] = name
    return {**told, "event_type": told.get("event_type", event.event_type)}
