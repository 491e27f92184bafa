"""The Series port on DuckDB: writes go to the writer's thread, questions to reader threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from mooring.adapters.duckdb_series import numbering, removal
from mooring.adapters.duckdb_series.append import Incoming
from mooring.adapters.duckdb_series.numbering import Numbers
from mooring.adapters.duckdb_series.reads import Reads
from mooring.adapters.duckdb_series.writer import Writer
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

CHECKPOINT_BYTES = 16 << 20


class DuckDBSeries:
    """Readings in ``<folder>/readings.duckdb``; writes go through one thread, in order."""

    def __init__(
        self,
        folder: Path,
        *,
        memory_mb: int = 512,
        reserve_bytes: int = 64 << 20,
        deadline_s: float = 30.0,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
    ) -> None:
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="series-reader")
        self._reads = Reads(self._readers, deadline_s)
        self._numbers = Numbers()
        self._writer = Writer(
            folder / "readings.duckdb",
            memory_mb=memory_mb,
            reserve_bytes=reserve_bytes,
            checkpoint_bytes=checkpoint_bytes,
            adopted=self._adopt,
        )

    def _adopt(self, connection: duckdb.DuckDBPyConnection | None) -> None:
        if connection is not None:
            # Before any question: DuckDB registers nothing behind an open result.
            self._incoming = Incoming(connection)
            numbering.load(connection, self._numbers)
        self._reads.connection = connection

    async def open(self) -> None:
        """Open or create the store; replays what a crash left behind."""
        await self._writer.open()

    async def close(self) -> None:
        """Finish the write under way, stop the questions, fold the log into the file, close."""
        self._reads.close()
        await asyncio.to_thread(self._readers.shutdown)
        await self._writer.close()

    async def append(self, columns: Columns) -> Committed:
        """Store one batch durably; then fold the log in if it has grown, after the answer is out."""
        committed = await self._writer.run(self._append, columns)
        self._writer.tidy()
        return committed

    def _append(self, columns: Columns) -> Committed:
        self._writer.live()
        batch = self._numbers.commit_seq + 1
        self._writer.transaction(lambda _: self._incoming.insert(batch, columns))
        self._numbers.commit_seq = batch
        return Committed(batch)

    async def probe(self) -> None:
        """Raise what the next write would be refused with, as far as that is known."""
        self._writer.probe()

    async def enroll(self, wanted: Sequence[NewSeries]) -> list[int]:
        """Return a number for each (device, key)."""
        return await self._writer.run(lambda: numbering.enroll(self._writer, self._numbers, wanted))

    async def boots(self, wanted: Sequence[tuple[str, str]]) -> list[BootMark]:
        """Return a mark for each (device, boot_id)."""
        return await self._writer.run(lambda: numbering.boots(self._writer, self._numbers, wanted))

    async def known(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return the digests of those (boot, seq) already stored."""
        return await self._writer.run(numbering.known, self._writer, wanted)

    async def forget(self, device_id: str) -> int:
        """Delete all of a device."""
        return await self._writer.run(lambda: numbering.forget(self._writer, self._numbers, device_id))

    async def erase(self, series: Sequence[int], at_us: int) -> int:
        """Delete the readings of one time."""
        return await self._writer.run(removal.erase, self._writer, series, at_us)

    async def expire(self, series: Sequence[int], received_before_us: int) -> int:
        """Delete readings by their age."""
        return await self._writer.run(removal.expire, self._writer, series, received_before_us)

    async def catalogue(self, device_ids: Sequence[str] | None = None) -> list[SeriesInfo]:
        """Return series, ordered by device and key."""
        return await self._reads.catalogue(device_ids)

    async def newest(self, series: Sequence[int] | None = None) -> list[Newest]:
        """Return the newest reading per series."""
        return await self._reads.newest(series)

    async def count(self, query: RangeQuery) -> int:
        """Count the readings of a range."""
        return await self._reads.count(query)

    async def read(self, query: RangeQuery) -> list[Row]:
        """Return the readings of a range."""
        return await self._reads.read(query)

    async def bucket(self, query: BucketQuery) -> list[Bucket]:
        """Return aggregates per interval."""
        return await self._reads.bucket(query)

    async def stats(self) -> SeriesStats:
        """Return counts and bytes at rest."""
        readings, series = await self._reads.counts()
        size = sum(file.stat().st_size for file in (self._writer.path, self._writer.wal) if file.exists())
        return SeriesStats(readings=readings, series=series, bytes=size, commit_seq=self._numbers.commit_seq)
