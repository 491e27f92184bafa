"""Numbers for series and boots, and which frames are known. Nodes may ask for the same at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mooring.telemetry.series import BootMark, NewSeries

if TYPE_CHECKING:
    from asyncpg import Connection

_SERIES = """
SELECT device_id, key, no, unit FROM mooring_series.series
JOIN unnest($1::text[], $2::text[]) AS wanted (device_id, key) USING (device_id, key)
"""
_NEW_SERIES = """
INSERT INTO mooring_series.series (device_id, key, unit)
SELECT device_id, key, unit FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (device_id, key, unit)
ON CONFLICT DO NOTHING
"""
_UNITS = """
UPDATE mooring_series.series SET unit = changed.unit
FROM unnest($1::int[], $2::text[]) AS changed (no, unit) WHERE series.no = changed.no
"""
_BOOTS = """
SELECT device_id, boot_id, no, (SELECT max(seq) FROM mooring_series.frames WHERE boot = no) AS last_seq
FROM mooring_series.boots
JOIN unnest($1::text[], $2::text[]) AS wanted (device_id, boot_id) USING (device_id, boot_id)
"""
_NEW_BOOTS = """
INSERT INTO mooring_series.boots (device_id, boot_id)
SELECT device_id, boot_id FROM unnest($1::text[], $2::text[]) AS wanted (device_id, boot_id) ON CONFLICT DO NOTHING
"""
_KNOWN = """
SELECT boot, seq, digest FROM mooring_series.frames
JOIN unnest($1::int[], $2::bigint[]) AS wanted (boot, seq) USING (boot, seq)
"""
_Pair = tuple[str, str]


async def enroll(connection: Connection, wanted: Sequence[NewSeries]) -> list[int]:
    """Return a number for each (device, key), new where there is none, and keep changed units."""
    units: dict[_Pair, str | None] = {}
    for item in wanted:
        pair = item[:2]
        units[pair] = item.unit if item.unit is not None else units.get(pair)
    async with connection.transaction():
        found = await _series(connection, units)
        # Looked up first: each conflict would cost a number. In order: two nodes never wait for each other in a ring.
        fresh = sorted(pair for pair in units if pair not in found)
        if fresh:
            await connection.execute(_NEW_SERIES, *_split(fresh), [units[pair] for pair in fresh])
            found |= await _series(connection, fresh)
        changed = sorted(
            (found[pair][0], unit) for pair, unit in units.items() if unit is not None and found[pair][1] != unit
        )
        if changed:
            await connection.execute(_UNITS, [no for no, _ in changed], [unit for _, unit in changed])
    return [found[item[:2]][0] for item in wanted]


async def _series(connection: Connection, pairs: Iterable[_Pair]) -> dict[_Pair, tuple[int, str | None]]:
    rows = await connection.fetch(_SERIES, *_split(pairs))
    return {(device, key): (no, unit) for device, key, no, unit in rows}


async def boots(connection: Connection, wanted: Sequence[_Pair]) -> list[BootMark]:
    """Return a mark for each (device, boot_id), new where there is none."""
    pairs = sorted(set(wanted))
    async with connection.transaction():
        found = await _boots(connection, pairs)
        fresh = [pair for pair in pairs if pair not in found]
        if fresh:
            await connection.execute(_NEW_BOOTS, *_split(fresh))
            found |= await _boots(connection, fresh)
    return [found[pair] for pair in wanted]


async def _boots(connection: Connection, pairs: Iterable[_Pair]) -> dict[_Pair, BootMark]:
    rows = await connection.fetch(_BOOTS, *_split(pairs))
    return {(device, boot): BootMark(no, -1 if last is None else last) for device, boot, no, last in rows}


async def known(connection: Connection, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Return the digests of those (boot, seq) already stored."""
    rows = await connection.fetch(_KNOWN, [boot for boot, _ in wanted], [seq for _, seq in wanted])
    return {(boot, seq): digest for boot, seq, digest in rows}


async def forget(connection: Connection, device_id: str) -> int:
    """Delete all of a device; return how many readings went."""
    async with connection.transaction():
        taken = "DELETE FROM mooring_series.series WHERE device_id = $1 RETURNING no"
        series = [no for (no,) in await connection.fetch(taken, device_id)]
        taken = "DELETE FROM mooring_series.boots WHERE device_id = $1 RETURNING no"
        boot_nos = [no for (no,) in await connection.fetch(taken, device_id)]
        await connection.execute("DELETE FROM mooring_series.frames WHERE boot = ANY($1::int[])", boot_nos)
        said = await connection.execute("DELETE FROM mooring_series.readings WHERE series = ANY($1::int[])", series)
        gone = int(said.rsplit(" ", 1)[1])
        # Last, because every append waits for this row.
        await connection.execute("UPDATE mooring_series.ledger SET readings = readings - $1", gone)
    return gone


def _split(pairs: Iterable[_Pair]) -> tuple[list[str], list[str]]:
    both = list(pairs)
    return [first for first, _ in both], [second for _, second in both]
