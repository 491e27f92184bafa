"""Messages of contract B as frames, and every mutilation of them as a refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.doors.dialects.events.forms import understood
from mooring.kernel.errors import Invalid

NOW_US = 1_795_250_000_000_000
VECTOR = (Path(__file__).parents[2] / "vectors" / "contracts" / "events" / "topology.json").read_bytes().strip()
FIRST = (
    b'{"device_id": "PC-01", "event_type": "connected", "seq": 1, "boot_id": "b", "timestamp": "2026-11-20T10:00:00Z"}'
)


def test_first_form_is_a_frame_of_its_device() -> None:
    told = understood(FIRST, NOW_US)
    assert (told.external_id, told.device_type) == ("PC-01", "computer")
    assert (told.frame.event_type, told.frame.seq, told.frame.boot_id) == ("connected", 1, "b")
    assert told.body == json.loads(FIRST)


def test_second_form_takes_subtype_and_the_device_inside() -> None:
    told = understood(VECTOR, NOW_US)
    assert (told.external_id, told.frame.event_type) == ("PC-77", "USB_DEVICE_ADDED")
    assert told.frame.timestamp == "2026-11-20T10:15:30.250Z" and told.frame.seq is None


def test_second_form_without_subtype_takes_its_type() -> None:
    body = json.loads(VECTOR)
    del body["subtype"]
    assert understood(json.dumps(body), NOW_US).frame.event_type == "TOPOLOGY"


@pytest.mark.parametrize("stamp", [True, {}, "yesterday", -1, 10**18, 5])
def test_stamp_that_is_no_time_is_left_in_the_message(stamp: object) -> None:
    told = understood(json.dumps({"device_id": "a", "event_type": "x", "timestamp": stamp}), NOW_US)
    assert told.frame.timestamp is None and told.body["timestamp"] == stamp


@pytest.mark.parametrize("message", [FIRST, VECTOR])
def test_message_cut_at_any_byte_is_refused(message: bytes) -> None:
    for cut in range(len(message)):
        with pytest.raises(Invalid):
            understood(message[:cut], NOW_US)


@given(st.binary(max_size=200) | st.integers(0, 150).map(lambda at: FIRST[:at] + b"\xff" + FIRST[at:]))
def test_nothing_but_a_refusal_escapes(message: bytes) -> None:
    try:
        understood(message, NOW_US)
    except Invalid:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["device_id", "event_type", "payload", "device", "subtype", "meta", "seq", "timestamp"]),
            inner, max_size=5),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_json_is_understood_or_refused(value: object) -> None:
    try:
        understood(json.dumps(value), NOW_US)
    except Invalid:
        return
