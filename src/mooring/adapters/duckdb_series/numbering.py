"""Numbers for series and boots, and which frames are known: the small tables beside the readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from mooring.adapters.duckdb_series.writer import Writer
from mooring.telemetry.series import BootMark, NewSeries


@dataclass(slots=True)
class Numbers:
    """The last numbers given; only the writer's thread changes them."""

    commit_seq: int = 0
    series: int = 0
    boot: int = 0


def load(connection: duckdb.DuckDBPyConnection, numbers: Numbers) -> None:
    """Set `numbers` to the last ones given in this store."""
    row = connection.execute(
        "SELECT (SELECT greatest(coalesce(max(batch), 0), (SELECT max(highest_batch) FROM store)) FROM frames), "
        "(SELECT greatest(coalesce(max(no), 0), (SELECT max(highest_series) FROM store)) FROM series), "
        "(SELECT greatest(coalesce(max(no), 0), (SELECT max(highest_boot) FROM store)) FROM boots)"
    ).fetchone()
    numbers.commit_seq, numbers.series, numbers.boot = row or (0, 0, 0)


def enroll(writer: Writer, numbers: Numbers, wanted: Sequence[NewSeries]) -> list[int]:
    """Return a number for each (device, key), new where there is none, and keep changed units."""
    devices = sorted({item.device_id for item in wanted})
    sql = "SELECT device_id, key, no, unit FROM series WHERE device_id IN (SELECT unnest(?))"
    found = {(device, key): (no, unit) for device, key, no, unit in writer.asking().execute(sql, [devices]).fetchall()}
    units: dict[tuple[str, str], str | None] = {}
    for item in wanted:
        pair = item[:2]
        units[pair] = item.unit if item.unit is not None else units.get(pair)
    fresh = [pair for pair in units if pair not in found]
    given = {pair: no for no, pair in enumerate(fresh, numbers.series + 1)}
    changed = [
        (unit, found[pair][0])
        for pair, unit in units.items()
        if unit is not None and pair in found and found[pair][1] != unit
    ]

    def keep(connection: duckdb.DuckDBPyConnection) -> None:
        if fresh:
            columns = [
                list(column) for column in zip(*((given[pair], *pair, units[pair]) for pair in fresh), strict=True)
            ]
            connection.execute("INSERT INTO series SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)
        if changed:
            connection.executemany("UPDATE series SET unit = ? WHERE no = ?", changed)

    if fresh or changed:
        writer.transaction(keep)
        numbers.series += len(fresh)
    return [given[item[:2]] if item[:2] in given else found[item[:2]][0] for item in wanted]


def boots(writer: Writer, numbers: Numbers, wanted: Sequence[tuple[str, str]]) -> list[BootMark]:
    """Return a mark for each (device, boot_id), new where there is none."""
    devices = sorted({device for device, _ in wanted})
    sql = "SELECT device_id, boot_id, no, first_batch FROM boots WHERE device_id IN (SELECT unnest(?))"
    rows = writer.asking().execute(sql, [devices]).fetchall()
    asked = set(wanted)
    found = {(device, boot): (no, first) for device, boot, no, first in rows if (device, boot) in asked}
    marks = _marks(writer, found)
    fresh = [pair for pair in dict.fromkeys(wanted) if pair not in found]
    if fresh:
        given = {pair: no for no, pair in enumerate(fresh, numbers.boot + 1)}
        columns = [list(given.values()), [device for device, _ in fresh], [boot for _, boot in fresh]]
        sql = "INSERT INTO boots SELECT unnest(?), unnest(?), unnest(?), ?"
        writer.transaction(lambda inner: inner.execute(sql, [*columns, numbers.commit_seq + 1]))
        numbers.boot += len(fresh)
        marks.update({pair: BootMark(no, -1) for pair, no in given.items()})
    return [marks[pair] for pair in wanted]


def _marks(writer: Writer, found: dict[tuple[str, str], tuple[int, int]]) -> dict[tuple[str, str], BootMark]:
    if not found:
        return {}
    # Frames of a boot are never in batches before the one it was enrolled for: older ones need not be read.
    first = min(first for _, first in found.values())
    sql = "SELECT boot, max(seq) FROM frames WHERE batch >= ? AND boot IN (SELECT unnest(?)) GROUP BY boot"
    rows = writer.asking().execute(sql, [first, [no for no, _ in found.values()]]).fetchall()
    last = {int(boot): int(seq) for boot, seq in rows}
    return {pair: BootMark(no, last.get(no, -1)) for pair, (no, _) in found.items()}


def known(writer: Writer, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Return the digests of those (boot, seq) already stored."""
    connection = writer.asking()
    pairs = {
        "boot": np.array([boot for boot, _ in wanted], np.int32),
        "seq": np.array([seq for _, seq in wanted], np.int64),
    }
    connection.register("wanted", pairs)
    try:
        first = writer.scalar("SELECT coalesce(min(first_batch), 0) FROM boots WHERE no IN (SELECT boot FROM wanted)")
        sql = "SELECT boot, seq, digest FROM frames SEMI JOIN wanted USING (boot, seq) WHERE batch >= ?"
        rows = connection.execute(sql, [first]).fetchall()
    finally:
        connection.unregister("wanted")
    return {(boot, seq): digest for boot, seq, digest in rows}


def forget(writer: Writer, numbers: Numbers, device_id: str) -> int:
    """Delete all of a device; return how many readings went."""

    def delete(connection: duckdb.DuckDBPyConnection) -> int:
        gone = 0
        for table in ("numbers", "texts"):
            sql = f"DELETE FROM {table} WHERE series IN (SELECT no FROM series WHERE device_id = ?)"  # noqa: S608
            row = connection.execute(sql, [device_id]).fetchone()
            gone += row[0] if row else 0
        connection.execute("DELETE FROM frames WHERE boot IN (SELECT no FROM boots WHERE device_id = ?)", [device_id])
        connection.execute("DELETE FROM boots WHERE device_id = ?", [device_id])
        connection.execute("DELETE FROM series WHERE device_id = ?", [device_id])
        highest = [numbers.commit_seq, numbers.series, numbers.boot]
        connection.execute("UPDATE store SET highest_batch = ?, highest_series = ?, highest_boot = ?", highest)
        return gone

    return writer.transaction(delete, planned=True)
