"""Devices that come unannounced: found by name, registered once, within the quota, forgotten when they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.devices.conftest import ANNA, BERT, ROOT, Room, open_room

from mooring.access.admissions import Admissions
from mooring.access.passwords import Passwords
from mooring.access.people import People
from mooring.access.tables import users
from mooring.devices.errors import FieldInvalid, QuotaExceeded
from mooring.doors.dialects.arrivals import Arrivals
from mooring.kernel.errors import Unavailable


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    opened = await open_room(f"sqlite:///{tmp_path / 'people.sqlite3'}")
    yield opened
    await opened.database.close()


def arrivals(room: Room, owner: str = "") -> Arrivals:
    people = People(room.database, room.clock, Passwords(), Admissions(room.clock))
    return Arrivals(room.registry, people, room.clock, default_owner=owner)


async def test_device_is_registered_once_and_found_again(room: Room) -> None:
    here = arrivals(room, "anna")
    first = await here.device("PC-01", "computer")
    assert await here.device("PC-01") == first
    assert await arrivals(room, "anna").device("PC-01") == first
    assert await room.registry.count_owned(ANNA.id) == 1
    (device,) = await room.registry.get_many(ANNA, [first])
    assert (device.name, device.device_type) == ("PC-01", "computer")


async def test_many_at_once_make_one_device(room: Room) -> None:
    here, there = arrivals(room, "anna"), arrivals(room, "anna")
    found = await asyncio.gather(*(each.device("PC-01") for each in (here, there) * 10))
    assert len(set(found)) == 1


async def test_owner_is_the_first_administrator_unless_one_is_named(room: Room) -> None:
    assert (await arrivals(room).owner()).id == ROOT.id
    owner = await arrivals(room, "anna").owner()
    assert owner.id == ANNA.id and not owner.is_admin
    assert not (await arrivals(room).owner()).is_admin
    with pytest.raises(Unavailable):
        await arrivals(room, "nobody").device("PC-01")


async def test_names_of_two_owners_are_two_devices(room: Room) -> None:
    here = arrivals(room)
    assert await here.device("PC-01", owner_id=ANNA.id) != await here.device("PC-01", owner_id=BERT.id)


async def test_quota_holds_and_a_refusal_is_remembered_for_a_while(room: Room) -> None:
    async with room.database.writing() as connection:
        await connection.execute(update(users).where(users.c.id == ANNA.id).values(device_quota=1))
    here = arrivals(room, "anna")
    await here.device("PC-01")
    with pytest.raises(QuotaExceeded):
        await here.device("PC-02")
    async with room.database.writing() as connection:
        await connection.execute(update(users).where(users.c.id == ANNA.id).values(device_quota=9))
    with pytest.raises(QuotaExceeded):
        await here.device("PC-02")
    room.clock.pass_by(3)
    await here.device("PC-02")


@pytest.mark.parametrize("name", ["", "x" * 300, "a\0b", "\ud800"])
async def test_name_no_device_can_have_is_refused(room: Room, name: str) -> None:
    with pytest.raises(FieldInvalid):
        await arrivals(room, "anna").device(name)


async def test_deleted_or_renamed_device_is_not_taken_for_the_new_one(room: Room) -> None:
    here = arrivals(room, "anna")
    running = asyncio.create_task(here.run(room.bus))
    await asyncio.sleep(0)
    first = await here.device("PC-01")
    await room.registry.update(ANNA, first, {"name": "renamed"})
    await asyncio.sleep(0.01)
    second = await here.device("PC-01")
    assert second != first
    await room.registry.delete(ANNA, second)
    await asyncio.sleep(0.01)
    assert await here.device("PC-01") not in (first, second)
    running.cancel()
