"""What the server tells of itself: a device's details, whether it can store, its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mooring.app.ground import Fleet, Stores
from mooring.devices.model import Device
from mooring.doors.devices.sessions import Sessions
from mooring.doors.people import health
from mooring.doors.people.feed import Feed
from mooring.kernel.actor import Actor
from mooring.kernel.errors import Unavailable
from mooring.telemetry.history import Question
from mooring.telemetry.ingest import Ingest


def newest_of(ingest: Ingest) -> Callable[[str], dict[str, Any]]:
    """Return what tells the newest values of a device in use, for listeners that fell behind."""

    def newest(device_id: str) -> dict[str, Any]:
        found = {key: ingest.latest.get(no) for key, no in ingest.sources.get(device_id).series.items()}
        return {key: latest.value for key, latest in found.items() if latest is not None}

    return newest


def details(fleet: Fleet) -> Callable[[Actor, Device], Any]:
    """Return what adds to one device's answer: its recent data and how it is doing."""

    async def details(_: Actor, device: Device) -> dict[str, Any]:
        recent = await fleet.history.ask(device.id, Question(limit=20))
        line = fleet.presence.connectivity(device.id)
        metrics = {"readings": recent.total, "connections": line.connections, "silent_s": line.silent_s}
        return {"recent_data": recent.rows, "command_history": [], "metrics": metrics}

    return details


def checks(stores: Stores, ingest: Ingest) -> Mapping[str, health.Check]:
    async def store_of_readings() -> None:
        await stores.series.probe()
        if ingest.full:
            raise Unavailable("readings come faster than they can be stored")

    return {"readings": store_of_readings, "database": stores.database.probe}


def metrics(fleet: Fleet, sessions: Sessions, feed: Feed) -> health.Metrics:
    ingest = fleet.ingest

    def measured() -> dict[str, tuple[str, str, float]]:
        return {
            "mooring_frames_stored_total": ("counter", "Frames stored since the start.", ingest.frames_stored),
            "mooring_readings_stored_total": ("counter", "Readings stored since the start.", ingest.readings_stored),
            "mooring_readings_waiting": ("gauge", "Readings accepted and not yet on disk.", ingest.waiting),
            "mooring_devices_online": ("gauge", "Devices online on this node.", fleet.presence.online_count),
            "mooring_device_sockets": ("gauge", "Sockets held by devices.", len(sessions)),
            "mooring_live_listeners": ("gauge", "People listening to the live feed.", feed.listeners),
        }

    return measured
