"""What is remembered of a device between frames: one memory a device, bounded, and never of what is in flight."""

from __future__ import annotations

import gc

from mooring.telemetry.sources import BOOTS_KEPT, Boot, Source, Sources


def test_two_connections_of_a_device_share_its_memory() -> None:
    sources = Sources()
    assert sources.get("a") is sources.get("a")
    assert sources.get("a") is not sources.get("b")


def test_what_is_in_use_is_remembered_beyond_the_limit() -> None:
    sources = Sources(capacity=2)
    held = sources.get("held")
    for number in range(10):
        sources.get(f"passing {number}")
    assert sources.get("held") is held


def test_what_nobody_uses_is_forgotten() -> None:
    sources = Sources(capacity=2)
    sources.get("gone").learn("key", 1, None)
    for number in range(3):
        sources.get(f"passing {number}")
    gc.collect()
    assert sources.get("gone").series == {}


def test_a_deleted_device_starts_afresh() -> None:
    sources = Sources()
    before = sources.get("a")
    sources.forget("a")
    assert sources.get("a") is not before
    sources.forget("never known")


def test_a_key_is_learnt_with_unit_and_bounds_once() -> None:
    source = Source("a")
    source.learn("latitude", 1, "°")
    source.learn("latitude", 1, None)
    assert source.series == {"latitude": 1}
    assert source.units == {"latitude": "°"}
    assert source.bounds == [("latitude", -90.0, 90.0)]


def test_idle_boots_go_first_and_busy_ones_stay() -> None:
    source = Source("a")
    busy = Boot(1, 5)
    busy.last = 9
    source.remember("busy", busy)
    for number in range(2 * BOOTS_KEPT):
        source.remember(f"idle {number}", Boot(number + 2, 3))
    assert source.boots["busy"] is busy
    assert f"idle {2 * BOOTS_KEPT - 1}" in source.boots
    assert len(source.boots) == BOOTS_KEPT


def test_boots_in_flight_are_kept_whatever_their_number() -> None:
    source = Source("a")
    for number in range(BOOTS_KEPT + 20):
        boot = Boot(number, -1)
        boot.last = 1
        source.remember(f"busy {number}", boot)
    assert len(source.boots) == BOOTS_KEPT + 20
