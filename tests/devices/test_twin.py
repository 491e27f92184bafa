"""The twin: what is kept, what is told, and what many writers at once come to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.devices.conftest import ANNA, BERT, Room

from mooring.devices.errors import DeviceUnknown, FieldInvalid
from mooring.devices.twin.model import MAX_KEYS, MAX_PART_BYTES, Change, Twin, applied, checked
from mooring.devices.twin.service import Twins
from mooring.kernel.events import TwinChanged


@pytest.fixture
def twins(room: Room) -> Twins:
    """Give the twins of the room's store."""
    return Twins(room.database, room.bus, room.clock)


async def test_twin_of_a_new_device_is_empty(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    assert await twins.get(device.id) == Twin(device.id)


async def test_changes_are_laid_over_what_is_there_and_null_removes(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    await twins.change(device.id, "desired", {"mode": "eco", "limits": {"a": [1, 2.5, True, None]}})
    await twins.change(device.id, "reported", {"fw": 3})
    twin = await twins.change(device.id, "desired", {"mode": None, "speed": 1})
    assert twin.desired == {"limits": {"a": [1, 2.5, True, None]}, "speed": 1}
    assert (twin.reported, twin.server, twin.version, twin.updated_at) == ({"fw": 3}, {}, 3, room.clock.now())
    assert await twins.get(device.id) == twin


async def test_what_changed_is_told_and_only_that(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    await twins.change(device.id, "desired", {"a": 1, "b": True})
    await twins.change(device.id, "desired", {"a": 1, "b": True, "zz": None})
    await twins.change(device.id, "desired", {"a": 1.0, "b": None})
    assert room.bus.of(TwinChanged) == [
        TwinChanged(device.id, "desired", {"a": 1, "b": True}, (), 1),
        TwinChanged(device.id, "desired", {"a": 1.0}, ("b",), 2),
    ]


async def test_many_writers_at_once_lose_nothing(room: Room, twins: Twins) -> None:
    devices = [(await room.device(f"d{n}")).device for n in range(5)]
    writes = [twins.change(device.id, "reported", {f"k{n}": n}) for n in range(20) for device in devices]
    await asyncio.gather(*writes)
    for device in devices:
        twin = await twins.get(device.id)
        assert twin.reported == {f"k{n}": n for n in range(20)}
        assert twin.version == 20


async def test_writer_who_is_refused_does_not_hold_up_the_others(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    outcomes = await asyncio.gather(
        twins.change(device.id, "reported", {"a": 1}),
        twins.change("no-such-device", "reported", {"a": 1}),
        twins.change(device.id, "reported", {f"k{n}": n for n in range(MAX_KEYS)}),
        twins.change(device.id, "reported", {"b": 2}),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], DeviceUnknown)
    assert isinstance(outcomes[2], FieldInvalid)
    assert (await twins.get(device.id)).reported == {"a": 1, "b": 2}


async def test_changes_of_one_caller_are_made_all_or_none(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    with pytest.raises(DeviceUnknown):
        await twins.change_many([Change(device.id, "reported", {"a": 1}), Change("gone", "reported", {"a": 1})])
    assert await twins.get(device.id) == Twin(device.id)
    assert room.bus.of(TwinChanged) == []


async def test_twin_goes_with_its_device(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    await twins.change(device.id, "server", {"a": 1})
    await room.registry.delete(ANNA, device.id)
    assert await twins.get(device.id) == Twin(device.id)
    with pytest.raises(DeviceUnknown):
        await twins.change(device.id, "server", {"a": 1})


async def test_strangers_do_not_see_it(room: Room, twins: Twins) -> None:
    device = (await room.device()).device
    assert (await twins.shown_to(ANNA, device.id)).version == 0
    with pytest.raises(DeviceUnknown):
        await twins.shown_to(BERT, device.id)


@pytest.mark.parametrize(
    "patch",
    [
        {"": 1},
        {"k" * 256: 1},
        {"a": "\0"},
        {"a": "\ud800"},
        {"a": 2**63},
        {"a": float("nan")},
        {"a": "x" * MAX_PART_BYTES},
        {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]},
    ],
)
def test_what_cannot_be_stored_is_refused(patch: dict[str, object]) -> None:
    with pytest.raises(FieldInvalid):
        checked(Change("d", "reported", patch))


def test_part_does_not_grow_beyond_its_bound() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    full = Twin("d", reported={"a": "x" * (MAX_PART_BYTES - 20)})
    with pytest.raises(FieldInvalid, match="too large"):
        applied(full, checked(Change("d", "reported", {"b": "y" * 100})), now)
