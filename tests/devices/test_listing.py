"""Listing devices: filters, every order, cursors without gap or repeat, also at twenty thousand devices."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.devices.conftest import ANNA, BERT, ROOT, Room

from mooring.devices.errors import QueryInvalid
from mooring.devices.model import Device, DeviceQuery, NewDevice
from mooring.devices.store import CHUNK, SORTS, chunks, insert_devices, save_seen, save_statuses
from mooring.kernel.actor import Actor
from mooring.kernel.clock import to_us

MANY = 20_000


def _device(room: Room, number: int, owner: Actor = ANNA) -> Device:
    pick = random.Random(number)
    return Device(
        id=f"id-{pick.getrandbits(48):012x}-{number}",
        owner_id=owner.id,
        name=f"{pick.choice(['rover', 'Sonde', 'ärmel', '机器人'])} {number}",
        device_type=pick.choice(["robot", "sensor", "battery"]),
        description="",
        ip_address=f"10.0.{number // 256}.{number % 256}",
        mac_address=None,
        status="never",
        device_status=None,
        lifecycle="registered",
        last_seen=None,
        firmware_version=None,
        group_id=None,
        configuration={},
        created_at=room.clock.now() + timedelta(seconds=pick.randrange(500)),
    )


async def _fill(room: Room, count: int, owner: Actor = ANNA) -> list[Device]:
    devices = [_device(room, number, owner) for number in range(count)]
    online = {device.id: to_us(room.clock.now()) + index % 97 for index, device in enumerate(devices) if index % 3}
    async with room.database.writing() as connection:
        for part in chunks([(device, device.name.casefold()) for device in devices]):
            await insert_devices(connection, part)
        for ids in chunks(online):
            await save_seen(connection, {device_id: online[device_id] for device_id in ids})
            await save_statuses(connection, dict.fromkeys(ids, "online"))
    return devices


async def _all(room: Room, query: DeviceQuery, actor: Actor = ANNA) -> list[Device]:
    found: list[Device] = []
    while True:
        page = await room.registry.find(actor, query)
        assert len(page.items) <= query.limit
        found += page.items
        if page.next is None:
            assert page.total == len(found)
            return found
        query = replace(query, cursor=page.next)


async def test_twenty_thousand_devices_page_completely_in_every_order(room: Room) -> None:
    devices = await _fill(room, MANY)
    for sort in ("name", "-last_seen", "status", "-created_at"):
        found = await _all(room, DeviceQuery(sort=sort, limit=CHUNK))
        assert len(found) == len({device.id for device in found}) == MANY
        assert {device.id for device in found} == {device.id for device in devices}


async def test_order_is_the_one_asked_for(room: Room) -> None:
    await _fill(room, 60)
    for sort in (sign + name for name in SORTS for sign in ("", "-")):
        whole = await _all(room, DeviceQuery(sort=sort, limit=1000))
        paged = await _all(room, DeviceQuery(sort=sort, limit=7))
        assert [device.id for device in paged] == [device.id for device in whole]
        if sort.endswith("created_at"):
            times = [device.created_at for device in whole]
            assert times == sorted(times, reverse=sort.startswith("-"))


async def test_never_seen_devices_come_first_when_last_seen_rises(room: Room) -> None:
    await _fill(room, 30)
    found = await _all(room, DeviceQuery(sort="last_seen"))
    assert [device.last_seen is None for device in found] == [True] * 10 + [False] * 20


async def test_filters_narrow_list_and_total(room: Room) -> None:
    devices = await _fill(room, 90)
    robots = await _all(room, DeviceQuery(device_type="robot", limit=10))
    assert {device.id for device in robots} == {device.id for device in devices if device.device_type == "robot"}
    online = await _all(room, DeviceQuery(status="online", limit=10, sort="-last_seen"))
    assert len(online) == 60
    assert {device.status for device in online} == {"online"}
    assert await _all(room, DeviceQuery(group_id="none")) == []
    both = await _all(room, DeviceQuery(status="online", device_type="robot", q="ROVER"))
    assert both == [device for device in both if device.device_type == "robot" and "rover" in device.name]


async def test_search_is_literal_and_folds_letters_alike(room: Room) -> None:
    await room.registry.register(ANNA, NewDevice(name="ärmel%"))
    await room.registry.register(ANNA, NewDevice(name="b_c", ip_address="10.0.0.9"))
    for q, name in (("ÄRMEL", "ärmel%"), ("%", "ärmel%"), ("10.0.0.9", "b_c"), ("_", "b_c")):
        assert [device.name for device in await _all(room, DeviceQuery(q=q))] == [name]


async def test_list_holds_ones_own_and_administrators_see_all(room: Room) -> None:
    await room.device("a")
    await room.device("a", BERT)
    assert [device.owner_id for device in await _all(room, DeviceQuery())] == ["u-anna"]
    assert len(await _all(room, DeviceQuery(), ROOT)) == 2
    assert (await room.registry.counts(ROOT)).never == 2
    assert (await room.registry.counts(BERT)).total == 1


async def test_query_nobody_can_answer_is_refused(room: Room) -> None:
    far_future = "WyJjcmVhdGVkX2F0Iiw5MjIzMzcyMDM2ODU0Nzc1ODA3LCJ4Il0"
    for query in (
        DeviceQuery(sort="configuration"),
        DeviceQuery(sort="--name"),
        DeviceQuery(limit=0),
        DeviceQuery(limit=1001),
        DeviceQuery(q="nul\0"),
        DeviceQuery(cursor="junk"),
        DeviceQuery(sort="created_at", cursor=far_future),
    ):
        with pytest.raises(QueryInvalid):
            await room.registry.find(ANNA, query)


async def test_cursor_of_another_order_is_refused(room: Room) -> None:
    await _fill(room, 5)
    page = await room.registry.find(ANNA, DeviceQuery(limit=2))
    with pytest.raises(QueryInvalid):
        await room.registry.find(ANNA, DeviceQuery(limit=2, sort="-name", cursor=page.next))
