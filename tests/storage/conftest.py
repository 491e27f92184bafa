"""Fixtures of the storage tests: an open, empty store of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.postgres import database_url, postgres_server, postgres_url

from mooring.storage.database import Database

__all__ = ["database_url", "postgres_server", "postgres_url"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give an empty store."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
