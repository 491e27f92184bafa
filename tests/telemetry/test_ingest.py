"""The main path: nothing is confirmed before its commit, nothing is announced that was not stored."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.telemetry.conftest import GatedSeries, Harbour

from mooring.kernel.errors import Invalid, StorageFull, Unavailable
from mooring.kernel.events import FramesStored
from mooring.kernel.frames import Frame
from mooring.telemetry.errors import FrameEmpty, QueueFull


def statuses(harbour: Harbour) -> list[str]:
    return [receipt.status for receipt in harbour.ears.told]


async def a_moment() -> None:
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_a_frame_is_stored_confirmed_and_announced(harbour: Harbour) -> None:
    receipt = await harbour.stored({"a": 1.5, "b": 2}, seq=1, boot_id="x")
    assert (receipt.seq, receipt.status, receipt.stored) == (1, "stored", 2)
    announced = harbour.bus.of(FramesStored)[-1]
    assert [(one.device_id, one.at_us, one.values) for one in announced.frames] == [
        ("d", harbour.clock.now_us(), {"a": 1.5, "b": 2})
    ]
    assert harbour.seen[-1] == ({"d"}, harbour.clock.now_us())
    source = harbour.ingest.sources.get("d")
    assert harbour.ingest.latest.get(source.series["a"]).value == 1.5  # type: ignore[union-attr]
    assert (harbour.ingest.frames_stored, harbour.ingest.readings_stored) == (1, 2)


@pytest.mark.parametrize("known", [True, False], ids=["known device", "first words"])
async def test_no_receipt_comes_while_the_commit_is_under_way(harbour: Harbour, known: bool) -> None:
    if known:
        await harbour.stored({"a": 1}, seq=0)
    before = len(harbour.ears.told)
    announced = len(harbour.bus.of(FramesStored))
    harbour.series.gate.clear()
    harbour.send({"a": 2}, seq=1)
    await a_moment()
    assert len(harbour.ears.told) == before
    assert len(harbour.bus.of(FramesStored)) == announced
    harbour.series.gate.set()
    assert (await harbour.ears.hear(before + 1))[-1].status == "stored"


async def test_what_arrives_during_a_commit_shares_the_next_one(harbour: Harbour) -> None:
    await harbour.stored({"a": 1}, seq=0)
    harbour.series.gate.clear()
    harbour.send({"a": 1}, seq=1)
    await a_moment()
    commits = harbour.series.appends
    for seq in range(2, 102):
        harbour.send({"a": seq}, seq=seq)
    await a_moment()
    assert harbour.series.appends == commits
    harbour.series.gate.set()
    assert [receipt.seq for receipt in await harbour.ears.hear(102)] == list(range(102))
    assert harbour.series.appends == commits + 1


@pytest.mark.parametrize("error", [Unavailable("the disk is gone"), StorageFull("storage is full")])
async def test_a_failed_commit_is_told_to_everybody_and_announced_to_nobody(harbour: Harbour, error: Any) -> None:
    await harbour.stored({"a": 1}, seq=0)
    announced = len(harbour.bus.of(FramesStored))
    harbour.series.failures = [error]
    harbour.series.gate.clear()
    harbour.send({"a": 2}, seq=1)
    harbour.send({"a": 3})
    harbour.series.gate.set()
    told = (await harbour.ears.hear(3))[1:]
    assert [(receipt.seq, receipt.status) for receipt in told] == [(1, "rejected"), (None, "rejected")]
    expected = "storage_full" if isinstance(error, StorageFull) else "unavailable: the disk is gone"
    assert {receipt.reason for receipt in told} == {expected}
    assert harbour.ingest.trouble == error.message
    assert len(harbour.bus.of(FramesStored)) == announced
    assert await harbour.ingest.last_seq(harbour.ingest.sources.get("d"), "") == 0
    assert (await harbour.stored({"a": 2}, seq=1)).status == "stored", "sending again works"
    assert harbour.ingest.trouble is None


@pytest.mark.parametrize("known", [True, False], ids=["known boot", "new boot"])
async def test_copies_of_a_frame_on_its_way_are_confirmed_after_it(harbour: Harbour, known: bool) -> None:
    if known:
        await harbour.stored({"a": 1}, seq=0)
    before = len(harbour.ears.told)
    harbour.series.gate.clear()
    for _ in range(3):
        harbour.send({"a": 2}, seq=1)
    await a_moment()
    assert len(harbour.ears.told) == before
    harbour.series.gate.set()
    await harbour.ears.hear(before + 3)
    assert statuses(harbour)[before:] == ["stored", "duplicate", "duplicate"]


async def test_copies_of_a_frame_that_was_not_stored_are_not_confirmed(harbour: Harbour) -> None:
    harbour.series.failures = [Unavailable("gone")]
    harbour.series.gate.clear()
    for _ in range(3):
        harbour.send({"a": 2}, seq=1)
    await a_moment()
    harbour.series.gate.set()
    await harbour.ears.hear(3)
    assert statuses(harbour) == ["rejected"] * 3
    assert (await harbour.stored({"a": 2}, seq=1)).status == "stored"


async def test_another_content_on_its_way_under_the_same_seq_is_a_conflict(harbour: Harbour) -> None:
    harbour.series.gate.clear()
    harbour.send({"a": 1}, seq=1)
    harbour.send({"a": 2}, seq=1)
    harbour.series.gate.set()
    told = await harbour.ears.hear(2)
    assert sorted(receipt.status for receipt in told) == ["rejected", "stored"]
    assert next(receipt for receipt in told if receipt.status == "rejected").reason.startswith("seq_conflict")  # type: ignore[union-attr]


async def test_a_restart_knows_what_was_stored(harbour: Harbour, series: GatedSeries) -> None:
    for seq in (1, 2, 7):
        await harbour.stored({"a": seq}, seq=seq, boot_id="x")
    again = Harbour(series)
    async with again.running():
        source = again.ingest.sources.get("d")
        assert await again.ingest.last_seq(source, "x") == 7
        assert await again.ingest.last_seq(source, "y") is None
        assert (await again.stored({"a": 2}, seq=2, boot_id="x")).status == "duplicate"
        assert (await again.stored({"a": 9}, seq=2, boot_id="x")).status == "rejected"
        assert (await again.stored({"a": 3}, seq=3, boot_id="x")).status == "stored"


async def test_too_much_waiting_holds_devices_back(series: GatedSeries) -> None:
    harbour = Harbour(series)
    async with harbour.running():
        await harbour.stored({"a": 1, "b": 2}, seq=0)
        harbour.series.gate.clear()
        harbour.send({"a": 1, "b": 2})
        await a_moment()
        for _ in range(500):
            harbour.send({"a": 1, "b": 2})
        assert harbour.ingest.waiting == 1000
        assert harbour.ingest.full
        with pytest.raises(QueueFull) as refused:
            await harbour.ingest.room(0.05)
        assert refused.value.retry_after_s == 1.0
        waiting = asyncio.create_task(harbour.ingest.room(20))
        harbour.series.gate.set()
        await asyncio.wait_for(waiting, 20)
        await harbour.ingest.room(0)


async def test_closing_finishes_what_was_accepted(series: GatedSeries) -> None:
    harbour = Harbour(series)
    async with harbour.running():
        for seq in range(50):
            harbour.send({"a": seq}, seq=seq)
    assert statuses(harbour) == ["stored"] * 50


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (Frame(seq=1), FrameEmpty),
        (Frame(sensor_readings={"a": float("nan")}), Invalid),
        (Frame(sensor_readings={"a": 1}, seq=-1), Invalid),
        (Frame(sensor_readings={"a": 1}, timestamp=0), Invalid),
        (Frame(sensor_readings={"a": 1}, boot_id="x" * 200, seq=1), Invalid),
        (Frame(sensor_readings={"": 1}), Invalid),
        (Frame(sensor_readings={"latitude": 91.0}), Invalid),
    ],
)
async def test_what_can_never_be_stored_is_refused_at_once(
    harbour: Harbour, frame: Frame, error: type[Exception]
) -> None:
    await harbour.stored({"a": 1.0, "latitude": 1.0}, seq=0)
    source = harbour.ingest.sources.get("d")
    waiting = harbour.ingest.waiting
    with pytest.raises(error):
        harbour.ingest.accept(source, frame, harbour.ears)
    assert harbour.ingest.waiting == waiting
    assert (await harbour.stored({"a": 1}, seq=1)).status == "stored"


async def test_the_plain_way_and_the_general_way_store_the_same(harbour: Harbour) -> None:
    for readings in ({"a": 1, "b": 2.5, "c": True}, {"a": -0.0, "b": 2**53, "c": False}):
        await harbour.stored(readings, device="plain")
        plain = await harbour.stored(readings, device="plain", seq=5)
        listed = [{"sensor_type": key, "value": value} for key, value in readings.items()]
        general = await harbour.stored(listed, device="general", seq=5)
        assert (plain.status, general.status) == (general.status, plain.status)
        latest = harbour.ingest.latest
        values = [
            {key: latest.get(no).value for key, no in harbour.ingest.sources.get(device).series.items()}  # type: ignore[union-attr]
            for device in ("plain", "general")
        ]
        if plain.status == "stored":
            assert values[0] == values[1] == readings
            assert [type(value) for value in values[0].values()] == [type(value) for value in values[1].values()]


async def test_a_fault_in_one_frame_leaves_its_neighbours_alone(harbour: Harbour) -> None:
    harbour.send({"a": 1}, seq=1)
    with pytest.raises(Invalid):
        harbour.send({"a": "\0"}, seq=2)
    harbour.send({"a": 3}, seq=3)
    assert [receipt.seq for receipt in await harbour.ears.hear(2)] == [1, 3]


async def test_frames_without_a_listener_are_stored_too(harbour: Harbour) -> None:
    harbour.ingest.accept(harbour.ingest.sources.get("d"), Frame(sensor_readings={"a": 1}), None)
    assert (await harbour.stored({"a": 2}, seq=1)).status == "stored"
    assert harbour.ingest.frames_stored == 2


async def test_frames_of_a_device_are_committed_in_the_order_they_came(harbour: Harbour) -> None:
    """What a device is told on its return as its last seq must never stand above a frame that is not settled."""
    source = harbour.ingest.sources.get("d")
    seq = 0
    for news in ({"a": 1}, {"b": 1}, {"c": {"value": 1, "unit": "m"}}, {"d": "text"}):
        for _ in range(3):
            # The first of these needs a look-up, the others do not; all arrive while it is under way.
            harbour.send(news, seq=seq)
            for plain in range(seq + 1, seq + 10):
                harbour.send({"a": plain}, seq=plain)
            seq += 10
            await asyncio.sleep(0)
    told = await harbour.ears.hear(seq)
    assert [receipt.seq for receipt in told] == list(range(seq))
    assert {receipt.status for receipt in told} == {"stored"}
    assert source.held == 0


async def test_a_device_that_repeats_itself_does_not_hold_up_its_new_frames(harbour: Harbour) -> None:
    for seq in range(3):
        await harbour.stored({"a": seq}, seq=seq)
    for seq in (1, 3, 2, 4, 0, 5):
        harbour.send({"a": seq}, seq=seq)
    told = (await harbour.ears.hear(9))[3:]
    assert sorted((receipt.seq, receipt.status) for receipt in told) == [
        (0, "duplicate"),
        (1, "duplicate"),
        (2, "duplicate"),
        (3, "stored"),
        (4, "stored"),
        (5, "stored"),
    ]
    assert harbour.ingest.sources.get("d").held == 0


async def test_a_device_soon_takes_the_plain_way_however_busy_it_is(harbour: Harbour) -> None:
    source, seq = harbour.ingest.sources.get("d"), 0
    async with asyncio.timeout(20):
        while not (seq > 100 and source.held == 0):
            for _ in range(10):
                harbour.send({"a": seq}, seq=seq)
                seq += 1
            await asyncio.sleep(0.0005)
    assert [receipt.seq for receipt in await harbour.ears.hear(seq)] == list(range(seq))


async def test_a_new_boot_sent_twice_at_once_leaves_nothing_held(harbour: Harbour) -> None:
    for _ in range(3):
        for seq in (0, 1, 1, 0):
            harbour.send({"a": seq}, seq=seq, boot_id="twice")
        await asyncio.sleep(0)
    told = await harbour.ears.hear(12)
    assert sorted(receipt.status for receipt in told) == ["duplicate"] * 10 + ["stored"] * 2
    assert harbour.ingest.sources.get("d").held == 0
    assert (await harbour.stored({"a": 2}, seq=2, boot_id="twice")).status == "stored"
