"""DuckDB alone: the same columns, inserted from NumPy with a durable commit per batch.

Prints one JSON line: readings per second by batch size. No HTTP, no JSON, no frames: only the storing is left.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

BATCHES = (2_500, 10_000)  # readings in a post of 500 frames; and of four such posts committed together
SERIES = 320  # 64 devices with five keys
SCHEMA = """CREATE TABLE reading (
    series INTEGER, at_us BIGINT, received_us BIGINT, value DOUBLE, kind UTINYINT, quality FLOAT)"""


def readings_per_second(folder: Path, batch: int, seconds: float) -> float:
    """Insert batches of `batch` rows for `seconds` and return rows per second."""
    connection = duckdb.connect(str(folder / f"alone-{batch}.duckdb"), config={"threads": 1})
    connection.execute(SCHEMA)
    rng = np.random.default_rng(7)
    series = rng.integers(0, SERIES, batch, dtype=np.int32)
    value = np.round(rng.uniform(10, 99, batch), 3)
    kind, quality = np.zeros(batch, np.uint8), np.ones(batch, np.float32)
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        now_us = time.time_ns() // 1000
        columns = {
            "series": series,
            "at_us": np.full(batch, now_us, np.int64),
            "received_us": np.full(batch, now_us, np.int64),
            "value": value,
            "kind": kind,
            "quality": quality,
        }
        connection.execute("BEGIN")
        connection.execute("INSERT INTO reading SELECT * FROM columns")
        connection.execute("COMMIT")
        done += batch
    connection.close()
    del columns
    return done / spent


def main() -> None:
    """Measure every batch size for the seconds given as first argument."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
        print(json.dumps({str(batch): readings_per_second(Path(folder), batch, seconds) for batch in BATCHES}))


if __name__ == "__main__":
    main()
