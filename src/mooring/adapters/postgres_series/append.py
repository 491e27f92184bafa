"""One batch in one transaction: frames first, then the readings of those that are new, last its place in the order.

The order of commits is the order of ``commit_seq``: its counter is one row, taken as the last step and held until the
commit is visible, so whoever sees n sees everything up to n. Only that step and the commit itself happen one at a time
across all nodes; frames and readings are copied side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mooring.adapters.postgres_series.copying import COLUMNS, chunks, encode, without
from mooring.adapters.postgres_series.schema import unsafe
from mooring.telemetry.series import Columns, Committed

if TYPE_CHECKING:
    from asyncpg import Connection

_BEGIN = """
SELECT nextval('mooring_series.batch_numbers') AS batch, current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('fsync') AS fsync
"""
_FRAMES = """
INSERT INTO mooring_series.frames (boot, seq, digest, batch)
SELECT boot, seq, digest, $4 FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS given (boot, seq, digest)
ON CONFLICT DO NOTHING
"""
_REFUSED = """
SELECT boot, seq FROM mooring_series.frames
JOIN unnest($1::int[], $2::bigint[]) AS given (boot, seq) USING (boot, seq) WHERE batch <> $3
"""
_PLACE = """
WITH place AS (
    UPDATE mooring_series.ledger SET commit_seq = commit_seq + 1, readings = readings + $3 RETURNING commit_seq)
INSERT INTO mooring_series.batches SELECT $1, commit_seq, $2, $3 FROM place RETURNING commit_seq
"""


async def append(connection: Connection, columns: Columns) -> Committed:
    """Store `columns` durably; frames another node has stored are refused, with their readings."""
    async with connection.transaction():
        begun = await connection.fetchrow(_BEGIN)
        for setting in ("synchronous_commit", "fsync"):
            if begun[setting] == "off":
                raise unsafe(setting)
        batch = int(begun["batch"])
        refused = await _frames(connection, batch, columns) if len(columns.frame_seq) else frozenset[tuple[int, int]]()
        if refused:
            pairs = zip(columns.frame_boot.tolist(), columns.frame_seq.tolist(), strict=True)
            columns = without(columns, np.array([pair in refused for pair in pairs], bool))
        if columns.rows:
            await connection.copy_to_table(
                "readings",
                source=chunks(encode(columns, batch)),
                columns=COLUMNS,
                schema_name="mooring_series",
                format="binary",
            )
        place = await connection.fetchval(_PLACE, batch, columns.received_us, columns.rows)
    return Committed(int(place), refused)


async def _frames(connection: Connection, batch: int, columns: Columns) -> frozenset[tuple[int, int]]:
    # Sorted: two nodes with the same frames wait for each other in one direction only.
    order = np.lexsort((columns.frame_seq, columns.frame_boot))
    boots, seqs = columns.frame_boot[order].tolist(), columns.frame_seq[order].tolist()
    said = await connection.execute(_FRAMES, boots, seqs, columns.frame_digest[order].tolist(), batch)
    if int(said.rsplit(" ", 1)[1]) == len(seqs):
        return frozenset()
    rows = await connection.fetch(_REFUSED, boots, seqs, batch)
    return frozenset((boot, seq) for boot, seq in rows)
