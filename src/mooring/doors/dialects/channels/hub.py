"""Who holds which channel of which robot, and who watches it; one per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mooring.doors.dialects.outbox import Outbox
from mooring.kernel.bus import Bus
from mooring.kernel.events import FramesStored
from mooring.telemetry.sources import Sources
from mooring.wire import json

SHOWN = ("speed", "position_x", "position_y")


@dataclass(frozen=True, slots=True, eq=False)
class Watcher:
    """A person's status channel on one robot."""

    user_id: str
    outbox: Outbox


class Hub:
    """Commands go to the newest command channel of a robot; statuses go to all who watch it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._commands: dict[str, list[Outbox]] = {}
        self._data: dict[str, int] = {}
        self._watchers: dict[str, set[Watcher]] = {}

    def open_data(self, device_id: str) -> None:
        """Note a data channel."""
        self._data[device_id] = self._data.get(device_id, 0) + 1

    def close_data(self, device_id: str) -> None:
        """Forget a data channel."""
        count = self._data.pop(device_id, 1) - 1
        if count:
            self._data[device_id] = count

    def open_commands(self, device_id: str, outbox: Outbox) -> None:
        """Note a command channel."""
        self._commands.setdefault(device_id, []).append(outbox)

    def close_commands(self, device_id: str, outbox: Outbox) -> None:
        """Forget a command channel."""
        held = self._commands.get(device_id, [])
        if outbox in held:
            held.remove(outbox)
        if not held:
            self._commands.pop(device_id, None)

    def send(self, device_id: str, command: str) -> bool:
        """Send a command to a robot; False if no channel of it can take it."""
        text = json.encode({"command": command}).decode()
        return any(outbox.put(text) for outbox in reversed(self._commands.get(device_id, [])))

    def watch(self, device_id: str, watcher: Watcher) -> None:
        """Let a watcher hear a robot."""
        self._watchers.setdefault(device_id, set()).add(watcher)

    def unwatch(self, device_id: str, watcher: Watcher) -> None:
        """Forget a watcher."""
        held = self._watchers.get(device_id, set())
        held.discard(watcher)
        if not held:
            self._watchers.pop(device_id, None)

    def withdrawn(self, device_id: str, user_id: str) -> None:
        """End what a person watches of a robot that is assigned to them no longer."""
        for watcher in list(self._watchers.get(device_id, ())):
            if watcher.user_id == user_id:
                watcher.outbox.close(1000, "no longer assigned")

    def stored(self, device_id: str, state: str, values: dict[str, Any]) -> None:
        """Tell those who watch a robot of a frame that is stored; who lags behind misses it."""
        watchers = self._watchers.get(device_id)
        if watchers:
            text = json.encode({"state": state, **{key: values.get(key) for key in SHOWN}}).decode()
            for watcher in list(watchers):
                watcher.outbox.put(text)

    async def run(self, bus: Bus) -> None:
        """Tell of frames that came by other doors, until cancelled."""
        async for event in bus.subscribe(FramesStored, capacity=1024):
            if not isinstance(event, FramesStored) or not self._watchers:
                continue
            for device_id, _, values in event.frames:
                if device_id in self._watchers and device_id not in self._data and values:
                    self.stored(device_id, self._sources.get(device_id).status or "", values)
