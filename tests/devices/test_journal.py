"""The journal: events once per (device, boot_id, seq), states once per change, newest first, only one's own."""

from __future__ import annotations

import asyncio

import pytest
from tests.devices.conftest import ANNA, BERT, ROOT, Room

from mooring.devices.errors import QueryInvalid
from mooring.devices.model import EventRow, NewEvent, NewLog, Page, StatusSaid
from mooring.kernel.actor import Actor
from mooring.kernel.events import DeviceEventRecorded


def _event(room: Room, device_id: str, seq: int | None = None, **more: object) -> NewEvent:
    return NewEvent(device_id=device_id, event_type="alarm", at=room.clock.now(), seq=seq, **more)  # type: ignore[arg-type]


async def test_event_with_a_number_is_recorded_once(room: Room) -> None:
    device_id = (await room.device()).device.id
    first = await room.journal.record_events([_event(room, device_id, 1, boot_id="b", body={"a": [1, {"b": None}]})])
    assert [(row.event_type, row.device_name, row.body) for row in first] == [
        ("alarm", "rover", {"a": [1, {"b": None}]})
    ]
    again = [_event(room, device_id, seq, boot_id="b") for seq in (1, 2, 2, 3)]
    assert len(await room.journal.record_events(again)) == 2
    assert await room.journal.record_events(again) == []
    assert len(await room.journal.record_events([_event(room, device_id, 1, boot_id="c")])) == 1
    assert (await room.journal.events(ANNA)).total == 4
    assert len(room.bus.of(DeviceEventRecorded)) == 4


async def test_fifty_copies_at_once_leave_one_row(room: Room) -> None:
    device_id = (await room.device()).device.id
    tries = await asyncio.gather(*(room.journal.record_events([_event(room, device_id, 7)]) for _ in range(50)))
    assert sum(len(rows) for rows in tries) == 1


async def test_events_without_a_number_are_all_kept(room: Room) -> None:
    device_id = (await room.device()).device.id
    assert len(await room.journal.record_events([_event(room, device_id), _event(room, device_id)])) == 2


async def test_unknown_devices_events_are_left_out(room: Room) -> None:
    device_id = (await room.device()).device.id
    rows = await room.journal.record_events([_event(room, "nobody", 1), _event(room, device_id, 1)])
    assert [row.device_id for row in rows] == [device_id]
    await room.journal.write_logs([NewLog("nobody", "x", "y", room.clock.now())])


async def test_what_devices_invent_is_made_storable(room: Room) -> None:
    device_id = (await room.device()).device.id
    wild = NewEvent(
        device_id=device_id,
        event_type="x\0\ud800" + "y" * 300,
        at=room.clock.now(),
        severity="APOCALYPTIC",
        message="line\nتنبيه 🤖\x1b[31m",
        boot_id="b" * 500,
        seq=2**62,
    )
    (row,) = await room.journal.record_events([wild])
    assert row.event_type.startswith("x\ufffd\ufffdy")
    assert (len(row.event_type), row.severity, row.message) == (128, "info", "line\nتنبيه 🤖\ufffd[31m")
    assert await room.journal.record_events([wild]) == []


async def test_state_is_recorded_once_per_change(room: Room) -> None:
    device_id = (await room.device()).device.id

    async def say(*states: str) -> list[str]:
        rows = await room.journal.note_statuses([StatusSaid(device_id, state, room.clock.now()) for state in states])
        return [row.message for row in rows]

    assert await say("idle", "idle") == ["device status: idle"]
    assert await say("idle") == []
    assert await say("busy", "idle", "busy") == [f"device status: {state}" for state in ("busy", "idle", "busy")]
    assert (await room.registry.get(ANNA, device_id)).device_status == "busy"
    again = room.restarted()
    assert await again.journal.note_statuses([StatusSaid(device_id, "busy", room.clock.now())]) == []
    assert len(await again.journal.note_statuses([StatusSaid(device_id, "error", room.clock.now())])) == 1
    assert await again.journal.note_statuses([StatusSaid("nobody", "busy", room.clock.now())]) == []


async def test_repeated_state_costs_no_query(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    device_id = (await room.device()).device.id
    said = [StatusSaid(device_id, "idle", room.clock.now())]
    await room.journal.note_statuses(said)
    monkeypatch.setattr(room.database, "writing", None)
    assert await room.journal.note_statuses(said) == []


async def test_lists_are_newest_first_and_page_without_gap_or_repeat(room: Room) -> None:
    mine, foreign = (await room.device()).device.id, (await room.device("b", BERT)).device.id
    for number in range(7):
        await room.journal.record_events([_event(room, mine, number), _event(room, foreign, number)])
    seen: list[EventRow] = []
    cursor = None
    while True:
        page: Page[EventRow] = await room.journal.events(ANNA, limit=3, cursor=cursor)
        assert page.total == 7
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == 7
    assert [row.id for row in seen] == sorted((row.id for row in seen), reverse=True)
    assert {row.device_id for row in seen} == {mine}
    assert (await room.journal.events(ROOT)).total == 14
    assert (await room.journal.events(Actor(kind="device", id=foreign, name="b"))).total == 7


async def test_log_pages(room: Room) -> None:
    device_id = (await room.device()).device.id
    await room.journal.write_logs([NewLog(device_id, "note", f"line {n}", room.clock.now()) for n in range(4)])
    first = await room.journal.logs(ANNA, device_id, limit=3)
    rest = await room.journal.logs(ANNA, device_id, limit=3, cursor=first.next)
    assert [line.message for line in first.items + rest.items] == ["line 3", "line 2", "line 1", "line 0", "registered"]
    assert rest.next is None


async def test_foreign_cursor_is_refused(room: Room) -> None:
    for cursor in ("x", "WyJuYW1lIiwxXQ", "W10", "WyJuZXdlc3QiLCJhIl0", "ä", "WyJuZXdlc3QiLDFlOTk5XQ"):
        with pytest.raises(QueryInvalid):
            await room.journal.events(ANNA, cursor=cursor)
