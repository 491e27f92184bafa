"""CBOR, MessagePack, Sparkplug B and line protocol: recorded from others' encoders, cut at every byte, and mangled."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.wire import cbor, influx, msgpack, sparkplug

VECTORS = Path(__file__).parents[1] / "vectors"
DECODERS: dict[str, Callable[[bytes], Any]] = {
    "cbor": cbor.decode,
    "msgpack": msgpack.decode,
    "sparkplug": sparkplug.decode,
    "influx": influx.decode,
}
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def vectors(name: str) -> list[Path]:
    return sorted(path for path in (VECTORS / name).iterdir() if path.suffix in (".bin", ".txt"))


def recorded(*names: str) -> list[Any]:
    found = [pytest.param(name, path, id=f"{name}-{path.stem}") for name in names for path in vectors(name)]
    assert len(found) >= len(names)
    return found


def expected(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, not-a-number included, and true is not one."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize(("name", "path"), recorded("cbor", "msgpack"))
def test_what_another_encoder_wrote_is_read(name: str, path: Path) -> None:
    assert same(DECODERS[name](path.read_bytes()), expected(path))


@pytest.mark.parametrize(("name", "path"), recorded("sparkplug"))
def test_a_recorded_sparkplug_payload_is_read(name: str, path: Path) -> None:
    payload = sparkplug.decode(path.read_bytes())
    told = expected(path)
    assert (payload.timestamp_ms, payload.seq) == (told["timestamp"], told["seq"])
    assert same([list(metric) for metric in payload.metrics], told["metrics"])


@pytest.mark.parametrize(("name", "path"), recorded("influx"))
def test_recorded_lines_are_read(name: str, path: Path) -> None:
    points, faults = influx.decode(path.read_bytes())
    assert faults == []
    assert same([list(point) for point in points], expected(path))


@pytest.mark.parametrize(("name", "path"), recorded(*DECODERS))
def test_a_payload_cut_at_any_byte_is_refused_or_read_and_never_breaks(name: str, path: Path) -> None:
    data = path.read_bytes()
    for cut in range(len(data)):
        try:
            DECODERS[name](data[:cut])
        except Invalid as error:
            assert len(error.message) < 300
        else:
            # Only formats without an end of their own can be whole when cut.
            assert name in ("sparkplug", "influx")


@pytest.mark.parametrize("name", ["cbor", "msgpack"])
@given(value=VALUE)
def test_bytes_left_over_are_refused(name: str, value: Any) -> None:
    data = _cbor(value) if name == "cbor" else msgspec.msgpack.encode(value)
    DECODERS[name](data)
    with pytest.raises(Invalid):
        DECODERS[name](data + b"\x00")


@given(VALUE)
def test_cbor_gives_back_what_went_in(value: Any) -> None:
    assert same(cbor.decode(_cbor(value)), value)


@given(VALUE)
def test_msgpack_gives_back_what_went_in(value: Any) -> None:
    assert same(msgpack.decode(msgspec.msgpack.encode(value)), value)


def _cbor(value: Any) -> bytes:
    """Encode the long way, in eight bytes wherever there is a length."""
    head = lambda major, size: bytes([major << 5 | 27]) + struct.pack(">Q", size)  # noqa: E731
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(_cbor, value))
    return head(5, len(value)) + b"".join(_cbor(key) + _cbor(inner) for key, inner in value.items())


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("f90000", 0.0),
        ("f98000", -0.0),
        ("f93c00", 1.0),
        ("f97bff", 65504.0),
        ("f90001", 5.960464477539063e-08),
        ("f9c400", -4.0),
        ("fa47c35000", 100000.0),
        ("fb3ff199999999999a", 1.1),
        ("f97c00", math.inf),
        ("f97e00", math.nan),
        ("1903e8", 1000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("c249010000000000000000", 2**64),
        ("c349010000000000000000", -(2**64) - 1),
        ("f7", None),
        ("c1fb41d452d9ec200000", 1363896240.5),
        ("d818456449455446", b"dIETF"),
        ("9fff", []),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
    ],
)
def test_the_examples_of_rfc_8949_are_read(told: str, value: Any) -> None:
    assert same(cbor.decode(bytes.fromhex(told)), value)


@pytest.mark.parametrize(
    "told",
    [
        *("", "ff", "1c", "3f", "5f4101", "5f6161ff", "7f4161ff", "8201", "a1ff01", "a201020103", "a18001", "9fbfff"),
        *("c0ff", "f818", "f800", "62c328", "9bffffffffffffffff00", "c26161", "ddff"),
        "81" * 30 + "00",
        "c25841" + "00" * 65,
    ],
)
def test_what_is_no_cbor_is_refused(told: str) -> None:
    with pytest.raises(Invalid, match="not CBOR"):
        cbor.decode(bytes.fromhex(told))


@pytest.mark.parametrize(
    "told", ["", "c1", "d40501", "91", "a2c328", "81", "dc00", "91" * 30 + "00", "c70cff" + "ff" * 12]
)
def test_what_is_no_msgpack_is_refused(told: str) -> None:
    with pytest.raises(Invalid, match="not MessagePack"):
        msgpack.decode(bytes.fromhex(told))


def test_a_sparkplug_payload_becomes_a_frame() -> None:
    birth = sparkplug.decode((VECTORS / "sparkplug" / "birth.bin").read_bytes())
    data = sparkplug.decode((VECTORS / "sparkplug" / "data.bin").read_bytes())
    aliases = {metric.alias: metric.name for metric in birth.metrics if metric.alias and metric.name}
    assert sparkplug.frame_of(data, aliases) == {
        "timestamp": 1700000000005,
        "sensor_readings": [{"sensor_type": "d", "value": 2.5, "timestamp": 1700000000000}],
    }
    [reading] = sparkplug.frame_of(data)["sensor_readings"]
    assert reading["sensor_type"] == "alias_10"
    values = {one["sensor_type"]: one["value"] for one in sparkplug.frame_of(birth)["sensor_readings"]}
    assert values["i64"] == -(2**63)
    assert values["u64"] == 2.0**64


def test_a_metric_that_is_no_number_spoils_no_other() -> None:
    odd = sparkplug.Payload(
        None, 0, [sparkplug.Metric("a", None, None, math.nan), sparkplug.Metric("b", None, None, 1.5)]
    )
    assert sparkplug.frame_of(odd) == {"sensor_readings": [{"sensor_type": "b", "value": 1.5}]}


@pytest.mark.parametrize("told", ["08", "00", "0f", "0b", "12", "1205", "09ff", "0d00", "08" + "ff" * 11, "12030a01ff"])
def test_what_is_no_sparkplug_is_refused(told: str) -> None:
    with pytest.raises(Invalid, match="not a Sparkplug payload"):
        sparkplug.decode(bytes.fromhex(told))


def test_a_flood_of_metrics_is_refused() -> None:
    with pytest.raises(Invalid, match="metrics"):
        sparkplug.decode(b"\x12\x00" * 10_001)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m", "no fields at character 2"),
        ("m ", "no fields at character 2"),
        (",a=b f=1", "no measurement at character 1"),
        ("m,a f=1", "no = at character 4"),
        ("m,a= f=1", "no tag value at character 5"),
        ("m, f=1", "no tag at character 3"),
        ("m f", "no = at character 4"),
        ("m f=", "no value at character 5"),
        ("m f=1,", "no field at character 7"),
        ("m f=abc", "not a value: abc"),
        ("m f=1.5i", "not a value: 1.5i"),
        ("m f=-1u", "not a value: -1u"),
        ("m f=NaN", "not a value: NaN"),
        ("m f=1e999", "not a finite number: 1e999"),
        ("m f=9223372036854775808i", "integer outside 64 bits: 9223372036854775808i"),
        ("m f=18446744073709551616u", "integer outside 64 bits: 18446744073709551616u"),
        ('m f="abc', "text that does not end, from character 5"),
        ("m f=1 x", "not a time: x"),
        ("m f=1 1 1", "not a time: 1 1"),
        ('m f="a"1', "not a time: 1"),
    ],
)
def test_a_line_that_is_none_is_named_and_spoils_no_other(line: str, reason: str) -> None:
    lines = f"good f=1\n{line}"
    points, faults = influx.decode(f"{lines}\n".encode() if '"abc' not in line else lines.encode())
    assert faults == [(2, reason)]
    assert [point.measurement for point in points] == ["good"]


@pytest.mark.parametrize(
    ("precision", "told"),
    [("ns", 1795219200123456789), ("us", 1795219200123456), ("ms", 1795219200123), ("s", 1795219200)],
)
def test_times_are_told_in_the_precision_asked_for(precision: str, told: int) -> None:
    [point], _ = influx.decode(f"m f=1 {told}".encode(), precision)
    assert point.at_us is not None
    assert abs(point.at_us - 1795219200123456) < {"s": 1_000_000, "ms": 1000}.get(precision, 1)


def test_unknown_precision_and_bytes_that_are_no_text_are_refused() -> None:
    for data, precision in ((b"m f=1", "d"), (b"\xff f=1", "ns"), (b"m f=1\n" * 20_001, "ns")):
        with pytest.raises(Invalid):
            influx.decode(data, precision)


@given(st.text(max_size=60))
def test_any_text_is_either_points_or_faults(text: str) -> None:
    points, faults = influx.decode(text.encode())
    assert all(point.measurement and point.fields for point in points)
    assert all(fault.reason for fault in faults)


def mutate(name: str, count: int, seed: int) -> None:
    rng = random.Random(seed)
    whole = [path.read_bytes() for path in vectors(name)]
    decode = DECODERS[name]
    for _ in range(count):
        data = bytearray(rng.choice(whole))
        for _ in range(1 + rng.randrange(5)):
            place = rng.randrange(len(data))
            if rng.random() < 0.8:
                data[place] = rng.randrange(256)
            else:
                data[place:place] = rng.randbytes(rng.randrange(1, 5))
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        try:
            decode(bytes(data))
        except Invalid:
            continue


@pytest.mark.parametrize("name", DECODERS)
def test_mutated_payloads_break_nothing(name: str) -> None:
    mutate(name, 20_000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_a_million_mutated_payloads_break_nothing(name: str) -> None:
    mutate(name, 1_000_000, 2)
