"""Putting the dialects together: what they all work with, and the ways that come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mooring.access.guard import Guard
from mooring.access.service import AccessService
from mooring.devices.admission import Admission
from mooring.devices.assignments.passes import Passes
from mooring.devices.assignments.service import Assignments
from mooring.devices.journal.service import Journal
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.doors.devices.sessions import Sessions
from mooring.doors.devices.socketio.audience import Audience
from mooring.doors.devices.socketio.door import Parts as SocketIoParts
from mooring.doors.devices.socketio.door import SocketIoDoor
from mooring.doors.devices.socketio.frames import Frames
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.channels.door import ChannelsDoor
from mooring.doors.dialects.channels.door import Parts as ChannelsParts
from mooring.doors.dialects.channels.hub import Hub
from mooring.doors.dialects.channels.requests import Rooms
from mooring.doors.dialects.events.board import Board
from mooring.doors.dialects.events.connection import Parts as EventsParts
from mooring.doors.dialects.events.door import EventsDoor
from mooring.doors.dialects.openness import Callers
from mooring.doors.dialects.robots.door import RobotsDoor, RobotsGate
from mooring.doors.dialects.robots.fleet import Robots
from mooring.doors.dialects.roll import Roll
from mooring.doors.dialects.standing import Standing
from mooring.doors.ways import Way
from mooring.kernel.bus import Bus
from mooring.kernel.clock import Clock
from mooring.telemetry.history import History
from mooring.telemetry.ingest import Ingest


@dataclass(frozen=True, slots=True)
class Ground:
    """The rooms a dialect stands on, and the group that owns its tasks."""

    bus: Bus
    clock: Clock
    guard: Guard
    access: AccessService
    admission: Admission
    assignments: Assignments
    passes: Passes
    registry: Registry
    presence: Presence
    journal: Journal
    ingest: Ingest
    history: History
    sessions: Sessions
    tasks: asyncio.TaskGroup


class Opened(NamedTuple):
    """The ways of the dialects, and who is let in and registered there."""

    ways: tuple[Way, ...]
    arrivals: Arrivals
    callers: Callers


def open_dialects(
    ground: Ground, *, opened: Sequence[str], default_owner: str, origins: tuple[str, ...], max_connections: int
) -> Opened:
    """Return the ways of all dialects, their tasks running; those in `opened` need no credentials."""
    arrivals = Arrivals(ground.registry, ground.access.people, ground.clock, default_owner=default_owner)
    callers = Callers(ground.guard, ground.admission, arrivals, open_dialects=opened, origins=origins)
    roll, standing = Roll(ground.registry), Standing(ground.guard, ground.clock)
    for run in (arrivals.run, roll.run, standing.run):
        ground.tasks.create_task(run(ground.bus))
    robots = Robots(ground.registry, ground.presence, ground.history, ground.clock)
    ground.tasks.create_task(robots.run(ground.bus))
    gate = RobotsGate(callers)
    ways = (
        RobotsDoor(robots, gate),
        _events(ground, arrivals, callers, roll, standing),
        _channels(ground, callers, standing),
        _socketio(ground, robots, gate, standing, max_clients=max_connections),
    )
    return Opened(ways, arrivals, callers)


def _socketio(ground: Ground, robots: Robots, gate: RobotsGate, standing: Standing, *, max_clients: int) -> Way:
    door = SocketIoDoor(
        SocketIoParts(
            audience=Audience(ground.registry, robots.text, ground.clock),
            frames=Frames(ground.ingest, ground.registry),
            gate=gate,
            sessions=ground.sessions,
            presence=ground.presence,
            standing=standing,
            clock=ground.clock,
            tasks=ground.tasks,
            max_clients=max_clients,
        )
    )
    ground.tasks.create_task(door.run(ground.bus))
    return door


def _channels(ground: Ground, callers: Callers, standing: Standing) -> Way:
    hub = Hub(ground.ingest.sources)
    ground.assignments.on_withdraw(hub.withdrawn)
    ground.tasks.create_task(hub.run(ground.bus))
    rooms = Rooms(
        guard=ground.guard,
        access=ground.access,
        passes=ground.passes,
        assignments=ground.assignments,
        journal=ground.journal,
        hub=hub,
        clock=ground.clock,
    )
    parts = ChannelsParts(
        rooms=rooms,
        callers=callers,
        ingest=ground.ingest,
        presence=ground.presence,
        sessions=ground.sessions,
        standing=standing,
        tasks=ground.tasks,
    )
    return ChannelsDoor(parts)


def _events(ground: Ground, arrivals: Arrivals, callers: Callers, roll: Roll, standing: Standing) -> Way:
    board = Board(ground.registry, roll)
    ground.tasks.create_task(board.run(ground.bus))
    parts = EventsParts(
        ingest=ground.ingest,
        arrivals=arrivals,
        presence=ground.presence,
        sessions=ground.sessions,
        clock=ground.clock,
        standing=standing,
        tasks=ground.tasks,
    )
    return EventsDoor(parts, callers, board, ground.journal)
