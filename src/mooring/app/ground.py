"""What everything stands on: the stores, the bus and the clock, and over them the rooms of a fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mooring.adapters.clock import SystemClock
from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.adapters.local_bus import LocalBus
from mooring.adapters.lock import folder_lock, make_folder
from mooring.devices.admission import Admission
from mooring.devices.assignments.service import Assignments
from mooring.devices.journal.service import Journal
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.devices.twin.service import Twins
from mooring.doors.devices.recording import recorder
from mooring.settings import Settings
from mooring.storage.database import Database
from mooring.storage.migrations import migrate
from mooring.telemetry.history import History
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.series import Series


@dataclass(frozen=True, slots=True)
class Stores:
    clock: SystemClock
    bus: LocalBus
    database: Database
    series: Series


@dataclass(frozen=True, slots=True)
class Fleet:
    journal: Journal
    presence: Presence
    admission: Admission
    registry: Registry
    ingest: Ingest
    history: History
    twins: Twins
    assignments: Assignments


async def open_stores(settings: Settings, stack: AsyncExitStack) -> Stores:
    make_folder(settings.data_dir)
    stack.enter_context(folder_lock(settings.data_dir))
    database = await Database.open(settings.people_url)
    stack.push_async_callback(database.close)
    await migrate(database)
    series = _series(settings)
    await series.open()
    stack.push_async_callback(series.close)
    return Stores(SystemClock(), LocalBus(), database, series)


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


async def open_fleet(settings: Settings, stores: Stores, stack: AsyncExitStack) -> Fleet:
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
    return Fleet(journal, presence, admission, registry, ingest, history, twins, assignments)


@asynccontextmanager
async def _committing(ingest: Ingest) -> AsyncIterator[None]:
    """Keep commits going; at the end finish what was accepted."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest.run(), name="ingest")
        try:
            yield
        finally:
            ingest.close()
