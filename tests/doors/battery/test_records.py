"""Records over real stores: what goes with age, what a failing store means, what comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.devices.conftest import ANNA, BERT, ROOT, Room, open_room

from mooring.adapters.duckdb_series import DuckDBSeries
from mooring.devices.model import NewDevice
from mooring.doors.dialects.battery.intake import MAX_OBJECTS, FrameIntake, ObjectIntake
from mooring.doors.dialects.battery.model import DATA, PERFORMANCE, PREDICTION, RecordUnknown
from mooring.doors.dialects.battery.records import Key, RecordConflict, Records, Said
from mooring.doors.dialects.battery.streams import KEYS, Streams
from mooring.kernel.errors import StorageFull
from mooring.kernel.events import FramesStored
from mooring.telemetry.block import Block
from mooring.telemetry.ingest import Ingest
from mooring.telemetry.series import Columns, Committed, RangeQuery
from mooring.wire.packed import BATTERY

MEASURED = {"pack_voltage": 355.25, "pack_current": -10.0, "cell_temp": 25.5}
LIFE = {"remaining_life_hours": 8120.5, "remaining_cycles": 880, "degradation_rate": 0.0021}
DAY_S = 86_400


class Store(DuckDBSeries):
    """The real store, on a disk that can be full."""

    disk_full = False

    async def append(self, columns: Columns) -> Committed:
        if self.disk_full:
            raise StorageFull("storage is full")
        return await super().append(columns)


@dataclass
class Plant:
    """One pack of Anna's, and all that stands behind the door."""

    room: Room
    series: Store
    ingest: Ingest
    streams: Streams
    records: Records
    pack: str
    packs: list[str]

    async def pack_of(self, address: str) -> str:
        self.packs.append(address)
        return self.pack

    def frames(self) -> FrameIntake:
        return FrameIntake(self.ingest, self.room.presence, self.streams, self.pack_of, clock=self.room.clock)

    def objects(self) -> ObjectIntake:
        return ObjectIntake(self.records, self.pack_of, clock=self.room.clock)

    async def keep(self, **more: Any) -> str:
        [record] = await self.records.keep([Said(self.pack, DATA, {**MEASURED, **more})])
        return record.id

    async def values(self, key: str) -> list[Any]:
        numbers = [info.no for info in await self.series.catalogue([self.pack]) if info.key == key]
        return [row.value for row in await self.series.read(RangeQuery(numbers, 0, 1 << 62))]


@pytest.fixture
async def plant(database_url: str, tmp_path: Path) -> AsyncIterator[Plant]:
    room = await open_room(database_url)
    series = Store(tmp_path / "readings", reserve_bytes=0)
    await series.open()

    async def nothing(_: object) -> None:
        return

    ingest = Ingest(series, room.clock, room.bus, record_events=nothing, seen=room.presence.seen_many)
    task = asyncio.create_task(ingest.run())
    streams = Streams(series, ingest.latest, room.registry)
    records = Records(room.database, ingest, room.registry, streams, clock=room.clock)
    registered = await room.registry.register(ANNA, NewDevice(name="battery", device_type="battery"))
    yield Plant(room, series, ingest, streams, records, registered.device.id, [])
    ingest.close()
    await task
    await series.close()
    await room.database.close()


