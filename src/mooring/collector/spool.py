"""What has arrived and is not yet confirmed, in files: appended at the end, read at the front, deleted when read.

Each start of the collector writes segments of its own, headed by its ``boot_id``; a torn end of an older one is where
that start died. Full means: the oldest segment goes and is counted.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mooring.kernel.errors import Unavailable
from mooring.kernel.ids import new_id

log = logging.getLogger(__name__)

MAGIC = b"mooring spool 1\n"
SEGMENT_BYTES = 8 << 20
MAX_BYTES = 1 << 30
# Checksum of the rest, length of the body, first seq, time in µs since 1970, kind.
_HEAD = struct.Struct("<IIQqB")
_SUMMED = struct.Struct("<IQqB")
_BOOT_BYTES = 36


class Place(NamedTuple):
    """A place in the spool: the number of a segment and an offset in it."""

    segment: int
    offset: int


class Entry(NamedTuple):
    """One thing that arrived: under which numbers, when, what, and where the next one begins."""

    boot_id: str
    seq: int
    at_us: int
    kind: int
    body: bytes
    end: Place


@dataclass(slots=True)
class _Segment:
    number: int
    path: Path
    size: int


class Spool:
    """One folder; one process at a time."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.boot_id = new_id()
        self.dropped_bytes = 0
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._segments: list[_Segment] = []
        self._file: int | None = None
        self._dirty = False
        self._place = Place(0, 0)

    def open(self) -> None:
        """Find what an earlier start left; raises ``Unavailable`` if the folder cannot be used."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in sorted(self._folder.glob("*.spool")):
                self._segments.append(_Segment(int(path.stem), path, path.stat().st_size))
            self._place = self._stored_place()
            self._begin()
        except (OSError, ValueError) as error:
            raise Unavailable(f"the spool cannot be used: {self._folder}: {error}") from error
        self._release()

    def close(self) -> None:
        """Bring everything to the disk and let go."""
        if self._file is not None:
            self.sync()
            os.close(self._file)
            self._file = None

    @property
    def waiting_bytes(self) -> int:
        """Return how much is kept that no server has confirmed."""
        behind = self._place.offset if self._segments and self._segments[0].number == self._place.segment else 0
        return sum(segment.size for segment in self._segments) - behind

    @property
    def empty(self) -> bool:
        """True if everything is confirmed."""
        return next(self.entries(), None) is None

    def append(self, seq: int, at_us: int, kind: int, body: bytes) -> None:
        """Keep something; raises OSError, and nothing is kept, if the disk does not take it."""
        segment = self._segments[-1]
        if segment.size >= self._segment_bytes:
            self.sync()
            self._begin()
            segment = self._segments[-1]
        rest = _SUMMED.pack(len(body), seq, at_us, kind)
        data = struct.pack("<I", zlib.crc32(body, zlib.crc32(rest))) + rest + body
        assert self._file is not None  # noqa: S101 (open)
        try:
            written = os.write(self._file, data)
            if written < len(data):
                raise OSError("the disk took only a part")
        except OSError:
            os.ftruncate(self._file, segment.size)
            raise
        segment.size += len(data)
        self._dirty = True
        self._bound()

    def sync(self) -> None:
        """Bring what was appended to the disk; may be called on another thread."""
        if self._dirty and self._file is not None:
            self._dirty = False
            os.fsync(self._file)

    def entries(self) -> Iterator[Entry]:
        """Yield what is not confirmed, oldest first."""
        place = self._place
        for segment in list(self._segments):
            if segment.number >= place.segment:
                offset = place.offset if segment.number == place.segment else 0
                yield from self._read(segment, offset)

    def confirm(self, place: Place) -> None:
        """Let go of everything before `place`."""
        self._place = place
        self._release()
        temporary = self._folder / "place.new"
        temporary.write_text(f"{self._place.segment} {self._place.offset}\n")
        temporary.replace(self._folder / "place")

    def _stored_place(self) -> Place:
        try:
            segment, offset = (self._folder / "place").read_text().split()
            return Place(int(segment), int(offset))
        except (FileNotFoundError, ValueError):
            return Place(0, 0)

    def _begin(self) -> None:
        if self._file is not None:
            os.close(self._file)
        number = max(self._place.segment, self._segments[-1].number if self._segments else 0) + 1
        path = self._folder / f"{number:010d}.spool"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        head = MAGIC + self.boot_id.encode()
        os.write(self._file, head)
        self._segments.append(_Segment(number, path, len(head)))

    def _read(self, segment: _Segment, offset: int) -> Iterator[Entry]:
        try:
            with segment.path.open("rb") as file:
                head = file.read(len(MAGIC) + _BOOT_BYTES)
                if head[: len(MAGIC)] != MAGIC or len(head) < len(MAGIC) + _BOOT_BYTES:
                    return
                boot_id = head[len(MAGIC) :].decode("ascii", "replace")
                at = max(offset, len(head))
                file.seek(at)
                while at < segment.size:
                    found = _entry(file)
                    if found is None:
                        if segment is not self._segments[-1]:
                            log.warning("%s ends in the middle of an entry", segment.path.name)
                        return
                    seq, at_us, kind, body = found
                    at += _HEAD.size + len(body)
                    yield Entry(boot_id, seq, at_us, kind, body, Place(segment.number, at))
        except FileNotFoundError:
            return

    def _release(self) -> None:
        """Delete segments that are read to their end; the one being written stays."""
        while len(self._segments) > 1 and self._is_done(self._segments[0]):
            self._segments.pop(0).path.unlink(missing_ok=True)

    def _is_done(self, segment: _Segment) -> bool:
        if segment.number > self._place.segment:
            return next(self._read(segment, 0), None) is None
        if segment.number < self._place.segment:
            return True
        return next(self._read(segment, self._place.offset), None) is None

    def _bound(self) -> None:
        while len(self._segments) > 1 and sum(segment.size for segment in self._segments) > self._max_bytes:
            oldest = self._segments.pop(0)
            self.dropped_bytes += oldest.size
            oldest.path.unlink(missing_ok=True)
            log.error("the spool is full: the oldest %d bytes were dropped", oldest.size)


def _entry(file: BinaryIO) -> tuple[int, int, int, bytes] | None:
    """Read an entry; None if it is not whole, or not what was written."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    summed, length, seq, at_us, kind = _HEAD.unpack(head)
    if length > SEGMENT_BYTES:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body, zlib.crc32(head[4:])) != summed:
        return None
    return seq, at_us, kind, body
