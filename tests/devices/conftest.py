"""A devices room on a real store of each kind, with a clock the test moves and a bus it can read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import insert

from mooring.access.tables import users
from mooring.adapters.local_bus import LocalBus
from mooring.devices.admission import Admission
from mooring.devices.journal.service import Journal
from mooring.devices.model import NewDevice, Registered
from mooring.devices.presence import Presence
from mooring.devices.service import Registry
from mooring.kernel.actor import Actor
from mooring.kernel.clock import to_us
from mooring.kernel.events import Event
from mooring.storage.database import Database
from mooring.storage.migrations import migrate

E = TypeVar("E", bound=Event)

ANNA = Actor(kind="user", id="u-anna", name="anna")
BERT = Actor(kind="user", id="u-bert", name="bert")
ROOT = Actor(kind="user", id="u-root", name="root", role="admin")


class HandClock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        self.mono = 1000.0

    def now(self) -> datetime:
        return self.wall

    def now_us(self) -> int:
        return to_us(self.wall)

    def monotonic(self) -> float:
        return self.mono

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        """Let time go by on both hands."""
        self.mono += seconds
        self.wall += timedelta(seconds=seconds)


class Ear(LocalBus):
    """A bus that also keeps what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Event] = []

    def publish(self, event: Event) -> None:
        self.heard.append(event)
        super().publish(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.heard if isinstance(event, kind)]


@dataclass
class Room:
    """The whole room, as app.py would put it together."""

    database: Database
    clock: HandClock = field(default_factory=HandClock)
    bus: Ear = field(default_factory=Ear)

    def __post_init__(self) -> None:
        self.journal = Journal(self.database, self.bus)
        self.presence = Presence(self.database, self.bus, self.clock, self.journal)
        self.admission = Admission(self.database)
        self.registry = Registry(
            self.database,
            self.bus,
            self.clock,
            presence=self.presence,
            admission=self.admission,
            journal=self.journal,
        )

    async def device(self, name: str = "rover", owner: Actor = ANNA) -> Registered:
        """Register a device."""
        return await self.registry.register(owner, NewDevice(name=name))

    def restarted(self) -> Room:
        """Return the room as a new process over the same store would find it."""
        return Room(self.database, clock=self.clock)


async def add_person(database: Database, actor: Actor, quota: int = 50) -> None:
    """Put a person into the store."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    row = {
        "id": actor.id,
        "username": actor.name,
        "username_key": actor.name,
        "password_hash": "-",
        "role": actor.role,
        "is_active": True,
        "device_quota": quota,
        "created_at": now,
        "password_changed_at": now,
    }
    async with database.writing() as connection:
        await connection.execute(insert(users).values(**row))


async def open_room(url: str) -> Room:
    """Open a store with the three people every test knows."""
    database = await Database.open(url)
    await migrate(database)
    for actor in (ANNA, BERT, ROOT):
        await add_person(database, actor)
    return Room(database)


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Room]:
    """Give a room on SQLite and on PostgreSQL."""
    opened = await open_room(database_url)
    yield opened
    await opened.database.close()
