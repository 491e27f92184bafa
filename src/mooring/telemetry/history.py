"""Reading back: a device's series, newest values, ranges, buckets and sparklines, in words of devices and keys."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mooring.kernel.clock import Clock, from_us, iso
from mooring.kernel.errors import Invalid
from mooring.telemetry.latest import Latest, LatestValue
from mooring.telemetry.series import BucketQuery, Order, RangeQuery, Series, SeriesInfo
from mooring.telemetry.values import check_aggregate

MAX_ROWS = 100_000
MAX_BUCKETS = 50_000
ALL_TIME_US = (-62_135_596_800_000_000, 253_402_300_799_000_000)
_INTERVAL = re.compile(r"(\d{1,6})(ms|s|m|h|d|w)?")
_UNIT_US = {
    "ms": 1_000,
    "s": 1_000_000,
    None: 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a device's history; times in µs since 1970, end exclusive."""

    start_us: int | None = None
    end_us: int | None = None
    keys: Sequence[str] = ()
    limit: int = 1000
    order: Order = "desc"
    interval_us: int | None = None
    aggregates: Sequence[str] = ()
    quality_min: float = 0.0
    cursor: str | None = None


class Answer(NamedTuple):
    """Rows as objects, how many there are in all, and where the next page begins."""

    rows: list[dict[str, Any]]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class SparklineQuestion:
    """`points` averages over the last `minutes`, of `key` or of each device's first number."""

    device_ids: Sequence[str]
    key: str | None = None
    minutes: int = 60
    points: int = 40
    preferred: Sequence[str] = field(default=("battery", "temperature", "value", "cpu"))


