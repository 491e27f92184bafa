"""What every door of this API works with."""

from __future__ import annotations

from dataclasses import dataclass

from mooring.devices.admission import Admission
from mooring.devices.claiming.service import Claims
from mooring.devices.errors import DeviceUnknown
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.doors.devices.calls import Calls
from mooring.doors.devices.sessions import Sessions
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.thingsboard.attributes import Attributes
from mooring.doors.dialects.thingsboard.provisioning import Provisioner
from mooring.kernel.actor import SYSTEM
from mooring.kernel.clock import Clock
from mooring.telemetry.ingest import Ingest


@dataclass(frozen=True, slots=True)
class Parts:
    """The rooms and books behind the topics and routes."""

    ingest: Ingest
    clock: Clock
    registry: Registry
    admission: Admission
    presence: Presence
    sessions: Sessions
    arrivals: Arrivals
    attributes: Attributes
    calls: Calls
    claims: Claims
    provisioner: Provisioner

    async def is_gateway(self, device_id: str) -> bool:
        """Tell whether a device may speak for others: its type is "gateway", or its configuration says so."""
        try:
            device = await self.registry.get(SYSTEM, device_id)
        except DeviceUnknown:
            return False
        return device.device_type == "gateway" or device.configuration.get("gateway") is True
