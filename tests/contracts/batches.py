"""Batches in few words, and what a store must answer, computed the slow and obvious way."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from mooring.telemetry.series import (
    KIND_BIG,
    KIND_BOOL,
    KIND_FLOAT,
    KIND_INT,
    KIND_JSON,
    KIND_TEXT,
    BucketQuery,
    Columns,
    RangeQuery,
)

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
# 2026-11-21 00:00 UTC
START_US = 1_795_219_200_000_000
ALL = (0, 2**62)


class Said(NamedTuple):
    """One reading; ``frame`` is the place of its frame in the batch."""

    series: int
    at_us: int
    value: Any
    quality: float = 1.0
    frame: int = -1


class Told(NamedTuple):
    """One frame as the store remembers it."""

    boot: int
    seq: int
    digest: int = 0


def batch(*said: Said, frames: Sequence[Told] = (), received_us: int = START_US) -> Columns:
    """Return a batch of these readings and frames."""
    numbers = [one for one in said if kind_of(one.value) < KIND_TEXT]
    texts = [one for one in said if kind_of(one.value) >= KIND_TEXT]
    return Columns(
        received_us=received_us,
        series=np.array([one.series for one in numbers], np.int32),
        at_us=np.array([one.at_us for one in numbers], np.int64),
        value=np.array([float(one.value) for one in numbers], np.float64),
        kind=np.array([kind_of(one.value) for one in numbers], np.uint8),
        quality=np.array([one.quality for one in numbers], np.float32),
        text_series=[one.series for one in texts],
        text_at_us=[one.at_us for one in texts],
        text_kind=[kind_of(one.value) for one in texts],
        text_value=[_spelt(one.value) for one in texts],
        text_quality=[one.quality for one in texts],
        frame_boot=np.array([frame.boot for frame in frames], np.int32),
        frame_seq=np.array([frame.seq for frame in frames], np.int64),
        frame_digest=np.array([frame.digest for frame in frames], np.uint32),
        row_frame=np.array([one.frame for one in numbers], np.int32),
        text_frame=[one.frame for one in texts],
    )


def kind_of(value: Any) -> int:
    """Return how a value is stored."""
    if isinstance(value, bool):
        return KIND_BOOL
    if isinstance(value, int):
        return KIND_INT if abs(value) <= 2**53 else KIND_BIG
    if isinstance(value, float):
        return KIND_FLOAT
    return KIND_TEXT if isinstance(value, str) else KIND_JSON


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def within(stored: Sequence[Said], query: RangeQuery | BucketQuery) -> list[Said]:
    """Return what lies in the query's range, in time order, ties as stored (numbers of a batch before its texts)."""
    found = [
        one
        for one in stored
        if one.series in query.series
        and query.start_us <= one.at_us < query.end_us
        and np.float32(one.quality) >= np.float32(query.quality_min)
    ]
    return sorted(found, key=lambda one: one.at_us)


def buckets(stored: Sequence[Said], query: BucketQuery) -> dict[tuple[int, int], list[float | None]]:
    """Return the aggregates of each bucket, by (bucket, series)."""
    groups: dict[tuple[int, int], list[Said]] = {}
    for one in within(stored, query):
        groups.setdefault((one.at_us // query.interval_us * query.interval_us, one.series), []).append(one)
    return {place: [_aggregate(name, group) for name in query.aggregates] for place, group in groups.items()}


def _aggregate(name: str, group: list[Said]) -> float | None:
    values = [float(one.value) for one in group if isinstance(one.value, int | float)]
    if name == "count":
        return len(group)
    if not values or (name == "stddev" and len(values) < 2):
        return None
    plain = {
        "avg": lambda: math.fsum(values) / len(values),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "sum": lambda: math.fsum(values),
        "first": lambda: values[0],
        "last": lambda: values[-1],
        "stddev": lambda: statistics.stdev(values),
    }
    return plain[name]() if name in plain else float(np.percentile(values, float(name[1:])))
