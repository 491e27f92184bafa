"""The Series port on PostgreSQL: a pool, a deadline on everything, and the driver's errors turned into the port's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import numpy as np

from mooring.adapters.postgres_series import append, numbering, reads, removal
from mooring.adapters.postgres_series.days import Days
from mooring.adapters.postgres_series.failures import borrowed, driver
from mooring.adapters.postgres_series.schema import LOCK_DAYS, check_durable, prepare
from mooring.kernel.errors import MooringError, Unavailable
from mooring.telemetry.series import (
    BootMark,
    Bucket,
    BucketQuery,
    Columns,
    Committed,
    Newest,
    NewSeries,
    RangeQuery,
    Row,
    SeriesInfo,
    SeriesStats,
)

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

_CONNECT_S = 10
# Partitions are pruned by the times asked for, which a generic plan does not know; compiling costs more than it saves.
_SETTINGS = {"application_name": "mooring", "plan_cache_mode": "force_custom_plan", "jit": "off"}


class PostgresSeries:
    """Readings in the schema ``mooring_series`` of the database at `url`; any number of nodes may share it."""

    def __init__(self, url: str, *, deadline_s: float = 30.0) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._deadline_s = deadline_s
        self._pool: Pool | None = None
        self._days = Days(0)

    async def open(self) -> None:
        """Connect, create what is missing; raises ``Unavailable``, also where a commit would not be durable."""
        asyncpg = driver()
        try:
            pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=8,
                timeout=_CONNECT_S,
                command_timeout=self._deadline_s,
                server_settings=_SETTINGS,
                init=check_durable,
            )
        except MooringError:
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise Unavailable(
                f"PostgreSQL cannot be reached: {type(error).__name__}",
                hint="check host, port, name, user and password of the database address",
            ) from error
        try:
            async with borrowed(pool, self._deadline_s) as connection:
                self._days = Days(await prepare(connection))
        except BaseException:
            pool.terminate()
            raise
        self._pool = pool

    async def close(self) -> None:
        """Finish the write under way and close."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), self._deadline_s)
        except TimeoutError:
            pool.terminate()

    def _borrowed(self) -> AbstractAsyncContextManager[Connection]:
        return borrowed(self._pool, self._deadline_s)

    async def probe(self) -> None:
        """Raise ``Unavailable`` if a batch could not be stored now."""
        async with self._borrowed() as connection:
            await check_durable(connection)

    async def append(self, columns: Columns) -> Committed:
        """Store one batch durably, in days that are made as they come."""
        async with self._borrowed() as connection:
            await self._make_days(connection, columns)
            try:
                return await append.append(connection, columns)
            except driver().CheckViolationError:
                # No partition took a row: one of the days has been dropped meanwhile. Nothing was stored.
                self._days.forget()
                await self._make_days(connection, columns)
                return await append.append(connection, columns)

    async def _make_days(self, connection: Connection, columns: Columns) -> None:
        at_us = columns.at_us
        if columns.text_at_us:
            at_us = np.concatenate([at_us, np.array(columns.text_at_us, np.int64)])
        missing = self._days.missing(at_us)
        if missing:
            await self._days.make(connection, LOCK_DAYS, missing)

    async def enroll(self, wanted: Sequence[NewSeries]) -> list[int]:
        """Return a number for each (device, key)."""
        async with self._borrowed() as connection:
            return await numbering.enroll(connection, wanted)

    async def boots(self, wanted: Sequence[tuple[str, str]]) -> list[BootMark]:
        """Return a mark for each (device, boot_id)."""
        async with self._borrowed() as connection:
            return await numbering.boots(connection, wanted)

    async def known(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return the digests of those (boot, seq) already stored."""
        async with self._borrowed() as connection:
            return await numbering.known(connection, wanted)

    async def forget(self, device_id: str) -> int:
        """Delete all of a device."""
        async with self._borrowed() as connection:
            return await numbering.forget(connection, device_id)

    async def erase(self, series: Sequence[int], at_us: int) -> int:
        """Delete the readings of one time."""
        async with self._borrowed() as connection:
            return await removal.erase(connection, series, at_us)

    async def expire(self, series: Sequence[int], received_before_us: int) -> int:
        """Delete readings by their age."""
        async with self._borrowed() as connection:
            return await removal.expire(connection, series, received_before_us)

    async def catalogue(self, device_ids: Sequence[str] | None = None) -> list[SeriesInfo]:
        """Return series, ordered by device and key."""
        async with self._borrowed() as connection:
            return await reads.catalogue(connection, device_ids)

    async def newest(self, series: Sequence[int] | None = None) -> list[Newest]:
        """Return the newest reading per series."""
        async with self._borrowed() as connection:
            return await reads.newest(connection, series)

    async def count(self, query: RangeQuery) -> int:
        """Count the readings of a range."""
        async with self._borrowed() as connection:
            return await reads.count(connection, query)

    async def read(self, query: RangeQuery) -> list[Row]:
        """Return the readings of a range."""
        async with self._borrowed() as connection:
            return await reads.read(connection, query)

    async def bucket(self, query: BucketQuery) -> list[Bucket]:
        """Return aggregates per interval."""
        async with self._borrowed() as connection:
            return await reads.bucket(connection, query)

    async def stats(self) -> SeriesStats:
        """Return counts and bytes at rest."""
        async with self._borrowed() as connection:
            return await reads.stats(connection)
