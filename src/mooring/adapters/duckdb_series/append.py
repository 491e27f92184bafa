"""A batch into the tables, as columns: NumPy arrays that DuckDB reads in place, never row by row.

The columns are registered once per connection: DuckDB looks into the dicts anew at every statement, and registering
costs half a millisecond, as much as inserting a small batch does.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from mooring.telemetry.series import Columns

_READINGS = "INSERT INTO {table} SELECT ?, series, at_us, value, kind, quality FROM incoming_{table}"
_FRAMES = "INSERT INTO frames SELECT ?, ?, boot, seq, digest FROM incoming_frames"
_NOBODY = (np.array([-1], np.int32), np.array([-1], np.int64), np.array([0], np.uint32))


class Incoming:
    """What the next batch brings, as this connection sees it under the names ``incoming_…``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._numbers: dict[str, Any] = _readings(np.empty(0, np.float64))
        self._texts: dict[str, Any] = _readings(np.array([""], object))
        self._frames: dict[str, Any] = dict(zip(("boot", "seq", "digest"), _NOBODY, strict=True))
        connection.register("incoming_numbers", self._numbers)
        connection.register("incoming_texts", self._texts)
        connection.register("incoming_frames", self._frames)

    def insert(self, batch: int, columns: Columns) -> None:
        """Insert one batch under its number, inside the caller's transaction."""
        if len(columns.series):
            self._put(self._numbers, columns.series, columns.at_us, columns.value, columns.kind, columns.quality)
            self._connection.execute(_READINGS.format(table="numbers"), [batch])
        if columns.text_series:
            self._put(
                self._texts,
                np.array(columns.text_series, np.int32),
                np.array(columns.text_at_us, np.int64),
                np.array(columns.text_value, object),
                np.array(columns.text_kind, np.uint8),
                np.array(columns.text_quality, np.float32),
            )
            self._connection.execute(_READINGS.format(table="texts"), [batch])
        # A batch without a numbered frame still has a row of its own: it carries the time of receipt.
        if len(columns.frame_seq):
            self._put(self._frames, columns.frame_boot, columns.frame_seq, columns.frame_digest)
        else:
            self._put(self._frames, *_NOBODY)
        self._connection.execute(_FRAMES, [batch, columns.received_us])

    @staticmethod
    def _put(view: dict[str, Any], *arrays: NDArray[Any]) -> None:
        for name, array in zip(view, arrays, strict=True):
            view[name] = array


def _readings(values: NDArray[Any]) -> dict[str, Any]:
    rows = len(values)
    return {
        "series": np.empty(rows, np.int32),
        "at_us": np.empty(rows, np.int64),
        "value": values,
        "kind": np.empty(rows, np.uint8),
        "quality": np.empty(rows, np.float32),
    }
