"""What a frame may hold, and the reason it is told when it may not."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Frame
from mooring.telemetry.check import (
    AHEAD_US,
    EARLIEST_US,
    MAX_DEPTH,
    MAX_KEY,
    MAX_READINGS,
    MAX_TEXT,
    Checked,
    rows_of,
    seq_of,
    time_us,
)
from mooring.telemetry.series import KIND_BIG, KIND_BOOL, KIND_FLOAT, KIND_INT, KIND_JSON, KIND_TEXT
from mooring.telemetry.values import value_from

NOW_US = 1_795_219_200_000_000


def rows(readings: Any) -> list[Checked]:
    return rows_of(Frame(sensor_readings=readings), NOW_US)


def one(value: Any, key: str = "k") -> Checked:
    [row] = rows({key: value})
    return row


class TestTimes:
    @pytest.mark.parametrize(
        ("stamp", "moment_us"),
        [
            (1_795_219_200, NOW_US),
            (1_795_219_200.25, NOW_US + 250_000),
            (1_795_219_200_123, NOW_US + 123_000),
            (1_795_219_200_123_456, NOW_US + 123_456),
            ("2026-11-21T00:00:00Z", NOW_US),
            ("2026-11-21T00:00:00", NOW_US),
            ("2026-11-21 01:00:00+01:00", NOW_US),
            ("2026-11-21T00:00:00.000001Z", NOW_US + 1),
            ("2026-11-21", NOW_US),
            (EARLIEST_US // 1_000_000, EARLIEST_US),
            ((NOW_US + AHEAD_US) // 1_000_000, NOW_US + AHEAD_US),
        ],
    )
    def test_seconds_milliseconds_microseconds_and_text_are_understood(self, stamp: Any, moment_us: int) -> None:
        assert time_us(stamp, NOW_US) == moment_us

    @pytest.mark.parametrize(
        "stamp",
        [
            0,
            -1,
            0.0,
            -0.0,
            10**18,
            -(10**18),
            10**400,
            -(10**400),
            1e300,
            math.inf,
            -math.inf,
            math.nan,
            True,
            False,
            "",
            "now",
            "tomorrow",
            "1795219200",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+23:59",
            "1970-01-01T00:00:00Z",
            "2026-11-22T00:00:01Z",
            "2026-13-01",
            "2026-11-21T00:00:00Z\0",
            "２０２６-11-21",
            "2" * 100_000,
        ],
        ids=lambda stamp: str(stamp)[:24] if not isinstance(stamp, int) or abs(stamp) < 2**64 else "huge",
    )
    def test_what_is_no_time_of_ours_is_refused(self, stamp: Any) -> None:
        with pytest.raises(Invalid, match="timestamp") as refusal:
            time_us(stamp, NOW_US)
        assert len(refusal.value.message) < 200

    @given(st.integers(EARLIEST_US, NOW_US + AHEAD_US))
    def test_text_with_microseconds_is_exact(self, moment_us: int) -> None:
        from mooring.kernel.clock import from_us, iso

        assert time_us(iso(from_us(moment_us)), NOW_US) == moment_us


class TestNames:
    @pytest.mark.parametrize(
        "key", ["k", "a.b/c", "température", "温度", "درجة", "🌡", "x" * MAX_KEY, "with space", "-", "a\u200fb"]
    )
    def test_names_of_any_script_are_taken(self, key: str) -> None:
        assert one(1, key).key == key

    @pytest.mark.parametrize("key", ["", "x" * (MAX_KEY + 1), "a\0b", "a\nb", "a\x7fb", "a\x85b", "a\ud800b"])
    def test_names_with_control_characters_or_of_wrong_length_are_refused(self, key: str) -> None:
        for readings in ({key: 1}, [{"sensor_type": key, "value": 1}]):
            with pytest.raises(Invalid, match="sensor_type"):
                rows(readings)

    @pytest.mark.parametrize("boot_id", ["x" * (MAX_KEY + 1), "a\0b", "a\ud800"])
    def test_a_boot_id_is_a_short_clean_text(self, boot_id: str) -> None:
        with pytest.raises(Invalid, match="boot_id"):
            seq_of(Frame(seq=1, boot_id=boot_id))

    @pytest.mark.parametrize("seq", [-1, 2**63, -(2**70), 10**4000], ids=["negative", "2^63", "-2^70", "10^4000"])
    def test_a_seq_is_not_negative_and_fits_63_bits(self, seq: int) -> None:
        with pytest.raises(Invalid, match="seq out of range") as refusal:
            seq_of(Frame(seq=seq))
        assert len(refusal.value.message) < 200

    @pytest.mark.parametrize("seq", [None, 0, 1, 2**63 - 1])
    def test_other_seqs_are_taken(self, seq: int | None) -> None:
        assert seq_of(Frame(seq=seq)) == seq


class TestValues:
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (1.5, KIND_FLOAT),
            (-0.0, KIND_FLOAT),
            (5, KIND_INT),
            (2**53, KIND_INT),
            (2**53 + 1, KIND_BIG),
            (2**63 - 1, KIND_BIG),
            (-(2**63), KIND_BIG),
            (True, KIND_BOOL),
            (False, KIND_BOOL),
            ("on", KIND_TEXT),
            ("", KIND_TEXT),
            ("line\nbreak", KIND_TEXT),
            ("x" * MAX_TEXT, KIND_TEXT),
            ({}, KIND_JSON),
            ([1, {"a": None}], KIND_JSON),
        ],
        ids=lambda value: str(value)[:24],
    )
    def test_every_kind_of_value_keeps_its_meaning(self, value: Any, kind: int) -> None:
        row = one(value)
        assert row.kind == kind
        found = value_from(kind, row.text if kind >= KIND_TEXT else row.number)
        assert (type(found), found) == (type(value), value)

    @pytest.mark.parametrize(
        "value",
        [
            math.nan,
            math.inf,
            -math.inf,
            2**63,
            -(2**63) - 1,
            2**70,
            10**4000,
            "x" * (MAX_TEXT + 1),
            "a\0b",
            "a\ud800b",
            {"a": "\0"},
            {"a": "\ud800"},
            {"\0": 1},
            {"a": math.nan},
            {"a": [2**63]},
            ["x" * MAX_TEXT],
            b"bytes",
            object(),
        ],
        ids=lambda value: str(value)[:24],
    )
    def test_what_cannot_be_stored_exactly_is_refused_with_its_key(self, value: Any) -> None:
        for readings in (
            {"the key": value},
            {"the key": {"value": value}},
            [{"sensor_type": "the key", "value": value}],
        ):
            with pytest.raises(Invalid, match="the key") as refusal:
                rows(readings)
            assert len(refusal.value.message) < 200

    def test_a_null_is_no_reading(self) -> None:
        assert rows({"a": None, "b": {"value": None, "unit": "V"}}) == []
        assert rows([{"sensor_type": "a", "value": None}]) == []
        assert rows(None) == rows({}) == rows([]) == []

    @pytest.mark.parametrize("key", ["latitude", "longitude"])
    def test_places_lie_on_the_earth(self, key: str) -> None:
        edge = 90 if key == "latitude" else 180
        assert [one(value, key).number for value in (edge, -edge, 0.5)] == [edge, -edge, 0.5]
        for value in (edge + 1, -edge - 0.001, 1e300, 2**60):
            with pytest.raises(Invalid, match=f"{key} out of range"):
                one(value, key)

    def test_a_nested_value_is_as_deep_as_a_frame_may_be(self) -> None:
        def nested(levels: int) -> Any:
            value: Any = 1
            for _ in range(levels):
                value = [value]
            return value

        deepest = max(levels for levels in range(1, 40) if _is_taken(nested(levels)))
        assert MAX_DEPTH - 4 <= deepest <= MAX_DEPTH
        with pytest.raises(Invalid, match="nested deeper"):
            one(nested(deepest + 1))
        with pytest.raises(Invalid, match="nested deeper"):
            one(nested(900))


def _is_taken(value: Any) -> bool:
    try:
        one(value)
    except Invalid:
        return False
    return True


class TestForms:
    def test_a_map_and_a_list_say_the_same(self) -> None:
        as_map = {"a": 1.5, "b": {"value": True, "unit": "V", "quality_score": 0.5, "timestamp": 1_795_219_000}}
        as_list = [
            {"sensor_type": "a", "value": 1.5},
            {"sensor_type": "b", "value": True, "unit": "V", "quality_score": 0.5, "timestamp": "2026-11-20T23:56:40Z"},
        ]
        assert rows(as_map) == rows(as_list)
        assert rows(as_list) == [
            Checked("a", KIND_FLOAT, 1.5, "", None, None, 1.0),
            Checked("b", KIND_BOOL, 1.0, "", "V", NOW_US - 200_000_000, 0.5),
        ]

    def test_an_object_without_a_value_is_a_value_itself(self) -> None:
        assert one({"x": 1, "unit": "m"}).kind == KIND_JSON

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            ("text", "not an object"),
            (1, "not an object"),
            (None, "not an object"),
            ({}, "no sensor_type"),
            ({"sensor_type": 1, "value": 1}, "no sensor_type"),
            ({"sensor_type": "k"}, "no value: k"),
            ({"sensor_type": "k", "value": 1, "unit": 5}, "unit is not a short text: k"),
            ({"sensor_type": "k", "value": 1, "unit": "x" * (MAX_KEY + 1)}, "unit is not a short text: k"),
            ({"sensor_type": "k", "value": 1, "unit": "a\0"}, "unit is not a short text: k"),
            ({"sensor_type": "k", "value": 1, "quality_score": 1.01}, "quality_score is not between 0 and 1: k"),
            ({"sensor_type": "k", "value": 1, "quality_score": -0.1}, "quality_score is not between 0 and 1: k"),
            ({"sensor_type": "k", "value": 1, "quality_score": math.nan}, "quality_score is not between 0 and 1: k"),
            ({"sensor_type": "k", "value": 1, "quality_score": "1"}, "quality_score is not between 0 and 1: k"),
            ({"sensor_type": "k", "value": 1, "quality_score": True}, "quality_score is not between 0 and 1: k"),
            ({"sensor_type": "k", "value": 1, "timestamp": []}, "timestamp is not a time"),
            ({"sensor_type": "k", "value": 1, "timestamp": -5}, "timestamp out of range"),
        ],
    )
    def test_a_broken_entry_is_refused_with_its_reason(self, entry: Any, reason: str) -> None:
        with pytest.raises(Invalid, match=reason):
            rows([entry])

    def test_a_frame_holds_a_thousand_readings_and_no_more(self) -> None:
        assert len(rows({f"k{no}": no for no in range(MAX_READINGS)})) == MAX_READINGS
        for readings in ({f"k{no}": no for no in range(MAX_READINGS + 1)}, [{}] * (MAX_READINGS + 1)):
            with pytest.raises(Invalid, match="too many readings"):
                rows(readings)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers(-(2**70), 2**70)
            | st.text(max_size=5)
            | st.binary(max_size=2),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=8,
        )
    )
    def test_anything_is_either_rows_or_a_reason(self, readings: Any) -> None:
        for given_readings in (readings, {"k": readings}, [readings], [{"sensor_type": "k", "value": readings}]):
            if not isinstance(given_readings, dict | list):
                continue
            try:
                found = rows(given_readings)
            except Invalid as refusal:
                assert refusal.message
            else:
                assert all(math.isfinite(row.number) and row.text.encode() is not None for row in found)
                msgspec.json.encode([row.text for row in found])
