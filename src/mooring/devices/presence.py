"""Whether devices are there: sockets counted, heartbeats timed, changes told on the bus and written in batches.

Hearing a device touches memory only; ``run`` writes. A device is online while it has a socket, or for its heartbeat
timeout after it was last heard. Doors must therefore close sockets whose other end is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from mooring.devices import store
from mooring.devices.journal.service import Journal
from mooring.devices.model import Device
from mooring.devices.unsaved import Change, Unsaved
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock, from_us
from mooring.kernel.events import PresenceChanged
from mooring.storage.database import Database

HEARTBEAT_S = 60.0
TICK_S = 0.5
SAVE_SEEN_EVERY_S = 5.0
# Frames sent before a socket broke are stored a moment after it; they do not bring the device back.
AFTERGLOW_S = 2.0

_log = logging.getLogger(__name__)


class Connectivity(NamedTuple):
    """What is known of a device's line right now; ``silent_s`` is None while it is not online."""

    online: bool
    connections: int
    heartbeat_s: float
    silent_s: float | None


class Presence:
    """Knows which devices are there; one per process."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, journal: Journal, *, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        """Write to `database` and `journal`, tell `bus`; `heartbeat_s` holds for devices without their own."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._journal = journal
        self._heartbeat_s = heartbeat_s
        self._own_heartbeat_s: dict[str, float] = {}
        # The keys are the devices online now, the values when each was last heard (monotonic seconds).
        self._heard: dict[str, float] = {}
        self._connections: dict[str, int] = {}
        self._left: dict[str, float] = {}
        # A wheel of whole seconds: a device is looked at once per timeout, not at every sweep.
        self._wheel: dict[int, set[str]] = {}
        self._slot: dict[str, int] = {}
        self._unsaved = Unsaved()
        self._saving = Unsaved()
        self._one_saver = asyncio.Lock()
        self._seen_saved_at = clock.monotonic()

    # -- what doors and telemetry tell; none of it waits

    def connected(self, device_id: str, reason: str = "connected", *, told: bool = False) -> None:
        """Count a socket of a device; the first one brings it online. `told`: the device records that itself."""
        self._connections[device_id] = self._connections.get(device_id, 0) + 1
        self._left.pop(device_id, None)
        self._hear([device_id], self._clock.now_us(), reason, told=told)

    def disconnected(self, device_id: str, reason: str = "connection closed", *, told: bool = False) -> None:
        """Count a socket down; with the last one the device is offline. `told`: somebody else records that."""
        count = self._connections.get(device_id, 0)
        if count > 1:
            self._connections[device_id] = count - 1
        elif self._connections.pop(device_id, None) is not None:
            self._leave(device_id, reason, told=told)

    def seen(self, device_id: str, at_us: int | None = None) -> None:
        """Note that a device was heard, at server time `at_us` (µs since 1970)."""
        self._hear([device_id], self._clock.now_us() if at_us is None else at_us, "data received")

    def seen_many(self, device_ids: Iterable[str], at_us: int) -> None:
        """Note that devices were heard, all at server time `at_us` (µs since 1970)."""
        self._hear(device_ids, at_us, "data received")

    def expect(self, device_id: str, heartbeat_s: float | None) -> None:
        """Give a device its own heartbeat timeout in seconds, or the common one again (None)."""
        if heartbeat_s is None:
            self._own_heartbeat_s.pop(device_id, None)
        else:
            self._own_heartbeat_s[device_id] = heartbeat_s
        if device_id in self._heard:
            self._look_again(device_id, self._heard[device_id])

    def forget(self, device_id: str) -> None:
        """Drop a deleted device; a socket it still holds counts for nothing."""
        for known in (self._heard, self._connections, self._slot, self._own_heartbeat_s):
            known.pop(device_id, None)
        self._unsaved.forget(device_id)
        self._left[device_id] = self._clock.monotonic()

    # -- what others ask

    @property
    def online_count(self) -> int:
        """How many devices are online on this node."""
        return len(self._heard)

    def is_online(self, device_id: str) -> bool:
        """Tell whether a device is there."""
        return device_id in self._heard

    def connectivity(self, device_id: str) -> Connectivity:
        """Return what is known of a device's line."""
        heard = self._heard.get(device_id)
        return Connectivity(
            online=heard is not None,
            connections=self._connections.get(device_id, 0),
            heartbeat_s=self._timeout_s(device_id),
            silent_s=None if heard is None else max(0.0, self._clock.monotonic() - heard),
        )

    def overlay(self, device: Device) -> Device:
        """Return `device` as the store gave it, with what is not yet saved laid over it."""
        status = self._unsaved.statuses.get(device.id) or self._saving.statuses.get(device.id)
        seen_us = self._unsaved.seen_us.get(device.id) or self._saving.seen_us.get(device.id)
        if status is None and seen_us is None:
            return device
        last_seen = device.last_seen if seen_us is None else from_us(seen_us)
        return replace(device, status=status or device.status, last_seen=last_seen)

    # -- what the owner of the task calls

    async def restore(self) -> None:
        """Take over who was online when the server stopped; the silent among them time out like any other."""
        async with self._database.reading() as connection:
            online = await store.online_devices(connection)
        now = self._clock.monotonic()
        for device_id in online:
            if device_id not in self._heard:
                self._heard[device_id] = now
                self._look_again(device_id, now)

    async def run(self) -> None:
        """Sweep and save until cancelled; a store that fails is tried again at the next turn."""
        failing = False
        while True:
            await self._clock.sleep(TICK_S)
            try:
                await self.sweep()
            except Exception as error:
                if not failing:
                    _log.warning("presence cannot be saved, will keep trying: %s", error)
                failing = True
            else:
                failing = False

    async def sweep(self) -> list[str]:
        """Put devices offline whose heartbeat timed out, write what changed, and return those devices."""
        silent = self.expire()
        now = self._clock.monotonic()
        if now - self._seen_saved_at >= SAVE_SEEN_EVERY_S:
            await self.save()
        elif self._unsaved.statuses or self._unsaved.changes:
            await self.save(seen=False)
        return silent

    def expire(self) -> list[str]:
        """Put devices offline whose heartbeat timed out, in memory and on the bus, and return them."""
        now = self._clock.monotonic()
        silent = [device_id for device_id in self._due(now) if self._is_silent(device_id, now)]
        for device_id in silent:
            self._leave(device_id, f"no heartbeat for {self._timeout_s(device_id):g} s", afterglow=False)
        self._forget_departures(now)
        return silent

    async def save(self, *, seen: bool = True) -> None:
        """Write what memory holds back, in units of at most a thousand devices; on failure it stays held back."""
        async with self._one_saver:
            self._saving = self._unsaved.taken(seen=seen)
            if seen:
                self._seen_saved_at = self._clock.monotonic()
            try:
                await self._saving.write(self._database, self._journal)
            finally:
                self._unsaved.take_back(self._saving)
                self._saving = Unsaved()

    # -- how

    def _hear(self, device_ids: Iterable[str], at_us: int, reason: str, *, told: bool = False) -> None:
        heard = dict.fromkeys(device_ids, self._clock.monotonic())
        self._unsaved.seen_us.update(dict.fromkeys(heard, at_us))
        arrived = heard.keys() - self._heard.keys()
        for device_id in arrived & self._left.keys():
            del heard[device_id]
        self._heard.update(heard)
        for device_id in arrived & heard.keys():
            self._look_again(device_id, self._heard[device_id])
            self._change(Change(device_id, "online", from_us(at_us), reason, told))

    def _leave(self, device_id: str, reason: str, *, afterglow: bool = True, told: bool = False) -> None:
        self._slot.pop(device_id, None)
        if self._heard.pop(device_id, None) is None:
            return
        if afterglow:
            self._left[device_id] = self._clock.monotonic()
        self._change(Change(device_id, "offline", self._clock.now(), reason, told))

    def _change(self, change: Change) -> None:
        self._unsaved.note(change)
        self._bus.publish(PresenceChanged(change.device_id, change.status, change.at, change.reason))

    def _timeout_s(self, device_id: str) -> float:
        return self._own_heartbeat_s.get(device_id, self._heartbeat_s)

    def _look_again(self, device_id: str, since: float) -> None:
        """Put a device on the wheel where its heartbeat will have timed out; it leaves its old place."""
        slot = int(since + self._timeout_s(device_id)) + 1
        self._slot[device_id] = slot
        self._wheel.setdefault(slot, set()).add(device_id)

    def _due(self, now: float) -> list[str]:
        """Take the devices off the wheel whose time has come."""
        slots = [slot for slot in self._wheel if slot <= now]
        return [device_id for slot in slots for device_id in self._wheel.pop(slot) if self._slot.get(device_id) == slot]

    def _is_silent(self, device_id: str, now: float) -> bool:
        since = now if self._connections.get(device_id) else self._heard[device_id]
        if now - since >= self._timeout_s(device_id):
            return True
        self._look_again(device_id, since)
        return False

    def _forget_departures(self, now: float) -> None:
        gone = [device_id for device_id, left in self._left.items() if now - left >= AFTERGLOW_S]
        for device_id in gone:
            del self._left[device_id]
