"""Taking single readings out again: by their time, or by when they were received (on the writer's thread)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from mooring.adapters.duckdb_series.writer import Writer

_OF = "series IN (SELECT unnest(?::INTEGER[]))"


def erase(writer: Writer, series: Sequence[int], at_us: int) -> int:
    """Delete the readings of `series` at one time."""
    return _delete(writer, f"{_OF} AND at_us = ?", [list(series), at_us])


def expire(writer: Writer, series: Sequence[int], received_before_us: int) -> int:
    """Delete the readings of `series` in batches received before a time; the numbers of frames stay known."""
    received = "batch IN (SELECT batch FROM frames WHERE received_us < ?)"
    return _delete(writer, f"{_OF} AND {received}", [list(series), received_before_us])


def _delete(writer: Writer, where: str, parameters: list[object]) -> int:
    def delete(connection: duckdb.DuckDBPyConnection) -> int:
        gone = 0
        for table in ("numbers", "texts"):
            row = connection.execute(f"DELETE FROM {table} WHERE {where}", parameters).fetchone()  # noqa: S608
            gone += row[0] if row else 0
        return gone

    return writer.transaction(delete, planned=True)
