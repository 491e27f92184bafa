"""A batch keeps what each frame said, knows frames by what they said, and tells each sink about its own."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.kernel.frames import Frame, Receipt
from mooring.telemetry.batch import Batch
from mooring.telemetry.check import Checked, rows_of
from mooring.telemetry.series import KIND_BOOL, KIND_FLOAT, KIND_INT, KIND_TEXT

NOW_US = 1_795_219_200_000_000


class Ear:
    """A sink that remembers what it was told."""

    def settled(self, receipts: list[Receipt]) -> None:
        """Take receipts."""


def said(readings: Any) -> list[tuple[int, Checked]]:
    """Return checked rows under series numbers that stand for their keys."""
    return [(sum(row.key.encode()), row) for row in rows_of(Frame(sensor_readings=readings), NOW_US)]


def digest_of(readings: Any, *, at_us: int = NOW_US, stamped: bool = False) -> int:
    batch = Batch()
    batch.owe(None, 1, 1)
    batch.add_rows(said(readings), at_us, stamped)
    return int(batch.digests()[0])


def test_columns_hold_every_reading_under_its_frame() -> None:
    batch = Batch()
    batch.owe(None, 4, 10)
    batch.add_rows(said({"a": 1.5, "t": "on", "b": True}), NOW_US, True)
    batch.owe(None, None, None)
    batch.add_rows(
        said([{"sensor_type": "c", "value": 2, "timestamp": 1_795_219_100, "quality_score": 0.5}]), NOW_US, False
    )
    batch.owe(None, 5, 0)
    batch.add_rows([], NOW_US, False)
    batch.owe(None, 4, 11)
    batch.add_rows(said({"u": "off", "a": 3}), NOW_US + 1, True)
    columns = batch.columns(NOW_US + 9)
    assert (len(batch), batch.rows, columns.rows, columns.received_us) == (4, 6, 6, NOW_US + 9)
    assert columns.series.tolist() == [97, 98, 99, 97]
    assert columns.value.tolist() == [1.5, 1.0, 2.0, 3.0]
    assert columns.kind.tolist() == [KIND_FLOAT, KIND_BOOL, KIND_INT, KIND_INT]
    assert columns.at_us.tolist() == [NOW_US, NOW_US, NOW_US - 100_000_000, NOW_US + 1]
    assert columns.quality.tolist() == [1.0, 1.0, 0.5, 1.0]
    assert (columns.text_series, columns.text_value) == ([116, 117], ["on", "off"])
    assert (columns.text_kind, columns.text_at_us) == ([KIND_TEXT] * 2, [NOW_US, NOW_US + 1])
    assert list(zip(columns.frame_boot.tolist(), columns.frame_seq.tolist(), strict=True)) == [(4, 10), (5, 0), (4, 11)]
    assert columns.row_frame is not None
    assert columns.row_frame.tolist() == [0, 0, -1, 2]
    assert columns.text_frame == [0, 2]
    assert columns.frame_digest.dtype == np.uint32


def test_an_empty_batch_has_empty_columns() -> None:
    columns = Batch().columns(NOW_US)
    assert columns.rows == len(columns.frame_seq) == 0


class TestDigests:
    def test_the_order_and_the_spelling_of_a_frame_do_not_matter(self) -> None:
        readings = {"a": 1.5, "b": 2, "c": True, "t": "on", "j": {"x": 1}}
        digests = {
            digest_of(dict(some)) for some in itertools.islice(itertools.permutations(readings.items()), 0, 120, 7)
        }
        as_list = [{"sensor_type": key, "value": value} for key, value in readings.items()]
        as_objects = {key: {"value": value} for key, value in readings.items()}
        assert digests == {digest_of(as_list)} == {digest_of(as_objects)}

    @pytest.mark.parametrize(
        "other",
        [
            {},
            {"a": 1},
            {"a": 1, "b": 3},
            {"a": 2, "b": 1},
            {"a": 1, "c": 2},
            {"a": 1, "b": "2"},
            {"a": 1, "b": 2, "c": 0},
            {"a": 1, "b": 2, "t": ""},
            {"a": -1, "b": -2},
        ],
        ids=str,
    )
    def test_a_frame_that_says_something_else_has_another_digest(self, other: dict[str, Any]) -> None:
        assert digest_of(other) != digest_of({"a": 1, "b": 2})

    def test_the_devices_own_time_belongs_to_what_it_said_and_the_servers_does_not(self) -> None:
        readings = {"a": 1, "b": 2}
        assert digest_of(readings, at_us=NOW_US) == digest_of(readings, at_us=NOW_US + 5)
        assert digest_of(readings, at_us=NOW_US, stamped=True) != digest_of(readings, at_us=NOW_US + 5, stamped=True)
        texts = {"t": "on"}
        assert digest_of(texts, at_us=NOW_US) == digest_of(texts, at_us=NOW_US + 5)
        assert digest_of(texts, at_us=NOW_US, stamped=True) != digest_of(texts, at_us=NOW_US + 5, stamped=True)

    @given(
        st.lists(
            st.dictionaries(st.sampled_from("abcdtu"), st.floats(-9, 9) | st.text(max_size=3), max_size=4), min_size=1
        )
    )
    def test_a_digest_does_not_depend_on_the_batch_around_it(self, frames: list[dict[str, Any]]) -> None:
        try:
            alone = [digest_of(readings) for readings in frames]
        except Exception:
            return
        batch = Batch()
        for seq, readings in enumerate(frames):
            batch.owe(None, 1, seq)
            batch.add_rows(said(readings), NOW_US, False)
        assert batch.digests().tolist() == alone

    def test_digests_of_similar_frames_do_not_collide(self) -> None:
        dice = random.Random(7)
        frames = [{"a": dice.randrange(1000), "b": dice.randrange(1000) / 10, "c": 0} for _ in range(3_000)]
        distinct = {tuple(frame.values()) for frame in frames}
        batch = Batch()
        for seq, readings in enumerate(frames):
            batch.owe(None, 1, seq)
            batch.add_rows(said(readings), NOW_US, False)
        # Among three thousand draws of 32 bits one pair meets once in a thousand runs.
        assert len(set(batch.digests().tolist())) >= len(distinct) - 1


class TestReceipts:
    def test_each_sink_is_told_about_its_own_frames_in_order(self) -> None:
        batch, one, two = Batch(), Ear(), Ear()
        for sink, boot, seq, readings in (
            (one, 1, 5, {"a": 1}),
            (two, None, None, {"a": 1, "b": 2}),
            (None, 1, 6, {"a": 1}),
            (one, 1, 7, {}),
        ):
            batch.owe(sink, boot, seq)
            batch.add_rows(said(readings), NOW_US, False)
        assert batch.receipts() == {
            one: [Receipt(5, "stored", stored=1), Receipt(7, "stored", stored=0)],
            two: [Receipt(None, "stored", stored=2)],
        }

    def test_silenced_frames_are_left_out(self) -> None:
        batch, ear = Batch(), Ear()
        for seq in range(4):
            batch.owe(ear, 1, seq)
            batch.add_rows(said({"a": seq}), NOW_US, False)
        batch.silence([0, 2])
        assert [receipt.seq for receipt in batch.receipts()[ear]] == [1, 3]
