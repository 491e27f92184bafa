"""The reading half: what each question is in PostgreSQL's SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mooring.adapters.aggregates import SHARED, answers, fraction_of
from mooring.telemetry.series import (
    KIND_BIG,
    Bucket,
    BucketQuery,
    Newest,
    RangeQuery,
    Row,
    SeriesInfo,
    SeriesStats,
)
from mooring.telemetry.values import value_from

if TYPE_CHECKING:
    from asyncpg import Connection

# More rows than this are not turned into values on the event loop.
_MANY = 2_000
_CATALOGUE = "SELECT no, device_id, key, unit FROM mooring_series.series {where} ORDER BY device_id, key"
_NEWEST = """
SELECT wanted.no, newest.at_us, newest.value, newest.text, newest.kind, newest.quality
FROM {wanted} CROSS JOIN LATERAL (
    SELECT at_us, value, text, kind, quality FROM mooring_series.readings WHERE series = wanted.no
    ORDER BY at_us DESC, batch DESC, row DESC LIMIT 1) AS newest
"""
_STATS = """
SELECT commit_seq, readings, (SELECT count(*) FROM mooring_series.series) AS series,
    (SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint FROM pg_class
     WHERE relnamespace = 'mooring_series'::regnamespace AND relkind = 'r') AS bytes
FROM mooring_series.ledger
"""
# An integer that no float holds exactly is kept as text, and is a number all the same.
_NUMBERS = (
    f"SELECT series, at_us, batch, row, CASE WHEN kind = {KIND_BIG} THEN text::float8 ELSE value END AS value "  # noqa: S608
    "FROM mooring_series.readings"
)
_ORDERED = "(array_agg(value ORDER BY at_us {way}, batch {way}, row {way}) FILTER (WHERE value IS NOT NULL))[1]"


async def catalogue(connection: Connection, device_ids: Sequence[str] | None) -> list[SeriesInfo]:
    """Return series, ordered by device and key."""
    if device_ids is None:
        rows = await connection.fetch(_CATALOGUE.format(where=""))
    else:
        rows = await connection.fetch(_CATALOGUE.format(where="WHERE device_id = ANY($1::text[])"), list(device_ids))
    return [SeriesInfo(*row) for row in rows]


async def newest(connection: Connection, series: Sequence[int] | None) -> list[Newest]:
    """Return the newest reading per series, of those of the same time the one stored last."""
    if series is None:
        rows = await connection.fetch(_NEWEST.format(wanted="mooring_series.series AS wanted"))
    else:
        sql = _NEWEST.format(wanted="unnest($1::int[]) AS wanted (no)")
        rows = await connection.fetch(sql, sorted(set(series)))
    return [
        Newest(no, at_us, value_from(kind, text if value is None else value), round(quality, 6))
        for no, at_us, value, text, kind, quality in rows
    ]


async def count(connection: Connection, query: RangeQuery) -> int:
    """Count the readings of a range."""
    where, parameters = _range(query)
    return int(await connection.fetchval(f"SELECT count(*) FROM mooring_series.readings {where}", *parameters))  # noqa: S608


async def read(connection: Connection, query: RangeQuery) -> list[Row]:
    """Return readings in time order; those of the same time in the order they were stored."""
    where, parameters = _range(query)
    way = "DESC" if query.order == "desc" else "ASC"
    rows = await connection.fetch(
        f"SELECT series, at_us, value, text, kind, quality FROM mooring_series.readings {where} "  # noqa: S608
        f"ORDER BY at_us {way}, batch {way}, series {way}, row {way} LIMIT $5 OFFSET $6",
        *parameters,
        query.limit,
        query.offset,
    )
    return await asyncio.to_thread(_rows, rows) if len(rows) > _MANY else _rows(rows)


def _rows(rows: list[Any]) -> list[Row]:
    return [
        Row(no, at_us, value_from(kind, text if value is None else value), round(quality, 6))
        for no, at_us, value, text, kind, quality in rows
    ]


async def bucket(connection: Connection, query: BucketQuery) -> list[Bucket]:
    """Return aggregates per interval, aligned to 1970."""
    where, parameters = _range(query)
    way = "DESC" if query.order == "desc" else "ASC"
    wanted = ", ".join(_aggregate(name) for name in query.aggregates)
    rows = await connection.fetch(
        f"SELECT series, at_us / $5::bigint * $5::bigint AS bucket_us, {wanted} FROM ({_NUMBERS} {where}) AS numbers "  # noqa: S608
        f"GROUP BY series, bucket_us ORDER BY bucket_us {way}, series {way} LIMIT $6",
        *parameters,
        query.interval_us,
        query.limit,
    )
    return [Bucket(no, at_us, answers(query.aggregates, values)) for no, at_us, *values in rows]


async def stats(connection: Connection) -> SeriesStats:
    """Return counts and bytes at rest."""
    row = await connection.fetchrow(_STATS)
    return SeriesStats(readings=row["readings"], series=row["series"], bytes=row["bytes"], commit_seq=row["commit_seq"])


def _range(query: RangeQuery | BucketQuery) -> tuple[str, list[Any]]:
    # The quality is compared as it is stored: 0.9 as a float of 32 bits is less than 0.9.
    where = "WHERE series = ANY($1::int[]) AND at_us >= $2 AND at_us < $3 AND quality >= $4::real"
    return where, [list(query.series), query.start_us, query.end_us, query.quality_min]


def _aggregate(name: str) -> str:
    if name in SHARED:
        return SHARED[name]
    if name in {"first", "last"}:
        return _ORDERED.format(way="ASC" if name == "first" else "DESC")
    return f"percentile_cont({fraction_of(name)!r}) WITHIN GROUP (ORDER BY value)"
