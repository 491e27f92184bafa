"""A batch into the tables, as columns: NumPy arrays are registered and inserted, never row by row."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from mooring.telemetry.series import Columns


def insert(connection: duckdb.DuckDBPyConnection, batch: int, columns: Columns) -> None:
    """Insert one batch under its number, inside the caller's transaction."""
    connection.execute("INSERT INTO batches VALUES (?, ?, ?)", [batch, columns.received_us, columns.rows])
    if len(columns.series):
        _readings(connection, batch, "numbers", _numbers(columns))
    if columns.text_series:
        _readings(connection, batch, "texts", _texts(columns))
    if len(columns.frame_seq):
        frames = {"boot": columns.frame_boot, "seq": columns.frame_seq, "digest": columns.frame_digest}
        connection.register("incoming", frames)
        connection.execute("INSERT INTO frames SELECT ?, boot, seq, digest FROM incoming", [batch])


def _readings(connection: duckdb.DuckDBPyConnection, batch: int, table: str, incoming: dict[str, Any]) -> None:
    connection.register("incoming", incoming)
    sql = f"INSERT INTO {table} SELECT ?, series, at_us, value, kind, quality FROM incoming"  # noqa: S608 (own name)
    connection.execute(sql, [batch])


def _numbers(columns: Columns) -> dict[str, Any]:
    return {
        "series": columns.series,
        "at_us": columns.at_us,
        "value": columns.value,
        "kind": columns.kind,
        "quality": columns.quality,
    }


def _texts(columns: Columns) -> dict[str, Any]:
    return {
        "series": np.array(columns.text_series, np.int32),
        "at_us": np.array(columns.text_at_us, np.int64),
        "value": np.array(columns.text_value, object),
        "kind": np.array(columns.text_kind, np.uint8),
        "quality": np.array(columns.text_quality, np.float32),
    }
