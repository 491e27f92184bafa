"""Which partition a reading belongs to, and making it on demand.

Days from `floor` (400 days before the store was made) to the year 2100 have a partition each, made when their first
reading comes; everything before lies in one partition, everything after in another. So devices with absurd clocks
cannot make partitions without bound, and there is no default partition, which PostgreSQL would have to search before
each new day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from asyncpg import Connection

DAY_US = 86_400_000_000
FAR_DAY = (datetime(2100, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
FAR_US = FAR_DAY * DAY_US
_KEPT_DAYS = 400
# A server whose clock is unset when the store is made must not open fifty years of days.
_EARLIEST_FLOOR = (datetime(2025, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
_DAYS_AT_ONCE = 16


def floor_day(now_us: int) -> int:
    """Return the first day, counted from 1970, that gets a partition of its own in a store made now."""
    return min(max(now_us // DAY_US - _KEPT_DAYS, _EARLIEST_FLOOR), FAR_DAY)


class Days:
    """The daily partitions this node knows to exist."""

    def __init__(self, floor_us: int) -> None:
        self._floor = floor_us // DAY_US
        self._known: set[int] = set()

    def missing(self, at_us: NDArray[np.int64]) -> list[int]:
        """Return the days of these times that may have no partition yet."""
        days = np.unique(at_us // DAY_US)
        own = days[(days >= self._floor) & (days < FAR_DAY)]
        return [int(day) for day in own if int(day) not in self._known]

    def forget(self) -> None:
        """Look again: partitions may have gone."""
        self._known.clear()

    async def make(self, connection: Connection, lock: int, days: list[int]) -> None:
        """Create the partitions of `days`, in transactions of their own, one node at a time."""
        for start in range(0, len(days), _DAYS_AT_ONCE):
            some = days[start : start + _DAYS_AT_ONCE]
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
                for day in some:
                    await _make(connection, day)
            self._known.update(some)


async def _make(connection: Connection, day: int) -> None:
    name = f"mooring_series.readings_{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y%m%d}"
    if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
        return
    # Made apart and attached: CREATE … PARTITION OF would stop every reader and writer of the table for its moment.
    await connection.execute(f"CREATE TABLE {name} (LIKE mooring_series.readings)")
    await connection.execute(
        f"ALTER TABLE mooring_series.readings ATTACH PARTITION {name} "
        f"FOR VALUES FROM ({day * DAY_US}) TO ({(day + 1) * DAY_US})"
    )
