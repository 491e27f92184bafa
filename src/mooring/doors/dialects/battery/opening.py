"""Putting contract D together: the door, and what stands behind the two TCP ports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.doors.devices.tcp.listener import Listener
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.battery.door import PACK, BatteryDoor
from mooring.doors.dialects.battery.intake import FrameIntake, ObjectIntake
from mooring.doors.dialects.battery.records import PACK_TYPE, Records
from mooring.doors.dialects.battery.streams import Streams
from mooring.doors.dialects.openness import Callers
from mooring.kernel.clock import Clock
from mooring.kernel.errors import MooringError
from mooring.storage.database import Database
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.series import Series
from mooring.wire.jsonstream import ObjectStream
from mooring.wire.packed import BATTERY
from mooring.wire.tcp import FixedFrames


@dataclass(frozen=True, slots=True)
class Battery:
    """All of the contract: the door of its routes, and two listeners that want a socket each."""

    door: BatteryDoor
    frames: Listener
    objects: Listener


@dataclass(frozen=True, slots=True)
class Ground:
    """What contract D stands on."""

    database: Database
    series: Series
    ingest: Ingest
    registry: Registry
    presence: Presence
    arrivals: Arrivals
    callers: Callers
    clock: Clock
    checks: Mapping[str, Callable[[], Awaitable[None]]]
    tasks: asyncio.TaskGroup


def open_battery(ground: Ground, *, by_address: bool, keep_days: int, max_connections: int) -> Battery:
    """Return the contract's parts, their tasks running; `by_address` makes each address on the ports a pack."""
    streams = Streams(ground.series, ground.ingest.latest, ground.registry)
    records = Records(ground.database, ground.ingest, ground.registry, streams, clock=ground.clock)

    async def pack_of(address: str) -> str:
        return await ground.arrivals.device(f"{PACK}-{address}" if by_address else PACK, PACK_TYPE)

    async def forget(device_id: str) -> None:
        streams.forget(device_id)

    async def healthy() -> bool:
        try:
            for check in ground.checks.values():
                await check()
        except MooringError:
            return False
        return True

    ground.registry.on_delete(forget)
    frames = FrameIntake(ground.ingest, ground.presence, streams, pack_of, clock=ground.clock)
    objects = ObjectIntake(records, pack_of, clock=ground.clock)
    door = BatteryDoor(
        records,
        streams,
        ground.ingest,
        registry=ground.registry,
        arrivals=ground.arrivals,
        callers=ground.callers,
        health=healthy,
    )
    for work in (records.run(keep_days), frames.run(), objects.run()):
        ground.tasks.create_task(work)
    return Battery(
        door,
        Listener("battery frames", frames, lambda: FixedFrames(BATTERY.size), max_connections=max_connections),
        Listener("battery objects", objects, ObjectStream, max_connections=max_connections),
    )
