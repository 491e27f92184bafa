"""Frames of the TCP stream as records: found by the one reading only they have, the sender's own stamp.

Their time is the time of receipt, one microsecond apart at least, and makes their id; nothing is stored beside the
readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mooring.devices.service import Registry
from mooring.doors.dialects.battery.model import (
    DATA,
    DEVICE_TIMESTAMP,
    Record,
    seconds,
    streamed_at_us,
    streamed_id,
)
from mooring.kernel.actor import Actor
from mooring.telemetry.latest import Latest
from mooring.telemetry.series import RangeQuery, Row, Series

KEYS = (DEVICE_TIMESTAMP, *DATA.fields)
PAGE = 4_000


class Streams:
    """Knows which devices have sent frames, and turns their readings back into records."""

    def __init__(self, series: Series, latest: Latest, registry: Registry) -> None:
        self._series = series
        self._latest = latest
        self._registry = registry
        self._packs: dict[str, dict[str, int]] | None = None

    async def learn(self, device_id: str, numbers: Mapping[str, int]) -> None:
        """Note a device that streams, with the series of its keys."""
        if all(key in numbers for key in KEYS):
            (await self._known())[device_id] = {key: numbers[key] for key in KEYS}

    def forget(self, device_id: str) -> None:
        """Drop a device that was deleted."""
        if self._packs is not None:
            self._packs.pop(device_id, None)

    async def latest(self, actor: Actor) -> Record | None:
        """Return the frame that arrived last."""
        newest: tuple[int, str] | None = None
        packs = await self._visible(actor)
        for device_id, numbers in packs.items():
            heard = self._latest.get(numbers[DEVICE_TIMESTAMP])
            if heard is not None and (newest is None or heard.at_us > newest[0]):
                newest = heard.at_us, device_id
        if newest is None:
            return None
        at_us, device_id = newest
        return await self._at(device_id, packs[device_id], at_us)

    async def history(self, actor: Actor, *, since_us: int, limit: int) -> list[Record]:
        """Return the newest frames since a time, newest first."""
        packs = await self._visible(actor)
        found = [
            record
            for device_id, numbers in packs.items()
            for record in await self._page(device_id, numbers, since_us, limit)
        ]
        return sorted(found, key=lambda record: record.at_us, reverse=True)[:limit]

    async def by_id(self, actor: Actor, record_id: str) -> Record | None:
        """Return the frame of an id."""
        at_us = streamed_at_us(record_id)
        for device_id, numbers in (await self._visible(actor)).items():
            if streamed_id(device_id, at_us) == record_id:
                return await self._at(device_id, numbers, at_us)
        return None

    async def erase(self, record: Record, keys: Iterable[str]) -> None:
        """Take a record's readings out of the store, and out of the newest values."""
        catalogue = await self._series.catalogue([record.device_id])
        wanted = set(keys)
        numbers = [info.no for info in catalogue if info.key in wanted]
        await self._series.erase(numbers, record.at_us)
        await self._refresh(numbers)

    async def expire(self, device_ids: Sequence[str], keys: Iterable[str], received_before_us: int) -> int:
        """Take out what the given devices said under `keys` and was received before a time."""
        wanted = set(keys)
        numbers = [info.no for info in await self._series.catalogue(device_ids) if info.key in wanted]
        gone = await self._series.expire(numbers, received_before_us) if numbers else 0
        if gone:
            await self._refresh(numbers)
        return gone

    async def streaming(self) -> list[str]:
        """Return every device that streams."""
        return list(await self._known())

    async def _refresh(self, numbers: Sequence[int]) -> None:
        self._latest.forget(numbers)
        self._latest.load(await self._series.newest(numbers))

    async def _known(self) -> dict[str, dict[str, int]]:
        if self._packs is None:
            found: dict[str, dict[str, int]] = {}
            for info in await self._series.catalogue():
                if info.key in KEYS:
                    found.setdefault(info.device_id, {})[info.key] = info.no
            if self._packs is None:
                self._packs = {device_id: numbers for device_id, numbers in found.items() if len(numbers) == len(KEYS)}
        return self._packs

    async def _visible(self, actor: Actor) -> dict[str, dict[str, int]]:
        packs = await self._known()
        if not packs:
            return {}
        visible = await self._registry.visible_ids(actor)
        return {device_id: numbers for device_id, numbers in packs.items() if visible is None or device_id in visible}

    async def _at(self, device_id: str, numbers: Mapping[str, int], at_us: int) -> Record | None:
        rows = await self._series.read(RangeQuery(list(numbers.values()), at_us, at_us + 1, limit=100))
        return next(iter(_records(device_id, numbers, rows)), None)

    async def _page(self, device_id: str, numbers: Mapping[str, int], since_us: int, limit: int) -> list[Record]:
        """Read back from the newest until there are enough; other records may share the keys, but not the stamp."""
        rows: list[Row] = []
        while True:
            size = max(PAGE, len(KEYS) * limit)
            query = RangeQuery(list(numbers.values()), since_us, 1 << 62, limit=size, offset=len(rows), order="desc")
            page = await self._series.read(query)
            rows += page
            found = _records(device_id, numbers, rows)
            if len(page) < size or len(found) > limit:
                return found[:limit]


def _records(device_id: str, numbers: Mapping[str, int], rows: Iterable[Row]) -> list[Record]:
    """Return the whole frames among readings, in the order of the readings."""
    names = {no: key for key, no in numbers.items()}
    frames: dict[int, dict[str, Any]] = {}
    for row in rows:
        frames.setdefault(row.at_us, {})[names[row.series]] = row.value
    return [_record(device_id, at_us, said) for at_us, said in frames.items() if len(said) == len(KEYS)]


def _record(device_id: str, at_us: int, said: Mapping[str, Any]) -> Record:
    body = {"timestamp": seconds(at_us), **{name: said[name] for name in DATA.fields}, "source": DATA.source}
    body[DEVICE_TIMESTAMP] = said[DEVICE_TIMESTAMP]
    return Record(streamed_id(device_id, at_us), device_id, DATA.name, at_us, at_us, body)
