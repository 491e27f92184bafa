"""The general way: new keys, units, boots, events and states, and what another node had stored already."""

from __future__ import annotations

from tests.telemetry.conftest import GatedSeries, Harbour

from mooring.kernel.errors import Unavailable
from mooring.telemetry import settle


async def test_an_event_is_recorded_once_however_often_it_is_sent(harbour: Harbour) -> None:
    for _ in range(3):
        await harbour.stored(seq=1, event_type="opened", message="front", severity="warning")
    assert [(one.event_type, one.message, one.severity, one.seq) for one in harbour.spoken] == [
        ("opened", "front", "warning", 1)
    ]
    assert [receipt.status for receipt in harbour.ears.told] == ["stored", "duplicate", "duplicate"]


async def test_an_event_that_cannot_be_recorded_stores_no_readings(harbour: Harbour) -> None:
    await harbour.stored({"a": 1}, seq=0)
    harbour.recorder_fails = Unavailable("people are away")
    refused = await harbour.stored({"a": 2}, seq=1, event_type="opened")
    assert (refused.status, refused.reason) == ("rejected", "unavailable: people are away")
    assert harbour.ingest.frames_stored == 1
    harbour.recorder_fails = None
    assert (await harbour.stored({"a": 2}, seq=1, event_type="opened")).status == "stored"


async def test_frames_answered_before_a_failure_are_not_answered_again(harbour: Harbour) -> None:
    await harbour.stored({"a": 1}, seq=0)
    harbour.recorder_fails = Unavailable("people are away")
    harbour.send({"a": 1}, seq=0)
    harbour.send({"a": 9}, seq=0)
    harbour.send({"a": 2}, seq=1, event_type="opened")
    told = await harbour.ears.hear(4)
    harbour.recorder_fails = None
    await harbour.stored({"a": 3}, seq=2)
    assert [(receipt.seq, receipt.status) for receipt in told[1:4]] == [
        (0, "duplicate"),
        (0, "rejected"),
        (1, "rejected"),
    ]
    assert len(harbour.ears.told) == 5


async def test_a_state_is_recorded_when_it_changes(harbour: Harbour) -> None:
    for seq, state in enumerate(["idle", "idle", "busy", "busy", "idle"]):
        await harbour.stored({"a": seq}, seq=seq, device_status=state)
    assert [one.device_status for one in harbour.spoken] == ["idle", "busy", "idle"]


async def test_a_unit_is_kept_and_may_change(harbour: Harbour, series: GatedSeries) -> None:
    await harbour.stored({"t": {"value": 1, "unit": "C"}})
    await harbour.stored({"t": 2})
    assert [info.unit for info in await series.catalogue(["d"])] == ["C"]
    await harbour.stored({"t": {"value": 3, "unit": "K"}})
    assert [(info.key, info.unit) for info in await series.catalogue(["d"])] == [("t", "K")]


async def test_a_frame_of_many_new_keys_numbers_each_once(harbour: Harbour, series: GatedSeries) -> None:
    harbour.send({f"k{n}": n for n in range(50)}, seq=1)
    harbour.send({f"k{n}": n for n in range(25, 75)}, seq=2)
    await harbour.ears.hear(2)
    catalogue = await series.catalogue(["d"])
    assert len(catalogue) == len({info.no for info in catalogue}) == 75


async def test_a_device_has_only_so_many_keys(harbour: Harbour) -> None:
    before = settle.MAX_KEYS
    settle.MAX_KEYS = 10
    try:
        assert (await harbour.stored({f"k{n}": n for n in range(10)})).status == "stored"
        refused = await harbour.stored({"one": 1}, seq=1)
        assert refused.reason is not None
        assert refused.reason.startswith("too_many_keys")
        assert (await harbour.stored({"k3": 1}, seq=1)).status == "stored"
    finally:
        settle.MAX_KEYS = before


async def test_what_another_node_had_stored_is_a_duplicate(harbour: Harbour, series: GatedSeries) -> None:
    await harbour.stored({"a": 1}, seq=0)
    boot = harbour.ingest.sources.get("d").boots[""]
    series.refuse = frozenset({(boot.no, 1)})
    harbour.send({"a": 2}, seq=1)
    harbour.send({"a": 3}, seq=2)
    told = await harbour.ears.hear(3)
    assert sorted((receipt.seq, receipt.status) for receipt in told[1:]) == [(1, "duplicate"), (2, "stored")]


async def test_copies_of_what_another_node_had_stored_are_duplicates_too(harbour: Harbour, series: GatedSeries) -> None:
    source = harbour.ingest.sources.get("d")
    await harbour.ingest.last_seq(source, "b")
    no = source.boots["b"].no
    source.boots.clear()
    series.refuse = frozenset({(no, 1)})
    series.gate.clear()
    for _ in range(2):
        harbour.send({"a": 2}, seq=1, boot_id="b")
    series.gate.set()
    told = await harbour.ears.hear(2)
    assert [receipt.status for receipt in told] == ["duplicate", "duplicate"]
