"""Attributes are the twin: devices write the reported side, are told of the desired side, never see the server's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mooring.devices.twin.service import Twins
from mooring.kernel.bus import Bus
from mooring.kernel.events import TwinChanged
from mooring.wire.thingsboard import AttributeRequest, chosen

AttributeEar = Callable[[dict[str, Any]], None]


class Attributes:
    """Answers requests for attributes and tells devices of changed shared ones."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self._ears: dict[str, list[AttributeEar]] = {}

    async def asked(self, device_id: str, request: AttributeRequest) -> dict[str, Any]:
        """Return ``{"client": …, "shared": …}`` as far as it was asked for and is there."""
        twin = await self.twins.get(device_id)
        return chosen(request, twin.reported, twin.desired)

    def listen(self, device_id: str, ear: AttributeEar) -> None:
        """Tell `ear` of changed shared attributes from now on."""
        self._ears.setdefault(device_id, []).append(ear)

    def leave(self, device_id: str, ear: AttributeEar) -> None:
        """Tell it no more."""
        ears = self._ears.get(device_id)
        if ears is not None and ear in ears:
            ears.remove(ear)
            if not ears:
                del self._ears[device_id]

    async def run(self, bus: Bus) -> None:
        """Pass on changes of the desired side until cancelled; who fell behind is told everything again."""
        subscription = bus.subscribe(TwinChanged, capacity=10_000)
        lost = 0
        async for event in subscription:
            if subscription.lost != lost:
                lost = subscription.lost
                await self._tell_all()
            if isinstance(event, TwinChanged) and event.part == "desired":
                self._tell(event)

    def _tell(self, event: TwinChanged) -> None:
        for ear in tuple(self._ears.get(event.device_id, ())):
            if event.changed:
                ear(dict(event.changed))
            if event.removed:
                ear({"deleted": list(event.removed)})

    async def _tell_all(self) -> None:
        for device_id, ears in list(self._ears.items()):
            desired = (await self.twins.get(device_id)).desired
            for ear in tuple(ears) if desired else ():
                ear(dict(desired))
