"""The composition root: opens stores, bus, rooms and doors in order, and closes them in reverse.

Nothing is built at import.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mooring.access.guard import Guard
from mooring.access.routes import routes as access_routes
from mooring.access.service import AccessService
from mooring.adapters.clock import SystemClock
from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.adapters.local_bus import LocalBus
from mooring.adapters.lock import folder_lock, make_folder
from mooring.devices.admission import Admission
from mooring.devices.assignments.passes import Passes
from mooring.devices.assignments.routes import routes as assignment_routes
from mooring.devices.assignments.service import Assignments
from mooring.devices.claiming.service import Claims
from mooring.devices.journal.service import Journal
from mooring.devices.model import Device
from mooring.devices.presence import Presence
from mooring.devices.routes import routes as device_routes
from mooring.devices.service import Registry
from mooring.devices.twin.routes import routes as twin_routes
from mooring.devices.twin.service import Twins
from mooring.doors.console.pages import Console
from mooring.doors.devices.http import DataDoor
from mooring.doors.devices.payloads import Payloads
from mooring.doors.devices.posting import Post
from mooring.doors.devices.recording import recorder
from mooring.doors.devices.sessions import Sessions
from mooring.doors.devices.websocket import DeviceDoor
from mooring.doors.dialects.battery.opening import Battery, open_battery
from mooring.doors.dialects.battery.opening import Ground as BatteryGround
from mooring.doors.dialects.influx import InfluxDoor
from mooring.doors.dialects.opening import Ground, Opened, open_dialects
from mooring.doors.dialects.openness import LOOPBACK
from mooring.doors.dialects.thingsboard.opening import Bounds as MqttBounds
from mooring.doors.dialects.thingsboard.opening import Mqtt, open_mqtt
from mooring.doors.front import Doors, Front
from mooring.doors.listening import Listener
from mooring.doors.people import health, overview
from mooring.doors.people.control import control_door
from mooring.doors.people.feed import Feed
from mooring.doors.people.guarding import PeopleWriters
from mooring.doors.people.live import LiveDoor
from mooring.doors.people.rest import application
from mooring.kernel.actor import Actor
from mooring.kernel.clock import iso
from mooring.kernel.errors import Invalid, Unavailable
from mooring.settings import Settings
from mooring.storage.database import Database
from mooring.storage.migrations import migrate
from mooring.telemetry.history import History, Question
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.routes import Rooms
from mooring.telemetry.routes import routes as telemetry_routes
from mooring.telemetry.series import Series

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mooring:
    """A running server without its port: the ASGI application and what the command line wants to know."""

    app: Front
    post: Post
    access: AccessService
    made_password: str | None
    listeners: tuple[Listener, ...] = ()


class _Stopped(Exception):
    """The server stops: the tasks of its group are cancelled."""


@dataclass(frozen=True, slots=True)
class _Stores:
    clock: SystemClock
    bus: LocalBus
    database: Database
    series: Series


@dataclass(frozen=True, slots=True)
class _Fleet:
    journal: Journal
    presence: Presence
    admission: Admission
    registry: Registry
    ingest: Ingest
    history: History
    twins: Twins
    assignments: Assignments


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Mooring]:
    """Open everything, yield the application, and close in reverse: doors, then ingest, then stores."""
    _refuse_unsafe(settings)
    async with AsyncExitStack() as stack:
        stores = await _open_stores(settings, stack)
        access = await AccessService.open(
            stores.database, stores.clock, bus=stores.bus, registration_open=settings.registration_open
        )
        password = settings.admin_password.get_secret_value() if settings.admin_password else None
        made = await access.ensure_admin(settings.admin_username, password)
        fleet = await _open_fleet(settings, stores, stack)
        tasks = await stack.enter_async_context(_background())
        front, listeners = _open_doors(settings, stores, fleet, access, tasks)
        await stack.enter_async_context(control_door(settings.data_dir, access))
        tasks.create_task(_load_latest(stores.series, fleet.ingest))
        tasks.create_task(_sweep(access, stores.clock))
        yield Mooring(front, front.post_at_once, access, made, listeners)


def _refuse_unsafe(settings: Settings) -> None:
    if settings.open_dialects and settings.host not in LOOPBACK:
        log.warning(
            "open without credentials on %s: %s (MOORING_OPEN_DIALECTS)",
            settings.host,
            ", ".join(settings.open_dialects),
        )
    if settings.mongodb_uri:
        raise Invalid("MONGODB_URI is set, but there is no MongoDB store", hint="unset it, or set MOORING_DATABASE_URL")


async def _open_stores(settings: Settings, stack: AsyncExitStack) -> _Stores:
    make_folder(settings.data_dir)
    stack.enter_context(folder_lock(settings.data_dir))
    database = await Database.open(settings.people_url)
    stack.push_async_callback(database.close)
    await migrate(database)
    series = _series(settings)
    await series.open()
    stack.push_async_callback(series.close)
    return _Stores(SystemClock(), LocalBus(), database, series)


def _series(settings: Settings) -> Series:
    if settings.database_url.startswith("postgres"):
        # Optional: asyncpg comes with the extra "postgres".
        from mooring.adapters.postgres_series import PostgresSeries

        return PostgresSeries(settings.database_url, deadline_s=settings.query_timeout_s)
    return DuckDBSeries(
        settings.data_dir,
        memory_mb=settings.memory_limit_mb,
        reserve_bytes=settings.disk_reserve_mb << 20,
        deadline_s=settings.query_timeout_s,
    )


async def _open_fleet(settings: Settings, stores: _Stores, stack: AsyncExitStack) -> _Fleet:
    journal = Journal(stores.database, stores.bus)
    presence = Presence(stores.database, stores.bus, stores.clock, journal, heartbeat_s=settings.heartbeat_timeout_s)
    admission = Admission(stores.database)
    registry = Registry(
        stores.database, stores.bus, stores.clock, presence=presence, admission=admission, journal=journal
    )
    ingest = Ingest(
        stores.series,
        stores.clock,
        stores.bus,
        record_events=recorder(journal),
        seen=presence.seen_many,
        max_waiting=settings.max_waiting_readings,
    )
    history = History(stores.series, ingest.latest, stores.clock, shared=bool(settings.database_url))

    async def forget(device_id: str) -> None:
        await ingest.forget(device_id)
        ingest.latest.forget(await history.numbers_of(device_id))
        await stores.series.forget(device_id)

    registry.on_delete(forget)
    await presence.restore()
    stack.push_async_callback(presence.save)
    await stack.enter_async_context(_committing(ingest))
    twins = Twins(stores.database, stores.bus, stores.clock)
    assignments = Assignments(stores.database, stores.clock, journal)
    return _Fleet(journal, presence, admission, registry, ingest, history, twins, assignments)


@asynccontextmanager
async def _committing(ingest: Ingest) -> AsyncIterator[None]:
    """Keep commits going; at the end finish what was accepted."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest.run(), name="ingest")
        try:
            yield
        finally:
            ingest.close()


