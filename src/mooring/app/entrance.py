"""Every way in, over the rooms: the HTTP port with its doors, the dialects, and the ports beside it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from mooring.access.guard import Guard
from mooring.access.routes import routes as access_routes
from mooring.access.service import AccessService
from mooring.app.ground import Fleet, Stores
from mooring.app.telling import checks, details, metrics, newest_of
from mooring.devices.assignments.passes import Passes
from mooring.devices.assignments.routes import routes as assignment_routes
from mooring.devices.claiming.service import Claims
from mooring.devices.routes import routes as device_routes
from mooring.devices.twin.routes import routes as twin_routes
from mooring.doors.console.pages import Console
from mooring.doors.devices.http import DataDoor
from mooring.doors.devices.payloads import Payloads
from mooring.doors.devices.sessions import Sessions
from mooring.doors.devices.websocket import DeviceDoor
from mooring.doors.dialects.battery.opening import Battery, open_battery
from mooring.doors.dialects.battery.opening import Ground as BatteryGround
from mooring.doors.dialects.influx import InfluxDoor
from mooring.doors.dialects.opening import Ground, Opened, open_dialects
from mooring.doors.dialects.thingsboard.opening import Bounds as MqttBounds
from mooring.doors.dialects.thingsboard.opening import Mqtt, open_mqtt
from mooring.doors.front import Doors, Front
from mooring.doors.listening import Listener
from mooring.doors.people import health, overview
from mooring.doors.people.feed import Feed
from mooring.doors.people.guarding import PeopleWriters
from mooring.doors.people.live import LiveDoor
from mooring.doors.people.rest import Router, application
from mooring.doors.ways import Way
from mooring.kernel.clock import iso
from mooring.settings import Settings
from mooring.telemetry.routes import Rooms
from mooring.telemetry.routes import routes as telemetry_routes


def open_doors(
    settings: Settings, stores: Stores, fleet: Fleet, access: AccessService, tasks: asyncio.TaskGroup
) -> tuple[Front, tuple[Listener, ...]]:
    """Open every way in, their tasks running in `tasks`; return the application and the ports beside it."""
    ground = _ground(stores, fleet, access, tasks)
    dialects = _dialects(settings, ground)
    mqtt = _mqtt(settings, stores, fleet, ground, dialects)
    battery = _battery(settings, stores, fleet, dialects, tasks)
    influx = InfluxDoor(
        fleet.ingest, fleet.registry, dialects.arrivals, dialects.callers, max_body=settings.max_body_bytes
    )
    ways = (mqtt.way, *dialects.ways, battery.door, influx)
    front = Front(_doors(settings, stores, fleet, ground, Beside(ways, mqtt.router)))
    for work in (fleet.presence.run(), ground.sessions.run(stores.bus)):
        tasks.create_task(work)
    return front, tuple(listener for listener in _listeners(settings, mqtt, battery) if listener.port)


class Beside(NamedTuple):
    """What other doors bring to the HTTP port."""

    ways: tuple[Way, ...]
    router: Router


def _ground(stores: Stores, fleet: Fleet, access: AccessService, tasks: asyncio.TaskGroup) -> Ground:
    return Ground(
        bus=stores.bus,
        clock=stores.clock,
        guard=Guard(access),
        access=access,
        admission=fleet.admission,
        assignments=fleet.assignments,
        passes=Passes(stores.database, stores.clock, fleet.admission),
        registry=fleet.registry,
        presence=fleet.presence,
        journal=fleet.journal,
        ingest=fleet.ingest,
        history=fleet.history,
        sessions=Sessions(),
        tasks=tasks,
    )


def _doors(settings: Settings, stores: Stores, fleet: Fleet, ground: Ground, beside: Beside) -> Doors:
    origins = tuple(settings.allowed_origins)
    feed = Feed(stores.bus, stores.clock, fleet.registry, newest_of(fleet.ingest))
    payloads = Payloads(fleet.registry)
    for work in (feed.run(), payloads.run(stores.bus)):
        ground.tasks.create_task(work)
    writers = PeopleWriters(ground.guard, fleet.registry)
    return Doors(
        data=DataDoor(fleet.ingest, fleet.admission, writers, payloads, max_body=settings.max_body_bytes),
        device=DeviceDoor(
            fleet.ingest, fleet.admission, fleet.presence, ground.sessions, ground.tasks, payloads=payloads
        ),
        live=LiveDoor(feed, ground.guard, stores.clock, origins=origins),
        rest=application([*_routers(stores, fleet, ground, feed), beside.router]),
        console=Console(),
        origins=origins,
        ways=beside.ways,
    )


def _routers(stores: Stores, fleet: Fleet, ground: Ground, feed: Feed) -> list[Router]:
    guard, rates = ground.guard, overview.Rates(fleet.ingest, stores.clock)
    ground.tasks.create_task(rates.run())
    rooms = Rooms(fleet.history, fleet.registry, fleet.presence, fleet.ingest.sources)
    return [
        access_routes(ground.access, guard, devices_used=fleet.registry.count_owned),
        telemetry_routes(rooms, guard),
        device_routes(fleet.registry, fleet.journal, guard, details=details(fleet)),
        assignment_routes(fleet.assignments, guard),
        twin_routes(fleet.twins, guard),
        overview.routes(fleet.registry, stores.series, rates, guard, started_at=iso(stores.clock.now())),
        health.routes(checks(stores, fleet.ingest), metrics(fleet, ground.sessions, feed), guard),
    ]


def _listeners(settings: Settings, mqtt: Mqtt, battery: Battery) -> list[Listener]:
    listeners = [Listener("mqtt", settings.mqtt_port, "MOORING_MQTT_PORT", mqtt.door)]
    if "tcp" in settings.open_dialects:
        listeners += [
            Listener("battery", settings.battery_port, "MOORING_BATTERY_PORT", battery.frames),
            Listener("predictor", settings.predictor_port, "MOORING_PREDICTOR_PORT", battery.objects),
        ]
    return listeners


def _mqtt(settings: Settings, stores: Stores, fleet: Fleet, ground: Ground, dialects: Opened) -> Mqtt:
    claims = Claims(
        stores.database, stores.bus, stores.clock, twins=fleet.twins, admission=fleet.admission, journal=fleet.journal
    )
    bounds = MqttBounds(settings.max_connections, settings.max_frame_bytes, settings.max_body_bytes)
    return open_mqtt(ground, dialects.arrivals, fleet.twins, claims, bounds=bounds)


def _dialects(settings: Settings, ground: Ground) -> Opened:
    """Open the doors for the clients of earlier systems."""
    return open_dialects(
        ground,
        opened=settings.open_dialects,
        default_owner=settings.default_owner,
        origins=tuple(settings.allowed_origins),
        max_connections=settings.max_connections,
    )


def _battery(settings: Settings, stores: Stores, fleet: Fleet, dialects: Opened, tasks: asyncio.TaskGroup) -> Battery:
    """Open contract D: its routes, and what stands behind its two ports."""
    ground = BatteryGround(
        database=stores.database,
        series=stores.series,
        ingest=fleet.ingest,
        registry=fleet.registry,
        presence=fleet.presence,
        arrivals=dialects.arrivals,
        callers=dialects.callers,
        clock=stores.clock,
        checks=checks(stores, fleet.ingest),
        tasks=tasks,
    )
    return open_battery(
        ground,
        by_address=settings.battery_by_address,
        keep_days=settings.battery_keep_days,
        max_connections=settings.max_connections,
    )
