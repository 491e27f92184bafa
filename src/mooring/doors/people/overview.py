"""``GET /api/overview``: the few numbers a fleet is judged by at a glance."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from mooring import __version__
from mooring.access.guard import Guard
from mooring.access.routes import Caller, admitted
from mooring.devices.service import Registry
from mooring.kernel.clock import Clock
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.series import Series

WINDOW_S = 10.0


class DeviceCounts(BaseModel):
    """Devices the caller may see, by presence."""

    total: int
    online: int
    offline: int
    never: int


class ReadingCounts(BaseModel):
    """Readings stored on this server, and how fast they come."""

    total: int
    per_second: float


class ServerFacts(BaseModel):
    """Which server this is."""

    name: str
    version: str
    started_at: str


class StorageFacts(BaseModel):
    """What the readings take on disk."""

    bytes: int


class SetupFacts(BaseModel):
    """What a newcomer has done already."""

    first_device: bool


class OverviewOut(BaseModel):
    """The fleet at a glance."""

    devices: DeviceCounts
    readings: ReadingCounts
    series: int
    frames_per_second: float
    server: ServerFacts
    storage: StorageFacts
    setup: SetupFacts


class Rates:
    """Frames and readings a second over the last ten seconds, from counters sampled by ``run``."""

    def __init__(self, ingest: Ingest, clock: Clock) -> None:
        self._ingest = ingest
        self._clock = clock
        self._samples: deque[tuple[float, int, int]] = deque([(clock.monotonic(), 0, 0)], maxlen=int(WINDOW_S) + 1)

    async def run(self) -> None:
        """Sample once a second until cancelled."""
        while True:
            await self._clock.sleep(1.0)
            self._samples.append((self._clock.monotonic(), self._ingest.frames_stored, self._ingest.readings_stored))

    def per_second(self) -> tuple[float, float]:
        """Return frames and readings a second."""
        (began, frames, readings), (ended, frames_now, readings_now) = self._samples[0], self._samples[-1]
        span = max(ended - began, 1e-9)
        return round((frames_now - frames) / span, 1), round((readings_now - readings) / span, 1)


def routes(registry: Registry, series: Series, rates: Rates, guard: Guard, *, started_at: str) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/api", tags=["overview"], dependencies=[admitted(guard)])

    @router.get("/overview", summary="The fleet at a glance", response_model=OverviewOut)
    async def overview(actor: Caller) -> dict[str, Any]:
        """Return counts of devices and readings, current rates, and facts about this server."""
        counts = await registry.counts(actor)
        stats = await series.stats()
        frames_per_second, readings_per_second = rates.per_second()
        return {
            "devices": asdict(counts),
            "readings": {"total": stats.readings, "per_second": readings_per_second},
            "series": stats.series,
            "frames_per_second": frames_per_second,
            "server": {"name": "mooring", "version": __version__, "started_at": started_at},
            "storage": {"bytes": stats.bytes},
            "setup": {"first_device": counts.total > 0},
        }

    return router
