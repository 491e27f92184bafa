"""Taking single readings out again: by their time, or by when they were received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection

_AT = "DELETE FROM mooring_series.readings WHERE series = ANY($1::int[]) AND at_us = $2"
_RECEIVED = """
DELETE FROM mooring_series.readings USING mooring_series.batches
WHERE readings.series = ANY($1::int[]) AND readings.batch = batches.batch AND batches.received_us < $2
"""


async def erase(connection: Connection, series: Sequence[int], at_us: int) -> int:
    """Delete the readings of `series` at one time."""
    return await _delete(connection, _AT, series, at_us)


async def expire(connection: Connection, series: Sequence[int], received_before_us: int) -> int:
    """Delete the readings of `series` in batches received before a time."""
    return await _delete(connection, _RECEIVED, series, received_before_us)


async def _delete(connection: Connection, sql: str, series: Sequence[int], moment_us: int) -> int:
    async with connection.transaction():
        gone = int((await connection.execute(sql, list(series), moment_us)).rsplit(" ", 1)[1])
        # Last, because every append waits for this row.
        await connection.execute("UPDATE mooring_series.ledger SET readings = readings - $1", gone)
    return gone