class History:
    """Answers questions about devices whose right to be asked about the caller has checked."""

    def __init__(self, series: Series, latest: Latest, clock: Clock, *, shared: bool = False) -> None:
        """Read `series`; with `shared`, other nodes write to it too, so newest values are asked of it each time."""
        self._series = series
        self._latest = latest
        self._clock = clock
        self._shared = shared

    async def ask(self, device_id: str, question: Question) -> Answer:
        """Return raw rows, or aggregates if an interval is given."""
        catalogue = await self._series.catalogue([device_id])
        wanted = {info.no: info for info in catalogue if not question.keys or info.key in question.keys}
        if question.interval_us is None:
            return await self._raw(wanted, question)
        return await self._buckets(wanted, question)

    async def _raw(self, wanted: dict[int, SeriesInfo], question: Question) -> Answer:
        if not 1 <= question.limit <= MAX_ROWS:
            raise Invalid(f"limit out of range: {question.limit}", hint=f"between 1 and {MAX_ROWS}")
        offset, start, end = self._page(question)
        query = RangeQuery(
            series=list(wanted),
            start_us=start,
            end_us=end,
            limit=question.limit,
            offset=offset,
            order=question.order,
            quality_min=question.quality_min,
        )
        total = await self._series.count(query)
        rows = [
            {
                "timestamp": iso(from_us(row.at_us)),
                "sensor_type": wanted[row.series].key,
                "value": row.value,
                "unit": wanted[row.series].unit,
                "quality_score": row.quality,
            }
            for row in await self._series.read(query)
        ]
        reached = offset + len(rows)
        return Answer(rows, total, _cursor(reached, start, end) if rows and reached < total else None)

    def _page(self, question: Question) -> tuple[int, int, int]:
        """Return offset, start and end; a cursor keeps the end, so pages do not shift as data arrives."""
        if question.cursor is not None:
            return _uncursor(question.cursor)
        start = ALL_TIME_US[0] if question.start_us is None else question.start_us
        end = ALL_TIME_US[1] if question.end_us is None else question.end_us
        return 0, start, end

    async def _buckets(self, wanted: dict[int, SeriesInfo], question: Question) -> Answer:
        interval = question.interval_us or 1
        end = self._clock.now_us() if question.end_us is None else question.end_us
        start = end - 86_400_000_000 if question.start_us is None else question.start_us
        if (end - start) // interval > MAX_BUCKETS:
            raise Invalid(
                f"more than {MAX_BUCKETS} buckets asked for", hint="take a longer interval or a shorter range"
            )
        aggregates = [check_aggregate(name) for name in question.aggregates] or ["avg", "min", "max", "count"]
        query = BucketQuery(
            series=list(wanted),
            start_us=start,
            end_us=end,
            interval_us=interval,
            aggregates=aggregates,
            limit=min(max(question.limit, 1), MAX_ROWS),
            order=question.order,
            quality_min=question.quality_min,
        )
        rows: list[dict[str, Any]] = []
        for bucket in await self._series.bucket(query):
            info = wanted[bucket.series]
            named = dict(zip(aggregates, bucket.values, strict=True))
            rows.append({"timestamp": iso(from_us(bucket.at_us)), "sensor_type": info.key, "unit": info.unit, **named})
        return Answer(rows, len(rows), None)

    async def series_of(self, device_id: str) -> list[dict[str, Any]]:
        """Return the series of a device with their newest values."""
        catalogue = await self._series.catalogue([device_id])
        newest = await self._newest(catalogue)
        return [
            {"sensor_type": info.key, "unit": info.unit, **_newest_shown(newest.get(info.no))} for info in catalogue
        ]

    async def _newest(self, catalogue: Sequence[SeriesInfo]) -> dict[int, LatestValue]:
        """Return the newest values of these series, by series number."""
        if self._shared:
            stored = await self._series.newest([info.no for info in catalogue])
            return {one.series: LatestValue(one.at_us, one.value, one.quality) for one in stored}
        found = ((info.no, self._latest.get(info.no)) for info in catalogue)
        return {no: latest for no, latest in found if latest is not None}

    async def latest_of(self, device_ids: Sequence[str] | None) -> dict[str, dict[str, Any]]:
        """Return the newest value of every key, by device."""
        found: dict[str, dict[str, Any]] = {}
        catalogue = await self._series.catalogue(device_ids)
        newest_by_no = await self._newest(catalogue)
        for info in catalogue:
            newest = newest_by_no.get(info.no)
            if newest is not None:
                found.setdefault(info.device_id, {})[info.key] = {
                    "value": newest.value,
                    "unit": info.unit,
                    "timestamp": iso(from_us(newest.at_us)),
                    "quality_score": newest.quality,
                }
        return found

    async def sparklines(self, question: SparklineQuestion) -> list[dict[str, Any]]:
        """Return a short line per device: averages of equal steps up to now, None where nothing came."""
        catalogue = await self._series.catalogue(question.device_ids)
        newest = {} if question.key is not None else await self._newest(catalogue)
        chosen = _choose(catalogue, question, {no for no, one in newest.items() if _is_number(one.value)})
        step = max(1, question.minutes * 60_000_000 // question.points)
        end = (self._clock.now_us() // step + 1) * step
        start = end - step * question.points
        query = BucketQuery(
            series=[info.no for info in chosen.values()],
            start_us=start,
            end_us=end,
            interval_us=step,
            aggregates=["avg"],
            limit=MAX_ROWS,
        )
        lines: dict[int, list[float | None]] = {info.no: [None] * question.points for info in chosen.values()}
        for bucket in await self._series.bucket(query):
            lines[bucket.series][(bucket.at_us - start) // step] = bucket.values[0]
        return [
            {"device_id": device_id, "key": info.key, "points": lines[info.no]} for device_id, info in chosen.items()
        ]

    async def numbers_of(self, device_id: str) -> list[int]:
        """Return the series numbers of a device."""
        return [info.no for info in await self._series.catalogue([device_id])]


def _choose(catalogue: Sequence[SeriesInfo], question: SparklineQuestion, numbers: set[int]) -> dict[str, SeriesInfo]:
    """Return a series per device: of the key asked for, or the number people most want to see."""
    ranks = {key: rank for rank, key in enumerate(question.preferred)}
    chosen: dict[str, SeriesInfo] = {}
    for info in catalogue:
        if question.key is not None:
            if info.key == question.key:
                chosen[info.device_id] = info
        elif info.no in numbers:
            have = chosen.get(info.device_id)
            if have is None or ranks.get(info.key, 99) < ranks.get(have.key, 99):
                chosen[info.device_id] = info
    return chosen


def _is_number(value: object) -> bool:
    return kind_of(value) in ("number", "integer")


def _newest_shown(newest: LatestValue | None) -> dict[str, Any]:
    if newest is None:
        return {"kind": None, "value": None, "last_at": None, "quality_score": None}
    return {
        "kind": kind_of(newest.value),
        "value": newest.value,
        "last_at": iso(from_us(newest.at_us)),
        "quality_score": newest.quality,
    }


def kind_of(value: object) -> str:
    """Return what kind of value this is: number, integer, boolean, text or json."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def interval_us(text: str) -> int:
    """Return µs of ``30s``, ``1m``, ``6h``, ``1d``; raises ``Invalid``."""
    match = _INTERVAL.fullmatch(text)
    step = int(match[1]) * _UNIT_US[match[2]] if match else 0
    if not step:
        raise Invalid(f"interval is not understood: {text[:40]}", hint="for example 30s, 1m, 6h, 1d")
    return step


def _cursor(offset: int, start: int, end: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, start, end]).encode()).decode().rstrip("=")


def _uncursor(cursor: str) -> tuple[int, int, int]:
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        offset, start, end = (int(part) for part in found)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Invalid("this cursor does not belong to this list", hint="start again without cursor") from None
    if not 0 <= offset < 2**40 or not all(ALL_TIME_US[0] <= at <= ALL_TIME_US[1] for at in (start, end)):
        raise Invalid("this cursor does not belong to this list", hint="start again without cursor")
    return offset, start, end