@asynccontextmanager
async def _background() -> AsyncIterator[asyncio.TaskGroup]:
    """Own the tasks that run as long as the server does; they are cancelled when it stops."""
    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                yield tasks
            finally:
                tasks.create_task(_stop())
    except* _Stopped:
        pass


async def _stop() -> None:
    raise _Stopped


def _open_doors(
    settings: Settings, stores: _Stores, fleet: _Fleet, access: AccessService, tasks: asyncio.TaskGroup
) -> tuple[Front, tuple[Listener, ...]]:
    guard = Guard(access)
    sessions, rates = Sessions(), overview.Rates(fleet.ingest, stores.clock)
    origins = tuple(settings.allowed_origins)
    feed = Feed(stores.bus, stores.clock, fleet.registry, _newest_of(fleet.ingest))
    rooms = Rooms(fleet.history, fleet.registry, fleet.presence, fleet.ingest.sources)
    ground = Ground(
        bus=stores.bus,
        clock=stores.clock,
        guard=guard,
        access=access,
        admission=fleet.admission,
        assignments=fleet.assignments,
        passes=Passes(stores.database, stores.clock, fleet.admission),
        registry=fleet.registry,
        presence=fleet.presence,
        journal=fleet.journal,
        ingest=fleet.ingest,
        history=fleet.history,
        sessions=sessions,
        tasks=tasks,
    )
    dialects = _dialects(settings, ground)
    mqtt = _mqtt(settings, stores, fleet, ground, dialects)
    rest = application(
        [
            access_routes(access, guard, devices_used=fleet.registry.count_owned),
            telemetry_routes(rooms, guard),
            device_routes(fleet.registry, fleet.journal, guard, details=_details(fleet)),
            assignment_routes(fleet.assignments, guard),
            twin_routes(fleet.twins, guard),
            mqtt.router,
            overview.routes(fleet.registry, stores.series, rates, guard, started_at=iso(stores.clock.now())),
            health.routes(_checks(stores, fleet.ingest), _metrics(fleet, sessions, feed), guard),
        ]
    )
    for work in (fleet.presence.run(), feed.run(), rates.run(), sessions.run(stores.bus)):
        tasks.create_task(work)
    battery = _battery(settings, stores, fleet, dialects, tasks)
    payloads = Payloads(fleet.registry)
    tasks.create_task(payloads.run(stores.bus))
    influx = InfluxDoor(
        fleet.ingest, fleet.registry, dialects.arrivals, dialects.callers, max_body=settings.max_body_bytes
    )
    listeners = [Listener("mqtt", settings.mqtt_port, "MOORING_MQTT_PORT", mqtt.door)]
    if "tcp" in settings.open_dialects:
        listeners += [
            Listener("battery", settings.battery_port, "MOORING_BATTERY_PORT", battery.frames),
            Listener("predictor", settings.predictor_port, "MOORING_PREDICTOR_PORT", battery.objects),
        ]
    front = Front(
        Doors(
            data=DataDoor(
                fleet.ingest,
                fleet.admission,
                PeopleWriters(guard, fleet.registry),
                payloads,
                max_body=settings.max_body_bytes,
            ),
            device=DeviceDoor(fleet.ingest, fleet.admission, fleet.presence, sessions, tasks, payloads=payloads),
            live=LiveDoor(feed, guard, stores.clock, origins=origins),
            rest=rest,
            console=Console(),
            origins=origins,
            ways=(mqtt.way, *dialects.ways, battery.door, influx),
        )
    )
    return front, tuple(listener for listener in listeners if listener.port)


