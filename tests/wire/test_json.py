"""JSON frames: what a device may write, in every spelling, cut at every byte, and nothing but a frame or a reason."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Frame, Receipt
from mooring.wire import json as wire

FULL = {
    "seq": 7,
    "boot_id": "b-1",
    "timestamp": "2026-11-21T00:00:00Z",
    "sensor_readings": {"t": 21.5, "on": True, "n": 2**62, "s": "тепло", "j": {"x": [None, 1]}},
    "event_type": "opened",
    "device_status": "idle",
    "device_id": "d",
    "type": "telemetry",
    "message": "m",
    "severity": "info",
}
TEXTS = st.text(alphabet=st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def test_a_full_frame_is_read_as_it_was_written() -> None:
    for given_ in (json.dumps(FULL), json.dumps(FULL).encode(), json.dumps(FULL, ensure_ascii=False).encode()):
        frame = wire.decode_frame(given_)
        assert {name: getattr(frame, name) for name in FULL} == FULL


def test_fields_of_later_versions_are_passed_over() -> None:
    assert wire.decode_frame('{"seq":1,"novel":{"a":[1]}}') == Frame(seq=1)


def test_numbers_keep_their_kind_and_every_digit() -> None:
    readings = wire.decode_frame('{"sensor_readings":{"i":9007199254740993,"f":1.0,"z":-0.0,"e":1e3}}').sensor_readings
    assert isinstance(readings, dict)
    assert {key: repr(value) for key, value in readings.items()} == {
        "i": "9007199254740993",
        "f": "1.0",
        "z": "-0.0",
        "e": "1000.0",
    }


def test_a_frame_cut_anywhere_is_no_frame() -> None:
    whole = json.dumps(FULL, ensure_ascii=False).encode()
    for end in range(len(whole)):
        with pytest.raises(Invalid):
            wire.decode_frame(whole[:end])
    wire.decode_frame(whole)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_reason(data: bytes) -> None:
    for read in (wire.decode_frame, wire.decode_object, wire.split_array, wire.split_envelope):
        try:
            read(data)
        except Invalid as refused:
            assert 0 < len(refused.message) < 300


@given(st.data())
def test_a_frame_with_one_byte_changed_is_a_frame_or_a_reason(data: st.DataObject) -> None:
    whole = bytearray(json.dumps(FULL).encode())
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Invalid):
        assert isinstance(wire.decode_frame(bytes(whole)), Frame)


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.integers(0, 2**63 - 1) | st.none(), TEXTS)
def test_what_was_written_is_read(readings: dict[str, Any], seq: int | None, boot_id: str) -> None:
    written = json.dumps({"seq": seq, "boot_id": boot_id, "sensor_readings": readings})
    assert wire.decode_frame(written) == Frame(sensor_readings=readings, seq=seq, boot_id=boot_id)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "null",
        "1",
        "[]",
        '"x"',
        '{"seq":"1"}',
        '{"seq":1.5}',
        '{"seq":true}',
        '{"boot_id":null}',
        '{"sensor_readings":"x"}',
        '{"sensor_readings":{"a":NaN}}',
        '{"sensor_readings":{"a":1e999}}',
        '{"sensor_readings":{"a":"\\ud800"}}',
        '{"sensor_readings":{"a":01}}',
        "{'seq':1}",
        '{"seq":1}{"seq":2}',
        '{"seq":1},',
        "\ufeff{}",
        b"\xff\xfe{}",
        "{}".encode("utf-16"),
        '{"sensor_readings":' + "[" * 5000 + "]" * 5000 + "}",
        '{"sensor_readings":' + '{"a":' * 5000 + "1" + "}" * 5001,
    ],
    ids=lambda text: repr(text[:30]),
)
def test_what_is_no_frame_is_refused_briefly(wrong: str | bytes) -> None:
    with pytest.raises(Invalid) as refused:
        wire.decode_frame(wrong)
    assert len(refused.value.message) < 300
    assert refused.value.message.startswith(("not ", "nested"))


def test_one_bad_frame_does_not_spoil_a_batch() -> None:
    for raws in (
        wire.split_array('[{"seq":1},"x",{"seq":2}]'),
        wire.split_envelope(b'{"frames":[{"seq":1},"x",{"seq":2}]}'),
    ):
        assert raws is not None
        assert wire.decode_frame(raws[0]).seq == 1
        assert wire.decode_frame(raws[2]).seq == 2
        with pytest.raises(Invalid):
            wire.decode_frame(raws[1])


def test_a_single_frame_is_no_batch() -> None:
    assert wire.split_envelope(b'{"seq":1,"sensor_readings":{"frames":1}}') is None
    assert wire.split_envelope(b'{"frames":null}') is None
    assert wire.split_envelope(b'{"frames":[]}') == []


def test_a_message_has_only_so_many_frames() -> None:
    most = wire.MAX_FRAMES
    assert len(wire.split_array("[" + ",".join(["{}"] * most) + "]")) == most
    assert len(wire.split_lines(b"{}\n" * most)) == most
    for split, data in (
        (wire.split_array, b"[" + b",".join([b"{}"] * (most + 1)) + b"]"),
        (wire.split_envelope, b'{"frames":[' + b",".join([b"{}"] * (most + 1)) + b"]}"),
        (wire.split_lines, b"{}\n" * (most + 1)),
    ):
        with pytest.raises(Invalid, match=str(most + 1)):
            split(data)


def test_lines_may_end_in_any_way() -> None:
    assert wire.split_lines(b'{"a":1}\r\n\n  \n{"b":2}') == [b'{"a":1}\r', b'{"b":2}']
    assert wire.split_lines(b"") == []
    assert wire.decode_frame(wire.split_lines(b'{"seq":1}\r\n')[0]).seq == 1


@given(
    st.builds(
        Receipt,
        seq=st.none() | st.integers(0, 2**63 - 1),
        status=st.sampled_from(["stored", "duplicate", "rejected", "throttled"]),
        reason=st.none() | TEXTS,
        retry_after_s=st.none() | st.floats(0, 100),
    )
)
def test_receipts_are_written_one_way(receipt: Receipt) -> None:
    told = json.loads(wire.encode_receipt(receipt))
    assert (told["seq"], told["status"]) == (receipt.seq, receipt.status)
    if receipt.status != "stored":
        assert told.get("reason") == receipt.reason
        assert msgspec.convert(told, Receipt) == receipt
