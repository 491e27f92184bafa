"""Presence: sockets counted, heartbeats timed on the monotonic clock, changes told at once and written in batches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.devices.conftest import ANNA, Room

from mooring.devices import presence as presence_module
from mooring.devices import unsaved
from mooring.devices.model import NewDevice
from mooring.kernel.clock import to_us
from mooring.kernel.events import DeviceEventRecorded, PresenceChanged
from mooring.storage.errors import StoreUnreachable


async def _id(room: Room, name: str = "rover") -> str:
    return (await room.device(name)).device.id


def _told(room: Room) -> list[tuple[str, str]]:
    return [(event.status, event.reason) for event in room.bus.of(PresenceChanged)]


async def _stored_status(room: Room, device_id: str) -> str:
    return (await room.restarted().registry.get(ANNA, device_id)).status


async def test_first_socket_brings_online_last_one_takes_offline(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id)
    room.presence.connected(device_id)
    room.presence.disconnected(device_id, "one of two")
    assert room.presence.is_online(device_id)
    room.presence.disconnected(device_id, "gone")
    assert not room.presence.is_online(device_id)
    room.presence.disconnected(device_id, "counted once too often")
    assert _told(room) == [("online", "connected"), ("offline", "gone")]


async def test_changes_are_written_with_event_and_log(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id, "websocket")
    assert await _stored_status(room, device_id) == "never"
    await room.presence.sweep()
    assert await _stored_status(room, device_id) == "online"
    room.presence.disconnected(device_id, "closed by peer")
    await room.presence.sweep()
    assert await _stored_status(room, device_id) == "offline"
    events = (await room.journal.events(ANNA, device_id=device_id)).items
    assert [(event.event_type, event.message) for event in events] == [
        ("disconnected", "closed by peer"),
        ("connected", "websocket"),
    ]
    logs = (await room.journal.logs(ANNA, device_id)).items
    assert [line.event_type for line in logs] == ["disconnected", "connected", "registered"]
    assert [event.id for event in room.bus.of(DeviceEventRecorded)] == sorted(event.id for event in events)


async def test_what_is_not_yet_saved_is_shown_all_the_same(room: Room) -> None:
    device_id = await _id(room)
    room.presence.seen(device_id)
    device = await room.registry.get(ANNA, device_id)
    assert (device.status, device.last_seen) == ("online", room.clock.now())


async def test_heartbeat_times_out_once_with_its_reason(room: Room) -> None:
    device_id = await _id(room)
    room.presence.seen_many([device_id, device_id], room.clock.now_us())
    room.clock.pass_by(59)
    assert await room.presence.sweep() == []
    room.presence.seen(device_id)
    room.clock.pass_by(59)
    assert await room.presence.sweep() == []
    room.clock.pass_by(2.1)
    assert await room.presence.sweep() == [device_id]
    assert await room.presence.sweep() == []
    assert _told(room) == [("online", "data received"), ("offline", "no heartbeat for 60 s")]
    assert (await room.journal.events(ANNA, device_id=device_id)).items[0].severity == "warning"


async def test_device_with_a_socket_stays_online_however_silent(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id)
    for _ in range(5):
        room.clock.pass_by(100)
        assert await room.presence.sweep() == []
    line = room.presence.connectivity(device_id)
    assert (line.online, line.connections, line.silent_s) == (True, 1, 500)


async def test_each_device_may_have_its_own_timeout(room: Room) -> None:
    quick, slow = await _id(room, "quick"), await _id(room, "slow")
    room.presence.expect(slow, 300)
    room.presence.seen_many([quick, slow], room.clock.now_us())
    room.presence.expect(quick, 5)
    room.clock.pass_by(6)
    assert await room.presence.sweep() == [quick]
    room.clock.pass_by(200)
    assert await room.presence.sweep() == []
    room.presence.expect(slow, None)
    assert await room.presence.sweep() == [slow]


async def test_wall_clock_jumps_time_nobody_out(room: Room) -> None:
    device_id = await _id(room)
    room.presence.seen(device_id)
    for jump in (timedelta(days=30), timedelta(days=-60), timedelta(hours=1)):
        room.clock.wall += jump
        assert await room.presence.sweep() == []
    assert room.presence.is_online(device_id)


async def test_frames_stored_just_after_the_socket_broke_do_not_bring_it_back(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id)
    room.presence.disconnected(device_id)
    room.presence.seen(device_id)
    assert not room.presence.is_online(device_id)
    room.clock.pass_by(presence_module.AFTERGLOW_S)
    await room.presence.sweep()
    room.presence.seen(device_id)
    assert room.presence.is_online(device_id)


async def test_reconnecting_at_once_is_online_at_once(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id)
    room.presence.disconnected(device_id)
    room.presence.connected(device_id)
    assert [status for status, _ in _told(room)] == ["online", "offline", "online"]


async def test_last_seen_is_written_every_few_seconds(room: Room) -> None:
    device_id = await _id(room)
    room.presence.seen(device_id, to_us(room.clock.now()))
    await room.presence.sweep()
    assert (await room.restarted().registry.get(ANNA, device_id)).last_seen is None
    seen_at = room.clock.now()
    room.clock.pass_by(presence_module.SAVE_SEEN_EVERY_S)
    await room.presence.sweep()
    assert (await room.restarted().registry.get(ANNA, device_id)).last_seen == seen_at


async def test_those_online_before_a_restart_time_out_unless_heard(room: Room) -> None:
    gone, back = await _id(room, "gone"), await _id(room, "back")
    room.presence.seen_many([gone, back], room.clock.now_us())
    await room.presence.save()
    again = room.restarted()
    await again.presence.restore()
    assert again.presence.is_online(gone)
    room.clock.pass_by(40)
    again.presence.seen(back)
    room.clock.pass_by(21)
    assert await again.presence.sweep() == [gone]
    assert await _stored_status(room, gone) == "offline"
    assert await _stored_status(room, back) == "online"
    assert [event.status for event in again.bus.of(PresenceChanged)] == ["offline"]


async def test_failing_store_loses_nothing_and_run_goes_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await _id(room, "first"), await _id(room, "second")
    room.presence.connected(first)
    writes: list[int] = []
    original = room.database.writing

    def failing() -> object:
        writes.append(1)
        raise StoreUnreachable("the disk is gone")

    monkeypatch.setattr(room.database, "writing", failing)
    turns = iter(range(5))

    async def sleep(seconds: float) -> None:
        turn = next(turns, None)
        if turn == 2:
            room.presence.connected(second)
            monkeypatch.setattr(room.database, "writing", original)
        if turn is None:
            raise KeyboardInterrupt
        room.clock.pass_by(seconds)

    monkeypatch.setattr(room.clock, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        await room.presence.run()
    assert len(writes) == 2
    assert await _stored_status(room, first) == "online"
    assert await _stored_status(room, second) == "online"
    assert (await room.journal.events(ANNA)).total == 2


async def test_deleted_device_leaves_no_trace_in_memory(room: Room) -> None:
    device_id = await _id(room)
    room.presence.connected(device_id)
    room.presence.expect(device_id, 5)
    await room.registry.delete(ANNA, device_id)
    room.presence.seen(device_id)
    room.presence.disconnected(device_id)
    room.clock.pass_by(10)
    await room.presence.sweep()
    await room.presence.save()
    presence = room.presence
    held = (presence._heard, presence._connections, presence._slot, presence._left, presence._own_heartbeat_s)
    assert [len(part) for part in held] == [0] * 5
    assert presence.online_count == 0


async def test_story_is_bounded_but_the_last_status_is_kept(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaved, "MAX_CHANGES", 3)
    room.presence._unsaved = unsaved.Unsaved()
    fresh = await room.registry.register_many(ANNA, [NewDevice(name=f"d{n}") for n in range(6)])
    for registered in fresh:
        room.presence.connected(registered.device.id)
    await room.presence.save()
    assert (await room.registry.counts(ANNA)).online == 6
    assert (await room.journal.events(ANNA)).total == 3


async def test_five_thousand_arrive_and_fall_silent(room: Room) -> None:
    async with room.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE users SET device_quota = 100000")
    fresh = await room.registry.register_many(ANNA, [NewDevice(name=f"d{n}") for n in range(5000)])
    ids = [registered.device.id for registered in fresh]
    room.presence.seen_many(ids, room.clock.now_us())
    await room.presence.save()
    counts = await room.registry.counts(ANNA)
    assert (counts.total, counts.online) == (5000, 5000)
    room.clock.pass_by(61.5)
    assert len(await room.presence.sweep()) == 5000
    counts = await room.registry.counts(ANNA)
    assert (counts.offline, counts.online) == (5000, 0)
    assert (await room.journal.events(ANNA)).total == 10_000
