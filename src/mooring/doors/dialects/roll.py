"""Devices by id, the most recent kept in memory until they change: what broadcasts need to name them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from mooring.devices.model import Device
from mooring.devices.service import Registry
from mooring.kernel.actor import SYSTEM
from mooring.kernel.bus import Bus
from mooring.kernel.events import DeviceChanged

REMEMBERED = 10_000


class Roll:
    """A bounded memory of devices; presence in what it returns is as old as the memory."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: OrderedDict[str, Device] = OrderedDict()
        self._changes = 0

    async def names(self, device_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of those of `device_ids` that exist."""
        return {device_id: device.name for device_id, device in (await self.devices(device_ids)).items()}

    async def devices(self, device_ids: Iterable[str]) -> dict[str, Device]:
        """Return those of `device_ids` that exist."""
        wanted = dict.fromkeys(device_ids)
        found = {device_id: self._known[device_id] for device_id in wanted if device_id in self._known}
        missing = [device_id for device_id in wanted if device_id not in found]
        if missing:
            before = self._changes
            fresh = {device.id: device for device in await self._registry.get_many(SYSTEM, missing)}
            found |= fresh
            if before == self._changes:
                self._remember(fresh)
        return found

    async def run(self, bus: Bus) -> None:
        """Forget what changes, until cancelled."""
        async for event in bus.subscribe(DeviceChanged, capacity=10_000):
            if isinstance(event, DeviceChanged):
                self._changes += 1
                self._known.pop(event.device_id, None)

    def _remember(self, devices: dict[str, Device]) -> None:
        self._known.update(devices)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
