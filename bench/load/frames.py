"""Frames as bytes, patched in blocks: JSON of fixed width whose seq, stamp and first value change by NumPy slices."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FIRST_SEQ = 10_000_000  # eight digits from the first frame on: JSON knows no leading zeros
SEQ_DIGITS = 8
STAMP_DIGITS = 13
READINGS = 5
_SEQ_POWERS = 10 ** np.arange(SEQ_DIGITS - 1, -1, -1, dtype=np.int64)
_STAMP_POWERS = 10 ** np.arange(STAMP_DIGITS - 1, -1, -1, dtype=np.int64)


def frame_text(seq: int, *, boot_id: str, stamp_ms: int, rng: random.Random) -> bytes:
    """Return one frame of five readings; ``mark`` repeats the seq so that a live viewer can tell the frame."""
    values = [f"{rng.uniform(10, 99):.3f}" for _ in range(READINGS - 1)]
    return (
        f'{{"seq":{seq},"boot_id":"{boot_id}","timestamp":{stamp_ms},"sensor_readings":'
        f'{{"mark":{seq}.5,"temperature":{values[0]},"voltage":{values[1]},"speed":{values[2]},"load":{values[3]}}}}}'
    ).encode()


def masked(payload: bytes) -> bytes:
    """Return `payload` as a client's text frame; with the mask key 0 masking changes nothing."""
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


@dataclass(slots=True)
class Block:
    """`size` frames as one writable row matrix; `take` returns the bytes of the next `size` frames of one device."""

    rows: NDArray[np.uint8]
    seq_at: int
    stamp_at: int
    mark_at: int
    step_ms: int = 1
    steps: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = np.arange(len(self.rows), dtype=np.int64)

    @property
    def size(self) -> int:
        """How many frames."""
        return len(self.rows)

    def take(self, first_seq: int, *, stamp_ms: int | None = None) -> bytes:
        """Return the frames `first_seq`, `first_seq` + 1 … joined; their stamps end now (or at `stamp_ms`)."""
        seqs = (first_seq + self.steps)[:, None] // _SEQ_POWERS % 10 + 48
        if stamp_ms is None:
            stamp_ms = time.time_ns() // 1_000_000
        stamps = (stamp_ms + (self.steps - len(self.steps)) * self.step_ms)[:, None] // _STAMP_POWERS % 10 + 48
        self.rows[:, self.seq_at : self.seq_at + SEQ_DIGITS] = seqs
        self.rows[:, self.mark_at : self.mark_at + SEQ_DIGITS] = seqs
        self.rows[:, self.stamp_at : self.stamp_at + STAMP_DIGITS] = stamps
        return self.rows.tobytes()


def block_of(frames: list[bytes]) -> Block:
    """Return the block of `frames`, all of one length and layout (as `frame_text` makes them)."""
    first = frames[0]
    rows = np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(len(frames), len(first)).copy()
    return Block(
        rows,
        first.index(b'"seq":') + 6,
        first.index(b'"timestamp":') + 12,
        first.index(b'"mark":') + 7,
    )


def socket_block(size: int, *, boot_id: str, salt: int) -> Block:
    """Return a block of `size` frames, each wrapped as a WebSocket message."""
    rng = random.Random(salt)
    now_ms = time.time_ns() // 1_000_000
    return block_of([masked(frame_text(FIRST_SEQ, boot_id=boot_id, stamp_ms=now_ms, rng=rng)) for _ in range(size)])


def list_block(size: int, *, boot_id: str, salt: int) -> Block:
    """Return a block of `size` frames, each followed by a comma: the inside of a JSON array (drop the last byte)."""
    rng = random.Random(salt)
    now_ms = time.time_ns() // 1_000_000
    return block_of([frame_text(FIRST_SEQ, boot_id=boot_id, stamp_ms=now_ms, rng=rng) + b"," for _ in range(size)])


class Burst(Protocol):
    """Makes the bytes of the next few frames of one socket."""

    @property
    def size(self) -> int:
        """How many frames."""

    def take(self, first_seq: int) -> bytes:
        """Return the frames from `first_seq` on, stamped now."""


class Single:
    """One frame at a time, cheaper than a block of one: a template with ``%d`` for seq, stamp and mark."""

    size = 1

    def __init__(self, template: bytes) -> None:
        self.template = template

    def take(self, first_seq: int) -> bytes:
        """Return the frame `first_seq`, stamped now."""
        return self.template % (first_seq, time.time_ns() // 1_000_000, first_seq)


def burst_of(size: int, *, boot_id: str, salt: int) -> Burst:
    """Return what makes `size` masked WebSocket frames at a time."""
    if size == 1:
        return Single(_opened(masked(_first(boot_id, salt))))
    return socket_block(size, boot_id=boot_id, salt=salt)


def single_body(*, boot_id: str, salt: int) -> Single:
    """Return what makes single frames as HTTP bodies."""
    return Single(_opened(_first(boot_id, salt)))


def _first(boot_id: str, salt: int) -> bytes:
    rng = random.Random(salt)
    return frame_text(FIRST_SEQ, boot_id=boot_id, stamp_ms=10 ** (STAMP_DIGITS - 1), rng=rng)


def _opened(frame: bytes) -> bytes:
    stamp, seq = b"%d" % 10 ** (STAMP_DIGITS - 1), b"%d" % FIRST_SEQ
    return frame.replace(stamp, b"%d").replace(seq, b"%d")  # the stamp first: it holds the seq's digits
