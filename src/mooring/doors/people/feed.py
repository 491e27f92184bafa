"""The live feed: what the bus tells, gathered per tick, encoded once per scope, queued per listener under a bound.

A listener that reads too slowly is not sent the past: it gets a ``gap`` marker and the newest values of what changed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from mooring.devices.service import Registry
from mooring.kernel.actor import Actor
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock, from_us, iso
from mooring.kernel.events import (
    DeviceChanged,
    DeviceEventRecorded,
    Event,
    FramesStored,
    PresenceChanged,
    SessionEnded,
    StoredFrame,
)

TICK_S = 0.05
MAX_QUEUED_BYTES = 512 * 1024
MAX_GATHERED = 50_000
_encode = msgspec.json.Encoder().encode


class LiveFrame(msgspec.Struct, gc=False):
    """A frame as people see it."""

    device_id: str
    timestamp: datetime
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a listener may and wants to hear; None means everything."""

    visible: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    keys: frozenset[str] | None = None

    def hears(self, device_id: str) -> bool:
        """Tell whether a device is in scope."""
        if self.visible is not None and device_id not in self.visible:
            return False
        return self.devices is None or device_id in self.devices

    def part(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return those values whose keys are in scope."""
        return values if self.keys is None else {key: value for key, value in values.items() if key in self.keys}


@dataclass(slots=True, eq=False)
class Listener:
    """One person's stream: messages waiting to be sent, and what to re-read if they were too many."""

    actor: Actor
    scope: Scope | None = None
    queue: deque[str] = field(default_factory=deque)
    queued_bytes: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    behind_after: int | None = None
    behind_devices: set[str] = field(default_factory=set)
    events_lost: bool = False
    ended: bool = False

    def put(self, text: str) -> bool:
        """Queue a message; False if the listener already has too much waiting."""
        if self.queued_bytes + len(text) > MAX_QUEUED_BYTES:
            return False
        self.queue.append(text)
        self.queued_bytes += len(text)
        self.ready.set()
        return True

    def take(self) -> str | None:
        """Return the next message, None if nothing waits."""
        if not self.queue:
            return None
        text = self.queue.popleft()
        self.queued_bytes -= len(text)
        return text

    def end(self) -> None:
        """Tell whoever pumps this listener to stop."""
        self.ended = True
        self.ready.set()


class Feed:
    """Gathers events from the bus and deals them out; one per process."""

    def __init__(self, bus: Bus, clock: Clock, registry: Registry, newest: Callable[[str], dict[str, Any]]) -> None:
        self.commit_seq = 0
        self._bus = bus
        self._clock = clock
        self._registry = registry
        self._newest = newest
        self._listeners: set[Listener] = set()
        self._frames: list[StoredFrame] = []
        self._presence: list[PresenceChanged] = []
        self._events: list[DeviceEventRecorded] = []
        self._changes: list[DeviceChanged] = []
        self._spilled = False
        self._wake = asyncio.Event()

    async def join(self, actor: Actor) -> Listener:
        """Return a new listener that hears nothing until it subscribes."""
        listener = Listener(actor)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    async def subscribe(self, listener: Listener, devices: Iterable[str] | None, keys: Iterable[str] | None) -> Scope:
        """Set what a listener hears, within what it may see."""
        visible = await self._registry.visible_ids(listener.actor)
        wanted = None if devices is None else frozenset(devices)
        listener.scope = Scope(visible, wanted, None if keys is None else frozenset(keys))
        return listener.scope

    @property
    def listeners(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    async def run(self) -> None:
        """Gather and deal until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather())
            tasks.create_task(self._deal())

    async def _gather(self) -> None:
        kinds: tuple[type[Event], ...] = (
            FramesStored,
            PresenceChanged,
            DeviceEventRecorded,
            DeviceChanged,
            SessionEnded,
        )
        async for event in self._bus.subscribe(*kinds, capacity=4096):
            if isinstance(event, SessionEnded):
                self._end_sessions(event)
            elif isinstance(event, FramesStored):
                self._keep_frames(event)
            elif self._listeners:
                self._keep(event)
            self._wake.set()

    def _keep_frames(self, event: FramesStored) -> None:
        self.commit_seq = event.commit_seq
        if not self._listeners:
            return
        if len(self._frames) < MAX_GATHERED:
            self._frames += event.frames
        else:
            self._spilled = True

    def _keep(self, event: Event) -> None:
        if isinstance(event, PresenceChanged):
            self._presence.append(event)
        elif isinstance(event, DeviceEventRecorded):
            self._events.append(event)
        elif isinstance(event, DeviceChanged):
            self._changes.append(event)

    def _end_sessions(self, event: SessionEnded) -> None:
        for listener in self._listeners:
            same = event.session_id in (None, listener.actor.session_id)
            if listener.actor.id == event.user_id and same:
                listener.end()

    async def _deal(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._changes:
                await self._rescope(self._changes)
            self._deal_frames()
            await self._deal_rest()
            await self._clock.sleep(TICK_S)

    async def _rescope(self, changes: list[DeviceChanged]) -> None:
        """Let listeners who see only their own devices see the new ones."""
        owners = {change.owner_id for change in changes}
        for listener in list(self._listeners):
            scope = listener.scope
            if scope is not None and scope.visible is not None and listener.actor.id in owners:
                visible = await self._registry.visible_ids(listener.actor) or frozenset()
                # A deleted device stays in scope: its former owner is still to hear that it is gone.
                own = [change for change in changes if change.owner_id == listener.actor.id]
                gone = {change.device_id for change in own if change.change == "deleted"}
                listener.scope = Scope(visible | gone, scope.devices, scope.keys)

    def _deal_frames(self) -> None:
        frames, self._frames = self._frames, []
        spilled, self._spilled = self._spilled, False
        if not frames:
            return
        for scope, listeners in self._by_scope():
            told = _told(scope, frames)
            if not told and not spilled:
                continue
            fast = [listener for listener in listeners if listener.behind_after is None]
            text = self._readings(told) if fast else ""
            for listener in listeners:
                if listener.behind_after is not None or spilled or not listener.put(text):
                    self._fall_behind(listener, told)

    def _readings(self, frames: Sequence[LiveFrame]) -> str:
        return _encode({"type": "readings", "seq": self.commit_seq, "frames": frames}).decode()

    def _fall_behind(self, listener: Listener, frames: Sequence[LiveFrame]) -> None:
        if listener.behind_after is None:
            listener.behind_after = self.commit_seq
        listener.behind_devices.update(frame.device_id for frame in frames)
        listener.ready.set()

    def catch_up(self, listener: Listener) -> list[str]:
        """Return what a listener that has drained its queue is told instead of what it missed."""
        after, devices = listener.behind_after, listener.behind_devices
        if after is None and not listener.events_lost:
            return []
        listener.behind_after, listener.behind_devices = None, set()
        lost, listener.events_lost = listener.events_lost, False
        scope = listener.scope or Scope()
        now = self._clock.now()
        frames = [
            LiveFrame(device, now, part)
            for device in sorted(devices)
            if scope.hears(device) and (part := scope.part(self._newest(device)))
        ]
        gap = {"type": "gap", "after_seq": after, "reason": "slow_reader", "events_lost": lost}
        return [_encode(gap).decode(), *(self._readings(frames[i : i + 500]) for i in range(0, len(frames), 500))]

    async def _deal_rest(self) -> None:
        presence, self._presence = self._presence, []
        events, self._events = self._events, []
        changes, self._changes = self._changes, []
        if not (presence or events or changes):
            return
        shown = [(event.device_id, _event_shown(event)) for event in events]
        for scope, listeners in self._by_scope():
            texts = [
                _message("presence", [_presence_shown(p) for p in presence if scope.hears(p.device_id)]),
                _message("events", [body for device_id, body in shown if scope.hears(device_id)]),
                _message("devices", [_change_shown(c) for c in changes if _may_know(scope, c)]),
            ]
            for listener in listeners:
                for text in texts:
                    if text and not listener.put(text):
                        listener.events_lost = True

    def _by_scope(self) -> list[tuple[Scope, list[Listener]]]:
        grouped: dict[Scope, list[Listener]] = {}
        for listener in self._listeners:
            if listener.scope is not None and not listener.ended:
                grouped.setdefault(listener.scope, []).append(listener)
        return list(grouped.items())


def _told(scope: Scope, frames: Sequence[StoredFrame]) -> list[LiveFrame]:
    """Return those frames, and of each that part, which a scope hears; a frame without readings is none to it."""
    return [
        LiveFrame(device_id, from_us(at_us), part)
        for device_id, at_us, values in frames
        if scope.hears(device_id) and (part := scope.part(values))
    ]


def _may_know(scope: Scope, change: DeviceChanged) -> bool:
    return scope.visible is None or scope.hears(change.device_id)


def _message(kind: str, items: list[dict[str, Any]]) -> str:
    return _encode({"type": kind, "items": items}).decode() if items else ""


def _presence_shown(event: PresenceChanged) -> dict[str, Any]:
    return {"device_id": event.device_id, "status": event.status, "at": iso(event.at), "reason": event.reason}


def _change_shown(event: DeviceChanged) -> dict[str, Any]:
    return {"device_id": event.device_id, "change": event.change}


def _event_shown(event: DeviceEventRecorded) -> dict[str, Any]:
    return {
        "id": event.id,
        "device_id": event.device_id,
        "event_type": event.event_type,
        "severity": event.severity,
        "message": event.message,
        "timestamp": iso(event.at),
    }
