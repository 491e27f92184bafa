"""The stores under contract: each test of a port runs once per implementation, on an empty store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.adapters.postgres_series import PostgresSeries
from mooring.telemetry.series import Series

Opener = Callable[[], Series]


@pytest.fixture(params=["duckdb", "postgres"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Give a way to make one more program on the same store; it is not opened yet."""
    if request.param == "duckdb":
        return lambda: DuckDBSeries(tmp_path / "data", reserve_bytes=0)
    url = request.getfixturevalue("postgres_url")
    return lambda: PostgresSeries(url)


@pytest.fixture
async def store(opener: Opener) -> AsyncIterator[Series]:
    """Give an open, empty store."""
    made = opener()
    await made.open()
    yield made
    await made.close()
