"""The robots somebody may see, as contract A wants them; computed once a second however many ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from mooring.devices.model import Device, DeviceQuery
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.doors.dialects.robots.card import card
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.kernel.events import DeviceChanged
from mooring.telemetry.history import History
from mooring.wire import json

ROBOT_TYPE = "robot"
FRESH_S = 1.0
_PAGE = 1000
_VIEWS = 1000


@dataclass(slots=True)
class View:
    """What one caller sees: the robots by device id, and the array encoded."""

    until: float
    cards: dict[str, dict[str, Any]]
    text: str

    def find(self, robot_id: str) -> dict[str, Any] | None:
        """Return the robot of this id, which may be its shown one or the device's own."""
        known = self.cards.get(robot_id)
        return known or next((each for each in self.cards.values() if each["Robot ID"] == robot_id), None)


class Robots:
    """Contract A's reading of the fleet."""

    def __init__(self, registry: Registry, presence: Presence, history: History, clock: Clock) -> None:
        self._registry = registry
        self._presence = presence
        self._history = history
        self._clock = clock
        self._devices: dict[str, list[Device]] = {}
        self._views: dict[str, View] = {}
        self._changes = 0

    async def view(self, actor: Actor) -> View:
        """Return what `actor` sees, at most a second old."""
        whose = viewer_of(actor)
        view = self._views.get(whose)
        if view is None or self._clock.monotonic() >= view.until:
            view = await self._build(actor, whose)
            while len(self._views) >= _VIEWS:
                del self._views[next(iter(self._views))]
            self._views[whose] = view
        return view

    async def text(self, actor: Actor) -> str:
        """Return the array as JSON."""
        return (await self.view(actor)).text

    async def run(self, bus: Bus) -> None:
        """Forget who has which robots when that changes, until cancelled."""
        async for event in bus.subscribe(DeviceChanged, capacity=10_000):
            if isinstance(event, DeviceChanged):
                self._changes += 1
                self._devices.clear()
                self._views.clear()

    async def _build(self, actor: Actor, whose: str) -> View:
        before = self._changes
        devices = self._devices.get(whose) or await self._listed(actor)
        if before == self._changes and len(self._devices) < _VIEWS:
            self._devices[whose] = devices
        latest = await self._history.latest_of([device.id for device in devices]) if devices else {}
        names = Counter(device.name for device in devices)
        cards = {
            device.id: card(
                self._presence.overlay(device),
                latest.get(device.id, {}),
                # Names are unique to an owner; whoever sees several owners' robots tells twins apart by id.
                robot_id=device.name if names[device.name] == 1 else device.id,
                online=self._presence.is_online(device.id),
            )
            for device in devices
        }
        text = json.encode(list(cards.values())).decode()
        return View(self._clock.monotonic() + FRESH_S, cards, text)

    async def _listed(self, actor: Actor) -> list[Device]:
        if actor.kind == "device":
            return [device for device in await self._registry.get_many(actor, [actor.id]) if _is_robot(device)]
        devices: list[Device] = []
        cursor: str | None = None
        while True:
            query = DeviceQuery(device_type=ROBOT_TYPE, limit=_PAGE, cursor=cursor)
            page = await self._registry.find(actor, query)
            devices += page.items
            cursor = page.next
            if cursor is None:
                return devices


def viewer_of(actor: Actor) -> str:
    """Return a name for what `actor` sees: those who see the same share the work."""
    return "*" if actor.is_admin else f"{actor.kind}:{actor.id}"


def _is_robot(device: Device) -> bool:
    return device.device_type == ROBOT_TYPE
