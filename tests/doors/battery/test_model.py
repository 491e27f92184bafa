"""Records: fields, stamps, ids, and the template over them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.doors.dialects.battery import template
from mooring.doors.dialects.battery.model import (
    DATA,
    PERFORMANCE,
    PREDICTION,
    Record,
    RecordInvalid,
    changed,
    checked,
    fresh_id,
    kind_of,
    repeatable_id,
    streamed_at_us,
    streamed_id,
)

NOW_US = 1_795_219_200_000_000
MEASURED = {"pack_voltage": 355.2, "pack_current": -10, "cell_temp": 25.5}


@pytest.mark.parametrize(
    "stamp",
    [
        1_795_219_190,
        1_795_219_190.125,
        1_795_219_190_125,
        "2026-11-20T23:59:50Z",
        "2026-11-21 00:59:50+01:00",
        "2026-11-20T23:59:50",
    ],
)
def test_a_stamp_that_can_be_believed_stays_as_it_was_written(stamp: Any) -> None:
    at_us, body = checked(DATA, {**MEASURED, "timestamp": stamp}, NOW_US)
    assert body["timestamp"] == stamp
    assert abs(at_us - (NOW_US - 10_000_000)) < 1_000_000
    assert "device_timestamp" not in body


@pytest.mark.parametrize("stamp", [0, 12.5, -3, 1e9 - 1e8, NOW_US / 1e6 + 2 * 86_400, 1e18, 2.0**1000])
def test_a_number_that_is_no_time_of_day_is_replaced_by_receipt_and_kept(stamp: float) -> None:
    at_us, body = checked(DATA, {**MEASURED, "timestamp": stamp}, NOW_US)
    assert at_us == NOW_US
    assert body["timestamp"] == NOW_US / 1e6
    assert body["device_timestamp"] == stamp


@pytest.mark.parametrize("stamp", ["", "yesterday", "0001-01-01", "9999-12-31T23:59:59", "1999-12-31"])
def test_text_that_is_no_time_is_replaced_by_text_and_kept(stamp: str) -> None:
    at_us, body = checked(DATA, {**MEASURED, "timestamp": stamp}, NOW_US)
    assert (at_us, body["timestamp"], body["device_timestamp"]) == (NOW_US, "2026-11-21T00:00:00.000Z", stamp)


def test_a_record_without_a_stamp_has_the_time_of_receipt() -> None:
    assert checked(DATA, MEASURED, NOW_US) == (
        NOW_US,
        {"timestamp": 1_795_219_200.0, **MEASURED, "source": "battery_monitor"},
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pack_voltage", None),
        ("pack_voltage", "12"),
        ("pack_voltage", True),
        ("pack_voltage", math.nan),
        ("pack_voltage", math.inf),
        ("pack_voltage", [1]),
        ("cycle_count", 1.5),
        ("cycle_count", 1e300),
        ("source", 5),
        ("source", "x" * 201),
        ("source", "a\0b"),
        ("timestamp", True),
        ("timestamp", math.nan),
        ("timestamp", {}),
        ("timestamp", "x" * 300),
        ("timestamp", "\ud800"),
    ],
)
def test_a_field_that_is_not_what_it_has_to_be_is_named(field: str, value: Any) -> None:
    whole = {**MEASURED, "capacity_remaining": 97, "cycle_count": 3, "age_months": 2, "health_score": 99}
    with pytest.raises(RecordInvalid) as caught:
        checked(PERFORMANCE, {**whole, field: value}, NOW_US)
    assert caught.value.field == field


def test_fields_nobody_asked_for_are_left_out() -> None:
    _, body = checked(DATA, {**MEASURED, "_id": "x", "owner": "me"}, NOW_US)
    assert set(body) == {"timestamp", *MEASURED, "source"}


@given(
    st.dictionaries(
        st.sampled_from(["timestamp", "source", *PERFORMANCE.fields]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    )
)
def test_whatever_is_said_is_either_a_record_or_refused(given: dict[str, Any]) -> None:
    for kind in (DATA, PERFORMANCE, PREDICTION):
        try:
            at_us, body = checked(kind, given, NOW_US)
        except RecordInvalid:
            continue
        assert 946_684_800_000_000 <= at_us <= NOW_US + 86_400_000_000
        assert all(math.isfinite(body[name]) for name in kind.fields)


def test_the_predictors_objects_are_told_apart_by_what_they_hold() -> None:
    assert kind_of({"capacity_remaining": 1, "remaining_life_hours": 1}) is PERFORMANCE
    assert kind_of({"remaining_life_hours": 1}) is PREDICTION
    assert kind_of({"pack_voltage": 1}) is None


def test_a_change_keeps_what_it_does_not_name() -> None:
    at_us, body = checked(DATA, {**MEASURED, "timestamp": 12.5, "source": "bench"}, NOW_US)
    before = Record("0" * 24, "d", DATA.name, at_us, NOW_US, body)
    again_us, after = changed(DATA, before, {"cell_temp": 30}, NOW_US + 5_000_000)
    assert again_us == at_us
    assert after == {**body, "cell_temp": 30}
    moved_us, moved = changed(DATA, before, {"timestamp": "2026-11-20T00:00:00Z"}, NOW_US)
    assert moved_us == round(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * 1_000_000
    assert "device_timestamp" not in moved


def test_ids_are_24_hex_digits_and_tell_times_apart() -> None:
    ids = [fresh_id(NOW_US), repeatable_id("d", DATA, "b:1"), streamed_id("d", NOW_US)]
    assert all(len(one) == 24 and int(one, 16) >= 0 for one in ids)
    assert fresh_id(NOW_US) != fresh_id(NOW_US)
    assert repeatable_id("d", DATA, "b:1") == ids[1] != repeatable_id("d", PREDICTION, "b:1")
    assert streamed_at_us(ids[2]) == NOW_US
    assert streamed_id("e", NOW_US) != ids[2]


def test_a_packs_configuration_lies_over_the_template() -> None:
    configuration = {"specs": {"chemistry": "NMC"}, "thresholds": {"voltage": {"max": 400}, "own": {"max": 1}}}
    assert template.specs_of(configuration)["chemistry"] == "NMC"
    assert template.specs_of(configuration)["nominal_voltage"] == 355.2
    limits = template.thresholds_of(configuration)
    assert limits["voltage"] == {"min": 300.0, "max": 400, "critical_min": 280.0, "critical_max": 380.0}
    assert limits["own"] == {"max": 1}
    assert template.thresholds_of({"thresholds": "none", "specs": 5})["health"]["critical"] == 60.0
    assert template.specs_of({"specs": 5}) == dict(template.SPECS)
