"""A server from its settings: opened in order, closed in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mooring.access.service import AccessService
from mooring.adapters.clock import SystemClock
from mooring.adapters.lock import folder_lock, make_folder
from mooring.app.entrance import open_doors
from mooring.app.ground import open_fleet, open_stores
from mooring.doors.devices.posting import Post
from mooring.doors.dialects.openness import LOOPBACK
from mooring.doors.front import Front
from mooring.doors.listening import Listener
from mooring.doors.people.control import control_door
from mooring.kernel.errors import Invalid, Unavailable
from mooring.settings import Settings
from mooring.storage.database import Database
from mooring.storage.migrations import migrate
from mooring.telemetry.ingest import Ingest
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


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Mooring]:
    """Open everything, yield the application, and close in reverse: doors, then ingest, then stores."""
    _refuse_unsafe(settings)
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, stack)
        access = await AccessService.open(
            stores.database, stores.clock, bus=stores.bus, registration_open=settings.registration_open
        )
        password = settings.admin_password.get_secret_value() if settings.admin_password else None
        made = await access.ensure_admin(settings.admin_username, password)
        fleet = await open_fleet(settings, stores, stack)
        tasks = await stack.enter_async_context(background())
        front, listeners = open_doors(settings, stores, fleet, access, tasks)
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


@asynccontextmanager
async def background() -> AsyncIterator[asyncio.TaskGroup]:
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
