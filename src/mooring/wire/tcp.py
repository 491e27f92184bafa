"""Cutting a TCP stream into frames of one size: whatever the network splits or joins, only whole frames come out."""

from __future__ import annotations


class FixedFrames:
    """Keeps what is left of a frame until its rest arrives; never holds a whole one."""

    __slots__ = ("_rest", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = b""

    @property
    def pending(self) -> int:
        """Return how many bytes of an unfinished frame are kept."""
        return len(self._rest)

    @property
    def skipped(self) -> int:
        """Return 0: any sixteen bytes are a frame, so nothing can be out of place."""
        return 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; return the whole frames, joined, as one item, or nothing."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % self._size
        self._rest = data[whole:]
        return [data[:whole]] if whole else []
