"""Blocks: many frames at once, checked, joined to what came one by one, and spoken only when somebody listens."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.errors import Invalid
from mooring.kernel.frames import Receipt
from mooring.telemetry.batch import Batch
from mooring.telemetry.block import Block, Spoken
from mooring.telemetry.check import Checked
from mooring.telemetry.sources import Source

KEYS = ("a", "b")


def source(*keys: str) -> Source:
    made = Source("d1")
    for number, key in enumerate(keys or KEYS):
        made.learn(key, 10 + number, None)
    return made


def block(rows: list[list[float]], first_us: int = 1_000, of: Source | None = None) -> Block:
    values = np.array(rows, np.float64).reshape(len(rows), 2)
    return Block(of or source(), KEYS, np.arange(first_us, first_us + len(rows), dtype=np.int64), values)


class Waiting:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Receipt] = []

    def settled(self, receipts: list[Receipt]) -> None:
        self.told += receipts


def test_a_block_becomes_rows_frame_by_frame() -> None:
    batch = Batch()
    batch.add_block(block([[1.0, 2.0], [3.0, 4.0]]), None)
    columns = batch.columns(5)
    assert columns.series.tolist() == [10, 11, 10, 11]
    assert columns.at_us.tolist() == [1_000, 1_000, 1_001, 1_001]
    assert columns.value.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert columns.row_frame is not None
    assert columns.row_frame.tolist() == [-1] * 4
    assert (len(batch), batch.rows, columns.rows) == (2, 4, 4)


def test_blocks_stand_behind_what_came_one_by_one() -> None:
    batch, one, many = Batch(), Waiting(), Waiting()
    batch.owe(one, 7, 3)
    batch.add_rows([(20, Checked("x", 1, 5.0, "", None, None, 0.5))], 900, True)
    batch.add_block(block([[1.0, 2.0]]), many)
    columns = batch.columns(5)
    assert columns.series.tolist() == [20, 10, 11]
    assert columns.kind.tolist() == [1, 0, 0]
    assert columns.quality.tolist() == [0.5, 1.0, 1.0]
    assert (columns.frame_boot.tolist(), columns.frame_seq.tolist()) == ([7], [3])
    assert columns.row_frame is not None
    assert columns.row_frame.tolist() == [0, -1, -1]
    assert batch.receipts() == {
        one: [Receipt(3, "stored", None, None, 1)],
        many: [Receipt(None, "stored", None, None, 2)],
    }
    assert batch.owed() == [(one, 3), (many, None)]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_as_a_whole(wrong: float) -> None:
    with pytest.raises(Invalid, match="not a finite number"):
        block([[1.0, 2.0], [3.0, wrong]]).check()


def test_bounds_of_keys_hold_for_columns() -> None:
    place = Source("d")
    place.learn("latitude", 1, None)
    place.learn("b", 2, None)
    for latitude, fine in ((90.0, True), (90.1, False), (-91.0, False)):
        made = Block(place, ("latitude", "b"), np.array([1], np.int64), np.array([[latitude, 500.0]]))
        if fine:
            made.check()
        else:
            with pytest.raises(Invalid, match="latitude out of range"):
                made.check()


def test_a_block_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(Invalid):
        Block(source(), KEYS, np.array([1, 2], np.int64), np.zeros((2, 3))).check()


def test_keys_without_a_series_are_not_taken() -> None:
    batch = Batch()
    with pytest.raises(KeyError):
        batch.add_block(block([[1.0, 2.0]], of=source("a")), None)
    assert (len(batch), batch.rows, batch.blocks) == (0, 0, [])


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2), max_size=40))
def test_spoken_frames_say_what_the_columns_hold(rows: list[list[float]]) -> None:
    made = block(rows)
    spoken = Spoken([], [made, made])
    assert len(spoken) == 2 * len(rows) == len(list(spoken))
    assert [list(frame.values.values()) for frame in made.spoken()] == rows
    assert [frame.at_us for frame in made.spoken()] == made.at_us.tolist()
    assert spoken.device_ids == {"d1"}
    assert spoken[:1] == list(made.spoken())[:1]
