"""Fixtures of the access tests: a migrated store of each kind, a clock that is wound by hand, the room over both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.postgres import database_url, postgres_server, postgres_url

from mooring.access.guard import Guard
from mooring.access.model import Origin, User
from mooring.access.service import AccessService
from mooring.adapters.local_bus import LocalBus
from mooring.kernel.clock import to_us
from mooring.storage.database import Database
from mooring.storage.migrations import migrate

__all__ = ["database_url", "postgres_server", "postgres_url"]

PASSWORD = "correct horse battery"
HOME = Origin(address="192.0.2.7", user_agent="a test")


class WoundClock:
    """A clock that stands still until it is wound on."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 31, 12, tzinfo=UTC)
        self.steady = 1000.0

    def wind(self, **duration: float) -> None:
        """Let time pass."""
        passed = timedelta(**duration)
        self.wall += passed
        self.steady += passed.total_seconds()

    def now(self) -> datetime:
        """Return the wall time."""
        return self.wall

    def now_us(self) -> int:
        """Return the wall time in microseconds."""
        return to_us(self.wall)

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return self.steady

    async def sleep(self, seconds: float) -> None:
        """Wind on instead of waiting."""
        self.wind(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> WoundClock:
    """Give a clock at noon of 31 January 2026."""
    return WoundClock()


@pytest.fixture
def bus() -> LocalBus:
    """Give an empty bus."""
    return LocalBus()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a migrated, empty store."""
    opened = await Database.open(database_url)
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def access(database: Database, clock: WoundClock, bus: LocalBus) -> AccessService:
    """Give the room."""
    return await AccessService.open(database, clock, bus=bus)


@pytest.fixture
def guard(access: AccessService) -> Guard:
    """Give the guard of the room."""
    return Guard(access)


@pytest.fixture
async def ada(access: AccessService) -> User:
    """Give a person with an account."""
    return await access.people.add("Ada", PASSWORD, email="ada@example.org")
