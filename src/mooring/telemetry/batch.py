"""A batch under construction: what the next commit will hold, and who waits for it.

Lists grow while the previous commit is on its way to disk; ``columns`` turns them into NumPy once.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mooring.kernel.events import StoredFrame
from mooring.kernel.frames import Receipt
from mooring.telemetry.block import Block, Spoken, joined
from mooring.telemetry.check import Checked
from mooring.telemetry.series import KIND_TEXT, Columns
from mooring.telemetry.sources import Boot

_MIX_A = np.uint64(0x9E3779B97F4A7C15)
_MIX_B = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_C = np.uint64(0x165667B19E3779F9)
_NO_BOOT = -1


class Sink(Protocol):
    """Whoever waits for receipts: one connection, or one request."""

    def settled(self, receipts: list[Receipt]) -> None:
        """Take receipts in the order of the frames; called on the event loop, must not wait."""


class Batch:
    """Frames waiting for the same commit. Runs are stretches of readings that share a time."""

    def __init__(self) -> None:
        self.frames: list[StoredFrame] = []
        self.sinks: list[Sink | None] = []
        self.boots: list[int] = []
        self.seqs: list[int] = []
        self.counts: list[int] = []
        self.stored: list[int] = []
        self.run_at: list[int] = []
        self.run_stamp: list[int] = []
        self.run_counts: list[int] = []
        self.series: list[int] = []
        self.values: list[float] = []
        self.kinds: list[tuple[int, int]] = []
        self.qualities: list[tuple[int, float]] = []
        self.texts: list[tuple[int, int, int, Checked]] = []
        self.text_stamp: list[int] = []
        self.words: list[tuple[int, int]] = []
        self.high: dict[Boot, int] = {}
        self.committed: list[int] = []
        # Frames that came again before the first was on disk: whom to tell "duplicate" once it is, and (boot, seq).
        self.echoes: list[tuple[Sink, int, int]] = []
        self.blocks: list[tuple[Block, NDArray[np.int32]]] = []
        self.block_sinks: list[Sink | None] = []
        self._block_frames = self._block_rows = 0
        self._silenced: set[int] = set()

    def __len__(self) -> int:
        return len(self.seqs) + self._block_frames

    @property
    def rows(self) -> int:
        """Return the number of readings waiting."""
        return len(self.series) + len(self.texts) + self._block_rows

    def add_block(self, block: Block, sink: Sink | None) -> None:
        """Add many frames as they are; raises KeyError if their keys have no numbers yet."""
        self.blocks.append((block, block.numbers()))
        self.block_sinks.append(sink)
        self._block_frames += len(block)
        self._block_rows += block.rows

    def spoken(self) -> tuple[Sequence[StoredFrame], set[str]]:
        """Return every frame of the batch as the bus tells it, and whose they are."""
        if not self.blocks:
            return self.frames, {frame[0] for frame in self.frames}
        spoken = Spoken(self.frames, [block for block, _ in self.blocks])
        return spoken, spoken.device_ids

    def owe(self, sink: Sink | None, boot: int | None, seq: int | None) -> None:
        """Open a frame: note who waits for it and under which (boot, seq) it is known, if any."""
        self.sinks.append(sink)
        self.boots.append(_NO_BOOT if boot is None else boot)
        self.seqs.append(-1 if seq is None else seq)

    def say(self, *words: object) -> None:
        """Take what the frame last opened tells besides readings into its digest."""
        self.words.append((len(self.seqs) - 1, zlib.crc32(repr(words).encode())))

    def add_rows(self, rows: Sequence[tuple[int, Checked]], at_us: int, stamped: bool) -> None:
        """Add the checked readings of the frame last opened by ``owe``, each with its series number."""
        index, before = len(self.seqs) - 1, len(self.series)
        for no, row in rows:
            moment = at_us if row.at_us is None else row.at_us
            stamp = moment if stamped or row.at_us is not None else 0
            if row.kind >= KIND_TEXT:
                self.texts.append((index, no, moment, row))
                self.text_stamp.append(stamp)
                continue
            if row.kind:
                self.kinds.append((len(self.series), row.kind))
            if row.quality != 1.0:
                self.qualities.append((len(self.series), row.quality))
            self.series.append(no)
            self.values.append(row.number)
            self.run_at.append(moment)
            self.run_stamp.append(stamp)
            self.run_counts.append(1)
        self.counts.append(len(self.series) - before)
        self.stored.append(len(rows))

    def receipts(self) -> dict[Sink, list[Receipt]]:
        """Return what each waiting sink is to be told now that the batch is on disk."""
        told: dict[Sink, list[Receipt]] = {}
        for index, (sink, seq, stored) in enumerate(zip(self.sinks, self.seqs, self.stored, strict=True)):
            if sink is None or index in self._silenced:
                continue
            receipt = Receipt(seq if seq >= 0 else None, "stored", None, None, stored)
            if sink in told:
                told[sink].append(receipt)
            else:
                told[sink] = [receipt]
        for sink, _, seq in self.echoes:
            told.setdefault(sink, []).append(Receipt(seq, "duplicate"))
        for sink, (block, _) in zip(self.block_sinks, self.blocks, strict=True):
            if sink is not None:
                told.setdefault(sink, []).append(block.receipt())
        return told

    def owed(self) -> list[tuple[Sink | None, int | None]]:
        """Return everybody who waits for the batch, with the seq they know their frame by."""
        owed = [(sink, None if seq < 0 else seq) for sink, seq in zip(self.sinks, self.seqs, strict=True)]
        owed += [(sink, seq) for sink, _, seq in self.echoes]
        return owed + [(sink, None) for sink in self.block_sinks]

    def silence(self, frames: Sequence[int]) -> None:
        """Leave out frames (by index) that turned out to be stored by another node; they were answered."""
        self._silenced.update(frames)

    def columns(self, received_us: int) -> Columns:
        """Return the batch as columns; frames without a seq have readings but no frame row."""
        rows = len(self.series)
        kind, quality = np.zeros(rows, np.uint8), np.ones(rows, np.float32)
        for row, number in self.kinds:
            kind[row] = number
        for row, score in self.qualities:
            quality[row] = score
        boots = np.array(self.boots, np.int32)
        numbered = boots >= 0
        place = np.where(numbered, np.cumsum(numbered) - 1, -1).astype(np.int32)
        columns = Columns(
            received_us=received_us,
            series=np.array(self.series, np.int32),
            at_us=np.repeat(np.array(self.run_at, np.int64), self.run_counts),
            value=np.array(self.values, np.float64),
            kind=kind,
            quality=quality,
            text_series=[no for _, no, _, _ in self.texts],
            text_at_us=[at for _, _, at, _ in self.texts],
            text_kind=[row.kind for *_, row in self.texts],
            text_value=[row.text for *_, row in self.texts],
            text_quality=[row.quality for *_, row in self.texts],
            frame_boot=boots[numbered],
            frame_seq=np.array(self.seqs, np.int64)[numbered],
            frame_digest=self.digests()[numbered],
            row_frame=np.repeat(place, self.counts),
            text_frame=[int(place[index]) for index, *_ in self.texts],
        )
        return joined(columns, self.blocks)

    def digests(self) -> NDArray[np.uint32]:
        """Return a 32-bit digest of each frame's content: what it says, not how it was spelt or ordered."""
        stamps = np.repeat(np.array(self.run_stamp, np.int64), self.run_counts)
        hashed = _hashed(np.array(self.values, np.float64).view(np.uint64), self.series, stamps)
        sums = np.zeros(len(hashed) + 1, np.uint64)
        np.cumsum(hashed, out=sums[1:])
        ends = np.cumsum(np.array(self.counts, np.int64))
        digest = sums[ends] - sums[ends - np.array(self.counts, np.int64)]
        if self.texts:
            said = np.array([zlib.crc32(row.text.encode()) for *_, row in self.texts], np.uint64)
            hashed = _hashed(said, [no for _, no, _, _ in self.texts], np.array(self.text_stamp, np.int64))
            np.add.at(digest, [index for index, *_ in self.texts], hashed)
        if self.words:
            told = np.array([word for _, word in self.words], np.uint64) * _MIX_B
            np.add.at(digest, [index for index, _ in self.words], told)
        return ((digest ^ (digest >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def _hashed(said: NDArray[np.uint64], series: list[int], stamps: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return 64 bits per reading, each moved by every bit of it: half-mixed ones would cancel when added up."""
    hashed = said * _MIX_A
    hashed ^= np.array(series, np.int32).astype(np.uint64) * _MIX_B
    hashed ^= stamps.view(np.uint64) * _MIX_C
    for shift, factor in ((30, _MIX_B), (27, _MIX_A)):
        hashed ^= hashed >> np.uint64(shift)
        hashed *= factor
    hashed ^= hashed >> np.uint64(31)
    return hashed
