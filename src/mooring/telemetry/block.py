"""Many frames of one device at once, as columns: for doors whose frames are alike, unnumbered and very many.

Nobody waits for single frames of a block; its sink is told once, with the number of readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mooring.kernel.errors import Invalid
from mooring.kernel.events import StoredFrame
from mooring.kernel.frames import Receipt
from mooring.telemetry.series import Columns
from mooring.telemetry.sources import Source

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Frames of `source`: a time each (µs since 1970), and a row of finite numbers under the same `keys`."""

    source: Source
    keys: tuple[str, ...]
    at_us: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.at_us)

    @property
    def rows(self) -> int:
        """Return the number of readings."""
        return self.values.size

    def check(self) -> None:
        """Raise ``Invalid`` for numbers that are not finite or outside what their key allows."""
        if self.values.shape != (len(self.at_us), len(self.keys)):
            raise Invalid("a block has as many columns as keys and as many rows as times")
        if not np.isfinite(self.values).all():
            raise Invalid("not a finite number")
        for key, low, high in self.source.bounds:
            if key in self.keys:
                column = self.values[:, self.keys.index(key)]
                if ((column < low) | (column > high)).any():
                    raise Invalid(f"{key} out of range", hint=f"between {low:g} and {high:g}")

    def numbers(self) -> NDArray[np.int32]:
        """Return the series of every reading; raises KeyError if the source does not know a key (any more)."""
        known = self.source.series
        return np.tile(np.array([known[key] for key in self.keys], np.int32), len(self))

    def spoken(self) -> Iterator[StoredFrame]:
        """Yield the frames as the bus tells them, a few at a time: spoken they weigh twenty times as much."""
        device_id, keys = self.source.device_id, self.keys
        for start in range(0, len(self), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            for at_us, row in zip(self.at_us[part].tolist(), self.values[part].tolist(), strict=True):
                yield StoredFrame(device_id, at_us, dict(zip(keys, row, strict=True)))

    def receipt(self) -> Receipt:
        """Return what the block's sink is told once it is on disk."""
        return Receipt(None, "stored", None, None, self.rows)


class Spoken(Sequence[StoredFrame]):
    """The frames of a batch that holds blocks, made as they are asked for: mostly nobody listens."""

    def __init__(self, frames: list[StoredFrame], blocks: Sequence[Block]) -> None:
        self._frames = frames
        self._blocks = blocks
        self._count = len(frames) + sum(map(len, blocks))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[StoredFrame]:
        yield from self._frames
        for block in self._blocks:
            yield from block.spoken()

    @overload
    def __getitem__(self, index: int) -> StoredFrame: ...

    @overload
    def __getitem__(self, index: slice) -> list[StoredFrame]: ...

    def __getitem__(self, index: int | slice) -> StoredFrame | list[StoredFrame]:
        """Return frames by their place; whoever wants many iterates."""
        return list(self)[index]

    @property
    def device_ids(self) -> set[str]:
        """Return whose frames they are."""
        return {frame[0] for frame in self._frames} | {block.source.device_id for block in self._blocks}


def joined(columns: Columns, blocks: Sequence[tuple[Block, NDArray[np.int32]]]) -> Columns:
    """Return `columns` with the readings of `blocks` (each with the series of its readings) behind them."""
    if not blocks:
        return columns
    more = sum(block.rows for block, _ in blocks)
    series = [columns.series, *(numbers for _, numbers in blocks)]
    at_us = [columns.at_us, *(np.repeat(block.at_us, len(block.keys)) for block, _ in blocks)]
    value = [columns.value, *(block.values.ravel() for block, _ in blocks)]
    nobody = np.full(more, -1, np.int32)
    return replace(
        columns,
        series=np.concatenate(series),
        at_us=np.concatenate(at_us),
        value=np.concatenate(value),
        kind=np.concatenate([columns.kind, np.zeros(more, np.uint8)]),
        quality=np.concatenate([columns.quality, np.ones(more, np.float32)]),
        row_frame=None if columns.row_frame is None else np.concatenate([columns.row_frame, nobody]),
    )