def _mqtt(settings: Settings, stores: _Stores, fleet: _Fleet, ground: Ground, dialects: Opened) -> Mqtt:
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


def _battery(settings: Settings, stores: _Stores, fleet: _Fleet, dialects: Opened, tasks: asyncio.TaskGroup) -> Battery:
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
        checks=_checks(stores, fleet.ingest),
        tasks=tasks,
    )
    return open_battery(
        ground,
        by_address=settings.battery_by_address,
        keep_days=settings.battery_keep_days,
        max_connections=settings.max_connections,
    )


def _newest_of(ingest: Ingest) -> Callable[[str], dict[str, Any]]:
    """Return what tells the newest values of a device in use, for listeners that fell behind."""

    def newest(device_id: str) -> dict[str, Any]:
        found = {key: ingest.latest.get(no) for key, no in ingest.sources.get(device_id).series.items()}
        return {key: latest.value for key, latest in found.items() if latest is not None}

    return newest


def _details(fleet: _Fleet) -> Callable[[Actor, Device], Any]:
    """Return what adds to one device's answer: its recent data and how it is doing."""

    async def details(_: Actor, device: Device) -> dict[str, Any]:
        recent = await fleet.history.ask(device.id, Question(limit=20))
        line = fleet.presence.connectivity(device.id)
        metrics = {"readings": recent.total, "connections": line.connections, "silent_s": line.silent_s}
        return {"recent_data": recent.rows, "command_history": [], "metrics": metrics}

    return details


def _checks(stores: _Stores, ingest: Ingest) -> Mapping[str, health.Check]:
    async def store_of_readings() -> None:
        await stores.series.probe()
        if ingest.full:
            raise Unavailable("readings come faster than they can be stored")

    return {"readings": store_of_readings, "database": stores.database.probe}


def _metrics(fleet: _Fleet, sessions: Sessions, feed: Feed) -> health.Metrics:
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


async def _load_latest(series: Series, ingest: Ingest) -> None:
    """Fetch the newest values from the store; until then only what has arrived since the start is known."""
    try:
        ingest.latest.load(await series.newest())
    except Unavailable as error:
        log.warning("newest values could not be loaded: %s", error.message)


async def _sweep(access: AccessService, clock: SystemClock) -> None:
    """Remove what nobody can use any more, once an hour."""
    while True:
        try:
            await access.sweep()
        except Unavailable as error:
            log.warning("old sessions could not be removed: %s", error.message)
        await clock.sleep(3600)


@asynccontextmanager
async def people_only(settings: Settings) -> AsyncIterator[AccessService]:
    """Open just the accounts of a data folder no server is running on, for the command line."""
    async with AsyncExitStack() as stack:
        database = await _alone(settings, stack)
        await migrate(database)
        yield await AccessService.open(database, SystemClock())


async def migrated(settings: Settings) -> bool:
    """Bring the database to this program's schema; return whether anything had to be done."""
    async with AsyncExitStack() as stack:
        return await migrate(await _alone(settings, stack))


async def _alone(settings: Settings, stack: AsyncExitStack) -> Database:
    if not settings.database_url:
        make_folder(settings.data_dir)
        stack.enter_context(folder_lock(settings.data_dir))
    database = await Database.open(settings.people_url)
    stack.push_async_callback(database.close)
    return database
