"""Packed structs: whole frames into columns, whatever the network cuts or joins."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.wire.packed import BATTERY, Layout
from mooring.wire.tcp import FixedFrames

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "packed").glob("*.bin"))
FLOAT = st.floats(width=32)


def frames_of(data: bytes, *cuts: int) -> list[tuple[float, ...]]:
    """Return what comes out of a stream cut at these places."""
    stream, found, at = FixedFrames(BATTERY.size), b"", 0
    for cut in (*cuts, len(data)):
        found += b"".join(stream.feed(data[at:cut]))
        assert stream.pending < BATTERY.size
        at = cut
    return list(struct.iter_unpack("<ffff", found))


def bits(rows: list[tuple[float, ...]]) -> bytes:
    return b"".join(struct.pack("<ffff", *row) for row in rows)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_recorded_stream_cut_at_every_byte_gives_the_same_frames(path: Path) -> None:
    data = path.read_bytes()
    whole = data[: len(data) - len(data) % 16]
    for cut in range(len(data) + 1):
        assert bits(frames_of(data, cut)) == whole


def test_there_are_recorded_streams() -> None:
    assert len(VECTORS) >= 2


@given(st.lists(st.tuples(FLOAT, FLOAT, FLOAT, FLOAT)), st.data())
def test_frames_survive_any_cutting(rows: list[tuple[float, ...]], data: st.DataObject) -> None:
    sent = bits(rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=9)))
    assert bits(frames_of(sent, *cuts)) == sent


@given(st.lists(st.tuples(FLOAT, FLOAT, FLOAT, FLOAT)))
def test_columns_hold_exactly_what_was_packed(rows: list[tuple[float, ...]]) -> None:
    columns = BATTERY.decode(bits(rows))
    assert list(columns) == ["timestamp", "pack_voltage", "pack_current", "cell_temp"]
    for name, said in zip(columns, zip(*rows, strict=True) if rows else [()] * 4, strict=True):
        assert np.array_equal(columns[name], np.array(said, np.float64), equal_nan=True)


def test_bytes_left_over_are_refused() -> None:
    with pytest.raises(Invalid, match="not whole frames of 16 bytes: 17"):
        BATTERY.decode(bytes(17))


def test_a_single_float_is_too_coarse_for_the_time_of_day() -> None:
    assert BATTERY.coarse("timestamp")
    assert not Layout("<dfff", BATTERY.names).coarse("timestamp")
    # Every stamp a single float can hold between 2000 and 2100 is at least a minute from the next.
    assert np.spacing(np.float32(946_684_800)) >= 64
    assert np.spacing(np.float32(4_102_444_800)) >= 128


@pytest.mark.parametrize(
    ("form", "names", "values", "row"),
    [
        ("<hH", ["a", "b"], (-2, 65_535), {"a": -2, "b": 65_535}),
        (">bB?", ["a", "b", "c"], (-1, 255, True), {"a": -1, "b": 255, "c": 1}),
        ("!iIqQ", ["a", "b", "c", "d"], (-1, 2**32 - 1, -(2**63), 2**64 - 1), None),
        ("<e2xfd", ["a", "b", "c"], (0.5, 1.5, 0.1), {"a": 0.5, "b": 1.5, "c": 0.1}),
        ("<3hx", ["a", "b", "c"], (1, 2, 3), {"a": 1, "b": 2, "c": 3}),
    ],
)
def test_a_declared_struct_is_read_as_the_struct_module_packs_it(
    form: str, names: list[str], values: tuple[float, ...], row: dict[str, float] | None
) -> None:
    layout = Layout(form, names)
    assert layout.size == struct.calcsize(form)
    packed = layout.encode(*values)
    assert layout.rows(packed * 2) == [row or dict(zip(names, values, strict=True))] * 2


def test_numbers_that_are_none_are_left_out_of_rows() -> None:
    assert Layout("<ff", ["a", "b"]).rows(struct.pack("<ff", math.nan, math.inf)) == [{}]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("", []),
        ("ffff", ["a", "b", "c", "d"]),
        ("<", []),
        ("<f", []),
        ("<ff", ["a", "a"]),
        ("<f", ["a", "b"]),
        ("<s", ["a"]),
        ("<f ", ["a"]),
        ("<65b", [str(i) for i in range(65)]),
        ("<999x999x", []),
        ("<-1f", ["a"]),
    ],
)
def test_what_is_no_layout_is_refused(form: str, names: list[str]) -> None:
    with pytest.raises(Invalid):
        Layout(form, names)


@given(
    st.text("<>!bBhHiIqQefdx?0123456789", max_size=12),
    st.lists(st.text(max_size=2), max_size=4),
    st.binary(max_size=64),
)
def test_no_declaration_and_no_bytes_break_the_reader(form: str, names: list[str], data: bytes) -> None:
    try:
        rows = Layout(form, names).rows(data)
    except Invalid:
        return
    assert all(set(row) <= set(names) for row in rows)


def mutate(count: int, seed: int) -> None:
    rng = random.Random(seed)
    vectors = [path.read_bytes() for path in VECTORS]
    for _ in range(count):
        data = bytearray(rng.choice(vectors))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        del data[rng.randrange(len(data)) :]
        whole = b"".join(FixedFrames(16).feed(bytes(data)))
        columns = BATTERY.decode(whole)
        assert len(columns["timestamp"]) == len(data) // 16


def test_mutated_streams_break_nothing() -> None:
    mutate(20_000, 1)


@pytest.mark.slow
def test_a_million_mutated_streams_break_nothing() -> None:
    mutate(1_000_000, 2)
