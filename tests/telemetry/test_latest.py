"""Newest values: the newest by device time wins, whatever the order of arrival and the kind."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from mooring.telemetry.latest import Latest
from mooring.telemetry.series import KIND_BIG, KIND_BOOL, KIND_FLOAT, KIND_INT, KIND_JSON, KIND_TEXT, Columns, Newest


def numbers(*rows: tuple[int, int, float], kind: int = KIND_FLOAT, quality: float = 1.0) -> Columns:
    """Return a batch of (series, at, value)."""
    series, at, value = zip(*rows, strict=True)
    return Columns(
        received_us=0,
        series=np.array(series, np.int32),
        at_us=np.array(at, np.int64),
        value=np.array(value, np.float64),
        kind=np.full(len(rows), kind, np.uint8),
        quality=np.full(len(rows), quality, np.float32),
    )


def texts(*rows: tuple[int, int, str], kind: int = KIND_TEXT) -> Columns:
    batch = Columns(0, *(np.empty(0, kind_) for kind_ in (np.int32, np.int64, np.float64, np.uint8, np.float32)))
    for series, at, value in rows:
        batch.text_series.append(series)
        batch.text_at_us.append(at)
        batch.text_kind.append(kind)
        batch.text_value.append(value)
        batch.text_quality.append(0.5)
    return batch


def value(latest: Latest, no: int) -> Any:
    found = latest.get(no)
    return None if found is None else found.value


def test_nothing_is_known_of_what_never_came() -> None:
    assert Latest().get(5) is None
    assert Latest().get(10**6) is None


def test_an_older_value_never_replaces_a_newer_one() -> None:
    latest = Latest()
    latest.update(numbers((1, 100, 1.0)))
    latest.update(numbers((1, 50, 2.0)))
    assert value(latest, 1) == 1.0
    latest.update(numbers((1, 100, 3.0)))
    assert value(latest, 1) == 3.0, "of two at the same time the later to arrive holds"


def test_within_a_batch_the_newest_wins_in_any_order() -> None:
    chance = random.Random(7)
    for _ in range(200):
        rows = [(chance.randrange(5), chance.randrange(1000), chance.random()) for _ in range(40)]
        latest, expected = Latest(), {}
        for batch in (rows[:25], rows[25:]):
            latest.update(numbers(*batch))
            for no, at, number in batch:
                if no not in expected or expected[no][0] <= at:
                    expected[no] = (at, number)
        assert {no: latest.get(no)[:2] for no in expected} == expected  # type: ignore[index]


def test_it_grows_with_the_series() -> None:
    latest = Latest()
    latest.update(numbers((0, 1, 1.0), (1023, 1, 2.0)))
    latest.update(numbers((1024, 1, 3.0), (50_000, 1, 4.0)))
    assert [value(latest, no) for no in (0, 1023, 1024, 50_000, 49_999)] == [1.0, 2.0, 3.0, 4.0, None]


@pytest.mark.parametrize(
    ("kind", "stored", "meant"), [(KIND_INT, 3.0, 3), (KIND_BOOL, 1.0, True), (KIND_FLOAT, 3.0, 3.0)]
)
def test_numbers_come_back_as_what_they_were(kind: int, stored: float, meant: Any) -> None:
    latest = Latest()
    latest.update(numbers((1, 1, stored), kind=kind, quality=0.3))
    found = latest.get(1)
    assert found is not None
    assert (found.value, type(found.value), found.quality) == (meant, type(meant), 0.3)


@pytest.mark.parametrize(
    ("kind", "stored", "meant"),
    [(KIND_TEXT, "on", "on"), (KIND_JSON, '{"a":1}', {"a": 1}), (KIND_BIG, str(2**60), 2**60)],
)
def test_texts_come_back_as_what_they_were(kind: int, stored: str, meant: Any) -> None:
    latest = Latest()
    latest.update(texts((1, 5, stored), (1, 3, stored), kind=kind))
    assert latest.get(1) == (5, meant, 0.5)


def test_a_series_of_mixed_kinds_shows_the_newest() -> None:
    latest = Latest()
    latest.update(numbers((1, 10, 1.0)))
    latest.update(texts((1, 20, "off")))
    assert value(latest, 1) == "off"
    latest.update(numbers((1, 30, 2.0)))
    assert value(latest, 1) == 2.0


def test_loading_does_not_go_back_behind_what_has_arrived() -> None:
    latest = Latest()
    latest.update(numbers((1, 100, 1.0)))
    latest.update(texts((2, 100, "new")))
    latest.load(
        [
            Newest(1, 50, 9.0, 1.0),
            Newest(2, 50, "old", 1.0),
            Newest(3, 50, True, 1.0),
            Newest(4, 50, 7, 0.2),
            Newest(5, 50, 2**60, 1.0),
            Newest(6, 50, {"a": 1}, 1.0),
            Newest(1, 200, 2.5, 1.0),
        ]
    )
    assert [value(latest, no) for no in range(1, 7)] == [2.5, "new", True, 7, 2**60, {"a": 1}]
    assert type(value(latest, 4)) is int


def test_a_deleted_devices_series_are_forgotten() -> None:
    latest = Latest()
    latest.update(numbers((1, 1, 1.0), (2, 1, 2.0)))
    latest.update(texts((1, 5, "x")))
    latest.forget([1, 10**6])
    assert (value(latest, 1), value(latest, 2)) == (None, 2.0)
