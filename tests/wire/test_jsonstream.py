"""JSON objects out of a stream without framing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.wire.jsonstream import MAX_DEPTH, ObjectStream

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "jsonstream").glob("*.txt"))
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.text(), VALUE, max_size=4)
GAP = st.sampled_from([b"", b"\n", b" ", b"\r\n", b",", b"\n\n"])


def objects_of(data: bytes, *cuts: int) -> list[bytes]:
    """Return what comes out of a stream cut at these places."""
    stream, found, at = ObjectStream(), [], 0
    for cut in (*cuts, len(data)):
        found += stream.feed(data[at:cut])
        at = cut
    return found


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_recorded_stream_cut_at_every_byte_gives_the_same_objects(path: Path) -> None:
    data = path.read_bytes()
    whole = objects_of(data)
    expected = path.with_suffix(".expected")
    assert [json.loads(one) for one in whole] == [json.loads(line) for line in expected.read_text().splitlines()]
    for cut in range(len(data) + 1):
        assert objects_of(data, cut) == whole
    assert objects_of(data, *range(len(data))) == whole


def test_there_are_recorded_streams() -> None:
    assert len(VECTORS) >= 3


@given(st.lists(st.tuples(GAP, OBJECT)), st.booleans(), st.data())
def test_any_objects_joined_and_cut_anyhow_come_out_as_they_went_in(
    said: list[tuple[bytes, dict[str, Any]]], ascii_only: bool, data: st.DataObject
) -> None:
    sent = b"".join(
        gap + json.dumps(one, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for gap, one in said
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=9)))
    deep = [one for _, one in said if json.dumps(one).count("{") > MAX_DEPTH]
    if not deep:
        assert [json.loads(one.decode("utf-8", "surrogatepass")) for one in objects_of(sent, *cuts)] == [
            one for _, one in said
        ]


def test_what_lies_between_objects_is_passed_over_and_counted() -> None:
    stream = ObjectStream()
    assert stream.feed(b'hello {"a":1}, [] {"b":2}\n}}x') == [b'{"a":1}', b'{"b":2}']
    assert stream.skipped == len("hello") + len("[]") + len("}}x")
    assert stream.pending == 0


def test_an_object_with_a_line_break_in_its_text_is_given_up_at_the_line() -> None:
    stream = ObjectStream()
    assert stream.feed(b'{"a": "no end\n{"b": 2}') == [b'{"b": 2}']
    assert stream.skipped == len(b'{"a": "no end\n')


def test_an_object_nested_too_deep_is_given_up() -> None:
    stream = ObjectStream()
    assert stream.feed(b'{"a":' * (MAX_DEPTH + 1)) == []
    assert stream.feed(b'1 \n {"b":2}') == [b'{"b":2}']
    stream = ObjectStream()
    nested = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert stream.feed(nested) == [nested]


def test_an_object_that_never_ends_costs_a_bounded_amount_of_memory() -> None:
    stream = ObjectStream(most=1000)
    assert stream.feed(b'{"a":"') == []
    for _ in range(5000):
        assert stream.feed(b"x" * 64) == []
        assert stream.pending <= 1064
    assert stream.skipped > 300_000
    assert stream.feed(b'{"b":2}') == [b'{"b":2}']


def test_a_flood_of_braces_is_worked_off_in_linear_time() -> None:
    stream = ObjectStream()
    for _ in range(16):
        stream.feed(b"{" * 65_536)
    assert stream.pending <= 65_536


def mutate(count: int, seed: int) -> None:
    rng = random.Random(seed)
    vectors = [path.read_bytes() for path in VECTORS]
    stream = ObjectStream(most=4096)
    for _ in range(count):
        data = bytearray(rng.choice(vectors))
        for _ in range(1 + rng.randrange(4)):
            data[rng.randrange(len(data))] = (
                rng.choice(b'{}"\\\n\x00\xff') if rng.random() < 0.7 else rng.randrange(256)
            )
        cut = rng.randrange(len(data))
        for part in (bytes(data[:cut]), bytes(data[cut:])):
            for one in stream.feed(part):
                assert one[:1] == b"{"
                assert one[-1:] == b"}"
            assert stream.pending <= 4096


def test_mutated_streams_break_nothing() -> None:
    mutate(20_000, 1)


@pytest.mark.slow
def test_a_million_mutated_streams_break_nothing() -> None:
    mutate(1_000_000, 2)
