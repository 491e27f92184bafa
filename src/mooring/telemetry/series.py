"""The Series port: where readings are kept. DuckDB and PostgreSQL stand behind it, under one contract suite.

A series is known by a number; a boot is one (device, boot_id) and is known by a number too, so that the hot path moves
columns of integers. Times are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

KIND_FLOAT, KIND_INT, KIND_BOOL, KIND_TEXT, KIND_JSON, KIND_BIG = range(6)
KIND_NAMES = ("number", "integer", "boolean", "text", "json", "integer")

Order = Literal["asc", "desc"]
Aggregate = str
AGGREGATES = ("avg", "min", "max", "sum", "count", "first", "last", "stddev")


class NewSeries(NamedTuple):
    """A key of a device that needs a number, or whose unit has changed."""

    device_id: str
    key: str
    unit: str | None


class BootMark(NamedTuple):
    """A boot's number and the highest seq stored under it (-1: none)."""

    no: int
    last_seq: int


@dataclass(slots=True)
class Columns:
    """One batch, as columns of equal length per group: numbers, texts, frames. No (boot, seq) stands in it twice.

    ``row_frame`` and ``text_frame`` say to which of the batch's frames a reading belongs (-1: to none with a seq).
    Only a store shared by several nodes looks at them: it leaves out the readings of frames another node has stored.
    """

    received_us: int
    series: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    kind: NDArray[np.uint8]
    quality: NDArray[np.float32]
    text_series: list[int] = field(default_factory=list)
    text_at_us: list[int] = field(default_factory=list)
    text_kind: list[int] = field(default_factory=list)
    text_value: list[str] = field(default_factory=list)
    text_quality: list[float] = field(default_factory=list)
    frame_boot: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    frame_seq: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    frame_digest: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))
    row_frame: NDArray[np.int32] | None = None
    text_frame: list[int] | None = None

    @property
    def rows(self) -> int:
        """Return the number of readings in the batch."""
        return len(self.series) + len(self.text_series)


@dataclass(frozen=True, slots=True)
class Committed:
    """A batch is durable. ``refused`` frames were known already by another writer and stored nothing."""

    commit_seq: int
    refused: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series: whose, which key, its unit and its number."""

    no: int
    device_id: str
    key: str
    unit: str | None


class Row(NamedTuple):
    """One reading as it is read back."""

    series: int
    at_us: int
    value: Any
    quality: float


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """Readings of `series` in [start_us, end_us), in time order, at most `limit` after skipping `offset`."""

    series: Sequence[int]
    start_us: int
    end_us: int
    limit: int = 1000
    offset: int = 0
    order: Order = "asc"
    quality_min: float = 0.0


@dataclass(frozen=True, slots=True)
class BucketQuery:
    """Aggregates of numbers per `interval_us`, buckets aligned to 1970; text is counted only by ``count``.

    An aggregate without a value (of no numbers, or too large for a float) is None.
    """

    series: Sequence[int]
    start_us: int
    end_us: int
    interval_us: int
    aggregates: Sequence[Aggregate]
    limit: int = 10_000
    order: Order = "asc"
    quality_min: float = 0.0


class Bucket(NamedTuple):
    """One bucket of one series; ``values`` are in the order of the query's aggregates."""

    series: int
    at_us: int
    values: tuple[float | int | None, ...]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest reading of a series by device time."""

    series: int
    at_us: int
    value: Any
    quality: float


@dataclass(frozen=True, slots=True)
class SeriesStats:
    """What the store holds: counts and bytes at rest."""

    readings: int
    series: int
    bytes: int
    commit_seq: int


class Series(Protocol):
    """The store of readings. Every method may raise ``Unavailable``; ``append`` also ``StorageFull``."""

    async def open(self) -> None:
        """Open or create the store; raises ``Unavailable`` with the reason if it cannot be used."""

    async def close(self) -> None:
        """Finish the write under way and close."""

    async def probe(self) -> None:
        """Raise ``Unavailable`` or ``StorageFull`` if a batch could not be stored now."""

    async def enroll(self, wanted: Sequence[NewSeries]) -> list[int]:
        """Return a number for each pair of device and key, durable, the same for the same pair; keep the unit."""

    async def boots(self, wanted: Sequence[tuple[str, str]]) -> list[BootMark]:
        """Return a mark for each (device_id, boot_id), enrolling those not known."""

    async def known(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return the digests of those (boot, seq) that are stored."""

    async def append(self, columns: Columns) -> Committed:
        """Store one batch in one transaction; returns only once it is on disk."""

    async def catalogue(self, device_ids: Sequence[str] | None = None) -> list[SeriesInfo]:
        """Return the series of these devices, or all of them."""

    async def newest(self, series: Sequence[int] | None = None) -> list[Newest]:
        """Return the newest reading of each of `series`, or of all."""

    async def count(self, query: RangeQuery) -> int:
        """Return how many readings `query` would give without its limit."""

    async def read(self, query: RangeQuery) -> list[Row]:
        """Return readings; everything receipted before the call is there."""

    async def bucket(self, query: BucketQuery) -> list[Bucket]:
        """Return aggregates per interval; empty buckets are left out."""

    async def forget(self, device_id: str) -> int:
        """Delete all of a device: series, readings, frames and boots; return how many readings went."""

    async def erase(self, series: Sequence[int], at_us: int) -> int:
        """Delete the readings of `series` at one time; return how many went."""

    async def expire(self, series: Sequence[int], received_before_us: int) -> int:
        """Delete the readings of `series` that were received before a time; return how many went."""

    async def stats(self) -> SeriesStats:
        """Return counts and bytes."""