async def until(true: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 (whatever it waits for tells nobody)
            await asyncio.sleep(0.01)


def frame(index: int) -> bytes:
    return BATTERY.encode(index * 0.5, 350.0 + index, 1.0, 25.0)


async def test_what_was_received_thirty_days_ago_goes_whatever_its_own_time_says(plant: Plant) -> None:
    clock = plant.room.clock
    old = await plant.keep(pack_voltage=1.5)
    clock.pass_by(31 * DAY_S)
    late = await plant.keep(pack_voltage=2.5, timestamp=(clock.now_us() / 1e6) - 40 * DAY_S)
    assert await plant.records.remove_old(clock.now_us() - 30 * DAY_S * 1_000_000) == 1 + 3
    with pytest.raises(RecordUnknown):
        await plant.records.get(DATA, old, ANNA)
    assert (await plant.records.get(DATA, late, ANNA)).body["pack_voltage"] == 2.5
    assert await plant.values("pack_voltage") == [2.5]


async def test_streamed_frames_go_with_age_too(plant: Plant) -> None:
    intake = plant.frames()
    work = asyncio.create_task(intake.run())
    intake.take([("a", frame(0) + frame(1))])
    await until(lambda: intake.frames == 2)
    plant.room.clock.pass_by(31 * DAY_S)
    intake.take([("a", frame(2))])
    await until(lambda: intake.frames == 3)
    await plant.records.remove_old(plant.room.clock.now_us() - 30 * DAY_S * 1_000_000)
    assert await plant.values("pack_voltage") == [352.0]
    [left] = await plant.records.history(DATA, ANNA, hours=10_000, limit=10)
    assert left.body["device_timestamp"] == 1.0
    assert (await plant.records.latest(DATA, ANNA)).id == left.id
    work.cancel()


async def test_the_sweep_stops_when_the_clock_was_set(plant: Plant) -> None:
    clock = plant.room.clock
    kept = await plant.keep()

    class Jumping:
        """A clock somebody sets a year ahead while the sweep sleeps."""

        async def sleep(self, seconds: float) -> None:
            clock.pass_by(seconds)
            clock.wall = clock.wall.replace(year=clock.wall.year + 1)

        def __getattr__(self, name: str) -> Any:
            return getattr(clock, name)

    plant.records._clock = Jumping()
    async with asyncio.timeout(5):
        await plant.records.run(30)
    assert (await plant.records.get(DATA, kept, ANNA)).id == kept


async def test_when_readings_cannot_be_stored_there_is_no_record_either(plant: Plant) -> None:
    plant.series.disk_full = True
    with pytest.raises(StorageFull):
        await plant.keep()
    assert await plant.records.latest_or_none(DATA, ANNA) is None
    plant.series.disk_full = False
    await plant.keep()
    assert await plant.values("pack_voltage") == [355.25]


async def test_frames_the_store_refuses_are_counted(plant: Plant) -> None:
    intake = plant.frames()
    work = asyncio.create_task(intake.run())
    intake.take([("a", frame(0))])
    await until(lambda: intake.frames == 1)
    plant.series.disk_full = True
    intake.take([("a", frame(1) * 3)])
    await until(lambda: intake.losses.count)
    plant.series.disk_full = False
    intake.take([("a", frame(2))])
    await until(lambda: intake.frames == 2)
    assert await plant.values("pack_voltage") == [350.0, 352.0]
    work.cancel()


async def test_objects_wait_for_a_store_that_fails_and_hold_their_senders(plant: Plant) -> None:
    intake = plant.objects()
    plant.series.disk_full = True
    life = b'{"remaining_life_hours": 1, "remaining_cycles": 2, "degradation_rate": 3}'
    work = asyncio.create_task(intake.run())
    intake.take([("a", life)] * MAX_OBJECTS)
    await asyncio.sleep(0.1)
    assert intake.full
    assert intake.records == 0
    plant.series.disk_full = False
    await until(lambda: intake.records == MAX_OBJECTS, 20)
    assert not intake.full
    assert intake.losses.count == 0
    work.cancel()


async def test_one_bad_object_spoils_no_other(plant: Plant) -> None:
    intake = plant.objects()
    work = asyncio.create_task(intake.run())
    good = b'{"remaining_life_hours": 1, "remaining_cycles": 2, "degradation_rate": 3}'
    bad = b'{"remaining_life_hours": "x"}'
    intake.take([("a", data) for data in (good, bad, b'{"a": 1}', b"{", good)])
    await until(lambda: intake.records == 2)
    await until(lambda: intake.losses.count == 3)
    work.cancel()


async def test_a_pack_deleted_while_it_streams_comes_back_as_a_new_one(plant: Plant) -> None:
    intake = plant.frames()
    work = asyncio.create_task(intake.run())
    intake.opened("a")
    intake.take([("a", frame(0))])
    await until(lambda: intake.frames == 1)
    plant.room.registry.on_delete(plant.ingest.forget)
    await plant.room.registry.delete(ANNA, plant.pack)
    plant.pack = (await plant.room.registry.register(ANNA, NewDevice(name="battery", device_type="battery"))).device.id
    intake.take([("a", frame(5))])
    await until(lambda: intake.frames == 2)
    assert await plant.values("pack_voltage") == [355.0]
    assert [one.body["pack_voltage"] for one in await plant.records.history(DATA, ANNA, hours=1, limit=9)] == [355.0]
    work.cancel()


async def test_a_key_that_comes_again_stores_nothing_again(plant: Plant) -> None:
    said = Said(plant.pack, PREDICTION, LIFE, Key("boot", 1))
    first = await plant.records.keep([said])
    plant.room.clock.pass_by(60)
    assert await plant.records.keep([said]) == first
    with pytest.raises(RecordConflict):
        await plant.records.keep([said._replace(given={**LIFE, "remaining_cycles": 1})])
    assert await plant.values("remaining_cycles") == [880]


async def test_a_key_whose_record_was_lost_in_between_is_completed(plant: Plant) -> None:
    said = Said(plant.pack, PREDICTION, LIFE, Key("boot", 1))
    [first] = await plant.records.keep([said])
    async with plant.room.database.writing() as connection:
        from mooring.doors.dialects.battery import store

        await store.delete(connection, first.id)
    plant.room.clock.pass_by(60)
    [again] = await plant.records.keep([said])
    assert again.id == first.id
    assert await plant.values("remaining_cycles") == [880]


async def test_the_same_record_twice_in_one_call_is_one(plant: Plant) -> None:
    said = Said(plant.pack, PREDICTION, LIFE, Key("boot", 1))
    await plant.records.keep([said, said])
    assert len(await plant.records.history(PREDICTION, ANNA, hours=1, limit=9)) == 1
    assert await plant.values("remaining_cycles") == [880]


async def test_people_see_their_own_and_administrators_all(plant: Plant) -> None:
    record_id = await plant.keep()
    assert (await plant.records.get(DATA, record_id, ROOT)).id == record_id
    with pytest.raises(RecordUnknown):
        await plant.records.get(DATA, record_id, BERT)
    with pytest.raises(RecordUnknown):
        await plant.records.get(PERFORMANCE, record_id, ANNA)


async def test_no_two_frames_share_a_time_even_when_the_clock_stands(plant: Plant) -> None:
    intake = plant.frames()
    work = asyncio.create_task(intake.run())
    for index in range(50):
        intake.take([("a", frame(index) * 3)])
        await asyncio.sleep(0)
    await until(lambda: intake.frames == 150)
    found = await plant.records.history(DATA, ANNA, hours=1, limit=1000)
    assert len({record.at_us for record in found}) == len({record.id for record in found}) == 150
    work.cancel()


async def test_a_block_is_announced_frame_by_frame(plant: Plant) -> None:
    source = plant.ingest.sources.get(plant.pack)
    await plant.ingest.learn(source, dict.fromkeys(KEYS))
    now = plant.room.clock.now_us()
    values = np.arange(8.0).reshape(2, 4)
    plant.ingest.accept_block(Block(source, KEYS, np.array([now, now + 1], np.int64), values), None)
    await until(lambda: plant.room.bus.of(FramesStored))
    [stored] = plant.room.bus.of(FramesStored)
    assert list(stored.frames) == [
        (plant.pack, now, dict(zip(KEYS, [0.0, 1.0, 2.0, 3.0], strict=True))),
        (plant.pack, now + 1, dict(zip(KEYS, [4.0, 5.0, 6.0, 7.0], strict=True))),
    ]
    assert plant.ingest.readings_stored == 8
    assert plant.ingest.frames_stored == 2
