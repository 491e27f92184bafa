"""The newest value of every series by device time, kept beside the hot path as columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from mooring.telemetry.series import Columns, Newest
from mooring.telemetry.values import value_from

_NEVER = np.iinfo(np.int64).min


class LatestValue(NamedTuple):
    """A newest value: when (µs since 1970, device time), what, how good."""

    at_us: int
    value: Any
    quality: float


class Latest:
    """Newest numbers in arrays by series number, newest texts in a dict."""

    def __init__(self) -> None:
        self._at = np.full(1024, _NEVER, np.int64)
        self._value = np.zeros(1024)
        self._kind = np.zeros(1024, np.uint8)
        self._quality = np.ones(1024, np.float32)
        self._texts: dict[int, LatestValue] = {}

    def update(self, columns: Columns) -> None:
        """Take in a committed batch; an older reading never replaces a newer one."""
        if len(columns.series):
            self._update_numbers(columns)
        for no, at_us, kind, text, quality in zip(
            columns.text_series,
            columns.text_at_us,
            columns.text_kind,
            columns.text_value,
            columns.text_quality,
            strict=True,
        ):
            self._put_text(no, LatestValue(at_us, value_from(kind, text), quality))

    def _update_numbers(self, columns: Columns) -> None:
        self._grow(int(columns.series.max()))
        series, at = columns.series, columns.at_us
        fresh = at >= self._at[series]
        if not fresh.all():
            series, at = series[fresh], at[fresh]
        rows = np.flatnonzero(fresh)
        if len(at) > 1 and (at[1:] < at[:-1]).any():
            order = np.argsort(at, kind="stable")
            rows, series, at = rows[order], series[order], at[order]
        # Where a series stands more than once, the last assignment holds: the newest.
        self._at[series] = at
        self._value[series] = columns.value[rows]
        self._kind[series] = columns.kind[rows]
        self._quality[series] = columns.quality[rows]

    def _grow(self, highest: int) -> None:
        size = len(self._at)
        if highest < size:
            return
        more = max(size, highest + 1 - size)
        self._at = np.concatenate([self._at, np.full(more, _NEVER, np.int64)])
        self._value = np.concatenate([self._value, np.zeros(more)])
        self._kind = np.concatenate([self._kind, np.zeros(more, np.uint8)])
        self._quality = np.concatenate([self._quality, np.ones(more, np.float32)])

    def _put_text(self, no: int, latest: LatestValue) -> None:
        have = self._texts.get(no)
        if have is None or have.at_us <= latest.at_us:
            self._texts[no] = latest

    def load(self, stored: Iterable[Newest]) -> None:
        """Take in what the store holds, without going back behind what has arrived since."""
        for newest in stored:
            if isinstance(newest.value, bool | int | float) and abs(newest.value) <= 2**53:
                self._grow(newest.series)
                if self._at[newest.series] < newest.at_us:
                    self._set_number(newest)
            else:
                self._put_text(newest.series, LatestValue(newest.at_us, newest.value, newest.quality))

    def _set_number(self, newest: Newest) -> None:
        self._at[newest.series] = newest.at_us
        self._value[newest.series] = newest.value
        self._kind[newest.series] = 2 if isinstance(newest.value, bool) else int(isinstance(newest.value, int))
        self._quality[newest.series] = newest.quality

    def get(self, no: int) -> LatestValue | None:
        """Return the newest value of series `no`, whatever its kind."""
        number = None
        if no < len(self._at) and self._at[no] != _NEVER:
            value = value_from(int(self._kind[no]), float(self._value[no]))
            number = LatestValue(int(self._at[no]), value, round(float(self._quality[no]), 6))
        text = self._texts.get(no)
        if number is None or text is None:
            return number or text
        return text if text.at_us >= number.at_us else number

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop the series of a deleted device."""
        for no in numbers:
            self._texts.pop(no, None)
            if no < len(self._at):
                self._at[no] = _NEVER
