"""What can be done with records: keep, find, change, delete, and let the old ones go.

A new record's readings are stored first and the record after them; the answer comes when both are on disk. What is sent
again under its key is known again by both.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mooring.devices.model import DeviceQuery
from mooring.devices.service import Registry
from mooring.doors.devices.receipts import OneReceipt, committed
from mooring.doors.dialects.battery import store
from mooring.doors.dialects.battery.model import (
    DATA,
    DAY_US,
    DEVICE_TIMESTAMP,
    KINDS,
    UNITS,
    Kind,
    Record,
    RecordUnknown,
    changed,
    checked,
    fresh_id,
    repeatable_id,
)
from mooring.doors.dialects.battery.streams import Streams
from mooring.kernel.actor import SYSTEM, Actor
from mooring.kernel.clock import Clock
from mooring.kernel.errors import Conflict, StorageFull, Unavailable
from mooring.kernel.frames import Frame, Receipt
from mooring.storage.database import Database
from mooring.telemetry.ingest import Ingest

log = logging.getLogger(__name__)

PACK_TYPE = "battery"
COMMIT_DEADLINE_S = 30.0
SWEEP_S = 3600.0
# A wall clock that has gone so far from the other one was set: nothing is removed by it.
DRIFT_S = 3600.0


class RecordConflict(Conflict):
    """A key came again with another content."""

    code = "record_conflict"


class Key(NamedTuple):
    """Under what a sender sends a record again: its boot and number there."""

    boot_id: str
    seq: int


class Said(NamedTuple):
    """A record as it came in: of which pack, what kind, and under which key, if any."""

    device_id: str
    kind: Kind
    given: Mapping[str, Any]
    key: Key | None = None


class Records:
    """The records of all packs."""

    def __init__(
        self, database: Database, ingest: Ingest, registry: Registry, streams: Streams, *, clock: Clock
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._registry = registry
        self._streams = streams
        self._clock = clock

    async def keep(self, said: Sequence[Said]) -> list[Record]:
        """Keep new records, all or none; raises ``RecordInvalid`` before anything is stored."""
        now_us = self._clock.now_us()
        records = [_record(one, now_us) for one in said]
        known = await self._known([record for record, one in zip(records, said, strict=True) if one.key])
        fresh = [(record, one.key) for record, one in zip(records, said, strict=True) if record.id not in known]
        await asyncio.gather(*(self._tell(record, key) for record, key in fresh))
        if fresh:
            async with self._database.writing() as connection:
                await store.add(connection, [record for record, _ in fresh])
        return [known.get(record.id, record) for record in records]

    async def _known(self, records: Sequence[Record]) -> dict[str, Record]:
        """Return those records that were kept before; raises ``RecordConflict`` if one says something else now."""
        if not records:
            return {}
        async with self._database.reading() as connection:
            known = await store.by_ids(connection, [record.id for record in records])
        for record in records:
            before = known.get(record.id)
            if before is not None and before.readings() != record.readings():
                raise RecordConflict("this key was used before, for another record")
        return known

    async def latest(self, kind: Kind, actor: Actor) -> Record:
        """Return the record that arrived last; raises ``RecordUnknown``."""
        async with self._database.reading() as connection:
            found = await store.latest(connection, kind.name, actor)
        if kind is DATA:
            streamed = await self._streams.latest(actor)
            if streamed is not None and (found is None or streamed.received_us > found.received_us):
                return streamed
        if found is None:
            raise kind.missing()
        return found

    async def latest_or_none(self, kind: Kind, actor: Actor) -> Record | None:
        """Return the record that arrived last, if there is any."""
        try:
            return await self.latest(kind, actor)
        except RecordUnknown:
            return None

    async def history(self, kind: Kind, actor: Actor, *, hours: float, limit: int) -> list[Record]:
        """Return records of the last `hours`, newest first."""
        since_us = self._clock.now_us() - round(hours * 3_600_000_000)
        async with self._database.reading() as connection:
            found = await store.history(connection, kind.name, actor, since_us=since_us, limit=limit)
        if kind is not DATA:
            return found
        streamed = await self._streams.history(actor, since_us=since_us, limit=limit)
        # A frame somebody changed is a record of its own, under the same id.
        kept = {record.id for record in found}
        both = found + [record for record in streamed if record.id not in kept]
        return sorted(both, key=lambda record: record.at_us, reverse=True)[:limit]

    async def get(self, kind: Kind, record_id: str, actor: Actor) -> Record:
        """Return a record; raises ``RecordUnknown``."""
        async with self._database.reading() as connection:
            found = await store.by_id(connection, kind.name, record_id, actor)
        if found is None and kind is DATA:
            found = await self._streams.by_id(actor, record_id)
        if found is None:
            raise kind.missing()
        return found

    async def change(self, kind: Kind, record_id: str, given: Mapping[str, Any], actor: Actor) -> Record:
        """Write fields of a record anew, in its readings too; raises ``RecordUnknown``, ``RecordInvalid``."""
        before = await self.get(kind, record_id, actor)
        await self._registry.get(actor, before.device_id, "report")
        at_us, body = changed(kind, before, given, self._clock.now_us())
        after = replace(before, at_us=at_us, body=body)
        async with self._database.writing() as connection:
            await store.put(connection, after)
        await self._withdraw(before)
        await self._tell(after, None)
        return after

    async def delete(self, kind: Kind, record_id: str, actor: Actor) -> None:
        """Delete a record and its readings; raises ``RecordUnknown``."""
        record = await self.get(kind, record_id, actor)
        await self._registry.get(actor, record.device_id, "report")
        await self._withdraw(record)
        async with self._database.writing() as connection:
            await store.delete(connection, record_id)

    async def remove_old(self, received_before_us: int) -> int:
        """Delete what was received before a time: records, and the readings of every pack; return how many."""
        async with self._database.writing() as connection:
            gone = await store.expire(connection, received_before_us)
        packs = {*await self._packs(), *await self._streams.streaming()}
        keys = (DEVICE_TIMESTAMP, *UNITS)
        return gone + await self._streams.expire(sorted(packs), keys, received_before_us)

    async def run(self, keep_days: int) -> None:
        """Let old records go once an hour, until cancelled; ``keep_days`` 0 keeps them for ever."""
        if not keep_days:
            return
        drift = self._drift()
        while True:
            await self._clock.sleep(SWEEP_S)
            if abs(self._drift() - drift) > DRIFT_S:
                log.warning("the clock was set: old battery records are kept until the next start")
                return
            try:
                await self.remove_old(self._clock.now_us() - keep_days * DAY_US)
            except Unavailable as error:
                log.warning("old battery records could not be removed: %s", error.message)

    def _drift(self) -> float:
        return self._clock.now_us() / 1_000_000 - self._clock.monotonic()

    async def _packs(self) -> list[str]:
        found: list[str] = []
        query = DeviceQuery(device_type=PACK_TYPE, limit=1000)
        while True:
            page = await self._registry.find(SYSTEM, query)
            found += [device.id for device in page.items]
            if page.next is None:
                return found
            query = replace(query, cursor=page.next)

    async def _withdraw(self, record: Record) -> None:
        """Take a record's readings back; where another record stands at the very same time, they are its own too."""
        async with self._database.reading() as connection:
            shared = await store.others_at(connection, record)
        keys = () if shared else KINDS[record.kind].fields
        await self._streams.erase(record, (DEVICE_TIMESTAMP, *keys))

    async def _tell(self, record: Record, key: Key | None) -> None:
        """Store a record's numbers as readings of its pack."""
        if self._ingest.full:
            await self._ingest.room(COMMIT_DEADLINE_S)
        readings = {
            name: value if UNITS[name] is None else {"value": value, "unit": UNITS[name]}
            for name, value in record.readings().items()
        }
        frame = Frame(
            sensor_readings=readings,
            timestamp=record.at_us,
            boot_id=key.boot_id if key else "",
            seq=key.seq if key else None,
        )
        sink = OneReceipt(asyncio.get_running_loop())
        self._ingest.accept(self._ingest.sources.get(record.device_id), frame, sink)
        receipt: Receipt = await committed(sink.future, COMMIT_DEADLINE_S)
        reason = receipt.reason or receipt.status
        # A conflict: the readings are there since the last attempt, under the time they were received at then.
        if receipt.status not in ("stored", "duplicate") and not reason.startswith("seq_conflict"):
            raise StorageFull(reason) if reason == "storage_full" else Unavailable(reason)


def _record(said: Said, now_us: int) -> Record:
    at_us, body = checked(said.kind, said.given, now_us)
    key = said.key
    record_id = (
        fresh_id(now_us) if key is None else repeatable_id(said.device_id, said.kind, f"{key.boot_id}:{key.seq}")
    )
    return Record(record_id, said.device_id, said.kind.name, at_us, now_us, body)
